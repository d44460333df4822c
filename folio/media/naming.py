"""What an upload is called: by people, and on the disk."""

import os
import re
import unicodedata
from pathlib import PurePosixPath

from django.utils.crypto import get_random_string

from folio.api.columns import shows_something
from folio.api.texts import normal

from .kinds import FileKind

STEM_SIZE = 150  # bytes of NAME; whatever is put around it, the 255 of file systems and columns are enough
BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
WINDOWS_DEVICE = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])", re.IGNORECASE)


def extension_of(name: str) -> str:
    return PurePosixPath(name).suffix[1:].lower()


def label(text: str) -> str:
    """Return a text as a label, in one line, or nothing where it shows nothing.

    It goes without control characters and those that make a name read backwards.
    """
    kept = (
        character
        for character in text
        if unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        and unicodedata.bidirectional(character) not in BIDI_CONTROLS
    )
    cleaned = normal("".join(kept)).strip()[:255]
    return cleaned if shows_something(cleaned) else ""


def safe_name(original: str, kind: FileKind) -> str:
    """Return NAME.EXT: of letters, marks and digits of any script, `-` and `_`; EXT fits the content."""
    stem = ""
    for character in unicodedata.normalize("NFC", PurePosixPath(original).stem):
        category = unicodedata.category(character)
        if category[0] != "C":
            stem += character if category[0] in "LMN" or character in "-_" else "_"
    stem = stem.encode()[:STEM_SIZE].decode(errors="ignore")
    if not stem.strip("_"):
        stem = "file"
    if WINDOWS_DEVICE.fullmatch(stem):
        stem = f"_{stem}"
    extension = extension_of(original)
    return f"{stem}.{extension if extension in kind.extensions else kind.extensions[0]}"


def with_suffix(path: str) -> str:
    """Return a name that no file has had: whoever kept one of that name would show it for this one."""
    root, extension = os.path.splitext(path)
    return f"{root}_{get_random_string(7)}{extension}"
