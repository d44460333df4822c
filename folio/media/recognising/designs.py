"""Files of designers that are no ZIP: each is told by its content and its name together."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import codecs
import re
import struct
from collections.abc import Callable

from django.core.files import File

from ..kinds import DESIGNS, LOTTIE_JSON, FileKind
from ..naming import extension_of
from .texts import encoding_of, samples_of

KIND_OF_DESIGN = {extension: kind for kind in reversed(DESIGNS) for extension in kind.extensions}
FONTS = (b"\0\1\0\0", b"OTTO", b"true")  # outlines of TrueType or PostScript, under either extension
VERTEX = re.compile(rb"^[ \t]*+v(?:[ \t]++[-+.\deE]++){3}", re.MULTILINE)
TABLE_SIZE = re.compile(rb"^[ \t]*+LUT_[13]D_SIZE[ \t]++\d", re.MULTILINE)
STL_HEAD, TRIANGLE = 84, 50  # bytes
PROGRAM = (b"MZ", b"\x7fELF")  # which an STL may begin like, since its first bytes may be any


def design(file: File[bytes], name: str) -> FileKind | None:
    """Return the kind that a designer's file is named as, where its content fits; None of all else."""
    extension = extension_of(name)
    fits = FITS.get(extension)
    if fits is None or not fits(file):
        return None
    return LOTTIE_JSON if extension == "lottie" else KIND_OF_DESIGN[extension]


def start_of(file: File[bytes], size: int) -> bytes:
    file.seek(0)
    return file.read(size)


def begins(*signatures: bytes) -> Callable[[File[bytes]], bool]:
    return lambda file: start_of(file, 16).startswith(signatures)


def is_json(file: File[bytes]) -> bool:
    """Tell whether a file is a text between braces, as an object of JSON is; the rest is its reader's to judge."""
    samples = samples_of(file)
    first, last = samples[0].removeprefix(codecs.BOM_UTF8).lstrip()[:1], samples[-1].rstrip()[-1:]
    return (first, last) == (b"{", b"}") and encoding_of(samples) == "utf-8"


def text_with(pattern: re.Pattern[bytes]) -> Callable[[File[bytes]], bool]:
    def fits(file: File[bytes]) -> bool:
        samples = samples_of(file)
        return encoding_of(samples) is not None and any(pattern.search(sample) for sample in samples)

    return fits


def is_stl(file: File[bytes]) -> bool:
    """Tell whether a file is an STL: as many triangles as it says, or a text that begins as one."""
    start = start_of(file, STL_HEAD)
    if start.startswith(PROGRAM):
        return False
    if len(start) == STL_HEAD and file.size == STL_HEAD + TRIANGLE * struct.unpack_from("<I", start, 80)[0]:
        return True
    return start.lstrip().startswith(b"solid") and encoding_of(samples_of(file)) is not None


FITS: dict[str, Callable[[File[bytes]], bool]] = {
    "ai": begins(b"%PDF-"),
    "fig": begins(b"fig-kiwi"),
    "psd": begins(b"8BPS\0\1", b"8BPS\0\2"),
    "psb": begins(b"8BPS\0\1", b"8BPS\0\2"),
    "glb": begins(b"glTF\1\0\0\0", b"glTF\2\0\0\0"),
    "gltf": is_json,
    "lottie": is_json,
    "lot": is_json,
    "obj": text_with(VERTEX),
    "stl": is_stl,
    "cube": text_with(TABLE_SIZE),
    "woff2": begins(b"wOF2"),
    "woff": begins(b"wOFF"),
    "ttf": begins(*FONTS),
    "otf": begins(*FONTS),
}
