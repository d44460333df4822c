"""JPEG: segments, and coded pixels between them."""

import re
import struct
from dataclasses import dataclass
from typing import IO

from .exif import EXIF_PREFIX, Exif
from .original import BLOCK_SIZE, Original, UnreadableStructure

SOI, EOI, SOS, APP0, APP1, APP2, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
ALONE = {0x01, *range(0xD0, 0xDA)}  # markers that no segment follows
CODING = {*range(0xC0, 0xD0), *range(0xDA, 0xE0)}  # frames, tables, scans
MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


@dataclass(frozen=True)
class Segment:
    """A marker with its segment; the body is without marker and length."""

    marker: int
    body: int
    size: int

    @property
    def end(self) -> int:
        return self.body + self.size


def clean_jpeg(original: Original, target: IO[bytes]) -> None:
    """Copy up to the end of the picture; cameras put others behind it, with data of their own."""
    if original.read(0, 2) != b"\xff\xd8":
        raise UnreadableStructure
    exif = exif_of_jpeg(original)
    target.write(b"\xff\xd8")
    place, has_scan = 2, False
    while segment := next_segment(original, place):
        place = segment.end
        if segment.marker == EOI:
            target.write(b"\xff\xd9")
            break
        body = kept_of_segment(original, segment)
        if exif and not (segment.marker == APP0 and body):  # JFIF comes first
            write_segment(target, APP1, EXIF_PREFIX + exif)
            exif = b""
        if body:
            write_segment(target, segment.marker, body)
        if segment.marker == SOS:
            has_scan = True
            place = copy_scan(original, place, target)
    if not has_scan:
        raise UnreadableStructure


def next_segment(original: Original, place: int) -> Segment | None:
    """Return the segment that follows; what stands between two is skipped, as decoders do."""
    while True:
        block = original.peek(place, 4)
        if len(block) < 2:
            return None
        if block[0] != 0xFF or block[1] in (0, 0xFF) or (block[1] in ALONE and block[1] != EOI):
            place += 2 if block[0] == 0xFF and block[1] != 0xFF else 1
            continue
        if block[1] == EOI:
            return Segment(EOI, place + 2, 0)
        size = int.from_bytes(block[2:]) - 2
        if len(block) < 4 or size < 0 or place + 4 + size > original.size:
            raise UnreadableStructure
        return Segment(block[1], place + 4, size)


def exif_of_jpeg(original: Original) -> bytes:
    place = 2
    while (segment := next_segment(original, place)) and segment.marker not in (SOS, EOI):
        place = segment.end
        if segment.marker == APP1:
            start = original.read(segment.body, min(segment.size, len(EXIF_PREFIX)))
            if start == EXIF_PREFIX:
                return Exif.read(original, segment.body, segment.end).write()
    return b""


def kept_of_segment(original: Original, segment: Segment) -> bytes:
    """Return the body of a segment as far as it is kept, or no bytes."""
    if segment.marker not in CODING and segment.marker not in (APP0, APP2, APP14):
        return b""
    body = original.read(segment.body, segment.size)
    if segment.marker == APP0:
        return body[:12] + b"\0\0" if body.startswith(b"JFIF\0") and len(body) >= 14 else b""  # without its preview
    if segment.marker == APP2:
        return body if body.startswith(b"ICC_PROFILE\0") else b""
    if segment.marker == APP14:
        return body[:12] if body.startswith(b"Adobe") else b""
    return body


def write_segment(target: IO[bytes], marker: int, body: bytes) -> None:
    target.write(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body)


def copy_scan(original: Original, place: int, target: IO[bytes]) -> int:
    """Copy coded pixels, and return where the marker after them is."""
    while block := original.peek(place, BLOCK_SIZE):
        marker = MARKER_IN_SCAN.search(block)
        size = marker.start() if marker else len(block) - block.endswith(b"\xff")
        target.write(block[:size])
        place += size
        if marker or not size:
            break
    return place
