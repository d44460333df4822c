"""Colours that an image tells otherwise than by an ICC profile, brought into sRGB or into words that all understand.

AVIF and HEIC tell them by numbers of ITU-T H.273 (nclx), PNG by the same (cICP) or by the primaries' places and a power
(cHRM, gAMA). What an encoder writes is mostly an ICC profile or nothing, so that is what becomes of them. All is as
Chromium shows it: docs/decisions/0044.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from io import BytesIO
from typing import Any, NamedTuple

from PIL import Image, ImageCms, ImageMath

from .pixels import in_rgb

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]
Primaries = tuple[float, float, float, float, float, float, float, float]  # x, y of red, green, blue and white

D65, C = (0.3127, 0.3290), (0.310, 0.316)
BT_709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *D65)
BT_2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *D65)
DISPLAY_P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *D65)
SMPTE_170M = (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *D65)
PRIMARIES: dict[int, Primaries] = {  # by the numbers of H.273
    1: BT_709,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *C),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *D65),
    6: SMPTE_170M,
    7: SMPTE_170M,
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *C),
    9: BT_2020,
    10: (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: DISPLAY_P3,
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *D65),
}
NAMES = {BT_2020: "Rec. 2020", DISPLAY_P3: "Display P3"}  # of profiles, as programs list them
D50 = (0.9642, 1.0, 0.8249)  # X, Y and Z of the white that profiles speak of
BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


class Curve(NamedTuple):
    """How much light a value from 0 to 1 stands for: `(scale * value + offset) ** power`, below `start` a line."""

    power: float
    scale: float = 1.0
    offset: float = 0.0
    slope: float = 0.0
    start: float = 0.0

    def light(self, value: float) -> float:
        if value < self.start:
            return self.slope * value
        return max(0.0, self.scale * value + self.offset) ** self.power


SRGB = Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
PQ, HLG = 16, 18
CURVES = {  # by the numbers of H.273
    4: Curve(2.2),
    5: Curve(2.8),
    7: Curve(1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0913),
    8: Curve(1.0),
    13: SRGB,
    17: Curve(2.6, (52.37 / 48) ** (1 / 2.6)),
}
OF_FILMS = {1, 6, 14, 15}  # BT.709, BT.601 and BT.2020: what cameras do, without a word on what screens do

TOLD = "colours"  # the key of an image's `info` under which its description lies
PEAK = 1000.0  # candelas a square metre, the brightest that HDR is made with unless it tells
WHITE = 203.0  # candelas a square metre of a white page, BT.2408
LARGEST = 10_000.0  # candelas a square metre that PQ can tell
# More of a primary's light than sRGB has. Up to here, the difference of one television standard to another is cut off.
ROOM = 0.05
STEEPEST, FLATTEST = 3.0, 1.6  # powers that 8 bits are good for; of others too little would be left in the dark
LUMINANCE = (0.2627, 0.6780, 0.0593)  # of BT.2020's light
BEND = 0.65
DARKEST = 1e-9  # light, lest anything is divided by none
STRIP = 1_000_000  # pixels


class Description(NamedTuple):
    """What the numbers of an image's pixels mean."""

    primaries: Primaries
    curve: Curve | int  # PQ or HLG, which is HDR
    peak: float = PEAK  # candelas a square metre, of HDR


class Coloured(NamedTuple):
    """Pixels with the colour profile that they are shown by; without one they are in sRGB."""

    image: Image.Image
    profile: bytes | None


def is_known(primaries: int, transfer: int) -> bool:
    return primaries in PRIMARIES and (transfer in CURVES or transfer in OF_FILMS or transfer in (PQ, HLG))


def of_numbers(primaries: int, transfer: int, films: Curve = SRGB, peak: float = PEAK) -> Description | None:
    """Return what the numbers of H.273 (nclx, cICP) mean, None where that is sRGB; unknown ones are sRGB's.

    `films` is the curve of BT.709 and its likes: browsers take sRGB's in AVIF, and a power of 2.4 in PNG.
    """
    curve: Curve | int = transfer if transfer in (PQ, HLG) else CURVES.get(transfer, SRGB)
    if transfer in OF_FILMS:
        curve = films
    description = Description(PRIMARIES.get(primaries, BT_709), curve, peak)
    return None if description[:2] == (BT_709, SRGB) else description


