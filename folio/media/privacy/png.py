"""PNG: chunks."""

import struct
import zlib
from typing import IO

from .exif import EXIF_PREFIX, Exif
from .original import Original, UnreadableStructure

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"pHYs", b"bKGD", b"hIST", b"sBIT"),
    *(b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"cICP", b"mDCV", b"mDCv", b"cLLI", b"cLLi", b"oFFs"),
}


def clean_png(original: Original, target: IO[bytes]) -> None:
    """Copy the known chunks up to the last; EXIF data go before the pixels, where browsers look for them."""
    if original.read(0, 8) != PNG_SIGNATURE:
        raise UnreadableStructure
    target.write(PNG_SIGNATURE)
    place, exif, is_written = 8, Exif(), False
    while place + 12 <= original.size:
        size, kind = struct.unpack(">I4s", original.read(place, 8))
        if place + 12 + size > original.size:
            raise UnreadableStructure
        if kind == b"eXIf" and not exif.main and not exif.photograph:
            exif = Exif.read(original, place + 8, place + 8 + size)
            if original.read(place + 8, min(size, len(EXIF_PREFIX))) == EXIF_PREFIX:  # where browsers look no further
                exif = exif.without_orientation()
        if kind in (b"IDAT", b"IEND") and not is_written and (block := exif.write()):
            checksum = zlib.crc32(b"eXIf" + block)
            target.write(struct.pack(">I4s", len(block), b"eXIf") + block + struct.pack(">I", checksum))
            is_written = True
        if kind in PNG_CHUNKS:
            original.copy(place, 12 + size, target)
        place += 12 + size
        if kind == b"IEND":
            break
