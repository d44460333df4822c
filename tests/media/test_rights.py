"""Creator, credit, copyright and licence stay in pictures of every format, and nothing private stays with them."""

import struct
import zlib
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from folio.media.privacy import Keep
from folio.media.privacy.iptc import datasets, iptc_of, rights_of_iptc
from folio.media.privacy.texts import MAX_TEXT
from folio.media.privacy.xmp import PACKET_SIZE, rights_of_xmp

from .private_files import MARK, assert_nothing_private, chunk, copied, encode, picture, plain_jpeg, scan_of, segment
from .private_files import exif as marked_exif

ARTIST, COPYRIGHT, PHOTOGRAPHER = "Zoe Example", "(c) Example, 2024\0(c) Editor", "P. Example"
SPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "cc": "http://creativecommons.org/ns#",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
}
KEPT = (
    "<dc:creator><rdf:Seq><rdf:li>Zoë &lt;script&gt;alert(1)&lt;/script&gt;</rdf:li><rdf:li>Bo</rdf:li></rdf:Seq>"
    "</dc:creator>"
    '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© Example &amp; Co</rdf:li></rdf:Alt></dc:rights>'
    "<photoshop:Credit>Agency</photoshop:Credit>"
    "<xmpRights:Marked>True</xmpRights:Marked>"
    '<xmpRights:UsageTerms><rdf:Alt><rdf:li xml:lang="fa">اجازه</rdf:li></rdf:Alt></xmpRights:UsageTerms>'
    '<cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/>'
    '<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:LicensorName>Licensor</plus:LicensorName>'
    f"<plus:LicensorEmail>{MARK}@example.org</plus:LicensorEmail>"
    "<plus:LicensorURL>https://example.org/buy</plus:LicensorURL></rdf:li></rdf:Seq></plus:Licensor>"
    '<plus:ImageCreator><rdf:Seq><rdf:li><rdf:Description plus:ImageCreatorName="Zoë"/></rdf:li></rdf:Seq>'
    "</plus:ImageCreator>"
)
PRIVATE = (
    f"<exif:GPSLatitude>{MARK}</exif:GPSLatitude><aux:OwnerName>{MARK}</aux:OwnerName>"
    f"<aux:SerialNumber>{MARK}</aux:SerialNumber><xmpMM:DocumentID>{MARK}</xmpMM:DocumentID>"
    f"<dc:description>{MARK}</dc:description>"
    '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag><rdf:li>'
    f'<rdf:Description mwg-rs:Name="{MARK}" mwg-rs:Type="Face"/></rdf:li></rdf:Bag></mwg-rs:RegionList>'
    "</mwg-rs:Regions>"
    f'<MP:RegionInfo rdf:parseType="Resource"><MP:Regions><rdf:Bag><rdf:li MP:PersonDisplayName="{MARK}"/></rdf:Bag>'
    f"</MP:Regions></MP:RegionInfo>"
    f'<Iptc4xmpCore:CreatorContactInfo Iptc4xmpCore:CiAdrCity="{MARK}"/>'
)


def xmp(elements: str, attributes: str = "") -> bytes:
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in SPACES.items())
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{SPACES["rdf"]}"><rdf:Description rdf:about="" '
        f"{spaces} {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


XMP = xmp(PRIVATE + KEPT + PRIVATE, 'xmpRights:WebStatement="https://example.org/licence"')


def exif() -> Image.Exif:
    """Return EXIF data that tell all there is to tell, each text marked, but those of rights."""
    found = marked_exif()
    found[0x013B], found[0x8298] = ARTIST.encode(), COPYRIGHT.encode()
    found.get_ifd(0x8769)[0xA437] = PHOTOGRAPHER
    return found


def dataset(record: int, number: int, value: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, record, number, len(value)) + value


IPTC_KEPT = (
    dataset(1, 90, b"\x1b%G")
    + dataset(2, 0, b"\0\4")
    + dataset(2, 80, "Zoë".encode())
    + dataset(2, 80, b"Bo")
    + dataset(2, 110, b"Agency")
    + dataset(2, 115, b"Example Ltd")
    + dataset(2, 116, "© Example".encode())
)
IPTC = (
    IPTC_KEPT[:8]
    + b"".join(dataset(2, number, MARK.encode()) for number in (5, 25, 85, 90, 92, 101, 118, 120, 122))
    + IPTC_KEPT[8:]
)


