import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from django.core.files.storage import default_storage
from django.utils.encoding import filepath_to_uri
from msgspec import UNSET, UnsetType

from folio.api.documents import CHOICE, URL, Document, Id, Moment, about
from folio.api.rows import Rows

from .models import Media as MediaModel
from .models import MediaType
from .models import Thumbnail as ThumbnailModel
from .posters import PAGES
from .sizes import human_readable_size
from .thumbnails import BOXES

MEDIA_FIELDS = (
    "id",
    "type",
    "name",
    "alt",
    "file",
    "size",
    "mime_type",
    "sha256",
    "width",
    "height",
    "mode",
    "dominant_color",
    "placeholder",
    "focal_x",
    "focal_y",
    "is_animated",
    "is_transparent",
    "duration",
    "created_at",
    "updated_at",
)

PLAIN = re.compile(r"[A-Za-z0-9/._~-]*")  # a file's name in which nothing has to be written otherwise in a URL
POSTER = max(BOXES)  # the thumbnail of a film or a PDF that is shown in its place
IMAGES_ALONE = ("dominant_color", "placeholder", "focal_x", "focal_y", "is_animated")

media = Rows(lambda: MediaModel.objects.order_by().values(*MEDIA_FIELDS), "pk")
thumbnails_of_media = Rows(
    lambda: ThumbnailModel.objects.order_by("size").values("id", "media_id", "file", "size"), "media"
)


class Thumbnail(Document):
    """An image made smaller, with the aspect ratio kept."""

    id: Id
    f: Annotated[URL, about("Where the file is; no key is needed. It never serves other bytes.")]
    size: Annotated[int, about("The edge in pixels of the square box that it fits in: 64, 128, 512 or 1080.")]


Name = Annotated[str, about("A label for people; the original file name unless set.")]
Size = Annotated[int, about("The file's size in bytes.")]
HumanReadableSize = Annotated[str, about("Such as `512 bytes`, `2 KB` or `71.35 KB`, by powers of 1,024.")]
FileURL = Annotated[URL, about("Where the file is; no key is needed. It never serves other bytes.")]
Pixels = Annotated[int, about("Pixels, as shown upright.")]
Known = Annotated[int | None, about("Pixels, as shown upright; null where unknown.")]
Mode = Annotated[str, about("The original's colour mode, such as `RGB`, `RGBA` or `CMYK`.")]


FOCAL_X = "Where the image matters most, from 0 at its left edge to 1 at its right; null is the centre."
FOCAL_Y = "Where the image matters most, from 0 at its top to 1 at its bottom; null is the centre."
Thumbnails = Annotated[list[Thumbnail], about("Four, the smallest first; none is larger than the original.")]


class File(Document):
    """A file of any type."""

    id: Id
    type: Annotated[
        Literal["image", "video", "audio", "document", "archive", "other"], CHOICE, about("What kind of file it is.")
    ]
    name: Name
    size: Size
    human_readable_size: HumanReadableSize
    f: FileURL


class Image(Document):
    """An image with its thumbnails. Its `alt` is told by `/api/media/`, which has the same id."""

    id: Id
    type: Annotated[Literal["image"], CHOICE, about("What kind of file it is.")]
    name: Name
    size: Size
    human_readable_size: HumanReadableSize
    f: FileURL
    width: Pixels
    height: Pixels
    mode: Mode
    thumbnails: Thumbnails


class Media(File, kw_only=True):
    """A file of any type with all that is known of it.

    `mode`, `thumbnails`, `dominant_color`, `placeholder`, `focal_x`, `focal_y` and `is_animated` stand on images only,
    `width` and `height` on images, films and PDFs, `duration` and `poster` on films and PDFs.
    """

    width: Known | UnsetType = UNSET
    height: Known | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    thumbnails: Thumbnails | UnsetType = UNSET
    dominant_color: (
        Annotated[str, about("`#rrggbb`, the colour that most of the image has; empty where unknown.")] | UnsetType
    ) = UNSET
    placeholder: (
        Annotated[str, about("A tiny image as a data URI, to show while the image loads; empty where unknown.")]
        | UnsetType
    ) = UNSET
    alt: Annotated[str, about("What an image shows, for those who can't see it; may be empty.")]
    mime_type: Annotated[str, about("By the content, such as `image/jpeg`.")]
    sha256: Annotated[str, about("Of the file, in 64 hexadecimal digits; empty where unknown.")]
    created_at: Annotated[Moment, about("When it was uploaded.")]
    updated_at: Annotated[Moment, about("When it was last changed.")]
    focal_x: Annotated[float | None, about(FOCAL_X)] | UnsetType = UNSET
    focal_y: Annotated[float | None, about(FOCAL_Y)] | UnsetType = UNSET
    is_animated: Annotated[bool | None, about("Whether the image moves; null where unknown.")] | UnsetType = UNSET
    duration: (
        Annotated[float | None, about("Seconds that a film plays; null of a PDF, or where unknown.")] | UnsetType
    ) = UNSET
    poster: (
        Annotated[URL | None, about("A picture of a film or of a PDF's first page, as JPEG; null where there is none.")]
        | UnsetType
    ) = UNSET

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, Any]:
        pool = MediaPool(ids, base)
        return {row["id"]: pool.media(row) for row in pool.rows.values()}


