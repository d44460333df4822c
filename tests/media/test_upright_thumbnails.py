"""Thumbnails stand upright, wherever the original tells its orientation."""

from io import BytesIO

import pytest
from PIL import Image, ImageOps

from folio.media.thumbnails import render_thumbnails

from . import orientations
from .coloured_images import (
    COLOURS,
    Colour,
    alike,
    decode,
    difference,
    encode,
    fields,
    header_of,
    photograph,
    quadrants,
)
from .private_files import copied

pytestmark = pytest.mark.any_database

ORIENTATION = 0x0112


def turned(image: Image.Image, orientation: int) -> tuple[Image.Image, Image.Exif]:
    """Return the image as a camera held otherwise would have stored it, and what its EXIF data says of that."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return orientations.turned(image, orientation), exif


@pytest.mark.parametrize("format", ["JPEG", "PNG", "AVIF", "TIFF"])
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


def assert_stays_as_stored(content: bytes, colours: list[Colour]) -> None:
    header, rendered = header_of(BytesIO(content)), render_thumbnails(BytesIO(content))

    assert (header.width, header.height) == (160, 240)
    assert decode(rendered[1080]).size == (160, 240)
    assert decode(rendered[128]).size == (85, 128)
    for data in rendered.values():
        assert alike(fields(decode(data)), colours)


@pytest.mark.parametrize("way", orientations.said_in_vain(6))
def test_leaves_alone_what_no_browser_turns(way: str) -> None:
    content = orientations.said_in_vain(6)[way]
    stored = fields(orientations.turned(quadrants(), 6))

    assert_stays_as_stored(content, stored)
    assert_stays_as_stored(copied(content, f"image/{way.partition(',')[0].lower()}"), stored)


@pytest.mark.parametrize("way", orientations.said_in_every_way(6))
def test_turns_what_browsers_turn_before_and_after_it_is_cleaned(way: str) -> None:
    content = orientations.said_in_every_way(6)[way]

    for each in (content, copied(content, f"image/{way.partition(',')[0].lower()}")):
        header, rendered = header_of(BytesIO(each)), render_thumbnails(BytesIO(each))

        assert (header.width, header.height) == (240, 160)
        for data in rendered.values():
            assert alike(fields(decode(data)), COLOURS)


def test_reads_no_orientation_of_a_tiff_from_xmp() -> None:
    """The copy that is stored has none, so thumbnails made of that later would stand otherwise."""
    image, _ = turned(quadrants().convert("RGB"), 6)
    content = encode(image, "TIFF", tiffinfo={700: orientations.xmp(6)}).getvalue()

    assert_stays_as_stored(content, fields(image))
    assert_stays_as_stored(copied(content, "image/tiff"), fields(image))


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
