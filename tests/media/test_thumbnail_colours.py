"""Thumbnails have the colours of their originals, of whatever format, mode and profile."""

import struct
import zlib
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageDraw

from folio.media import pixels, thumbnails
from folio.media.thumbnails import BOXES, render_thumbnails

from .coloured_images import (
    BLUE,
    CLEAR,
    COLOURS,
    GREEN,
    P_CLEAR,
    P_HALF,
    RED,
    WHITE,
    Colour,
    P,
    alike,
    decode,
    encode,
    fields,
    header_of,
    png,
    quadrants,
)

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def gray(colours: Iterable[Colour]) -> list[Colour]:
    values = [(round(0.299 * red + 0.587 * green + 0.114 * blue), alpha) for red, green, blue, alpha in colours]
    return [(value, value, value, alpha) for value, alpha in values]


def half_clear() -> Image.Image:
    return quadrants((RED, GREEN, (*BLUE[:3], 128), CLEAR))


def gray_levels(mode: str, scale: float) -> Image.Image:
    """Draw the fields in a mode of more than 8 bits, by writing its samples as they are."""
    codes = {"I;16": "<H", "I;16B": ">H", "I": "<i", "F": "<f"}
    values = quadrants().convert("L").tobytes()
    samples = (value * scale if mode == "F" else int(value * scale) for value in values)
    return Image.frombytes(mode, (240, 160), b"".join(struct.pack(codes[mode], sample) for sample in samples))


IN_GRAY, SEE_THROUGH = gray(COLOURS), [RED, GREEN, (*BLUE[:3], 128), CLEAR]
TWO_TONE = [(0, 0, 0, 255), WHITE, WHITE, (0, 0, 0, 255)]
WITHOUT_WHITE = [RED, GREEN, BLUE, CLEAR]

CASES: list[tuple[str, str, Image.Image, dict[str, Any], list[Colour]]] = [
    ("JPEG", "L", quadrants().convert("L"), {}, IN_GRAY),
    ("JPEG", "RGB", quadrants().convert("RGB"), {}, list(COLOURS)),
    ("JPEG", "CMYK", quadrants().convert("RGB").convert("CMYK"), {}, list(COLOURS)),
    ("PNG", "1", quadrants(TWO_TONE).convert("1"), {}, TWO_TONE),
    ("PNG", "L", quadrants().convert("L"), {}, IN_GRAY),
    ("PNG", "L", quadrants().convert("L"), {"transparency": 255}, [*IN_GRAY[:3], CLEAR]),
    ("PNG", "LA", half_clear().convert("LA"), {}, gray(SEE_THROUGH)),
    ("PNG", "P", *P, list(COLOURS)),
    ("PNG", "P", *P_CLEAR, WITHOUT_WHITE),
    ("PNG", "P", *P_HALF, [*WITHOUT_WHITE[:3], (255, 255, 255, 128)]),
    ("PNG", "RGB", quadrants().convert("RGB"), {}, list(COLOURS)),
    ("PNG", "RGB", quadrants().convert("RGB"), {"transparency": WHITE[:3]}, WITHOUT_WHITE),
    ("PNG", "RGBA", half_clear(), {}, SEE_THROUGH),
    ("PNG", "I;16", gray_levels("I;16", 257), {}, IN_GRAY),
    ("PNG", "I;16", gray_levels("I;16", 257), {"transparency": 65535}, [*IN_GRAY[:3], CLEAR]),
    ("GIF", "L", quadrants().convert("L"), {"optimize": False}, IN_GRAY),
    ("GIF", "P", *P, list(COLOURS)),
    ("GIF", "P", *P_CLEAR, WITHOUT_WHITE),
    ("WEBP", "RGB", quadrants().convert("RGB"), {}, list(COLOURS)),
    ("WEBP", "RGBA", half_clear(), {"lossless": True}, SEE_THROUGH),
    ("AVIF", "L", quadrants().convert("L"), {}, IN_GRAY),
    ("AVIF", "RGB", quadrants().convert("RGB"), {}, list(COLOURS)),
    ("AVIF", "RGBA", half_clear(), {}, SEE_THROUGH),
    ("BMP", "1", quadrants(TWO_TONE).convert("1"), {}, TWO_TONE),
    ("BMP", "L", quadrants().convert("L"), {}, IN_GRAY),
    ("BMP", "P", *P, list(COLOURS)),
    ("BMP", "RGB", quadrants().convert("RGB"), {}, list(COLOURS)),
    ("TIFF", "1", quadrants(TWO_TONE).convert("1"), {}, TWO_TONE),
    ("TIFF", "1", quadrants(TWO_TONE).convert("1"), {"compression": "group4"}, TWO_TONE),
    ("TIFF", "L", quadrants().convert("L"), {}, IN_GRAY),
    ("TIFF", "LA", half_clear().convert("LA"), {}, gray(SEE_THROUGH)),
    ("TIFF", "P", *P, list(COLOURS)),
    ("TIFF", "PA", P[0].convert("PA"), {}, list(COLOURS)),
    ("TIFF", "RGB", quadrants().convert("RGB"), {"compression": "tiff_lzw"}, list(COLOURS)),
    ("TIFF", "RGB", quadrants().convert("RGB"), {"compression": "jpeg"}, list(COLOURS)),
    ("TIFF", "RGBA", half_clear(), {}, SEE_THROUGH),
    ("TIFF", "RGB", quadrants().convert("RGBX"), {}, list(COLOURS)),
    ("TIFF", "CMYK", quadrants().convert("RGB").convert("CMYK"), {}, list(COLOURS)),
    ("TIFF", "YCbCr", quadrants().convert("RGB").convert("YCbCr"), {}, list(COLOURS)),
    ("TIFF", "LAB", quadrants().convert("RGB").convert("LAB"), {}, list(COLOURS)),
    ("TIFF", "I;16", gray_levels("I;16", 257), {}, IN_GRAY),
    ("TIFF", "I;16B", gray_levels("I;16B", 257), {}, IN_GRAY),
    ("TIFF", "I", gray_levels("I", 1), {}, IN_GRAY),
    ("TIFF", "I", gray_levels("I", 257), {}, IN_GRAY),
    ("TIFF", "F", gray_levels("F", 1 / 255), {}, IN_GRAY),
    ("TIFF", "F", gray_levels("F", 1), {}, IN_GRAY),
    ("TIFF", "F", gray_levels("F", 257), {}, IN_GRAY),
]


