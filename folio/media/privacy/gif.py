"""GIF: frames and extensions, each a chain of small blocks."""

import re
from typing import IO

from .original import BLOCK_SIZE, FIRST_LOOK, Original, UnreadableStructure

GIF_IMAGE, GIF_EXTENSION, GIF_END = b",", b"!", b";"
GIF_PART = re.compile(rb"[,!;]")  # decoders skip what stands between two
GIF_CONTROL, GIF_APPLICATION = 0xF9, 0xFF
GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
GIF_PROFILE = b"ICCRGBG1012"
MAX_PARTS = 60_000  # frames and extensions; a frame has one or two


def clean_gif(original: Original, target: IO[bytes], rights: bool) -> None:
    """Copy the frames, what controls them, the loop and the colour profile; there is no usual place for rights."""
    header = original.read(0, 13)
    if header[:6] not in (b"GIF87a", b"GIF89a"):
        raise UnreadableStructure
    place = 13 + colours(header[10])
    original.copy(0, place, target)
    count = 0
    while part := next_part(original, place, count):
        kind, place = part
        count += 1
        if kind == GIF_IMAGE:
            body = place + 11 + colours(original.read(place + 9, 1)[0])
            original.copy(place, body - place, target)
            place = copy_blocks(original, body, target)
        else:
            place = clean_extension(original, place, target)
    target.write(GIF_END)


def next_part(original: Original, place: int, count: int) -> tuple[bytes, int] | None:
    """Return what comes next, a frame or an extension, and where; None at the end.

    Raises UnreadableStructure where so many came before as in no animation.
    """
    if count > MAX_PARTS:
        raise UnreadableStructure
    while (found := original.find(GIF_PART, place)) is not None:
        kind = original.read(found, 1)
        if kind == GIF_END:
            return None
        if kind == GIF_EXTENSION or found + 11 <= original.size:
            return kind, found
        place = found + 1
    return None


def colours(flags: int) -> int:
    """Return the bytes of the colour table that an image's or a screen's flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def copy_blocks(original: Original, place: int, target: IO[bytes] | None) -> int:
    """Copy, or else skip, a chain of blocks, and return where it ends."""
    size = FIRST_LOOK
    while data := original.peek(place, size):
        end, is_last = 0, False
        while end < len(data) and not is_last:
            is_last = not data[end]
            end += 1 + data[end]
        if target:
            target.write(data[:end])
            if end > len(data):
                original.copy(place + len(data), min(place + end, original.size) - place - len(data), target)
        place = min(place + end, original.size)
        if is_last:
            break
        size = min(2 * size, BLOCK_SIZE)
    return place


def clean_extension(original: Original, place: int, target: IO[bytes]) -> int:
    label = original.peek(place, 14)
    name = label[3:14]
    if len(label) < 14:
        return original.size
    if label[1] == GIF_CONTROL and label[2] == 4:
        target.write(label[:7] + b"\0")
    elif label[1] == GIF_APPLICATION and label[2] == 11:
        loop = original.peek(place + 14, 4)
        if name in GIF_LOOPS and loop[:2] == b"\3\1" and len(loop) == 4:
            target.write(label + loop + b"\0")
        elif name == GIF_PROFILE:
            target.write(label)
            return copy_blocks(original, place + 14, target)
    return copy_blocks(original, place + 2, None)
