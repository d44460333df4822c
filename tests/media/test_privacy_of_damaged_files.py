"""Damaged, hostile and large files are copied clean or refused, and are never whole in memory."""

import math
import struct
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from folio.media.privacy import CLEANERS, UnreadableStructure, original, write_without_private_data

from .private_files import (
    MARK,
    XMP,
    assert_nothing_private,
    box,
    chunk,
    copied,
    encode,
    exif,
    film,
    picture,
    plain_jpeg,
    tiff,
)

pytestmark = pytest.mark.any_database


def small_files() -> dict[str, tuple[bytes, str]]:
    image = picture(size=(8, 6))
    jpeg = encode(image, "JPEG", exif=exif(), comment=MARK)
    info = PngInfo()
    info.add_text("Author", MARK)
    return {
        "jpeg": (jpeg, "image/jpeg"),
        "png": (encode(image, "PNG", pnginfo=info, exif=exif()), "image/png"),
        "webp": (encode(image, "WEBP", exif=exif(), xmp=XMP), "image/webp"),
        "gif": (encode(image, "GIF", save_all=True, append_images=[image.rotate(90)], comment=MARK), "image/gif"),
        "bmp": (encode(image, "BMP"), "image/bmp"),
        "tiff": (tiff("<", False, [image, image]), "image/tiff"),
        "bigtiff": (tiff(">", True, [image]), "image/tiff"),
        "avif": (encode(image, "AVIF", exif=exif(), xmp=XMP), "image/avif"),
        "mp4": (film()[0], "video/mp4"),
    }


SMALL_FILES = small_files()


def copied_or_refused(data: bytes, mime_type: str) -> bytes | None:
    try:
        return copied(data, mime_type)
    except UnreadableStructure:
        return None


@pytest.mark.parametrize("name", SMALL_FILES)
def test_a_file_cut_off_anywhere_is_copied_clean_or_refused(name: str) -> None:
    data, mime_type = SMALL_FILES[name]
    for size in range(len(data)):
        clean = copied_or_refused(data[:size], mime_type)
        if clean is not None:
            assert_nothing_private(clean)
            assert len(clean) <= size + 8


@pytest.mark.parametrize("name", SMALL_FILES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_copied_or_refused(name: str, data: st.DataObject) -> None:
    whole, mime_type = SMALL_FILES[name]
    damaged = bytearray(whole)
    changes = st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(changes, min_size=1, max_size=8)):
        damaged[place] = value
    clean = copied_or_refused(bytes(damaged), mime_type)
    assert clean is None or len(clean) <= len(whole) + 64


@pytest.mark.parametrize("mime_type", [*CLEANERS])
@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=300))
def test_anything_else_is_refused_or_copied(mime_type: str, data: bytes) -> None:
    copied_or_refused(data, mime_type)


@pytest.mark.parametrize(
    ("mime_type", "start", "part"),
    [
        ("image/png", b"\x89PNG\r\n\x1a\n", chunk(b"tEXt", b"")),
        ("image/webp", b"RIFF" + struct.pack("<I", 1_200_004) + b"WEBP", struct.pack("<4sI", b"XMP ", 0)),
        ("video/mp4", box(b"ftyp", b"mp42"), box(b"free")),
    ],
    ids=["png", "webp", "mp4"],
)
def test_a_file_of_countless_empty_parts_is_refused(
    monkeypatch: Any, mime_type: str, start: bytes, part: bytes
) -> None:
    data = start + part * (1_200_000 // len(part))
    copied(data, mime_type)
    monkeypatch.setattr(original, "STEPS", 1_000)
    with pytest.raises(UnreadableStructure):
        copied(data, mime_type)


def padded_tiff(pixels: bytes) -> bytes:
    side = math.isqrt(len(pixels))
    return encode(Image.new("L", (side, side)), "TIFF")


@pytest.mark.parametrize(
    ("mime_type", "make"),
    [
        ("image/jpeg", lambda pixels: plain_jpeg()[:-2] + pixels + b"\xff\xd9"),
        ("image/png", lambda pixels: b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", pixels) + chunk(b"tEXt", pixels)),
        ("image/tiff", padded_tiff),
        ("video/mp4", lambda pixels: box(b"ftyp", b"mp42") + box(b"mdat", pixels) + box(b"free", pixels)),
        ("application/pdf", bytes),
    ],
    ids=["jpeg", "png", "tiff", "mp4", "pdf"],
)
def test_a_large_file_is_never_whole_in_memory(tmp_path: Any, mime_type: str, make: Callable[[bytes], bytes]) -> None:
    original = tmp_path / "original"
    original.write_bytes(make(bytes(24_000_000)))
    with original.open("rb") as source, (tmp_path / "copy").open("wb") as target:
        tracemalloc.start()
        try:
            write_without_private_data(source, target, mime_type, "rights")
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
        finally:
            tracemalloc.stop()
