"""Documents of offices are told by the type of their main part, and those with macros are refused."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from folio.media.errors import UploadRefused
from folio.media.recognising.archives import DIRECTORY_SIZE, ENTRY_SIZE, Archive
from folio.media.recognising.compounds import MOST_SECTORS, entries_of
from folio.media.recognising.compounds import compound as compound_kind

from .kinds import OFFICE, OPENDOCUMENT, WORDS, compound, content_types, office, packed
from .stored import Wrap, assert_nothing_is_left, path_of, temporary, upload

pytestmark = pytest.mark.django_db

MACRO = "application/vnd.ms-{}.macroEnabled.main+xml"
SHEET = "spreadsheetml.sheet"
WITH_MACROS: dict[str, tuple[bytes, str]] = {
    "docm": (office("word/document.xml", MACRO.format("word.document")), "docx"),
    "dotm": (office("word/document.xml", MACRO.format("word.template")), "docx"),
    "xlsm": (office("xl/workbook.xml", MACRO.format("excel.sheet")), "xlsx"),
    "xltm": (office("xl/workbook.xml", MACRO.format("excel.template")), "xlsx"),
    "xlsb": (office("xl/workbook.bin", "application/vnd.ms-excel.sheet.binary.macroEnabled.main"), "xlsx"),
    "pptm": (office("ppt/presentation.xml", MACRO.format("powerpoint.presentation")), "pptx"),
    "ppsm": (office("ppt/presentation.xml", MACRO.format("powerpoint.slideshow")), "pptx"),
    "docx": (office("word/document.xml", "wordprocessingml.document", "word/vbaProject.bin"), "docx"),
    "xlsx": (office("xl/workbook.xml", SHEET, "XL/VBAPROJECT.BIN"), "xlsx"),
    "xltx": (office("xl/workbook.xml", SHEET, "xl/macrosheets/sheet1.xml"), "xlsx"),
    "zip": (office("xl/workbook.xml", MACRO.format("excel.sheet")), "xlsx"),
    "sketch": (office("xl/workbook.xml", MACRO.format("excel.sheet")), "xlsx"),
    "doc": (compound("WordDocument", storage="Macros"), "docx"),
    "xls": (compound("Workbook", storage="_VBA_PROJECT_CUR"), "xlsx"),
    "dot": (compound("WordDocument", padding=110, storage="VBA"), "docx"),
    "odt": (packed({"mimetype": f"{OPENDOCUMENT}.text", "Basic/Standard/Module1.xml": "<a/>"}), "odt"),
    "ods": (packed({"mimetype": f"{OPENDOCUMENT}.spreadsheet", "Scripts/python/a.py": ""}), "ods"),
}


@pytest.mark.parametrize("extension", WITH_MACROS)
def test_refuses_a_document_with_macros(extension: str, media_root: Path) -> None:
    content, plain = WITH_MACROS[extension]

    with pytest.raises(UploadRefused) as refusal:
        upload(content, f"sums.{extension}")

    assert refusal.value.messages[0] == (
        "The document has macros, which are programs. Documents with macros are not accepted. Save it without them, "
        f"as {plain}, and send that."
    )
    assert_nothing_is_left(media_root)


def test_finds_macros_of_a_part_under_another_name() -> None:
    """Each part has the type that the list tells, whatever it is called."""
    types = content_types("word/a.bin", "application/vnd.ms-office.vbaProject")

    with pytest.raises(UploadRefused, match="has macros"):
        upload(packed({"[Content_Types].xml": types, "word/document.xml": "", "word/a.bin": ""}), "a.docx")


def test_lets_a_list_be_that_knows_macros_and_has_none() -> None:
    """As programs write it that list all types they know."""
    types = (
        '<Types><Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
        f"<Override PartName='/xl/workbook.xml' ContentType='{OFFICE[2][3]}.main+xml'/>"
        '<Override PartName="/xl/vbaProject.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>'
    )

    assert upload(packed({"[Content_Types].xml": types, "xl/workbook.xml": ""}), "a.xlsx").mime_type == OFFICE[2][3]


def test_lets_the_lists_of_an_opendocument_s_libraries_be() -> None:
    lists = dict.fromkeys(("Basic/script-lc.xml", "Basic/Standard/script-lb.xml", "Scripts/"), "")

    assert upload(packed({"mimetype": f"{OPENDOCUMENT}.text", **lists}), "a.odt").mime_type == f"{OPENDOCUMENT}.text"


@pytest.mark.parametrize(("content", "mime_type", "extension"), [(case[0], *case[3:]) for case in OFFICE], ids=range(7))
@pytest.mark.parametrize("name", ["a.zip", "a.docx", "a.key", "a"])
def test_names_a_document_by_what_it_is(content: bytes, mime_type: str, extension: str, name: str) -> None:
    media = upload(content, name)

    assert (media.mime_type, path_of(media).name) == (mime_type, f"a.{extension}")


def test_reads_types_in_utf_16_and_with_a_prefix() -> None:
    types = content_types("xl/workbook.xml", f"{OFFICE[3][3]}.main+xml").replace("<Override", "<ct:Override")

    media = upload(packed({"[Content_Types].xml": types.encode("utf-16"), "xl/workbook.xml": ""}), "a.xltx")

    assert path_of(media).suffix == ".xltx"


@pytest.mark.parametrize("types", ["", "<Types/>", "<Override PartName=>", "\0" * 99, "&" * 9], ids=range(5))
def test_tells_a_document_by_its_parts_where_the_types_can_t_be_read(types: str) -> None:
    assert path_of(upload(packed({"[Content_Types].xml": types, "word/document.xml": ""}), "a")).suffix == ".docx"


def test_says_of_a_document_that_is_not_accepted_what_it_is() -> None:
    with pytest.raises(UploadRefused, match=r"of the type application/vnd\.oasis\.opendocument\.formula, which is not"):
        upload(packed({"mimetype": f"{OPENDOCUMENT}.formula"}), "a.odf")


# Bounds


def bomb(name: str, size: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as writer, writer.open(name, "w") as entry:
        for _ in range(size // 2**20):
            entry.write(bytes(2**20))
    return file.getvalue()


@pytest.mark.parametrize("name", ["[Content_Types].xml", "mimetype", "manifest.json"])
def test_unpacks_no_more_than_a_bound(name: str) -> None:
    content = bomb(name, 64 * 2**20)

    assert len(Archive(ContentFile(content)).read(name)) == ENTRY_SIZE
    assert upload(content, "a.docx").mime_type == "application/zip"


def test_unpacks_nothing_that_has_no_bound() -> None:
    content = packed({"mimetype": f"{OPENDOCUMENT}.text"}, zipfile.ZIP_BZIP2)

    assert Archive(ContentFile(content)).read("mimetype") == b""


def test_reads_no_list_beyond_a_bound() -> None:
    """Beyond it, what the beginning holds has to do."""
    content = packed({"classes.dex": "", **{f"{'x' * 200}{number}": "" for number in range(10_000)}})
    assert len(content) > 2 * DIRECTORY_SIZE

    archive = Archive(ContentFile(content))

    assert 0 < len(archive.names) < 1000
    with pytest.raises(UploadRefused, match=r"its classes\.dex tells"):
        upload(content, "a.zip")


@pytest.mark.parametrize("wrap", [ContentFile, temporary])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-30],
        lambda content: content[: len(content) // 2],
        lambda content: content[:-10] + b"\xff" * 10,
        lambda content: content.replace(b"PK\1\2", b"PK\1\3"),
        lambda content: content.replace(b"document.xml", b"\xff" * 12),
        lambda content: content[:4] + bytes(200) + content[4:],
        lambda content: content[:30],
    ],
    ids=["no-end", "half", "wrong-place", "no-list", "no-name", "moved", "head-alone"],
)
def test_survives_a_damaged_archive(damage: object, wrap: Wrap) -> None:
    content = damage(OFFICE[0][0])  # type: ignore[operator]

    media = upload(content, "a.docx")

    assert media.mime_type in {"application/zip", OFFICE[0][3]}


@pytest.mark.parametrize("place", [30, 48, 76])
@pytest.mark.parametrize("value", [0, 7, 0xFFFFFFFF])
def test_survives_a_damaged_compound(place: int, value: int) -> None:
    """Its size of sectors, the beginning of its directory, and that of its table."""
    content = bytearray(compound("WordDocument"))
    struct.pack_into("<I", content, place, value)

    assert compound_kind(ContentFile(bytes(content)), "a.doc") is None


def test_follows_no_circle_of_sectors() -> None:
    content = bytearray(compound("WordDocument"))
    struct.pack_into("<I", content, 512 * 10 + 4 * 8, 8)  # the directory goes on where it begins

    found = list(entries_of(ContentFile(bytes(content)), bytes(content[:512])))

    assert found == ["Root Entry", "WordDocument"] * MOST_SECTORS


def test_a_text_that_begins_as_a_zip_is_a_text() -> None:
    assert upload(b"PK\3\4" + WORDS, "a.zip").mime_type == "application/zip"
    assert upload(b"PK is short. " + WORDS, "a.txt").mime_type == "text/plain"


@pytest.mark.parametrize("written", ["a" * 500_000, "a=" * 200_000, "a = '" * 100_000], ids=["name", "names", "quotes"])
def test_a_part_s_attributes_are_read_once(written: str) -> None:
    """Had each letter of a name to be tried as its beginning, this would take hours."""
    types = f"<Types><Default {written}></Types>"

    assert path_of(upload(packed({"[Content_Types].xml": types, "word/document.xml": ""}), "a")).suffix == ".docx"


@pytest.mark.parametrize("before", [b"ID3\4" + bytes(6), b"PK00", b"PK\7\x08"], ids=["id3", "pk00", "spanned"])
def test_refuses_macros_in_a_document_with_something_before_it(before: bytes) -> None:
    types = content_types("word/a.bin", "application/vnd.ms-office.vbaProject")
    content = packed({"[Content_Types].xml": types, "word/document.xml": "", "word/a.bin": ""})

    with pytest.raises(UploadRefused):
        upload(before + content, "a.docx")
