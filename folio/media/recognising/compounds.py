"""Documents of old Office programs: whether they hold macros."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import struct
from collections.abc import Iterator

from django.core.files import File

from ..kinds import FileKind
from .office import refuse_macros

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FIRST_TABLES = 109  # sectors of the table of sectors that the head of the file lists itself
ENTRY_SIZE = 128  # bytes of an entry of the directory
MOST_SECTORS = 256  # of the directory that are read, with 4 entries each, or 32
MACROS = {"vba", "_vba_project", "_vba_project_cur", "macros"}  # the storages and streams of Visual Basic
PLAIN = {"WordDocument": "docx", "Workbook": "xlsx", "Book": "xlsx", "PowerPoint Document": "pptx"}


def compound(file: File[bytes], name: str) -> FileKind | None:
    """Refuse a document of an old Office program with macros; what else it is, libmagic tells."""
    file.seek(0)
    head = file.read(512)
    if not head.startswith(SIGNATURE) or len(head) < 512:
        return None
    names = list(entries_of(file, head))
    if MACROS & {entry.lower() for entry in names}:
        refuse_macros(next((PLAIN[entry] for entry in names if entry in PLAIN), "docx"))
    return None


def entries_of(file: File[bytes], head: bytes) -> Iterator[str]:
    """Yield the names in the directory of a compound file ([MS-CFB] 2.6), whose sectors are a chain in a table."""
    shift = struct.unpack_from("<H", head, 30)[0]
    if shift not in {9, 12}:
        return
    size = 1 << shift
    tables = struct.unpack_from(f"<{FIRST_TABLES}I", head, 76)
    sector = struct.unpack_from("<I", head, 48)[0]
    for _ in range(MOST_SECTORS):
        for entry in range(0, len(data := sector_of(file, sector, size)), ENTRY_SIZE):
            length = struct.unpack_from("<H", data, entry + 64)[0]
            if 2 < length <= 64:
                yield data[entry : entry + length - 2].decode("utf-16-le", errors="replace")
        table, place = divmod(sector, size // 4)
        if not data or table >= FIRST_TABLES:
            return
        following = sector_of(file, tables[table], size)
        if not following:
            return
        sector = struct.unpack_from("<I", following, 4 * place)[0]


def sector_of(file: File[bytes], number: int, size: int) -> bytes:
    """Return a sector whole, or nothing where the file has none of that number."""
    file.seek((number + 1) * size)
    data = file.read(size)
    return data if len(data) == size else b""