def resources(data: bytes) -> bytes:
    """Return Photoshop's resources with IPTC data between others."""

    def one(kind: int, body: bytes, name: bytes = b"") -> bytes:
        named = (bytes([len(name)]) + name).ljust((len(name) + 2) // 2 * 2, b"\0")
        return b"8BIM" + struct.pack(">H", kind) + named + struct.pack(">I", len(body)) + body + bytes(len(body) % 2)

    return one(0x040C, MARK.encode(), b"thumbnail") + one(0x0404, data) + one(0x0422, MARK.encode())


def jpeg(photoshop: bytes) -> bytes:
    segments = [photoshop[:50], photoshop[50:]]  # as Photoshop splits what is long
    return b"".join(
        (
            b"\xff\xd8",
            segment(0xE1, exif().tobytes()),
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
            segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + MARK.encode()),
            *(segment(0xED, b"Photoshop 3.0\0" + part) for part in segments),
            scan_of(plain_jpeg()),
        )
    )


def png() -> bytes:
    info = PngInfo()
    info.add_text("Author", "Zoe Example")
    info.add_text("Copyright", "(c) Example", zip=True)
    info.add_itxt("Author", "Zoë", "en", "Author", zip=True)
    for keyword in ("Comment", "Source", "Title", "author"):
        info.add_text(keyword, MARK)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return encode(picture(), "PNG", pnginfo=info, exif=exif().tobytes())


def tiff() -> bytes:
    tags = ImageFileDirectory_v2()
    for tag, type, value in (
        (270, 2, MARK), (305, 2, MARK), (271, 2, MARK), (315, 2, ARTIST), (33432, 2, COPYRIGHT),
        (700, 1, XMP), (33723, 7, IPTC), (34377, 7, resources(MARK.encode())),
    ):  # fmt: skip
        tags.tagtype[tag] = type
        tags[tag] = value
    return encode(picture(), "TIFF", tiffinfo=tags)


FILES = {
    "image/jpeg": jpeg(resources(IPTC)),
    "image/png": png(),
    "image/webp": encode(picture(), "WEBP", exif=exif().tobytes(), xmp=XMP),
    "image/tiff": tiff(),
    "image/avif": encode(picture(), "AVIF", exif=exif().tobytes(), xmp=XMP),
}


def packet_of(image: Image.Image) -> bytes:
    found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    return found.encode() if isinstance(found, str) else found or b""


@pytest.mark.parametrize("mime_type", FILES)
def test_rights_stay_and_nothing_private(mime_type: str) -> None:
    clean = copied(FILES[mime_type], mime_type, "rights")

    assert_nothing_private(clean)
    opened = Image.open(BytesIO(clean))
    found = opened.getexif()
    assert texts(found[0x013B]) == [ARTIST]
    assert texts(found[0x8298]) == COPYRIGHT.split("\0")
    assert 0x8825 not in found
    assert set(found) <= {0x0112, 0x011A, 0x011B, 0x0128, 0x013B, 0x8298, 0x8769} or mime_type == "image/tiff"
    if mime_type != "image/tiff":
        assert texts(found.get_ifd(0x8769)[0xA437]) == [PHOTOGRAPHER]
    assert rights(packet_of(opened)) == rights(XMP)
    assert copied(clean, mime_type, "rights") == clean


def texts(value: Any) -> list[str]:
    """Return the texts of an EXIF tag, which Pillow reads as Latin-1."""
    data = value if isinstance(value, bytes) else value.encode("latin-1")
    return [text for text in data.decode().split("\0") if text]


def rights(packet: bytes) -> dict[str, list[str]]:
    """Return the texts and links by the names of the properties that are kept."""
    root = ElementTree.fromstring(packet.strip(b" \0"))
    found: dict[str, list[str]] = {}
    for description in root.iter(f"{{{SPACES['rdf']}}}RDF"):
        for element in description[0]:
            links = [
                value for each in element.iter() for key, value in sorted(each.attrib.items()) if "Type" not in key
            ]
            found[element.tag] = links + [text.strip() for text in element.itertext()]
        found |= {key: [value] for key, value in description[0].attrib.items() if value}
    wanted = {f"{{{SPACES[prefix]}}}{name}" for prefix, name in WANTED}
    return {
        name: sorted(text for text in values if MARK not in text) for name, values in found.items() if name in wanted
    }


