"""Media as they are seen in lists and forms: by their thumbnails, never the originals."""

import io
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from ..documents import MediaPool
from ..models import Media, Thumbnail

HEAVY = {".bmp", ".tif", ".tiff"}  # originals whose thumbnails are BMP or PNG, which take hundreds of kilobytes
QUALITY = 82
KEPT = "private, max-age=31536000, immutable"  # a thumbnail that is made anew has another name, and so another URL


def shown_url(url: str, pk: int, original: str) -> str:
    """Return where a page gets a thumbnail from: of an original that makes heavy ones, as WebP made for the page.

    `url` is the thumbnail's own, `pk` its id, `original` the name or URL of what it was made of.
    """
    if PurePosixPath(original).suffix.lower() not in HEAVY:
        return url
    return f"{reverse('admin:media_media_picture', args=(pk,))}?{PurePosixPath(url).stem}"


@require_safe
def picture_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer with a thumbnail as WebP, for the admin site's own pages, to those who know its name."""
    from PIL import Image  # not at the top: most servers never show such a picture

    thumbnail = Thumbnail.objects.filter(pk=pk).first()
    if thumbnail is None or unquote(request.META.get("QUERY_STRING", "")) != PurePosixPath(str(thumbnail.file)).stem:
        raise Http404
    content = io.BytesIO()
    try:
        with thumbnail.file.open() as file, Image.open(file) as image:
            is_plain = image.mode in {"RGB", "RGBA"}
            (image if is_plain else image.convert("RGBA")).save(content, "WEBP", quality=QUALITY, method=4)
    except FileNotFoundError:
        raise Http404 from None
    headers = {"Cache-Control": KEPT, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content.getvalue(), content_type="image/webp", headers=headers)


def thumbnail_url(media: Media | None, size: int) -> str | None:
    """Return where the thumbnail of that box lies; its `thumbnails` are best prefetched."""
    thumbnails = media.thumbnails.all() if media else ()
    found = next((thumbnail for thumbnail in thumbnails if thumbnail.size == size), None)
    return shown_url(found.file.url, found.pk, str(media.file)) if media and found else None


def thumbnail_urls(ids: Iterable[int | None], sizes: Iterable[int]) -> dict[tuple[int | None, int], str]:
    """Return where thumbnails lie, by the id of the media and the box, in one query and without objects of models."""
    known = Thumbnail.objects.filter(media__in={pk for pk in ids if pk is not None}, size__in=sizes)
    pool = MediaPool((), "")
    columns = known.values_list("media_id", "size", "file", "pk", "media__file")
    return {(media, size): shown_url(pool.url(name), pk, original) for media, size, name, pk, original in columns}


def heading(title: str, media: Media | None, sign: str) -> list[Any]:
    """Return the first column of a list as unfold shows it: a picture, or a sign instead, and a text."""
    return [title, "", sign, {"path": thumbnail_url(media, 64), "as_background": True, "width": 32, "height": 32}]
