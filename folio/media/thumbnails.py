"""Thumbnails: an image's bytes in, smaller images' bytes out; no database, no request."""

import math
import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from io import BytesIO
from typing import IO, Any, NamedTuple

from PIL import Image, ImageChops, ImageStat

from .bounds import frame_count
from .colours import TOLD, Coloured, coloured
from .frames import MOVING
from .opening import ImageFormat, Loaded, draft_scale, load, thumbnail_format, unreadable
from .pixels import TURNS, Size, fit, premultiplied
from .privacy import UnreadableStructure
from .privacy.bare import bare
from .privacy.png import PNG_SIGNATURE

BOXES = (64, 128, 512, 1080)  # edges, in pixels, of the squares that thumbnails fit in
# Chosen by measuring two photographs at 1080 pixels.
SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    # From 85 to 90 the file grows by a quarter for 1 dB. Colours at full resolution cost a third more bytes than at
    # half, which photographs don't show; a progressive file is 5 % smaller and shows sooner.
    "JPEG": {"quality": 85, "subsampling": "4:2:0", "optimize": True, "progressive": True},
    "WEBP": {"quality": 85},
    "AVIF": {"quality": 70, "speed": 8},  # twice as fast as the default speed, 6, for 6 % more bytes
}
ANIMATED_WITHIN = 4096  # bytes in which a PNG says that it moves
LARGEST_COPY = 8 * 1024 * 1024  # bytes of an image that is its own thumbnail
# Where a thumbnail would be heavier than its original: docs/decisions/0045.
LIGHTER_QUALITIES = {"JPEG": (70, 50, 30), "WEBP": (70, 50, 25), "AVIF": (50, 30)}
LIGHTER_COLOURS = (256, 64, 16, 12, 8, 4, 2)
FAIR = 28  # decibels below which nothing is put into fewer colours, however heavy it stays
ALIKE = 45  # decibels from which a picture in few colours can't be told from the one in all


Simpler = Callable[[Image.Resampling], Image.Image]  # makes the thumbnail's pixels in a simpler way


class Made(NamedTuple):
    """The thumbnails by the edge of their box, and the smallest one as it is made of the pixels."""

    thumbnails: dict[int, bytes]
    smallest: bytes


class Look(NamedTuple):
    """How thumbnails of an image are encoded."""

    format: ImageFormat
    turn: int  # the EXIF orientation of what is encoded
    profile: bytes | None
    mode: str  # the original's


def scale_of_thumbnails(full_size: Size) -> int:
    return draft_scale(full_size, fit(full_size, max(BOXES)))


def render_thumbnails(file: IO[bytes]) -> dict[int, bytes]:
    """Return the image, made to fit in each box, by the box's edge; encoded in the format of `thumbnail_format()`.

    The image is decoded once and each thumbnail made from the next larger one. All are upright, keep the aspect ratio
    and alpha, are never enlarged, and carry a colour profile but no EXIF data. Of an animation, it is the first frame
    that shows something. An image that stands still and upright is its own thumbnail where it fits. Judge the size by
    `read_header()` before. Raises UnreadableImage where the image can't be decoded.
    """
    loaded = load(file, scale_of_thumbnails)
    return make_thumbnails(file, loaded, file.seek(0, 2)).thumbnails


def make_thumbnails(file: IO[bytes], loaded: Loaded, size: int) -> Made:
    """Return what `render_thumbnails()` does, of an image that is decoded for the largest box.

    The bytes that it is stored in are as many as `size` says: no thumbnail should have more.
    """
    copy = copied(file, loaded)
    whole = {box for box in BOXES if copy and fit(loaded.full_size, box) == loaded.full_size}
    smallest = min(BOXES)
    made = shrink(loaded, {box for box in BOXES if box not in whole or box == smallest}, size)
    thumbnails = {box: copy if copy and box in whole else made[box] for box in sorted(BOXES, reverse=True)}
    return Made(thumbnails, made[smallest])


def made_alone(loaded: Loaded) -> Made:
    """Return thumbnails of what has no bytes to be compared with, such as a drawing's shapes or a film's frame."""
    thumbnails = shrink(loaded)
    return Made(thumbnails, thumbnails[min(BOXES)])


