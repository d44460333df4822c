"""Pictures are copied with their pixels, profile and orientation, and with nothing private."""

import struct
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from folio.media.privacy import UnreadableStructure, jpeg
from tests.live import PHOTOGRAPHS, photograph

from .private_files import (
    DATE,
    MARK,
    XMP,
    assert_nothing_private,
    box,
    chunk,
    copied,
    encode,
    exif,
    picture,
    plain_jpeg,
    scan_of,
    segment,
    tiff,
)

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def assert_same_picture(one: bytes, other: bytes) -> None:
    """Assert that all frames have the same pixels and are shown the same way."""
    before, after = Image.open(BytesIO(one)), Image.open(BytesIO(other))
    assert (before.size, before.mode) == (after.size, after.mode)
    assert before.info.get("icc_profile") == after.info.get("icc_profile")
    assert after.getexif().get(0x0112) == (None if before.format == "WEBP" else before.getexif().get(0x0112))
    assert before.info.get("loop") == after.info.get("loop")
    count = getattr(before, "n_frames", 1) if before.format != "MPO" else 1
    assert getattr(after, "n_frames", 1) == count
    for number in range(count):
        before.seek(number)
        after.seek(number)
        assert before.info.get("duration") == after.info.get("duration")
        assert before.info.get("transparency") == after.info.get("transparency")
        assert ImageChops.difference(before.convert("RGBA"), after.convert("RGBA")).getbbox(alpha_only=False) is None


def assert_clean(data: bytes, mime_type: str) -> bytes:
    assert MARK.encode() in data  # or the test would test nothing
    clean = copied(data, mime_type)
    assert_nothing_private(clean)
    assert_same_picture(data, clean)
    assert copied(clean, mime_type) == clean
    return clean


def marked_jpeg(jpeg: bytes) -> bytes:
    """Put in front of and behind a JPEG whatever cameras and editors put there."""
    mark = MARK.encode()
    ifd1 = encode(picture(size=(16, 16)), "JPEG", comment=mark)
    return b"".join(
        (
            b"\xff\xd8",
            segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1" + mark[:3]),
            segment(0xE1, exif().tobytes() + ifd1),
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
            segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + mark),
            segment(0xE0, b"JFXX\0\x10" + ifd1),
            segment(0xE2, b"ICC_PROFILE\0\1\1" + SRGB),
            segment(0xE2, b"FPXR\0" + mark),
            segment(0xED, b"Photoshop 3.0\x008BIM\4\4\0\0\0\0\0\x0c\x1c\2\x50\0\x07" + mark),
            segment(0xEB, b"JP\0\0" + mark),
            segment(0xFE, mark),
            scan_of(jpeg),
            marked_trailer(),
        )
    )


def marked_trailer() -> bytes:
    return encode(picture(), "JPEG", exif=exif(), comment=MARK) + MARK.encode()


# JPEG


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_keeps_its_pixels_profile_and_orientation_and_nothing_else(name: str) -> None:
    data = marked_jpeg(photograph(name))
    clean = assert_clean(data, "image/jpeg")
    assert scan_of(clean) == scan_of(photograph(name))
    kept = Image.open(BytesIO(clean)).getexif()
    assert kept == {0x0112: 6, 0x011A: 300, 0x011B: 300, 0x0128: 2, 0x8769: kept[0x8769]}
    inner = kept.get_ifd(0x8769)
    assert kept.get_ifd(0xA005) == {1: "R03"}
    del inner[0xA005]
    assert inner == {0x9000: b"0232", 0x9003: DATE, 0xA001: 0xFFFF, 0xA002: 240, 0xA003: 160}
    assert Image.open(BytesIO(clean)).info["icc_profile"] == SRGB


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("endian", ["<", ">"])
def test_every_orientation_stays(orientation: int, endian: str) -> None:
    given = exif(orientation)
    given.endian = endian
    clean = assert_clean(encode(picture(), "JPEG", exif=given.tobytes()), "image/jpeg")
    assert Image.open(BytesIO(clean)).getexif()[0x0112] == orientation


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_coding_of_jpeg_stays(mode: str, options: dict[str, Any]) -> None:
    data = encode(picture(mode), "JPEG", exif=exif(), comment=MARK, **options)
    assert scan_of(assert_clean(data, "image/jpeg")) == scan_of(data)


