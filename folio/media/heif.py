"""HEIC and HEIF, as phones and cameras write them, made into JPEG, which every browser shows.

libheif reads them. It is loaded when the first one comes, and only decoders call this. What is made of the same bytes
is the same each time, so that a file that comes again is recognised by what is stored of it.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import IO, Any

from PIL import ExifTags, Image

from . import colours
from .opening import UnreadableImage, check_pixels, refuse_unshown, unreadable
from .pixels import Size, in_eight_bits
from .privacy.boxes import Box, Part, boxes, find, item_parts
from .privacy.directories import EXIF_DIRECTORY, INTEGERS, LONG, ORIENTATION, SHORT, Tiff
from .privacy.original import Original, UnreadableStructure
from .refusals import DAMAGED

THREADS = 2  # each takes memory of its own
HEVC, DERIVED, AVIF = {b"hvc1", b"hev1"}, {b"grid", b"iovl", b"iden"}, b"av01"
# Measured on four photographs: of the qualities 85, 90, 92 and 95, 92 is the first at which every one of them loses
# less by becoming a JPEG than it had lost by becoming HEIC. Colours at half resolution lose 2 to 5 dB more, and need
# quality 95, and as many bytes, for that. See docs/decisions/0043.
SAVE_OPTIONS: dict[str, Any] = {"quality": 92, "subsampling": "4:4:4"}
SEGMENT_SIZE = 65533  # bytes of a JPEG's segment
EXIF_START, XMP_START_SIZE = b"Exif\0\0", 29
EXIF_WIDTH, EXIF_HEIGHT = ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight
XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|>))\s*[2-8]""")
SPACES = {"L": b"GRAY", "RGB": b"RGB "}  # of ICC profiles, by mode


def as_jpeg(file: IO[bytes], max_pixels: int) -> BytesIO | None:
    """Return the primary picture of a HEIC as JPEG, upright; None of a file that is none, AVIF among them.

    It has the EXIF data, XMP and colours of the original. What is transparent becomes white; depth, gain map,
    thumbnails and other pictures stay behind. Raises TooManyPixels, or UnreadableImage where it can't be decoded.
    """
    coding = coding_of(file)
    if coding in (b"", AVIF):
        return None
    if coding not in HEVC:
        refuse_unshown(f"HEIF ({coding.decode('ascii', 'replace').strip()})")
    image, described = decoded(file, max_pixels)
    image, profile = coloured(on_white(image), described)
    image.info = {}
    exif, xmp = kept_exif(described.get("exif") or b"", image.size), kept_xmp(described.get("xmp") or b"")
    jpeg = BytesIO()
    image.save(jpeg, "JPEG", exif=exif, xmp=xmp, icc_profile=profile, **SAVE_OPTIONS)
    return jpeg


def coding_of(file: IO[bytes]) -> bytes:
    """Return how a HEIF's primary picture is coded, in four letters, or nothing where there is none in the file.

    One that is put together of others is coded as they are. Raises UnreadableImage where a coded picture is cut off:
    libheif leaves a tile that is missing black.
    """
    original = Original(file)
    if original.peek(4, 4) != b"ftyp":
        return b""
    try:
        meta = next((box for box in boxes(original, 0, original.size, {b"mdat"}) if box.kind == b"meta"), None)
        if meta is None:
            return b""
        meta = replace(meta, body=meta.body + 4)  # behind version and flags
        pitm, iinf, iloc = (find(original, meta, kind) for kind in (b"pitm", b"iinf", b"iloc"))
        if not (pitm and iinf and iloc):
            return b""
        is_long = original.read(pitm.body, 1) != b"\0"
        primary = int.from_bytes(original.read(pitm.body + 4, 4 if is_long else 2))
        types = dict(item_types(original, iinf))
        if any(types.get(item) in HEVC and is_cut_off(original, parts) for item, parts in item_parts(original, iloc)):
            raise UnreadableImage(DAMAGED)
    except UnreadableStructure:
        return b""
    coding = types.get(primary, b"")
    if coding not in DERIVED:
        return coding
    return next((each for each in types.values() if each in HEVC or each == AVIF), coding)


def is_cut_off(original: Original, parts: list[Part]) -> bool:
    """Tell whether a coded picture reaches beyond the file, or zeros stand in its place: neither end of it is zero."""
    if not parts or any(part.method == 0 and part.start + part.size > original.size for part in parts):
        return True
    first, last = parts[0], parts[-1]
    if first.method or last.method:
        return False
    return not (
        original.read(first.start, min(first.size, 4)).strip(b"\0")
        and original.read(last.start + last.size - 1, 1).strip(b"\0")
    )


def item_types(original: Original, iinf: Box) -> Iterator[tuple[int, bytes]]:
    """Yield the items' ids and types."""
    is_short = original.read(iinf.body, 1) == b"\0"
    for box in boxes(original, iinf.body + (6 if is_short else 8), iinf.end):
        if box.kind == b"infe":
            width = 4 if original.read(box.body, 1)[0] > 2 else 2
            place = box.body + 4
            yield int.from_bytes(original.read(place, width)), original.read(place + width + 2, 4)


