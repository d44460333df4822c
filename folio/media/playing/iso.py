"""MP4, QuickTime and their relatives: what their boxes say of the tracks."""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from ..privacy.boxes import Box, boxes, find
from ..privacy.original import UnreadableStructure
from .glance import Glance
from .played import BrokenOff, Played, seconds, shown_size

# What such a file begins with; one of before there was `ftyp` with its index, its data, or room for either.
FIRST = {b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"moof", b"sidx", b"uuid"}
# Pictures, and raw photographs, that are made of the same boxes; some of them have tracks, too.
PICTURES = {
    *(b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
    *(b"mif1", b"mif2", b"msf1", b"miaf", b"crx "),
}
QUICKTIME = b"qt  "
LAST_FRAGMENTS = 8  # of which each may hold one track
ENTRIES = 20_000  # samples of a fragment whose durations are read
UNKNOWN = (2**32 - 1, 2**64 - 1)  # as a duration


@dataclass(frozen=True)
class Track:
    """A track of a film, as its index describes it."""

    id: int
    handler: bytes
    box: Box
    is_enabled: bool
    chapters: tuple[int, ...]  # the tracks that hold this one's chapters: their titles, or pictures


def read_iso(glance: Glance) -> Played | None:
    """Return what plays of MP4 or QuickTime; None of other files. Raises BrokenOff where there is no index."""
    first = glance.peek(0, 8)
    if first[4:] not in FIRST:
        return None
    walk = boxes(glance, 0, glance.size)
    brand, moov = find_index(glance, walk)
    if brand in PICTURES:
        return None
    if moov is None:
        is_data = first[4:] in (b"mdat", b"wide") and first < b" "  # a text may begin with `The wide world`
        if glance.peek(4, 4) == b"ftyp" and glance.peek(8, 4) in PICTURES:  # one that is cut off within its first box
            return None
        if (brand is not None or first[4:] == b"ftyp" or is_data) and not is_picture(glance):
            raise BrokenOff
        return None
    tracks = list(read_tracks(glance, moov))
    chapters = {id for track in tracks for id in track.chapters}
    shown = [track for track in tracks if track.handler == b"vide" and track.id not in chapters]
    heard = [track for track in tracks if track.handler == b"soun"]
    if not shown and not heard:
        return None
    size = None
    if shown:
        film = next((track for track in shown if track.is_enabled), shown[0])
        with suppress(UnreadableStructure):
            size = read_size(glance, moov, film.box)
    duration = None
    with suppress(UnreadableStructure):  # too many fragments: a part of them would tell less than nothing
        duration = read_duration(glance, moov, [*shown, *heard], walk)
    if not shown:
        return Played("audio/mp4", duration)
    mime_type = "video/quicktime" if brand in (QUICKTIME, None) else "video/mp4"
    return Played(mime_type, duration, *(size or (None, None)))


def find_index(glance: Glance, walk: Iterator[Box]) -> tuple[bytes | None, Box | None]:
    """Return a file's brand and the box with its index, each None where there is none; the walk stops behind that."""
    brand = None
    with suppress(UnreadableStructure):  # what lies behind the first damage is not looked at
        for box in walk:
            if box.kind == b"ftyp" and brand is None:
                brand = glance.peek(box.body, 4)
            elif box.kind == b"moov":
                return brand, box
    return brand, None


def is_picture(glance: Glance) -> bool:
    """Tell whether a file without an index is a picture that goes by another brand."""
    with suppress(UnreadableStructure):
        return any(box.kind == b"meta" for box in boxes(glance, 0, glance.size))
    return False


def read_tracks(glance: Glance, moov: Box) -> Iterator[Track]:
    for trak in boxes(glance, moov.body, moov.end):
        if trak.kind != b"trak":
            continue
        handler, header = find(glance, trak, b"mdia", b"hdlr"), find(glance, trak, b"tkhd")
        if handler is None or header is None:
            continue
        is_long = glance.number(header.body, 1) == 1
        chapters = find(glance, trak, b"tref", b"chap")
        yield Track(
            id=glance.number(header.body + (20 if is_long else 12), 4),
            handler=glance.read(handler.body + 8, 4),
            box=trak,
            is_enabled=bool(glance.number(header.body + 3, 1) & 1),
            chapters=glance.unpack(f">{min(9, (chapters.end - chapters.body) // 4)}I", chapters.body)
            if chapters
            else (),
        )


def read_size(glance: Glance, moov: Box, trak: Box) -> tuple[int, int] | None:
    """Return a film's size in pixels, as browsers show it."""
    header = find(glance, trak, b"tkhd")
    description = find(glance, trak, b"mdia", b"minf", b"stbl", b"stsd")
    assert header
    place = header.body + (52 if glance.number(header.body, 1) == 1 else 40)
    shown = [value >> 16 for value in glance.unpack(">II", place + 36)]
    width, height, aspect = 0, 0, None
    if description and description.end - description.body >= 52:
        entry = description.body + 8  # the first; its fields take 86 bytes, and boxes follow
        width, height = glance.unpack(">HH", entry + 32)
        end = min(description.end, entry + glance.number(entry, 4))
        with suppress(UnreadableStructure):
            aspect = read_aspect(glance, Box(b"", entry, entry + 86, end))
    if not (width and height):
        width, height = shown
    elif aspect is None and all(shown):
        aspect = Fraction(shown[0] * height, shown[1] * width)
    return shown_size(width, height, aspect, is_turned=is_turned(glance, moov, place))


def read_aspect(glance: Glance, extensions: Box) -> Fraction | None:
    """Return the width of a pixel by its height, where a sample's description tells it."""
    pasp = find(glance, extensions, b"pasp")
    across, down = glance.unpack(">II", pasp.body) if pasp else (0, 0)
    return Fraction(across, down) if across and down else None


def is_turned(glance: Glance, moov: Box, place: int) -> bool:
    """Tell whether the matrices of a track, which is at that place, and of the film turn it by a right angle."""
    a, b, _, c, d = glance.unpack(">5i", place)
    movie = find(glance, moov, b"mvhd")
    if movie:
        start = movie.body + (48 if glance.number(movie.body, 1) == 1 else 36)
        e, f, _, g, h = glance.unpack(">5i", start)
        if any((e, f, g, h)):
            a, b, c, d = a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h
    return abs(b) > abs(a) and abs(c) > abs(d)


def read_duration(glance: Glance, moov: Box, tracks: list[Track], rest: Iterator[Box]) -> float | None:
    """Return how many seconds the tracks take: by the film's header, the last of its fragments, or their own headers.

    `rest` are the boxes behind the index.
    """
    found: list[float | None] = []
    scale = 0
    header = find(glance, moov, b"mvhd")
    if header:
        scale, ticks = read_time(glance, header)
        found.append(seconds(ticks, scale))
    extends = find(glance, moov, b"mvex")
    if extends:
        whole = find(glance, extends, b"mehd")
        if whole:
            ticks = glance.number(whole.body + 4, 8 if glance.number(whole.body, 1) == 1 else 4)
            found.append(seconds(0 if ticks in UNKNOWN else ticks, scale))
        else:
            found.extend(read_ends(glance, extends, tracks, last_fragments(glance, rest)))
    if not any(found):
        for header in (find(glance, track.box, b"mdia", b"mdhd") for track in tracks):
            if header:
                scale, ticks = read_time(glance, header)
                found.append(seconds(ticks, scale))
    return max((each for each in found if each), default=None)


def last_fragments(glance: Glance, rest: Iterator[Box]) -> deque[Box]:
    fragments = deque[Box](maxlen=LAST_FRAGMENTS)
    try:
        fragments.extend(box for box in rest if box.kind == b"moof")
    except UnreadableStructure:  # a transfer broke off, within a fragment
        if glance.is_exhausted:
            raise
    return fragments


def read_time(glance: Glance, header: Box) -> tuple[int, int]:
    """Return a header's ticks per second, and how many of them it lasts, 0 where it doesn't know."""
    is_long = glance.number(header.body, 1) == 1
    place = header.body + (20 if is_long else 12)
    scale, ticks = glance.number(place, 4), glance.number(place + 4, 8 if is_long else 4)
    return scale, 0 if ticks in UNKNOWN else ticks


def read_ends(glance: Glance, extends: Box, tracks: list[Track], fragments: deque[Box]) -> Iterator[float | None]:
    """Yield when, in seconds, each of the last fragments ends."""
    defaults = {
        glance.number(box.body + 4, 4): glance.number(box.body + 12, 4)
        for box in boxes(glance, extends.body, extends.end)
        if box.kind == b"trex"
    }
    scales = {}
    for track in tracks:
        header = find(glance, track.box, b"mdia", b"mdhd")
        if header:
            scales[track.id] = read_time(glance, header)[0]
    for fragment in fragments:
        for traf in boxes(glance, fragment.body, fragment.end):
            if traf.kind == b"traf":
                track_id, ticks = read_end(glance, traf, defaults)
                yield seconds(ticks, scales.get(track_id, 0))


def read_end(glance: Glance, traf: Box, defaults: dict[int, int]) -> tuple[int, int]:
    """Return a fragment's track, and the tick at which it ends."""
    found = [box for box in boxes(glance, traf.body, traf.end) if box.kind in (b"tfhd", b"tfdt", b"trun")]
    header = next((box for box in found if box.kind == b"tfhd"), None)
    base = next((box for box in found if box.kind == b"tfdt"), None)
    if header is None or base is None:
        return 0, 0
    flags, track_id = glance.unpack(">II", header.body)
    default = defaults.get(track_id, 0)
    if flags & 0x8:
        default = glance.number(header.body + 8 + 8 * bool(flags & 0x1) + 4 * bool(flags & 0x2), 4)
    end = glance.number(base.body + 4, 8 if glance.number(base.body, 1) == 1 else 4)
    for run in found:
        if run.kind != b"trun":
            continue
        flags, count = glance.unpack(">II", run.body)
        if not flags & 0x100:
            end += count * default
            continue
        place = run.body + 8 + 4 * bool(flags & 0x1) + 4 * bool(flags & 0x4)
        fields = sum(bool(flags & flag) for flag in (0x100, 0x200, 0x400, 0x800))
        count = min(count, ENTRIES, (run.end - place) // (4 * fields))
        end += sum(glance.unpack(f">{count * fields}I", place)[::fields])
    return track_id, end
