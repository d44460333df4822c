"""Pictures with nothing beside their pixels but a colour profile, as thumbnails are."""

import struct
from io import BytesIO
from typing import IO

from . import write_without_private_data
from .jpeg import write_picture
from .original import Original
from .png import PNG_SIGNATURE
from .webp import WEBP_EXIF, WEBP_XMP, webp_chunks

TEXTS = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"}  # of PNG


def bare(source: IO[bytes], mime_type: str) -> bytes:
    """Return a picture without private data, and without what else it tells of itself, still coded as it is.

    Raises UnreadableStructure where it can't be taken apart.
    """
    copy = BytesIO()
    if mime_type == "image/jpeg":
        write_picture(Original(source), 0, copy, [])
        return copy.getvalue()
    write_without_private_data(source, copy, mime_type, "none")
    strip = {"image/png": bare_png, "image/webp": bare_webp}.get(mime_type)
    return strip(Original(copy)) if strip else copy.getvalue()


def bare_png(original: Original) -> bytes:
    parts, place = [PNG_SIGNATURE], len(PNG_SIGNATURE)
    while place + 12 <= original.size:
        size, kind = struct.unpack(">I4s", original.read(place, 8))
        if kind not in TEXTS:
            parts.append(original.read(place, 12 + size))
        place += 12 + size
    return b"".join(parts)


def bare_webp(original: Original) -> bytes:
    parts = [b"WEBP"]
    for kind, body, size in webp_chunks(original, 12, original.size):
        data = original.read(body, size)
        if kind == b"VP8X":
            data = bytes([data[0] & ~(WEBP_EXIF | WEBP_XMP)]) + data[1:]
        if kind not in (b"EXIF", b"XMP "):
            parts.append(struct.pack("<4sI", kind, size) + data + bytes(size % 2))
    content = b"".join(parts)
    return struct.pack("<4sI", b"RIFF", len(content)) + content
