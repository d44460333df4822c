"""The media that a batch of answers shows."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec
from django.conf import settings

from folio.api.rows import Rows
from folio.media import models, variants
from folio.media.documents import POSTER, Addresses, is_pictured
from folio.media.models import MediaType
from folio.media.pixels import fit

from .documents import File, Focal, Image, Source, Thumbnail

MEDIA_FIELDS = (
    "id",
    "type",
    "name",
    "alt",
    "file",
    "size",
    "mime_type",
    "width",
    "height",
    "mode",
    "dominant_color",
    "placeholder",
    "focal_x",
    "focal_y",
    "is_animated",
    "duration",
)
CENTRE = 0.5

media = Rows(lambda: models.Media.objects.order_by().values(*MEDIA_FIELDS), "pk")
thumbnails_of_media = Rows(
    lambda: models.Thumbnail.objects.order_by("size").values("media_id", "file", "size"), "media"
)


class Pictures:
    """The media with these ids, read in two queries, and each encoded once however often it is shown."""

    def __init__(self, ids: Iterable[int | None], base: str, *, only_existing: bool = False) -> None:
        """`base` is the scheme and host that URLs begin with, without a slash.

        With `only_existing` no variant is named that would have to be made first.
        """
        self.only_existing = only_existing
        self.url = Addresses(base).url
        wanted = {pk for pk in ids if pk is not None}
        self.rows: dict[int | None, dict[str, Any]] = {row["id"]: row for row in media.read(wanted)}
        self.thumbnails: dict[int, list[dict[str, Any]]] = defaultdict(list)
        pictured = [row["id"] for row in self.rows.values() if row["type"] == MediaType.IMAGE or is_pictured(row)]
        for row in thumbnails_of_media.read(pictured):
            self.thumbnails[row["media_id"]].append(row)
        self.encoded: dict[int, msgspec.Raw | None] = {}

    def image(self, pk: int | None) -> Any:
        """Return an `Image` that is encoded already; None where there is none."""
        row = self.rows.get(pk)
        if row is None or row["type"] != MediaType.IMAGE:  # its file may have been replaced this moment
            return None
        if row["id"] not in self.encoded:
            made = self.made(row)
            self.encoded[row["id"]] = None if made is None else msgspec.Raw(msgspec.json.encode(made))
        return self.encoded[row["id"]]

    def captioned(self, pk: int, caption: str | None) -> Any:
        """Return a `GalleryImage` that is encoded already; None where there is none."""
        image = self.image(pk)
        if image is None:
            return None
        return msgspec.Raw(b'%b,"caption":%b}' % (bytes(image)[:-1], msgspec.json.encode(caption)))

    def made(self, row: dict[str, Any]) -> Image | None:
        """Return an image; None where nothing of it may be shown: its original is kept back, and it has no other."""
        src = self.src(row["id"])
        if src is None:
            return None
        return Image(
            id=row["id"],
            alt=row["alt"],
            width=row["width"],
            height=row["height"],
            type=row["mime_type"],
            src=src,
            original=self.url(row["file"]) if settings.PUBLIC_ORIGINALS else msgspec.UNSET,
            sources=[Source(*source) for source in variants.sources(row, self.url, only_existing=self.only_existing)],
            thumbnails=[self.thumbnail(row, thumbnail) for thumbnail in self.thumbnails[row["id"]]],
            dominant_color=row["dominant_color"] or None,
            placeholder=row["placeholder"] or None,
            focal=Focal(
                CENTRE if row["focal_x"] is None else row["focal_x"],
                CENTRE if row["focal_y"] is None else row["focal_y"],
            ),
            is_animated=row["is_animated"],
        )

    def src(self, pk: int | None) -> str | None:
        """Return the URL of an image as it is shown where only one can be named; None where there is none."""
        row = self.rows.get(pk)
        if row is None or row["type"] != MediaType.IMAGE:
            return None
        thumbnails = self.thumbnails[row["id"]]
        return variants.src(row, self.url(thumbnails[-1]["file"]) if thumbnails else None, self.url)

    def thumbnail(self, row: dict[str, Any], thumbnail: dict[str, Any]) -> Thumbnail:
        width, height = fit((row["width"], row["height"]), thumbnail["size"])
        return Thumbnail(thumbnail["size"], self.url(thumbnail["file"]), width, height)

    def share_image(self, pk: int | None) -> str | None:
        """Return the URL of the picture that networks show beside a link; None where there is none."""
        row = self.rows.get(pk)
        return variants.share_image_url(row, self.url, only_existing=self.only_existing) if row else None

    def file(self, pk: int | None) -> File | None:
        row = self.rows.get(pk)
        if row is None:
            return None
        return File(
            id=row["id"],
            type=row["type"],
            name=row["name"],
            mime_type=row["mime_type"],
            size=row["size"],
            src=self.address(row),
            alt=row["alt"],
            width=row["width"],
            height=row["height"],
            duration=row["duration"],
            poster=self.poster(row),
        )

    def poster(self, row: dict[str, Any]) -> str | None:
        """Return the URL of the picture of a film or a PDF; None where there is none."""
        if not is_pictured(row):
            return None
        found = (each["file"] for each in self.thumbnails[row["id"]] if each["size"] == POSTER)
        return next(map(self.url, found), None)

    def address(self, row: dict[str, Any]) -> str | None:
        """Return the URL of a file; of an image whose original is kept back, that of its largest thumbnail."""
        if row["type"] != MediaType.IMAGE or settings.PUBLIC_ORIGINALS:
            return self.url(row["file"])
        thumbnails = self.thumbnails[row["id"]]
        return self.url(thumbnails[-1]["file"]) if thumbnails else None
