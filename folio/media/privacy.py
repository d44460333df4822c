"""Private data taken out of files: where a picture was taken, with whose camera, and by whom.

Formats that can be put together anew are: what is known to belong to the picture is copied, and nothing else. In those
that point into themselves by offsets (TIFF, AVIF, MP4) everything stays in its place, and zeros take that of the rest.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import repeat, zip_longest
from typing import IO

BLOCK_SIZE = 64 * 1024  # bytes copied at a time
XMP_SIZE = 1024 * 1024  # bytes of XMP in which an orientation is looked for
STEPS = 1_000_000  # reads that a small file may cause; a larger one, one more for each 64 bytes
MAX_DIRECTORIES = 65_536  # of a TIFF: pages, and smaller versions of them


class UnreadableStructure(Exception):
    """A file in which private data can't be told from the rest; its message tells the person who sent it."""

    def __init__(self) -> None:
        super().__init__(
            "The file is damaged or built in an unusual way, so that private data, such as where it was recorded, "
            "can't be taken out of it. Save it anew with another program and send that."
        )


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


class Original:
    """The file to copy, read at offsets in bytes, with a limit to the work that its structure may cause."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.size = file.seek(0, 2) or file.tell()
        self.steps_left = STEPS + self.size // 64
        self.bytes_left = 64 * 1024 * 1024 + 8 * self.size

    @property
    def is_exhausted(self) -> bool:
        return self.steps_left < 0 or self.bytes_left < 0

    def work(self, size: int) -> None:
        self.steps_left -= 1
        self.bytes_left -= size
        if self.is_exhausted:
            raise UnreadableStructure

    def peek(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes, fewer at the end of the file."""
        self.work(max(0, min(size, self.size - offset)))
        self.file.seek(offset)
        return self.file.read(size)

    def read(self, offset: int, size: int) -> bytes:
        if not 0 <= offset <= offset + size <= self.size:
            raise UnreadableStructure
        return self.peek(offset, size)

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        return struct.unpack(layout, self.read(offset, struct.calcsize(layout)))

    def copy(self, offset: int, size: int, target: IO[bytes]) -> None:
        for start in range(offset, offset + size, BLOCK_SIZE):
            target.write(self.read(start, min(BLOCK_SIZE, offset + size - start)))

    def blank(self, offset: int, size: int, target: IO[bytes]) -> None:
        """Write zeros to a place of the copy; it counts as work like reading does."""
        self.work(size)
        if not 0 <= offset <= offset + size <= self.size:
            raise UnreadableStructure
        target.seek(offset)
        for start in range(0, size, BLOCK_SIZE):
            target.write(bytes(min(BLOCK_SIZE, size - start)))


# EXIF and TIFF

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
INTEGERS = {BYTE: "B", SHORT: "H", LONG: "I", 13: "I", 16: "Q", 18: "Q"}

ORIENTATION, SUB_DIRECTORIES, EXIF_DIRECTORY, INTEROPERABILITY_DIRECTORY, ICC_PROFILE = 274, 330, 34665, 40965, 34675
DATE = re.compile(rb"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d\0?")
# What is kept of EXIF, by directory: resolution and orientation; colour space, dimensions and the date.
EXIF_TAGS: dict[int, tuple[set[int], re.Pattern[bytes] | None]] = {
    ORIENTATION: ({BYTE, SHORT, LONG}, None),
    282: ({RATIONAL}, None),  # XResolution
    283: ({RATIONAL}, None),  # YResolution
    296: ({SHORT}, None),  # ResolutionUnit
    531: ({SHORT}, None),  # YCbCrPositioning
}
PHOTOGRAPH_TAGS: dict[int, tuple[set[int], re.Pattern[bytes] | None]] = {
    36864: ({UNDEFINED}, re.compile(rb"\d{4}")),  # ExifVersion
    36867: ({ASCII}, DATE),  # DateTimeOriginal
    40961: ({SHORT}, None),  # ColorSpace
    40962: ({SHORT, LONG}, None),  # PixelXDimension
    40963: ({SHORT, LONG}, None),  # PixelYDimension
    42240: ({RATIONAL}, None),  # Gamma
}
# With a colour space that EXIF has no number for, R03 says that it is Adobe RGB.
INTEROPERABILITY_TAGS: dict[int, tuple[set[int], re.Pattern[bytes] | None]] = {
    1: ({ASCII}, re.compile(rb"(?:R98|R03|THM)\0?")),
}
# What a TIFF needs to be shown right, numbers all of it: TIFF 6.0's baseline and extensions, and libtiff's.
TIFF_TAGS = {
    *range(254, 260), *(262, 263, 264, 265, 266, 273, 274), *range(277, 285), *(286, 287), *range(290, 294),
    *(296, 297, 301), *range(317, 329), *(332, 336), *range(338, 343), *(346, 347, 434, 435), *range(512, 516),
    *range(517, 522), *range(529, 533), 559, *range(32995, 32999), ICC_PROFILE, 37439, 50674,
}  # fmt: skip
TIFF_BINARY_TAGS = {347, ICC_PROFILE}  # JPEG tables, profile
XMP_ORIENTATION = re.compile(rb"""tiff:Orientation(?:=["']|>)([1-8])""")


