"""Pictures of kinds that browsers don't show, told from those that are damaged; no pixel is decoded."""

import struct
from collections.abc import Iterator
from typing import IO

from .privacy.directories import Entry, Tiff
from .privacy.jpeg import SOS, next_segment
from .privacy.original import Original, UnreadableStructure
from .refusals import gettext_noop

UNSHOWN = gettext_noop(
    "The image is of a kind that browsers don't show: %(kind)s. Export it as JPEG, PNG, WebP or AVIF and send that."
)
RAW = "camera raw"
CR2 = f"{RAW} (CR2)"  # a TIFF with a picture in front
# What a file begins with, from an offset on. Those of which anything else could begin so are left out.
SIGNATURES = (
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"II\xbc\0", "JPEG XR"),
    (0, b"II\xbc\x01", "JPEG XR"),
    (0, b"8BPS\0\1", "Photoshop (PSD)"),
    (0, b"8BPS\0\2", "Photoshop (PSB)"),
    (0, b"gimp xcf", "GIMP (XCF)"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"#?RGBE", "Radiance HDR"),
    (0, b"DDS \x7c\0\0\0", "DDS"),
    (0, b"qoif\0", "QOI"),
    (0, b"BPG\xfb", "BPG"),
    (0, b"SDPX\0", "DPX"),
    (0, b"XPDS", "DPX"),
    (0, b"FUJIFILMCCD-RAW", f"{RAW} (RAF)"),
    (0, b"IIU\0", f"{RAW} (RW2)"),
    (0, b"IIRO", f"{RAW} (ORF)"),
    (0, b"IIRS", f"{RAW} (ORF)"),
    (0, b"MMOR", f"{RAW} (ORF)"),
    (0, b"FOVb", f"{RAW} (X3F)"),
    (0, b"\0MRM", f"{RAW} (MRW)"),
    (4, b"ftypcrx ", f"{RAW} (CR3)"),
    (6, b"HEAPCCDR", f"{RAW} (CRW)"),
    (8, b"CR\2", CR2),
)
SIGNATURE_SIZE = max(offset + len(signature) for offset, signature, _ in SIGNATURES)
TARGA_END = b"TRUEVISION-XFILE.\0"  # of Targa, which begins like anything

SHOWN_FRAMES = {0xC0, 0xC1, 0xC2}  # of JPEG: baseline, extended, progressive; of 8 bits, by Huffman codes
FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
LOSSLESS, JPEG_LS = {0xC3, 0xC7, 0xCB, 0xCF}, 0xF7
ARITHMETIC = range(0xC9, 0xD0)

WIDTH, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, SAMPLE_FORMAT = 256, 258, 259, 262, 277, 339
NEW_SUBFILE_TYPE, DNG_VERSION = 254, 50706
USUAL_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34925, 50000}
COMPRESSIONS = {
    6: "JPEG as of old",
    34661: "JBIG",
    34676: "LogLuv",
    34677: "LogLuv",
    34712: "JPEG 2000",
    34887: "LERC",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
USUAL_COLOURS = {0, 1, 2, 3, 4, 5, 6, 8}
COLOURS = {9: "ICC L*a*b*", 10: "ITU L*a*b*", 32844: "LogLuv", 32845: "LogLuv"}
MOSAICS = {32803, 34892}  # a sensor's values, of which raw converters make colours
UNSIGNED, FLOATING = 1, 3


def unshown_kind(file: IO[bytes]) -> str:
    """Return the name of the kind that a file's first bytes, or its last, are the mark of; or nothing."""
    file.seek(0)
    head = file.read(SIGNATURE_SIZE)
    for offset, signature, kind in SIGNATURES:
        if head.startswith(signature, offset):
            return kind
    size = file.seek(0, 2) or file.tell()  # what Django opens tells no size as it seeks
    file.seek(max(0, size - len(TARGA_END)))
    return "Targa (TGA)" if file.read(len(TARGA_END)) == TARGA_END else ""


def unshown_jpeg(file: IO[bytes]) -> str:
    """Return in which unusual way a JPEG is coded, or nothing where it is as browsers show it or no JPEG at all."""
    original = Original(file)
    if original.peek(0, 2) != b"\xff\xd8":
        return ""
    try:
        place = 2
        while (segment := next_segment(original, place, FRAMES | {SOS})) and segment.marker != SOS:
            if segment.marker in FRAMES:
                return kind_of_frame(segment.marker, original.peek(segment.body, 1))
            place = segment.end
    except UnreadableStructure:  # for those who read it to say
        pass
    return ""


def kind_of_frame(marker: int, precision: bytes) -> str:
    if marker == JPEG_LS:
        return "JPEG-LS"
    if marker in LOSSLESS:
        return "lossless JPEG"
    if marker in ARITHMETIC:
        return "JPEG, arithmetic-coded"
    if marker not in SHOWN_FRAMES:
        return "JPEG, hierarchical"
    return "" if precision in (b"\x08", b"") else f"JPEG of {precision[0]} bits"


def unshown_tiff(file: IO[bytes]) -> str:
    """Return what is unusual about a TIFF that can't be decoded, or nothing where it can only be damaged."""
    original = Original(file)
    try:
        tiff = Tiff(original, 0, original.size)
        found = {entry.tag: entry for entry in tiff.directory(tiff.first)[0]}
        return kind_of_directory(tiff, found)
    except (UnreadableStructure, struct.error, StopIteration):
        return ""


def kind_of_directory(tiff: Tiff, found: dict[int, Entry]) -> str:
    compression = tiff.number(found.get(COMPRESSION), 1)
    colours = tiff.number(found.get(PHOTOMETRIC))
    if DNG_VERSION in found or colours in MOSAICS or tiff.number(found.get(NEW_SUBFILE_TYPE)) == 1:
        return RAW
    if compression not in USUAL_COMPRESSIONS:
        return f"TIFF ({COMPRESSIONS.get(compression, f'compression {compression}')})"
    if colours not in USUAL_COLOURS:
        return f"TIFF ({COLOURS.get(colours, f'colours {colours}')})"
    bits = set(first_numbers(tiff, found.get(BITS))) or {1}
    formats = set(first_numbers(tiff, found.get(SAMPLE_FORMAT))) or {UNSIGNED}
    if FLOATING in formats:
        return "TIFF (floating-point numbers)"
    if formats != {UNSIGNED}:
        return "TIFF (signed numbers)"
    if not bits <= {1, 2, 4, 8} or len(bits) > 1:
        return f"TIFF ({', '.join(map(str, sorted(bits)))} bits)"
    return ""


def first_numbers(tiff: Tiff, entry: Entry | None) -> Iterator[int]:
    """Yield the numbers of a tag that has one for each of an image's channels."""
    if entry and entry.count <= 16:
        yield from tiff.numbers(entry)
