"""Images of four colours, one in each quarter, and what is seen of them."""

import struct
import zlib
from collections.abc import Iterable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageStat

from folio.media.opening import ImageHeader, read_header

Colour = tuple[int, int, int, int]

RED, GREEN, BLUE, WHITE = (220, 40, 30, 255), (30, 160, 60, 255), (40, 70, 200, 255), (255, 255, 255, 255)
COLOURS = (RED, GREEN, BLUE, WHITE)
CLEAR = (0, 0, 0, 0)
LIMIT = 50_000_000  # pixels


def quadrants(colours: Iterable[Colour] = COLOURS, size: tuple[int, int] = (240, 160)) -> Image.Image:
    """Draw four fields: the first colour at the top left, the second at the top right, then the lower ones."""
    image = Image.new("RGBA", size)
    width, height = size[0] // 2, size[1] // 2
    for number, colour in enumerate(colours):
        image.paste(colour, (number % 2 * width, number // 2 * height, size[0], size[1]))
        if number % 2 == 0:
            image.paste(CLEAR, (width, number // 2 * height, size[0], size[1]))
    return image


def encode(image: Image.Image, format: str, **options: Any) -> BytesIO:
    file = BytesIO()
    image.save(file, format, **options)
    file.seek(0)
    return file


def decode(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def fields(image: Image.Image) -> list[Colour]:
    """Return the colours in the middle of the four fields."""
    shown = image.convert("RGBA")
    places = ((x, y) for y in (1, 3) for x in (1, 3))
    colours = [shown.getpixel((shown.width * x // 4, shown.height * y // 4)) for x, y in places]
    return [colour if colour[3] else CLEAR for colour in colours]  # type: ignore[misc, index]


def alike(found: Iterable[Colour], expected: Iterable[Colour], tolerance: int = 8) -> bool:
    return all(
        abs(one - other) <= tolerance
        for left, right in zip(found, expected, strict=True)
        for one, other in zip(left, right, strict=True)
    )


def header_of(file: BytesIO, max_pixels: int = LIMIT) -> ImageHeader:
    header = read_header(file, max_pixels)
    assert header is not None
    return header


def png(width: int, height: int, depth: int, colour_type: int, *chunks: tuple[bytes, bytes]) -> BytesIO:
    """Put a PNG together by hand, for what no encoder writes."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    parts = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", header), *chunks, (b"IEND", b""))
    ]
    return BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def photograph(name: str) -> Path:
    """Return the path of a photograph that comes with scikit-learn; importing that takes seconds."""
    spec = find_spec("sklearn")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "datasets" / "images" / name


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return by how much two images differ on average, in levels of brightness."""
    return ImageStat.Stat(ImageChops.difference(one.convert("L"), other.convert("L"))).mean[0]


def with_palette(transparency: int | bytes | None = None) -> tuple[Image.Image, dict[str, Any]]:
    image = quadrants().convert("RGB").quantize(4)
    palette = image.getpalette() or []
    white = [palette[place : place + 3] for place in range(0, 12, 3)].index(list(WHITE[:3]))
    if transparency == 0:
        return image, {"transparency": white}
    if transparency == b"":
        return image, {"transparency": bytes(128 if number == white else 255 for number in range(4))}
    return image, {}


P, P_CLEAR, P_HALF = with_palette(), with_palette(0), with_palette(b"")