def coloured(image: Image.Image, info: Mapping[Any, Any]) -> Coloured:
    """Return an image (L, LA, RGB, RGBA or CMYK) as it is stored, by the `info` of the one that it was made from."""
    if image.mode == "CMYK":
        return Coloured(in_rgb(image, info.get("icc_profile")), None)
    if description := info.get(TOLD):
        return settled(image, description)
    profile = info.get("icc_profile")
    space = {"L": b"GRAY", "LA": b"GRAY", "RGB": b"RGB ", "RGBA": b"RGB "}.get(image.mode)
    # There may be none, or one of other colours than the image's.
    return Coloured(image, profile if isinstance(profile, bytes) and profile[16:20] == space else None)


def with_usual_curve(image: Image.Image, info: dict[Any, Any]) -> Image.Image:
    """Return an image (L, LA, RGB or RGBA) in sRGB where only the curve is another, and forget that it was.

    It is for before an image is made smaller: of linear light, 8 bits of a mean leave little of the shadows.
    """
    description = info.get(TOLD)
    if not description or description.primaries != BT_709 or not isinstance(description.curve, Curve):
        return image
    info[TOLD] = None  # as coded it is still otherwise, so it can't be its own thumbnail
    return image.point(
        [*grays(description.curve) * len(image.mode.replace("A", "")), *range(256 * ("A" in image.mode))]
    )


def settled(image: Image.Image, description: Description) -> Coloured:
    """Return an image (L, LA, RGB or RGBA) as it is stored: with a profile where sRGB would take colours from it.

    HDR is brought into sRGB: there is no profile for it that programs without HDR understand.
    """
    if image.mode in ("RGB", "RGBA") and (profile := profile_of(description)) and is_wide(description):
        return Coloured(image, profile)
    return Coloured(in_srgb(image, description), None)


def in_srgb(image: Image.Image, description: Description) -> Image.Image:
    """Return an image (L, LA, RGB or RGBA) in sRGB; HDR as a screen without HDR shows it."""
    alpha = image.getchannel("A") if "A" in image.mode else None
    colours = image.convert(image.mode.replace("A", ""))
    if not isinstance(description.curve, Curve):
        made = toned(colours.convert("RGB"), description).convert(colours.mode)
    elif colours.mode == "L":
        made = colours.point(grays(description.curve))
    else:
        profile = profile_of(description)
        to_srgb = transform_of(profile) if profile else None
        made = to_srgb.apply(colours) if to_srgb else colours
    if alpha is not None:
        made.putalpha(alpha)
    return made


def is_wide(description: Description) -> bool:
    """Tell whether there are colours that sRGB lacks, with a curve that 8 bits are good for."""
    if not isinstance(description.curve, Curve) or not FLATTEST <= description.curve.power <= STEEPEST:
        return False
    to_srgb = to_light_of(description.primaries, BT_709)
    return any(not -ROOM <= value <= 1 + ROOM for row in to_srgb for value in row)


# ICC


