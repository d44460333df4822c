"""GIF: frames and extensions, each a chain of small blocks."""

from typing import IO

from .original import Original, UnreadableStructure

GIF_IMAGE, GIF_EXTENSION, GIF_END = b",", b"!", b";"
GIF_CONTROL, GIF_APPLICATION = 0xF9, 0xFF
GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
GIF_PROFILE = b"ICCRGBG1012"


def clean_gif(original: Original, target: IO[bytes]) -> None:
    """Copy the frames, what controls them, the loop and the colour profile."""
    header = original.read(0, 13)
    if header[:6] not in (b"GIF87a", b"GIF89a"):
        raise UnreadableStructure
    place = 13 + colours(header[10])
    original.copy(0, place, target)
    while (kind := original.peek(place, 1)) not in (b"", GIF_END):
        if kind == GIF_IMAGE and place + 11 <= original.size:
            body = place + 11 + colours(original.read(place + 9, 1)[0])
            original.copy(place, body - place, target)
            place = copy_blocks(original, body, target)
        elif kind == GIF_EXTENSION:
            place = clean_extension(original, place, target)
        else:
            place += 1  # decoders skip what stands between two blocks
    target.write(GIF_END)


def colours(flags: int) -> int:
    """Return the bytes of the colour table that an image's or a screen's flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def copy_blocks(original: Original, place: int, target: IO[bytes] | None) -> int:
    """Copy, or else skip, a chain of blocks, and return where it ends."""
    while size := original.peek(place, 1):
        end = min(place + 1 + size[0], original.size)
        if target:
            original.copy(place, end - place, target)
        place = end
        if not size[0]:
            break
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