class Pictured(File, kw_only=True):
    """What `Media` is for films and PDFs, which have a picture: its size stands behind what every file has."""

    alt: str
    mime_type: str
    sha256: str
    created_at: Moment
    updated_at: Moment
    width: int | None
    height: int | None
    duration: float | None
    poster: str | None


def is_pictured(row: Mapping[str, Any]) -> bool:
    """Tell whether a media is a film or a PDF, Illustrator's included, by its type and its MIME type."""
    return row["type"] == MediaType.VIDEO or row["mime_type"] in PAGES


class Addresses:
    """Where the files of the storage are for clients who came by `base`, a scheme and host without a slash."""

    def __init__(self, base: str) -> None:
        self.base = base
        # A storage's own url() parses and joins two URLs for each file, which took half of the time of a document.
        folder = getattr(default_storage, "base_url", None)
        self.folder = f"{base}{folder}" if folder and folder.startswith("/") else folder

    def url(self, name: str) -> str:
        """Return a file's absolute URL; a storage elsewhere gives absolute ones itself."""
        if self.folder is not None:
            return f"{self.folder}{name if PLAIN.fullmatch(name) else filepath_to_uri(name)}"
        url: str = default_storage.url(name)
        return f"{self.base}{url}" if url.startswith("/") else url


class MediaPool:
    """The media that a batch of documents shows, read in two queries: the media and their thumbnails."""

    def __init__(self, ids: Iterable[int | None], base: str) -> None:
        self.url = Addresses(base).url
        wanted = {pk for pk in ids if pk is not None}
        self.rows: dict[int | None, dict[str, Any]] = {row["id"]: row for row in media.read(wanted)}
        self.thumbnails: dict[int, list[Thumbnail]] = defaultdict(list)
        pictured = [row["id"] for row in self.rows.values() if row["type"] == MediaType.IMAGE or is_pictured(row)]
        for row in thumbnails_of_media.read(pictured):
            thumbnail = Thumbnail(id=row["id"], f=self.url(row["file"]), size=row["size"])
            self.thumbnails[row["media_id"]].append(thumbnail)

    def file(self, pk: int | None) -> File | None:
        row = self.rows.get(pk)
        return File(**self.file_fields(row)) if row else None

    def image(self, pk: int | None) -> Image | None:
        row = self.rows.get(pk)
        is_image = row is not None and row["type"] == MediaType.IMAGE  # its file may have been replaced this moment
        return Image(**self.file_fields(row), **self.image_fields(row)) if row and is_image else None

    def media(self, row: dict[str, Any]) -> Media | Pictured:
        known = {name: row[name] for name in ("alt", "mime_type", "sha256", "created_at", "updated_at")}
        if row["type"] == MediaType.IMAGE:
            known |= self.image_fields(row) | {name: row[name] for name in IMAGES_ALONE}
        elif is_pictured(row):
            known |= {name: row[name] for name in ("width", "height", "duration")}
            return Pictured(**self.file_fields(row), **known, poster=self.poster(row))
        return Media(**self.file_fields(row), **known)

    def poster(self, row: dict[str, Any]) -> str | None:
        """Return the URL of the picture of a film or a PDF; None where there is none."""
        return next((thumbnail.f for thumbnail in self.thumbnails[row["id"]] if thumbnail.size == POSTER), None)

    def file_fields(self, row: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": row["id"],
            "type": row["type"],
            "name": row["name"],
            "size": row["size"],
            "human_readable_size": human_readable_size(row["size"]),
            "f": self.url(row["file"]),
        }

    def image_fields(self, row: dict[str, Any]) -> dict[str, Any]:
        return {
            "width": row["width"],
            "height": row["height"],
            "mode": row["mode"],
            "thumbnails": self.thumbnails[row["id"]],
        }
