"""AVIF, MP4 and QuickTime, which are boxes within boxes."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from .original import BLOCK_SIZE, Original, UnreadableStructure

HIDDEN = b"free"  # the type of a box that nobody reads
MOVIE_BOXES = {
    *(b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"ssix", b"mfra", b"pdin", b"prft", b"imda"),
}
BOXES_OF = {  # that are kept, by the box that they are in
    b"moov": {b"mvhd", b"trak", b"mvex", b"iods", b"pssh"},
    b"trak": {b"tkhd", b"mdia", b"edts", b"tref", b"tapt", b"load", b"clip", b"matt", b"imap", b"txas", b"trgr"},
    b"mdia": {b"mdhd", b"hdlr", b"minf", b"elng"},
    b"minf": {b"vmhd", b"smhd", b"hmhd", b"nmhd", b"gmhd", b"sthd", b"hdlr", b"dinf", b"stbl"},
    b"moof": {b"mfhd", b"traf", b"pssh"},
    b"traf": {b"tfhd", b"trun", b"tfdt", b"sdtp", b"sbgp", b"sgpd", b"subs", b"saiz", b"saio", b"senc"},
    b"meta": {b"hdlr", b"pitm", b"iloc", b"iinf", b"iprp", b"iref", b"idat", b"dinf", b"grpl", b"ipro", b"altr"},
}
SHOWN_TRACKS = {b"vide", b"soun", b"pict", b"auxv"}
TEXT_TRACKS = {b"text", b"sbtl", b"subt", b"clcp", b"tmcd"}  # drones write positions in subtitles
POSITION = re.compile(rb"(?:gps|home|latitude|longt?itude)\s*[:(=]\s*[-+]?\d", re.IGNORECASE)
SHOWN_ITEMS = {b"av01", b"hvc1", b"jpeg", b"grid", b"iden", b"iovl", b"tmap", b"sato"}
PRIVATE_PROPERTIES = {b"udes", b"uuid", b"crtt", b"mdft"}


@dataclass(frozen=True)
class Box:
    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True)
class Part:
    """Bytes of a track or an item: where they are in the file (by method 1, in the box for small items)."""

    start: int
    size: int
    method: int = 0


def boxes(original: Original, start: int, end: int, known: set[bytes] | None = None) -> Iterator[Box]:
    """Yield the boxes between two offsets, up to the first damaged one that isn't of the `known` types."""
    while start + 8 <= end:
        size, kind = struct.unpack(">I4s", original.read(start, 8))
        body = start + 8
        if size == 1:
            size = original.unpack(">Q", body)[0]
            body += 8
        elif size == 0:
            size = end - start
        if size < body - start or start + size > end:
            if known and kind not in known and start:
                return
            raise UnreadableStructure
        yield Box(kind, start, body, start + size)
        start += size


def find(original: Original, box: Box, *path: bytes) -> Box | None:
    """Return the box that a path of types leads to."""
    for kind in path:
        found = next((inner for inner in boxes(original, box.body, box.end) if inner.kind == kind), None)
        if found is None:
            return None
        box = found
    return box


def hide(original: Original, box: Box, target: IO[bytes]) -> None:
    target.seek(box.start + 4)
    target.write(HIDDEN)
    original.blank(box.body, box.end - box.body, target)


def clean_movie(original: Original, target: IO[bytes]) -> None:
    clean_boxes(original, target, MOVIE_BOXES)


def clean_items(original: Original, target: IO[bytes]) -> None:
    kinds = MOVIE_BOXES | {b"meta"}
    if not any(box.kind in (b"meta", b"moov") for box in boxes(original, 0, original.size, kinds)):
        raise UnreadableStructure
    clean_boxes(original, target, kinds)


def clean_boxes(original: Original, target: IO[bytes], kinds: set[bytes]) -> None:
    """Copy a file, then hide all boxes that it is shown without, and the tracks of positions and sensors."""
    original.copy(0, original.size, target)
    end, found, has_hidden_tracks = 0, set(), False
    for box in boxes(original, 0, original.size, kinds):
        end = box.end
        if box.kind not in kinds:
            hide(original, box, target)
            continue
        found.add(box.kind)
        if box.kind == b"meta":
            clean_meta(original, box, target)
        elif box.kind == b"moov":
            has_hidden_tracks |= clean_moov(original, box, target)
        elif box.kind == b"moof":
            clean_within(original, box, target, b"traf")
    if has_hidden_tracks and b"moof" in found:
        raise UnreadableStructure  # fragments say in their own way where a track's data are
    if not found & {b"moov", b"meta"}:  # data that nothing leads to
        for box in boxes(original, 0, end):
            if box.kind == b"mdat":
                original.blank(box.body, box.end - box.body, target)
    original.blank(end, original.size - end, target)
    target.seek(0, 2)


def clean_box(original: Original, box: Box, target: IO[bytes], offset: int = 0) -> Iterator[Box]:
    """Hide what isn't to be kept directly in a box, and yield what is."""
    for inner in boxes(original, box.body + offset, box.end):
        if inner.kind in BOXES_OF[box.kind]:
            yield inner
        else:
            hide(original, inner, target)


def clean_within(original: Original, box: Box, target: IO[bytes], *path: bytes) -> None:
    """Hide what isn't to be kept in a box, and in those within it that a path of types leads to."""
    for inner in clean_box(original, box, target):
        if path and inner.kind == path[0]:
            clean_within(original, inner, target, *path[1:])


