import math
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational

from folio.media.privacy import CLEANERS, UnreadableStructure, jpeg, original, write_without_private_data
from tests.live import PHOTOGRAPHS, photograph

MARK = "PRIVATE"  # what no byte of a copy may hold
MARKS = [MARK.encode(), MARK.encode("utf-16-le"), MARK.encode("utf-16-be"), MARK.encode().hex().encode()]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LATITUDE = (IFDRational(47, 1), IFDRational(22, 1), IFDRational(19283746, 1000003))  # seconds found nowhere else
POSITION = [struct.pack(order + "II", 19283746, 1000003) for order in "<>"]
DATE = "2024:05:06 07:08:09"
MIME_TYPES = {"MPO": "image/jpeg"} | {
    name: f"image/{name.lower()}" for name in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF")
}
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:creator>{MARK}</dc:creator></x:xmpmeta>'.encode()


def copied(data: bytes, mime_type: str) -> bytes:
    target = BytesIO()
    write_without_private_data(BytesIO(data), target, mime_type)
    return target.getvalue()


def exif(orientation: int = 6) -> Image.Exif:
    """Make EXIF data that tell all there is to tell, each text marked."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x011A] = exif[0x011B] = IFDRational(300, 1)
    exif[0x0128] = 2
    for tag in (0x010E, 0x010F, 0x0110, 0x0131, 0x013B, 0x013C, 0x8298, 0xC62F):  # description to serial number
        exif[tag] = f"{MARK} {tag:x}"
    exif[0x0132] = DATE
    for tag in range(0x9C9B, 0x9CA0):  # Windows' title, comment, author, keywords, subject
        exif[tag] = MARK.encode("utf-16-le")
    exif[0x4746] = 5
    photograph = exif.get_ifd(0x8769)
    photograph.update({0x9003: DATE, 0xA001: 0xFFFF, 0xA002: 240, 0xA003: 160, 0x9000: b"0232"})
    photograph.update({tag: f"{MARK} {tag:x}" for tag in (0xA430, 0xA431, 0xA434, 0xA435, 0xA420, 0x9290)})
    photograph[0x927C] = b"Apple iOS\0" + MARK.encode() * 100
    photograph[0x9286] = b"ASCII\0\0\0" + MARK.encode()
    photograph[0xA005] = {1: "R03", 0x1000: MARK}
    exif.get_ifd(0x8825).update({1: "N", 2: LATITUDE, 3: "E", 4: LATITUDE, 27: MARK.encode(), 29: "2024:05:06"})
    return exif


def picture(mode: str = "RGB", size: tuple[int, int] = (48, 32)) -> Image.Image:
    gradient = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", (gradient, gradient.rotate(180), Image.new("L", size, 90))).convert(mode)


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def assert_nothing_private(data: bytes) -> None:
    for mark in [*MARKS, *POSITION]:
        assert mark not in data


def assert_same_picture(one: bytes, other: bytes) -> None:
    """Assert that all frames have the same pixels and are shown the same way."""
    before, after = Image.open(BytesIO(one)), Image.open(BytesIO(other))
    assert (before.size, before.mode) == (after.size, after.mode)
    assert before.info.get("icc_profile") == after.info.get("icc_profile")
    assert before.getexif().get(0x0112) == after.getexif().get(0x0112)
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


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def scan_of(jpeg: bytes) -> bytes:
    """Return a JPEG's tables and coded pixels, without the segments of applications."""
    place = 2
    while jpeg[place + 1] >= 0xE0:
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4])
    return jpeg[place:]


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


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def box(kind: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I4s", 8 + len(body), kind) + body


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


def test_an_orientation_that_only_xmp_tells_stays() -> None:
    xmp = XMP.replace(b"<dc", b'<rdf:Description tiff:Orientation="8"/><dc')
    data = encode(picture(), "JPEG", xmp=xmp)
    assert Image.open(BytesIO(assert_clean(data, "image/jpeg"))).getexif() == {0x0112: 8}
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    assert Image.open(BytesIO(assert_clean(encode(picture(), "PNG", pnginfo=info), "image/png"))).getexif()[0x0112] == 8
    clean = assert_clean(encode(picture(), "WEBP", xmp=xmp), "image/webp")
    assert Image.open(BytesIO(clean)).getexif()[0x0112] == 8


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


def plain_jpeg() -> bytes:
    return encode(picture(), "JPEG")


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
def test_a_webp_keeps_its_pixels_profile_and_orientation(mode: str, options: dict[str, Any]) -> None:
    data = encode(picture(mode), "WEBP", exif=exif(), xmp=XMP, icc_profile=SRGB, **options) + MARK.encode()
    clean = assert_clean(data, "image/webp")
    assert struct.unpack_from("<I", clean, 4)[0] == len(clean) - 8
    assert clean[20] & 0x0C == 0x08
    assert Image.open(BytesIO(clean)).getexif()[0x0112] == 6


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


def tiff(order: str, big: bool, images: Iterable[Image.Image]) -> bytes:
    """Put a TIFF together by hand, of uncompressed RGB in strips of 8 rows, with EXIF and GPS directories."""
    number = "Q" if big else "I"
    width = struct.calcsize(number)
    file = bytearray((b"II" if order == "<" else b"MM") + struct.pack(f"{order}H", 43 if big else 42))
    file += struct.pack(f"{order}HHQ", 8, 0, 0) if big else bytes(4)

    def add(data: bytes) -> int:
        file.extend(bytes(len(file) % 2))
        file.extend(data)
        return len(file) - len(data)

    def directory(entries: dict[int, tuple[int, int, bytes]]) -> int:
        table = b""
        for tag, (type, count, value) in sorted(entries.items()):
            place = value.ljust(width, b"\0") if len(value) <= width else struct.pack(order + number, add(value))
            table += struct.pack(f"{order}HH{number}", tag, type, count) + place
        return add(struct.pack(f"{order}{'Q' if big else 'H'}", len(entries)) + table + bytes(width))

    def short(*values: int) -> tuple[int, int, bytes]:
        return 3, len(values), struct.pack(f"{order}{len(values)}H", *values)

    def long(*values: int) -> tuple[int, int, bytes]:
        return 4, len(values), struct.pack(f"{order}{len(values)}I", *values)

    def text(value: str) -> tuple[int, int, bytes]:
        return 2, len(value) + 1, value.encode() + b"\0"

    link = width  # where the offset of the next directory is to be written
    for image in images:
        pixels = [image.crop((0, top, image.width, top + 8)).tobytes() for top in range(0, image.height, 8)]
        add(MARK.encode())  # what no tag leads to
        strips = [add(strip) for strip in pixels]
        gps = directory({1: text("N"), 2: (5, 3, struct.pack(f"{order}6I", 47, 1, 22, 1, 19283746, 1000003))})
        inner = {0x9003: text(DATE), 0xA001: short(0xFFFF), 0xA431: text(MARK), 0x927C: (7, 7, MARK.encode())}
        entries = {
            256: long(image.width), 257: long(image.height), 258: short(8, 8, 8), 259: short(1), 262: short(2),
            273: long(*strips), 274: short(3), 277: short(3), 278: long(8), 279: long(*map(len, pixels)),
            270: text(MARK), 315: text(MARK * 20), 0x8769: long(directory(inner)), 0x8825: long(gps),
        }  # fmt: skip
        start = directory(entries)
        struct.pack_into(order + number, file, link, start)
        link = len(file) - width
    return bytes(file)


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


# AVIF, films, others


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


def track(handler: bytes, offsets: list[int], sizes: list[int]) -> bytes:
    """Put a track together whose chunks hold one sample each."""
    table = box(
        b"stbl",
        box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1)),
        box(b"stsz", struct.pack(f">III{len(sizes)}I", 0, 0, len(sizes), *sizes)),
        box(b"stco", struct.pack(f">II{len(offsets)}I", 0, len(offsets), *offsets)),
    )
    hdlr = box(b"hdlr", bytes(8), handler, bytes(13))
    place = box(b"udta", box(b"\xa9xyz", b"\0\7\x15\xc7" + MARK.encode()))
    return box(b"trak", box(b"tkhd", bytes(84)), box(b"mdia", hdlr, box(b"minf", table)), place)


