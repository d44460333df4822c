"""MP3 and AAC (ADTS), which are frames one after another, often with tags in front that lie about their length."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .glance import Glance
from .played import Played, seconds
from .sounds import flac_at

BLOCK = 512 * 1024  # bytes searched at a time
SEARCHED = 16 * 1024 * 1024  # bytes of pictures and texts in front in which the first frame is looked for
JUNK = 1024 * 1024  # the same where no tag explains them
CANDIDATES = 50_000  # places that look like a frame's beginning; pictures of that size have a tenth of these
RUN = 3  # frames in a row that are no accident; two where nothing comes behind them
LONGEST = 8191  # bytes of a frame
COUNTED = 4000  # frames by which the duration is told where no header tells it
TAGS = 8  # in a row
SYNC = re.compile(rb"\xff[\xe2-\xe7\xea-\xef\xf0-\xf9\xfa-\xff][\x00-\xef]")

RATES = (44_100, 48_000, 32_000)
KBITS = {  # by version and layer, of which the second and third have the same
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)


class Frame(NamedTuple):
    size: int  # bytes, with the header
    samples: int
    rate: int  # samples a second
    kind: tuple[int, int]  # of a run's frames the same: version and layer, which of AAC is 0

    @property
    def mime_type(self) -> str:
        return "audio/mpeg" if self.kind[1] else "audio/aac"


def frame_at(data: bytes, place: int) -> Frame | None:
    """Return the frame whose header lies there, if one does."""
    head = data[place : place + 7]
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer = {0: 3, 2: 2, 3: 1}.get(head[1] >> 3 & 3), 4 - (head[1] >> 1 & 3)
    if layer == 4:
        return aac_frame(head)
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version is None or rate == 3 or not 0 < bits < 15:
        return None
    per_second = RATES[rate] >> (version - 1)
    kbits = KBITS[min(version, 2), min(layer, 2) if version > 1 else layer][bits - 1]
    padding = head[2] >> 1 & 1
    if layer == 1:
        return Frame((12_000 * kbits // per_second + padding) * 4, 384, per_second, (version, layer))
    samples = 576 if layer == 3 and version > 1 else 1152
    return Frame(samples // 8 * 1000 * kbits // per_second + padding, samples, per_second, (version, layer))


def aac_frame(head: bytes) -> Frame | None:
    rate = head[2] >> 2 & 15
    if len(head) < 7 or head[1] & 0xF6 != 0xF0 or rate >= len(AAC_RATES):
        return None
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if size < 8:
        return None
    return Frame(size, 1024 * ((head[6] & 3) + 1), AAC_RATES[rate], (head[1] >> 3 & 1, 0))


def run_at(data: bytes, place: int, *, is_end: bool) -> bool:
    """Tell whether frames follow one another from a place on; `is_end` says that the file ends with the data."""
    first = frame = frame_at(data, place)
    for count in range(1, RUN):
        if first is None or frame is None:
            return False
        place += frame.size
        if is_end and count > 1 and place >= len(data):
            return True
        frame = frame_at(data, place)
        if frame is None or (frame.kind, frame.rate) != (first.kind, first.rate):
            return False
    return True


def find(glance: Glance, start: int, stop: int) -> int | None:
    """Return where the first run of frames between two offsets begins."""
    left = CANDIDATES
    for place in range(start, min(stop, glance.size), BLOCK):
        data = glance.peek(place, BLOCK + RUN * LONGEST)
        is_end = place + len(data) == glance.size
        for match in SYNC.finditer(data, 0, BLOCK + 2):
            if run_at(data, match.start(), is_end=is_end):
                return place + match.start()
            left -= 1
            if not left:
                return None
    return None


def read_frames(glance: Glance) -> Played | None:
    """Return what plays of MP3 or AAC, or of FLAC behind a tag; None of other files.

    A tag may say that it is shorter or longer than it is.
    """
    behind = place = 0
    for _ in range(TAGS):
        head = glance.peek(place, 10)
        if len(head) < 10 or head[:3] != b"ID3" or head[3] == 0xFF:
            break
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        behind, place = place + 10, place + 10 + size + 10 * (head[5] >> 4 & 1)
    if not behind:
        data = glance.peek(0, RUN * LONGEST)
        return played_from(glance, 0) if run_at(data, 0, is_end=len(data) == glance.size) else None
    flac = flac_at(glance, place)
    if flac:
        return flac
    only = frame_at(glance.peek(place, 7), 0)
    if only and place + only.size == glance.size:
        return played_from(glance, place)
    for start in (place, behind):
        found = find(glance, start, start + SEARCHED)
        if found is not None:
            return played_from(glance, found)
    return None


def find_frames(glance: Glance) -> Played | None:
    """Return what plays of frames with something else in front; None where none are found."""
    found = find(glance, 0, JUNK)
    return None if found is None else played_from(glance, found)


def played_from(glance: Glance, start: int) -> Played | None:
    """Return what plays of the frames from an offset on."""
    data = glance.peek(start, LONGEST)
    first = frame_at(data, 0)
    if first is None:
        return None
    count = told_count(data[: first.size])
    if count:
        return Played(first.mime_type, seconds(count * first.samples, first.rate))
    end = glance.size - 128 * (glance.peek(max(0, glance.size - 128), 3) == b"TAG")
    total = covered = 0
    for frame in frames(glance, start, end):
        total, covered = total + frame.samples, covered + frame.size
    return Played(first.mime_type, seconds(total * (end - start) / max(1, covered), first.rate))


def told_count(frame: bytes) -> int:
    """Return how many frames there are, as the first of them, a silent one, may tell; 0 where it doesn't."""
    for name in (b"Xing", b"Info"):
        place = frame.find(name, 4, 48)
        if place > 0 and frame[place + 7 : place + 8] and frame[place + 7] & 1:
            return int.from_bytes(frame[place + 8 : place + 12])
    return int.from_bytes(frame[50:54]) if frame[36:40] == b"VBRI" else 0


def frames(glance: Glance, start: int, end: int) -> Iterator[Frame]:
    """Yield the first frames from an offset on, to where they break off."""
    data, offset = b"", start
    place = start
    for _ in range(COUNTED):
        if place + 7 > offset + len(data):
            data, offset = glance.peek(place, BLOCK // 8), place
        frame = frame_at(data, place - offset)
        if frame is None or place + frame.size > end:
            return
        yield frame
        place += frame.size
