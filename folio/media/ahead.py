"""Variants made before they are asked for: by `folio makevariants`, and by the server after something was published."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from folio.tasks.models import State, Task
from folio.tasks.queue import enqueue
from folio.tasks.registry import Payload, task

from .decoding import Decoders, DecodersBusy
from .documents import MEDIA_FIELDS
from .making import claimed, failures, in_place_of, make, upload_decoders
from .models import Media, MediaQuerySet
from .opening import UnreadableImage
from .public import changed_media, public_media
from .renewing import AT_A_TIME, UNREADABLE, chunks, ids_of
from .variant_files import variant_names
from .variants import VERSION, Row, Variant, existing, parse, variants_of

logger = logging.getLogger(__name__)

TASK = "media.make_variants"
GATHERED = 20  # seconds in which what changes is one task
PORTION_SECONDS = 10.0  # after which a task lets others have their turn
BUSY_WAIT = timedelta(seconds=30)  # until a task that found the decoders at work tries again
PATIENCE = 60.0  # seconds that `folio makevariants` waits for one of its own decoders

reached: dict[float, int] = {}  # by the moment since when a task makes variants, the media that this process has got to
incomplete: set[float] = set()  # those of these moments since when something could not be made


def public_images() -> MediaQuerySet:
    """Return the images that visitors see."""
    return public_media().images()


def row_of(pk: int, images: MediaQuerySet) -> Row | None:
    """Return one of these images as documents read it; None of what is none of them, or no more."""
    return images.filter(pk=pk).values(*MEDIA_FIELDS).first()


def complete(pk: int, pool: Decoders, *, anew: bool = False) -> bool:
    """Make the variants that an image lacks, or with `anew` all of them; return whether any was made.

    With `anew`, those that a request would be sent away from are deleted: of former versions and focal points. Raises
    UnreadableImage, DecodersBusy, or one of UNREADABLE.
    """
    row = row_of(pk, public_images())
    if row is None:
        return False
    made = 0
    for group in groups(row):
        there = set() if anew else existing(group)
        missing = [each for each in group if each not in there]
        while missing:
            count, made_now = make_claimed(row, missing, pool, anew=anew, patience=PATIENCE)
            missing, made = missing[count:], made + made_now
    if anew:
        delete_former(row)
    return made > 0


def groups(row: Row) -> Iterator[list[Variant]]:
    """Yield an image's variants, those of a width together: they need but one image made smaller."""
    by_width: dict[int, list[Variant]] = {}
    for variant in variants_of(row):
        by_width.setdefault(variant.width or 0, []).append(variant)
    for width in sorted(by_width, reverse=True):
        yield by_width[width]


def make_claimed(
    row: Row, variants: Sequence[Variant], pool: Decoders, *, anew: bool = False, patience: float = 0
) -> tuple[int, int]:
    """Make the first of these variants, but those that someone else is at; return how many are settled, and made."""
    with ExitStack() as stack:
        mine = [each for each in variants if stack.enter_context(claimed(each.name, 0))]
        if mine and not anew:
            there = existing(mine)
            mine = [each for each in mine if each not in there]
        if not mine:
            return len(variants), 0
        made = make(row, mine, pool, patience, anew=anew)
    return variants.index(mine[made - 1]) + 1 if made else len(variants), made


def delete_former(row: Row) -> None:
    """Delete the variants of an image that others have taken the place of."""
    for name in variant_names(row["file"]):
        variant = parse(name)
        present = variant and in_place_of(variant, row)
        if present not in (None, variant):
            default_storage.delete(name)


# By the server


def make_ahead() -> None:
    """Have the server make the variants of what the running transaction shows to visitors, a while after it."""
    if not (settings.PUBLIC_READ and settings.IMAGE_WIDTHS):
        settings.VARIANTS_MARK.unlink(missing_ok=True)
        return
    if any(hook[1] is is_written_down for hook in connection.run_on_commit):
        return
    if connection.in_atomic_block:  # a savepoint that is rolled back takes both along, this and the task
        transaction.on_commit(is_written_down)
    have_made(slot_of(timezone.now()))


def slot_of(moment: datetime) -> int:
    """Return when the time began, in seconds since the epoch, in which all that changes is one task."""
    return int(moment.timestamp()) // GATHERED * GATHERED


def have_made(slot: int) -> None:
    """Have the server make, when that time is over, the variants of what is shown to visitors in it."""
    due = datetime.fromtimestamp(slot + GATHERED, UTC)
    enqueue(TASK, {"since": slot - GATHERED}, key=f"{TASK} {slot}", due=due)


class Upcoming:
    """What is to be shown to visitors at a moment, though nobody writes then: it is written down before, for its time.

    To be asked whenever something was committed. `next_moment` returns the first moment after another one at which
    something is. Of those to come the first is written down: the others' turn comes once its task is done. Those that
    have passed since this process was last asked are, too: a task may have kept it from being so.
    """

    def __init__(self, next_moment: Callable[[datetime], datetime | None]) -> None:
        self.next_moment = next_moment
        self.asked_at: datetime | None = None
        self.known: set[int] = set()  # times of which there is a task, or was

    def look(self) -> None:
        if not (settings.PUBLIC_READ and settings.IMAGE_WIDTHS):
            return
        now = timezone.now()
        since = min(self.asked_at or now, now)
        self.known = {slot for slot in self.known if slot >= slot_of(since)}
        while since <= now and (moment := self.next_moment(since)) is not None:
            slot = slot_of(moment)
            if slot not in self.known:
                self.write_down(slot)
            since = max(moment, datetime.fromtimestamp(slot + GATHERED, UTC) - timedelta(microseconds=1))
        self.asked_at = now

    def write_down(self, slot: int) -> None:
        if not Task.objects.filter(key=f"{TASK} {slot}").exclude(state=State.FAILED).exists():
            have_made(slot)
        self.known.add(slot)