def decoded(file: IO[bytes], max_pixels: int) -> tuple[Image.Image, dict[str, Any]]:
    """Return the primary picture in 8 bits, turned and mirrored as the file says, and what else is told of it."""
    import pillow_heif  # it and libheif take room, which a decoder without a HEIC does without

    options = pillow_heif.options
    options.DISABLE_SECURITY_LIMITS = False  # libheif's own, of boxes, items and memory
    options.DECODE_THREADS = THREADS
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    size: Size | None = None
    try:
        opened = pillow_heif.open_heif(file)
        found = opened[opened.primary_index]
        if not found.info.get("primary"):
            raise ValueError("The primary picture can't be read.")
        described: dict[str, Any] = dict(found.info)
        size = found.size
        check_pixels(size, max_pixels)
        if found.mode.startswith("I;16"):
            return in_eight_bits_of(found.to_pillow(), int(described["bit_depth"])), described
        if ";" in found.mode:
            refuse_unshown(f"HEIF ({found.mode})")
        return in_eight_bits(found.to_pillow()), described
    except (MemoryError, UnreadableImage):
        raise
    except Exception as error:  # libheif's reasons come as whatever pillow-heif takes them for
        raise failure(error, size) from error


def in_eight_bits_of(image: Image.Image, depth: int) -> Image.Image:
    """Return gray of 10 or 12 bits in 8; libheif makes 16 of them by zeros behind, and their white is no white then."""
    white = (1 << 16) - (1 << 16 - depth)
    return image.convert("I").point([min(255, round(255 * value / white)) for value in range(1 << 16)], "L")


def failure(error: Exception, size: Size | None) -> UnreadableImage:
    """Return why libheif can't decode a picture; raise MemoryError where that was why."""
    text = str(error)
    if "emory" in text or "ecurity limit" in text:
        raise MemoryError from error
    if "Unsupported" in text:
        refuse_unshown("HEIF")
    return unreadable(error, size)


def on_white(image: Image.Image) -> Image.Image:
    """Return an image without its alpha, on the white that most pages have."""
    if "A" not in image.mode:
        return image
    ground = Image.new(image.mode.replace("A", ""), image.size, "white")
    ground.paste(image.convert(ground.mode), mask=image.getchannel("A"))
    return ground


def coloured(image: Image.Image, described: dict[str, Any]) -> colours.Coloured:
    """Return an image with its colour profile, or with one that says what the numbers of H.273 do; HDR in sRGB."""
    profile = described.get("icc_profile")
    if isinstance(profile, bytes) and profile[16:20] == SPACES[image.mode]:
        return colours.Coloured(image, profile)
    numbers = described.get("nclx_profile")
    if profile or not numbers:
        return colours.Coloured(image, None)
    light = described.get("content_light_level") or {}
    description = colours.of_numbers(
        numbers["color_primaries"],
        numbers["transfer_characteristics"],
        peak=light.get("max_content_light_level") or colours.PEAK,
    )
    return colours.settled(image, description) if description else colours.Coloured(image, None)


def kept_exif(exif: bytes, size: Size) -> bytes:
    """Return EXIF data that fit a JPEG and its upright picture of that size, or nothing where they can't be read.

    Where they are too long for a JPEG they go without the camera's own notes and the preview.
    """
    data = bytearray(exif.removeprefix(EXIF_START))
    original = Original(BytesIO(data))
    values = {ORIENTATION: 1, EXIF_WIDTH: size[0], EXIF_HEIGHT: size[1]}
    try:
        tiff = Tiff(original, 0, original.size)
        pointer = tiff.pointer(tiff.first, EXIF_DIRECTORY)
        for place in [tiff.first, *([tiff.number(pointer)] if pointer else [])]:
            for entry in tiff.directory(place)[0]:
                if entry.tag in values and entry.type in (SHORT, LONG) and entry.count == 1:
                    struct.pack_into(tiff.order + INTEGERS[entry.type], data, entry.start, values[entry.tag])
    except (UnreadableStructure, struct.error):
        return b""
    kept = EXIF_START + data
    return kept if len(kept) <= SEGMENT_SIZE else shortened(kept)


def shortened(exif: bytes) -> bytes:
    found = Image.Exif()
    try:
        found.load(exif)
        found.get_ifd(ExifTags.IFD.Exif).pop(ExifTags.Base.MakerNote, None)
        kept = found.tobytes()
    except Exception:  # Pillow raises whatever damaged data make it trip over
        return b""
    return kept if len(kept) <= SEGMENT_SIZE else b""


def kept_xmp(xmp: bytes) -> bytes:
    """Return XMP that fits a JPEG and its upright picture, or nothing where it is too long."""
    kept = XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
    return kept if len(kept) <= SEGMENT_SIZE - XMP_START_SIZE else b""
