"""Images that visitors see, and their variants as visitors ask for them."""

from io import BytesIO
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.test import Client as Site
from PIL import Image

from folio.media.documents import MEDIA_FIELDS
from folio.media.models import Media
from folio.media.uploads import store_upload
from folio.media.variants import Variant
from tests.factories import draw, make_portfolio


def upload_image(size: tuple[int, int] = (1500, 1000), name: str = "photo.jpg", format: str = "JPEG") -> Media:
    return store_upload(ContentFile(draw(size, format), name=name))


def publish(media: Media) -> None:
    make_portfolio(image=media)


def public_image(size: tuple[int, int] = (1500, 1000), name: str = "photo.jpg", format: str = "JPEG") -> Media:
    """Store an image that a published portfolio shows."""
    media = upload_image(size, name, format)
    publish(media)
    return media


def animation(format: str = "GIF", frames: int = 3, size: tuple[int, int] = (60, 40), **options: Any) -> bytes:
    """Draw frames of different grays, each for a tenth of a second, without end."""
    images = [Image.new("RGB", size, (60 * number,) * 3) for number in range(frames)]
    file = BytesIO()
    images[0].save(file, format, save_all=True, append_images=images[1:], **{"duration": 100, "loop": 0, **options})
    return file.getvalue()


def row_of(media: Media) -> dict[str, Any]:
    """Return what documents read of a media."""
    return Media.objects.values(*MEDIA_FIELDS).get(pk=media.pk)


def name_of(media: Media, extension: str, width: int) -> str:
    return Variant(str(media.file), extension, width).name


def get(site: Site, name: str, method: str = "get", **headers: str) -> Any:
    """Ask for a file; what the answer had in its body is its `body`."""
    response = getattr(site, method)(f"/media/{name}", headers=headers)
    response.body = b"".join(response.streaming_content) if response.streaming else response.content
    response.close()
    return response


def variants_in(root: Path) -> list[str]:
    """Return the names of the variants' files that there are."""
    return sorted(path.name for path in root.rglob("*") if "_v2_" in path.name)
