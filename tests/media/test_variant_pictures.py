"""Variants show what their originals show, in size, direction and colours, whatever these are made of."""

import hashlib
import struct
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageOps

from folio.media.opening import UnreadableImage
from folio.media.rendering import SHARE_SIZE, Wanted, crop, render
from folio.media.standing_in import in_srgb
from folio.media.variants import VERSION

from .coloured_images import (
    BLUE,
    CLEAR,
    COLOURS,
    GREEN,
    LIMIT,
    P_CLEAR,
    P_HALF,
    RED,
    WHITE,
    P,
    alike,
    decode,
    difference,
    encode,
    fields,
    photograph,
    quadrants,
)

pytestmark = pytest.mark.any_database

EXTENSIONS = ("avif", "webp", "jpg", "png")
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
DISPLAY_P3 = ((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841))  # of its red, green, blue


def variant(file: BytesIO, extension: str, width: int = 0, focal: tuple[float, float] | None = None) -> Image.Image:
    return decode(next(render(file, [Wanted(extension, width, focal)], LIMIT)))


def profile(primaries: Any = DISPLAY_P3, size: int = 0, space: bytes = b"RGB ") -> bytes:
    """Put a colour profile together: of these primaries, or of gray, with a gamma of 2.2, `size` bytes longer."""
    fixed = [b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in xyz)) for xyz in primaries]
    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, 0x0233, 0)
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78 + size)
    tags = {b"desc": text, b"wtpt": white}
    if space == b"RGB ":
        tags |= dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), fixed, strict=True)) | dict.fromkeys(
            (b"rTRC", b"gTRC", b"bTRC"), curve
        )
    else:
        tags[b"kTRC"] = curve
    table, data, place = b"", b"", 132 + 12 * len(tags)
    for name, value in tags.items():
        value += bytes(-len(value) % 4)
        table += name + struct.pack(">II", place + len(data), len(value))
        data += value
    body = struct.pack(">I", len(tags)) + table + data
    header = struct.pack(">I4sI4s4s4s", 128 + len(body), b"\0\0\0\0", 0x02100000, b"mntr", space, b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + body


# Size and direction


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize(("width", "size"), [(50, (50, 33)), (240, (240, 160)), (1000, (240, 160)), (1, (1, 1))])
def test_has_the_width_and_is_never_larger_than_the_original(extension: str, width: int, size: tuple[int, int]) -> None:
    assert variant(encode(quadrants().convert("RGB"), "PNG"), extension, width).size == size


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("format", ["JPEG", "WEBP", "TIFF", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_stands_upright(orientation: int, format: str, extension: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = encode(quadrants((RED, GREEN, BLUE, BLUE)).convert("RGB"), format, exif=exif)
    with Image.open(file) as image:
        upright = image.copy() if image.format == "TIFF" else image  # Pillow turns a TIFF as it loads it
        if image.format != "WEBP":  # which browsers don't turn
            upright = ImageOps.exif_transpose(upright)
        upright.load()

    made = variant(file, extension, 80)

    assert made.size == (80, round(80 * upright.height / upright.width))
    assert alike(fields(made), fields(upright), 16)
    assert not made.getexif()


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_picture_for_networks_stands_upright(orientation: int, extension: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = quadrants((RED, GREEN, BLUE, WHITE), (400, 300)).convert("RGB")

    made = variant(encode(stored, "JPEG", exif=exif), extension, focal=(0.5, 0.5))

    expected = (RED, GREEN, BLUE, WHITE) if orientation == 1 else (BLUE, RED, WHITE, GREEN)
    assert made.size == (1200, 630)
    assert alike(fields(made), expected, 16)


def test_shows_a_photograph_as_a_careful_resize_does() -> None:
    with Image.open(photograph("china.jpg")) as image:
        careful = image.resize((320, 214), Image.Resampling.LANCZOS)
    content = photograph("china.jpg").read_bytes()

    for extension, most in (("png", 0.5), ("jpg", 4), ("webp", 4), ("avif", 4)):
        made = variant(BytesIO(content), extension, 320)
        assert difference(made, careful) < most, extension


# Cropped


@pytest.mark.parametrize(
    ("size", "focal", "expected"),
    [
        ((2400, 1260), (0.1, 0.9), (0, 0, 2400, 1260)),
        ((2400, 2400), (0.5, 0.5), (0, 570, 2400, 1830)),
        ((2400, 2400), (0.5, 0.0), (0, 0, 2400, 1260)),
        ((2400, 2400), (0.0, 1.0), (0, 1140, 2400, 2400)),
        ((4800, 1260), (0.25, 0.5), (0, 0, 2400, 1260)),
        ((4800, 1260), (0.6, 0.5), (1680, 0, 4080, 1260)),
        ((120, 63), (0.5, 0.5), (0, 0, 120, 63)),
    ],
)
def test_crops_round_the_focal_point_and_never_beyond_the_edge(
    size: tuple[int, int], focal: tuple[float, float], expected: tuple[int, ...]
) -> None:
    assert crop(size, focal) == pytest.approx(expected)


def test_the_picture_for_networks_shows_what_is_at_the_focal_point() -> None:
    file = encode(quadrants(size=(400, 2000)).convert("RGB"), "PNG")

    top, bottom = (variant(file, "jpg", focal=(0.5, y)) for y in (0.0, 1.0))

    assert top.size == bottom.size == SHARE_SIZE
    assert alike(fields(top), (RED, GREEN, RED, GREEN))
    assert alike(fields(bottom), (BLUE, WHITE, BLUE, WHITE))


# Colours

RGB = quadrants().convert("RGB")


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize(
    ("image", "format", "options"),
    [
        (RGB, "JPEG", {"quality": 95}),
        (RGB, "PNG", {}),
        (RGB, "WEBP", {"lossless": True}),
        (RGB, "AVIF", {"quality": 95}),
        (RGB, "BMP", {}),
        (RGB, "TIFF", {}),
        (RGB, "TIFF", {"compression": "tiff_lzw"}),
        (RGB.convert("CMYK"), "TIFF", {}),
        (RGB.convert("YCbCr"), "TIFF", {}),
        (P[0], "PNG", {}),
        (P[0], "GIF", {}),
        (P[0], "BMP", {}),
        (quadrants(), "PNG", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_shows_every_format_and_mode_in_its_colours(
    image: Image.Image, format: str, options: dict[str, Any], extension: str
) -> None:
    made = variant(encode(image, format, **options), extension, 120)

    assert alike(fields(made), COLOURS, 16)
    assert not made.has_transparency_data


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_shows_gray_of_16_bits(extension: str) -> None:
    image = Image.new("I;16", (64, 64))
    image.putdata([x * 1024 for _ in range(64) for x in range(64)])

    made = variant(encode(image, "PNG"), extension, 32).convert("L")

    assert [made.getpixel((x, 5)) for x in (4, 16, 28)] == pytest.approx([34, 130, 226], abs=8)


@pytest.mark.parametrize("extension", ["avif", "webp", "png"])
@pytest.mark.parametrize("format", ["PNG", "WEBP", "AVIF", "TIFF"])
def test_keeps_transparency(format: str, extension: str) -> None:
    file = encode(quadrants((RED, CLEAR, BLUE, (255, 255, 255, 128))), format)

    assert alike(fields(variant(file, extension, 120)), (RED, CLEAR, BLUE, (255, 255, 255, 128)), 12)


@pytest.mark.parametrize("extension", ["avif", "webp", "png"])
@pytest.mark.parametrize(("image", "format"), [(P_CLEAR, "PNG"), (P_CLEAR, "GIF"), (P_HALF, "PNG")])
def test_keeps_the_transparency_of_palettes(image: tuple[Any, Any], format: str, extension: str) -> None:
    made = variant(encode(image[0], format, **image[1]), extension, 120)

    expected = CLEAR if image is P_CLEAR else (255, 255, 255, 128)
    assert alike(fields(made), (RED, GREEN, BLUE, expected), 12)


def test_puts_white_behind_what_shines_through_in_a_jpeg() -> None:
    file = encode(quadrants((RED, CLEAR, BLUE, (0, 0, 0, 128))), "PNG")

    assert alike(fields(variant(file, "jpg", 120)), (RED, WHITE, BLUE, (127, 127, 127, 255)), 16)


def test_lets_no_invisible_colour_bleed_into_the_visible() -> None:
    image = Image.new("RGBA", (100, 100), (0, 255, 0, 0))
    image.paste(RED, (0, 0, 50, 100))

    made = variant(encode(image, "PNG"), "png", 33)

    edges: list[Any] = [made.getpixel((x, 16)) for x in range(33)]
    assert all(pixel[1] <= RED[1] + 8 for pixel in edges if pixel[3] > 16)


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_photograph_of_wide_colours_does_not_pale(mode: str, extension: str) -> None:
    image = quadrants(((255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), WHITE)).convert(mode)
    if mode == "RGBA":
        image.putpixel((0, 0), CLEAR)
    file = encode(image, "PNG", icc_profile=profile())

    made = variant(file, extension, 120)

    assert made.info["icc_profile"] == profile()
    assert alike(fields(made), fields(image), 12)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_long_profile_is_not_carried_by_each_variant(extension: str) -> None:
    wide = profile(size=5000)
    image = quadrants(((200, 60, 60, 255), (60, 200, 60, 255), (60, 60, 200, 255), WHITE)).convert("RGB")

    made = variant(encode(image, "PNG", icc_profile=wide), extension, 120)

    shown = in_srgb(decode(encode(image, "PNG", icc_profile=wide).getvalue()))
    assert "icc_profile" not in made.info
    assert alike(fields(made), fields(shown), 12)
    assert not alike(fields(made), fields(image), 12)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_srgb_needs_no_profile(extension: str) -> None:
    made = variant(encode(RGB, "JPEG", quality=95, icc_profile=SRGB), extension, 120)

    assert "icc_profile" not in made.info
    assert alike(fields(made), COLOURS, 16)


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("mode", ["L", "LA"])
def test_gray_with_a_profile_becomes_srgb(mode: str, extension: str) -> None:
    image = Image.new(mode, (60, 40), 100 if mode == "L" else (100, 255))

    made = variant(encode(image, "PNG", icc_profile=profile(space=b"GRAY")), extension, 30)

    assert "icc_profile" not in made.info
    red, green, blue = made.convert("RGB").getpixel((10, 10))  # type: ignore[misc]
    assert abs(red - green) + abs(green - blue) <= 4
    assert red == pytest.approx(100, abs=6)  # a gamma of 2.2 is almost sRGB's


def test_cmyk_comes_without_the_profile_of_its_inks() -> None:
    for broken in (SRGB, b"nonsense"):
        made = variant(encode(RGB.convert("CMYK"), "JPEG", quality=95, icc_profile=broken), "avif", 120)
        assert "icc_profile" not in made.info
        assert alike(fields(made), COLOURS, 24)


@pytest.mark.parametrize("broken", [b"nonsense", profile()[:200], profile(space=b"GRAY")])
def test_leaves_out_a_profile_that_is_of_no_use(broken: bytes) -> None:
    made = variant(encode(RGB, "PNG", icc_profile=broken), "webp", 120)

    assert "icc_profile" not in made.info
    assert alike(fields(made), COLOURS, 16)


# The same each time


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_makes_the_same_bytes_whatever_else_is_made(format: str) -> None:
    with Image.open(photograph("china.jpg")) as image:
        content = encode(image.resize((1600, 1000)), format).getvalue()
    wanted = [Wanted("webp", 1500), Wanted("jpg", 1500), Wanted("webp", 320), Wanted("jpg", 100)]
    wanted.append(Wanted("jpg", focal=(0.3, 0.3)))

    together = list(render(BytesIO(content), wanted, LIMIT))

    assert together == [next(render(BytesIO(content), [each], LIMIT)) for each in wanted]
    assert together[::-1] == list(render(BytesIO(content), wanted[::-1], LIMIT))


def test_another_encoder_s_bytes_need_another_version() -> None:
    """Raise VERSION where this fails after a change or an update, and write down the new digests."""
    content = photograph("flower.jpg").read_bytes()
    wanted = [Wanted(extension, 100) for extension in EXTENSIONS]
    digests = [hashlib.sha256(made).hexdigest()[:12] for made in render(BytesIO(content), wanted, LIMIT)]

    assert (VERSION, digests) == (2, ["ed1304487e28", "43ab26bddd0d", "6ca2b83376ba", "1e07f5fd8dff"])


# What can't be made


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_refuses_what_can_not_be_decoded(extension: str) -> None:
    half = encode(RGB, "PNG").getvalue()[:200]
    for content in (b"no picture", half):
        with pytest.raises(UnreadableImage):
            variant(BytesIO(content), extension, 100)


def test_refuses_more_pixels_than_are_accepted() -> None:
    with pytest.raises(UnreadableImage):
        next(render(encode(RGB, "PNG"), [Wanted("webp", 100)], 1000))


def test_refuses_what_an_encoder_can_not_hold() -> None:
    tall = encode(Image.new("RGB", (4, 20_000)), "PNG")

    with pytest.raises(UnreadableImage):
        variant(tall, "webp", 4)
    assert variant(tall, "jpg", 4).size == (4, 20_000)
