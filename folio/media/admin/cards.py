"""Media as cards: what grids, pickers and their scripts show of them."""

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.urls import reverse

from ..documents import MediaPool
from ..models import Media, MediaType, Thumbnail
from ..pixels import fit
from ..sizes import human_readable_size
from .pictures import shown_url
from .posted import rows_of

ICONS = {
    MediaType.IMAGE: "image",
    MediaType.VIDEO: "movie",
    MediaType.AUDIO: "music_note",
    MediaType.DOCUMENT: "description",
    MediaType.ARCHIVE: "folder_zip",
    MediaType.OTHER: "draft",
}
LTR, END = "\u2066", "\u2069"  # between them, Unicode reads from left to right, whatever is around
SMALL, LARGE = 128, 512  # the thumbnails that rows and cards show


def with_thumbnails(media: QuerySet[Media]) -> QuerySet[Media]:
    """Read with each media the thumbnails that cards show, and no others."""
    shown = Thumbnail.objects.filter(size__in=(SMALL, LARGE))
    return media.prefetch_related(Prefetch("thumbnails", shown))


def read(ids: Iterable[Any]) -> dict[str, Media]:
    """Return the media with these ids by the id as text, with the thumbnails that cards show: two queries at most."""
    return rows_of(with_thumbnails(Media.objects.all()), ids)


def card_of(media: Media) -> dict[str, Any]:
    return cards_of([media])[0]


def cards_of(media: Iterable[Media]) -> list[dict[str, Any]]:
    """Return what cards show, ready for templates and scripts; `with_thumbnails()` has best read the media."""
    pages = reverse("admin:media_media_changelist")
    url = MediaPool((), "").url  # the storage's own takes half of the time of a grid
    return [card(each, pages, url) for each in media]


def card(media: Media, pages: str, url: Callable[[str], str]) -> dict[str, Any]:
    thumbnails = {
        thumbnail.size: shown_url(url(thumbnail.file.name or ""), thumbnail.pk, str(media.file))
        for thumbnail in media.thumbnails.all()
    }
    large, small = (thumbnails.get(size) for size in (LARGE, SMALL))
    width, height = fit((media.width or 1, media.height or 1), LARGE)
    type_name, size = str(media.get_type_display()), human_readable_size(media.size)
    dimensions = f"{media.width} × {media.height}" if media.width else ""
    duration = clock(media.duration) if media.duration else ""
    return {
        "id": media.pk,
        "name": media.name,
        "alt": media.alt,
        "type": media.type,
        "type_name": type_name,
        "icon": ICONS.get(MediaType(media.type), "draft"),
        "extension": PurePosixPath(str(media.file)).suffix[1:].upper(),
        "dimensions": dimensions,
        "size": size,
        "facts": " · ".join([type_name, *(f"{LTR}{fact}{END}" for fact in (dimensions, duration, size) if fact)]),
        "thumbnail": large,
        "small": small,
        "width": width,
        "height": height,
        "color": media.dominant_color,
        "placeholder": media.placeholder,
        "url": f"{pages}{media.pk}/change/",
        "texts": f"{pages}{media.pk}/texts/",
        "panel": f"{pages}{media.pk}/panel/" if media.type == MediaType.IMAGE else "",
    }


def clock(seconds: float) -> str:
    """Return how long something plays as players show it: `0:07`, `12:34`, `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def limits() -> dict[str, Any]:
    """Return what scripts need to know of the door to refuse a file before it is sent."""
    return {"max_size": settings.MAX_UPLOAD_SIZE, "max_size_text": human_readable_size(settings.MAX_UPLOAD_SIZE)}
