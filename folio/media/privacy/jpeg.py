"""JPEG: segments, and coded pixels between them; behind the picture, a gain map that shows it in high dynamic range."""

import re
import struct
from dataclasses import dataclass, field
from typing import IO

from . import gain_maps, xmp
from .exif import EXIF_PREFIX, Exif
from .iptc import PHOTOSHOP, iptc_of, resource, rights_of_iptc
from .original import BLOCK_SIZE, FIRST_LOOK, Original, UnreadableStructure

SOI, EOI, SOS, APP0, APP1, APP2, APP13, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xED, 0xEE
CODING = {*range(0xC0, 0xD0), *range(0xDA, 0xE0)}  # frames, tables, scans
SEGMENTS = {*range(0x02, 0xFF)} - {*range(0xD0, 0xDA)}
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # of these, those that begin a frame, with its size
MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")  # that a segment follows, or the end
MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")

XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
ISO_SIZE = 256  # bytes of its numbers at most
MAX_FILLED = 64 * 1024  # bytes that stand before the pixels for nothing
MAX_SEGMENTS = 10_000  # that are looked at of a picture; those of large pictures are some hundreds
SEGMENT_HEADER = 4  # bytes of marker and length
RESOURCES_SIZE = 1024 * 1024  # bytes of Photoshop's resources that are looked through


@dataclass(frozen=True)
class Segment:
    """A marker with its segment; the body is without marker and length."""

    marker: int
    body: int
    size: int

    @property
    def end(self) -> int:
        return self.body + self.size


@dataclass
class Head:
    """What stands before the pixels of a picture, as far as it matters what of it is kept."""

    exif: Exif | None = None
    xmp: bytes = b""
    resources: bytearray = field(default_factory=bytearray)  # of Photoshop
    iso: bytes = b""  # of a gain map, or that there is one
    others: list[int] = field(default_factory=list)  # where other pictures begin, as the first one lists them
    size: tuple[int, int] = (0, 0)  # width and height in pixels


def clean_jpeg(original: Original, target: IO[bytes], rights: bool) -> None:
    """Copy up to the end of the picture; cameras put others behind it, of which a gain map alone is kept, cleaned."""
    head = read_head(original, 0, rights)
    root = xmp.parse(head.xmp) if head.xmp else xmp.Element("")
    hdr = xmp.properties(root, xmp.GAIN_MAP)
    gain_map = find_gain_map(original, head, is_promised=bool(hdr or head.iso))
    kept = xmp.properties(root, xmp.RIGHTS) if rights else {}
    is_listed = gain_map is not None and (bool(hdr) or xmp.has_directory(root))
    packet = xmp.packet({**({} if gain_map is None else hdr), **kept}, directory=is_listed)
    segments = []
    if exif := (head.exif or Exif()).write():
        segments.append((APP1, EXIF_PREFIX + exif))
    if packet:
        segments.append((APP1, XMP_IN_JPEG + packet))
    if rights and (iptc := rights_of_iptc(iptc_of(head.resources))):
        segments.append((APP13, resource(iptc)))
    if gain_map is None:
        write_picture(original, 0, target, segments)
        return
    if head.iso:
        segments.append((APP2, ISO_GAIN_MAP + head.iso))
    segments.append((APP2, bytes(gain_maps.LIST_SIZE)))
    place = write_picture(original, 0, target, segments)
    size = target.tell()
    write_gain_map(original, gain_map, target)
    map_size = target.tell() - size
    for _, data in segments:  # now that it is known how large both are and where
        if data.startswith(XMP_IN_JPEG) and is_listed:
            target.seek(place + SEGMENT_HEADER + data.rindex(xmp.NO_LENGTH))
            target.write(f'"{map_size}"'.encode().ljust(len(xmp.NO_LENGTH)))
        place += SEGMENT_HEADER + len(data)
    header = place - gain_maps.LIST_SIZE
    target.seek(header)
    target.write(gain_maps.list_of(size, size - header - len(gain_maps.NAME), map_size))
    target.seek(0, 2)


def read_head(original: Original, start: int, rights: bool) -> Head:
    """Read the segments of the picture that begins at an offset, up to its pixels."""
    if original.peek(start, 2) != b"\xff\xd8":
        raise UnreadableStructure
    head, place = Head(), start + 2
    for _ in range(MAX_SEGMENTS):
        segment = next_segment(original, place, FRAMES | {APP1, APP2, APP13, SOS})
        if segment is None or segment.marker in (SOS, EOI):
            return head
        place = segment.end
        read_segment(original, segment, head, start, rights)
    raise UnreadableStructure


def count_head(original: Original) -> None:
    """Raise UnreadableStructure where more segments or bytes that fill stand before the pixels than in any picture."""
    place, filled = 2, 0
    for _ in range(MAX_SEGMENTS):
        try:
            segment = next_segment(original, place, SEGMENTS)
        except UnreadableStructure:  # which is for those to tell who read it
            return
        if segment is None or segment.marker in (SOS, EOI):
            return
        filled += segment.body - SEGMENT_HEADER - place
        if filled > MAX_FILLED:
            break
        place = segment.end
    raise UnreadableStructure


