"""Thumbnails made anew from their originals, while others read, upload, replace and delete."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar, cast

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import Storage
from django.db import transaction

from folio.api.stored import ADDRESSES, Names, lock_showing, tell_shown

from .bucket import facts_of, in_bucket
from .decoding import Decoders, decoders
from .depicting import to_depict
from .models import PLAYED, Media, MediaQuerySet, MediaType, Thumbnail, thumbnail_path
from .naming import with_suffix
from .opening import UnreadableImage
from .orders import Decoded, Depicted
from .playing import measured
from .storing import Laid, put_all, removed_on_failure, thumbnail_content, thumbnail_extension, write
from .thumbnails import BOXES

UNREADABLE = (OSError, ValueError, SuspiciousFileOperation)  # what storages raise for a file that they can't open
AT_A_TIME = 500  # ids or names that the database is asked for at once
INTERRUPTED = 130  # the exit status of a command that Ctrl+C has ended

T = TypeVar("T")


def ids_of(media: MediaQuerySet, first: int = 0) -> Iterator[int]:
    """Yield the ids of the media that exist now, from that one on, in order; no cursor stays open meanwhile."""
    ids = media.order_by("pk").values_list("pk", flat=True)
    last = ids.last() or 0
    while chunk := list(ids.filter(pk__gte=first, pk__lte=last)[:AT_A_TIME]):
        yield from chunk
        first = chunk[-1] + 1


def chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of that length, the last one maybe shorter."""
    while chunk := list(islice(items, size)):
        yield chunk


def image_decoders(count: int) -> Decoders:
    """Return that many decoders, with the limits that uploads have."""
    return decoders(count, settings.DECODER_MEMORY, settings.DECODER_SECONDS)


def find_media(pk: int) -> Media | None:
    """Return a media with its thumbnails, as they are now."""
    return Media.objects.filter(pk=pk).prefetch_related("thumbnails").first()


def exists(storage: Storage, name: str) -> bool:
    try:
        return storage.exists(name)
    except UNREADABLE:
        return False


def measure(media: Media) -> tuple[int, str]:
    """Return the size in bytes and the SHA-256 in hexadecimal digits of a media's file; raises one of UNREADABLE."""
    if in_bucket():
        return facts_of(cast(Any, media.file.storage), str(media.file))
    digest, size = hashlib.sha256(), 0
    with media.file.storage.open(str(media.file)) as file:
        for chunk in file.chunks():
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def complete(pk: int, pool: Decoders, *, anew: bool = False) -> bool:
    """Make what an image lacks, or with `anew` all thumbnails; return whether anything was made.

    What it may lack are thumbnails, the dominant colour, the placeholder, whether it moves, whether anything shines
    through it, and the digest. Of a PDF or a film the picture is made, where one can be. What is deleted or replaced
    meanwhile is left as it is. Raises UnreadableImage where an image can't be decoded, or one of UNREADABLE.
    """
    media = find_media(pk)
    if media is None or (media.type != MediaType.IMAGE and to_depict(media.mime_type) is None):
        return False
    found = {row.size for row in media.thumbnails.all() if exists(row.file.storage, str(row.file))}
    boxes = [box for box in BOXES if anew or box not in found]
    is_made = False
    is_known = media.type != MediaType.IMAGE or None not in (media.is_animated, media.is_transparent)
    if boxes or not media.dominant_color or not is_known:
        is_made = renew(media, boxes, pool)
    if not media.sha256:
        is_made |= fill_in(media, sha256=measure(media)[1])
    return is_made


def renew(media: Media, boxes: Iterable[int], pool: Decoders) -> bool:
    """Make these thumbnails of a media anew; return False where none can be made of what is no image.

    It is False too where the media was deleted or replaced meanwhile.

    The new rows and files come together, in one transaction; the old files go once it is committed. Raises
    UnreadableImage where the image can't be decoded, or one of UNREADABLE.
    """
    image = decode(media, pool)
    if image is None:
        return False
    boxes = set(boxes)
    is_replaced = any(row.size in boxes for row in media.thumbnails.all())
    names: Names = {"thumbnails", ADDRESSES} if is_replaced else {"thumbnails"}
    with removed_on_failure(media.file.storage) as written:
        laid = lay_thumbnails(media, sorted(boxes), image) if in_bucket() else None
        with transaction.atomic():
            return put_in_place(media, boxes, image, names, laid, written)


