"""Gain maps: small pictures behind a JPEG that tell screens of high dynamic range how much brighter to show it where.

The first picture lists those behind it in CIPA's Multi-Picture Format (MPF), and Google's kind in XMP as well.
"""

import struct

from . import xmp
from .directories import UNDEFINED, Tiff
from .original import Original, UnreadableStructure

NAME = b"MPF\0"
VERSION_TAG, COUNT_TAG, PICTURES_TAG = 0xB000, 0xB001, 0xB002
PICTURE = "IIIHH"  # attributes, size, offset from the list's own header, and two that it depends on
PICTURE_SIZE = 16
MOST_PICTURES = 32  # that are looked at; phones have a handful
PRIMARY = 0x030000  # the attribute of the picture that is shown
ISO_VERSION_SIZE = 4  # bytes of ISO 21496-1 that only say that there is a gain map


def list_of(size: int, start: int, map_size: int) -> bytes:
    """Return the list of a picture of that size and the map `start` bytes behind the list's header."""
    pictures = struct.pack(f">{PICTURE}", PRIMARY, size, 0, 0, 0)
    pictures += struct.pack(f">{PICTURE}", 0, map_size, start, 0, 0)
    table = struct.pack(">H", 3)
    table += struct.pack(">HHI4s", VERSION_TAG, UNDEFINED, 4, b"0100")
    table += struct.pack(">HHII", COUNT_TAG, 4, 1, 2)
    table += struct.pack(">HHII", PICTURES_TAG, UNDEFINED, len(pictures), 8 + len(table) + 12 + 4)
    return NAME + struct.pack(">2sHI", b"MM", 42, 8) + table + bytes(4) + pictures


LIST_SIZE = len(list_of(0, 0, 0))


def listed(original: Original, body: int, end: int, start: int) -> list[int]:
    """Return where the pictures behind the first one begin, by the list in a segment from `body` to `end`."""
    places: list[int] = []
    try:
        tiff = Tiff(original, body + len(NAME), end)
        found = next((each for each in tiff.directory(tiff.first)[0] if each.tag == PICTURES_TAG), None)
        size = min(found.size, MOST_PICTURES * PICTURE_SIZE) // PICTURE_SIZE * PICTURE_SIZE if found else 0
        pictures = original.read(found.start, size) if found else b""
        for _, _, offset, _, _ in struct.iter_unpack(tiff.order + PICTURE, pictures):
            if offset and end <= tiff.start + offset < original.size:
                places.append(tiff.start + offset)
    except UnreadableStructure:
        if original.is_exhausted:
            raise
    return places


def is_described(packet: bytes) -> bool:
    """Tell whether the XMP of a picture says that it is a gain map."""
    found = xmp.properties(xmp.parse(packet), xmp.GAIN_MAP) if packet else {}
    return "hdrgm:GainMapMax" in found or "apdi:AuxiliaryImageType" in found
