"""The size of thumbnails, of which picture of a file they are, and how they are made and saved."""

from io import BytesIO
from random import Random
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageChops, ImageDraw
from PIL.JpegImagePlugin import JpegImageFile

from folio.media.thumbnails import FAIR, likeness, render_thumbnails

from .coloured_images import (
    BLUE,
    COLOURS,
    GREEN,
    RED,
    alike,
    decode,
    difference,
    encode,
    fields,
    header_of,
    photograph,
    quadrants,
)

pytestmark = pytest.mark.any_database


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


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_an_image_that_fits_is_its_own_thumbnail_without_what_it_tells_of_itself(format: str) -> None:
    photo = Image.open(photograph("flower.jpg")).convert("RGB").crop((0, 0, 500, 300))
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Zoe"
    file, plain = encode(photo, format, exif=exif), encode(photo, format)

    rendered = render_thumbnails(file)

    assert rendered[1080] == rendered[512] != file.getvalue()
    coded = plain.getvalue()
    assert coded[12:] in rendered[512] if format == "WEBP" else coded == rendered[512]
    assert b"Zoe" in file.getvalue()
    assert b"Zoe" not in rendered[512]


def test_nothing_is_put_into_so_few_colours_that_it_looks_otherwise() -> None:
    """A wide slope is light as a palette, and heavier once made smaller: that is no reason to make fields of it."""
    image = Image.new("RGB", (1100, 1100))
    draw, random = ImageDraw.Draw(image), Random(0)
    for y in range(1100):
        draw.line([(0, y), (1100, y)], fill=(40 + 150 * y // 1100, 80 + 60 * y // 1100, 200 - 120 * y // 1100))
    for _ in range(30):
        x, y = random.randrange(1100), random.randrange(1100)
        draw.rectangle([x, y, x + 200, y + 40], fill=tuple(random.randrange(256) for _ in range(3)))
    file = encode(image.quantize(256), "PNG", optimize=True)

    for data in render_thumbnails(file).values():
        thumbnail = decode(data).convert("RGB")
        assert likeness(image.resize(thumbnail.size, Image.Resampling.LANCZOS), thumbnail) >= FAIR


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


def test_saves_a_photograph_progressively_with_half_the_colour_resolution() -> None:
    thumbnail = decode(render_thumbnails(BytesIO(photograph("china.jpg").read_bytes()))[512])

    assert thumbnail.info["progressive"]
    assert isinstance(thumbnail, JpegImageFile)
    assert [layer[1:3] for layer in thumbnail.layer] == [(2, 2), (1, 1), (1, 1)]