def put_in_place(
    media: Media,
    boxes: set[int],
    image: Decoded | Depicted,
    names: Names,
    laid: Laid | None,
    written: list[str],
) -> bool:
    """Give a media new thumbnails, in the caller's transaction; return False where it is there no more."""
    lock_showing(Media, [media.pk], names)
    current = Media.objects.select_for_update().filter(pk=media.pk, file=str(media.file)).first()
    if current is None:
        return False
    tell_shown(Media, [media.pk], names)
    # New rows, not changed ones: who deletes the media just now may have read which files are to go.
    current.thumbnails.filter(size__in=boxes).delete()
    if laid:
        laid.take_off()
        Thumbnail.objects.bulk_create(laid.rows(current))
    else:
        Thumbnail.objects.bulk_create(new_thumbnail(current, box, image, written) for box in sorted(boxes))
    fill_in(current, **told_by(image))
    return True


def decode(media: Media, pool: Decoders) -> Decoded | Depicted | None:
    """Return what shows a media, None where nothing can show one that is no image."""
    order = None if media.type == MediaType.IMAGE else to_depict(media.mime_type)
    if media.type != MediaType.IMAGE and order is None:
        return None
    with on_disk(media) as file:
        image = pool.depict(file, order) if order else pool.decode(file, settings.MAX_IMAGE_PIXELS)
    if order:
        return image
    if image is None:
        raise UnreadableImage("The file is damaged, or no image of an accepted format.")
    return image


def told_by(image: Decoded | Depicted) -> dict[str, object]:
    """Return what is known of a media only since it was decoded, by the names of its fields."""
    names = ["dominant_color", "placeholder"]
    if isinstance(image, Decoded):
        names += ["is_animated", "is_transparent"]
    if image.width:
        names += ["width", "height"]
    return {name: getattr(image, name) for name in names}


@contextmanager
def on_disk(media: Media) -> Iterator[IO[bytes]]:
    """Open a media's file, or a copy of one that lies elsewhere: decoders take what has a file descriptor."""
    with media.file.storage.open(str(media.file)) as file:
        if is_on_disk(file):
            yield file
            return
        with TemporaryFile() as copy:
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            yield copy


def is_on_disk(file: IO[bytes]) -> bool:
    """Tell whether a file has a descriptor: one of this machine, or one that object storage has sent."""
    try:
        return file.fileno() >= 0
    except (AttributeError, OSError):  # it is in memory
        return False


def new_thumbnail(media: Media, box: int, image: Decoded | Depicted, written: list[str]) -> Thumbnail:
    """Save a thumbnail's file, and return its row, not yet inserted."""
    thumbnail = Thumbnail(media=media, size=box)
    path, content = new_path(media, box, image), thumbnail_content(image, box)
    thumbnail.file = write(media.file.storage, path, content, written, lasting=False)
    return thumbnail


def new_path(media: Media, box: int, image: Decoded | Depicted) -> str:
    """Return where a thumbnail is to lie that is made anew: no other had that name before.

    Browsers keep what they got under a name, and an old file may go by its name after this one came.
    """
    thumbnail = Thumbnail(media=media, size=box)
    return with_suffix(thumbnail_path(thumbnail, f"thumbnail.{thumbnail_extension(image, str(media.file))}"))


def lay_thumbnails(media: Media, boxes: list[int], image: Decoded | Depicted) -> Laid:
    """Put thumbnails into the bucket, on record."""
    names = put_all(
        [thumbnail_content(image, box) for box in boxes],
        lambda is_other: [new_path(media, box, image) for box in boxes],
    )
    return Laid("", dict(zip(boxes, names, strict=True)))


def fill_in(media: Media, **values: object) -> bool:
    """Set these fields of a media if it still has that file; return whether anything was another."""
    if all(getattr(media, name) == value for name, value in values.items()):
        return False
    with transaction.atomic():  # those that show it are locked, and told of the change
        return bool(Media.objects.filter(pk=media.pk, file=str(media.file)).update(**values))


def measure_played(media: Media) -> bool:
    """Fill in how large a film is and how long it or a sound plays, of what isn't known; return whether anything was.

    Raises one of UNREADABLE.
    """
    if media.type not in PLAYED or (media.duration and (media.width or media.type == MediaType.AUDIO)):
        return False
    with media.file.storage.open(str(media.file)) as file:
        played = measured(cast(IO[bytes], file), media.mime_type)
    told = {"width": played.width, "height": played.height, "duration": played.duration}
    return fill_in(media, **{name: value for name, value in told.items() if value is not None})
