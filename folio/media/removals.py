"""Files that nothing refers to any more: their URLs go on answering for a while, then a task removes them.

A page that was built yesterday, a mail, a backup in progress still show what was replaced or deleted today. So the name
of such a file is written down with the moment of its removal, in the transaction that lets it go, and counts as
referred to until then. Without a grace the journal removes it as soon as that transaction is committed; in a bucket
it is written down all the same, and removed at once (`folio.media.pending`).
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, default_storage
from django.utils import timezone

from folio.tasks.queue import enqueue
from folio.tasks.registry import task

from . import holding, journal, pending, removing
from .bucket import in_bucket
from .models import FormerName, Media, RemovedFile, Thumbnail
from .removing import TASK

logger = logging.getLogger(__name__)

BATCH = 100  # files after whose removal the database is told


class NotRemoved(Exception):
    """Files whose time has come are still there; the log says why."""


class Mine(threading.local):
    """Whether this thread removes files at once."""

    is_at_once = False


mine = Mine()


@contextmanager
def at_once(is_so: bool = True) -> Iterator[None]:
    """Where `is_so`, have what is deleted in the block go once its transaction is committed, without a grace.

    With a media go its earlier files as well, whose time has not come yet.
    """
    before = mine.is_at_once
    mine.is_at_once = is_so or before
    try:
        yield
    finally:
        mine.is_at_once = before


def let_go(instance: Media | Thumbnail, **kwargs: Any) -> None:
    """Have the file go of a row that is deleted, or refers to another file from now on; its name is given to no other.

    To be called in the transaction that does so; a receiver of `post_delete`.
    """
    name = str(instance.file)
    if not name:
        return
    FormerName.objects.remember([name])
    media = instance.pk if isinstance(instance, Media) else instance.media_id
    if settings.KEEP_REMOVED and not mine.is_at_once:
        keep(name, media, timezone.now() + settings.KEEP_REMOVED)
        return
    earlier = RemovedFile.objects.filter(media_id=media) if mine.is_at_once else RemovedFile.objects.none()
    names = {name, *earlier.values_list("name", flat=True)}
    if in_bucket():
        pending.let_go_after_commit(names)
        return
    for each in names:
        journal.record(each)
    (earlier | RemovedFile.objects.filter(name=name)).delete()


def keep(name: str, media: int, remove_at: datetime) -> None:
    """Write down until when a file is to be kept; one that was written down before keeps its moment."""
    RemovedFile.objects.bulk_create(
        [RemovedFile(name=name, media_id=media, remove_at=remove_at)], ignore_conflicts=True
    )
    enqueue(TASK, due=remove_at, key=TASK)


@task(TASK)
def remove_due(payload: dict[str, Any]) -> datetime | None:
    """Remove the files whose time has come; return when that is for the next one, or when a backup may be over."""
    due = RemovedFile.objects.filter(remove_at__lte=timezone.now())
    if due.exists() and holding.is_held():
        return timezone.now() + holding.AGAIN
    left, last = 0, 0
    while batch := list(due.filter(pk__gt=last).order_by("pk").values_list("pk", "name", "media_id")[:BATCH]):
        last = batch[-1][0]
        # A database that was brought back from a backup may show again what went after it.
        shown = journal.shown({name for _, name, _ in batch})
        gone = {pk for pk, name, _ in batch if name in shown or removing.remove(name)}
        again = [pk for pk, name, media in batch if pk in gone and name not in shown and is_looked_for_again(media)]
        # After the files: who dies between finds them gone.
        RemovedFile.objects.filter(pk__in=gone.difference(again)).delete()
        if again:
            pending.removed(again)
        left += len(batch) - len(gone)
    if left:
        raise NotRemoved(f"Files that could not be removed: {left}. The log says why.")
    return RemovedFile.objects.order_by("remove_at").values_list("remove_at", flat=True).first()


def is_looked_for_again(media: int) -> bool:
    """Tell whether something may be on its way yet to the file, just removed, of what had that id."""
    if not in_bucket() or media == pending.GONE:
        return False
    return media == pending.NOBODY or settings.KEEP_REMOVED < pending.LATE


def shorten() -> None:
    """Let nothing be kept for longer than the settings say from now on, and have what is kept removed in time.

    To be called at a server's start: a grace that was made shorter is good for what waits already.
    """
    latest = timezone.now() + settings.KEEP_REMOVED
    waiting = RemovedFile.objects.exclude(media_id__in=(pending.NOBODY, pending.GONE))
    waiting.filter(remove_at__gt=latest).update(remove_at=latest)
    first = RemovedFile.objects.order_by("remove_at").values_list("remove_at", flat=True).first()
    if first is not None:
        enqueue(TASK, due=first, key=TASK)


def kept_files(storage: Storage = default_storage) -> Iterator[tuple[RemovedFile, int]]:
    """Yield what waits for its removal and is still there, with its bytes and those of what goes with it."""
    for row in RemovedFile.objects.order_by("remove_at", "pk").iterator():
        names = [row.name, *(name for find in removing.companions for name in find(row.name))]
        found = [size for name in names if (size := size_of(storage, name)) is not None]
        if found:
            yield row, sum(found)


def size_of(storage: Storage, name: str) -> int | None:
    try:
        return storage.size(name)
    except FileNotFoundError:
        return None
