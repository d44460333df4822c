"""Images that tell their colours otherwise than by an ICC profile, and how they look in sRGB by other arithmetic."""

import math
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO

from PIL import Image, ImageCms

from .coloured_images import decode, encode, fields, png

Light = tuple[float, float, float]
Rgb = tuple[int, int, int]
Chunk = tuple[bytes, bytes]

VIVID: tuple[Rgb, ...] = ((200, 100, 50), (60, 170, 90), (90, 80, 190), (150, 150, 150))
DIM: tuple[Rgb, ...] = ((120, 80, 60), (50, 110, 90), (60, 70, 130), (130, 130, 130))  # of HDR, up to a page's white

# As the standards and their readers print them, of light to light: nothing is worked out of primaries here.
TO_SRGB = {
    1: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    9: ((1.660491, -0.587641, -0.072850), (-0.124550, 1.132900, -0.008349), (-0.018151, -0.100579, 1.118730)),
    12: ((1.224940, -0.224940, 0.0), (-0.042057, 1.042057, 0.0), (-0.019638, -0.078636, 1.098274)),
}
P3_TO_2020 = ((0.753833, 0.198597, 0.047570), (0.045744, 0.941777, 0.012479), (-0.001210, 0.017602, 0.983609))
P3_IN_CHRM = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
SRGB_IN_CHRM = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def cicp(primaries: int, transfer: int, matrix: int = 0, full_range: int = 1) -> Chunk:
    return b"cICP", bytes((primaries, transfer, matrix, full_range))


def gama(gamma: float) -> Chunk:
    return b"gAMA", struct.pack(">I", round(gamma * 100_000))


def clli(candelas: float) -> Chunk:
    return b"cLLI", struct.pack(">II", round(candelas * 10_000), 0)


def mdcv(candelas: float) -> Chunk:
    return b"mDCV", struct.pack(
        ">8HII", 35400, 14600, 8500, 39850, 6550, 2300, 15635, 16450, round(candelas * 10_000), 1
    )


def iccp(profile: bytes) -> Chunk:
    return b"iCCP", b"x\0\0" + zlib.compress(profile)


def four_fields(colours: Iterable[Rgb], size: tuple[int, int] = (120, 80)) -> Image.Image:
    image = Image.new("RGB", size)
    width, height = size[0] // 2, size[1] // 2
    for number, colour in enumerate(colours):
        left, top = number % 2 * width, number // 2 * height
        image.paste(colour, (left, top, left + width, top + height))
    return image


def described_png(colours: Sequence[Rgb], *chunks: Chunk, size: tuple[int, int] = (120, 80)) -> BytesIO:
    image = four_fields(colours, size)
    rows = image.tobytes()
    stride = 3 * size[0]
    data = b"".join(b"\0" + rows[place : place + stride] for place in range(0, len(rows), stride))
    return png(*size, 8, 2, *chunks, (b"IDAT", zlib.compress(data)))


def described_avif(
    colours: Sequence[Rgb], *properties: Chunk, size: tuple[int, int] = (120, 80), **options: object
) -> BytesIO:
    """Encode an AVIF, and put these properties of its picture in the place of the encoder's `colr`."""
    file = encode(four_fields(colours, size), "AVIF", **{"quality": 100, "subsampling": "4:4:4", "speed": 8, **options})
    return with_properties(file.getvalue(), properties)


def with_properties(avif: bytes, properties: Sequence[Chunk]) -> BytesIO:
    parts = dict(parse(avif))
    meta = dict(parse(parts[b"meta"][4:]))
    kept = [each for each in parse(dict(parse(meta[b"iprp"]))[b"ipco"]) if each[0] != b"colr"]
    every = [*kept, *properties]
    numbers = bytes(number | 0x80 * (kind == b"av1C") for number, (kind, _) in enumerate(every, 1))
    ipma = struct.pack(">IIHB", 0, 1, 1, len(every)) + numbers
    meta[b"iprp"] = box(b"ipco", b"".join(box(*each) for each in every)) + box(b"ipma", ipma)

    def built(place: int) -> bytes:
        iloc = bytearray(meta[b"iloc"])
        iloc[14:18] = struct.pack(">I", place)  # of the one item's one extent
        whole = {**meta, b"iloc": bytes(iloc)}
        return box(b"meta", bytes(4) + b"".join(box(*each) for each in whole.items()))

    front = box(b"ftyp", parts[b"ftyp"])
    return BytesIO(front + built(len(front) + len(built(0)) + 8) + box(b"mdat", parts[b"mdat"]))


