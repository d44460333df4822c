"""Files and their rows: stored together or not at all, under names that no other file had."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import cast

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage
from django.db import IntegrityError, connection, transaction

from folio.history.changes import Changes, new_values
from folio.outages import StorageAway

from . import pending
from .bucket import in_bucket
from .journal import claim, operation, persist, record
from .models import FormerName, Media, Thumbnail, media_path, thumbnail_path
from .naming import extension_of, with_suffix
from .opening import FORMATS
from .orders import Decoded, Depicted

logger = logging.getLogger(__name__)

AT_A_TIME = 5  # files that are put together: an image and its thumbnails
Log = Callable[[Media, Changes], None]  # records a change in the history, within its transaction


@dataclass(frozen=True)
class Laid:
    """Files that were put into a bucket, and that rows are to refer to."""

    file: str
    thumbnails: dict[int, str] = field(default_factory=dict)  # by the edge of their box

    def take_off(self) -> None:
        """Take the names off record, in the transaction that writes the rows and before these are written."""
        pending.take_off([*filter(None, [self.file]), *self.thumbnails.values()])

    def rows(self, media: Media) -> list[Thumbnail]:
        return [Thumbnail(media=media, size=box, file=name) for box, name in sorted(self.thumbnails.items())]


@dataclass(frozen=True)
class Examined:
    """An accepted upload, of which nothing is stored yet, but for files in a bucket."""

    content: File[bytes]  # what is to be stored
    media: Media  # the row without its file
    image: Decoded | Depicted | None  # what shows it
    file_name: str
    is_copy: bool
    laid: Laid | None = None

    def close(self) -> None:
        if self.is_copy:
            self.content.close()


def unlogged(media: Media, changes: Changes) -> None:
    """Leave a change out of the history."""


def store(examined: Examined, log: Log = unlogged) -> Media:
    media = examined.media
    if in_bucket():
        return store_laid(examined, log)
    with removed_on_failure(media.file.storage) as written, transaction.atomic():
        path = insert(media, media_path(media, examined.file_name), examined)
        media.file = write(media.file.storage, path, examined.content, written)
        if media.file.name != path:
            media.save(update_fields=["file"])
        Thumbnail.objects.bulk_create(thumbnail_rows(media, examined, written))
        log(media, new_values(media, ["file", "name", "alt"]))
    return media


def store_laid(examined: Examined, log: Log) -> Media:
    media = examined.media
    with operation():
        laid = laid_files(examined)
        with transaction.atomic():
            laid.take_off()
            media.file = laid.file
            media.save(force_insert=True)
            Thumbnail.objects.bulk_create(laid.rows(media))
            log(media, new_values(media, ["file", "name", "alt"]))
    return media


def with_files(examined: Examined) -> Examined:
    """Put an upload's files where they have to be before the transaction that writes its rows: those in a bucket.

    Call it in the `operation()` in which the rows are stored, at whose end they go where none were.
    """
    return replace(examined, laid=laid_files(examined)) if in_bucket() else examined


def laid_files(examined: Examined) -> Laid:
    return examined.laid or lay(examined)


def lay(examined: Examined, file_name: str = "") -> Laid:
    """Put an upload's files into the bucket, on record; raise StorageAway where that does not answer."""
    boxes = sorted(examined.image.thumbnails) if examined.image else []
    file_name = file_name or examined.file_name

    def names(is_other: bool) -> list[str]:
        media = Media(file=media_path(examined.media, with_suffix(file_name) if is_other else file_name))
        return [str(media.file), *thumbnail_paths(media, examined).values()]

    contents = [examined.content, *(thumbnail_content(examined.image, box) for box in boxes)]
    file, *thumbnails = put_all(contents, names)
    return Laid(file, dict(zip(boxes, thumbnails, strict=True)))


def put_all(contents: Sequence[File[bytes]], names: Callable[[bool], list[str]]) -> list[str]:
    """Put files into the bucket under names that nobody else has, and return these; they are on record.

    `names` is told whether those that it returned first are taken.
    """
    is_other = False
    for _attempt in range(pending.ATTEMPTS):
        claimed = pending.claim(names, is_other)
        foreign = [name for name, is_put in zip(claimed, put_together(claimed, contents), strict=True) if not is_put]
        if not foreign:
            return claimed
        pending.give_up(foreign)
        is_other = True
    raise StorageAway(f"No name like {claimed[0]} is free in the bucket.")


