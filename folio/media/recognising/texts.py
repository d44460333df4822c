"""Texts, and what a browser or a server would rather run than read."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import re

from django.core.files import File

MARKUP_SIZE = 1024  # bytes at the start of a text in which a browser that guesses would look for HTML, roughly
MARKUP = re.compile(rb"<(?:!doctype|\?|%|(?:html|head|body|svg|script|iframe)\b)", re.IGNORECASE)


def is_markup(file: File[bytes], end: bytes = b"") -> bool:
    """Tell whether what libmagic finds harmless begins, before `end`, like HTML, SVG or a script between tags."""
    file.seek(0)
    start = file.read(2 * MARKUP_SIZE).replace(b"\0", b"")  # of UTF-16, whose marks aren't markup either
    if end:
        start = start.partition(end)[0]
    text = start.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\f\v")
    return text.startswith(b"<") or MARKUP.search(text, 0, MARKUP_SIZE) is not None
