"""Pixels of an image that Pillow has opened, brought into the form in which they are made smaller and shown."""

import math
from io import BytesIO
from typing import cast

from PIL import ExifTags, Image, ImageCms, ImageFile

from .privacy.exif import EXIF_PREFIX, Exif
from .privacy.original import Original

Size = tuple[int, int]

TURNED_BY_EXIF = {"JPEG", "MPO", "PNG", "AVIF"}  # of AVIF, Pillow tells so what its boxes say

TURNS = {  # what makes an image upright, by its EXIF orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, from 1 (upright) to 8, by which an image that isn't loaded yet is shown.

    Browsers turn the original by the same: docs/decisions/0045. Of TIFF, which they do not show, it is the tag's.
    """
    if image.format == "TIFF":
        try:
            turn = image.getexif().get(ExifTags.Base.Orientation)
        except Exception:  # damaged EXIF data is no reason to refuse a photograph
            return 1
        return turn if turn in TURNS else 1
    data = image.info.get("exif")
    if image.format not in TURNED_BY_EXIF or not isinstance(data, bytes):
        return 1
    if image.format == "PNG":
        data = data.removeprefix(EXIF_PREFIX)  # Pillow's own; where the chunk has one too, browsers look no further
        if data.startswith(EXIF_PREFIX):
            return 1
    turn = Exif.read(Original(BytesIO(data)), 0, len(data), rights=False).orientation
    return turn if turn in TURNS else 1


def fit(size: Size, box: int) -> Size:
    """Return the size that fits in the box, with the aspect ratio kept; never a larger one."""
    scale = min(1.0, box / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def correct_transparency(image: ImageFile.ImageFile) -> None:
    """Bring a PNG's transparent gray or colour, which Pillow reads in the file's bit depth, to the pixels' 8 bits."""
    transparency = image.info.get("transparency")
    rawmode = image.tile[0].args if image.tile else None
    if transparency is None:
        return
    if rawmode in ("L;2", "L;4"):
        image.info["transparency"] = transparency * (85 if rawmode == "L;2" else 17)
    elif rawmode == "RGB;16B":
        image.info["transparency"] = tuple(value >> 8 for value in transparency)


def in_eight_bits(image: Image.Image) -> Image.Image:
    """Return the image in a mode that can be resized and shown: L, LA, RGB, RGBA or CMYK."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return in_gray(image)
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK") and "transparency" not in image.info:
        return image
    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    return image.convert(mode + "A" if image.has_transparency_data else mode)


def in_gray(image: Image.Image) -> Image.Image:
    """Return an image of 16 or 32 bits or of floating point numbers in 8 bits a pixel, scaled instead of cut off."""
    black, white = 0.0, 65535.0
    if not image.mode.startswith("I;16"):
        # These have no white of their own: take the usual ones, or else what there is.
        low, high = cast(tuple[float, float], image.convert("F").getextrema())
        whites = (255.0, 65535.0) if image.mode == "I" else (1.0, 255.0, 65535.0)
        if not (math.isfinite(low) and math.isfinite(high)):
            white = 1.0
        elif low >= 0 and high <= whites[-1]:
            white = min(usual for usual in whites if high <= usual)
        else:
            black, white = low, max(high, low + 1)
    scale = 255 / (white - black)
    gray = image.convert("F").point(lambda value: value * scale - black * scale).convert("L")
    transparency = image.info.get("transparency")
    if transparency is None or not image.mode.startswith("I;16"):
        return gray
    opaque = [255] * 65536
    opaque[transparency] = 0
    return Image.merge("LA", (gray, image.convert("I").point(opaque, "L")))


def premultiplied(image: Image.Image) -> Image.Image:
    """Return the image with its colours weighted by alpha, lest invisible ones bleed into the visible."""
    return image.convert({"LA": "La", "RGBA": "RGBa"}[image.mode]) if image.mode in ("LA", "RGBA") else image


def in_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return a CMYK image in sRGB, by its own profile if it has one; other images as they are.

    Browsers show CMYK differently, some not at all, and a profile of inks alone is larger than any thumbnail.
    """
    if image.mode != "CMYK":
        return image
    try:
        inks = ImageCms.ImageCmsProfile(BytesIO(profile or b""))
        converted = ImageCms.profileToProfile(image, inks, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):  # no profile, or one that isn't for CMYK
        converted = None
    return converted or image.convert("RGB")
