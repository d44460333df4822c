"""Media as cards: what grids, pickers and their scripts show of them."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from folio.api.parameters import BIGGEST

from ..models import Media, MediaType
from ..sizes import human_readable_size

ICONS = {
    MediaType.IMAGE: "image",
    MediaType.VIDEO: "movie",
    MediaType.AUDIO: "music_note",
    MediaType.DOCUMENT: "description",
    MediaType.ARCHIVE: "folder_zip",
    MediaType.OTHER: "draft",
}
SMALL, LARGE = 128, 512  # the thumbnails that rows and cards show


def with_thumbnails(media: QuerySet[Media]) -> QuerySet[Media]:
    return media.prefetch_related("thumbnails")


def read(ids: Iterable[Any]) -> dict[str, Media]:
    """Return the media with these ids, which may be anything a browser sent, by the id as text: two queries at most."""
    wanted = ids_in(ids)
    found = with_thumbnails(Media.objects.filter(pk__in=wanted)) if wanted else ()
    return {str(media.pk): media for media in found}


def ids_in(values: Iterable[Any]) -> set[str]:
    """Return those of the values that could be ids."""
    return {text for text in map(str, values) if text.isascii() and text.isdecimal() and int(text) <= BIGGEST}


def card_of(media: Media) -> dict[str, Any]:
    """Return what a card shows, ready for templates and scripts; `media.thumbnails` is best prefetched."""
    thumbnails = {thumbnail.size: thumbnail.file.url for thumbnail in media.thumbnails.all()}
    width, height = fitted(media.width or 0, media.height or 0)
    return {
        "id": media.pk,
        "name": media.name,
        "alt": media.alt,
        "type": media.type,
        "type_name": str(media.get_type_display()),
        "icon": ICONS.get(MediaType(media.type), "draft"),
        "extension": PurePosixPath(str(media.file)).suffix[1:].upper(),
        "dimensions": f"{media.width} × {media.height}" if media.width else "",
        "size": human_readable_size(media.size),
        "thumbnail": thumbnails.get(LARGE),
        "small": thumbnails.get(SMALL),
        "width": width,
        "height": height,
        "color": media.dominant_color,
        "placeholder": media.placeholder,
        "url": reverse("admin:media_media_change", args=(media.pk,)),
        "texts": reverse("admin:media_media_texts", args=(media.pk,)),
    }


def fitted(width: int, height: int) -> tuple[int, int]:
    """Return the size of the large thumbnail of an image of that size."""
    scale = min(1.0, LARGE / max(width, height, 1))
    return round(width * scale), round(height * scale)


def limits() -> dict[str, Any]:
    """Return what scripts need to know of the door to refuse a file before it is sent."""
    return {"max_size": settings.MAX_UPLOAD_SIZE, "max_size_text": human_readable_size(settings.MAX_UPLOAD_SIZE)}
