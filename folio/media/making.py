"""Variants made: when one is asked for, or ahead. Each is made once, whole or not at all, and goes with its media.

Nothing is written to the database, so a visitor who is the first to see a picture costs no worker its memory.
"""

from __future__ import annotations  # File[bytes] means something to type checkers only

import errno
import fcntl
import logging
import os
import posixpath
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock, Thread
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import connection

from folio.api.middleware import THREADS, THREADS_VARIABLE
from folio.claims import claim
from folio.postgresql.pools import give_back

from .bucket import in_bucket
from .decoding import Decoders, DecodersBusy, decoders
from .documents import MEDIA_FIELDS
from .journal import leave_room, mutex, operation, persist, record, unreferred
from .models import Media, Thumbnail
from .opening import UnreadableImage
from .pixels import fit
from .public import is_public
from .removing import remove
from .rendering import Wanted
from .renewing import UNREADABLE, on_disk
from .thumbnails import BOXES
from .variant_files import names_beside
from .variants import (
    FALLBACKS,
    THOUSANDTHS,
    Row,
    Variant,
    exists,
    folder_of,
    is_animated,
    parse,
    share_image,
    variants_of,
)

logger = logging.getLogger(__name__)

WAIT_SECONDS = 5.0  # for someone else who makes the same variant
LOOK_SECONDS = 0.05  # between two looks whether it is there
FAILED_SECONDS = 15 * 60  # for which what could not be made is not tried again
FAILED_KEPT = 1000  # of those
POSTPONED_KEPT = 500  # variants that wait for a decoder
POSTPONED_SECONDS = 30.0  # that one of them waits for it


class Failures:
    """Variants of this process that could not be made a short while ago, lest each request costs a decoder again."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.until: dict[str, float] = {}

    def add(self, name: str) -> None:
        with self.lock:
            self.until.pop(name, None)
            while len(self.until) >= FAILED_KEPT:
                del self.until[next(iter(self.until))]
            self.until[name] = time.monotonic() + FAILED_SECONDS

    def __contains__(self, name: str) -> bool:
        with self.lock:
            return self.until.get(name, 0) > time.monotonic()

    def clear(self) -> None:
        with self.lock:
            self.until.clear()


class Postponed:
    """Variants that visitors were sent to a thumbnail for, since no decoder was free: a thread makes them soon.

    A page with twelve pictures would else be as sharp as it should be only when it was loaded for the twelfth time.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.names: dict[str, None] = {}  # the first one first
        self.thread: Thread | None = None

    def add(self, name: str) -> None:
        with self.lock:
            if len(self.names) < POSTPONED_KEPT:
                self.names.setdefault(name)
            if self.thread is None:
                self.thread = Thread(target=self.work_off, name="variants", daemon=True)
                self.thread.start()

    def next(self) -> str | None:
        with self.lock:
            name = next(iter(self.names), None)
            if name is None:
                self.thread = None
            else:
                del self.names[name]
            return name

    def work_off(self) -> None:
        while (name := self.next()) is not None:
            try:
                make_postponed(name)
            except Exception:
                logger.exception("Could not make %s.", name)
            finally:
                connection.close()


