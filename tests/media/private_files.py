"""Files with private data in every place that holds any, and what is to be left of them."""

import struct
import zlib
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from folio.media.privacy import Keep, write_without_private_data

MARK = "PRIVATE"  # what no byte of a copy may hold
MARKS = [MARK.encode(), MARK.encode("utf-16-le"), MARK.encode("utf-16-be"), MARK.encode().hex().encode()]

LATITUDE = (IFDRational(47, 1), IFDRational(22, 1), IFDRational(19283746, 1000003))  # seconds found nowhere else
POSITION = [struct.pack(order + "II", 19283746, 1000003) for order in "<>"]
DATE = "2024:05:06 07:08:09"
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:creator>{MARK}</dc:creator></x:xmpmeta>'.encode()


def copied(data: bytes, mime_type: str, keep: Keep = "none") -> bytes:
    target = BytesIO()
    write_without_private_data(BytesIO(data), target, mime_type, keep)
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


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def scan_of(jpeg: bytes) -> bytes:
    """Return a JPEG's tables and coded pixels, without the segments of applications."""
    place = 2
    while jpeg[place + 1] >= 0xE0:
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4])
    return jpeg[place:]


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def box(kind: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I4s", 8 + len(body), kind) + body


# JPEG


def plain_jpeg() -> bytes:
    return encode(picture(), "JPEG")


# TIFF


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


# Films


def track(handler: bytes, offsets: list[int], sizes: list[int]) -> bytes:
    """Put a track together whose chunks hold one sample each."""
    table = box(
        b"stbl",
        box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1)),
        box(b"stsz", struct.pack(f">III{len(sizes)}I", 0, 0, len(sizes), *sizes)),
        box(b"stco", struct.pack(f">II{len(offsets)}I", 0, len(offsets), *offsets)),
    )
    hdlr = box(b"hdlr", bytes(8), handler, bytes(12), MARK.encode(), b"\0")  # a name, often the camera's
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