@dataclass(frozen=True)
class Entry:
    """A tag of a directory; `start` is where in the file its value lies, `size` the value's bytes."""

    tag: int
    type: int
    count: int
    start: int
    size: int
    raw: bytes
    is_inline: bool


class Tiff:
    """A structure of TIFF, as which EXIF is written too, from `start` to `end` of a file."""

    def __init__(self, original: Original, start: int, end: int) -> None:
        self.original, self.start, self.end = original, start, end
        header = original.peek(start, 8)
        self.order = {b"II": "<", b"MM": ">"}.get(header[:2], "")
        magic = header[2:4]
        self.is_big = magic == struct.pack(f"{self.order}H", 43)
        if not self.order or not (self.is_big or magic in (b"*\0", b"\0*")) or len(header) < 8:
            raise UnreadableStructure
        self.header_size = 16 if self.is_big else 8
        self.count, self.offset, self.entry_size = ("Q", "Q", 20) if self.is_big else ("H", "I", 12)
        self.count_size, self.offset_size = (8, 8) if self.is_big else (2, 4)
        place = start + (8 if self.is_big else 4)
        self.first = original.unpack(self.order + self.offset, place)[0]

    def directory(self, offset: int) -> tuple[list[Entry], int]:
        """Return the readable tags of the directory at an offset, and the offset of the one after it or 0."""
        place = self.start + offset
        if place + self.count_size > self.end:
            raise UnreadableStructure
        count = self.original.unpack(self.order + self.count, place)[0]
        place += self.count_size
        count = min(count, 65_535, (self.end - place) // self.entry_size)
        table = self.original.read(place, count * self.entry_size)
        entries = []
        for number in range(count):
            entry = self.entry(table[number * self.entry_size : (number + 1) * self.entry_size], place)
            place += self.entry_size
            if entry:
                entries.append(entry)
        if place + self.offset_size > self.end:
            return entries, 0
        return entries, self.original.unpack(self.order + self.offset, place)[0]

    def entry(self, raw: bytes, place: int) -> Entry | None:
        tag, type, count = struct.unpack_from(f"{self.order}HH{self.offset}", raw)
        size = TYPE_SIZES.get(type, 0) * count
        is_inline = size <= self.offset_size
        head = self.entry_size - self.offset_size
        start = place + head if is_inline else self.start + struct.unpack_from(self.order + self.offset, raw, head)[0]
        if not size or start + size > self.end:
            return None
        if is_inline:  # whatever stands beside a short value is none
            raw = raw[: head + size].ljust(self.entry_size, b"\0")
        return Entry(tag, type, count, start, size, raw, is_inline)

    def numbers(self, entry: Entry) -> Iterator[int]:
        kind = INTEGERS.get(entry.type)
        if kind is None:
            raise UnreadableStructure
        size = TYPE_SIZES[entry.type]
        for place in range(entry.start, entry.start + entry.size, BLOCK_SIZE):
            block = self.original.read(place, min(BLOCK_SIZE, entry.start + entry.size - place))
            yield from struct.unpack(f"{self.order}{len(block) // size}{kind}", block)

    def number(self, entry: Entry | None, default: int = 0) -> int:
        return next(self.numbers(entry)) if entry else default

    def harmless(self, offset: int, tags: dict[int, tuple[set[int], re.Pattern[bytes] | None]]) -> dict[int, Entry]:
        """Return those tags of an EXIF directory that tell nothing of anyone."""
        found = {}
        for entry in self.directory(offset)[0]:
            types, pattern = tags.get(entry.tag, (set(), None))
            if entry.type not in types or entry.size > 20:
                continue
            if pattern.fullmatch(self.original.read(entry.start, entry.size)) if pattern else entry.count == 1:
                found[entry.tag] = entry
        return found

    def pointer(self, offset: int, tag: int) -> Entry | None:
        """Return a directory's tag that tells where another is."""
        for entry in self.directory(offset)[0]:
            if entry.tag == tag and entry.count == 1 and entry.type in INTEGERS:
                return entry
        return None


Value = tuple[int, int, bytes]  # type, count, bytes


@dataclass
class Exif:
    """What is kept of EXIF data, in the byte order that it came in; each directory by tag."""

    order: str = ">"
    main: dict[int, Value] = field(default_factory=dict)
    photograph: dict[int, Value] = field(default_factory=dict)
    interoperability: dict[int, Value] = field(default_factory=dict)

    @classmethod
    def read(cls, original: Original, start: int, end: int) -> "Exif":
        """Read EXIF data as far as they can be read."""
        exif = cls()
        if original.peek(start, min(6, end - start)) == b"Exif\0\0":
            start += 6
        try:
            tiff = Tiff(original, start, end)
            exif.order = tiff.order
            exif.main = exif.values(tiff, tiff.first, EXIF_TAGS)
            if pointer := tiff.pointer(tiff.first, EXIF_DIRECTORY):
                offset = tiff.number(pointer)
                exif.photograph = exif.values(tiff, offset, PHOTOGRAPH_TAGS)
                if pointer := tiff.pointer(offset, INTEROPERABILITY_DIRECTORY):
                    exif.interoperability = exif.values(tiff, tiff.number(pointer), INTEROPERABILITY_TAGS)
        except UnreadableStructure:
            if original.is_exhausted:
                raise
        return exif

    @staticmethod
    def values(tiff: Tiff, offset: int, tags: dict[int, tuple[set[int], re.Pattern[bytes] | None]]) -> dict[int, Value]:
        entries = tiff.harmless(offset, tags).values()
        return {entry.tag: (entry.type, entry.count, tiff.original.read(entry.start, entry.size)) for entry in entries}

    def turned(self, xmp: bytes) -> "Exif":
        """Return the data with the orientation from XMP where EXIF has none, as Pillow sees it."""
        found = XMP_ORIENTATION.search(xmp)
        if not found or ORIENTATION in self.main:
            return self
        orientation = (SHORT, 1, struct.pack(f"{self.order}H", int(found[1])))
        return replace(self, main={**self.main, ORIENTATION: orientation})

    def write(self) -> bytes:
        """Return the data as a structure of TIFF; no bytes where nothing is kept."""
        main, photograph = dict(self.main), dict(self.photograph)
        if self.interoperability:
            photograph[INTEROPERABILITY_DIRECTORY] = (LONG, 1, bytes(4))
        if photograph:
            main[EXIF_DIRECTORY] = (LONG, 1, bytes(4))
        if not main:
            return b""
        written = struct.pack(f"{self.order}2sHI", b"II" if self.order == "<" else b"MM", 42, 8)
        for values, tag in (
            (main, EXIF_DIRECTORY),
            (photograph, INTEROPERABILITY_DIRECTORY),
            (self.interoperability, None),
        ):
            if tag in values:
                values[tag] = (LONG, 1, struct.pack(f"{self.order}I", len(written) + directory_size(values)))
            written += self.directory(values, len(written)) if values else b""
        return written

    def directory(self, values: dict[int, Value], offset: int) -> bytes:
        table = struct.pack(f"{self.order}H", len(values))
        behind = b""
        offset += 2 + 12 * len(values) + 4
        for tag, (type, count, value) in sorted(values.items()):
            table += struct.pack(f"{self.order}HHI", tag, type, count)
            if len(value) <= 4:
                table += value.ljust(4, b"\0")
            else:
                table += struct.pack(f"{self.order}I", offset + len(behind))
                behind += value + bytes(len(value) % 2)
        return table + bytes(4) + behind


def directory_size(values: dict[int, Value]) -> int:
    sizes = (len(value) for _, _, value in values.values())
    return 6 + sum(12 + (size + size % 2 if size > 4 else 0) for size in sizes)


def clean_tiff(original: Original, target: IO[bytes]) -> None:
    """Copy the pixels and the tags that show them to where they were; all else of the file is zeros."""
    tiff = Tiff(original, 0, original.size)
    target.seek(original.size - 1)
    target.write(b"\0")
    copy_in_place(original, 0, tiff.header_size, target)
    waiting, seen = [tiff.first], set()
    while waiting:
        offset = waiting.pop()
        if offset in seen or not offset:
            continue
        seen.add(offset)
        if len(seen) > MAX_DIRECTORIES:
            raise UnreadableStructure
        entries, following = tiff.directory(offset)
        kept = []
        for entry in entries:
            if entry.tag == EXIF_DIRECTORY and entry.type in INTEGERS:
                if keep_exif(tiff, target, entry):
                    kept.append(entry)
            elif entry.tag in TIFF_TAGS and (
                entry.type not in (ASCII, UNDEFINED) or (entry.tag in TIFF_BINARY_TAGS and entry.type == UNDEFINED)
            ):
                kept.append(entry)
            if entry.tag == SUB_DIRECTORIES:
                waiting.extend(place for place in tiff.numbers(entry) if place not in seen)
                if len(waiting) > MAX_DIRECTORIES:
                    raise UnreadableStructure
        copy_pixels(tiff, target, {entry.tag: entry for entry in kept})
        write_directory(tiff, target, offset, kept, 0 if following in seen else following)
        waiting.append(following)


def keep_exif(tiff: Tiff, target: IO[bytes], pointer: Entry) -> bool:
    """Write what is kept of an EXIF directory to where it was; tell whether there is anything."""
    try:
        offset = tiff.number(pointer)
        kept = tiff.harmless(offset, PHOTOGRAPH_TAGS)
        below = tiff.pointer(offset, INTEROPERABILITY_DIRECTORY)
        inner = tiff.harmless(tiff.number(below), INTEROPERABILITY_TAGS) if below else {}
    except UnreadableStructure:
        if tiff.original.is_exhausted:
            raise
        return False
    if below and inner:
        write_directory(tiff, target, tiff.number(below), list(inner.values()), 0)
        kept[below.tag] = below
    if kept:
        write_directory(tiff, target, offset, list(kept.values()), 0)
    return bool(kept)


def write_directory(tiff: Tiff, target: IO[bytes], offset: int, entries: list[Entry], following: int) -> None:
    for entry in entries:
        if not entry.is_inline:
            copy_in_place(tiff.original, entry.start, entry.size, target)
    target.seek(offset)
    target.write(struct.pack(tiff.order + tiff.count, len(entries)))
    target.write(b"".join(entry.raw for entry in entries))
    target.write(struct.pack(tiff.order + tiff.offset, following))


def copy_pixels(tiff: Tiff, target: IO[bytes], entries: dict[int, Entry]) -> None:
    """Copy the strips, the tiles, and what an old kind of JPEG in TIFF has beside them."""
    tables = {519: 64, 520: 16 + 256, 521: 16 + 256}  # of JPEG: bytes that one has at most
    for tag, size in tables.items():
        for start in tiff.numbers(entries[tag]) if tag in entries else ():
            copy_in_place(tiff.original, start, size, target)
    for offsets, sizes in ((273, 279), (324, 325), (513, 514)):
        if offsets not in entries or (offsets == 513 and sizes not in entries and 273 in entries):
            continue
        expected = uncoded_sizes(tiff, entries, offsets)
        given = tiff.numbers(entries[sizes]) if sizes in entries else iter(())
        for start, size in zip_longest(tiff.numbers(entries[offsets]), given, fillvalue=0):
            size = max(size, next(expected, 0))
            if start and not size:
                raise UnreadableStructure
            copy_in_place(tiff.original, start, size, target)


def uncoded_sizes(tiff: Tiff, entries: dict[int, Entry], offsets: int) -> Iterator[int]:
    """Yield the bytes of the strips or tiles of pixels that aren't compressed, which readers don't ask the file for."""
    compression = tiff.number(entries.get(259), 1)
    if compression != 1 or tiff.number(entries.get(262)) == 6 or offsets not in (273, 324):
        return
    samples, bits = tiff.number(entries.get(277), 1), tiff.number(entries.get(258), 1)
    if tiff.number(entries.get(284), 1) == 2:
        samples = 1
    width, height = tiff.number(entries.get(256)), tiff.number(entries.get(257))
    if offsets == 324:
        width, rows = tiff.number(entries.get(322)), tiff.number(entries.get(323))
        yield from repeat((width * samples * bits + 7) // 8 * rows)
    rows = tiff.number(entries.get(278), height)
    row = (width * samples * bits + 7) // 8
    while rows and height:  # once for each plane
        for top in range(0, height, rows):
            yield row * min(rows, height - top)


def copy_in_place(original: Original, offset: int, size: int, target: IO[bytes]) -> None:
    """Copy as much of a part as the file has."""
    size = min(size, original.size - offset)
    if size > 0:
        target.seek(offset)
        original.copy(offset, size, target)


# JPEG

SOI, EOI, SOS, APP0, APP1, APP2, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
ALONE = {0x01, *range(0xD0, 0xDA)}  # markers that no segment follows
CODING = {*range(0xC0, 0xD0), *range(0xDA, 0xE0)}  # frames, tables, scans
MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"


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
            write_segment(target, APP1, b"Exif\0\0" + exif)
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
    place, exif, xmp = 2, None, b""
    while (segment := next_segment(original, place)) and segment.marker not in (SOS, EOI):
        place = segment.end
        if segment.marker == APP1:
            start = original.read(segment.body, min(segment.size, len(XMP_IN_JPEG)))
            if start.startswith(b"Exif\0\0") and exif is None:
                exif = Exif.read(original, segment.body, segment.end)
            elif start == XMP_IN_JPEG:
                xmp = xmp or original.read(segment.body, segment.size)
    return (exif or Exif()).turned(xmp).write()


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


# PNG

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"pHYs", b"bKGD", b"hIST", b"sBIT"),
    *(b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"cICP", b"mDCV", b"mDCv", b"cLLI", b"cLLi", b"oFFs"),
}
XMP_IN_PNG = b"XML:com.adobe.xmp\0\0\0"  # not compressed, as XMP is to be


