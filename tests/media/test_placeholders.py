"""What stands in for an image until it has arrived: its colour, and a tiny picture of it."""

import base64
import io
from typing import Any

import pytest
from django.core.files.base import ContentFile
from PIL import Image, ImageCms

from folio.media.standing_in import dominant_color, open_in_srgb, placeholder
from folio.media.uploads import store_upload

from .decoded import encoded

# What stands in for an image


def halves(left: Any, right: Any, share: float = 0.7) -> Image.Image:
    image = Image.new("RGBA", (64, 48), right)
    image.paste(left, (0, 0, int(64 * share), 48))
    return image


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("RGB", (64, 48), (200, 80, 40)), "#c85028"),
        (Image.new("L", (1, 1), 7), "#070707"),
        (halves((255, 0, 0, 255), (0, 0, 255, 255)), "#ff0000"),
        (halves((255, 0, 0, 255), (0, 0, 255, 255), share=0.3), "#0000ff"),
        (halves((255, 0, 0, 0), (0, 0, 255, 255)), "#0000ff"),
        (halves((255, 0, 0, 20), (0, 0, 255, 0)), "#ff0000"),
        (Image.new("RGBA", (64, 48), (255, 0, 0, 0)), "#ff0000"),
    ],
)
def test_finds_the_colour_that_most_of_what_is_seen_has(image: Image.Image, expected: str) -> None:
    assert dominant_color(image) == expected


def decode_placeholder(uri: str) -> Image.Image:
    kind, _, data = uri.partition(",")
    assert kind == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


@pytest.mark.parametrize(
    ("size", "expected"), [((64, 48), (16, 12)), ((36, 64), (9, 16)), ((64, 1), (16, 1)), ((5, 7), (5, 7))]
)
def test_a_placeholder_is_tiny_and_keeps_the_aspect_ratio(size: tuple[int, int], expected: tuple[int, int]) -> None:
    tiny = decode_placeholder(placeholder(Image.new("RGB", size, (200, 80, 40))))

    assert tiny.size == expected
    assert tiny.mode == "RGB"
    assert all(abs(one - other) <= 8 for one, other in zip(tiny.getpixel((0, 0)), (200, 80, 40), strict=True))  # type: ignore[arg-type]


def test_a_placeholder_keeps_alpha() -> None:
    tiny = decode_placeholder(placeholder(halves((255, 0, 0, 255), (0, 0, 255, 0))))

    left, right = tiny.getpixel((2, 6)), tiny.getpixel((14, 6))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[3] > 240
    assert right[3] < 16


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_placeholder_of_noise_is_short_too(mode: str) -> None:
    noise = [Image.effect_noise((64, 64), 200) for _ in mode]

    assert 0 < len(placeholder(Image.merge(mode, noise))) < 500


def test_what_stands_in_has_the_colours_of_a_page() -> None:
    def swapped() -> bytes:
        """Return a profile by which red is what sRGB calls green."""
        data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
        tags = {bytes(data[place : place + 4]): place for place in range(132, 132 + 12 * data[131], 12)}
        red, green = tags[b"rXYZ"] + 4, tags[b"gXYZ"] + 4
        data[red : red + 8], data[green : green + 8] = data[green : green + 8], data[red : red + 8]
        return bytes(data)

    thumbnail = encoded("PNG", icc_profile=swapped()).getvalue()

    red, green, blue = open_in_srgb(thumbnail).getpixel((0, 0))  # type: ignore[misc]
    assert (red < 20, green > 235, blue < 20) == (True, True, True)
    assert open_in_srgb(encoded("PNG", icc_profile=b"nonsense").getvalue()).getpixel((0, 0)) == (255, 0, 0)


# At the door


@pytest.mark.django_db
@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF"])
def test_stores_what_stands_in_for_an_image(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image = Image.new("RGB", (80, 40), (200, 80, 40))
    image.save(file, format, **({} if format in {"GIF", "BMP"} else {"exif": exif}))

    media = store_upload(ContentFile(file.getvalue(), name="a"))

    media.refresh_from_db()
    colour = bytes.fromhex(media.dominant_color.removeprefix("#"))
    assert all(abs(one - other) <= 4 for one, other in zip(colour, (200, 80, 40), strict=True))
    upright = (16, 8) if format in {"GIF", "BMP", "WEBP"} else (8, 16)  # those that browsers don't turn
    assert decode_placeholder(media.placeholder).size == upright


@pytest.mark.django_db
def test_nothing_stands_in_for_what_is_no_image() -> None:
    media = store_upload(ContentFile(b"Some words.\n", name="a.txt"))

    assert (media.dominant_color, media.placeholder) == ("", "")
