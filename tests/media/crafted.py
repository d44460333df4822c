"""Pictures put together by hand, as no program that means well writes them."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache, partial

from PIL import Image

from tests.factories import draw

EDGE = 65_535  # pixels, the most that most headers can promise


@cache
def noise(format: str) -> bytes:
    """Draw a picture that no encoder makes small."""
    file = io.BytesIO()
    Image.effect_noise((300, 200), 80).convert("RGB").save(file, format)
    return file.getvalue()


def truncated(format: str) -> bytes:
    content = draw((300, 200), format) if format in {"BMP", "TIFF"} else noise(format)
    return content[: len(content) * 6 // 10]


def overwritten(content: bytes) -> bytes:
    """Return a file whose middle is something else's."""
    third = len(content) // 3
    return content[:third] + bytes(range(256)) * (third // 256) + content[third + third // 256 * 256 :]


def deflated_tiff() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((300, 200), 80).convert("RGB").save(file, "TIFF", compression="tiff_adobe_deflate")
    return file.getvalue()


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width: int = 1, height: int = 1, colour: int = 2) -> bytes:
    """Return a PNG's header with 8 bits a channel; the colour type 2 is RGB, 0 is gray."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))


PIXEL = chunk(b"IDAT", zlib.compress(b"\0\xc8\x50\x28"))


def png(*chunks: bytes) -> bytes:
    return b"".join((b"\x89PNG\r\n\x1a\n", *chunks, chunk(b"IEND")))


@cache
def png_of_one_colour(width: int, height: int) -> bytes:
    """Return a picture of which a megabyte is a kilobyte in the file."""
    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * width)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return png(header(width, height), chunk(b"IDAT", data))


@cache
def apng(frames: int) -> bytes:
    control = struct.Struct(">IIIIIHHBB")
    data = zlib.compress(b"\0\xc8\x50\x28")
    parts = [header(), chunk(b"acTL", struct.pack(">II", frames, 0)), chunk(b"fcTL", control.pack(0, 1, 1, *[0] * 6))]
    parts.append(PIXEL)
    for frame in range(1, frames):
        parts.append(chunk(b"fcTL", control.pack(2 * frame - 1, 1, 1, *[0] * 6)))
        parts.append(chunk(b"fdAT", struct.pack(">I", 2 * frame) + data))
    return png(*parts)


def gif(width: int = 1, height: int = 1, frames: int = 1, extensions: bytes = b"") -> bytes:
    """Return a GIF whose frames are one pixel each, on a screen of that size."""
    palette = b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\4\0\1\0\0\0" + b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0"
    return b"GIF89a" + struct.pack("<HH3B", width, height, 0x80, 0, 0) + palette + extensions + frame * frames + b"\x3b"


def sub_blocks(data: bytes) -> bytes:
    """Return data as GIF keeps it: in blocks of at most 255 bytes."""
    pieces = (data[start : start + 255] for start in range(0, len(data), 255))
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def jpeg_with(*segments: tuple[int, bytes]) -> bytes:
    """Return a JPEG with these segments, each a marker's second byte and its data, at its start."""
    content = draw(format="JPEG")
    added = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in segments)
    return content[:2] + added + content[2:]


def jpeg_with_profile(size: int) -> bytes:
    """Return a JPEG with a profile of as many bytes that claims to be of RGB."""
    profile = bytes(16) + b"RGB XYZ " + bytes(size - 24)
    pieces = [profile[start : start + 65_500] for start in range(0, size, 65_500)]
    return jpeg_with(
        *(
            (0xE2, b"ICC_PROFILE\0" + bytes([number, len(pieces)]) + piece)
            for number, piece in enumerate(pieces, start=1)
        )
    )


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def lossless_pixels() -> bytes:
    """Return what a lossless WebP of one chunk holds."""
    file = io.BytesIO()
    Image.new("RGB", (1, 1), "red").save(file, "WEBP", lossless=True)
    content = file.getvalue()
    at = content.index(b"VP8L")
    return content[at + 8 : at + 8 + struct.unpack_from("<I", content, at + 4)[0]]


def extended_webp(flags: int, *chunks: tuple[bytes, bytes], width: int = 1, height: int = 1) -> bytes:
    """Return a WebP with these chunks around its pixels; of the flags, 0x20 promises a profile and 0x04 XMP."""
    canvas = bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    before = [each for each in chunks if each[0] == b"ICCP"]
    after = [each for each in chunks if each[0] != b"ICCP"]
    return riff((b"VP8X", canvas), *before, (b"VP8L", lossless_pixels()), *after)


def tiff(width: int = 1, height: int = 1, *tags: tuple[int, int, bytes], next_directory: int = 0) -> bytes:
    """Return a TIFF of one black pixel; a tag is its number, the type of its values, 1 or 2 or 7, and their bytes."""
    size = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}
    short: Callable[[int], bytes] = partial(struct.pack, "<H")
    long: Callable[[int], bytes] = partial(struct.pack, "<I")
    entries = [
        (256, 4, long(width)),
        (257, 4, long(height)),
        (258, 3, short(8)),
        (259, 3, short(1)),
        (262, 3, short(1)),
        (273, 4, long(8)),
        (277, 3, short(1)),
        (278, 4, long(height)),
        (279, 4, long(1)),
        *tags,
    ]
    rows, more = b"", b""
    start = 10 + 2 + 12 * len(entries) + 4
    for number, kind, data in sorted(entries):
        value = data.ljust(4, b"\0")
        if len(data) > 4:
            value = long(start + len(more))
            more += data + b"\0" * (len(data) % 2)
        rows += struct.pack("<HHI", number, kind, len(data) // size[kind]) + value
    return b"II*\0" + long(10) + b"\0\0" + short(len(entries)) + rows + long(next_directory) + more


@cache
def tiff_of_pages(pages: int) -> bytes:
    """Return a TIFF of that many pages, each of the same black pixel."""
    page = tiff()[10:]
    size = len(page)
    following = [10 + size * (number + 1) for number in range(pages - 1)] + [0]
    return tiff()[:10] + b"".join(page[:-4] + struct.pack("<I", place) for place in following)


def with_size(content: bytes, at: int, layout: str) -> bytes:
    """Return a picture whose header promises the largest size."""
    size = struct.pack(layout, EDGE, EDGE)
    return content[:at] + size + content[at + len(size) :]


def huge_jpeg() -> bytes:
    content = draw(format="JPEG")
    return with_size(content, content.index(b"\xff\xc0") + 5, ">HH")


def huge_avif() -> bytes:
    content = draw(format="AVIF")
    return with_size(content, content.index(b"ispe") + 8, ">II")


def huge_webp() -> bytes:
    """Return the largest that WebP's own header can say: 16,384 x 16,384 pixels."""
    pixels = bytearray(lossless_pixels())
    pixels[1:5] = struct.pack("<I", struct.unpack_from("<I", pixels, 1)[0] | 0x0FFFFFFF)
    return riff((b"VP8L", bytes(pixels)))


@cache
def zeros_deflated(size: int) -> bytes:
    return zlib.compress(bytes(size), 9)


def texts(size: int) -> bytes:
    """Return text chunks of as many bytes altogether."""
    return chunk(b"tEXt", b"Comment\0" + b"x" * 60_000) * (size // 60_000)