def clean_png(original: Original, target: IO[bytes]) -> None:
    """Copy the known chunks up to the last; EXIF data go before the pixels, where browsers look for them."""
    if original.read(0, 8) != PNG_SIGNATURE:
        raise UnreadableStructure
    target.write(PNG_SIGNATURE)
    place, exif, xmp, is_written = 8, Exif(), b"", False
    while place + 12 <= original.size:
        size, kind = struct.unpack(">I4s", original.read(place, 8))
        if place + 12 + size > original.size:
            raise UnreadableStructure
        if kind == b"eXIf" and not exif.main and not exif.photograph:
            exif = Exif.read(original, place + 8, place + 8 + size)
        elif kind == b"iTXt" and original.peek(place + 8, min(size, len(XMP_IN_PNG))) == XMP_IN_PNG:
            xmp = original.read(place + 8, min(size, XMP_SIZE))
        if kind in (b"IDAT", b"IEND") and not is_written and (block := exif.turned(xmp).write()):
            checksum = zlib.crc32(b"eXIf" + block)
            target.write(struct.pack(">I4s", len(block), b"eXIf") + block + struct.pack(">I", checksum))
            is_written = True
        if kind in PNG_CHUNKS:
            original.copy(place, 12 + size, target)
        place += 12 + size
        if kind == b"IEND":
            break


