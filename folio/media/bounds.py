"""How much an image holds beside the pixels that are shown, told without decoding any."""

import resource
from typing import IO

from PIL import Image

from .privacy.directories import ICC_PROFILE, Tiff
from .privacy.gif import GIF_IMAGE, colours, copy_blocks, next_part
from .privacy.jpeg import count_head
from .privacy.original import Original, UnreadableStructure

MAX_FRAMES = 10_000  # of an animation, or pages of a TIFF
METADATA_SIZE = 10 * 1024 * 1024  # bytes of colour profile, camera data and texts

# What a pixel may take of a decoder's memory, in bytes, at the most: measured, docs/decisions/0045. All but JPEG are
# decoded whole. Of that, in four colours, all scans may have to be there before the first pixel is.
BYTES_A_PIXEL = {
    "JPEG": 8.9,
    "BMP": 12,
    "PNG": 20,
    "TIFF": 14,
    "HEIF": 16,
    "WEBP": 20,
    "AVIF": 20,
    "GIF": 22,
}
ENCODER_MEMORY = {
    "AVIF": 40 * 1024 * 1024,
    "WEBP": 24 * 1024 * 1024,
}  # bytes that it takes besides
MOST_BYTES_A_PIXEL = 64  # where that much isn't left: of a small image
MEMORY_AT_REST = 32 * 1024 * 1024  # bytes that Python, Pillow and their threads take before the first image

# Of TIFF: texts, XMP, IPTC, Photoshop's resources, profile. What else is long are places of pixels, or Photoshop's
# layers, which are read only to be left out.
METADATA_TAGS = {700, 33723, 34377, ICC_PROFILE}
ASCII = 2


def decoder_memory() -> int | None:
    """Return the bytes that this process may take for an image; None where nothing limits it."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return None if limit == resource.RLIM_INFINITY else max(0, limit - MEMORY_AT_REST)


def most_pixels(format: str, max_pixels: int, memory: int | None) -> int:
    """Return how many pixels an image of a format, by Pillow's name or HEIF, may have to be decoded in those bytes.

    `max_pixels` is the most of all formats. With no `memory` nothing else limits it.
    """
    if memory is None:
        return max_pixels
    left = memory - ENCODER_MEMORY.get(format, 0)
    return min(max_pixels, max(int(left / BYTES_A_PIXEL[format]), memory // MOST_BYTES_A_PIXEL))


def check_head(file: IO[bytes]) -> None:
    """Raise UnreadableStructure for a JPEG with more before its pixels than any has: Pillow reads it byte by byte."""
    original = Original(file)
    if original.peek(0, 2) == b"\xff\xd8":
        count_head(original)


def metadata_size(file: IO[bytes], image: Image.Image) -> int:
    """Return the bytes of what Pillow has read of an image beside its pixels so far."""
    size = sum(len(value) for value in image.info.values() if isinstance(value, bytes | str))
    # Of a JPEG all segments, of which `info` has some; of a PNG the chunks that nobody knows.
    size = max(size, sum(len(data) for _, data in getattr(image, "applist", ())))
    size += sum(len(chunk[1]) for chunk in getattr(image, "private_chunks", ()))
    return max(size, metadata_size_of_tiff(file)) if image.format == "TIFF" else size


def metadata_size_of_tiff(file: IO[bytes]) -> int:
    original = Original(file)
    try:
        tiff = Tiff(original, 0, original.size)
        entries, _ = tiff.directory(tiff.first)
    except UnreadableStructure:  # which Pillow could read, though
        return 0
    return sum(entry.size for entry in entries if entry.tag in METADATA_TAGS or entry.type == ASCII)


def frame_count(file: IO[bytes], image: Image.Image) -> int:
    """Return how many frames or pages an image has, counted no further than one more than are accepted.

    Raises UnreadableStructure where it is built so that they can't be counted in a while.
    """
    if image.format == "GIF":
        return frames_of_gif(Original(file))
    if image.format == "TIFF":
        return pages_of_tiff(Original(file))
    return getattr(image, "n_frames", 1)  # which the others tell in their header


def frames_of_gif(original: Original) -> int:
    place = 13 + colours(original.read(10, 1)[0])
    count = parts = 0
    while count <= MAX_FRAMES and (part := next_part(original, place, parts)):
        kind, place = part
        parts += 1
        if kind == GIF_IMAGE:
            count += 1
            place = copy_blocks(original, place + 11 + colours(original.read(place + 9, 1)[0]), None)
        else:
            place = copy_blocks(original, place + 2, None)
    return count


def pages_of_tiff(original: Original) -> int:
    seen: set[int] = set()
    try:
        tiff = Tiff(original, 0, original.size)
        following = tiff.first
        while following and following not in seen and len(seen) <= MAX_FRAMES:
            seen.add(following)
            _, following = tiff.directory(following)
    except UnreadableStructure:  # a damaged page is as good as none
        if original.is_exhausted:
            raise
    return len(seen)
