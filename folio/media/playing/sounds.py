"""WAV, FLAC and AIFF: how long they take, by their headers."""

from ..privacy.original import UnreadableStructure
from .glance import Glance
from .played import Played, seconds

CHUNKS = 1000  # that are looked through
UNKNOWN = 2**32 - 1  # as a size, where a program could not go back to write it, or another field has it


def read_wav(glance: Glance) -> Played | None:
    """Return what plays of a WAV; None of other files."""
    head = glance.peek(0, 12)
    if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
        return None
    rate, large, place = 0, 0, 12
    for _ in range(CHUNKS):
        kind = glance.peek(place, 4)
        if len(kind) < 4:
            break
        size = int.from_bytes(glance.read(place + 4, 4), "little")
        if kind == b"ds64":
            large = glance.unpack("<Q", place + 16)[0]
        elif kind == b"fmt ":
            rate = glance.unpack("<I", place + 16)[0]  # bytes a second
        elif kind == b"data":
            if size == UNKNOWN and large:
                size = large
            return Played("audio/wav", seconds(min(size, glance.size - place - 8), rate))
        place += 8 + size + size % 2
    return Played("audio/wav", None)


def read_flac(glance: Glance) -> Played | None:
    """Return what plays of a FLAC; None of other files."""
    return flac_at(glance, 0)


def flac_at(glance: Glance, start: int) -> Played | None:
    if glance.peek(start, 4) != b"fLaC":
        return None
    try:
        packed = glance.number(start + 18, 8)  # of the first block: rate, channels, bits, samples
    except UnreadableStructure:
        return None
    return Played("audio/flac", seconds(packed & (1 << 36) - 1, packed >> 44))


def read_aiff(glance: Glance) -> Played | None:
    """Return what plays of an AIFF, or of its compressed kin; None of other files."""
    head = glance.peek(0, 12)
    if head[:4] != b"FORM" or head[8:] not in (b"AIFF", b"AIFC"):
        return None
    place = 12
    for _ in range(CHUNKS):
        if len(glance.peek(place, 8)) < 8:
            break
        kind, size = glance.read(place, 4), glance.number(place + 4, 4)
        if kind == b"COMM":
            frames, (exponent, mantissa) = glance.number(place + 10, 4), glance.unpack(">HQ", place + 16)
            rate = 0.0 if not 0x3F00 < exponent < 0x4100 else mantissa * 2.0 ** (exponent - 0x3FFF - 63)
            return Played("audio/aiff", seconds(frames, rate))
        place += 8 + size + size % 2
    return None