# WebP

WEBP_CHUNKS = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
WEBP_FRAME_CHUNKS = {b"VP8 ", b"VP8L", b"ALPH"}
WEBP_EXIF, WEBP_XMP = 0x08, 0x04  # flags


def clean_webp(original: Original, target: IO[bytes]) -> None:
    """Copy the known chunks; EXIF data come last, and flags and sizes are made to fit."""
    name, following, kind = struct.unpack("<4sI4s", original.read(0, 12))
    end = following + 8
    if name != b"RIFF" or kind != b"WEBP" or end > original.size:
        raise UnreadableStructure
    target.write(original.read(0, 12))
    exif, xmp = Exif(), b""
    for kind, body, size in webp_chunks(original, 12, end):
        if kind == b"EXIF":
            exif = Exif.read(original, body, body + size)
        elif kind == b"XMP ":
            xmp = original.read(body, min(size, XMP_SIZE))
        if kind in WEBP_CHUNKS:
            start = target.tell()
            original.copy(body - 8, 8 + size, target)
            if kind == b"ANMF":
                blank_in_frame(original, body, body + size, target, start + 8 - body)
            target.write(bytes(size % 2))
    if original.read(12, 4) == b"VP8X":  # the form in which there may be EXIF data
        block = exif.turned(xmp).write()
        flags = original.read(20, 1)[0] & ~(WEBP_EXIF | WEBP_XMP)
        target.seek(20)
        target.write(bytes([flags | (WEBP_EXIF if block else 0)]))
        target.seek(0, 2)
        if block:
            target.write(struct.pack("<4sI", b"EXIF", len(block)) + block + bytes(len(block) % 2))
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


