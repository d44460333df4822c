"""The gain map of a JPEG stays behind it, cleaned, and what leads to it leads there; other pictures behind it go."""

import io
import re
import struct

import pytest
from PIL import Image, ImageChops

from folio.media.privacy import Keep

from .private_files import MARK, XMP, assert_nothing_private, copied, encode, exif, picture, scan_of, segment

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
HDR = 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"'
ISO = b"urn:iso:std:iso:ts:21496:-1\0"
ISO_NUMBERS = bytes(4) + b"\x40" + bytes(range(56))
XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"


def packet(attributes: str, elements: str = "") -> bytes:
    private = f'xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" aux:SerialNumber="{MARK}"'
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}><rdf:Description rdf:about="" {private} {attributes}>'
        f"{elements}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


GOOGLE = packet(
    f'{HDR} hdrgm:Version="1.0"',
    '<C:Directory xmlns:C="http://ns.google.com/photos/1.0/container/" '
    'xmlns:Item="http://ns.google.com/photos/1.0/container/item/"><rdf:Seq>'
    '<rdf:li rdf:parseType="Resource"><C:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>'
    '<rdf:li rdf:parseType="Resource"><C:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="9"/></rdf:li>'
    "</rdf:Seq></C:Directory>",
)
GOOGLE_MAP = packet(f'{HDR} hdrgm:Version="1.0" hdrgm:GainMapMax="3.5" hdrgm:Gamma="1.0" hdrgm:OffsetSDR="{MARK}"')
APPLE_MAP = packet(
    'xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/" xmlns:H="http://ns.apple.com/HDRGainMap/1.0/"',
    "<apdi:AuxiliaryImageType>urn:com:apple:photo:2020:aux:hdrgainmap</apdi:AuxiliaryImageType>"
    "<H:HDRGainMapVersion>131072</H:HDRGainMapVersion>",
)
APPLE_DEPTH = APPLE_MAP.replace(b"hdrgainmap", b"disparity")


