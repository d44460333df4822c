"""BMP: headers, a colour table, and pixels to which the first header points; a colour profile may stand behind them."""

import struct
from typing import IO

from .original import Original, UnreadableStructure

FILE_HEADER = struct.Struct("<2sIII")  # signature, size of the file, reserved, offset of the pixels
HEADER = FILE_HEADER.size  # where the picture's own begins
CORE_HEADER, INFO_HEADER, V5_HEADER = 12, 40, 124  # by their sizes in bytes
RLE8, RLE4, BITFIELDS = 1, 2, 3
EMBEDDED = int.from_bytes(b"MBED")


def clean_bmp(original: Original, target: IO[bytes], rights: bool) -> None:
    """Copy what the picture is made of, each in its place, with zeros between; nothing that stands behind it."""
    signature, _, _, offset = FILE_HEADER.unpack(original.read(0, HEADER))
    [size] = original.unpack("<I", HEADER)
    if signature != b"BM":
        raise UnreadableStructure
    if size == CORE_HEADER:
        width, height, _, bits = original.unpack("<HHHH", HEADER + 4)
        compression = length = colours = 0
    else:
        width, height, _, bits, compression, length = original.unpack("<IiHHII", HEADER + 4)
        [colours] = original.unpack("<I", HEADER + 32)
    table = HEADER + size
    pixels = offset
    if size == INFO_HEADER and compression == BITFIELDS:
        table += 12  # for three masks
    if bits <= 8:
        table += (colours or 1 << bits) * (3 if size == CORE_HEADER else 4)
        if offset == HEADER + size:  # some writers forget the colours
            pixels = table
    pixels = pixels or table
    if compression not in (RLE8, RLE4):
        length = (width * bits + 31) // 32 * 4 * abs(height)
    places = [(HEADER, min(table, pixels)), (pixels, pixels + length if length else original.size)]
    if size == V5_HEADER and original.unpack("<I", HEADER + 56) == (EMBEDDED,):
        profile, length = original.unpack("<II", HEADER + 112)
        places.append((HEADER + profile, HEADER + profile + length))
    places = [(start, min(end, original.size)) for start, end in places]
    target.write(FILE_HEADER.pack(signature, max(end for _, end in places), 0, offset))
    for start, end in places:
        target.seek(start)
        original.copy(start, end - start, target)
