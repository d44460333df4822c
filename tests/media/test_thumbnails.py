import struct
import warnings
import zlib
from collections.abc import Iterable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageFile, ImageOps, ImageStat
from PIL.JpegImagePlugin import JpegImageFile

from folio.media import thumbnails
from folio.media.thumbnails import (
    BOXES,
    FORMATS,
    ImageHeader,
    TooManyPixels,
    UnreadableImage,
    read_header,
    render_thumbnails,
)

pytestmark = pytest.mark.database_free

Colour = tuple[int, int, int, int]

RED, GREEN, BLUE, WHITE = (220, 40, 30, 255), (30, 160, 60, 255), (40, 70, 200, 255), (255, 255, 255, 255)
COLOURS = (RED, GREEN, BLUE, WHITE)
CLEAR = (0, 0, 0, 0)
LIMIT = 50_000_000  # pixels
ORIENTATION = 0x0112
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


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


def gray(colours: Iterable[Colour]) -> list[Colour]:
    values = [(round(0.299 * red + 0.587 * green + 0.114 * blue), alpha) for red, green, blue, alpha in colours]
    return [(value, value, value, alpha) for value, alpha in values]


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


def half_clear() -> Image.Image:
    return quadrants((RED, GREEN, (*BLUE[:3], 128), CLEAR))


def with_palette(transparency: int | bytes | None = None) -> tuple[Image.Image, dict[str, Any]]:
    image = quadrants().convert("RGB").quantize(4)
    palette = image.getpalette() or []
    white = [palette[place : place + 3] for place in range(0, 12, 3)].index(list(WHITE[:3]))
    if transparency == 0:
        return image, {"transparency": white}
    if transparency == b"":
        return image, {"transparency": bytes(128 if number == white else 255 for number in range(4))}
    return image, {}


def gray_levels(mode: str, scale: float) -> Image.Image:
    """Draw the fields in a mode of more than 8 bits, by writing its samples as they are."""
    codes = {"I;16": "<H", "I;16B": ">H", "I": "<i", "F": "<f"}
    values = quadrants().convert("L").tobytes()
    samples = (value * scale if mode == "F" else int(value * scale) for value in values)
    return Image.frombytes(mode, (240, 160), b"".join(struct.pack(codes[mode], sample) for sample in samples))


IN_GRAY, SEE_THROUGH = gray(COLOURS), [RED, GREEN, (*BLUE[:3], 128), CLEAR]
TWO_TONE = [(0, 0, 0, 255), WHITE, WHITE, (0, 0, 0, 255)]
WITHOUT_WHITE = [RED, GREEN, BLUE, CLEAR]
P, P_CLEAR, P_HALF = with_palette(), with_palette(0), with_palette(b"")
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

    shown = thumbnails._in_eight_bits(image)

    assert shown.mode == (source or "L")
    expected = {"La": IN_GRAY, "I;16L": [WHITE] * 4}.get(mode, COLOURS)
    assert alike(fields(shown), expected)


def test_lets_no_invisible_colour_bleed_into_the_visible() -> None:
    image = Image.new("RGBA", (1600, 1200), (0, 255, 0, 0))
    ImageDraw.Draw(image).ellipse((100, 100, 1500, 1100), fill=RED)

    for data in render_thumbnails(encode(image, "PNG")).values():
        thumbnail = decode(data)
        edge: Any = [pixel for _, pixel in thumbnail.getcolors(10**6) or [] if 64 < pixel[3] < 255]  # type: ignore[index]
        assert len(edge) > 10
        assert all(red >= 200 and green < 60 for red, green, _, _ in edge)


INVERSE = {Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90}