def test_the_second_picture_of_a_camera_goes() -> None:
    data = encode(picture(), "MPO", save_all=True, append_images=[picture("L")], exif=exif())
    clean = assert_clean(data, "image/jpeg")
    assert Image.open(BytesIO(clean)).format == "JPEG"
    assert clean.endswith(b"\xff\xd9")
    assert clean.count(b"\xff\xd8") == 1


def test_an_orientation_that_only_xmp_tells_goes_for_no_browser_knows_it() -> None:
    xmp = XMP.replace(b"<dc", b'<rdf:Description tiff:Orientation="8"/><dc')
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    for format, options in (("JPEG", {"xmp": xmp}), ("PNG", {"pnginfo": info}), ("WEBP", {"xmp": xmp})):
        clean = copied(encode(picture(), format, **options), f"image/{format.lower()}")
        assert_nothing_private(clean)
        assert 0x0112 not in Image.open(BytesIO(clean)).getexif()


def test_damaged_exif_data_go_wholly() -> None:
    whole = exif().tobytes()
    for size in (0, 3, 8, 9, 30):
        data = b"\xff\xd8" + segment(0xE1, b"Exif\0\0" + whole[6 : 6 + size] + MARK.encode()) + scan_of(plain_jpeg())
        assert_nothing_private(copied(data, "image/jpeg"))


def test_exif_data_that_point_at_themselves_end() -> None:
    looped = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8)
    data = b"\xff\xd8" + segment(0xE1, b"Exif\0\0" + looped) + scan_of(plain_jpeg())
    assert copied(data, "image/jpeg") == b"\xff\xd8" + scan_of(plain_jpeg())


def test_texts_in_the_place_of_numbers_go() -> None:
    value = MARK.encode().ljust(16)
    entries = struct.pack("<HHII", 0x0112, 2, 16, 38) + struct.pack("<HHII", 0x011A, 7, 16, 38)
    block = struct.pack("<2sHIH", b"II", 42, 8, 2) + entries + bytes(4) + value
    clean = copied(b"\xff\xd8" + segment(0xE1, b"Exif\0\0" + block) + scan_of(plain_jpeg()), "image/jpeg")
    assert clean == b"\xff\xd8" + scan_of(plain_jpeg())


@pytest.mark.parametrize("fill", range(9))
def test_the_end_of_the_pixels_is_found_wherever_blocks_meet(monkeypatch: Any, fill: int) -> None:
    monkeypatch.setattr(jpeg, "BLOCK_SIZE", 8)
    data = encode(picture(), "JPEG", exif=exif(), restart_marker_rows=1)
    clean = copied(data[:-2] + b"\xff" * fill + b"\xff\xd9" + marked_trailer(), "image/jpeg")
    assert_nothing_private(clean)
    assert scan_of(clean).rstrip(b"\xff\xd9") == scan_of(data).rstrip(b"\xff\xd9")


# PNG


