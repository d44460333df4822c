"""An image may have as many pixels as the decoder has memory for, by format; one more is refused unopened."""

import io
import math
import resource
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from folio.media import bounds, opening
from folio.media.bounds import BYTES_A_PIXEL, ENCODER_MEMORY, most_pixels
from folio.media.decoding import Decoders
from folio.media.opening import FORMATS, TooManyPixels, UnreadableImage, read_header
from folio.media.rendering import Wanted

from .crafted import chunk
from .decoded import MEGABYTE

pytestmark = pytest.mark.any_database

MEMORY = 64 * MEGABYTE
MOST = 120_000_000

Draw = Callable[[tuple[int, int]], bytes]


@pytest.fixture
def pool() -> Iterator[Decoders]:
    decoders = Decoders(1, MEMORY, 60)
    yield decoders
    decoders.close()


def sized(pixels: int) -> tuple[int, int]:
    """Return a size of no more than so many pixels, about 4 to 3."""
    height = math.isqrt(pixels * 3 // 4)
    return pixels // height, height


def bands(size: tuple[int, int], mode: str) -> Image.Image:
    """Draw what compresses neither to nothing nor for long."""
    small = (max(1, size[0] // 8), max(1, size[1] // 8))
    gray = Image.effect_noise(small, 60).resize(size)
    return Image.merge(mode, [gray] * len(mode)) if len(mode) > 1 else gray


def drawn(format: str, mode: str, as_mode: str = "", **options: Any) -> Draw:
    def draw(size: tuple[int, int]) -> bytes:
        image = bands(size, mode)
        if as_mode == "P":
            image = image.quantize(64)
        elif as_mode:
            image = image.convert("I").convert(as_mode) if as_mode == "I;16" else image.convert(as_mode)
        file = io.BytesIO()
        image.save(file, format, **options)
        return file.getvalue()

    return draw


def beginning_empty(format: str, **options: Any) -> Draw:
    """Return what draws an animation of which several frames have to be decoded."""

    def draw(size: tuple[int, int]) -> bytes:
        frames = [Image.new("RGBA", size, (0, 0, 0, 0)), *[bands(size, "RGBA")] * 2]
        file = io.BytesIO()
        frames[0].save(file, format, save_all=True, append_images=frames[1:], duration=[100, 200, 300], **options)
        return file.getvalue()

    return draw


def interlaced_png(size: tuple[int, int]) -> bytes:
    """Draw a PNG of four channels of 16 bits, in seven passes."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b"".join(
        bytes(1 + -((left - size[0]) // across) * 8) * -((top - size[1]) // down) for left, top, across, down in passes
    )
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 16, 6, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(data, 1)) + chunk(b"IEND")


def bmp_with_alpha(size: tuple[int, int]) -> bytes:
    pixels = bands(size, "RGBA").tobytes("raw", "BGRA")
    info = struct.pack("<IiiHHIIiiII", 108, *size, 1, 32, 3, len(pixels), 2835, 2835, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs".ljust(52, b"\0")
    return struct.pack("<2sIHHI", b"BM", 122 + len(pixels), 0, 0, 122) + info + masks + pixels


KINDS: dict[str, Draw] = {
    "JPEG, progressive, colours whole": drawn("JPEG", "RGB", progressive=True, subsampling=0),
    "JPEG, progressive, CMYK": drawn("JPEG", "RGB", "CMYK", progressive=True),
    "PNG, RGBA": drawn("PNG", "RGBA", compress_level=1),
    "PNG, palette with a transparent colour": drawn("PNG", "RGB", "P", compress_level=1, transparency=3),
    "PNG, 16 bits with a transparent gray": drawn("PNG", "L", "I;16", compress_level=1, transparency=3),
    "PNG, 16 bits interlaced": interlaced_png,
    "PNG, moving": beginning_empty("PNG", compress_level=1, disposal=1, blend=1),
    "GIF, transparent": drawn("GIF", "RGB", "P", transparency=3),
    "GIF, moving": beginning_empty("GIF", disposal=2),
    "GIF, moving back": beginning_empty("GIF", disposal=3),
    "WEBP, lossy with alpha": drawn("WEBP", "RGBA", method=0, quality=90),
    "WEBP, lossless with alpha": drawn("WEBP", "RGBA", method=0, quality=0, lossless=True),
    "WEBP, moving": beginning_empty("WEBP", method=0),
    "AVIF, colours whole with alpha": drawn("AVIF", "RGBA", speed=10, subsampling="4:4:4", quality=90),
    "AVIF, moving": beginning_empty("AVIF", speed=10),
    "BMP, with alpha": bmp_with_alpha,
    "TIFF, floating point": drawn("TIFF", "L", "F"),
    "TIFF, RGBA in one strip": drawn("TIFF", "RGBA", compression="tiff_adobe_deflate", strip_size=2**30),
    "TIFF, CMYK": drawn("TIFF", "RGB", "CMYK", compression="tiff_lzw"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_of_the_most_pixels_is_decoded(kind: str, pool: Decoders, tmp_path: Path) -> None:
    format = kind.partition(",")[0]
    size = sized(most_pixels(format, MOST, MEMORY))
    (tmp_path / "image").write_bytes(KINDS[kind](size))

    with open(tmp_path / "image", "rb") as file:
        image = pool.decode(file, MOST)
        variants = pool.render(file, MOST, [Wanted("webp", 640), Wanted("jpg", focal=(0.5, 0.5))], patience=5)

    assert image is not None
    assert (image.width, image.height, image.format) == (*size, format)
    assert len(variants) >= 1


@pytest.mark.parametrize("format", FORMATS)
def test_one_of_more_is_refused_with_its_size_the_limit_and_what_to_do(format: str, monkeypatch: Any) -> None:
    memory = math.ceil(1200 * BYTES_A_PIXEL[format]) + ENCODER_MEMORY.get(format, 0)
    monkeypatch.setattr(opening, "decoder_memory", lambda: memory)
    monkeypatch.setattr(bounds, "MOST_BYTES_A_PIXEL", 10**9)
    file = io.BytesIO()
    Image.new("L", (40, 30)).save(file, format)
    assert read_header(file, MOST)

    more = io.BytesIO()
    Image.new("L", (1201, 1)).save(more, format)
    with pytest.raises(TooManyPixels) as caught:
        read_header(more, MOST)

    said = str(caught.value)
    assert said.startswith("The image has 1,201 × 1 pixels, more than the 1,200 that are accepted")
    name = {"WEBP": "WebP"}.get(format, format)
    assert f"accepted of {name}: it takes more memory to decode than is allowed. Send a smaller version of it" in said
    most = f"{int(memory / BYTES_A_PIXEL['JPEG']):,}"
    assert said.endswith(f"or send it as JPEG, of which {most} are accepted.") is (format != "JPEG")


def test_beyond_the_setting_no_other_format_is_advised() -> None:
    file = io.BytesIO()
    Image.new("L", (1201, 1)).save(file, "PNG")

    with pytest.raises(TooManyPixels) as caught:
        read_header(file, 1200)

    assert str(caught.value).endswith("more than the 1,200 that are accepted. Send a smaller version of it.")


def test_the_setting_is_the_most_whatever_memory_there_is() -> None:
    assert most_pixels("PNG", 1000, 10**12) == 1000
    assert most_pixels("PNG", 1000, None) == 1000
    assert most_pixels("HEIF", 10**9, 10**9) == int(10**9 / BYTES_A_PIXEL["HEIF"])


def test_some_pixels_are_left_where_the_memory_is_least() -> None:
    assert most_pixels("AVIF", MOST, MEGABYTE) == MEGABYTE // bounds.MOST_BYTES_A_PIXEL


def test_the_defaults_take_what_cameras_make_as_jpeg(settings: Any) -> None:
    assert settings.MAX_IMAGE_PIXELS == MOST
    assert most_pixels("JPEG", settings.MAX_IMAGE_PIXELS, settings.DECODER_MEMORY) == MOST


def test_nothing_limits_a_process_that_has_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (resource.RLIM_INFINITY,) * 2)

    assert bounds.decoder_memory() is None


def test_a_decoder_judges_by_its_own_memory(pool: Decoders, tmp_path: Path) -> None:
    width = most_pixels("PNG", MOST, MEMORY) // 1000 + 1
    (tmp_path / "image").write_bytes(drawn("PNG", "L", compress_level=1)((width, 1000)))

    with (
        open(tmp_path / "image", "rb") as file,
        pytest.raises(UnreadableImage, match=r"accepted of PNG: it takes more memory"),
    ):
        pool.decode(file, MOST)