failures = Failures()
postponed = Postponed()
# Threads that wait for another one's variant; the others of a worker are left for reads.
waiting = BoundedSemaphore(max(1, int(os.environ.get(THREADS_VARIABLE) or THREADS) // 8))


def upload_decoders() -> Decoders:
    """Return the decoders of this process, of which variants get all but one."""
    return decoders(settings.DECODERS, settings.DECODER_MEMORY, settings.DECODER_SECONDS)


# When one is asked for


def on_request(name: str) -> str | None:
    """Return which file answers a request for one that is not there; None where none does.

    It is that file itself once it is made; or another one to be sent to for now: the same of the present version, a
    thumbnail, or an animation's original.
    """
    variant = parse(name)
    if not settings.PUBLIC_READ or variant is None or not may_be_set(variant):
        return None
    if posixpath.normpath(name) != name or name.startswith(("/", "../")) or not is_text(name):
        return None
    row = Media.objects.filter(file=variant.file).values(*MEDIA_FIELDS).first()
    if row is None:
        return left_thumbnail(variant)
    present = in_place_of(variant, row)
    if present is None or not is_public(row["id"]):
        return None
    if present != variant:
        return present.name
    if made_in_time(variant, row):
        return name
    if name not in failures:
        postponed.add(name)
    return stand_in(variant, row)


def make_postponed(name: str) -> None:
    """Make a variant that was asked for, if it still is one of a public image."""
    variant = parse(name)
    row = Media.objects.filter(file=variant.file).values(*MEDIA_FIELDS).first() if variant else None
    if variant and row and in_place_of(variant, row) == variant and is_public(row["id"]):
        made_in_time(variant, row, patience=POSTPONED_SECONDS)


def may_be_set(variant: Variant) -> bool:
    """Tell whether there can be such variants, of whichever image, by the settings."""
    if not settings.IMAGE_WIDTHS or (variant.width or 0) > max(settings.IMAGE_WIDTHS):
        return False
    return variant.extension in {*settings.IMAGE_FORMATS, *FALLBACKS}


def is_text(name: str) -> bool:
    try:
        return len(name.encode()) < 1024
    except UnicodeEncodeError:
        return False


def in_place_of(variant: Variant, row: Row) -> Variant | None:
    """Return the variant that an image has at present, of which another one may be an older version or focal point."""
    if variant.focal is not None:
        return share_image(row)
    same = variant.of_this_version()
    others = [same, *(Variant(same.file, each, same.width) for each in FALLBACKS if same.extension in FALLBACKS)]
    known = set(variants_of(row))
    return next((each for each in others if each in known), None)


def made_in_time(variant: Variant, row: Row, patience: float = 0) -> bool:
    """Make a variant, or wait for someone else who does; tell whether it is there now.

    A decoder is waited for within the seconds of `patience`.
    """
    if variant.name in failures:
        return False
    try:
        with claimed(variant.name, WAIT_SECONDS) as is_mine:
            return is_mine and (exists(variant) or bool(make(row, [variant], upload_decoders(), patience)))
    except DecodersBusy:
        return False
    except (UnreadableImage, *UNREADABLE) as error:
        if getattr(error, "errno", None) != errno.ENOSPC:  # there may be room again at any moment
            failures.add(variant.name)
        logger.warning("Could not make %s: %s", variant.name, error)
        return False


@contextmanager
def claimed(name: str, patience: float) -> Iterator[bool]:
    """Yield whether this thread alone may make a variant; only so many threads wait for their turn, and so long."""
    take, free = claim(f"variant {name}")
    is_mine = take()
    if not is_mine and patience and waiting.acquire(blocking=False):
        try:
            deadline = time.monotonic() + patience
            while not is_mine and time.monotonic() < deadline:
                give_back()
                time.sleep(LOOK_SECONDS)
                is_mine = take()
        finally:
            waiting.release()
    try:
        yield is_mine
    finally:
        if is_mine:
            free()


def stand_in(variant: Variant, row: Row) -> str | None:
    """Return what is shown instead of a variant that can't be made now: the nearest thumbnail in size."""
    if variant.extension == "webp" and is_animated(row) and settings.PUBLIC_ORIGINALS and variant.name in failures:
        return str(row["file"])  # which moves
    thumbnails = dict(Thumbnail.objects.filter(media=row["id"]).values_list("size", "file"))
    size = row["width"], row["height"]
    return nearest({fit(size, box)[0]: file for box, file in sorted(thumbnails.items(), reverse=True)}, variant)


def left_thumbnail(variant: Variant) -> str | None:
    """Return the nearest thumbnail of a media that was deleted or replaced, while its files are still there.

    A page that was built before may name variants that nobody has asked for until now.
    """
    if not default_storage.exists(variant.file):
        return None
    root, _, extension = variant.file.rpartition("/")[2].rpartition(".")
    there = set(names_beside(variant.file, f"{root}_thumbnail_"))
    found: dict[int, str] = {}
    for box in BOXES:
        names = (f"{folder_of(variant.file)}/{root}_thumbnail_{box}x{box}.{each}" for each in (extension, "png"))
        name = next((each for each in names if each in there), None)
        if name:
            found[box] = name
    return nearest(found, variant)


def nearest(files: dict[int, str], variant: Variant) -> str | None:
    """Return the file of the smallest width, in pixels, that is enough for a variant, else of the largest."""
    if not files:
        return None
    enough = [width for width in files if variant.width and width >= variant.width]
    return files[min(enough) if enough else max(files)]


# Made


def make(row: Row, variants: Sequence[Variant], pool: Decoders, patience: float = 0, *, anew: bool = False) -> int:
    """Make the first of these variants of an image, and return how many: one at least, if the image is still there.

    A decoder makes as many of them as there is time and room for. Raises UnreadableImage, DecodersBusy, or one of
    UNREADABLE, which a full disk is too.
    """
    leave_room()
    media = Media(pk=row["id"], file=row["file"])
    with on_disk(media) as file:
        contents = pool.render(file, settings.MAX_IMAGE_PIXELS, [wanted(each) for each in variants], patience)
    made = zip(variants, contents, strict=False)
    return sum([store(variant.name, content, anew=anew) for variant, content in made])


def wanted(variant: Variant) -> Wanted:
    focal = variant.focal and (variant.focal[0] / THOUSANDTHS, variant.focal[1] / THOUSANDTHS)
    return Wanted(variant.extension, variant.width or 0, focal or None)


def store(name: str, content: bytes, *, anew: bool = False) -> bool:
    """Put a variant into the storage, and have it removed where its media has gone meanwhile; tell whether it is there.

    It comes whole, by a change of its name, and what is on the disk by then stays whole: nobody could tell later.
    `anew` puts it in the place of the one that is there, whose claim has to be held.
    """
    if in_bucket():
        return put_variant(name, content, anew=anew)
    leave_room(len(content))
    with operation():
        record(name)
        if anew:
            default_storage.delete(name)
        if isinstance(default_storage, FileSystemStorage):
            with closing_received(content) as file:
                saved = default_storage.save(name, file)
            persist(default_storage, saved)
        else:
            saved = put(name, content)
        if saved != name:  # someone else, who needs no claim, has put one there
            record(saved)
    return bool(default_storage.exists(name))


def put_variant(name: str, content: bytes, *, anew: bool) -> bool:
    """Do the same with a bucket, where nothing is on record for it: a visitor's look writes nothing to the database.

    Who dies before the last look leaves it to the removal of its media's file, which looks for such once more, later
    than any could come (`folio.media.pending`).
    """
    if anew:
        default_storage.delete(name)
    put(name, content)
    return not any(map(remove, unreferred({name})))


def put(name: str, content: bytes) -> str:
    """Put a variant into a storage elsewhere, unless it is there: another machine may have made the same."""
    try:
        return str(default_storage._save(name, ContentFile(content)))  # type: ignore[attr-defined]  # under no other name
    except FileExistsError:
        return name


@contextmanager
def closing_received(content: bytes) -> Iterator[Any]:
    """Yield a file with this content on the disk, to be moved: locked, as uploads are that nobody has left behind."""
    with mutex():
        file = TemporaryUploadedFile("variant", "application/octet-stream", len(content), None)
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
    try:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        yield file
    finally:
        file.close()