def turned(image: Image.Image, orientation: int) -> tuple[Image.Image, Image.Exif]:
    """Return the image as a camera held otherwise would have stored it, and what its EXIF data says of that."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    turn = thumbnails.TURNS.get(orientation)
    return (image if turn is None else image.transpose(INVERSE.get(turn, turn))), exif


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_upright(format: str, orientation: int) -> None:
    image, exif = turned(quadrants().convert("RGB"), orientation)
    file = encode(image, format, exif=exif)
    assert Image.open(BytesIO(file.getvalue())).getexif().get(ORIENTATION, 1) == orientation

    header, rendered = header_of(file), render_thumbnails(file)

    assert (header.width, header.height) == (240, 160)
    for box, data in rendered.items():
        thumbnail = decode(data)
        assert thumbnail.size == {64: (64, 43), 128: (128, 85)}.get(box, (240, 160))
        assert alike(fields(thumbnail), COLOURS)
        assert not thumbnail.getexif()


def test_turns_a_compressed_tiff_upright() -> None:
    image, _ = turned(quadrants().convert("RGB"), 6)
    file = encode(image, "TIFF", compression="tiff_lzw", tiffinfo={ORIENTATION: 6})

    header, rendered = header_of(file), render_thumbnails(file)

    assert (header.width, header.height) == (240, 160)
    assert alike(fields(decode(rendered[128])), COLOURS)


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_reads_an_orientation_from_xmp(format: str) -> None:
    image, _ = turned(quadrants().convert("RGB"), 8)
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="8"></x:xmpmeta>'
    options: dict[str, Any] = {"tiffinfo": {700: xmp}} if format == "TIFF" else {"xmp": xmp}
    file = encode(image, format, **options)

    header, rendered = header_of(file), render_thumbnails(file)

    assert (header.width, header.height) == (240, 160)
    assert decode(rendered[1080]).size == (240, 160)
    assert alike(fields(decode(rendered[64])), COLOURS)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow's, on opening
@pytest.mark.parametrize("exif", [b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\0\xff"])
def test_takes_an_image_with_damaged_exif_data_as_upright(exif: bytes) -> None:
    file = encode(quadrants().convert("RGB"), "JPEG", exif=exif)

    assert header_of(file).width == 240
    assert alike(fields(decode(render_thumbnails(file)[512])), COLOURS)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_takes_an_unknown_orientation_as_upright(value: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = value
    file = encode(quadrants().convert("RGB"), "JPEG", exif=exif)

    assert (header_of(file).width, header_of(file).height) == (240, 160)
    assert alike(fields(decode(render_thumbnails(file)[512])), COLOURS)


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_shows_a_photograph_as_a_full_decode_would(name: str) -> None:
    photo = Image.open(photograph(name)).convert("RGB").resize((2400, 1600), Image.Resampling.LANCZOS)
    file = encode(photo, "JPEG", quality=92)

    rendered = render_thumbnails(file)

    for box, data in rendered.items():
        thumbnail = decode(data)
        assert thumbnail.size == (box, round(box * 2 / 3))
        expected = decode(file.getvalue()).resize(thumbnail.size, Image.Resampling.LANCZOS)
        assert difference(thumbnail, expected) < 4  # at 64 pixels JPEG itself costs 3


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_turns_a_photograph_upright(name: str, orientation: int) -> None:
    photo = Image.open(photograph(name)).convert("RGB")
    image, exif = turned(photo, orientation)

    rendered = render_thumbnails(encode(image, "JPEG", quality=92, exif=exif))

    for box in (512, 128, 64):
        thumbnail = decode(rendered[box])
        expected = ImageOps.contain(photo, (box, box), Image.Resampling.LANCZOS)
        assert thumbnail.size == expected.size
        assert difference(thumbnail, expected) < 4  # at 64 pixels JPEG itself costs 3


def test_decodes_a_large_jpeg_once_and_at_a_fraction_of_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    file = encode(Image.new("RGB", (6000, 2000)), "JPEG")
    decoded: list[tuple[int, int]] = []
    load = JpegImageFile.load

    def watched(image: JpegImageFile) -> Any:
        if image.tile:
            decoded.append(image.size)
        return load(image)

    monkeypatch.setattr(JpegImageFile, "load", watched)

    render_thumbnails(file)

    assert decoded == [(1500, 500)]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4000, 3000), [(1080, 810), (512, 384), (128, 96), (64, 48)]),
        ((3000, 4000), [(810, 1080), (384, 512), (96, 128), (48, 64)]),
        ((1081, 1080), [(1080, 1079), (512, 512), (128, 128), (64, 64)]),
        ((1080, 1080), [(1080, 1080), (512, 512), (128, 128), (64, 64)]),
        ((3000, 10), [(1080, 4), (512, 2), (128, 1), (64, 1)]),
        ((10, 3000), [(4, 1080), (2, 512), (1, 128), (1, 64)]),
        ((100, 70), [(100, 70), (100, 70), (100, 70), (64, 45)]),
        ((1, 1), [(1, 1)] * 4),
    ],
)
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_keeps_the_aspect_ratio_and_enlarges_nothing(
    format: str, size: tuple[int, int], expected: list[tuple[int, int]]
) -> None:
    rendered = render_thumbnails(encode(Image.new("L", size, 90), format))

    assert [decode(data).size for data in rendered.values()] == expected


@pytest.mark.parametrize("format", ["PNG", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("mode", ["RGB", "P"])
def test_copies_the_pixels_of_an_image_that_fits(format: str, mode: str) -> None:
    photo = Image.open(photograph("flower.jpg")).convert("RGB").crop((200, 100, 260, 150))
    file = encode(photo.convert(mode), format)

    rendered = render_thumbnails(file)

    expected = decode(file.getvalue()).convert("RGB")
    for data in rendered.values():
        assert ImageChops.difference(decode(data).convert("RGB"), expected).getbbox() is None


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_shows_the_first_frame_of_an_animation(format: str) -> None:
    frames = [Image.new("RGB", (300, 200), colour[:3]) for colour in (GREEN, RED, BLUE)]
    file = encode(frames[0], format, save_all=True, append_images=frames[1:], duration=100)
    assert Image.open(BytesIO(file.getvalue())).n_frames == 3  # type: ignore[attr-defined]

    for data in render_thumbnails(file).values():
        thumbnail = decode(data)
        assert getattr(thumbnail, "n_frames", 1) == 1
        assert alike(fields(thumbnail), [GREEN] * 4)


def test_takes_the_two_pictures_of_a_camera_as_a_jpeg() -> None:
    first, second = quadrants(size=(3000, 2000)).convert("RGB"), Image.new("RGB", (300, 200))
    file = encode(first, "MPO", save_all=True, append_images=[second])
    assert Image.open(BytesIO(file.getvalue())).format == "MPO"

    header, rendered = header_of(file), render_thumbnails(file)

    assert (header.format.name, header.mime_type, header.extension) == ("JPEG", "image/jpeg", "jpg")
    thumbnail = decode(rendered[1080])
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (1080, 720))
    assert alike(fields(thumbnail), COLOURS)


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


def test_saves_a_photograph_progressively_with_half_the_colour_resolution() -> None:
    thumbnail = decode(render_thumbnails(BytesIO(photograph("china.jpg").read_bytes()))[512])

    assert thumbnail.info["progressive"]
    assert isinstance(thumbnail, JpegImageFile)
    assert [layer[1:3] for layer in thumbnail.layer] == [(2, 2), (1, 1), (1, 1)]


@pytest.mark.parametrize("format", list(FORMATS))
def test_says_that_an_incomplete_image_is_damaged(format: str) -> None:
    photo = Image.open(photograph("china.jpg")).convert("RGB").crop((0, 0, 300, 200))
    data = encode(photo, format).getvalue()

    for part in (0.5, 0.95):
        file = BytesIO(data[: int(len(data) * part)])
        with pytest.raises(UnreadableImage, match=r"damaged or incomplete"):
            render_thumbnails(file)


@pytest.mark.parametrize(
    "error",
    [OSError, SyntaxError, ValueError, struct.error, EOFError, IndexError, KeyError, TypeError, zlib.error],
)
def test_says_the_same_whatever_pillow_raises(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    file = encode(quadrants(), "PNG")

    def fail(image: ImageFile.ImageFile) -> None:
        raise error("anything")

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)

    with pytest.raises(UnreadableImage, match=r"^The image is damaged or incomplete\. "):
        render_thumbnails(file)


def test_does_not_blame_the_image_for_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    file = encode(quadrants(), "PNG")

    def fail(image: ImageFile.ImageFile) -> None:
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)

    with pytest.raises(MemoryError):
        render_thumbnails(file)


def huge_png(width: int, height: int) -> BytesIO:
    return png(width, height, 8, 2, (b"IDAT", zlib.compress(b"\0")))


def huge_webp(width: int, height: int) -> BytesIO:
    """Return the start of a WebP that holds nothing but its size."""
    bits = (width - 1) | (height - 1) << 14
    return BytesIO(b"RIFF\x20\0\0\0WEBPVP8L\x14\0\0\0\x2f" + struct.pack("<I", bits) + bytes(20))


@pytest.mark.parametrize("action", ["error", "ignore"])
@pytest.mark.parametrize(
    "file", [huge_png(60_000, 60_000), huge_png(12_000, 10_000), huge_png(8_000, 6_251), huge_webp(16_383, 16_383)]
)
def test_refuses_a_header_that_promises_too_many_pixels(
    file: BytesIO, action: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 89_478_485)  # Pillow's default: it warns from there, fails at twice

    with warnings.catch_warnings():
        warnings.simplefilter(action)
        with pytest.raises(TooManyPixels, match=r"more than the 50,000,000 .*that are accepted"):
            read_header(file, LIMIT)


def test_names_the_size_of_an_image_with_too_many_pixels() -> None:
    file = encode(Image.new("L", (101, 100)), "PNG")

    assert header_of(file, 10_100).width == 101
    with pytest.raises(TooManyPixels, match="The image has 101 × 100 pixels, more than the 10,099 that are accepted"):
        read_header(file, 10_099)


def test_reads_a_header_without_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [encode(quadrants().convert("RGB"), format) for format in FORMATS]

    def fail(*args: Any) -> None:
        raise AssertionError("decoded")

    for plugin in {type(Image.open(file)) for file in files}:
        monkeypatch.setattr(plugin, "load", fail)

    assert [header_of(file).format.name for file in files] == list(FORMATS)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"BMI,weight,height\n20,70,180\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
        b"GIF89a",
        b"II*\0\x08\0\0\0\0\0",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"\0\0\0\x18ftypavif" + b"\0" * 40,
    ],
)
def test_finds_no_image_in_other_files(content: bytes) -> None:
    assert read_header(BytesIO(content), LIMIT) is None


@pytest.mark.parametrize("format", ["PPM", "ICO", "TGA", "PCX", "PDF", "EPS", "JPEG2000"])
def test_finds_no_image_in_formats_that_are_not_accepted(format: str) -> None:
    assert read_header(encode(quadrants().convert("RGB"), format), LIMIT) is None


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\1\4\0\0"}])
def test_refuses_a_camera_s_raw_file(tags: dict[int, Any]) -> None:
    file = encode(quadrants().convert("RGB"), "TIFF", tiffinfo=tags)

    with pytest.raises(UnreadableImage, match=r"raw file\. Export the photograph as JPEG"):
        read_header(file, LIMIT)


def test_tells_format_type_and_extension() -> None:
    found = {
        name: (header.mime_type, header.extension, header.thumbnail_format.name)
        for name in FORMATS
        for header in [header_of(encode(quadrants().convert("RGB"), name))]
    }

    assert found == {
        "JPEG": ("image/jpeg", "jpg", "JPEG"),
        "PNG": ("image/png", "png", "PNG"),
        "GIF": ("image/gif", "gif", "GIF"),
        "WEBP": ("image/webp", "webp", "WEBP"),
        "AVIF": ("image/avif", "avif", "AVIF"),
        "BMP": ("image/bmp", "bmp", "BMP"),
        "TIFF": ("image/tiff", "tif", "PNG"),
    }
