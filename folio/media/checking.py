"""Rows and files compared: what is missing, what is left over, what is not what it should be."""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from io import BytesIO
from typing import Any, cast

from django.core.files.storage import Storage, default_storage
from django.utils import timezone
from PIL import Image

from folio.outages import StorageAway

from .bucket import Found, listed
from .decoding import Decoders, DecodersBusy
from .depicting import is_depicted
from .holding import is_held
from .models import FOLDER, FormerName, Media, MediaType, PendingFile, RemovedFile, Thumbnail
from .opening import FORMATS, UnreadableImage, open_image
from .pixels import Size, fit
from .removals import NotRemoved, kept_files, remove_due
from .rendering import SHARE_SIZE
from .renewing import UNREADABLE, decode, exists, fill_in, find_media, image_decoders, measure, measure_played, renew
from .sizes import human_readable_size
from .standing_in import difference, open_placeholder
from .thumbnails import BOXES
from .variants import TYPES, Variant, height_of, parse

THUMBNAIL_PATH = re.compile(r".+/thumbnails/[^/]+_thumbnail_\d+x\d+[^/]*")
UNLIKE = 32  # of 255; what two releases of an encoder make of one picture differs by less
MIN_AGE = timedelta(hours=1)  # a younger file without a row may belong to an upload that goes on


class Kind(StrEnum):
    """What is wrong, and what can be done about it."""

    NO_FILE = "Media whose file is missing or can't be read: restore it from a backup, or delete the media"
    CHANGED = "Media whose file is not what was stored: restore it from a backup, or replace it"
    WRONG_SIZE = "Media with a wrong size in the database: --repair corrects it"
    THUMBNAIL = "Thumbnails that are missing or wrong: --repair makes them anew"
    THUMBNAIL_LEFT = "Thumbnails' files without a row: --repair deletes them"
    NOT_REMOVED = "Files that should have been removed by now: --repair removes them"
    VARIANT = "Variants that are damaged: --repair deletes them; they are made again when they are asked for"
    VARIANT_LEFT = "Variants of files that are gone: --repair deletes them"
    FILE_LEFT = "Files without a row: --delete-orphans deletes them"


@dataclass
class Fault:
    """Something that is wrong with a row or a file."""

    kind: Kind
    path: str  # in the storage; "" where there is none
    reason: str
    media: int | None = None  # its id, where there is a row
    box: int | None = None  # of a thumbnail: the edge, in pixels, of the box that it should fit in
    repaired: bool = False

    def __str__(self) -> str:
        media = f"media {self.media}" if self.media else ""
        box = f"{self.box}x{self.box}" if self.box else ""
        path = self.path.encode(errors="backslashreplace").decode()  # a stray file's name need not be text
        where = ", ".join(filter(None, (media, box, path)))
        return f"{where}: {self.reason}{' - repaired' if self.repaired else ''}"


# Rows


def check_media(pk: int, decoders: Decoders | None = None) -> list[Fault]:
    """Return what is wrong with a media and its thumbnails.

    Given decoders, it repairs what can be repaired, and says so of each fault; a digest that is not known yet is
    filled in too. A media that is changed meanwhile is looked at again; of one that is deleted, nothing is wrong.
    """
    media = find_media(pk)
    while media is not None:
        facts = facts_of(media)
        faults = list(compare(media, facts))
        again = find_media(pk) if faults else media
        if state_of(again) == state_of(media):
            break
        media = again
    else:
        return []
    if decoders and facts:
        repair(media, facts, faults, decoders)
    return faults


def facts_of(media: Media) -> tuple[int, str] | None:
    """Return the size and the digest of a media's file, None where it can't be read."""
    try:
        return measure(media)
    except UNREADABLE:
        return None


def state_of(media: Media | None) -> object:
    """Return all that a media's faults are judged by."""
    if media is None:
        return None
    thumbnails = [(thumbnail.size, thumbnail.file.name) for thumbnail in media.thumbnails.all()]
    return media.file.name, media.type, media.size, media.width, media.height, media.sha256, thumbnails


def compare(media: Media, facts: tuple[int, str] | None) -> Iterator[Fault]:
    path = str(media.file)
    if facts is None:
        yield Fault(
            Kind.NO_FILE, path, "can't be read" if exists(media.file.storage, path) else "is not there", media.pk
        )
    elif media.sha256 and media.sha256 != facts[1]:
        yield Fault(Kind.CHANGED, path, "has another content, by its SHA-256", media.pk)
    elif media.size != facts[0]:
        # Without a digest there's no telling whether the row or the file is wrong.
        kind = Kind.WRONG_SIZE if media.sha256 else Kind.CHANGED
        yield Fault(kind, path, f"has {facts[0]:,} bytes, in the database {media.size:,}", media.pk)
    if media.type == MediaType.IMAGE or is_depicted(media):
        thumbnails = {thumbnail.size: thumbnail for thumbnail in media.thumbnails.all()}
        rendered = cache(lambda: render(media))
        for box in BOXES:
            thumbnail = thumbnails.get(box)
            reason = thumbnail_fault(media, thumbnail, rendered) if thumbnail else "does not exist"
            if reason:
                yield Fault(Kind.THUMBNAIL, str(thumbnail.file) if thumbnail else "", reason, media.pk, box)