def read_segment(original: Original, segment: Segment, head: Head, start: int, rights: bool) -> None:
    """Take into the head of the picture that begins at `start` what a segment tells."""
    if segment.marker in FRAMES:
        if segment.size >= 6 and not head.size[0]:
            _, height, width = struct.unpack(">BHH", original.read(segment.body, 5))
            head.size = width, height
        return
    name, rest = original.read(segment.body, min(segment.size, len(XMP_IN_JPEG))), segment.size
    if name.startswith(EXIF_PREFIX) and segment.marker == APP1 and head.exif is None:
        head.exif = Exif.read(original, segment.body, segment.end, rights)
    elif name == XMP_IN_JPEG and segment.marker == APP1:
        head.xmp = head.xmp or original.read(segment.body + len(name), rest - len(name))
    elif name.startswith(PHOTOSHOP) and segment.marker == APP13 and len(head.resources) < RESOURCES_SIZE:
        head.resources += original.read(segment.body + len(PHOTOSHOP), rest - len(PHOTOSHOP))
    elif name.startswith(ISO_GAIN_MAP) and segment.marker == APP2:
        size = rest - len(ISO_GAIN_MAP)
        head.iso = head.iso or (original.read(segment.end - size, size) if size <= ISO_SIZE else b"")
    elif name.startswith(gain_maps.NAME) and segment.marker == APP2 and not head.others:
        head.others = gain_maps.listed(original, segment.body, segment.end, start)


def find_gain_map(original: Original, head: Head, *, is_promised: bool) -> int | None:
    """Return where the picture begins that is the gain map of the first one, or None."""
    try:
        for place in head.others:
            if is_gain_map(original, place, head.size):
                return place
        place = end_of_picture(original, 0) if is_promised else original.size  # right behind the first one
        return place if place < original.size and is_gain_map(original, place, head.size) else None
    except UnreadableStructure:
        if original.is_exhausted:
            raise
        return None


def is_gain_map(original: Original, place: int, size: tuple[int, int]) -> bool:
    """Tell whether a whole picture begins there that says that it is the gain map of one of that size."""
    if original.peek(place, 2) != b"\xff\xd8":
        return False
    head = read_head(original, place, rights=False)
    is_small = 0 < head.size[0] <= size[0] and 0 < head.size[1] <= size[1]
    is_described = len(head.iso) > gain_maps.ISO_VERSION_SIZE or gain_maps.is_described(head.xmp)
    return is_small and is_described and end_of_picture(original, place) > place


def write_gain_map(original: Original, place: int, target: IO[bytes]) -> None:
    """Write a gain map with nothing beside its pixels but the numbers by which it is applied."""
    head = read_head(original, place, rights=False)
    segments = []
    if packet := xmp.packet(xmp.properties(xmp.parse(head.xmp), xmp.GAIN_MAP)):
        segments.append((APP1, XMP_IN_JPEG + packet))
    if head.iso:
        segments.append((APP2, ISO_GAIN_MAP + head.iso))
    write_picture(original, place, target, segments)


def write_picture(original: Original, start: int, target: IO[bytes], segments: list[tuple[int, bytes]]) -> int:
    """Write the picture that begins at `start`, with these segments before its own; return where in the target."""
    target.write(b"\xff\xd8")
    place, has_scan, segments_place = start + 2, False, 0
    for _ in range(MAX_SEGMENTS):
        segment = next_segment(original, place, CODING | {APP0, APP2, APP14})
        if segment is None:
            break
        place = segment.end
        if segment.marker == EOI:
            target.write(b"\xff\xd9")
            break
        body = kept_of_segment(original, segment)
        if not segments_place and not (segment.marker == APP0 and body):  # JFIF comes first
            segments_place = target.tell()
            for marker, data in segments:
                write_segment(target, marker, data)
        if body:
            write_segment(target, segment.marker, body)
        if segment.marker == SOS:
            has_scan = True
            place = copy_scan(original, place, target)
    else:
        raise UnreadableStructure
    if not has_scan:
        raise UnreadableStructure
    return segments_place


def end_of_picture(original: Original, start: int) -> int:
    """Return where the picture that begins at `start` ends; raise UnreadableStructure where it doesn't."""
    place = start + 2
    for _ in range(MAX_SEGMENTS):
        segment = next_segment(original, place, {SOS})
        if segment is None:
            break
        if segment.marker == EOI:
            return segment.end
        place = copy_scan(original, segment.end, None)
    raise UnreadableStructure


def next_segment(original: Original, place: int, wanted: set[int]) -> Segment | None:
    """Return the next segment of one of these markers, or the end of the picture; None at the end of the file.

    It looks through blocks, more of the file at a time the longer it takes, and never reads a byte by itself.
    """
    look = FIRST_LOOK
    while len(block := original.peek(place, look)) > 1:
        at = 0
        while found := MARKER.search(block, at):
            at, marker = found.start(), block[found.start() + 1]
            if marker == EOI:
                return Segment(EOI, place + at + 2, 0)
            if at + 4 > len(block):
                break
            size = int.from_bytes(block[at + 2 : at + 4]) - 2
            if size < 0 or place + at + 4 + size > original.size:
                raise UnreadableStructure
            if marker in wanted:
                return Segment(marker, place + at + 4, size)
            at += 4 + size
        if found and len(block) < look:  # a marker at the end of the file, without the length of its segment
            raise UnreadableStructure
        place += at if found or at >= len(block) else len(block) - block.endswith(b"\xff")
        look = min(2 * look, BLOCK_SIZE)
    return None


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


def copy_scan(original: Original, place: int, target: IO[bytes] | None) -> int:
    """Copy coded pixels, or else skip them, and return where the marker after them is."""
    size = FIRST_LOOK
    while block := original.peek(place, size):
        marker = MARKER_IN_SCAN.search(block)
        length = marker.start() if marker else len(block) - block.endswith(b"\xff")
        if target:
            target.write(block[:length])
        place += length
        if marker or not length:
            break
        size = min(2 * size, BLOCK_SIZE)
    return place
