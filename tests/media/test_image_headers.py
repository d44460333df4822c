"""What is no image, or one that is damaged or too large, is told from its header or as it is decoded."""

import struct
import warnings
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageFile

from folio.media.opening import FORMATS, TooManyPixels, UnreadableImage, read_header
from folio.media.thumbnails import render_thumbnails

from .coloured_images import LIMIT, encode, header_of, photograph, png, quadrants


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

    with pytest.raises(UnreadableImage, match="camera raw"):
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
