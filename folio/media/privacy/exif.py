"""EXIF data: what is kept of them, whatever format they come in."""

import re
import struct
from dataclasses import dataclass, field, replace

from .directories import (
    ASCII,
    EXIF_DIRECTORY,
    INTEROPERABILITY_DIRECTORY,
    LONG,
    ORIENTATION,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Tiff,
)
from .original import Original, UnreadableStructure

EXIF_PREFIX = b"Exif\0\0"  # before the structure of TIFF, in some formats
DATE = re.compile(rb"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d\0?")
# What is kept of EXIF, by directory: resolution and orientation; colour space, dimensions and the date.
EXIF_TAGS: dict[int, tuple[set[int], re.Pattern[bytes] | None]] = {
    ORIENTATION: ({SHORT}, None),  # browsers take no other type
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
ARTIST, COPYRIGHT, PHOTOGRAPHER = 315, 33432, 42039
# Who made a picture and who owns it, texts all of it; the owner of a camera is another matter.
RIGHTS_TAGS, PHOTOGRAPH_RIGHTS_TAGS = {ARTIST, COPYRIGHT}, {PHOTOGRAPHER}

Value = tuple[int, int, bytes]  # type, count, bytes


@dataclass
class Exif:
    """What is kept of EXIF data, in the byte order that it came in; each directory by tag."""

    order: str = ">"
    main: dict[int, Value] = field(default_factory=dict)
    photograph: dict[int, Value] = field(default_factory=dict)
    interoperability: dict[int, Value] = field(default_factory=dict)

    @classmethod
    def read(cls, original: Original, start: int, end: int, rights: bool) -> "Exif":
        """Read EXIF data as far as they can be read, `rights` too where they are to be kept."""
        exif = cls()
        if original.peek(start, min(6, end - start)) == EXIF_PREFIX:
            start += 6
        try:
            tiff = Tiff(original, start, end)
            exif.order = tiff.order
            exif.main = exif.values(tiff, tiff.first, EXIF_TAGS)
            exif.main |= exif.texts(tiff, tiff.first, RIGHTS_TAGS if rights else set())
            if pointer := tiff.pointer(tiff.first, EXIF_DIRECTORY):
                offset = tiff.number(pointer)
                exif.photograph = exif.values(tiff, offset, PHOTOGRAPH_TAGS)
                exif.photograph |= exif.texts(tiff, offset, PHOTOGRAPH_RIGHTS_TAGS if rights else set())
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

    @staticmethod
    def texts(tiff: Tiff, offset: int, tags: set[int]) -> dict[int, Value]:
        texts = tiff.texts(offset, tags).items() if tags else ()
        return {tag: (entry.type, len(text) + 1, text + b"\0") for tag, (entry, text) in texts}

    def only_rights(self) -> "Exif":
        """Return the data without all that isn't about rights."""
        main = {tag: value for tag, value in self.main.items() if tag in RIGHTS_TAGS}
        photograph = {tag: value for tag, value in self.photograph.items() if tag in PHOTOGRAPH_RIGHTS_TAGS}
        return Exif(self.order, main, photograph)

    @property
    def orientation(self) -> int:
        """Return which of the eight ways to hold a camera it tells, or 1; damaged data may tell any number."""
        value = self.main.get(ORIENTATION)
        return int(struct.unpack(f"{self.order}H", value[2])[0]) if value else 1

    def without_orientation(self) -> "Exif":
        return replace(self, main={tag: value for tag, value in self.main.items() if tag != ORIENTATION})

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
