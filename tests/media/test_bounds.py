"""What an image holds beside its first picture is bounded, and judged before anything is decoded."""

import io
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageCms, PngImagePlugin
from PIL.GifImagePlugin import GifImageFile
from PIL.TiffImagePlugin import TiffImageFile

from folio.media import bounds
from folio.media.bounds import MAX_FRAMES, METADATA_SIZE
from folio.media.opening import TooManyFrames, TooMuchMetadata, UnreadableImage, read_header
from folio.media.thumbnails import render_thumbnails

from .crafted import apng, chunk, gif, header, jpeg_with, png, tiff, tiff_of_pages

PIXELS = 50_000_000
MEGABYTE = 1024 * 1024
PIXEL = chunk(b"IDAT", zlib.compress(b"\0\xc8\x50\x28"))


def encoded(format: str, **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(file, format, **options)
    return file


def profile(size: int) -> bytes:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return own + bytes(size - len(own))


# Metadata


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_refuses_a_colour_profile_of_megabytes(format: str) -> None:
    assert read_header(encoded(format, icc_profile=profile(METADATA_SIZE - MEGABYTE)), PIXELS)

    with pytest.raises(TooMuchMetadata, match="more than the 10,485,760 bytes of colour profile"):
        read_header(encoded(format, icc_profile=profile(METADATA_SIZE + 1)), PIXELS)


@pytest.mark.parametrize("is_compressed", [True, False])
def test_refuses_texts_of_megabytes(is_compressed: bool) -> None:
    texts = PngImagePlugin.PngInfo()
    for number in range(METADATA_SIZE // MEGABYTE + 1):
        texts.add_text(f"text {number}", "x" * MEGABYTE, zip=is_compressed)

    with pytest.raises(TooMuchMetadata):
        read_header(encoded("PNG", pnginfo=texts), PIXELS)


def test_refuses_texts_of_megabytes_behind_the_pixels() -> None:
    text = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(METADATA_SIZE + 1)))

    with pytest.raises(TooMuchMetadata):
        render_thumbnails(io.BytesIO(png(header(), PIXEL, text)))


def test_refuses_chunks_of_megabytes_that_nobody_knows() -> None:
    with pytest.raises(TooMuchMetadata):
        read_header(io.BytesIO(png(header(), *[chunk(b"prVt", bytes(MEGABYTE))] * 11, PIXEL)), PIXELS)


def test_refuses_a_comment_of_megabytes() -> None:
    comment = b"\x21\xfe" + (b"\xff" + b"x" * 255) * (METADATA_SIZE // 255 + 1) + b"\0"

    with pytest.raises(TooMuchMetadata):
        read_header(io.BytesIO(gif(extensions=comment)), PIXELS)


@pytest.mark.parametrize("marker", [0xFE, 0xE1, 0xED, 0xEF])
def test_refuses_segments_of_megabytes(marker: int) -> None:
    segments = [(marker, b"x" * 65_000)]
    count = METADATA_SIZE // 65_000

    assert read_header(io.BytesIO(jpeg_with(*segments * (count - 1))), PIXELS)
    with pytest.raises(TooMuchMetadata):
        read_header(io.BytesIO(jpeg_with(*segments * (count + 1))), PIXELS)


@pytest.mark.parametrize(("tag", "kind"), [(270, 2), (700, 1), (33723, 7), (34377, 7), (50708, 2)])
def test_refuses_tags_of_megabytes(tag: int, kind: int) -> None:
    assert read_header(io.BytesIO(tiff(1, 1, (tag, kind, b"x" * MEGABYTE))), PIXELS)
    with pytest.raises(TooMuchMetadata):
        read_header(io.BytesIO(tiff(1, 1, (tag, kind, b"x" * (METADATA_SIZE + 1)))), PIXELS)


def test_takes_a_tiff_with_the_layers_of_photoshop() -> None:
    """They are read only to be left out."""
    assert read_header(io.BytesIO(tiff(1, 1, (37724, 7, bytes(METADATA_SIZE + 1)))), PIXELS)


# Frames


def animation(format: str) -> Callable[[int], bytes]:
    def make(frames: int) -> bytes:
        pictures = [Image.new("RGB", (16, 16), (number * 90 % 256, number * 10 % 256, 0)) for number in range(frames)]
        file = io.BytesIO()
        pictures[0].save(file, format, save_all=True, append_images=pictures[1:])
        return file.getvalue()

    return make


@pytest.mark.parametrize(
    "make",
    [lambda frames: gif(frames=frames), apng, tiff_of_pages, animation("WEBP"), animation("AVIF")],
    ids=["GIF", "PNG", "TIFF", "WEBP", "AVIF"],
)
def test_refuses_too_many_frames(make: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("bounds", "opening"):
        monkeypatch.setattr(f"folio.media.{module}.MAX_FRAMES", 20)

    assert read_header(io.BytesIO(make(20)), PIXELS)
    with pytest.raises(TooManyFrames, match="more than the 20 frames that are accepted"):
        read_header(io.BytesIO(make(21)), PIXELS)


@pytest.mark.parametrize("make", [lambda frames: gif(frames=frames), apng, tiff_of_pages], ids=["GIF", "PNG", "TIFF"])
def test_takes_as_many_frames_as_are_accepted_and_decodes_one(
    make: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    sought: set[int] = set()
    for kind in (GifImageFile, TiffImageFile, PngImagePlugin.PngImageFile):

        def watched(image: Any, frame: int, *arguments: Any, seek: Any = kind._seek) -> None:
            sought.add(frame)
            seek(image, frame, *arguments)

        monkeypatch.setattr(kind, "_seek", watched)
    file = io.BytesIO(make(MAX_FRAMES))

    assert read_header(file, PIXELS)
    assert render_thumbnails(file)
    assert sought == {0}


def test_counts_no_further_than_it_must() -> None:
    file = io.BytesIO(gif(frames=100 * MAX_FRAMES))

    with Image.open(file) as image:
        assert bounds.frame_count(file, image) == MAX_FRAMES + 1


def test_counts_the_pages_of_a_circle_once() -> None:
    file = io.BytesIO(tiff(next_directory=10))

    with Image.open(file) as image:
        assert bounds.frame_count(file, image) == 1


def test_counts_the_pages_before_a_damaged_one() -> None:
    file = io.BytesIO(tiff(next_directory=10_000_000))

    with Image.open(file) as image:
        assert bounds.frame_count(file, image) == 2


def test_refuses_a_gif_whose_frames_cannot_be_counted_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("folio.media.privacy.original.STEPS", 1_000)
    content = gif(extensions=b"\x21\xfe\0" * 10_000)

    with pytest.raises(UnreadableImage, match="built in an unusual way"):
        read_header(io.BytesIO(content), PIXELS)
