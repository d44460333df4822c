"""Every way in which a picture says how it is to be turned, those too that no browser heeds."""

import struct
import zlib
from typing import Any

from PIL import Image

from .coloured_images import encode, quadrants
from .crafted import chunk

INVERSE = {Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90}
PREFIX = b"Exif\0\0"
TYPES = {1: "B3x", 3: "H2x", 4: "I"}  # byte, short, long
TURNS = {  # what makes an image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Return the image as a camera held otherwise would have stored it."""
    turn = TURNS.get(orientation)
    return image if turn is None else image.transpose(INVERSE.get(turn, turn))


def exif(orientation: int, kind: int = 3, order: str = "<", tag: int = 274) -> bytes:
    """Return EXIF data of one tag, of the type 1 (byte), 3 (short) or 4 (long)."""
    mark = b"II" if order == "<" else b"MM"
    head = struct.pack(f"{order}HI", 42, 8) + struct.pack(f"{order}HHHI", 1, tag, kind, 1)
    return mark + head + struct.pack(order + TYPES[kind], orientation) + bytes(4)


def xmp(orientation: int) -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/>'
        b"</rdf:RDF></x:xmpmeta>" % orientation
    )


def stored(orientation: int, format: str, **options: Any) -> bytes:
    if format not in ("GIF", "TIFF"):
        options["quality"] = 95
    return encode(turned(quadrants().convert("RGB"), orientation), format, **options).getvalue()


def jpeg(orientation: int, *bodies: bytes) -> bytes:
    content = stored(orientation, "JPEG")
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body for body in bodies)
    return content[:2] + segments + content[2:]


def png(orientation: int, kind: bytes, body: bytes, before: bytes = b"IDAT") -> bytes:
    content = stored(orientation, "PNG")
    place = content.index(before) - 4
    return content[:place] + chunk(kind, body) + content[place:]


def gif_with_xmp(orientation: int) -> bytes:
    block = b"\x21\xff\x0bXMP DataXMP" + xmp(orientation) + b"\1" + bytes(range(255, -1, -1)) + b"\0"
    return stored(orientation, "GIF")[:-1] + block + b";"


def avif_with_exif_alone(orientation: int) -> bytes:
    """Return an AVIF whose EXIF data tell an orientation, and whose boxes none."""
    other = 0x0110  # a tag of no meaning, so that Pillow's encoder does not make boxes of it
    content = stored(orientation, "AVIF", exif=exif(orientation, tag=other))
    data = exif(orientation, tag=other)
    assert content.count(data) == 1
    return content.replace(data, exif(orientation))


def raw_profile(orientation: int) -> bytes:
    """Return EXIF data as ImageMagick puts them into a PNG."""
    data = PREFIX + exif(orientation)
    return b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n%8d\n%s\n" % (len(data), data.hex().encode()))


def said_in_every_way(orientation: int) -> dict[str, bytes]:
    """Return pictures that say their orientation, each in another way; what they are stored as is turned by it."""
    data, big = exif(orientation), exif(orientation, order=">")
    return {
        "JPEG, EXIF": jpeg(orientation, PREFIX + data),
        "JPEG, EXIF of the other byte order": jpeg(orientation, PREFIX + big),
        "JPEG, EXIF twice": jpeg(orientation, PREFIX + data, PREFIX + exif(1)),
        "JPEG, EXIF behind XMP that says otherwise": jpeg(
            orientation, b"http://ns.adobe.com/xap/1.0/\0" + xmp(1), PREFIX + data
        ),
        "PNG, eXIf": png(orientation, b"eXIf", data),
        "PNG, eXIf of the other byte order": png(orientation, b"eXIf", big),
        "AVIF, irot and imir": stored(orientation, "AVIF", exif=PREFIX + data),
    }


def said_in_vain(orientation: int) -> dict[str, bytes]:
    """Return pictures that say their orientation in ways that browsers don't heed."""
    data, text = exif(orientation), xmp(orientation)
    return {
        "JPEG, EXIF as a long number": jpeg(orientation, PREFIX + exif(orientation, 4)),
        "JPEG, EXIF as a byte": jpeg(orientation, PREFIX + exif(orientation, 1)),
        "JPEG, EXIF behind other EXIF": jpeg(orientation, PREFIX + exif(1), PREFIX + data),
        "JPEG, XMP": jpeg(orientation, b"http://ns.adobe.com/xap/1.0/\0" + text),
        "PNG, eXIf behind the pixels": png(orientation, b"eXIf", data, before=b"IEND"),
        "PNG, eXIf with the prefix of JPEG": png(orientation, b"eXIf", PREFIX + data),
        "PNG, XMP": png(orientation, b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text),
        "PNG, EXIF as a text": png(orientation, b"zTXt", raw_profile(orientation)),
        "WebP, EXIF": stored(orientation, "WEBP", exif=PREFIX + data),
        "WebP, EXIF without a prefix": stored(orientation, "WEBP", exif=data),
        "WebP, XMP": stored(orientation, "WEBP", xmp=text),
        "AVIF, EXIF": avif_with_exif_alone(orientation),
        "AVIF, XMP": stored(orientation, "AVIF", xmp=text),
        "GIF, XMP": gif_with_xmp(orientation),
    }
