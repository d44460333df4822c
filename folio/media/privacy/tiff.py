"""TIFF: everything stays in its place, and zeros take that of what isn't kept."""

import struct
from collections.abc import Iterator
from itertools import repeat, zip_longest
from typing import IO

from .directories import (
    ASCII,
    EXIF_DIRECTORY,
    ICC_PROFILE,
    INTEGERS,
    INTEROPERABILITY_DIRECTORY,
    SUB_DIRECTORIES,
    UNDEFINED,
    UTF_8,
    Entry,
    Tiff,
)
from .exif import INTEROPERABILITY_TAGS, PHOTOGRAPH_RIGHTS_TAGS, PHOTOGRAPH_TAGS, RIGHTS_TAGS
from .iptc import rights_of_iptc
from .original import Original, UnreadableStructure
from .xmp import XMP_SIZE, rights_of_xmp

MAX_DIRECTORIES = 65_536  # pages, and smaller versions of them
# What a TIFF needs to be shown right, numbers all of it: TIFF 6.0's baseline and extensions, and libtiff's.
TIFF_TAGS = {
    *range(254, 260), *(262, 263, 264, 265, 266, 273, 274), *range(277, 285), *(286, 287), *range(290, 294),
    *(296, 297, 301), *range(317, 329), *(332, 336), *range(338, 343), *(346, 347, 434, 435), *range(512, 516),
    *range(517, 522), *range(529, 533), 559, *range(32995, 32999), ICC_PROFILE, 37439, 50674,
}  # fmt: skip
TIFF_BINARY_TAGS = {347, ICC_PROFILE}  # JPEG tables, profile
NO_NUMBERS = {ASCII, UNDEFINED, UTF_8}
XMP_TAG, IPTC_TAG = 700, 33723


def clean_tiff(original: Original, target: IO[bytes], rights: bool) -> None:
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
        values = rights_of_directory(tiff, offset, entries) if rights else {}
        for entry in entries:
            if entry.tag == EXIF_DIRECTORY and entry.type in INTEGERS:
                if keep_exif(tiff, target, entry, rights):
                    kept.append(entry)
            elif entry in values or shows_pixels(entry):
                kept.append(entry)
            if entry.tag == SUB_DIRECTORIES:
                waiting.extend(place for place in tiff.numbers(entry) if place not in seen)
                if len(waiting) > MAX_DIRECTORIES:
                    raise UnreadableStructure
        copy_pixels(tiff, target, {entry.tag: entry for entry in kept})
        write_directory(tiff, target, offset, kept, 0 if following in seen else following, values)
        waiting.append(following)


def shows_pixels(entry: Entry) -> bool:
    """Tell whether a page's tag is one of those that it is shown by, and none that could hold a text."""
    is_binary = entry.tag in TIFF_BINARY_TAGS and entry.type == UNDEFINED
    return entry.tag in TIFF_TAGS and (entry.type not in NO_NUMBERS or is_binary)


def rights_of_directory(tiff: Tiff, offset: int, entries: list[Entry]) -> dict[Entry, bytes]:
    """Return what of a page's tags says whose the picture is; each value has the size that it had."""
    values = padded(tiff.texts(offset, RIGHTS_TAGS))
    for entry in entries:
        if entry.tag not in (XMP_TAG, IPTC_TAG) or entry.is_inline or entry.size > XMP_SIZE:
            continue
        given = tiff.original.read(entry.start, entry.size)
        if entry.tag == XMP_TAG:
            kept, fill = rights_of_xmp(given, entry.size), b" "
        else:
            kept, fill = rights_of_iptc(given), b"\0"
        if kept and len(kept) <= entry.size:
            values[entry] = kept.ljust(entry.size, fill)
    return values


def padded(texts: dict[int, tuple[Entry, bytes]]) -> dict[Entry, bytes]:
    return {entry: text.ljust(entry.size, b"\0") for entry, text in texts.values()}


def keep_exif(tiff: Tiff, target: IO[bytes], pointer: Entry, rights: bool) -> bool:
    """Write what is kept of an EXIF directory to where it was; tell whether there is anything."""
    try:
        offset = tiff.number(pointer)
        kept = tiff.harmless(offset, PHOTOGRAPH_TAGS)
        below = tiff.pointer(offset, INTEROPERABILITY_DIRECTORY)
        inner = tiff.harmless(tiff.number(below), INTEROPERABILITY_TAGS) if below else {}
        texts = padded(tiff.texts(offset, PHOTOGRAPH_RIGHTS_TAGS)) if rights else {}
    except UnreadableStructure:
        if tiff.original.is_exhausted:
            raise
        return False
    if below and inner:
        write_directory(tiff, target, tiff.number(below), list(inner.values()), 0)
        kept[below.tag] = below
    kept |= {entry.tag: entry for entry in texts}
    if kept:
        write_directory(tiff, target, offset, sorted(kept.values(), key=lambda entry: entry.tag), 0, texts)
    return bool(kept)


def write_directory(
    tiff: Tiff,
    target: IO[bytes],
    offset: int,
    entries: list[Entry],
    following: int,
    values: dict[Entry, bytes] | None = None,
) -> None:
    """Write a directory to where it was, and its values to where they were; `values` has those that are others."""
    values = values or {}
    head = tiff.entry_size - tiff.offset_size
    table = b""
    for entry in entries:
        value = values.get(entry)
        if entry.is_inline and value is not None:
            table += entry.raw[:head] + value.ljust(tiff.offset_size, b"\0")
            continue
        table += entry.raw
        if value is not None:
            target.seek(entry.start)
            target.write(value)
        elif not entry.is_inline:
            copy_in_place(tiff.original, entry.start, entry.size, target)
    target.seek(offset)
    target.write(struct.pack(tiff.order + tiff.count, len(entries)))
    target.write(table)
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
