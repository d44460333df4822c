"""What PNG and AVIF tell of their colours otherwise than by an ICC profile, found in few reads.

What counts where several things are told, and what is passed over, is as in Chromium: docs/decisions/0044.
"""

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import IO

from PIL import Image, ImageCms

from .colours import BT_709, PEAK, SRGB, TOLD, Curve, Description, is_known, of_numbers, profile_of, transform_of
from .privacy import UnreadableStructure
from .privacy.boxes import Box, boxes, find
from .privacy.original import BLOCK_SIZE, Original
from .privacy.png import PNG_SIGNATURE

USUAL_GAMMA, UNUSUAL = 0.45455, 0.05  # of sRGB's own power, from which another must differ by so much to be heeded
CHUNKS = {b"cICP": 4, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cLLI": 8, b"mDCV": 24}  # and their sizes in bytes
OF_SCREENS = Curve(2.4)  # BT.1886
USUAL = Description(BT_709, SRGB)
CANDELAS = 10_000  # in which PNG tells of them
MOST_CANDELAS = 10_000  # that anything is made with
SAMPLE_ENTRY = 78  # bytes of a film's description before the boxes in it


def tell(file: IO[bytes], image: Image.Image) -> None:
    """Put into an opened image's `info` what its file tells of its colours, in the place of a profile that it outdoes.

    The file stays where it was.
    """
    place = file.tell()
    try:
        description = told(Original(file), image)
    except (UnreadableStructure, struct.error):  # what can't be read tells nothing
        description = None
    finally:
        file.seek(place)
    if description is None:
        return
    outdone = image.info.pop("icc_profile", None)
    if description != USUAL:
        image.info[TOLD] = description
    elif outdone is not None:
        image.info[TOLD] = None  # nothing to be settled, but a copy of the file would have the profile


def told(original: Original, image: Image.Image) -> Description | None:
    """Return what a file tells otherwise than by its profile, None where that counts, or there is nothing."""
    if image.format == "PNG":
        return told_by_png(original, image.info.get("icc_profile"))
    if image.format == "AVIF" and not is_profile(image.info.get("icc_profile")):
        return told_by_avif(original)
    return None


def is_profile(profile: object) -> bool:
    """Tell whether these are the bytes of a profile that can be read; browsers pass over another one."""
    if not isinstance(profile, bytes):
        return False
    try:
        ImageCms.ImageCmsProfile(BytesIO(profile))
    except (ImageCms.PyCMSError, OSError):
        return False
    return True


# PNG


def told_by_png(original: Original, profile: object) -> Description | None:
    chunks: dict[bytes, bytes] = {}
    for name, data in chunks_before_pixels(original):
        chunks.setdefault(name, data)
    if b"cICP" in chunks:
        primaries, transfer, matrix, full_range = chunks[b"cICP"]
        if is_known(primaries, transfer) and (matrix, full_range) == (0, 1):
            return of_numbers(primaries, transfer, OF_SCREENS, peak_of(chunks)) or USUAL
    if is_profile(profile) or b"sRGB" in chunks or b"gAMA" not in chunks:
        return None
    gamma = struct.unpack(">I", chunks[b"gAMA"])[0] / 100_000
    if not gamma:
        return None
    if b"cHRM" in chunks:
        white_x, white_y, *others = (value / 100_000 for value in struct.unpack(">8I", chunks[b"cHRM"]))
        description = Description((*others, white_x, white_y), Curve(1 / gamma))
    elif abs(gamma / USUAL_GAMMA - 1) > UNUSUAL:
        description = Description(BT_709, Curve(1 / gamma))
    else:
        return None
    own = profile_of(description)
    return description if own and transform_of(own) else None


def chunks_before_pixels(original: Original) -> Iterator[tuple[bytes, bytes]]:
    place = len(PNG_SIGNATURE)
    while place + 12 <= original.size:
        size, kind = struct.unpack(">I4s", original.read(place, 8))
        if kind in (b"IDAT", b"IEND"):
            return
        if size == CHUNKS.get(kind):
            yield kind, original.read(place + 8, size)
        place += 12 + size


def peak_of(chunks: dict[bytes, bytes]) -> float:
    """Return the brightest of a PNG, in candelas a square metre: its own, or else that of the screen it was made on."""
    for name, place in ((b"cLLI", 0), (b"mDCV", 16)):
        if name in chunks and (peak := struct.unpack_from(">I", chunks[name], place)[0] / CANDELAS):
            return min(peak, MOST_CANDELAS)
    return PEAK


# AVIF


def told_by_avif(original: Original) -> Description | None:
    properties = properties_of_track(original) if original.peek(8, 4) == b"avis" else properties_of_item(original)
    numbers: tuple[int, ...] = ()
    peak = PEAK
    for box in properties:
        if box.kind == b"colr" and original.peek(box.body, 4) == b"nclx":
            numbers = numbers or original.unpack(">HH", box.body + 4)
        elif box.kind == b"clli":
            peak = min(original.unpack(">H", box.body)[0], MOST_CANDELAS) or PEAK
    return of_numbers(numbers[0], numbers[1], peak=peak) if numbers else None


def properties_of_item(original: Original) -> list[Box]:
    """Return the boxes that describe the picture that is shown."""
    meta = next((box for box in boxes(original, 0, original.size) if box.kind == b"meta"), None)
    found = {box.kind: box for box in boxes(original, meta.body + 4, meta.end)} if meta else {}
    primary, iprp = found.get(b"pitm"), found.get(b"iprp")
    if not primary or not iprp:
        return []
    item = original.unpack(">H" if original.read(primary.body, 1) == b"\0" else ">I", primary.body + 4)[0]
    container = find(original, iprp, b"ipco")
    every = list(boxes(original, container.body, container.end)) if container else []
    return [
        every[number - 1]
        for ipma in boxes(original, iprp.body, iprp.end)
        if ipma.kind == b"ipma"
        for number in properties_in(original.read(ipma.body, min(BLOCK_SIZE, ipma.end - ipma.body)), item)
        if 0 < number <= len(every)
    ]


def properties_in(ipma: bytes, wanted: int) -> list[int]:
    """Return the numbers, from 1, of an item's properties; raise struct.error where they are cut off."""
    version, flags, count = struct.unpack_from(">B3sI", ipma)
    is_wide, width = flags[2] & 1, 2 if version == 0 else 4
    place = 8
    for _ in range(count):
        item, length = struct.unpack_from(">HB" if width == 2 else ">IB", ipma, place)
        place += width + 1
        if item == wanted:
            numbers = struct.unpack_from(f">{length}{'H' if is_wide else 'B'}", ipma, place)
            return [number & (0x7FFF if is_wide else 0x7F) for number in numbers]
        place += length * (2 if is_wide else 1)
    return []


def properties_of_track(original: Original) -> list[Box]:
    """Return the boxes that describe the frames of a moving picture."""
    moov = next((box for box in boxes(original, 0, original.size) if box.kind == b"moov"), None)
    for trak in boxes(original, moov.body, moov.end) if moov else ():
        handler = find(original, trak, b"mdia", b"hdlr") if trak.kind == b"trak" else None
        if handler is None or original.peek(handler.body + 8, 4) not in (b"pict", b"vide"):
            continue
        stsd = find(original, trak, b"mdia", b"minf", b"stbl", b"stsd")
        entry = next(boxes(original, stsd.body + 8, stsd.end), None) if stsd else None
        return list(boxes(original, entry.body + SAMPLE_ENTRY, entry.end)) if entry else []
    return []
