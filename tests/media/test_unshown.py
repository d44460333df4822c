"""Pictures of kinds that browsers don't show are refused by their name, and not called damaged."""

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from folio.media.errors import UploadRefused
from tests.factories import draw

from .coloured_images import quadrants
from .stored import assert_nothing_is_left, upload

pytestmark = pytest.mark.django_db

SIGNED = {
    "JPEG XL codestream": (b"\xff\x0a", "JPEG XL"),
    "JPEG XL container": (b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl ", "JPEG XL"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ", "JPEG 2000"),
    "JPEG 2000 codestream": (b"\xff\x4f\xff\x51\0\x2f", "JPEG 2000"),
    "JPEG XR": (b"II\xbc\x01\x08\0\0\0", "JPEG XR"),
    "PSD": (b"8BPS\0\1" + bytes(6), r"Photoshop \(PSD\)"),
    "PSB": (b"8BPS\0\2" + bytes(6), r"Photoshop \(PSB\)"),
    "OpenEXR": (b"\x76\x2f\x31\x01\2\0\0\0", "OpenEXR"),
    "HDR": (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n", "Radiance HDR"),
    "DDS": (b"DDS \x7c\0\0\0", "DDS"),
    "RAF": (b"FUJIFILMCCD-RAW 0201", r"camera raw \(RAF\)"),
    "RW2": (b"IIU\0\x18\0\0\0", r"camera raw \(RW2\)"),
    "ORF": (b"IIRO\x08\0\0\0", r"camera raw \(ORF\)"),
    "CR3": (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", r"camera raw \(CR3\)"),
}
NAMES = ["photo.jpg", "file.png", "file"]


def refused(content: bytes, name: str, kind: str) -> None:
    text = rf"of a kind that browsers don't show: {kind}\. Export it as JPEG, PNG, WebP or AVIF"
    with pytest.raises(UploadRefused, match=text):
        upload(content, name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", SIGNED)
def test_names_a_kind_that_browsers_do_not_show(kind: str, name: str, media_root: Path) -> None:
    start, called = SIGNED[kind]

    refused(start + bytes(2000), name, called)

    assert_nothing_is_left(media_root)


def test_tells_targa_by_its_end() -> None:
    targa = saved(quadrants().convert("RGB"), "TGA")

    refused(targa, "render.tga", r"Targa \(TGA\)")


def test_tells_other_pictures_by_what_libmagic_calls_them() -> None:
    refused(saved(quadrants().convert("RGB"), "PCX"), "a.pcx", "image/[-.a-z]*pcx")


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


JPEG = draw((40, 30), "JPEG")
FRAME = JPEG.index(b"\xff\xc0")


@pytest.mark.parametrize(
    ("marker", "precision", "kind"),
    [
        (0xC3, 8, "lossless JPEG"),
        (0xC3, 16, "lossless JPEG"),
        (0xCB, 8, "lossless JPEG"),
        (0xF7, 8, "JPEG-LS"),
        (0xC9, 8, "JPEG, arithmetic-coded"),
        (0xCA, 8, "JPEG, arithmetic-coded"),
        (0xC5, 8, "JPEG, hierarchical"),
        (0xC1, 12, "JPEG of 12 bits"),
    ],
)
def test_names_a_jpeg_that_is_coded_otherwise(marker: int, precision: int, kind: str, media_root: Path) -> None:
    content = bytearray(JPEG)
    content[FRAME + 1], content[FRAME + 4] = marker, precision

    refused(bytes(content), "scan.jpg", kind)

    assert_nothing_is_left(media_root)


def tiff(order: str = "<", **tags: Any) -> bytes:
    """Return a TIFF of 8 by 8 pixels with these tags, the numbers of which are given or replaced."""
    found = {
        "width_256": 8,
        "height_257": 8,
        "bits_258": (8, 8, 8),
        "compression_259": 1,
        "colours_262": 2,
        "offset_273": 0,
        "samples_277": 3,
        "rows_278": 8,
        "size_279": 8 * 8 * 12,
        **tags,
    }
    numbers = sorted((int(name.partition("_")[2]), value) for name, value in found.items())
    table, behind = b"", b""
    start = 8 + 2 + 12 * len(numbers) + 4
    total = start + sum(2 * len(value) for _, value in numbers if isinstance(value, tuple) and len(value) > 2)
    for tag, value in numbers:
        values = value if isinstance(value, tuple) else (total if tag == 273 else value,)
        data = struct.pack(f"{order}{len(values)}H", *values)
        place = data.ljust(4, b"\0")
        if len(data) > 4:
            place = struct.pack(f"{order}I", start + len(behind))
            behind += data
        table += struct.pack(f"{order}HHI", tag, 3, len(values)) + place
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = mark + struct.pack(f"{order}IH", 8, len(numbers))
    return head + table + bytes(4) + behind + bytes(8 * 8 * 12)


def cr2() -> bytes:
    """Return a TIFF with Canon's mark between its head and its directory."""
    file = io.BytesIO()
    quadrants().convert("RGB").save(file, "TIFF", compression="raw")
    content = file.getvalue()
    place = int.from_bytes(content[4:8], "little")
    table = content[place:]
    count = int.from_bytes(table[:2], "little")
    return content[:4] + struct.pack("<I", len(content)) + b"CR\2\0" + content[12:] + table[: 2 + 12 * count + 4]


FLOATS: dict[str, Any] = {"bits_258": (32, 32, 32), "format_339": (3, 3, 3)}
TIFFS: dict[str, tuple[bytes, str]] = {
    "float": (tiff(**FLOATS), r"TIFF \(floating-point numbers\)"),
    "float, big-endian": (tiff(">", **FLOATS), r"TIFF \(floating-point numbers\)"),
    "half": (tiff(bits_258=(16, 16, 16), format_339=(3, 3, 3)), r"TIFF \(floating-point numbers\)"),
    "signed": (tiff(format_339=(2, 2, 2)), r"TIFF \(signed numbers\)"),
    "32 bits": (tiff(bits_258=(32, 32, 32)), r"TIFF \(32 bits\)"),
    "WebP": (tiff(compression_259=50001), r"TIFF \(WebP\)"),
    "JPEG XL": (tiff(compression_259=50002), r"TIFF \(JPEG XL\)"),
    "LERC": (tiff(compression_259=34887), r"TIFF \(LERC\)"),
    "JPEG 2000": (tiff(compression_259=34712), r"TIFF \(JPEG 2000\)"),
    "JBIG": (tiff(compression_259=34661, bits_258=1, samples_277=1, colours_262=0), r"TIFF \(JBIG\)"),
    "unknown": (tiff(compression_259=65123), r"TIFF \(compression 65123\)"),
    "LogLuv": (tiff(colours_262=32845, compression_259=34676), r"TIFF \(LogLuv\)"),
    "ICC L*a*b*": (tiff(colours_262=9), r"TIFF \(ICC L\*a\*b\*\)"),
    "mosaic": (tiff(colours_262=32803, samples_277=1, bits_258=14), "camera raw"),
    "DNG": (tiff(version_50706=1), "camera raw"),
    "preview": (tiff(kind_254=1), "camera raw"),
    "CR2": (cr2(), r"camera raw \(CR2\)"),
}


@pytest.mark.parametrize("kind", TIFFS)
def test_names_what_a_tiff_is_made_of(kind: str, media_root: Path) -> None:
    content, called = TIFFS[kind]

    refused(content, "scan.tif", called)

    assert_nothing_is_left(media_root)


def test_a_tiff_of_the_usual_kind_is_taken_in_and_a_damaged_one_is_called_so() -> None:
    assert upload(tiff(), "plain.tif").width == 8

    with pytest.raises(UploadRefused, match="damaged or incomplete"):
        upload(tiff()[:200], "cut.tif")


def test_an_icon_is_not_said_to_be_unknown_to_browsers() -> None:
    with pytest.raises(UploadRefused, match="icon, which is not accepted"):
        upload(saved(quadrants().resize((16, 16)), "ICO"), "favicon.ico")
