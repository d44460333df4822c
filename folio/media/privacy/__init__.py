"""Private data taken out of files: where a picture was taken, with whose camera, and who is on it.

Who made it and who may use it how is no secret but a right: that stays, unless the installation keeps nothing.

Formats that can be put together anew are: what is known to belong to the picture is copied, and nothing else. In those
that point into themselves by offsets (BMP, TIFF, AVIF, MP4) everything stays in its place, and zeros take that of the
rest.
"""

from collections.abc import Callable
from typing import IO, Literal

from .bmp import clean_bmp
from .boxes import clean_items
from .fragments import clean_film
from .gif import clean_gif
from .jpeg import clean_jpeg
from .original import Original, UnreadableStructure
from .png import clean_png
from .tiff import clean_tiff
from .webp import clean_webp

__all__ = ["CLEANERS", "Keep", "UnreadableStructure", "write_without_private_data"]

Keep = Literal["none", "rights", "all"]  # of what is beside the picture

CLEANERS: dict[str, Callable[[Original, IO[bytes], bool], None]] = {
    "image/jpeg": clean_jpeg,
    "image/png": clean_png,
    "image/webp": clean_webp,
    "image/gif": clean_gif,
    "image/bmp": clean_bmp,
    "image/tiff": clean_tiff,
    "image/avif": clean_items,
    "image/heif": clean_items,
    "image/heic": clean_items,
    "video/mp4": clean_film,
    "video/quicktime": clean_film,
    "audio/mp4": clean_film,
}


def write_without_private_data(source: IO[bytes], target: IO[bytes], mime_type: str, keep: Keep) -> None:
    """Copy a file of that type, leaving out GPS positions, serial numbers, names of owners, faces and all texts.

    With `rights` the texts stay that say who made it, whose it is, and how it may be used; with `all` everything. The
    coded pixels and sounds stay bit for bit the same, and so do orientation, colour profile, animation, and the gain
    map of a JPEG. Both files must be seekable, `target` empty; no more than a few megabytes are held in memory. Other
    types than images and MP4's relatives (PDF among them) are copied as they are. Raises UnreadableStructure where
    the file can't be taken apart; what `target` then holds is to be thrown away.
    """
    original = Original(source)
    clean = CLEANERS.get(mime_type)
    if clean is None or keep == "all":
        original.copy(0, original.size, target)
    else:
        clean(original, target, keep == "rights")