# GIF

GIF_IMAGE, GIF_EXTENSION, GIF_END = b",", b"!", b";"
GIF_CONTROL, GIF_APPLICATION = 0xF9, 0xFF
GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
GIF_PROFILE = b"ICCRGBG1012"


def clean_gif(original: Original, target: IO[bytes]) -> None:
    """Copy the frames, what controls them, the loop and the colour profile."""
    header = original.read(0, 13)
    if header[:6] not in (b"GIF87a", b"GIF89a"):
        raise UnreadableStructure
    place = 13 + colours(header[10])
    original.copy(0, place, target)
    while (kind := original.peek(place, 1)) not in (b"", GIF_END):
        if kind == GIF_IMAGE and place + 11 <= original.size:
            body = place + 11 + colours(original.read(place + 9, 1)[0])
            original.copy(place, body - place, target)
            place = copy_blocks(original, body, target)
        elif kind == GIF_EXTENSION:
            place = clean_extension(original, place, target)
        else:
            place += 1  # decoders skip what stands between two blocks
    target.write(GIF_END)


def colours(flags: int) -> int:
    """Return the bytes of the colour table that an image's or a screen's flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def copy_blocks(original: Original, place: int, target: IO[bytes] | None) -> int:
    """Copy, or else skip, a chain of blocks, and return where it ends."""
    while size := original.peek(place, 1):
        end = min(place + 1 + size[0], original.size)
        if target:
            original.copy(place, end - place, target)
        place = end
        if not size[0]:
            break
    return place


def clean_extension(original: Original, place: int, target: IO[bytes]) -> int:
    label = original.peek(place, 14)
    name = label[3:14]
    if len(label) < 14:
        return original.size
    if label[1] == GIF_CONTROL and label[2] == 4:
        target.write(label[:7] + b"\0")
    elif label[1] == GIF_APPLICATION and label[2] == 11:
        loop = original.peek(place + 14, 4)
        if name in GIF_LOOPS and loop[:2] == b"\3\1" and len(loop) == 4:
            target.write(label + loop + b"\0")
        elif name == GIF_PROFILE:
            target.write(label)
            return copy_blocks(original, place + 14, target)
    return copy_blocks(original, place + 2, None)


# AVIF, MP4 and QuickTime, which are boxes within boxes

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


CLEANERS: dict[str, Callable[[Original, IO[bytes]], None]] = {
    "image/jpeg": clean_jpeg,
    "image/png": clean_png,
    "image/webp": clean_webp,
    "image/gif": clean_gif,
    "image/tiff": clean_tiff,
    "image/avif": clean_items,
    "image/heif": clean_items,
    "image/heic": clean_items,
    "video/mp4": clean_movie,
    "video/quicktime": clean_movie,
    "audio/mp4": clean_movie,
}