def copied(file: IO[bytes], loaded: Loaded) -> bytes | None:
    """Return the image as it is coded but bare, to be its own thumbnail; None where it can't be."""
    image = loaded.image
    if max(loaded.full_size) > max(BOXES) or loaded.turn in TURNS or image.mode == "CMYK" or TOLD in image.info:
        return None  # larger, or not as it is shown, or in colours that not every program shows
    if thumbnail_format(loaded.format) != loaded.format or file.seek(0, 2) > LARGEST_COPY or is_odd_png(file):
        return None
    if image.format in MOVING and frame_count(file, image) > 1:
        return None
    try:
        return bare(file, loaded.format.mime_type)
    except UnreadableStructure:  # it is stored as it came
        return None


def is_odd_png(file: IO[bytes]) -> bool:
    """Tell whether a file is a PNG of 16 bits a channel, which is heavy for nothing, or of so few that Pillow errs.

    So is one that would be an animation, were it whole.

    It takes a transparent gray of less than 8 bits for one of 8: we know better as we decode, others don't.
    """
    file.seek(0)
    head = file.read(ANIMATED_WITHIN)
    is_gray, depth = head[25:26] == b"\0", head[24:25]
    is_odd = depth == b"\x10" or (is_gray and depth != b"\x08") or b"acTL" in head
    return head.startswith(PNG_SIGNATURE) and is_odd


def shrink(loaded: Loaded, boxes: Collection[int] = BOXES, most: float = math.inf) -> dict[int, bytes]:
    """Return thumbnails for these boxes, by the box; in as many bytes as `most`, if that can be had."""
    image, frame, format, full_size, turn = loaded
    target = thumbnail_format(format)
    thumbnails: dict[int, bytes] = {}
    encoded: dict[Size, bytes] = {}
    made: Coloured | None = None
    for box in sorted(boxes, reverse=True):
        larger, size = frame, fit(full_size, box)
        frame = resized(larger, size, Image.Resampling.LANCZOS)
        if made is None:  # the smaller ones are made of the largest
            made = coloured(straightened(frame), image.info)
            frame = made.image
            simpler = partial(coloured_simply, larger, size, image.info)
        else:
            simpler = partial(resized, larger, size)
        if size not in encoded:
            look = Look(target, turn, made.profile, image.mode)
            best = encode(frame, look)
            spare = len(made.profile) if made.profile and TOLD in image.info else 0  # which the original does without
            encoded[size] = best if len(best) <= most else lightest(frame, simpler, look, most, best, spare)
        thumbnails[box] = encoded[size]
    return thumbnails


def resized(image: Image.Image, size: Size, by: Image.Resampling) -> Image.Image:
    return image if image.size == size else premultiplied(image).resize(size, by, reducing_gap=2.0)


def encode(image: Image.Image, look: Look) -> bytes:
    """Return a thumbnail of an image of few colours in few colours, where that is smaller and as good to the eye."""
    whole = save(image, look)
    straight = straightened(image)
    if look.mode not in ("P", "PA") or not may_be_reduced(straight, look.format) or straight.mode == "L":
        return whole
    reduced = in_colours(straight, 256, look.format)
    if likeness(straight, reduced) < ALIKE:
        return whole
    return min(whole, save(reduced, look), key=len)


def coloured_simply(image: Image.Image, size: Size, info: Mapping[Any, Any], by: Image.Resampling) -> Image.Image:
    return coloured(straightened(resized(image, size, by)), info).image


def lightest(image: Image.Image, simpler: Simpler, look: Look, most: float, heavy: bytes, spare: int) -> bytes:
    """Return the best thumbnail that has no more bytes than `most`, or the one with the fewest.

    It may have `spare` bytes more where it would look otherwise with less.
    """
    made = [heavy]
    for quality in LIGHTER_QUALITIES.get(look.format.name, ()):
        made.append(save(image, look, quality=quality))
        if len(made[-1]) <= most:
            return made[-1]
    straight = straightened(image)
    fitting: list[tuple[float, bytes]] = []
    for counts in lighter(straight, simpler, look):
        for shown, encoded in counts:
            alike = likeness(straight, shown)
            if alike < FAIR:
                break
            made.append(encoded)
            if len(encoded) <= most:
                fitting.append((alike, encoded))
                break
    alike, best = max(fitting, default=(0.0, b""))
    if alike < ALIKE and len(heavy) <= most + spare:
        return heavy
    return best or min(made, key=len)


