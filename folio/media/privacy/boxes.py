"""AVIF, MP4 and QuickTime, which are boxes within boxes."""

import re
import struct
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import IO

from .exif import Exif
from .original import BLOCK_SIZE, Original, UnreadableStructure
from .texts import MAX_TEXT
from .xmp import XMP_SIZE, rights_of_xmp

HANDLER_NAME = 24  # bytes before the name of who handles a track
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
# In a film's user data: copyright and author of 3GPP, of QuickTime, and of iTunes.
RIGHTS_BOXES = {b"cprt", b"auth", b"\xa9cpy", b"\xa9aut", b"\xa9ART"}
LISTS_OF_TEXTS = {(b"udta", b"meta"), (b"meta", b"ilst")}
TEXT_TRACKS = {b"text", b"sbtl", b"subt", b"clcp", b"tmcd"}  # drones write positions in subtitles
# As drones and cameras write it in subtitles: named, as NMEA's sentences, in degrees with signs or directions.
POSITION = re.compile(
    rb"\b(?:gps|home|latitude|longt?itude)\s*[:(=]\s*(?:[NSEW]\s*:?\s*)?[-+]?\d"
    rb"|\b(?:lat|lon|lng)\b[\s:=]*[-+]?\d{1,3}\.\d{3}"
    rb"|\b[A-Z]{2}(?:RMC|GGA|GLL),[\d.]*,|\d\.\d+,[NS],\d+\.\d+,[EW]"
    rb"|\b[NS]\W{0,3}\d{1,2}\.\d{3,}\D{1,6}[EW]\W{0,3}\d{1,3}\.\d{3,}",
    re.IGNORECASE,
)
FREE_GPS = re.compile(rb"....freeGPS ", re.DOTALL)  # a block of a dashcam's, with its size, among pictures and sounds
FREE_GPS_SIZE = 12  # bytes that tell one
SHOWN_ITEMS = {b"av01", b"hvc1", b"jpeg", b"grid", b"iden", b"iovl", b"tmap", b"sato"}
PRIVATE_PROPERTIES = {b"udes", b"uuid", b"crtt", b"mdft"}
XMP_TYPE = b"application/rdf+xml"


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


@dataclass(frozen=True)
class ItemType:
    """An item's type, where it stands, and of an item that has a MIME type, that."""

    kind: bytes
    place: int
    end: int
    mime_type: bytes


def clean_movie(original: Original, target: IO[bytes], rights: bool) -> None:
    clean_boxes(original, target, MOVIE_BOXES, rights)
    for box in boxes(original, 0, original.size, MOVIE_BOXES):
        if box.kind == b"mdat":
            clean_data(original, box, target)
    target.seek(0, 2)


def clean_items(original: Original, target: IO[bytes], rights: bool) -> None:
    kinds = MOVIE_BOXES | {b"meta"}
    if not any(box.kind in (b"meta", b"moov") for box in boxes(original, 0, original.size, kinds)):
        raise UnreadableStructure
    clean_boxes(original, target, kinds, rights)


def clean_boxes(original: Original, target: IO[bytes], kinds: set[bytes], rights: bool) -> None:
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
            clean_meta(original, box, target, rights)
        elif box.kind == b"moov":
            has_hidden_tracks |= clean_moov(original, box, target, rights)
        elif box.kind == b"moof":
            clean_within(original, box, target, b"traf")
    if has_hidden_tracks and b"moof" in found and b"meta" in kinds:
        raise UnreadableStructure  # of a picture no fragments are known
    if not found & {b"moov", b"meta"}:  # data that nothing leads to
        for box in boxes(original, 0, end):
            if box.kind == b"mdat":
                original.blank(box.body, box.end - box.body, target)
    original.blank(end, original.size - end, target)
    target.seek(0, 2)


def clean_data(original: Original, mdat: Box, target: IO[bytes]) -> None:
    """Write zeros over positions that stand among the pictures and sounds, where no track leads to them."""
    place = mdat.body
    while (found := original.find(FREE_GPS, place, FREE_GPS_SIZE - 1)) is not None and found < mdat.end:
        size = min(max(original.unpack(">I", found)[0], FREE_GPS_SIZE), mdat.end - found)
        original.blank(found, size, target)
        place = found + size


def clean_box(
    original: Original, box: Box, target: IO[bytes], offset: int = 0, also: Set[bytes] = frozenset()
) -> Iterator[Box]:
    """Hide what isn't to be kept directly in a box, and yield what is."""
    for inner in boxes(original, box.body + offset, box.end):
        if inner.kind in BOXES_OF[box.kind] or inner.kind in also:
            yield inner
        else:
            hide(original, inner, target)


def clean_within(original: Original, box: Box, target: IO[bytes], *path: bytes) -> None:
    """Hide what isn't to be kept in a box, and in those within it that a path of types leads to."""
    for inner in clean_box(original, box, target):
        if inner.kind == b"hdlr" and inner.end > inner.body + HANDLER_NAME:  # often the camera's
            original.blank(inner.body + HANDLER_NAME, inner.end - inner.body - HANDLER_NAME, target)
        if path and inner.kind == path[0]:
            clean_within(original, inner, target, *path[1:])