@lru_cache
def profile_of(description: Description) -> bytes | None:
    """Return an ICC profile (version 4, about 500 bytes) that says the same, None of HDR and of what can't be."""
    curve = description.curve
    if not isinstance(curve, Curve):
        return None
    try:
        colorants = [fixed(*column) for column in zip(*to_d50(description.primaries), strict=True)]
        adaptation = fixed(*(value for row in adapted(white_of(description.primaries)) for value in row))
        tone = b"para" + struct.pack(">4xHxx", 3) + fixed(*curve)
    except (ZeroDivisionError, ValueError):
        return None
    red, green, blue = (b"XYZ \0\0\0\0" + each for each in colorants)
    tags = {
        b"desc": text(NAMES.get(description.primaries, "RGB")),
        b"cprt": text("CC0"),
        b"wtpt": b"XYZ \0\0\0\0" + fixed(*D50),
        b"chad": b"sf32\0\0\0\0" + adaptation,
        b"rXYZ": red,
        b"gXYZ": green,
        b"bXYZ": blue,
        b"rTRC": tone,
        b"gTRC": tone,
        b"bTRC": tone,
    }
    start = 128 + 4 + 12 * len(tags)
    table, data, places = b"", b"", dict[bytes, int]()
    for name, tag in tags.items():
        if tag not in places:
            places[tag] = start + len(data)
            data += tag.ljust(-len(tag) % 4 + len(tag), b"\0")
        table += struct.pack(">4sII", name, places[tag], len(tag))
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x", start + len(data), 0x04200000, b"mntr", b"RGB ", b"XYZ ", b"acsp"
    ) + fixed(*D50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


@lru_cache
def transform_of(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """Return what brings RGB of a profile into sRGB, None where the profile is of nothing that there is."""
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        built = ImageCms.buildTransform(own, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    except (ImageCms.PyCMSError, OSError):
        return None
    assert isinstance(built, ImageCms.ImageCmsTransform)
    return built


def text(words: str) -> bytes:
    encoded = words.encode("utf-16-be")
    return b"mluc" + struct.pack(">4xII4sII", 1, 12, b"enUS", len(encoded), 28) + encoded


def fixed(*values: float) -> bytes:
    """Return numbers with 16 bits before the point and 16 behind it; raise ValueError of what is too large."""
    if not all(abs(value) < 2**15 for value in values):
        raise ValueError(values)
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


# Grays, and HDR


@lru_cache
def grays(curve: Curve) -> list[int]:
    """Return what becomes of each gray in sRGB, whatever the primaries are."""
    return [round(255 * sample(curve.light(value / 255))) for value in range(256)]


def toned(image: Image.Image, description: Description) -> Image.Image:
    """Return an RGB image of HDR in sRGB, as a screen without HDR shows it.

    It is worked on in strips, since numbers with a point take four times the room.
    """
    rows = max(1, STRIP // image.width)
    made = Image.new("RGB", image.size)
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        strip = image.crop(box)
        lights = [band.point(lights_of(description.curve), "F") for band in strip.split()]
        bands = [
            ImageMath.lambda_eval(partial(toned_sample, description, row), **dict(zip("rgb", lights, strict=True)))
            for row in range(3)
        ]
        made.paste(Image.merge("RGB", [band.point(samples(), "L") for band in bands]), box)
    return made


def toned_sample(description: Description, row: int, args: dict[str, Any]) -> Any:
    """Return red, green or blue (a row of sRGB's matrix) as 16 bits of light, of the light in the bands r, g and b.

    The mapping is SMPTE ST 2094-50's for HDR that tells nothing of its own: all up to the white of a page is dimmed,
    by half where there may be light of 1,000 candelas a square metre; what is brighter follows a bend up to the peak.
    The brightest of red, green and blue decides, so that no colour changes its hue.
    """
    bands = [args["r"], args["g"], args["b"]]
    if description.primaries != BT_2020:
        bands = [mixed(each, bands) for each in to_light_of(description.primaries, BT_2020)]
    if description.curve == HLG:
        gain = args["max"](mixed(LUMINANCE, bands), 0.0) ** 0.2 * (PEAK / WHITE)
        bands = [band * gain for band in bands]
    peak = max(1.0, description.peak / WHITE)
    white = 1 - 0.5 * min(1.0, math.log(peak) / math.log(PEAK / WHITE))
    # A Bézier curve from the white of a page to the peak, by way of a point on the line that leads to the white.
    middle_in, middle_out = (1 - BEND) + BEND / white, (1 - BEND) * white + BEND
    square, double = 1 - 2 * middle_in + peak, 2 * (middle_in - 1)
    brightest = args["max"](args["max"](bands[0], bands[1]), bands[2])
    beyond = args["min"](args["max"](brightest, 1.0), peak) - 1.0
    place = beyond * 2.0 / ((beyond * (4 * square) + double * double) ** 0.5 + double)
    bent = place * (2 * (middle_out - white)) + place * place * (white - 2 * middle_out + 1)
    light = mixed(to_light_of(BT_2020, BT_709)[row], bands)
    light = light * (args["min"](brightest, 1.0) * white + bent) / args["max"](brightest, DARKEST)
    return args["int"](args["min"](args["max"](light, 0.0), 1.0) * 65535 + 0.5)


def mixed(row: Triple, bands: Sequence[Any]) -> Any:
    return bands[0] * row[0] + bands[1] * row[1] + bands[2] * row[2]


@lru_cache
def lights_of(curve: Curve | int) -> list[float]:
    """Return the light of each value of PQ (of which a white page has 1) or HLG (before the camera, up to 1)."""
    return [(light_of_pq if curve == PQ else light_of_hlg)(value / 255) for value in range(256)]


def light_of_pq(value: float) -> float:
    root = value ** (1 / 78.84375)  # SMPTE ST 2084
    return LARGEST / WHITE * (max(0.0, root - 0.8359375) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)


def light_of_hlg(value: float) -> float:
    if value <= 0.5:  # BT.2100
        return value * value / 3
    return (math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12


@lru_cache
def samples() -> list[int]:
    """Return sRGB's value, in 8 bits, for each light, in 16."""
    return [round(255 * sample(light / 65535)) for light in range(65536)]


def sample(light: float) -> float:
    """Return sRGB's value, from 0 to 1, for light, of which too little and too much are cut off."""
    light = min(max(light, 0.0), 1.0)
    return light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


# Primaries


def to_light_of(primaries: Primaries, others: Primaries) -> Matrix:
    """Return the matrix from the light of some primaries to that of others, white to white; raise ZeroDivisionError."""
    return product(inverse(to_d50(others)), to_d50(primaries))


@lru_cache
def to_d50(primaries: Primaries) -> Matrix:
    """Return the matrix from the light of primaries to X, Y and Z beside the white D50; raise ZeroDivisionError."""
    columns = [xyz(x, y) for x, y in zip(primaries[0:6:2], primaries[1:6:2], strict=True)]
    unscaled: Matrix = tuple(zip(*columns, strict=True))  # type: ignore[assignment]
    white = white_of(primaries)
    scales = multiplied(inverse(unscaled), white)
    scaled: Matrix = tuple(  # type: ignore[assignment]
        tuple(value * scale for value, scale in zip(row, scales, strict=True)) for row in unscaled
    )
    return product(adapted(white), scaled)


def xyz(x: float, y: float) -> Triple:
    return x, y, 1 - x - y


def white_of(primaries: Primaries) -> Triple:
    x, y = primaries[6:8]
    return x / y, 1.0, (1 - x - y) / y


def adapted(white: Triple) -> Matrix:
    """Return the matrix from X, Y and Z beside a white to those beside D50, by Bradford's cones."""
    ours, theirs = multiplied(BRADFORD, D50), multiplied(BRADFORD, white)
    first, second, third = (our / their for our, their in zip(ours, theirs, strict=True))
    return product(inverse(BRADFORD), product(((first, 0, 0), (0, second, 0), (0, 0, third)), BRADFORD))


def multiplied(matrix: Matrix, column: Sequence[float]) -> Triple:
    red, green, blue = column
    first, second, third = (row[0] * red + row[1] * green + row[2] * blue for row in matrix)
    return first, second, third


def product(one: Matrix, other: Matrix) -> Matrix:
    columns = [multiplied(one, column) for column in zip(*other, strict=True)]
    return tuple(zip(*columns, strict=True))  # type: ignore[return-value]


def inverse(matrix: Matrix) -> Matrix:
    """Return the inverse of a matrix; raise ZeroDivisionError where there is none."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    first, second, third = e * i - f * h, f * g - d * i, d * h - e * g
    whole = a * first + b * second + c * third
    return (
        (first / whole, (c * h - b * i) / whole, (b * f - c * e) / whole),
        (second / whole, (a * i - c * g) / whole, (c * d - a * f) / whole),
        (third / whole, (b * g - a * h) / whole, (a * e - b * d) / whole),
    )
