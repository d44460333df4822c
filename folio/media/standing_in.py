"""What stands in for an image while it loads: a colour and a tiny picture; and how alike two images are."""

import base64
from io import BytesIO
from typing import cast

from PIL import Image, ImageCms

from . import colours
from .colours import TOLD
from .opening import open_image
from .pixels import fit, premultiplied

GRID = 4  # cells along each edge by which two images are compared
PLACEHOLDER_EDGE = 16  # pixels
PLACEHOLDER_SIZE = 500  # characters that a placeholder stays under
COLOURS = 8  # that an image is reduced to, to find the one that most of it has


def dominant_color(image: Image.Image) -> str:
    """Return the colour, as `#rrggbb`, that most of what can be seen of a small image has; of all where nothing can."""
    data = image.convert("RGBA").tobytes()
    pixels = [data[place : place + 4] for place in range(0, len(data), 4)]
    least_alpha = min(128, max(pixel[3] for pixel in pixels))
    visible = b"".join(pixel[:3] for pixel in pixels if pixel[3] >= least_alpha)
    reduced = Image.frombytes("RGB", (len(visible) // 3, 1), visible).quantize(COLOURS)
    counts = cast(list[tuple[int, int]], reduced.getcolors())
    place = max(counts)[1] * 3
    return "#" + bytes((reduced.getpalette() or [])[place : place + 3]).hex()


def placeholder(image: Image.Image) -> str:
    """Return a small image, made tiny, as a data URI: a WebP of up to 16 pixels an edge, under 500 characters."""
    visible = image.convert("RGBA" if image.has_transparency_data else "RGB")
    for edge in (PLACEHOLDER_EDGE, PLACEHOLDER_EDGE // 2):
        tiny = premultiplied(visible).resize(fit(visible.size, edge), Image.Resampling.LANCZOS)
        tiny = tiny.convert(tiny.mode.replace("a", "A"))
        for quality in (60, 30, 0):
            buffer = BytesIO()
            tiny.save(buffer, "WEBP", quality=quality, alpha_quality=quality, method=6)
            uri = f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
            if len(uri) < PLACEHOLDER_SIZE:
                return uri
    return ""


def difference(one: Image.Image, other: Image.Image) -> int:
    """Return by how much of 255 two images differ where they differ most, looked at from afar."""
    grids = (
        in_srgb(image).convert("RGBa").resize((GRID, GRID), Image.Resampling.BOX).tobytes() for image in (one, other)
    )
    return max(abs(ours - theirs) for ours, theirs in zip(*grids, strict=True))


def open_in_srgb(thumbnail: bytes) -> Image.Image:
    """Return a rendered thumbnail decoded, in the colours that a page has where nothing says otherwise."""
    return in_srgb(open_image(BytesIO(thumbnail)))


def open_placeholder(uri: str) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(uri.partition(",")[2])))


def in_srgb(decoded: Image.Image) -> Image.Image:
    """Return an image of `open_image()` in sRGB, by its profile or by what else it tells of its colours."""
    image = decoded.convert("RGBA" if decoded.has_transparency_data else "RGB")
    if description := decoded.info.get(TOLD):
        return colours.in_srgb(image, description)
    profile = decoded.info.get("icc_profile")
    if not profile:
        return image
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError):  # of gray, or damaged
        return image
    return converted or image