def thumbnail_fault(media: Media, thumbnail: Thumbnail, rendered: Callable[[], dict[int, bytes]]) -> str | None:
    """Return what is wrong with a thumbnail, None where it is right.

    Of the smallest and thinnest pictures the placeholder tells little. Only where it is unlike the thumbnail is that
    compared with what is `rendered()` of the original, which takes longer.
    """
    try:
        with (
            thumbnail.file.storage.open(str(thumbnail.file)) as file,
            open_image(file) as image,
        ):
            expected = expected_size(media, thumbnail, image.size)
            if image.size != expected:
                return f"is {image.width} × {image.height} pixels, not {expected[0]} × {expected[1]}"
            image.load()
            is_doubtful = bool(media.placeholder) and is_unlike(image, open_placeholder(media.placeholder))
            if (
                is_doubtful
                and (right := rendered().get(thumbnail.size))
                and is_unlike(image, open_image(BytesIO(right)))
            ):
                return "shows another picture"
    except FileNotFoundError:
        return "is not there"
    except StorageAway:
        raise
    except Exception:  # Pillow raises whatever a damaged file makes it trip over
        return "can't be read"
    return None


def expected_size(media: Media, thumbnail: Thumbnail, size: Size) -> Size:
    """Return the size in pixels that a thumbnail should have which has that size."""
    if media.type == MediaType.IMAGE:
        return fit((media.width or 1, media.height or 1), thumbnail.size)
    return fit(size, thumbnail.size)  # a page is drawn as large as the box is, a frame may be smaller than the film


def is_unlike(thumbnail: Image.Image, other: Image.Image) -> bool:
    return difference(thumbnail, other) > UNLIKE


def render(media: Media) -> dict[int, bytes]:
    """Return an image's thumbnails as they should be, by the edge of their box; none where it can't be decoded."""
    try:
        image = decode(media, image_decoders(1))
        return image.thumbnails if image else {}
    except (UnreadableImage, DecodersBusy, *UNREADABLE):
        return {}


def repair(media: Media, facts: tuple[int, str], faults: list[Fault], decoders: Decoders) -> None:
    """Repair what can be repaired of a media whose file can be read, and mark the faults that are gone."""
    size, digest = facts
    if any(fault.kind == Kind.CHANGED for fault in faults):
        return  # no thumbnails of a wrong picture, and no digest of a damaged file
    fill_in(media, size=size, sha256=digest)
    with suppress(*UNREADABLE):  # it could be read a moment ago
        measure_played(media)
    boxes = [fault.box for fault in faults if fault.box]
    problem = None
    if boxes:
        try:
            if not renew(media, boxes, decoders) and is_depicted(media):
                problem = "no picture can be made of it"
        except (UnreadableImage, *UNREADABLE) as error:
            problem = str(error)
    for fault in faults:
        if fault.box and problem:
            fault.reason += f"; can't be made anew: {problem}"
        else:
            fault.repaired = True


# Files


@dataclass(frozen=True)
class StoredFile:
    """A file in a storage, with what a list has told of it, where there was one."""

    storage: Storage
    name: str
    told: Found | None = None

    @property
    def size(self) -> int:
        return self.told.size if self.told else int(self.storage.size(self.name))

    def is_older(self, age: timedelta) -> bool:
        try:
            modified_at = self.told.modified_at if self.told else self.storage.get_modified_time(self.name)
        except FileNotFoundError:
            return False
        return modified_at <= timezone.now() - age


def stored_files(storage: Storage, folder: str = FOLDER) -> Iterator[StoredFile]:
    """Yield all files in a folder of a storage and in the folders below: a bucket's by its lists, page by page."""
    if hasattr(storage, "pages"):  # a bucket, whose library need not be installed
        yield from (StoredFile(storage, found.name, found) for found in listed(cast(Any, storage), folder))
    else:
        yield from (StoredFile(storage, name) for name in names_below(storage, folder))


def names_below(storage: Storage, folder: str) -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(filter(None, files)):  # S3 has an empty name for the folder itself
        yield posixpath.join(folder, name)
    for name in sorted(filter(None, folders)):
        yield from names_below(storage, posixpath.join(folder, name))