def clean_moov(original: Original, moov: Box, target: IO[bytes], rights: bool) -> bool:
    """Clean a film's index, and tell whether there are tracks that are hidden wholly, with their data."""
    if find(original, moov, b"cmov"):
        raise UnreadableStructure  # all of it compressed
    has_hidden = False
    for box in clean_box(original, moov, target, also={b"udta"} if rights else set()):
        if box.kind == b"udta" and not clean_user_data(original, box, target):
            hide(original, box, target)
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


def clean_user_data(original: Original, box: Box, target: IO[bytes]) -> bool:
    """Hide what of a film's user data says nothing of rights, and tell whether anything is left."""
    kept = False
    offset = 4 if box.kind == b"meta" else 0
    for inner in boxes(original, box.body + offset, box.end):
        if inner.kind == b"hdlr":
            continue
        is_right = inner.kind in RIGHTS_BOXES and inner.end - inner.start <= MAX_TEXT
        if is_right or ((box.kind, inner.kind) in LISTS_OF_TEXTS and clean_user_data(original, inner, target)):
            kept = True
        else:
            hide(original, inner, target)
    return kept


def is_private_track(original: Original, trak: Box) -> bool:
    """Tell whether a track is neither seen nor heard, or a text that holds positions."""
    handler = find(original, trak, b"mdia", b"hdlr")
    kind = original.peek(handler.body + 8, 4) if handler else b""
    if kind in TEXT_TRACKS:
        return tells_position(original, sample_parts(original, trak))
    return kind not in SHOWN_TRACKS


def tells_position(original: Original, parts: Iterable[Part]) -> bool:
    return any(
        POSITION.search(original.read(place, min(BLOCK_SIZE, part.start + part.size - place)).replace(b"\0", b""))
        for part in parts
        for place in range(part.start, part.start + part.size, BLOCK_SIZE)
    )


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


def clean_meta(original: Original, meta: Box, target: IO[bytes], rights: bool) -> None:
    """Write zeros over the items that are no pictures, but what EXIF and XMP say of rights; orientation isn't there."""
    found = {box.kind: box for box in clean_box(original, meta, target, 4)}
    properties = found.get(b"iprp")
    container = find(original, properties, b"ipco") if properties else None
    for box in boxes(original, container.body, container.end) if container else ():
        if box.kind in PRIVATE_PROPERTIES:
            hide(original, box, target)
    if b"iinf" not in found or b"iloc" not in found:
        return
    items = item_types(original, found[b"iinf"])
    data = found[b"idat"].body if b"idat" in found else 0
    kept = set()
    for item, parts in item_parts(original, found[b"iloc"]):
        if item not in items or items[item].kind in SHOWN_ITEMS:
            continue
        if any(part.method not in (0, 1) or not part.size for part in parts):
            raise UnreadableStructure
        places = [(part.start + (data if part.method else 0), part.size) for part in parts]
        written = rights_of_item(original, items[item], places) if rights else b""
        for start, size in places:
            original.blank(start, size, target)
        if written:
            target.seek(places[0][0])
            target.write(written)
            kept.add(item)
    for item, type in items.items():
        hide_item(original, type, target, is_kept=item in kept)


def rights_of_item(original: Original, type: ItemType, places: list[tuple[int, int]]) -> bytes:
    """Return what of an item's EXIF data or XMP is kept, with as many bytes as it has; no bytes where nothing is."""
    size = sum(size for _, size in places)
    if len(places) != 1 or size > XMP_SIZE:  # in pieces, as nobody writes them
        return b""
    start, end = places[0][0], places[0][0] + size
    if type.kind == b"Exif":
        skipped = original.unpack(">I", start)[0] if size > 4 else size
        exif = Exif.read(original, min(end, start + 4 + skipped), end, rights=True).only_rights().write()
        written = bytes(4) + exif if exif else b""
        return written.ljust(size, b"\0") if written and len(written) <= size else b""
    if type.mime_type == XMP_TYPE:
        packet = rights_of_xmp(original.read(start, size), size)
        return packet.ljust(size) if packet else b""
    return b""


def item_types(original: Original, iinf: Box) -> dict[int, ItemType]:
    """Return the types of the items by their ids."""
    is_short = original.read(iinf.body, 1) == b"\0"
    items = {}
    for box in boxes(original, iinf.body + (6 if is_short else 8), iinf.end):
        if box.kind != b"infe":
            continue
        version = original.read(box.body, 1)[0]
        if version < 2:
            raise UnreadableStructure  # of before there were types
        width = 2 if version == 2 else 4
        item = int.from_bytes(original.read(box.body + 4, width))
        place = box.body + 4 + width + 2
        kind = original.read(place, 4)
        words = original.read(place + 4, min(box.end - place - 4, 1024)).split(b"\0") if kind == b"mime" else []
        items[item] = ItemType(kind, place, box.end, words[1] if len(words) > 1 else b"")
    return items


def hide_item(original: Original, type: ItemType, target: IO[bytes], *, is_kept: bool) -> None:
    """Take an item's name away, and unless it is a picture or kept, its type."""
    place = type.place
    if type.kind not in SHOWN_ITEMS and not is_kept:
        target.seek(place)
        target.write(HIDDEN)
    original.blank(place + 4, type.end - place - 4, target)
    if is_kept and type.mime_type == XMP_TYPE:
        target.seek(place + 5)  # behind the name, which is empty now
        target.write(XMP_TYPE)


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