@pytest.mark.parametrize(
    ("format", "mode", "image", "options", "expected"),
    CASES,
    ids=["-".join([case[0], case[1], *map(str, case[3])]) for case in CASES],
)
def test_shows_every_format_and_mode_in_its_colours(
    format: str, mode: str, image: Image.Image, options: dict[str, Any], expected: list[Colour]
) -> None:
    file = encode(image, format, **options)

    header, rendered = header_of(file), render_thumbnails(file)

    assert (header.format.name, header.mode) == (format, mode)
    assert (header.width, header.height) == (240, 160)
    assert list(rendered) == sorted(BOXES, reverse=True)
    for box, data in rendered.items():
        thumbnail = decode(data)
        assert thumbnail.format == ("PNG" if format == "TIFF" else format)
        assert thumbnail.size == {64: (64, 43), 128: (128, 85)}.get(box, (240, 160))
        assert alike(fields(thumbnail), expected), box


def test_keeps_the_alpha_of_a_bmp() -> None:
    own = thumbnails._encode_bmp(half_clear())

    rendered = render_thumbnails(BytesIO(own))

    assert header_of(BytesIO(own)).mode == "RGBA"
    assert rendered[1080] == own
    for data in rendered.values():
        assert decode(data).mode == "RGBA"
        assert alike(fields(decode(data)), SEE_THROUGH)


@pytest.mark.parametrize(("depth", "samples"), [(2, b"\0\x1b"), (4, b"\0\x05\xaf")])
def test_finds_the_transparent_gray_of_a_png_of_few_bits(depth: int, samples: bytes) -> None:
    key = struct.pack(">H", {2: 1, 4: 5}[depth])
    file = png(4, 1, depth, 0, (b"tRNS", key), (b"IDAT", zlib.compress(samples)))

    thumbnail = decode(render_thumbnails(file)[1080])

    grays = [0, 85, 170, 255]
    assert [thumbnail.convert("LA").getpixel((x, 0)) for x in range(4)] == [
        (value, 0 if value == 85 else 255) for value in grays
    ]


