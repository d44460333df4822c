"""Texts, and what a browser or a server would rather run than read."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import codecs
import re
import unicodedata
from collections.abc import Sequence

from django.core.files import File

from ..kinds import CAPTIONS, KIND_BY_EXTENSION, TEXTS, FileKind
from ..naming import extension_of

SAMPLE_SIZE = 64 * 1024  # bytes at the beginning, in the middle and at the end by which a text is told
# Bytes that no text has in an encoding that leaves ASCII as it is: those of binary data in the WHATWG's MIME Sniffing,
# but the end of a file under DOS. Nearly every binary file has some of them within a few hundred bytes.
BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x19\x1c-\x1f]")
BYTE_ORDER_MARKS = {codecs.BOM_UTF16_LE: "utf-16le", codecs.BOM_UTF16_BE: "utf-16be"}
NO_CHARACTERS = {"Cn", "Co", "Cs"}  # unassigned, of private use, halves of characters
# Texts to the letter that their readers take for something else.
OTHERS = (b"%PDF-", b"{\\rtf")

MARKUP_SIZE = 1024  # bytes at the start of a text in which a browser that guesses would look for HTML, roughly
MARKUP = re.compile(rb"<(?:!doctype|\?|%|(?:html|head|body|svg|script|iframe)\b)", re.IGNORECASE)


def named_text(file: File[bytes], name: str) -> FileKind | None:
    """Return the kind of a text that is named as one, whatever its words look like; None of all else.

    It is served as a text, as a download and under `nosniff`, so that no browser and no server runs it.
    """
    kind = KIND_BY_EXTENSION.get(extension_of(name))
    if kind not in (*TEXTS, CAPTIONS):
        return None
    samples = samples_of(file)
    is_other = samples[0].lstrip().startswith(OTHERS)
    return None if is_other or encoding_of(samples) is None else kind


def samples_of(file: File[bytes]) -> list[bytes]:
    """Return a small file whole, of a larger one its beginning, its middle and its end."""
    file.seek(0)
    if file.size <= 3 * SAMPLE_SIZE:
        return [file.read(3 * SAMPLE_SIZE)]
    samples = [file.read(SAMPLE_SIZE)]
    for place in (file.size // 4 * 2, (file.size - SAMPLE_SIZE) // 2 * 2):  # even, as characters of UTF-16 begin
        file.seek(place)
        samples.append(file.read(SAMPLE_SIZE + 1))  # to the very end of what has odd bytes
    return samples


def encoding_of(samples: Sequence[bytes], *, is_cut: bool = False) -> str | None:
    """Return the encoding of a text; "" of one that leaves ASCII as it is, and isn't told; None of what is no text.

    `is_cut` tells that the last of the samples doesn't end where the text does.
    """
    start = samples[0]
    marked = BYTE_ORDER_MARKS.get(start[:2])
    if marked is not None:
        text = decoded(samples, marked, is_cut)
        return None if text is None or "\0" in text else marked
    if b"\0" not in b"".join(samples):
        if decoded(samples, "utf-8", is_cut) is not None:
            return "utf-8"
        return None if any(BINARY.search(sample) for sample in samples) else ""
    for encoding in BYTE_ORDER_MARKS.values():
        text = decoded(samples, encoding, is_cut)
        if text is not None and reads_as_words(text):
            return encoding
    return None


def decoded(samples: Sequence[bytes], encoding: str, is_cut: bool) -> str | None:
    """Return what is decoded of each sample, or None where one isn't in the encoding."""
    texts = []
    for place, sample in enumerate(samples):
        if encoding == "utf-8" and place:
            sample = sample[len(sample[:3]) - len(sample[:3].lstrip(bytes(range(0x80, 0xC0)))) :]
        is_last = place == len(samples) - 1 and not is_cut
        try:
            texts.append(codecs.getincrementaldecoder(encoding)().decode(sample, is_last))
        except UnicodeDecodeError:
            return None
    return "".join(texts)


def reads_as_words(text: str) -> bool:
    """Tell whether a text that may be none, for want of a mark, has but characters that are written."""
    return not any(
        unicodedata.category(character) in NO_CHARACTERS
        or (unicodedata.category(character) == "Cc" and not character.isspace())
        for character in set(text)
    )


def is_markup(file: File[bytes], end: bytes = b"") -> bool:
    """Tell whether what libmagic finds harmless begins, before `end`, like HTML, SVG or a script between tags."""
    file.seek(0)
    start = file.read(2 * MARKUP_SIZE).replace(b"\0", b"")  # of UTF-16, whose marks aren't markup either
    if end:
        start = start.partition(end)[0]
    text = start.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\f\v")
    return text.startswith(b"<") or MARKUP.search(text, 0, MARKUP_SIZE) is not None