def clean_moov(original: Original, moov: Box, target: IO[bytes]) -> bool:
    """Clean a film's index, and tell whether there are tracks that are hidden wholly, with their data."""
    if find(original, moov, b"cmov"):
        raise UnreadableStructure  # all of it compressed
    has_hidden = False
    for box in clean_box(original, moov, target):
        if box.kind != b"trak":
            continue
        if is_private_track(original, box):
            for part in sample_parts(original, box):
                original.blank(part.start, part.size, target)
            hide(original, box, target)
            has_hidden = True
        else:
            clean_within(original, box, target, b"mdia", b"minf")
    return has_hidden


def is_private_track(original: Original, trak: Box) -> bool:
    """Tell whether a track is neither seen nor heard, or a text that holds positions."""
    handler = find(original, trak, b"mdia", b"hdlr")
    kind = original.peek(handler.body + 8, 4) if handler else b""
    if kind in TEXT_TRACKS:
        return any(
            POSITION.search(original.read(place, min(BLOCK_SIZE, part.start + part.size - place)).replace(b"\0", b""))
            for part in sample_parts(original, trak)
            for place in range(part.start, part.start + part.size, BLOCK_SIZE)
        )
    return kind not in SHOWN_TRACKS


def sample_parts(original: Original, trak: Box) -> Iterator[Part]:
    """Yield where a track's data are, chunk by chunk."""
    stbl = find(original, trak, b"mdia", b"minf", b"stbl")
    found = {box.kind: box for box in boxes(original, stbl.body, stbl.end)} if stbl else {}
    offsets = found.get(b"stco") or found.get(b"co64")
    runs, sizes = found.get(b"stsc"), found.get(b"stsz")
    if not (offsets and runs and sizes):
        if offsets and original.unpack(">I", offsets.body + 4)[0]:
            raise UnreadableStructure
        return
    layout, width = (">Q", 8) if offsets.kind == b"co64" else (">I", 4)
    count, run_count = original.unpack(">I", offsets.body + 4)[0], original.unpack(">I", runs.body + 4)[0]
    equal_size, sample_count = original.unpack(">II", sizes.body + 4)
    run, sample, samples = 0, 0, 0
    for number in range(count):
        if run < run_count:
            first, following, _ = original.unpack(">III", runs.body + 8 + 12 * run)
            if number + 1 >= first:
                samples, run = following, run + 1
        samples_here = min(samples, sample_count - sample)
        if equal_size:
            size = equal_size * samples_here
        else:
            place = sizes.body + 12 + 4 * sample
            size = sum(numbers(original, place, place + 4 * samples_here))
        sample += samples_here
        yield Part(original.unpack(layout, offsets.body + 8 + width * number)[0], size)


def numbers(original: Original, start: int, end: int) -> Iterator[int]:
    for place in range(start, end, BLOCK_SIZE):
        block = original.read(place, min(BLOCK_SIZE, end - place))
        yield from struct.unpack(f">{len(block) // 4}I", block)


def clean_meta(original: Original, meta: Box, target: IO[bytes]) -> None:
    """Write zeros over the items that are no pictures, such as EXIF and XMP; orientation is not in there."""
    found = {box.kind: box for box in clean_box(original, meta, target, 4)}
    properties = found.get(b"iprp")
    container = find(original, properties, b"ipco") if properties else None
    for box in boxes(original, container.body, container.end) if container else ():
        if box.kind in PRIVATE_PROPERTIES:
            hide(original, box, target)
    if b"iinf" not in found or b"iloc" not in found:
        return
    hidden = hidden_items(original, found[b"iinf"], target)
    data = found[b"idat"].body if b"idat" in found else 0
    for item, parts in item_parts(original, found[b"iloc"]):
        if item in hidden:
            for part in parts:
                if part.method not in (0, 1) or not part.size:
                    raise UnreadableStructure
                original.blank(part.start + (data if part.method else 0), part.size, target)


def hidden_items(original: Original, iinf: Box, target: IO[bytes]) -> set[int]:
    """Return the ids of the items that are no pictures, and take their types away, and all items' names."""
    is_short = original.read(iinf.body, 1) == b"\0"
    items = set()
    for box in boxes(original, iinf.body + (6 if is_short else 8), iinf.end):
        if box.kind != b"infe":
            continue
        version = original.read(box.body, 1)[0]
        if version < 2:
            raise UnreadableStructure  # of before there were types
        width = 2 if version == 2 else 4
        item = int.from_bytes(original.read(box.body + 4, width))
        place = box.body + 4 + width + 2
        if original.read(place, 4) not in SHOWN_ITEMS:
            items.add(item)
            target.seek(place)
            target.write(HIDDEN)
        original.blank(place + 4, box.end - place - 4, target)
    return items


def item_parts(original: Original, iloc: Box) -> Iterator[tuple[int, list[Part]]]:
    """Yield the items' ids and where their bytes are."""
    place = iloc.body

    def number(size: int) -> int:
        nonlocal place
        place += size
        return int.from_bytes(original.read(place - size, size)) if size else 0

    version = number(1)
    place += 3
    sizes = number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(number(2 if version < 2 else 4)):
        item = number(2 if version < 2 else 4)
        method = number(2) & 15 if version else 0
        number(2)  # a reference to another file, or 0
        base = number(base_size)
        parts = []
        for _ in range(number(2)):
            number(index_size if version else 0)
            parts.append(Part(base + number(offset_size), number(length_size), method))
        yield item, parts
