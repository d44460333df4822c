"""Thumbnails: an image's bytes in, smaller images' bytes out; no database, no request."""

import struct
from io import BytesIO
from typing import IO, Any

from PIL import Image

from .colours import Coloured, coloured
from .opening import ImageFormat, Loaded, draft_scale, load, thumbnail_format
from .pixels import TURNS, Size, fit, premultiplied

BOXES = (64, 128, 512, 1080)  # edges, in pixels, of the squares that thumbnails fit in
# Chosen by measuring two photographs at 1080 pixels.
SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    # From 85 to 90 the file grows by a quarter for 1 dB. Colours at full resolution cost a third more bytes than at
    # half, which photographs don't show; a progressive file is 5 % smaller and shows sooner.
    "JPEG": {"quality": 85, "subsampling": "4:2:0", "optimize": True, "progressive": True},
    "WEBP": {"quality": 85},
    "AVIF": {"quality": 70, "speed": 8},  # twice as fast as the default speed, 6, for 6 % more bytes
}


def scale_of_thumbnails(full_size: Size) -> int:
    return draft_scale(full_size, fit(full_size, max(BOXES)))


def render_thumbnails(file: IO[bytes]) -> dict[int, bytes]:
    """Return the image, made to fit in each box, by the box's edge; encoded in the format of `thumbnail_format()`.

    The image is decoded once and each thumbnail made from the next larger one. All are upright, keep the aspect ratio
    and alpha, are never enlarged, and carry a colour profile but no EXIF data. Of an animation, it is the first frame.
    Judge the size by `read_header()` before. Raises UnreadableImage where the image can't be decoded.
    """
    return shrink(load(file, scale_of_thumbnails))


def shrink(loaded: Loaded) -> dict[int, bytes]:
    """Return what `render_thumbnails()` does, of an image that is decoded for the largest box."""
    image, frame, format, full_size, turn = loaded
    made: Coloured | None = None
    target = thumbnail_format(format)
    thumbnails: dict[int, bytes] = {}
    encoded: dict[Size, bytes] = {}
    for box in sorted(BOXES, reverse=True):
        size = fit(full_size, box)
        if frame.size != size:
            frame = premultiplied(frame).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        if made is None:  # the smaller ones are made of the largest
            made = coloured(frame.convert(frame.mode.replace("a", "A")), image.info)
            frame = made.image
        if size not in encoded:
            encoded[size] = _encode(frame, target, turn, made.profile)
        thumbnails[box] = encoded[size]
    return thumbnails


def _encode(image: Image.Image, format: ImageFormat, turn: int, profile: bytes | None) -> bytes:
    image = image.convert(image.mode.replace("a", "A"))  # no longer premultiplied
    if turn in TURNS:
        image = image.transpose(TURNS[turn])
    image.info = {}  # with comments and whatever else some encoders copy from there
    if format.name == "BMP" and image.mode in ("LA", "RGBA"):
        return _encode_bmp(image.convert("RGBA"))
    if format.name == "GIF" and image.mode != "L":
        image = _in_palette(image)
    buffer = BytesIO()
    image.save(buffer, format.name, icc_profile=profile, **SAVE_OPTIONS.get(format.name, {}))
    return buffer.getvalue()


def _in_palette(image: Image.Image) -> Image.Image:
    """Return the image in up to 256 colours; one of them is transparent where the image is so by half at least."""
    if "A" not in image.mode:
        return image.quantize(256)
    colours = image.convert("RGB").quantize(255)
    colours.paste(255, mask=image.getchannel("A").point(lambda alpha: 255 * (alpha < 128)))
    colours.info["transparency"] = 255
    return colours


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
