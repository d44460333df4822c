"""What a file is by its content, where it is no readable image."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import re
from functools import cache
from typing import NoReturn

import pylibmagic  # isort: skip - it brings libmagic along, which the next line looks for
import magic  # isort: skip
from django.core.files import File
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils.translation import gettext as _

from .errors import UploadRefused
from .kinds import KIND_BY_EXTENSION, KIND_BY_MIME_TYPE, KINDS, TEXTS, FileKind
from .models import MediaType
from .naming import extension_of
from .refusals import DAMAGED

SAMPLE_SIZE = 64 * 1024  # bytes shown to libmagic of a file that isn't on the disk
MARKUP_SIZE = 1024  # bytes at the start of a text in which a browser that guesses would look for HTML, roughly
DIRECTORY_SIZE = 256 * 1024  # bytes at the end of a ZIP in which its list of contents is looked for
# libmagic takes a document whose parts come in an unusual order for a plain ZIP, or for nothing it has a type for.
UNSURE = {"application/zip", "application/octet-stream"}
MAIN_PARTS = {"docx": b"word/document.xml", "xlsx": b"xl/workbook.xml", "pptx": b"ppt/presentation.xml"}
MARKUP = re.compile(rb"<(?:!doctype|\?|%|(?:html|head|body|svg|script|iframe)\b)", re.IGNORECASE)
PDF_SIGNATURE = b"%PDF-"


def recognise(file: File[bytes], name: str) -> FileKind:
    """Return what a file that is no readable image is by its content, or raise UploadRefused.

    The name decides only between kinds of which the content could be either.
    """
    mime_type = detect(file)
    kind = KIND_BY_MIME_TYPE.get(mime_type)
    named = KIND_BY_EXTENSION.get(extension_of(name))
    if kind and kind.type == MediaType.IMAGE:
        raise UploadRefused(_(DAMAGED), code="damaged")
    is_text = mime_type in {"text/plain", "text/csv"}
    is_pdf = mime_type == "application/pdf"  # readers look for its signature some way in
    if (is_text and is_markup(file)) or (is_pdf and is_markup(file, PDF_SIGNATURE)):
        refuse(
            _(
                "The file looks like a web page or a script, which would run in a browser or on a server and is "
                "not accepted. Accepted are: %(accepted)s."
            )
        )
    if kind in TEXTS and named in TEXTS:
        return named
    if named and mime_type in UNSURE and is_open_xml(file, extension_of(name)):
        return named
    return kind or refuse(
        _("The file's content is of the type %(type)s, which is not accepted. Accepted are: %(accepted)s."),
        type=mime_type,
    )


def refuse(text: str, **values: str) -> NoReturn:
    accepted = ", ".join(kind.extensions[0] for kind in KINDS)
    raise UploadRefused(text % {"accepted": accepted, **values}, code="not_accepted")


@cache
def detector() -> magic.Magic:
    """Return libmagic with its list of types, which takes a while to load; it locks itself between threads."""
    return magic.Magic(mime=True, magic_file=str(pylibmagic.data.joinpath("magic.mgc")))


def detect(file: File[bytes]) -> str:
    """Return the MIME type of a file's content, as libmagic calls it."""
    if isinstance(file, TemporaryUploadedFile):
        # Old Office formats say what they are in a directory that may lie anywhere in the file.
        return detector().from_file(file.temporary_file_path())
    file.seek(0)
    return detector().from_buffer(file.read(SAMPLE_SIZE))


def is_markup(file: File[bytes], end: bytes = b"") -> bool:
    """Tell whether what libmagic finds harmless begins, before `end`, like HTML, SVG or a script between tags."""
    file.seek(0)
    start = file.read(2 * MARKUP_SIZE).replace(b"\0", b"")  # of UTF-16, whose marks aren't markup either
    if end:
        start = start.partition(end)[0]
    text = start.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\f\v")
    return text.startswith(b"<") or MARKUP.search(text, 0, MARKUP_SIZE) is not None


def is_open_xml(file: File[bytes], extension: str) -> bool:
    """Tell whether a ZIP holds the main part of the Office document that its name promises."""
    if extension not in MAIN_PARTS:
        return False
    file.seek(0)
    signature = file.read(4)
    file.seek(max(0, file.size - DIRECTORY_SIZE))
    directory = file.read(DIRECTORY_SIZE)
    return signature == b"PK\x03\x04" and b"[Content_Types].xml" in directory and MAIN_PARTS[extension] in directory
