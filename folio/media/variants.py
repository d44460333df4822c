"""What variants of an image there are, and how they are called: nothing is made here, and nothing is asked.

A variant is the image in one width and format, or the picture that networks show beside a link to it. It has no row.
Its name tells the media's file, the version of what makes it, and what it is, so that `photo.jpg` and `photo.png` of
one day don't collide: `…/thumbnails/photo.jpg_v2_320.avif`, `…/thumbnails/photo.jpg_v2_share_500x500.jpg`.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from threading import Lock
from typing import Any, NamedTuple

from django.conf import settings
from django.core.files.storage import default_storage

from .models import MediaType
from .thumbnails import BOXES

VERSION = 2  # of what `rendering` makes of an image: to be raised with whatever changes a byte of it
TYPES = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg", "png": "image/png"}  # by the extension
FALLBACKS = ("jpg", "png")  # one of them comes last: what every browser shows
LARGEST_EDGES = {"avif": 16383, "webp": 16383, "jpg": 65500, "png": 65500}  # pixels that encoders and browsers take
THOUSANDTHS = 1000  # of the width and the height, in which names tell a focal point
NEVER_TRANSPARENT = {"image/jpeg", "image/bmp"}
TRANSPARENT_MODES = {"LA", "La", "PA", "RGBA", "RGBa", "P"}  # of a palette nobody knows, so it is thought to be so
NOT_SHOWN = {"image/tiff"}  # by browsers
OF_ANY_WIDTH = {"image/svg+xml"}  # sharp in any, and lighter than its variants

SEEN_SECONDS = 15 * 60  # for which nobody asks again whether variants are there that all were
SEEN_KEPT = 20_000  # of those, at most

NAME = re.compile(
    r"(?P<folder>[^\0]+)/thumbnails/(?P<file>[^/\0]+\.[^/.\0]+)_v(?P<version>[1-9][0-9]{0,3})_"
    r"(?:(?P<width>[1-9][0-9]{0,4})|share_(?P<x>0|[1-9][0-9]{0,3})x(?P<y>0|[1-9][0-9]{0,3}))"
    r"\.(?P<extension>avif|webp|jpg|png)"
)

Row = Mapping[str, Any]  # of a media: what `documents.MEDIA_FIELDS` names
Focal = tuple[int, int]  # thousandths of the width from the left, and of the height from the top


class Source(NamedTuple):
    """A `<source>` of a `<picture>`."""

    type: str
    srcset: str


@dataclass(frozen=True)
class Variant:
    """A variant of a media's file: of a width, or, with a focal point, the picture beside a link."""

    file: str  # the media's, in the storage
    extension: str
    width: int | None = None  # pixels
    focal: Focal | None = None
    version: int = VERSION

    @property
    def name(self) -> str:
        """Return where it lies in the storage."""
        return f"{prefix(self.file, self.version)}{suffix(self)}"

    def of_this_version(self) -> "Variant":
        return replace(self, version=VERSION)


def folder_of(file: str) -> str:
    """Return the folder in the storage where the variants of a media's file lie, beside its thumbnails."""
    return f"{file.rpartition('/')[0]}/thumbnails"


def prefix(file: str, version: int = VERSION) -> str:
    """Return what the names of a file's variants begin with."""
    return f"{folder_of(file)}/{file.rpartition('/')[2]}_v{version}_"


def suffix(variant: Variant) -> str:
    what = variant.width if variant.focal is None else "share_{}x{}".format(*variant.focal)
    return f"{what}.{variant.extension}"


