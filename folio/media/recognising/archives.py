"""ZIPs read within bounds: their lists of contents, and the beginnings of what they hold."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import re
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from django.core.files import File

SIGNATURES = (b"PK\3\4", b"PK\5\6")  # of a first entry, and of an archive without any
DIRECTORY_SIZE = 2 * 1024 * 1024  # bytes of the list of contents, which has about 100 for each entry
ENTRY_SIZE = 1024 * 1024  # bytes of an entry that are unpacked
HEAD_SIZE = 64 * 1024  # bytes at the beginning in which names are looked for where the list can't be read
LOCAL_NAME = re.compile(rb"PK\x03\x04.{22}(.)(.)..", re.DOTALL)


class Bounded:
    """A file of which no more is read at once than the longest list of contents, whatever a ZIP says of itself."""

    def __init__(self, file: File[bytes]) -> None:
        self.file = file
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size if 0 <= size <= DIRECTORY_SIZE else DIRECTORY_SIZE + 1)
        if len(data) > DIRECTORY_SIZE:
            raise BadZipFile("too long a list of contents")
        return data

    def seekable(self) -> bool:
        return True


class Archive:
    """A ZIP with the names of its entries, in the order of their places; where its list can't be read, of the first."""

    def __init__(self, file: File[bytes]) -> None:
        self.zip: ZipFile | None = None
        try:
            self.zip = ZipFile(Bounded(file))  # all that it needs of a file
        except Exception:  # zipfile raises whatever a damaged list makes it trip over
            self.names = first_names(file)
        else:
            entries = sorted(self.zip.infolist(), key=lambda entry: entry.header_offset)
            self.names = [entry.filename for entry in entries]
        # Windows and Java don't tell letters' cases apart.
        self.lowered = {name.lower(): name for name in self.names}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.lowered

    def read(self, name: str) -> bytes:
        """Return the beginning of an entry; nothing where there is none, or it can't be read."""
        try:
            if self.zip is None:
                return b""
            entry = self.zip.getinfo(self.lowered[name.lower()])
            if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:  # the others unpack without a bound
                return b""
            with self.zip.open(entry) as opened:
                return opened.read(ENTRY_SIZE)
        except Exception:  # as above
            return b""


def is_zip(file: File[bytes]) -> bool:
    file.seek(0)
    return file.read(4) in SIGNATURES


def first_names(file: File[bytes]) -> list[str]:
    """Return the names before the entries at the beginning of a ZIP."""
    file.seek(0)
    head = file.read(HEAD_SIZE)
    found = []
    for match in LOCAL_NAME.finditer(head):
        size = match[1][0] + 256 * match[2][0]
        found.append(head[match.end() : match.end() + size].decode(errors="replace"))
    return found
