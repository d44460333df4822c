"""WebM and Matroska: what their elements say of the tracks."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction

from ..privacy.original import UnreadableStructure
from .glance import Glance
from .played import BrokenOff, Played, seconds, shown_size

HEADER, DOCTYPE, SEGMENT = 0x1A45DFA3, 0x4282, 0x18538067
INFO, TRACKS, CLUSTER, SEEK_HEAD = 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x114D9B74
SCALE, DURATION = 0x2AD7B1, 0x4489
SEEK, SEEK_ID, SEEK_POSITION = 0x4DBB, 0x53AB, 0x53AC
TRACK, TRACK_TYPE, VIDEO = 0xAE, 0x83, 0xE0
WIDTH, HEIGHT, SHOWN_WIDTH, SHOWN_HEIGHT, SHOWN_UNIT = 0xB0, 0xBA, 0x54B0, 0x54BA, 0x54B2
TIMESTAMP, SIMPLE_BLOCK, BLOCK_GROUP, BLOCK = 0xE7, 0xA3, 0xA0, 0xA1
FILM, SOUND = 1, 2  # types of tracks
USUAL_SCALE = 1_000_000  # nanoseconds per tick
UNIT_UNKNOWN = 4
TAIL = 4 * 1024 * 1024  # bytes at the end in which the last cluster begins, unless it is a very long one
MOST_NUMBER = 8  # bytes


@dataclass(frozen=True)
class Element:
    id: int
    body: int
    end: int  # the surrounding element's where its own is unknown
    is_open: bool  # whose end is unknown


@dataclass
class Told:
    """What a file's head says."""

    scale: int = USUAL_SCALE
    ticks: float = 0.0
    types: set[int] = field(default_factory=set)
    size: tuple[int, int] | None = None
    has_tracks: bool = False


def read_matroska(glance: Glance) -> Played | None:
    """Return what plays of WebM or Matroska; None of other files. Raises BrokenOff where there are no tracks."""
    if glance.peek(0, 4) != HEADER.to_bytes(4):
        return None
    doctype = ""
    told = Told()
    with suppress(UnreadableStructure):
        for element in elements(glance, 0, glance.size):
            if element.id == HEADER:
                doctype = read_doctype(glance, element)
                if doctype not in ("webm", "matroska"):
                    return None
            elif element.id == SEGMENT:
                read_segment(glance, element, told)
                break
    if not doctype:
        return None
    if not told.has_tracks:
        raise BrokenOff
    duration = seconds(told.ticks * told.scale, 1e9)
    if duration is None:
        with suppress(UnreadableStructure):
            duration = seconds(last_moment(glance) * told.scale, 1e9)
    name = "webm" if doctype == "webm" else "x-matroska"
    if FILM in told.types:
        return Played(f"video/{name}", duration, *(told.size or (None, None)))
    return Played(f"audio/{name}", duration) if SOUND in told.types else None


def elements(glance: Glance, start: int, end: int) -> Iterator[Element]:
    """Yield the elements between two offsets; those that are cut off end where the file does."""
    while start < end:
        head = glance.peek(start, 12)
        width = leading(head[:1])
        size_width = leading(head[width : width + 1])
        body = start + width + size_width
        if width > 4 or not size_width or len(head) < width + size_width:
            return
        size = int.from_bytes(head[width : width + size_width]) & (1 << 7 * size_width) - 1
        is_open = size == (1 << 7 * size_width) - 1
        stop = end if is_open else min(end, body + size)
        yield Element(int.from_bytes(head[:width]), body, stop, is_open)
        start = stop


def leading(first: bytes) -> int:
    """Return how many bytes a number has by its first one, 1 to 8; 9 where that tells nothing."""
    return 9 - first[0].bit_length() if first else 9


def number(glance: Glance, element: Element) -> int:
    return glance.number(element.body, min(MOST_NUMBER, element.end - element.body))


def read_doctype(glance: Glance, header: Element) -> str:
    for element in elements(glance, header.body, header.end):
        if element.id == DOCTYPE:
            return glance.read(element.body, min(16, element.end - element.body)).rstrip(b"\0").decode("latin-1")
    return "matroska"