def jpeg(image: Image.Image, *segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + scan_of(encode(image, "JPEG"))


def xmp(packet: bytes) -> bytes:
    return segment(0xE1, XMP_NAME + packet)


def listing(first: bytes, *others: bytes) -> bytes:
    """Put a JPEG together that lists those behind it, by CIPA's Multi-Picture Format with the least byte first."""
    count = 1 + len(others)
    header = struct.pack("<2sHI", b"II", 42, 8)
    table = struct.pack("<HHHI4s", 3, 0xB000, 7, 4, b"0100") + struct.pack("<HHII", 0xB001, 4, 1, count)
    table += struct.pack("<HHII", 0xB002, 7, 16 * count, 50) + bytes(4)
    size = len(first) + 4 + 4 + 50 + 16 * count
    entries = struct.pack("<IIIHH", 0x030000, size, 0, 0, 0)
    place = size - 2 - 8  # from the header behind the beginning, the marker and the name
    for other in others:
        entries += struct.pack("<IIIHH", 0, len(other), place, 0, 0)
        place += len(other)
    return first[:2] + segment(0xE2, b"MPF\0" + header + table + entries) + first[2:] + b"".join(others)


def gain_map(packet: bytes = GOOGLE_MAP, size: tuple[int, int] = (24, 16)) -> bytes:
    mark = segment(0xFE, MARK.encode()) + segment(0xE1, exif().tobytes())
    return jpeg(picture("L", size), mark, xmp(packet))


def preview() -> bytes:
    return jpeg(picture(size=(16, 16)), segment(0xE1, exif().tobytes()), segment(0xFE, MARK.encode()))


def primary(*segments: bytes) -> bytes:
    return jpeg(picture(), segment(0xE1, exif().tobytes()), *segments)


FILES = {
    "Ultra HDR": listing(primary(xmp(GOOGLE)), gain_map()),
    "Ultra HDR without a list": primary(xmp(GOOGLE)) + gain_map(),
    "ISO 21496-1": listing(
        primary(segment(0xE2, ISO + bytes(4))), jpeg(picture("L", (24, 16)), segment(0xE2, ISO + ISO_NUMBERS))
    ),
    "Apple": listing(primary(), preview(), gain_map(APPLE_DEPTH), gain_map(APPLE_MAP)),
    "behind a preview": listing(primary(xmp(GOOGLE)), preview(), gain_map()),
}


def parts(data: bytes) -> tuple[bytes, bytes]:
    """Return both pictures of a JPEG as its list tells where they are."""
    place = data.index(b"MPF\0") + 4
    assert data[place : place + 4] == b"MM\0*"
    assert struct.unpack_from(">I", data, place + 4) == (8,)
    assert struct.unpack_from(">HHII", data, place + 22) == (0xB001, 4, 1, 2)
    first = struct.unpack_from(">IIIHH", data, place + 50)
    second = struct.unpack_from(">IIIHH", data, place + 66)
    assert first[2] == 0
    start = place + second[2]
    assert start == first[1]
    assert start + second[1] == len(data)
    return data[: first[1]], data[start:]


@pytest.mark.parametrize("keep", ["none", "rights"])
@pytest.mark.parametrize("name", FILES)
def test_a_gain_map_stays_cleaned(name: str, keep: Keep) -> None:
    clean = copied(FILES[name], "image/jpeg", keep)

    first, second = parts(clean)
    with Image.open(io.BytesIO(first)) as image:
        assert image.size == (48, 32)
        before = Image.open(io.BytesIO(FILES[name])).convert("RGB")
        assert ImageChops.difference(image.convert("RGB"), before).getbbox() is None
        assert image.getexif()[0x0112] == 6
    with Image.open(io.BytesIO(second)) as image:
        assert image.size == (24, 16)
        image.load()
        assert not image.getexif()
    assert clean.count(b"\xff\xd8\xff") == 2
    for mark in (b"SerialNumber", b"disparity", b"\xff\xfe"):
        assert mark not in clean
    assert_nothing_private(second)
    if keep == "none":
        assert_nothing_private(clean)
    assert copied(clean, "image/jpeg", keep) == clean


def test_the_numbers_of_a_gain_map_stay_and_texts_in_their_place_go() -> None:
    _, google = parts(copied(FILES["Ultra HDR"], "image/jpeg"))
    assert b' hdrgm:Version="1.0" hdrgm:GainMapMax="3.5" hdrgm:Gamma="1.0"/>' in google
    _, apple = parts(copied(FILES["Apple"], "image/jpeg"))
    assert (
        b'HDRGainMap:HDRGainMapVersion="131072" apdi:AuxiliaryImageType="urn:com:apple:photo:2020:aux:hdrgainmap"'
        in apple
    )
    first, iso = parts(copied(FILES["ISO 21496-1"], "image/jpeg"))
    assert segment(0xE2, ISO + ISO_NUMBERS) in iso
    assert segment(0xE2, ISO + bytes(4)) in first


@pytest.mark.parametrize("name", ["Ultra HDR", "Ultra HDR without a list"])
def test_xmp_tells_the_length_that_the_gain_map_has_now(name: str) -> None:
    first, second = parts(copied(FILES[name], "image/jpeg", "rights"))

    assert b' hdrgm:Version="1.0"' in first
    assert re.findall(rb'Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="([0-9]+)"', first) == [
        str(len(second)).encode()
    ]


def test_a_credit_that_looks_like_the_place_of_the_length_stays_as_it_is() -> None:
    credit = "Item:Length=&quot;0000000000&quot;"
    place = 'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
    given = GOOGLE.replace(b'rdf:about=""', f'rdf:about="" {place} photoshop:Credit="{credit}"'.encode())

    first, second = parts(copied(listing(primary(xmp(given)), gain_map()), "image/jpeg", "rights"))

    assert b"photoshop:Credit='Item:Length=\"0000000000\"'" in first
    assert f'Item:Length="{len(second)}"'.encode() in first


@pytest.mark.parametrize(
    "data",
    [
        listing(primary(xmp(GOOGLE)), preview()),
        listing(primary(xmp(GOOGLE)), gain_map(GOOGLE_MAP.replace(b"GainMapMax", b"Other"))),
        listing(primary(xmp(GOOGLE)), gain_map(size=(480, 16))),
        listing(primary(xmp(GOOGLE)), gain_map()[:-30]),
        listing(primary(xmp(GOOGLE)), MARK.encode()),
        listing(primary(), gain_map(APPLE_DEPTH)),
        primary() + gain_map(),
    ],
    ids=["a preview", "without numbers", "larger", "cut off", "no picture", "depth", "that nothing leads to"],
)
def test_what_is_no_gain_map_goes(data: bytes) -> None:
    clean = copied(data, "image/jpeg")

    assert_nothing_private(clean)
    assert clean.count(b"\xff\xd8\xff") == 1
    for name in (b"MPF", b"hdrgm", b"Container", ISO):
        assert name not in clean
    assert clean.endswith(b"\xff\xd9")


def test_a_list_that_points_into_the_picture_leads_nowhere() -> None:
    data = bytearray(listing(primary(xmp(XMP)), gain_map()))
    place = data.index(b"MPF\0") + 4
    for offset in (1, 30, 0xFFFFFFFF, len(data) - place):
        struct.pack_into("<I", data, place + 50 + 16 + 8, offset)
        assert copied(bytes(data), "image/jpeg").count(b"\xff\xd8\xff") == 1
