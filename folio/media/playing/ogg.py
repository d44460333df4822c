"""Ogg: what the first pages say of the streams in it, and the last page of the time."""

from fractions import Fraction

from .glance import Glance
from .played import Played, seconds, shown_size

STREAMS = 32  # whose first pages are looked at
TAIL = 256 * 1024  # bytes at the end in which the last page begins: three of the largest
FIRST = 2  # the flag of a stream's first page
NONE = 2**64 - 1  # as a position: no packet ends on that page


def read_ogg(glance: Glance) -> Played | None:
    """Return what plays of an Ogg; None of other files."""
    found: dict[int, tuple[bytes, int]] = {}  # by the stream's number: how its first packet begins, and where
    place = 0
    for _ in range(STREAMS):
        page = glance.peek(place, 27)
        if page[:4] != b"OggS" or len(page) < 27 or not page[5] & FIRST:
            break
        sizes = glance.read(place + 27, page[26])
        body = place + 27 + len(sizes)
        found[int.from_bytes(page[14:18], "little")] = glance.peek(body, 64), body
        place = body + sum(sizes)
    sounds = {stream: head for stream, (head, _) in found.items() if is_sound(head)}
    films = {stream: head for stream, (head, _) in found.items() if head[:7] == b"\x80theora" and len(head) >= 42}
    if films:
        stream, head = next(iter(films.items()))
        return Played(
            "video/ogg", film_seconds(head, last_position(glance, stream)), *(film_size(head) or (None, None))
        )
    if any(head[:7] in (b"\x80theora", b"OVP80\1\1") for head, _ in found.values()):
        return Played("video/ogg", None)
    if not sounds:
        return None
    stream, head = next(iter(sounds.items()))
    return Played("audio/ogg", sound_seconds(head, last_position(glance, stream)))


def is_sound(head: bytes) -> bool:
    return head.startswith((b"\1vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   "))


def sound_seconds(head: bytes, position: int) -> float | None:
    if head[:8] == b"OpusHead":
        return seconds(position - int.from_bytes(head[10:12], "little"), 48_000)
    if head[:5] == b"\x7fFLAC":
        return seconds(position, int.from_bytes(head[27:30]) >> 4)
    start = 12 if head[:7] == b"\1vorbis" else 36
    return seconds(position, int.from_bytes(head[start : start + 4], "little"))


def film_seconds(head: bytes, position: int) -> float | None:
    """Return how long Theora plays; a position holds the number of the last key frame, and of those since."""
    shift = int.from_bytes(head[40:42]) >> 5 & 31
    frames = (position >> shift) + (position & (1 << shift) - 1)
    return seconds(frames * int.from_bytes(head[26:30]), int.from_bytes(head[22:26]))


def film_size(head: bytes) -> tuple[int, int] | None:
    width, height = int.from_bytes(head[14:17]), int.from_bytes(head[17:20])
    across, down = int.from_bytes(head[30:33]), int.from_bytes(head[33:36])
    return shown_size(width, height, Fraction(across, down) if across and down else None, is_turned=False)


def last_position(glance: Glance, stream: int) -> int:
    """Return the position, in the stream's own measure, at the end of its last page; 0 where none is found."""
    start = max(0, glance.size - TAIL)
    tail = glance.read(start, glance.size - start)
    place = len(tail)
    while (place := tail.rfind(b"OggS", 0, place)) >= 0:
        page = tail[place : place + 27]
        position = int.from_bytes(page[6:14], "little")
        if len(page) == 27 and int.from_bytes(page[14:18], "little") == stream and position != NONE:
            return position
    return 0