def make_all_ahead() -> None:
    """Have the server make what visitors may ask for and is missing; to be called when it starts.

    Public reading may be open only now, or the widths be others. Once all was looked at, a mark says so, and the next
    start looks at nothing: what is published since has tasks of its own. Without public reading it has none, and the
    mark goes.
    """
    if not (settings.PUBLIC_READ and settings.IMAGE_WIDTHS):
        settings.VARIANTS_MARK.unlink(missing_ok=True)
    elif not is_all_made():
        enqueue(TASK, {"since": 0}, key=f"{TASK} all", due=timezone.now() + timedelta(seconds=GATHERED))


def all_of() -> str:
    """Return what a mark says that all were made of, and where that is not this machine."""
    bucket = settings.MEDIA_BUCKET
    place = f", in {bucket.name}/{bucket.prefix} at {bucket.endpoint or 'Amazon'}" if bucket else ""
    widths = ",".join(map(str, settings.IMAGE_WIDTHS))
    return f"version {VERSION}, widths {widths}, formats {','.join(settings.IMAGE_FORMATS)}{place}\n"


def is_all_made() -> bool:
    try:
        return bool(settings.VARIANTS_MARK.read_text() == all_of())
    except (OSError, ValueError):
        return False


def mark_all_made() -> None:
    with open(os.open(settings.VARIANTS_MARK, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(all_of())


def is_written_down() -> None:
    """Tell by being among its hooks that the running transaction has such a task already."""


def make_ahead_of_saved(sender: Any, raw: bool = False, **kwargs: Any) -> None:
    """A receiver of `post_save`, of whatever may show an image."""
    if not raw:
        make_ahead()


@task(TASK)
def make_variants(payload: Payload) -> datetime | None:
    """Make the variants of what has changed since then and visitors see, for as long as no one else needs decoders."""
    since = payload["since"]
    again = make_portion(since)
    if again is None:
        reached.pop(since, None)
        if since == 0 and since not in incomplete:
            mark_all_made()
        incomplete.discard(since)
    return again


def make_portion(since: float) -> datetime | None:
    """Make what there is time for, from where this process has got to; return when to go on, None at the end."""
    until = time.monotonic() + PORTION_SECONDS
    pool = upload_decoders()
    changed = changed_media(datetime.fromtimestamp(since, UTC)) if since else public_media()
    has_got_on = False  # lest a look at many of them that takes long is all that is ever done
    for pk, lacking in looked_at(ids_of(changed.images(), reached.get(since, 0))):
        reached[since] = pk
        if any(each.name in failures for each in lacking):
            incomplete.add(since)
        # As it is now. That visitors saw it a moment ago is enough: to ask that of one costs more than all else.
        row = row_of(pk, Media.objects.all()) if any(each.name not in failures for each in lacking) else None
        there = existing(list(variants_of(row))) if row else set()
        for group in groups(row) if row else ():
            missing = [each for each in group if each not in there and each.name not in failures]
            while row and missing:
                if not pool.is_idle:
                    return timezone.now() + BUSY_WAIT
                if has_got_on and time.monotonic() > until:
                    return timezone.now()
                has_got_on = True
                try:
                    count, _ = make_claimed(row, missing, pool)
                except DecodersBusy:
                    return timezone.now() + BUSY_WAIT
                except (UnreadableImage, *UNREADABLE) as error:
                    incomplete.add(since)
                    count = note_failure(row, missing, error)
                missing = missing[count:]
        has_got_on = True
        if time.monotonic() > until:
            reached[since] = pk + 1
            return timezone.now()
    return None


def looked_at(ids: Iterator[int]) -> Iterator[tuple[int, list[Variant]]]:
    """Yield each of these images, and the variants that it lacks.

    Many are read by one statement: while everything is being written, most of what has changed lacks none.
    """
    for chunk in chunks(ids, AT_A_TIME):
        rows = {row["id"]: row for row in public_images().filter(pk__in=chunk).values(*MEDIA_FIELDS)}
        for pk in chunk:
            wanted = list(variants_of(rows[pk])) if pk in rows else []
            there = existing(wanted)
            yield pk, [each for each in wanted if each not in there]


def note_failure(row: Row, variants: Sequence[Variant], error: Exception) -> int:
    """Note that the first of these variants can't be made, or none where there is no file; return how many that is."""
    if isinstance(error, FileNotFoundError):
        logger.warning("Could not make the variants of %s: there is no such file.", row["file"])
        failed, count = list(variants_of(row)), len(variants)
    else:
        logger.warning("Could not make %s: %s", variants[0].name, error)
        failed, count = list(variants[:1]), 1
    for each in failed:
        failures.add(each.name)
    return count