def parse(name: str) -> Variant | None:
    """Return which variant a name in the storage stands for, of any version, or None where it is no variant's."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    folder, file, version, width, x, y, extension = match.groups()
    focal = None if width else (int(x), int(y))
    if focal and (max(focal) > THOUSANDTHS or extension != "jpg"):
        return None
    return Variant(f"{folder}/{file}", extension, int(width) if width else None, focal, int(version))


def sources(row: Row, url: Callable[[str], str], *, only_existing: bool = False) -> list[Source]:
    """Return the sources of an image in the order in which `<picture>` wants them; none of other files.

    `url` makes a URL of a name in the storage, and is asked once. What visitors don't see has only those variants that
    were made when they did: `only_existing` names no others.
    """
    found = plan_of(row)
    if not found:
        return []
    if only_existing or lists_only_existing():
        there = seen.existing([Variant(row["file"], each, width) for each, widths in found for width in widths])
        found = [
            (extension, [width for width in widths if Variant(row["file"], extension, width) in there])
            for extension, widths in found
        ]
    start = url(prefix(row["file"]))
    return [
        Source(TYPES[extension], ", ".join([f"{start}{width}.{extension} {width}w" for width in widths]))
        for extension, widths in found
        if widths
    ]


def share_image_url(row: Row, url: Callable[[str], str], *, only_existing: bool = False) -> str | None:
    """Return the URL of the picture of 1200 × 630 for networks; None of what is no image, and where none is made."""
    variant = share_image(row)
    if variant is None or ((only_existing or lists_only_existing()) and not seen.existing([variant])):
        return None
    return url(variant.name)


def src(row: Row, largest_thumbnail: str | None, url: Callable[[str], str]) -> str | None:
    """Return the URL of what is shown without `sources`: that of the largest thumbnail, or of a smaller original.

    An original has to be of a format that browsers show, and public; a drawing's is better than any thumbnail. None
    where an image has neither.
    """
    is_better = row["mime_type"] in OF_ANY_WIDTH or max(row["width"] or 0, row["height"] or 0) < max(BOXES)
    if settings.PUBLIC_ORIGINALS and row["mime_type"] not in NOT_SHOWN and (is_better or largest_thumbnail is None):
        return url(row["file"])
    return largest_thumbnail


def variants_of(row: Row) -> Iterator[Variant]:
    """Yield all variants that an image has at present, those of `sources` first."""
    for extension, widths in plan_of(row):
        for width in widths:
            yield Variant(row["file"], extension, width)
    shared = share_image(row)
    if shared:
        yield shared


def share_image(row: Row) -> Variant | None:
    if row["type"] != MediaType.IMAGE or not settings.IMAGE_WIDTHS:
        return None
    return Variant(row["file"], "jpg", focal=focal_of(row))


def focal_of(row: Row) -> Focal:
    """Return the focal point as names tell it; the centre where none is set."""
    x, y = row.get("focal_x"), row.get("focal_y")
    return (
        THOUSANDTHS // 2 if x is None else round(x * THOUSANDTHS),
        THOUSANDTHS // 2 if y is None else round(y * THOUSANDTHS),
    )


def plan_of(row: Row) -> list[tuple[str, list[int]]]:
    """Return the extensions of an image's variants, each with its widths; empty for other files."""
    if row["type"] != MediaType.IMAGE or not settings.IMAGE_WIDTHS or not row["width"] or not row["height"]:
        return []
    if row["mime_type"] in OF_ANY_WIDTH:
        return []
    fallback = "png" if is_transparent(row) else "jpg"
    formats = tuple(settings.IMAGE_FORMATS)
    return plan(tuple(settings.IMAGE_WIDTHS), formats, fallback, is_animated(row), row["width"], row["height"])


@lru_cache(4096)
def plan(
    set_widths: tuple[int, ...], formats: tuple[str, ...], fallback: str, is_animated: bool, width: int, height: int
) -> list[tuple[str, list[int]]]:
    largest = max(set_widths)
    widths = sorted({each for each in set_widths if each < width} | ({width} if width <= largest else set()))
    extensions = [*(each for each in formats if not (is_animated and each == "avif")), fallback]
    found = []
    for extension in extensions:
        fitting = [each for each in widths if max(each, height_of(each, width, height)) <= LARGEST_EDGES[extension]]
        if fitting:
            found.append((extension, fitting))
    return found


def height_of(variant_width: int, width: int, height: int) -> int:
    """Return the height that a variant of a width has, in pixels."""
    return max(1, round(height * variant_width / width))


def is_animated(row: Row) -> bool:
    return bool(row.get("is_animated"))


def is_transparent(row: Row) -> bool:
    """Tell whether anything shines through an image, by its mode where its pixels were not looked at yet."""
    known = row.get("is_transparent")
    if known is not None:
        return bool(known)
    return row["mime_type"] not in NEVER_TRANSPARENT and row["mode"] in TRANSPARENT_MODES


def lists_only_existing() -> bool:
    """Tell whether variants can't be made when they are asked for, since Folio does not see who asks."""
    return bool(settings.FILES_URL)


def exists(variant: Variant) -> bool:
    return bool(default_storage.exists(variant.name))


def existing(variants: Sequence[Variant]) -> set[Variant]:
    """Return those that there are: of a bucket by a list of what lies beside a file, not by a question for each."""
    if not hasattr(default_storage, "names_from"):
        return {each for each in variants if exists(each)}
    starts = {prefix(each.file, each.version) for each in variants}
    names = {name for start in starts for name in default_storage.names_from(start)}
    return {each for each in variants if each.name in names}


class Seen:
    """Sets of variants that were all there a while ago, lest each answer that names them asks a bucket again.

    A name never stands for another file, and a variant goes with its media; what is not there is asked for each time.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.until: dict[bytes, float] = {}

    def existing(self, variants: Sequence[Variant]) -> set[Variant]:
        place = (getattr(default_storage, "place", ""), getattr(default_storage, "location", ""))
        key = blake2b("\0".join([*place, *(each.name for each in variants)]).encode(), digest_size=16).digest()
        now = time.monotonic()
        with self.lock:
            if self.until.get(key, 0) > now:
                return set(variants)
        found = existing(variants)
        if len(found) == len(variants) and hasattr(default_storage, "names_from"):
            with self.lock:
                while len(self.until) >= SEEN_KEPT:
                    del self.until[next(iter(self.until))]
                self.until[key] = now + SEEN_SECONDS
        return found


seen = Seen()