def put_together(names: Sequence[str], contents: Sequence[File[bytes]]) -> list[bool]:
    """Put files into the bucket, each under its name; return which of the names were not another program's.

    All at once, for each is waited for. None is on its way any more when this returns, or raises.
    """
    if len(names) == 1 or AT_A_TIME == 1:
        return list(map(put_one, names, contents))
    with ThreadPoolExecutor(AT_A_TIME, "put") as pool:
        return list(pool.map(put_one, names, contents))


def put_one(name: str, content: File[bytes]) -> bool:
    try:
        default_storage._save(name, content)  # type: ignore[attr-defined]  # under no other name
    except FileExistsError:
        return False
    return True


@contextmanager
def removed_on_failure(storage: Storage) -> Iterator[list[str]]:
    """Give a list for the names of written files; should the block fail, these files are removed."""
    written: list[str] = []
    with operation():
        try:
            yield written
        except BaseException:
            if connection.in_atomic_block:  # what is around goes on, without these rows
                for name in written:
                    try:
                        storage.delete(name)
                    except Exception:
                        logger.exception("Could not remove %s, which an upload that failed has written.", name)
            raise


def insert(media: Media, path: str, examined: Examined) -> str:
    """Insert the row under a name that is free in the storage and in the table, and was no other's; return that.

    The row goes before its file, so that of two uploads that want one name at once the later waits here for the
    other's commit; S3 would let it overwrite the other's file.
    """
    storage = media.file.storage
    while True:
        path = storage.get_available_name(path, max_length=255)
        media.file = path
        if not FormerName.objects.filter(name__in=[path, *thumbnail_paths(media, examined).values()]).exists():
            try:
                with transaction.atomic():
                    media.save(force_insert=True)
            except IntegrityError:
                if not Media.objects.filter(file=path).exists():
                    raise
            else:
                return path
        path = with_suffix(path)  # not the storage's way: where it overwrites, it has none


def write(storage: Storage, path: str, content: File[bytes], written: list[str], *, lasting: bool = True) -> str:
    """Save a file and return the name it got; `written` and the journal hold it before the first byte is on the disk.

    Call it in the block of `removed_on_failure()`. What can be made again need not be `lasting`: a power failure may
    leave it empty.
    """
    name = claim(storage, path)
    written.append(name)
    written[-1] = storage.save(name, content, max_length=255)
    if written[-1] != name:  # another program has put a file there meanwhile
        record(written[-1])
    if lasting:
        persist(storage, written[-1])
    return written[-1]


def thumbnail_extension(image: Decoded | Depicted, file_name: str) -> str:
    if isinstance(image, Depicted):
        return FORMATS["JPEG"].extensions[0]
    header = image.header
    if header.thumbnail_format == header.format:
        return extension_of(file_name)
    return header.thumbnail_format.extensions[0]


def thumbnail_paths(media: Media, examined: Examined) -> dict[int, str]:
    """Return where the thumbnails would lie, by the edge of their box."""
    if examined.image is None:
        return {}
    name = f"thumbnail.{thumbnail_extension(examined.image, examined.file_name)}"
    return {box: thumbnail_path(Thumbnail(media=media, size=box), name) for box in sorted(examined.image.thumbnails)}


def thumbnail_rows(media: Media, examined: Examined, written: list[str]) -> list[Thumbnail]:
    """Save the thumbnails' files, named after the media's, and return their rows, not yet inserted."""
    paths = thumbnail_paths(media, examined)
    return [thumbnail_row(media, box, path, examined, written) for box, path in paths.items()]


def thumbnail_row(media: Media, box: int, path: str, examined: Examined, written: list[str]) -> Thumbnail:
    """Save a thumbnail's file and return its row, not yet inserted."""
    name = write(media.file.storage, path, thumbnail_content(examined.image, box), written, lasting=False)
    return Thumbnail(media=media, size=box, file=name)


def thumbnail_content(image: Decoded | Depicted | None, box: int) -> File[bytes]:
    return ContentFile(cast(Decoded | Depicted, image).thumbnails[box])
