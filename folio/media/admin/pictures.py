"""Media as they are seen in lists and forms: by their thumbnails, never the originals."""

from collections.abc import Iterable
from typing import Any

from ..documents import MediaPool
from ..models import Media, Thumbnail


def thumbnail_url(media: Media | None, size: int) -> str | None:
    """Return where the thumbnail of that box lies; its `thumbnails` are best prefetched."""
    thumbnails = media.thumbnails.all() if media else ()
    return next((thumbnail.file.url for thumbnail in thumbnails if thumbnail.size == size), None)


def thumbnail_urls(ids: Iterable[int | None], sizes: Iterable[int]) -> dict[tuple[int | None, int], str]:
    """Return where thumbnails lie, by the id of the media and the box, in one query and without objects of models."""
    known = Thumbnail.objects.filter(media__in={pk for pk in ids if pk is not None}, size__in=sizes)
    pool = MediaPool((), "")
    return {(pk, size): pool.url(name) for pk, size, name in known.values_list("media_id", "size", "file")}


def heading(title: str, media: Media | None, sign: str) -> list[Any]:
    """Return the first column of a list as unfold shows it: a picture, or a sign instead, and a text."""
    return [title, "", sign, {"path": thumbnail_url(media, 64), "as_background": True, "width": 32, "height": 32}]
