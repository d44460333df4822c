"""Whether a file is SVG, told by its first kilobytes; nothing is parsed."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import IO

START_SIZE = 64 * 1024  # bytes in which the first element has to begin; a licence in a comment may stand before it

SKIPPED = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->)", re.DOTALL)
BEGINS = re.compile(r"\s*<(?:!DOCTYPE\s+)?(?:[\w.-]+:)?svg(?=[\s/>\[])")


def is_svg(file: IO[bytes]) -> bool:
    file.seek(0)
    return may_be_svg(file.read(START_SIZE))


def may_be_svg(start: bytes) -> bool:
    """Tell whether a file that begins with these bytes has `svg` as its first element, or says so in a DOCTYPE."""
    text = decoded(start)
    place = 0
    while skipped := SKIPPED.match(text, place):
        place = skipped.end()
    return BEGINS.match(text, place) is not None


def decoded(start: bytes) -> str:
    """Return the start of an XML document as text: of other encodings than Unicode's, names are the same in ASCII."""
    if start.startswith((BOM_UTF16_LE, b"<\0")):
        return start.decode("utf-16-le", "ignore").lstrip("\ufeff")
    if start.startswith((BOM_UTF16_BE, b"\0<")):
        return start.decode("utf-16-be", "ignore").lstrip("\ufeff")
    return start.removeprefix(BOM_UTF8).decode("latin-1")