def test_finds_the_transparent_colour_of_a_png_of_16_bits_a_band() -> None:
    samples = b"\0" + struct.pack(">6H", 65535, 0, 0, 1000, 2000, 3000)
    file = png(2, 1, 16, 2, (b"tRNS", struct.pack(">3H", 1000, 2000, 3000)), (b"IDAT", zlib.compress(samples)))

    thumbnail = decode(render_thumbnails(file)[64])

    assert thumbnail.getpixel((0, 0)) == (255, 0, 0, 255)
    assert thumbnail.getpixel((1, 0)) == (3, 7, 11, 0)


def test_scales_16_bits_to_8_instead_of_cutting_them_off() -> None:
    samples = b"".join(struct.pack("<H", value * 257) for value in range(256))
    file = encode(Image.frombytes("I;16", (256, 1), samples), "PNG")

    assert decode(render_thumbnails(file)[512]).tobytes() == bytes(range(256))


def test_stretches_numbers_without_a_white_of_their_own() -> None:
    values = (-100_000, 0, 900_000)
    file = encode(Image.frombytes("I", (3, 1), struct.pack("<3i", *values)), "TIFF")

    black, between, white = decode(render_thumbnails(file)[64]).tobytes()

    assert (black, white) == (0, 255)
    assert between in {25, 26}


def test_shows_what_is_no_number_as_black() -> None:
    file = encode(Image.frombytes("F", (3, 1), struct.pack("<3f", float("nan"), 0.5, 1)), "TIFF")

    assert decode(render_thumbnails(file)[64]).tobytes()[1:] in (b"\x7f\xff", b"\x80\xff")


@pytest.mark.parametrize("mode", ["HSV", "RGBX", "RGBa", "La", "I;16L"])
def test_shows_modes_that_no_accepted_format_has(mode: str) -> None:
    source = {"HSV": "RGB", "RGBX": "RGB", "RGBa": "RGBA", "La": "LA"}.get(mode)
    image = quadrants().convert(source).convert(mode) if source else Image.new(mode, (240, 160), 65535)

    shown = pixels.in_eight_bits(image)

    assert shown.mode == (source or "L")
    expected = {"La": IN_GRAY, "I;16L": [WHITE] * 4}.get(mode, COLOURS)
    assert alike(fields(shown), expected)


def test_lets_no_invisible_colour_bleed_into_the_visible() -> None:
    image = Image.new("RGBA", (1600, 1200), (0, 255, 0, 0))
    ImageDraw.Draw(image).ellipse((100, 100, 1500, 1100), fill=RED)

    for data in render_thumbnails(encode(image, "PNG")).values():
        thumbnail = decode(data)
        edge: Any = [pixel for _, pixel in thumbnail.convert("RGBA").getcolors(10**6) or [] if 64 < pixel[3] < 255]  # type: ignore[index]
        assert len(edge) > 10
        assert all(red >= 200 and green < 60 for red, green, _, _ in edge)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_carries_the_colour_profile_but_nothing_personal(format: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Secret camera"
    options: dict[str, Any] = {"comment": b"Secret comment"} if format == "JPEG" else {}
    file = encode(quadrants().convert("RGB"), format, exif=exif, icc_profile=SRGB, **options)

    for data in render_thumbnails(file).values():
        assert b"Secret" not in data
        thumbnail = decode(data)
        assert thumbnail.info["icc_profile"] == SRGB
        assert not thumbnail.getexif()


def test_shows_cmyk_in_rgb_without_the_profile_of_its_inks() -> None:
    cmyk = quadrants().convert("RGB").convert("CMYK")
    unusable = SRGB[:16] + b"CMYK" + SRGB[20:]

    for profile in (SRGB, unusable, b"nonsense"):
        thumbnail = decode(render_thumbnails(encode(cmyk, "JPEG", icc_profile=profile))[128])
        assert thumbnail.mode == "RGB"
        assert "icc_profile" not in thumbnail.info
        assert alike(fields(thumbnail), COLOURS)
