"""Private data taken out of files: where a picture was taken, with whose camera, and by whom.

Formats that can be put together anew are: what is known to belong to the picture is copied, and nothing else. In those
that point into themselves by offsets (BMP, TIFF, AVIF, MP4) everything stays in its place, and zeros take that of the
rest.
"""

from collections.abc import Callable
from typing import IO

from .bmp import clean_bmp
from .boxes import clean_items, clean_movie
from .gif import clean_gif
from .jpeg import clean_jpeg
from .original import Original, UnreadableStructure
from .png import clean_png
from .tiff import clean_tiff
from .webp import clean_webp

__all__ = ["CLEANERS", "UnreadableStructure", "write_without_private_data"]

CLEANERS: dict[str, Callable[[Original, IO[bytes]], None]] = {
    "image/jpeg": clean_jpeg,
    "image/png": clean_png,
    "image/webp": clean_webp,
    "image/gif": clean_gif,
    "image/bmp": clean_bmp,
    "image/tiff": clean_tiff,
    "image/avif": clean_items,
    "image/heif": clean_items,
    "image/heic": clean_items,
    "video/mp4": clean_movie,
    "video/quicktime": clean_movie,
    "audio/mp4": clean_movie,
}


def write_without_private_data(source: IO[bytes], target: IO[bytes], mime_type: str) -> None:
    """Copy a file of that type, leaving out GPS positions, serial numbers, names of owners, and all texts.

    The coded pixels and sounds stay bit for bit the same, and so do orientation, colour profile and animation. Both
    files must be seekable, `target` empty; no more than a few megabytes are held in memory. Other types than images
    and MP4's relatives (PDF among them) are copied as they are. Raises UnreadableStructure where the file can't be
    taken apart; what `target` then holds is to be thrown away.
    """
    original = Original(source)
    clean = CLEANERS.get(mime_type)
    if clean is None:
        original.copy(0, original.size, target)
    else:
        clean(original, target)