def check_files(
    files: Iterable[StoredFile],
    storage: Storage = default_storage,
    *,
    min_age: timedelta = MIN_AGE,
    delete_thumbnails: bool = False,
    delete_originals: bool = False,
) -> list[Fault]:
    """Return which of these files no row knows, and which variants are damaged; delete what may be deleted of them.

    Files younger than `min_age` are left alone. Take them from the storage before: a row comes with its file.
    `delete_thumbnails` is about variants too.
    """
    by_name = {file.name: file for file in files}
    known = known_names(list(by_name))
    faults = check_variants(known, storage, delete=delete_thumbnails)
    candidates = [name for name, file in by_name.items() if name not in known and file.is_older(min_age)]
    known = known_names(candidates)
    for name in candidates:
        # A deleted media's file goes a moment after its row.
        if name in known or not storage.exists(name):
            continue
        kind = kind_of_left(name)
        fault = Fault(kind, name, human_readable_size(by_name[name].size))
        if delete_originals if kind == Kind.FILE_LEFT else delete_thumbnails:
            if kind != Kind.VARIANT_LEFT and is_text(name):
                FormerName.objects.remember([name])
            storage.delete(name)
            fault.repaired = True
        faults.append(fault)
    return faults


def kind_of_left(name: str) -> Kind:
    if parse(name):
        return Kind.VARIANT_LEFT
    return Kind.THUMBNAIL_LEFT if THUMBNAIL_PATH.fullmatch(name) else Kind.FILE_LEFT


def check_variants(names: Iterable[str], storage: Storage, *, delete: bool) -> list[Fault]:
    """Return which of these files, whose media are there, are variants that a browser can't show as they should be."""
    variants = {name: variant for name in sorted(names) if (variant := parse(name)) is not None}
    files = {variant.file for variant in variants.values()}
    sizes = {file: size for file, *size in Media.objects.filter(file__in=files).values_list("file", "width", "height")}
    faults = []
    for name, variant in variants.items():
        reason = variant_fault(storage, variant, sizes.get(variant.file))
        if reason:
            faults.append(Fault(Kind.VARIANT, name, reason, repaired=delete))
            if delete:
                storage.delete(name)
    return faults


def variant_fault(storage: Storage, variant: Variant, size: Sequence[int] | None) -> str | None:
    """Return what is wrong with a variant of an image of that width and height, if they are known; None if nothing."""
    expected = SHARE_SIZE
    if variant.width:
        expected = (variant.width, height_of(variant.width, *size)) if size else (variant.width, 0)
    try:
        with storage.open(variant.name) as file, Image.open(file, formats=tuple(FORMATS)) as image:
            if image.get_format_mimetype() != TYPES[variant.extension]:
                return f"is {image.format}"
            if image.size != expected and (size or not variant.width):
                return f"is {image.width} × {image.height} pixels, not {expected[0]} × {expected[1]}"
            image.load()
    except FileNotFoundError:  # deleted just now
        return None
    except StorageAway:
        raise
    except Exception:  # Pillow raises whatever a damaged file makes it trip over
        return "can't be read"
    return None


def check_removed(*, repair: bool = False) -> tuple[list[Fault], int, int]:
    """Return which files are still there though their time to go is past by more than an hour, and remove them.

    Also returns how many files wait for that time, and how many bytes these take. While a backup is made, all do.
    """
    late = timezone.now() - MIN_AGE
    waits = is_held()
    faults, count, total = [], 0, 0
    for row, size in kept_files():
        if waits or row.remove_at > late:
            count, total = count + 1, total + size
            continue
        due = f"{row.remove_at:%Y-%m-%d %H:%M} UTC"
        faults.append(Fault(Kind.NOT_REMOVED, row.name, f"{human_readable_size(size)}, was to go at {due}"))
    if repair and faults:
        with suppress(NotRemoved):  # the log says why
            remove_due({})
        left = set(RemovedFile.objects.filter(remove_at__lte=late).values_list("name", flat=True))
        for fault in faults:
            fault.repaired = fault.path not in left
    return faults, count, total


def known_names(names: list[str]) -> set[str]:
    """Return those of the names that a row has, be it to say until when the file is kept; of variants, their files."""
    owners = {name: variant.file if (variant := parse(name)) else name for name in names if is_text(name)}
    texts = set(owners.values())
    found: set[str] = set()
    for model in (Media, Thumbnail):
        found.update(model._default_manager.filter(file__in=texts).values_list("file", flat=True))
    # What is on record is of an upload that goes on, or of a dead one, which the next `recover()` sees to.
    for noted in (RemovedFile, PendingFile):
        found.update(noted._default_manager.filter(name__in=texts).values_list("name", flat=True))
    return {name for name, owner in owners.items() if owner in found}


def is_text(name: str) -> bool:
    """Tell whether a name can be a row's: bytes that are no UTF-8 can't."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
