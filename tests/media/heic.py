"""Photographs as phones write them, by the encoder that comes with pillow-heif."""

import io
from typing import Any

import pillow_heif
from PIL import Image

from .coloured_images import quadrants

QUICK = {"preset": "ultrafast"}


def heic(image: Image.Image | None = None, **options: Any) -> bytes:
    """Return an image as HEIC. With an orientation in `exif` it is stored unturned and told to be turned, as by phones.

    `tile_size` makes it of tiles; `color_primaries`, `transfer_characteristic` and `matrix_coefficients` are nclx's.
    """
    image = image or quadrants().convert("RGB")
    return saved(image.mode, image.size, image.tobytes(), **options)


def deep(image: Image.Image, **options: Any) -> bytes:
    """Return an RGB or L image as HEIC of 10 bits."""
    data = b"".join(bytes((value, value)) for value in image.tobytes())
    return saved(f"{image.mode};16", image.size, data, **options)


def saved(mode: str, size: tuple[int, int], data: bytes, **options: Any) -> bytes:
    opened = pillow_heif.HeifFile()
    opened.add_frombytes(mode, size, data)
    file = io.BytesIO()
    opened.save(file, **{"quality": 95, "enc_params": QUICK, **options})
    return file.getvalue()


def several(*images: Image.Image, primary: int) -> bytes:
    opened = pillow_heif.HeifFile()
    for image in images:
        opened.add_from_pillow(image)
    file = io.BytesIO()
    opened.save(file, quality=95, enc_params=QUICK, primary_index=primary)
    return file.getvalue()


def branded(content: bytes, brand: bytes) -> bytes:
    """Return a HEIF that says to be of another major brand."""
    return content[:8] + brand + content[12:]


def recoded(content: bytes, coding: bytes) -> bytes:
    """Return a HEIF whose pictures say to be coded in another way."""
    return content.replace(b"hvc1", coding)


def exif(orientation: int = 1, position: bool = False) -> bytes:
    """Return EXIF data with an orientation, the size of the unturned picture, a creator, and perhaps a position."""
    made = Image.Exif()
    made[0x0112], made[0x013B] = orientation, "Ada Pell"
    made.get_ifd(0x8769).update({0xA002: 240, 0xA003: 160, 0xA431: "SERIAL-0815"})
    if position:
        made.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 33.0), 3: "E", 4: (8.0, 32.0, 11.0)})
    return made.tobytes()


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"'
    b' xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="47,22.55N"/></rdf:RDF></x:xmpmeta>'
)
