"""Which of an animation's frames stands for it where nothing moves: the first one that shows something."""

from typing import IO

from PIL import Image, ImageFile

from .bounds import frame_count
from .pixels import Size, in_eight_bits

MOVING = {"GIF", "WEBP", "PNG", "AVIF"}  # whose frames follow one another in time
FRAMES_LOOKED_AT = 100  # of an animation that begins with nothing
PIXELS_LOOKED_AT = 400_000_000  # of those frames together


def shown_frame(file: IO[bytes], image: ImageFile.ImageFile, size: Size) -> Image.Image:
    """Decode an image and return its pixels in eight bits; of an animation those of the first frame with any to see.

    Where none of the frames that are looked at has, it is the first. They are put upon one another as they are shown,
    and no part of a GIF's that lies beyond its screen, of that size in pixels, is seen. Raises what Pillow raises.
    """
    first = 1 if image.info.get("default_image") else 0  # of a PNG, for those who can't show the others
    try:
        image.seek(first)
        decode(image)
    except MemoryError:
        raise
    except Exception:
        if not first:
            raise
        image.seek(0)  # the frames are damaged, and that picture is whole
        decode(image)
    frame = in_eight_bits(image)
    if image.format not in MOVING or not shows_nothing(frame):
        return frame
    last = min(frame_count(file, image), first + FRAMES_LOOKED_AT, first + PIXELS_LOOKED_AT // (size[0] * size[1]))
    for number in range(first + 1, last):
        try:
            image.seek(number)
            decode(image)
        except Exception:  # the frames before a damaged one, or one too many for the memory, are good
            break
        later = in_eight_bits(image)
        if later.size != size:
            later = later.crop((0, 0, *size))
        if not shows_nothing(later):
            return later
    image.seek(first)
    decode(image)
    return in_eight_bits(image)


def decode(image: ImageFile.ImageFile) -> None:
    image.load()
    if image.format in ("WEBP", "AVIF"):
        image.fp = None  # with the frame's bytes once more: the library has the file


def shows_nothing(image: Image.Image) -> bool:
    return image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema() == (0, 0)
