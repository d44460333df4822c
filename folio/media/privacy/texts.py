"""Texts that are kept of a file: who made the picture, and who may use it how."""

import re

MAX_TEXT = 4_000  # bytes of a text, or characters in XMP; what is longer is cut off
CONTROLS = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")


def tidy(text: bytes) -> bytes:
    """Return a text as far as it is kept: without control characters and no longer than `MAX_TEXT`.

    Its encoding may be any that holds ASCII; one in UTF-8 is not cut within a character.
    """
    text = CONTROLS.sub(b"", text).strip()
    if len(text) <= MAX_TEXT:
        return text
    cut = text[:MAX_TEXT]
    try:
        text.decode()
    except UnicodeDecodeError:
        return cut.strip()
    return cut.decode(errors="ignore").encode().strip()