def marked_png(image: Image.Image, **options: Any) -> bytes:
    info = PngInfo()
    info.add_text("Author", MARK)
    info.add_text("Comment", MARK, zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    info.add_text("Raw profile type exif", exif().tobytes().hex())
    data = encode(image, "PNG", pnginfo=info, exif=exif(), icc_profile=SRGB, dpi=(144, 144), **options)
    end = len(data) - 12
    unknown = chunk(b"prVt", MARK.encode()) + chunk(b"tIME", bytes(7)) + chunk(b"iDOT", MARK.encode())
    return (
        data[:33] + unknown + data[33:end] + chunk(b"tEXt", b"Late\0" + MARK.encode()) + data[end:] + marked_trailer()
    )


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_keeps_its_pixels_profile_and_orientation(mode: str) -> None:
    image = Image.new("I;16", (9, 7), 40_000) if mode == "I;16" else picture("L" if mode == "LA" else "RGB")
    clean = assert_clean(marked_png(image if mode == "I;16" else image.convert(mode)), "image/png")
    opened = Image.open(BytesIO(clean))
    assert opened.info["icc_profile"] == SRGB
    assert opened.info["dpi"] == pytest.approx((144, 144), abs=0.1)
    assert clean.index(b"eXIf") < clean.index(b"IDAT")
    assert opened.getexif()[0x0112] == 6
    assert clean.endswith(b"IEND\xaeB`\x82")


def test_transparency_of_a_png_stays() -> None:
    assert_clean(marked_png(picture().quantize(16), transparency=3), "image/png")
    assert_clean(marked_png(picture(), transparency=(1, 2, 3)), "image/png")


def test_an_animated_png_stays_animated() -> None:
    frames = [picture().rotate(turn) for turn in (90, 180)]
    data = marked_png(picture(), save_all=True, append_images=frames, duration=[100, 200, 300], loop=4)
    assert getattr(Image.open(BytesIO(assert_clean(data, "image/png"))), "n_frames", 1) == 3


def test_exif_data_behind_the_pixels_come_before_them() -> None:
    data = encode(picture(), "PNG")
    late = data[:-12] + chunk(b"eXIf", exif(3).tobytes()[6:]) + data[-12:]
    clean = copied(late, "image/png")
    assert_nothing_private(clean)
    assert Image.open(BytesIO(clean)).getexif()[0x0112] == 3


# WebP, GIF


@pytest.mark.parametrize("options", [{}, {"lossless": True}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_keeps_its_pixels_and_profile_and_stays_as_browsers_show_it(mode: str, options: dict[str, Any]) -> None:
    data = encode(picture(mode), "WEBP", exif=exif(), xmp=XMP, icc_profile=SRGB, **options) + MARK.encode()
    clean = assert_clean(data, "image/webp")
    assert struct.unpack_from("<I", clean, 4)[0] == len(clean) - 8
    assert clean[20] & 0x0C == 0x08
    assert 0x0112 not in Image.open(BytesIO(clean)).getexif()  # by which no browser turns it


def test_a_webp_of_which_nothing_is_kept_says_so() -> None:
    clean = assert_clean(encode(picture(), "WEBP", xmp=XMP), "image/webp")
    assert clean[20] & 0x0C == 0
    assert b"EXIF" not in clean


def test_an_animated_webp_stays_animated() -> None:
    frames = [picture().rotate(turn) for turn in (90, 180)]
    options: dict[str, Any] = {"save_all": True, "append_images": frames, "duration": [100, 200, 300], "loop": 4}
    data = encode(picture(), "WEBP", exif=exif(), xmp=XMP, **options)
    assert_clean(data, "image/webp")
    place = data.index(b"ANMF")
    size = struct.unpack_from("<I", data, place + 4)[0]
    hidden = struct.pack("<4sI", b"prvt", 8) + MARK.encode() + b"\0"
    frame = struct.pack("<4sI", b"ANMF", size + 16) + data[place + 8 : place + 8 + size + size % 2] + hidden
    data = data[:place] + frame + data[place + 8 + size + size % 2 :]
    assert_clean(data[:4] + struct.pack("<I", len(data) - 8) + data[8:], "image/webp")


def gif_extension(label: bytes, *blocks: bytes) -> bytes:
    return b"!" + label + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def test_a_gif_keeps_its_frames_loop_and_profile() -> None:
    frames = [picture().rotate(turn).quantize(8) for turn in (90, 180)]
    data = encode(
        picture().quantize(16),
        "GIF",
        save_all=True,
        append_images=frames,
        duration=[100, 200, 300],
        loop=4,
        comment=MARK,
        transparency=2,
    )
    start = 13 + (3 << (data[10] & 7) + 1)
    private = (
        gif_extension(b"\xff", b"XMP DataXMP", XMP)
        + gif_extension(b"\xff", b"PRIVATEDATA", MARK.encode())
        + gif_extension(b"\x01", bytes(12), MARK.encode())
        + gif_extension(b"\xff", b"ICCRGBG1012", SRGB[:200], SRGB[200:400])
    )
    clean = assert_clean(data[:start] + private + data[start:] + MARK.encode(), "image/gif")
    assert SRGB[:200] in clean
    assert Image.open(BytesIO(clean)).info["loop"] == 4


# TIFF


def tiff_tags() -> TiffImagePlugin.ImageFileDirectory_v2:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag in (269, 270, 271, 272, 285, 305, 315, 316, 337, 33432, 50735, 42112):
        tags.tagtype[tag] = 2
        tags[tag] = f"{MARK} {tag}"
    for tag in (700, 33723, 34377, 37724, 50740, 65000):
        tags.tagtype[tag] = 7
        tags[tag] = XMP
    tags[274] = 6
    return tags


@pytest.mark.parametrize("compression", [None, "raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"])
def test_a_tiff_keeps_all_pages(compression: str | None) -> None:
    options: dict[str, Any] = {"save_all": True, "append_images": [picture("L"), picture(size=(20, 90))]}
    options["big_tiff"] = compression is None
    data = encode(picture(), "TIFF", tiffinfo=tiff_tags(), icc_profile=SRGB, compression=compression, **options)
    assert data[2] == (42 if compression else 43)
    clean = assert_clean(data + MARK.encode(), "image/tiff")
    assert len(clean) == len(data) + len(MARK)


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
def test_a_tiff_in_either_byte_order_keeps_its_strips(order: str, big: bool) -> None:
    clean = assert_clean(tiff(order, big, [picture(), picture().rotate(180)]), "image/tiff")
    opened = Image.open(BytesIO(clean))
    assert getattr(opened, "n_frames", 1) == 2
    assert 0x8825 not in opened.getexif()
    assert opened.getexif().get_ifd(0x8769) == {0x9003: DATE, 0xA001: 0xFFFF}


def test_a_large_tiff_with_the_most_significant_byte_first_keeps_its_strips() -> None:
    data = tiff(">", True, [picture()])  # which Pillow can't read
    clean = copied(data, "image/tiff")
    assert_nothing_private(clean)
    for top in range(0, 32, 8):
        strip = picture().crop((0, top, 48, top + 8)).tobytes()
        assert clean.index(strip) == data.index(strip)


def test_strips_of_which_no_size_is_told_stay() -> None:
    data = tiff("<", False, [picture()])
    entry = struct.pack("<HHI", 279, 4, 4)
    assert data.count(entry) == 1
    assert_clean(data.replace(entry, struct.pack("<HHI", 65001, 4, 4)), "image/tiff")


def test_a_tiff_whose_pages_go_round_ends() -> None:
    data = bytearray(tiff("<", False, [picture()]))
    first = struct.unpack_from("<I", data, 4)[0]
    struct.pack_into("<I", data, len(data) - 4, first)
    clean = copied(bytes(data), "image/tiff")
    assert clean[-4:] == bytes(4)


def test_a_tiff_that_wants_its_bytes_copied_again_and_again_is_refused() -> None:
    count = 100_000
    place = 8 + 2 + 12 * 4 + 4
    entries = ((256, 4, 1, 1), (257, 4, 1, 1), (273, 4, count, place), (279, 4, count, place + 4 * count))
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    data = struct.pack("<2sHIH", b"II", 42, 8, 4) + table + bytes(4) + bytes(4 * count)
    data += struct.pack("<I", 800_000) * count
    with pytest.raises(UnreadableStructure):
        copied(data, "image/tiff")


# AVIF


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_an_avif_keeps_its_pixels_profile_and_orientation(orientation: int) -> None:
    data = encode(picture(), "AVIF", exif=exif(orientation).tobytes(), xmp=XMP, icc_profile=SRGB)
    clean = assert_clean(data + box(b"uuid", MARK.encode()) + MARK.encode(), "image/avif")
    assert clean[: data.index(b"iloc")] == data[: data.index(b"iloc")]
    assert Image.open(BytesIO(clean)).info.get("xmp") is None


def test_an_animated_avif_stays_animated() -> None:
    frames = [picture(size=(128, 96)).rotate(turn) for turn in (0, 180)]
    data = encode(frames[0], "AVIF", exif=exif(1), xmp=XMP, save_all=True, append_images=frames[1:])
    assert_clean(data, "image/avif")


# BMP


def bmp(
    header: bytes, table: bytes, pixels: bytes, *, gap: bytes = b"", behind: bytes = b"", reserved: int = 0
) -> bytes:
    """Put a BMP together; `gap` comes before its pixels."""
    start = 14 + len(header) + len(table) + len(gap)
    data = header + table + gap + pixels + behind
    return struct.pack("<2sIII", b"BM", 14 + len(data), reserved, start) + data


def info(size: int, bits: int, compression: int = 0, *, height: int = 2, length: int = 0) -> bytes:
    """Return the header of a BMP that is three pixels wide."""
    return struct.pack("<IiiHHIIiiII", size, 3, height, 1, bits, compression, length, 0, 0, 0, 0).ljust(size, b"\0")


def profiled(profile: bytes, gap: bytes = b"") -> bytes:
    """Return the header of a BMP whose profile stands behind its pixels, 24 bytes and a gap."""
    header = bytearray(info(124, 24))
    struct.pack_into("<I", header, 56, int.from_bytes(b"MBED"))
    struct.pack_into("<II", header, 112, 124 + 24 + len(gap), len(profile))
    return bytes(header)


COLOURS = bytes(range(256)) * 4
BITMAPS = {
    "24 bits": (info(40, 24), b"", bytes(range(24))),
    "from the top": (info(40, 24, height=-2), b"", bytes(range(24))),
    "32 bits": (info(108, 32), b"", bytes(range(24))),
    "masks": (info(40, 16, 3), struct.pack("<III", 0xF800, 0x7E0, 0x1F), bytes(range(16))),
    "8 bits": (info(40, 8), COLOURS, b"\1\2\3\0\4\5\6\0"),
    "1 bit": (info(40, 1), b"\0\0\0\0\x80\x80\x80\0", b"\xa0\0\0\0\x40\0\0\0"),
    "runs": (info(40, 8, 1, length=10), COLOURS, b"\3\7\0\0\2\1\1\0\0\1"),
    "of OS/2": (struct.pack("<IHHHH", 12, 3, 2, 1, 24), b"", bytes(range(24))),
}


@pytest.mark.parametrize("parts", BITMAPS.values(), ids=BITMAPS)
def test_nothing_stands_before_or_behind_the_pixels_of_a_bitmap(parts: tuple[bytes, bytes, bytes]) -> None:
    mark = MARK.encode()

    clean = assert_clean(bmp(*parts, gap=mark, behind=b"PK\3\4" + mark, reserved=0x4D4D), "image/bmp")

    assert clean == bmp(*parts, gap=bytes(len(mark)))


def test_a_bitmap_keeps_its_profile() -> None:
    mark = MARK.encode()
    data = bmp(profiled(SRGB, mark), b"", bytes(range(24)), behind=mark + SRGB + mark)

    clean = assert_clean(data, "image/bmp")

    assert clean.endswith(bytes(range(24)) + bytes(len(mark)) + SRGB)


def test_a_bitmap_whose_colours_its_writer_forgot() -> None:
    data = bytearray(bmp(*BITMAPS["8 bits"], behind=MARK.encode()))
    struct.pack_into("<I", data, 10, 54)

    assert assert_clean(bytes(data), "image/bmp").endswith(COLOURS + b"\1\2\3\0\4\5\6\0")