WANTED = [
    ("dc", "creator"), ("dc", "rights"), ("photoshop", "Credit"), ("xmpRights", "Marked"), ("xmpRights", "UsageTerms"),
    ("xmpRights", "WebStatement"), ("cc", "license"), ("plus", "Licensor"), ("plus", "ImageCreator"),
]  # fmt: skip


@pytest.mark.parametrize("mime_type", FILES)
def test_without_rights_none_of_it_stays(mime_type: str) -> None:
    clean = copied(FILES[mime_type], mime_type, "none")

    for word in (b"Example", b"Zo", b"Agency", b"xmpmeta", b"8BIM", b"Author", b"Licensor"):
        assert word not in clean


@pytest.mark.parametrize("mime_type", FILES)
def test_all_keeps_the_file_as_it_is(mime_type: str) -> None:
    assert copied(FILES[mime_type] + MARK.encode(), mime_type, "all") == FILES[mime_type] + MARK.encode()


@pytest.mark.parametrize("keep", ["none", "rights"])
def test_exposure_and_camera_go(keep: Keep) -> None:
    data = encode(picture(), "JPEG", exif=exif())
    found = Image.open(BytesIO(copied(data, "image/jpeg", keep))).getexif()
    assert not {0x010F, 0x0110} & set(found)
    assert not {0x829A, 0x829D, 0x8827, 0xA434} & set(found.get_ifd(0x8769))


def test_names_in_utf_8_stay_and_control_characters_go() -> None:
    given = Image.Exif()
    given[0x013B], given[0x8298] = "Zoë\1\x1b ж".encode(), "é".encode() * 3000
    clean = copied(encode(picture(), "JPEG", exif=given), "image/jpeg", "rights")
    assert texts(Image.open(BytesIO(clean)).getexif()[0x013B]) == ["Zoë ж"]
    assert texts(Image.open(BytesIO(clean)).getexif()[0x8298]) == ["é" * (MAX_TEXT // 2)]


def test_a_tiff_and_an_avif_keep_everything_in_its_place() -> None:
    for mime_type in ("image/tiff", "image/avif"):
        data = FILES[mime_type]
        clean = copied(data, mime_type, "rights")
        assert len(clean) == len(data)
        with Image.open(BytesIO(clean)) as after, Image.open(BytesIO(data)) as before:
            assert after.tobytes() == before.tobytes()


def test_the_texts_of_a_png_stay() -> None:
    clean = copied(FILES["image/png"], "image/png", "rights")

    assert chunk(b"tEXt", b"Author\0Zoe Example") in clean
    assert chunk(b"tEXt", b"Copyright\0(c) Example") in clean
    assert chunk(b"iTXt", b"Author\0\0\0\0\0" + "Zoë".encode()) in clean
    assert clean.index(b"XML:com.adobe.xmp") < clean.index(b"IDAT")


def test_a_damaged_text_of_a_png_goes() -> None:
    data = encode(picture(), "PNG")
    texts = chunk(b"zTXt", b"Author\0\0no zlib") + chunk(b"tEXt", b"Author") + chunk(b"iTXt", b"Copyright\0\1")
    bomb = chunk(b"zTXt", b"Author\0\0" + zlib.compress(b"x" * 10_000_000))
    clean = copied(data[:33] + texts + bomb + data[33:], "image/png", "rights")

    assert clean == data[:33] + chunk(b"tEXt", b"Author\0" + b"x" * MAX_TEXT) + data[33:]


# IPTC


def test_iptc_keeps_what_is_about_rights() -> None:
    clean = copied(FILES["image/jpeg"], "image/jpeg", "rights")
    start = clean.index(b"Photoshop 3.0\0")
    assert iptc_of(clean[start + 14 :]) == IPTC_KEPT
    assert clean.count(b"8BIM") == 1


def test_the_character_set_of_iptc_stays() -> None:
    other = b"\x1b.A"  # ISO 8859-1
    data = dataset(1, 90, other) + dataset(2, 80, "Zoë".encode("latin-1"))
    assert rights_of_iptc(data) == dataset(1, 90, other) + dataset(2, 0, b"\0\4") + data[len(dataset(1, 90, other)) :]
    assert rights_of_iptc(dataset(2, 80, "Zoë".encode("latin-1"))).endswith("Zoë".encode("latin-1"))
    assert dict(datasets(rights_of_iptc(dataset(1, 90, MARK.encode()) + dataset(2, 80, b"Bo")))) == {
        (2, 0): b"\0\4",
        (2, 80): b"Bo",
    }


def test_long_and_damaged_iptc_is_kept_as_far_as_it_can_be_read() -> None:
    long = struct.pack(">BBBHI", 0x1C, 2, 116, 0x8004, 5000) + b"x" * 5000
    assert dict(datasets(rights_of_iptc(long)))[2, 116] == b"x" * MAX_TEXT
    assert rights_of_iptc(dataset(2, 80, b"Bo") + dataset(2, 116, b"cut off")[:-2]).endswith(dataset(2, 80, b"Bo"))
    assert rights_of_iptc(dataset(2, 80, b"\0\1 \2")) == b""
    for size in range(len(IPTC)):
        assert_nothing_private(rights_of_iptc(IPTC[:size]))
        assert_nothing_private(rights_of_iptc(iptc_of(resources(IPTC)[:size])))


# XMP


def test_hostile_markup_in_a_name_stays_a_text() -> None:
    written = rights_of_xmp(XMP)
    assert b"<script" not in written
    assert "Zoë <script>alert(1)</script>" in [element.text for element in ElementTree.fromstring(written).iter()]
    quoted = rights_of_xmp(xmp("", 'photoshop:Credit="&quot; x=&quot;\'&lt;/x&gt;&#10;&#13;" cc:attributionName="a"'))
    (description,) = ElementTree.fromstring(quoted).iter(f"{{{SPACES['rdf']}}}Description")
    assert description.attrib[f"{{{SPACES['photoshop']}}}Credit"] == '" x="\'</x>'
    assert len(description.attrib) == 3


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "JavaScript:x", "data:text/html,x", "https://a b", "file:///x"]
)
def test_a_link_that_is_none_goes(link: str) -> None:
    attributes = f'xmpRights:WebStatement="{link}"'
    assert rights_of_xmp(xmp(f'<cc:license rdf:resource="{link}"/>', attributes)) == b""


