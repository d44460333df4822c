"""The structure of TIFF, as which EXIF data are written too: directories of tags."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .original import BLOCK_SIZE, Original, UnreadableStructure
from .texts import MAX_TEXT, tidy

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, UTF_8 = 1, 2, 3, 4, 5, 7, 129
TYPE_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
    UTF_8: 1,
}
INTEGERS = {BYTE: "B", SHORT: "H", LONG: "I", 13: "I", 16: "Q", 18: "Q"}
TEXTS = {ASCII, UTF_8}
ORIENTATION, SUB_DIRECTORIES, EXIF_DIRECTORY, INTEROPERABILITY_DIRECTORY, ICC_PROFILE = 274, 330, 34665, 40965, 34675


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
        self.original.steps_left -= count  # which take about as long as reads
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

    def texts(self, offset: int, tags: set[int]) -> dict[int, tuple[Entry, bytes]]:
        """Return those tags of a directory that hold a text, with it as far as it is kept."""
        found = {}
        for entry in self.directory(offset)[0]:
            if entry.tag in tags and entry.type in TEXTS:
                parts = self.original.read(entry.start, min(entry.size, 2 * MAX_TEXT)).split(b"\0")[:2]
                text = b"\0".join(map(tidy, parts)).rstrip(b"\0")  # the photographer's, NUL, the editor's
                if text:
                    found[entry.tag] = entry, text[: entry.size]
        return found

    def pointer(self, offset: int, tag: int) -> Entry | None:
        """Return a directory's tag that tells where another is."""
        for entry in self.directory(offset)[0]:
            if entry.tag == tag and entry.count == 1 and entry.type in INTEGERS:
                return entry
        return None
