"""WebP: chunks of RIFF, and chunks within the frames of an animation."""

import struct
from collections.abc import Iterator
from typing import IO

from .exif import Exif
from .original import Original, UnreadableStructure
from .xmp import XMP_SIZE, rights_of_xmp

WEBP_CHUNKS = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
WEBP_FRAME_CHUNKS = {b"VP8 ", b"VP8L", b"ALPH"}
WEBP_EXIF, WEBP_XMP = 0x08, 0x04  # flags


def clean_webp(original: Original, target: IO[bytes], rights: bool) -> None:
    """Copy the known chunks; EXIF data and XMP come last, and flags and sizes are made to fit."""
    name, following, kind = struct.unpack("<4sI4s", original.read(0, 12))
    end = following + 8
    if name != b"RIFF" or kind != b"WEBP" or end > original.size:
        raise UnreadableStructure
    target.write(original.read(0, 12))
    exif, xmp = Exif(), b""
    for kind, body, size in webp_chunks(original, 12, end):
        if kind == b"EXIF":
            exif = Exif.read(original, body, body + size, rights).without_orientation()  # which no browser turns it by
        elif kind == b"XMP ":
            xmp = original.read(body, min(size, XMP_SIZE))
        if kind in WEBP_CHUNKS:
            start = target.tell()
            original.copy(body - 8, 8 + size, target)
            if kind == b"ANMF":
                blank_in_frame(original, body, body + size, target, start + 8 - body)
            target.write(bytes(size % 2))
    if original.read(12, 4) == b"VP8X":  # the form in which there may be EXIF data
        block, packet = exif.write(), rights_of_xmp(xmp) if rights else b""
        flags = original.read(20, 1)[0] & ~(WEBP_EXIF | WEBP_XMP)
        target.seek(20)
        target.write(bytes([flags | (WEBP_EXIF if block else 0) | (WEBP_XMP if packet else 0)]))
        target.seek(0, 2)
        for kind, data in ((b"EXIF", block), (b"XMP ", packet)):
            if data:
                target.write(struct.pack("<4sI", kind, len(data)) + data + bytes(len(data) % 2))
    end = target.seek(0, 2)
    target.seek(4)
    target.write(struct.pack("<I", end - 8))


def webp_chunks(original: Original, place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the chunks' names, and where their bodies lie."""
    while place + 8 <= end:
        kind, size = struct.unpack("<4sI", original.read(place, 8))
        if place + 8 + size > end:
            raise UnreadableStructure
        yield kind, place + 8, size
        place += 8 + size + size % 2


def blank_in_frame(original: Original, body: int, end: int, target: IO[bytes], shift: int) -> None:
    """Write zeros over what else than pixels a copied frame of an animation holds, `shift` bytes from the original."""
    for kind, place, size in webp_chunks(original, body + 16, end):
        if kind not in WEBP_FRAME_CHUNKS:
            original.blank(place + shift, size, target)
    target.seek(0, 2)