@pytest.mark.parametrize(
    "packet",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + XMP,
        b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'>" + XMP,
        XMP.replace(b"<dc:description>", b"<dc:description>" + b"<a>" * 50).replace(
            b"</dc:description>", b"</a>" * 50 + b"</dc:description>"
        ),
        xmp(KEPT + "<dc:title/>" * 30_000),
        xmp(KEPT + " " * 1_100_000),
        XMP[:-20],
        XMP.replace(b'xmlns:dc="', b'xmlns:no="'),
        b"",
        b"\xff\xfe<",
        b'<?xml version="1.0" encoding="nonsense"?>' + XMP,
    ],
    ids=["entity", "doctype", "deep", "wide", "long", "cut off", "unbound", "empty", "no text", "encoding"],
)
def test_xmp_that_cannot_be_trusted_goes_wholly(packet: bytes) -> None:
    assert rights_of_xmp(packet) == b""


def test_xmp_in_utf_16_is_read() -> None:
    assert rights_of_xmp(XMP.decode().encode("utf-16")) == rights_of_xmp(XMP)


def test_values_are_bounded() -> None:
    written = rights_of_xmp(xmp(f"<photoshop:Credit>{'x' * 5000}</photoshop:Credit>"))
    assert written.count(b"x" * MAX_TEXT + b'"') == 1
    names = "".join(f"<rdf:li>{'é' * 4000}{number}</rdf:li>" for number in range(200))
    many = rights_of_xmp(
        xmp(f"<photoshop:Credit>Agency</photoshop:Credit><dc:creator><rdf:Bag>{names}</rdf:Bag></dc:creator>")
    )
    assert len(many) <= PACKET_SIZE


def test_a_packet_fits_in_the_room_that_there_is() -> None:
    whole = rights_of_xmp(XMP)
    assert whole.startswith(b"<?xpacket")
    for room in range(0, len(whole) + 1, 7):
        written = rights_of_xmp(XMP, room)
        assert len(written) <= room
        assert not written or ElementTree.fromstring(written) is not None
    small = xmp("", 'dc:creator="Z"')
    assert b'dc:creator="Z"' in rights_of_xmp(small, len(small))