def nclx(primaries: int, transfer: int, matrix: int = 6, full_range: int = 1) -> Chunk:
    return b"colr", b"nclx" + struct.pack(">HHHB", primaries, transfer, matrix, full_range << 7)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def parse(data: bytes) -> Iterator[Chunk]:
    place = 0
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place + 8 : place + size]
        place += size


# How they look


def seen(data: bytes) -> list[Rgb]:
    """Return the colours of the four fields in sRGB, by the ICC profile that an image carries, if it does."""
    image = decode(data)
    shown = image.convert("RGB")
    if profile := image.info.get("icc_profile"):
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(shown, own, ImageCms.createProfile("sRGB"))
        assert converted is not None
        shown = converted
    return [colour[:3] for colour in fields(shown)]


def furthest(found: Iterable[Rgb], expected: Iterable[Rgb]) -> int:
    pairs = zip(found, expected, strict=True)
    return max(abs(one - other) for pair in pairs for one, other in zip(*pair, strict=True))


def in_srgb(colours: Iterable[Rgb], primaries: int, transfer: Callable[[float], float]) -> list[Rgb]:
    return [encoded(mix(TO_SRGB[primaries], [transfer(value / 255) for value in colour])) for colour in colours]


def pq_in_srgb(colours: Iterable[Rgb], primaries: int, peak: float = 1000) -> list[Rgb]:
    lights = ([pq(value / 255) / 203 for value in colour] for colour in colours)
    return [dimmed(in_2020(light, primaries), peak) for light in lights]


def hlg_in_srgb(colours: Iterable[Rgb], primaries: int) -> list[Rgb]:
    made = []
    for colour in colours:
        scene = in_2020([hlg(value / 255) for value in colour], primaries)
        brightness = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2]
        made.append(dimmed([value * brightness**0.2 * 1000 / 203 for value in scene], 1000))
    return made


def in_2020(light: Sequence[float], primaries: int) -> Sequence[float]:
    return light if primaries == 9 else mix(P3_TO_2020, light)


def dimmed(light: Sequence[float], peak: float) -> Rgb:
    """Map light of BT.2020, of which a page's white has 1, to sRGB by SMPTE ST 2094-50's bend, found by halving."""
    most, brightest = peak / 203, max(light)
    white = 1 - 0.5 * min(1.0, math.log2(most) / math.log2(1000 / 203))
    if brightest <= 1:
        mapped = brightest * white
    elif brightest >= most:
        mapped = 1.0
    else:
        middle = (0.35 + 0.65 / white, 0.35 * white + 0.65)
        low, high = 0.0, 1.0
        for _ in range(50):
            place = (low + high) / 2
            there = (1 - place) ** 2 + 2 * place * (1 - place) * middle[0] + place**2 * most
            low, high = (place, high) if there < brightest else (low, place)
        mapped = (1 - low) ** 2 * white + 2 * low * (1 - low) * middle[1] + low**2
    gain = mapped / brightest if brightest else 0.0
    return encoded(mix(TO_SRGB[9], [value * gain for value in light]))


def mix(matrix: Sequence[Light], light: Sequence[float]) -> Light:
    first, second, third = (sum(one * other for one, other in zip(row, light, strict=True)) for row in matrix)
    return first, second, third


def encoded(light: Light) -> Rgb:
    cut = (min(max(value, 0.0), 1.0) for value in light)
    red, green, blue = (round(255 * (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055)) for v in cut)
    return red, green, blue


def srgb(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def power(exponent: float) -> Callable[[float], float]:
    return lambda value: value**exponent


def pq(value: float) -> float:
    """Return the candelas a square metre of a value of PQ, with SMPTE ST 2084's constants as fractions."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = value ** (1 / m2)
    return 10_000 * (max(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def hlg(value: float) -> float:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return value**2 / 3 if value <= 0.5 else (math.exp((value - c) / a) + b) / 12
