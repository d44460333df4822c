"""Films in fragments, of which each says in its own way where the data of a track are."""

from collections import defaultdict
from collections.abc import Iterator
from typing import IO

from .boxes import (
    MOVIE_BOXES,
    SHOWN_TRACKS,
    TEXT_TRACKS,
    Box,
    Part,
    boxes,
    clean_movie,
    find,
    hide,
    is_private_track,
    tells_position,
)
from .original import Original, UnreadableStructure

BASE, DESCRIPTION, DURATION, SIZE = 0x1, 0x2, 0x8, 0x10  # what `tfhd` tells
AT_FRAGMENT = 0x20000  # also `tfhd`'s: that data are counted from where the fragment begins
OFFSET, FIRST_FLAGS = 0x1, 0x4  # what `trun` tells before its samples
FIELDS = (0x100, 0x200, 0x400, 0x800)  # and of each of them: duration, size, flags, time
SIZES = 0x200
AT_ONCE = 4096  # samples that are read at a time


def clean_film(original: Original, target: IO[bytes], rights: bool) -> None:
    """Copy a film or a sound without what it is shown without, whether it is whole or in fragments."""
    clean_movie(original, target, rights)
    moov, moofs = None, []
    for box in boxes(original, 0, original.size, MOVIE_BOXES):
        if box.kind == b"moov":
            moov = box
        elif box.kind == b"moof":
            moofs.append(box)
    if moov and moofs:
        clean_fragments(original, target, moov, moofs)
    target.seek(0, 2)


def clean_fragments(original: Original, target: IO[bytes], moov: Box, moofs: list[Box]) -> None:
    """Hide the tracks of positions and sensors in fragments, with their data."""
    others = dict(tracks_not_shown(original, moov))
    if not others:
        return
    sizes = usual_sizes(original, moov)
    parts: dict[int, list[Part]] = defaultdict(list)
    places: dict[int, list[Box]] = defaultdict(list)
    for moof in moofs:
        for track, traf, part in parts_of(original, moof, sizes):
            if track in others:
                places[track].append(traf)
                parts[track].append(part)
    for track, trak in others.items():
        if is_private_track(original, trak) or (is_text(original, trak) and tells_position(original, parts[track])):
            for part in parts[track]:
                original.blank(part.start, part.size, target)
            for box in (*(traf for traf in dict.fromkeys(places[track]) if stands_alone(original, traf)), trak):
                hide(original, box, target)


def stands_alone(original: Original, traf: Box) -> bool:
    """Tell whether a track's data are found without the track before it, and so the next one's without this one."""
    header = find(original, traf, b"tfhd")
    return header is not None and bool(original.unpack(">I", header.body)[0] & (BASE | AT_FRAGMENT))


def tracks_not_shown(original: Original, moov: Box) -> Iterator[tuple[int, Box]]:
    """Yield the tracks that are neither seen nor heard, by their ids."""
    for trak in boxes(original, moov.body, moov.end):
        if trak.kind == b"trak" and handler_of(original, trak) not in SHOWN_TRACKS:
            header = find(original, trak, b"tkhd")
            if header is None:
                raise UnreadableStructure
            place = header.body + (20 if original.read(header.body, 1) == b"\1" else 12)
            yield int.from_bytes(original.read(place, 4)), trak


def handler_of(original: Original, trak: Box) -> bytes:
    handler = find(original, trak, b"mdia", b"hdlr")
    return original.peek(handler.body + 8, 4) if handler else b""


def is_text(original: Original, trak: Box) -> bool:
    return handler_of(original, trak) in TEXT_TRACKS


def usual_sizes(original: Original, moov: Box) -> dict[int, int]:
    """Return the bytes of a sample where nothing else tells them, by the track."""
    extends = find(original, moov, b"mvex")
    found = {}
    for box in boxes(original, extends.body, extends.end) if extends else ():
        if box.kind == b"trex":
            track, _, _, size = original.unpack(">4I", box.body + 4)
            found[track] = size
    return found


def parts_of(original: Original, moof: Box, sizes: dict[int, int]) -> Iterator[tuple[int, Box, Part]]:
    """Yield the tracks of a fragment, with their boxes, each time with where some data of them are."""
    end = moof.start  # of the data of the track before
    for traf in boxes(original, moof.body, moof.end):
        if traf.kind == b"traf":
            for track, part in parts_of_track(original, moof, traf, sizes, end):
                end = part.start + part.size
                yield track, traf, part


def parts_of_track(
    original: Original, moof: Box, traf: Box, sizes: dict[int, int], before: int
) -> Iterator[tuple[int, Part]]:
    header = find(original, traf, b"tfhd")
    if header is None:
        raise UnreadableStructure
    flags, track = original.unpack(">II", header.body)
    place = header.body + 8
    base = moof.start if flags & AT_FRAGMENT else before
    if flags & BASE:
        (base,) = original.unpack(">Q", place)
    place += 8 * bool(flags & BASE) + 4 * bool(flags & DESCRIPTION) + 4 * bool(flags & DURATION)
    usual = original.unpack(">I", place)[0] if flags & SIZE else sizes.get(track, 0)
    at = base
    for run in boxes(original, traf.body, traf.end):
        if run.kind != b"trun":
            continue
        told, count = original.unpack(">II", run.body)
        place = run.body + 8
        if told & OFFSET:
            at = base + original.unpack(">i", place)[0]
        place += 4 * bool(told & OFFSET) + 4 * bool(told & FIRST_FLAGS)
        size = sum(sizes_of(original, place, count, told)) if told & SIZES else count * usual
        yield track, Part(at, size)
        at += size


def sizes_of(original: Original, place: int, count: int, told: int) -> Iterator[int]:
    """Yield the sizes of a run's samples."""
    fields = sum(bool(told & field) for field in FIELDS)
    column = bool(told & FIELDS[0])
    for first in range(0, count, AT_ONCE):
        rows = min(AT_ONCE, count - first)
        yield from original.unpack(f">{rows * fields}I", place + 4 * fields * first)[column::fields]
