"""Documents of offices, told by the type of their main part; those with macros are refused."""

import re
from typing import NoReturn

from django.utils.translation import gettext as _

from ..kinds import KIND_BY_MIME_TYPE, OPEN_DOCUMENT, OPEN_XML, FileKind
from .archives import Archive
from .refusing import refuse, refuse_type

CONTENT_TYPES = "[Content_Types].xml"
PART = re.compile(r"<(?:[\w.-]+:)?(Default|Override)\b([^<>]*)>")
# No part gives back what it took: a long name without a value would be tried from each of its letters.
ATTRIBUTE = re.compile(r"""\b(\w++)\s*+=\s*+(?:"([^"]*)"|'([^']*)')""")
MAIN_PARTS = {
    f"{OPEN_XML}.{main}.main+xml": KIND_BY_MIME_TYPE[f"{OPEN_XML}.{main}"]
    for main in (
        "wordprocessingml.document",
        "wordprocessingml.template",
        "spreadsheetml.sheet",
        "spreadsheetml.template",
        "presentationml.presentation",
        "presentationml.template",
        "presentationml.slideshow",
    )
}
# Where the types can't be read: the parts that hold what the document says.
USUAL_PARTS = {
    "word/document.xml": KIND_BY_MIME_TYPE[f"{OPEN_XML}.wordprocessingml.document"],
    "xl/workbook.xml": KIND_BY_MIME_TYPE[f"{OPEN_XML}.spreadsheetml.sheet"],
    "ppt/presentation.xml": KIND_BY_MIME_TYPE[f"{OPEN_XML}.presentationml.presentation"],
}
MACRO_TYPES = re.compile(r"macroEnabled|vbaProject|macrosheet", re.IGNORECASE)
MACRO_PARTS = re.compile(r"(?:.*/)?(?:vbaproject\.bin|vbadata\.xml)|xl/macrosheets/.*")
# LibreOffice lists its libraries of macros in files that are there without any macro.
OPEN_DOCUMENT_MACROS = re.compile(r"basic/[^/]+/(?!(?:script|dialog)-lb\.xml$)[^/]+\.xml|scripts/.*[^/]")
PLAIN = {"word": "docx", "xl": "xlsx", "ppt": "pptx"}


def open_xml(archive: Archive) -> FileKind | None:
    """Return the kind of an Office document, None of another archive; or raise UploadRefused for its macros."""
    if CONTENT_TYPES not in archive:
        return None
    types = types_of(archive)
    if any(MACRO_PARTS.fullmatch(name) for name in archive.lowered) or any(map(MACRO_TYPES.search, types.values())):
        folders = (name.partition("/")[0] for name in archive.lowered)
        refuse_macros(next((PLAIN[folder] for folder in folders if folder in PLAIN), "docx"))
    for type in types.values():
        if type in MAIN_PARTS:
            return MAIN_PARTS[type]
    return next((kind for part, kind in USUAL_PARTS.items() if part in archive), None)


def types_of(archive: Archive) -> dict[str, str]:
    """Return the content types of a document's parts by their names in lower case, those told for each part first."""
    text = archive.read(CONTENT_TYPES)
    encoding = "utf-16" if text[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    told: dict[str, str] = {}
    usual: dict[str, str] = {}
    for element, written in PART.findall(text.decode(encoding, errors="replace")):
        values = {name: double or single for name, double, single in ATTRIBUTE.findall(written)}
        if element == "Override":
            told[values.get("PartName", "").lower().lstrip("/")] = values.get("ContentType", "")
        else:
            usual[values.get("Extension", "").lower()] = values.get("ContentType", "")
    found = {part: type for part, type in told.items() if part in archive}
    for name in archive.lowered:
        type = usual.get(name.rpartition(".")[2])
        if type is not None:
            found.setdefault(name, type)
    return found


def open_document(archive: Archive) -> FileKind | None:
    """Return the kind of an OpenDocument or a book in EPUB by what it says itself, None of another archive.

    Raises UploadRefused for macros, and for what is none of the kinds that are accepted.
    """
    mime_type = archive.read("mimetype")[:200].decode("ascii", errors="replace").strip()
    kind = KIND_BY_MIME_TYPE.get(mime_type)
    if mime_type.startswith(OPEN_DOCUMENT):
        if kind is None:
            refuse_type(mime_type)
        if any(OPEN_DOCUMENT_MACROS.fullmatch(name) for name in archive.lowered):
            refuse_macros(kind.extensions[0])
        return kind
    return kind if mime_type == "application/epub+zip" else None


def refuse_macros(extension: str) -> NoReturn:
    """Refuse a document that holds programs; `extension` is that of one without."""
    refuse(
        _(
            "The document has macros, which are programs. Documents with macros are not accepted. Save it without "
            "them, as %(extension)s, and send that."
        ),
        extension=extension,
    )