def film(subtitle: bytes = b"GPS (8.51, 47.1)", large: bool = False) -> tuple[bytes, list[bytes]]:
    """Put a film together, with samples in turn of picture, sound, subtitles and positions; return the samples too."""
    mark = MARK.encode()
    samples = [b"picture 1", b"sound 1", subtitle, mark, b"picture 2", mark * 3]
    ftyp = box(b"ftyp", b"qt  \0\0\0\0qt  ")
    start = len(ftyp) + (16 if large else 8)
    offsets = [start + sum(map(len, samples[:number])) for number in range(len(samples))]
    sizes = [len(sample) for sample in samples]
    body = b"".join(samples)
    mdat = struct.pack(">I4sQ", 1, b"mdat", 16 + len(body)) + body if large else box(b"mdat", body)
    keys = box(b"keys", bytes(7), b"\1", box(b"mdta", b"com.apple.quicktime.location.ISO6709"))
    values = box(b"ilst", box(b"\0\0\0\1", box(b"data", bytes(8), mark)))
    tracks = [
        track(handler, [offsets[number] for number in numbers], [sizes[number] for number in numbers])
        for handler, numbers in ((b"vide", [0, 4]), (b"soun", [1]), (b"sbtl", [2]), (b"meta", [3, 5]))
    ]
    moov = box(
        b"moov",
        box(b"mvhd", bytes(100)),
        *tracks,
        box(b"meta", keys, values),
        box(b"udta", box(b"loci", mark), box(b"meta", bytes(4), box(b"ilst", box(b"ownr", mark)))),
    )
    return ftyp + mdat + moov + box(b"uuid", mark) + box(b"free", mark) + box(b"sefd", mark), samples


