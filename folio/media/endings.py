"""JPEGs that lack nothing but the marker of their end, told from those that are cut off.

Decoders fill up what is missing with gray and say no word of it. What they make of bytes put behind the last ones
tells: where these are taken for pixels, some were missing.
"""

import hashlib
import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO

from PIL import Image

MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # but for those that pixels are interrupted by
RESTART = re.compile(rb"\xff[\xd0-\xd7]")
START, END = b"\xff\xd8", b"\xff\xd9"
DRI, SOF_PROGRESSIVE, SOS = 0xDD, 0xC2, 0xDA
SOFS = {0xC0, 0xC1, SOF_PROGRESSIVE}
ALONE = {0x01, 0xD8}  # markers that no segment follows
PADDING = 16  # zeros at the end that are no pixels any more
# Codes are told apart by their first bits, which differ; each has bytes for some blocks. Ones have zeros between them,
# as in any JPEG.
TAILS = (b"\0" * 64, b"\xaa" * 64, b"\x55" * 64, b"\xff\0" * 32)
ROWS = 256  # looked at at a time
LAST_COEFFICIENT = 63


@dataclass
class Scans:
    """What a JPEG's scans hold, up to where it ends."""

    is_progressive: bool = False
    has_restarts: bool = False
    components: list[int] = field(default_factory=list)
    exact: dict[int, set[int]] = field(default_factory=dict)  # by component, the coefficients that are there to the bit
    last: int = 0  # where the pixels of the last one begin

    def add(self, header: bytes) -> None:
        count = header[0]
        first, end, bits = header[1 + 2 * count : 4 + 2 * count]
        for number in header[1 : 1 + 2 * count : 2]:
            exact = self.exact.setdefault(number, set())
            if not self.is_progressive:
                exact.update(range(LAST_COEFFICIENT + 1))
            elif not bits & 15:
                exact.update(range(first, end + 1))

    @property
    def are_complete(self) -> bool:
        """Tell whether each component has had its scans, of which the last one may be cut off."""
        return bool(self.components) and all(
            len(self.exact.get(number, ())) > LAST_COEFFICIENT for number in self.components
        )


def with_end(file: IO[bytes]) -> BytesIO | None:
    """Return a JPEG that has all its pixels with the end that it lacks; None of a file that has one, or is cut off."""
    file.seek(0)
    if file.read(2) != START:
        return None
    data = START + file.read()
    whole = data.rstrip(b"\0")
    if len(data) - len(whole) > PADDING:
        data = whole
    # A last 0xFF is half of the end, or of the two bytes by which pixels tell that of their own from a marker.
    candidates = [data[:-1], data + b"\0"] if data.endswith(b"\xff") else [data]
    return next((BytesIO(each + END) for each in candidates if is_complete(each)), None)


def is_complete(data: bytes) -> bool:
    """Tell whether a JPEG without an end has all of its pixels."""
    try:
        scans = scans_of(data)
    except (IndexError, ValueError):  # a segment that is cut off
        return False
    if scans is None or not scans.are_complete:
        return False
    tails = list(TAILS)
    if scans.has_restarts:  # where one is missing, nothing but another one would be taken for pixels
        number = len(RESTART.findall(data, scans.last)) % 8
        tails += [bytes((0xFF, 0xD0 + number)) + tail for tail in TAILS]
    pixels = pixels_of(data + tails[0] + END)
    return pixels is not None and all(pixels_of(data + tail + END) == pixels for tail in tails[1:])


def scans_of(data: bytes) -> Scans | None:
    """Return what a JPEG's scans hold, or None where it has an end; raise IndexError or ValueError."""
    scans = Scans()
    place = len(START)
    while marker := MARKER.search(data, place):
        kind, place = marker[0][1], marker.end()
        if kind == END[1]:
            return None
        if kind in ALONE:
            continue
        size = int.from_bytes(data[place : place + 2])
        segment = data[place + 2 : place + size]
        if len(segment) != size - 2:
            raise IndexError
        place += size
        if kind in SOFS:
            scans.is_progressive = kind == SOF_PROGRESSIVE
            scans.components = [segment[6 + 3 * number] for number in range(segment[5])]
        elif kind == DRI:
            scans.has_restarts = segment[:2] != b"\0\0"
        elif kind == SOS:
            scans.add(segment)
            scans.last = place
    return scans


def pixels_of(data: bytes) -> bytes | None:
    """Return a digest of a JPEG's pixels, or None where it can't be decoded."""
    digest = hashlib.sha256()
    try:
        with Image.open(BytesIO(data), formats=("JPEG",)) as image:
            image.load()
            for top in range(0, image.height, ROWS):
                digest.update(image.crop((0, top, image.width, min(top + ROWS, image.height))).tobytes())
    except MemoryError:
        raise
    except Exception:  # Pillow raises whatever a damaged image makes it trip over
        return None
    return digest.digest()
