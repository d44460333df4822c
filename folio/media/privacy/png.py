"""PNG: chunks."""

import struct
import zlib
from collections.abc import Iterator
from typing import IO

from .exif import EXIF_PREFIX, Exif
from .original import Original, UnreadableStructure
from .texts import MAX_TEXT, tidy
from .xmp import XMP_SIZE, rights_of_xmp

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"pHYs", b"bKGD", b"hIST", b"sBIT"),
    *(b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"cICP", b"mDCV", b"mDCv", b"cLLI", b"cLLi", b"oFFs"),
}
XMP_IN_PNG = b"XML:com.adobe.xmp\0\0\0"  # not compressed, as XMP is to be
NOT_COMPRESSED = b"\0\0\0"
NO_LANGUAGES = b"\0\0"  # neither of it nor of its keyword's translation
TEXT_CHUNKS = {b"tEXt", b"zTXt", b"iTXt"}
RIGHTS_KEYWORDS = {b"Author", b"Copyright"}
MAX_TEXTS = 16
TEXT_SIZE = 64 * 1024  # bytes of a chunk that are read for a text


def clean_png(original: Original, target: IO[bytes], rights: bool) -> None:
    """Copy the known chunks up to the last; EXIF data and XMP go before the pixels, where browsers look for them."""
    if original.read(0, 8) != PNG_SIGNATURE:
        raise UnreadableStructure
    target.write(PNG_SIGNATURE)
    exif, xmp, texts, before = Exif(), b"", 0, b""
    written: set[bytes] = set()
    for kind, body, size in png_chunks(original):
        if kind == b"eXIf" and not exif.main and not exif.photograph:
            exif = Exif.read(original, body, body + size, rights)
            if original.read(body, min(size, len(EXIF_PREFIX))) == EXIF_PREFIX:  # where browsers look no further
                exif = exif.without_orientation()
        elif kind == b"iTXt" and original.peek(body, min(size, len(XMP_IN_PNG))) == XMP_IN_PNG:
            xmp = original.read(body, min(size, XMP_SIZE))
        elif kind in TEXT_CHUNKS and rights and texts < MAX_TEXTS:
            texts += write_text(target, kind, original.read(body, min(size, TEXT_SIZE)))
        if kind in (b"IDAT", b"IEND") and kind != before:  # what comes late is written at the end
            written |= write_beside(target, exif.write(), xmp if rights else b"", written)
        if kind in PNG_CHUNKS:
            original.copy(body - 8, 12 + size, target)
            before = kind


def png_chunks(original: Original) -> Iterator[tuple[bytes, int, int]]:
    """Yield the chunks' names, and where their bodies lie, up to the last one."""
    place, kind = 8, b""
    while place + 12 <= original.size and kind != b"IEND":
        size, kind = struct.unpack(">I4s", original.read(place, 8))
        if place + 12 + size > original.size:
            raise UnreadableStructure
        yield kind, place + 8, size
        place += 12 + size


def write_beside(target: IO[bytes], exif: bytes, xmp: bytes, written: set[bytes]) -> set[bytes]:
    """Write EXIF data and XMP that aren't `written` yet, and return the names of the chunks that are then."""
    given = b"" if b"iTXt" in written else xmp[len(XMP_IN_PNG) :].partition(b"\0")[2].partition(b"\0")[2]
    packet = rights_of_xmp(given) if given else b""
    chunks = {b"eXIf": exif, b"iTXt": XMP_IN_PNG + NO_LANGUAGES + packet if packet else b""}
    return {kind for kind, body in chunks.items() if kind not in written and write_chunk(target, kind, body)}


def write_chunk(target: IO[bytes], kind: bytes, body: bytes) -> bool:
    """Write a chunk, unless it would be empty; tell whether it is written."""
    if body:
        target.write(struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body)))
    return bool(body)


def write_text(target: IO[bytes], kind: bytes, body: bytes) -> bool:
    """Write a chunk of text if it names an author or tells whose the picture is; tell whether it is written."""
    keyword, _, text = body.partition(b"\0")
    if keyword not in RIGHTS_KEYWORDS:
        return False
    if kind == b"iTXt":  # the one in UTF-8: whether it is compressed, how, in which language, the keyword in it
        is_compressed, text = text[:1] == b"\1", text[2:].partition(b"\0")[2].partition(b"\0")[2]
        text = tidy((inflated(text) if is_compressed else text).decode(errors="ignore").encode())
        return bool(text) and write_chunk(target, kind, keyword + NOT_COMPRESSED + NO_LANGUAGES + text)
    text = tidy(inflated(text[1:]) if kind == b"zTXt" else text)
    return bool(text) and write_chunk(target, b"tEXt", keyword + b"\0" + text)


def inflated(text: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(text, 2 * MAX_TEXT)
    except zlib.error:
        return b""