def read_segment(glance: Glance, segment: Element, told: Told) -> None:
    """Read information and tracks, which stand in front of the pictures, or where the front says they do."""
    elsewhere: dict[int, int] = {}
    is_informed = False
    for element in elements(glance, segment.body, segment.end):
        if element.id == SEEK_HEAD:
            elsewhere |= dict(read_seeks(glance, element, segment))
        elif element.id == INFO:
            read_info(glance, element, told)
            is_informed = True
        elif element.id == TRACKS:
            read_tracks(glance, element, told)
        elif element.id == CLUSTER:
            break
        if is_informed and told.has_tracks:
            return
    for wanted, read, is_known in ((INFO, read_info, is_informed), (TRACKS, read_tracks, told.has_tracks)):
        place = elsewhere.get(wanted)
        if place is not None and not is_known and place < glance.size:
            found = next(elements(glance, place, segment.end), None)
            if found and found.id == wanted:
                read(glance, found, told)


def read_seeks(glance: Glance, head: Element, segment: Element) -> Iterator[tuple[int, int]]:
    for seek in elements(glance, head.body, head.end):
        if seek.id == SEEK:
            values = {
                each.id: number(glance, each)
                for each in elements(glance, seek.body, seek.end)
                if each.id in (SEEK_ID, SEEK_POSITION)
            }
            if len(values) == 2:
                yield values[SEEK_ID], segment.body + values[SEEK_POSITION]


def read_info(glance: Glance, info: Element, told: Told) -> None:
    for element in elements(glance, info.body, info.end):
        if element.id == SCALE:
            told.scale = number(glance, element) or USUAL_SCALE
        elif element.id == DURATION:
            size = element.end - element.body
            if size in (4, 8):
                (told.ticks,) = struct.unpack(">f" if size == 4 else ">d", glance.read(element.body, size))


def read_tracks(glance: Glance, tracks: Element, told: Told) -> None:
    for track in elements(glance, tracks.body, tracks.end):
        if track.id != TRACK:
            continue
        told.has_tracks = True
        for element in elements(glance, track.body, track.end):
            if element.id == TRACK_TYPE:
                told.types.add(number(glance, element))
            elif element.id == VIDEO and told.size is None:
                told.size = read_size(glance, element)


def read_size(glance: Glance, video: Element) -> tuple[int, int] | None:
    found = {
        element.id: number(glance, element)
        for element in elements(glance, video.body, video.end)
        if element.id in (WIDTH, HEIGHT, SHOWN_WIDTH, SHOWN_HEIGHT, SHOWN_UNIT)
    }
    width, height = found.get(WIDTH, 0), found.get(HEIGHT, 0)
    across, down = found.get(SHOWN_WIDTH) or width, found.get(SHOWN_HEIGHT) or height
    aspect = None
    if width and height and across and down and found.get(SHOWN_UNIT) != UNIT_UNKNOWN:
        aspect = Fraction(across * height, down * width)
    return shown_size(width, height, aspect, is_turned=False)


def last_moment(glance: Glance) -> int:
    """Return the tick of the last block, as what is recorded in a browser tells no duration; 0 where none is found."""
    start = max(0, glance.size - TAIL)
    tail = glance.read(start, glance.size - start)
    place = tail.rfind(CLUSTER.to_bytes(4))
    if place < 0:
        return 0
    cluster = next(elements(glance, start + place, glance.size), None)
    base, last = 0, 0
    for element in elements(glance, cluster.body, cluster.end) if cluster else ():
        if element.id == TIMESTAMP:
            base = number(glance, element)
        block = element if element.id == SIMPLE_BLOCK else None
        if element.id == BLOCK_GROUP:
            block = next((each for each in elements(glance, element.body, element.end) if each.id == BLOCK), None)
        if block:
            width = leading(glance.peek(block.body, 1))  # of the track's number
            last = max(last, *glance.unpack(">h", block.body + width))
    return base + last