@pytest.mark.parametrize("mime_type", ["video/mp4", "video/quicktime", "audio/mp4"])
@pytest.mark.parametrize("large", [False, True])
def test_a_film_keeps_its_pictures_and_sounds_in_their_places(mime_type: str, large: bool) -> None:
    data, samples = film(large=large)
    clean = copied(data, mime_type)
    assert_nothing_private(clean)
    assert b"GPS" not in clean
    assert len(clean) == len(data)
    for sample in (samples[0], samples[1], samples[4]):
        assert clean.index(sample) == data.index(sample)
    assert clean.count(b"trak") == 2
    for lost in (b"udta", b"loci", b"\xa9xyz", b"ISO6709", b"uuid", b"sefd"):
        assert lost not in clean
    assert copied(clean, mime_type) == clean


@pytest.mark.parametrize(
    "subtitle", [b"HOME(8.51,47.38)", b"[latitude : 47.1]", b"[longtitude: -8]", "GPS(8.51)".encode("utf-16-le")]
)
def test_subtitles_with_positions_go(subtitle: bytes) -> None:
    data, _ = film(subtitle)
    assert subtitle not in copied(data, "video/mp4")


def test_a_film_without_its_index_is_emptied() -> None:
    data, _ = film()
    assert_nothing_private(copied(data[: data.index(b"moov") - 4], "video/mp4"))


def test_subtitles_without_positions_stay() -> None:
    data, samples = film(b"The latitude of home, without GPS.")
    clean = copied(data, "video/mp4")
    assert_nothing_private(clean)
    assert samples[2] in clean
    assert clean.count(b"trak") == 3


def test_junk_behind_a_film_goes() -> None:
    data, _ = film()
    clean = copied(data + b"\0\0\0\1" + MARK.encode() * 5, "video/mp4")
    assert_nothing_private(clean)


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp", b"mp42") + struct.pack(">I4s", 100, b"mdat") + bytes(20),  # cut off
        box(b"ftyp", b"mp42") + box(b"moov", box(b"cmov", MARK.encode())),
        box(b"ftyp", b"mp42") + box(b"moov", struct.pack(">I4s", 4, b"udta") + MARK.encode()),
        box(b"ftyp", b"mp42") + box(b"moov", track(b"meta", [1], [9])) + box(b"moof", box(b"mfhd", bytes(8))),
        box(b"ftyp", b"mp42") + box(b"moov", track(b"meta", [1_000_000], [9])),
    ],
    ids=["cut off", "compressed", "too short", "in fragments", "outside"],
)
def test_a_film_that_cannot_be_taken_apart_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableStructure, match="Save it anew"):
        copied(data, "video/mp4")


@pytest.mark.parametrize("mime_type", ["application/pdf", "audio/mpeg", "text/plain", "application/zip"])
def test_other_files_are_copied_as_they_are(mime_type: str) -> None:
    data = bytes(range(256)) * 1000
    assert copied(data, mime_type) == data


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


# Damage


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
        ("image/gif", b"GIF89a" + bytes(7), b"!\xfe\1a\0"),
        ("image/jpeg", b"\xff\xd8", segment(0xFE, b"")),
        ("image/webp", b"RIFF" + struct.pack("<I", 1_200_004) + b"WEBP", struct.pack("<4sI", b"XMP ", 0)),
        ("video/mp4", box(b"ftyp", b"mp42"), box(b"free")),
    ],
    ids=["png", "gif", "jpeg", "webp", "mp4"],
)
def test_a_file_of_countless_empty_parts_is_refused(
    monkeypatch: Any, mime_type: str, start: bytes, part: bytes
) -> None:
    data = start + part * (1_200_000 // len(part))
    copied(data + b"\xff\xda\0\2\xff\xd9" if mime_type == "image/jpeg" else data, mime_type)
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
            write_without_private_data(source, target, mime_type)
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
        finally:
            tracemalloc.stop()
