"""Images for decoders."""

import io
from typing import Any

from PIL import Image

MEGABYTE = 1024 * 1024


def plain(format: str, size: tuple[int, int] = (4000, 3000)) -> bytes:
    options: dict[str, Any] = {"AVIF": {"speed": 10}, "WEBP": {"quality": 0, "method": 0}}.get(format, {})
    file = io.BytesIO()
    Image.new("L" if format == "GIF" else "RGB", size, 90).save(file, format, **options)
    return file.getvalue()


def encoded(format: str, **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(file, format, **options)
    return file