def lighter(image: Image.Image, simpler: Simpler, look: Look) -> Iterator[Iterator[tuple[Image.Image, bytes]]]:
    """Yield ways to make an image lighter: in each, what is shown becomes worse, and its bytes fewer.

    Means of what each pixel covers have fewer colours than what Lanczos makes of edges, and single pixels of the
    original make slopes that are as regular as its own.
    """
    format = look.format
    if not may_be_reduced(image, format):
        return
    means, single = (straightened(simpler(by)) for by in (Image.Resampling.BOX, Image.Resampling.NEAREST))
    if format.name == "PNG":
        yield ((each, save(each, look, optimize=True)) for each in (image, means, single))
    for source, numbers in ((image, LIGHTER_COLOURS[:1]), (means, LIGHTER_COLOURS)):
        reduced = (in_colours(source, number, format) for number in numbers)
        yield ((each, save(each, look)) for each in reduced)
    if look.mode == "1":
        yield ((each, save(each, look)) for each in [means.convert("1")])


def straightened(image: Image.Image) -> Image.Image:
    """Return an image whose colours are no longer weighted by alpha."""
    return image.convert(image.mode.replace("a", "A"))


def save(image: Image.Image, look: Look, **options: Any) -> bytes:
    """Return an image upright and encoded; raise UnreadableImage or MemoryError where it can't be."""
    format, profile = look.format, look.profile
    image = straightened(image)
    if look.turn in TURNS:
        image = image.transpose(TURNS[look.turn])
    transparency = image.info.get("transparency") if image.mode == "P" else None
    image.info = {}  # with comments and whatever else some encoders copy from there
    if transparency is not None:
        image.info["transparency"] = transparency
    if format.name == "BMP" and image.mode in ("LA", "RGBA"):
        return _encode_bmp(image.convert("RGBA"))
    if format.name == "GIF" and image.mode not in ("L", "P"):
        image = in_colours(image, 256, format)
    if image.mode == "P" and profile and profile[16:20] != b"RGB ":
        profile = None  # of gray, which palettes have none of
    buffer = BytesIO()
    try:
        image.save(buffer, format.name, icc_profile=profile, **{**SAVE_OPTIONS.get(format.name, {}), **options})
    except MemoryError:
        raise
    except Exception as error:  # encoders say in words of their own what they can't do
        raise unreadable(error, image.size) from error
    return buffer.getvalue()


def may_be_reduced(image: Image.Image, format: ImageFormat) -> bool:
    """Tell whether there is a way to keep an image in a palette in a format."""
    return format.name in ("PNG", "GIF") or (format.name == "BMP" and "A" not in image.mode.upper())


def in_colours(image: Image.Image, count: int, format: ImageFormat) -> Image.Image:
    """Return an image in up to so many colours.

    Of a GIF, one of them is transparent where the image is so by half at least.
    """
    if "A" not in image.mode:
        return image.quantize(count)
    if format.name != "GIF":
        return image.convert("RGBA").quantize(count, Image.Quantize.FASTOCTREE)  # which knows alpha
    colours = image.convert("RGB").quantize(count - 1)
    colours.paste(count - 1, mask=image.getchannel("A").point(lambda alpha: 255 * (alpha < 128)))
    colours.info["transparency"] = count - 1
    return colours


def likeness(one: Image.Image, other: Image.Image) -> float:
    """Return how alike two images of one size are, in decibels of the noise that makes the difference (PSNR)."""
    stat = ImageStat.Stat(ImageChops.difference(one.convert("RGBA"), other.convert("RGBA")))
    error = sum(stat.sum2) / (4 * one.width * one.height)
    return 10 * math.log10(255**2 / error) if error else math.inf


def _encode_bmp(image: Image.Image) -> bytes:
    """Return an RGBA image as BMP with a version 4 header; Pillow's writer gives alpha no meaning, and it is lost."""
    pixels = image.tobytes("raw", "BGRA", 0, -1)
    header_size, bitfields, per_metre = 108, 3, 2835
    offset = 14 + header_size
    return b"".join(
        (
            struct.pack("<2sIHHI", b"BM", offset + len(pixels), 0, 0, offset),
            struct.pack("<IiiHHII", header_size, *image.size, 1, 32, bitfields, len(pixels)),
            struct.pack("<iiII", per_metre, per_metre, 0, 0),
            struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000),
            b"BGRs".ljust(52, b"\0"),  # sRGB, so that no end points or gammas follow
            pixels,
        )
    )
