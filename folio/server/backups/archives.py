"""An archive: one backup in a tar that any tar reads. Written by several threads at once, each in a place of its own.

Media come first under their own names, then the database, and the manifest last: what broke off has none.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock
from uuid import uuid4

from folio.installation import FILE
from folio.server.refusing import Refused

from .manifest import MANIFEST, Manifest, decoded
from .stores import BUFFER, Added, pieces, refuse_own, sync_folder, told

SUFFIX = ".tar"
MEDIA, DATABASE, KEY = "media/", "database/folio.", "secret_key"
LARGEST_MANIFEST = 1024**3  # bytes


class Changed(Exception):
    """A file had another size when it was read than when it was opened."""


class Writing:
    """An archive in the making: under a name of its own, until it is whole and on the disk."""

    def __init__(self, target: str, moment: float) -> None:
        self.path = Path(target).resolve()
        self.address = str(self.path)
        self.moment = moment
        self.draft = self.path.with_name(f".{self.path.name}.{uuid4().hex[:8]}.part")
        self.lock = Lock()
        self.end = 0
        refuse_own(self.path.parent)
        if os.path.lexists(self.path):
            raise Refused(
                f"{self.path} is there already, and is not overwritten. Name another file, or remove it first."
            )
        if not self.path.parent.is_dir():
            raise Refused(f"There is no folder {self.path.parent} for the archive.")
        with told(self.address):
            self.descriptor = os.open(self.draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE)

    def place(self, name: str, size: int) -> int:
        """Write the header of a file, and return where its content goes; the room for it is nobody else's."""
        header = tarfile.TarInfo(name)
        header.size, header.mtime, header.mode = size, int(self.moment), FILE
        content = header.tobuf(tarfile.PAX_FORMAT)
        with self.lock:
            start = self.end
            self.end += len(content) + -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        self.write(content, start)
        return start + len(content)

    def write(self, content: bytes | memoryview, place: int) -> None:
        view = memoryview(content)
        while view:
            count = os.pwrite(self.descriptor, view, place)
            view, place = view[count:], place + count

    def add(self, name: str, source: int) -> Added:
        """Copy what a descriptor has, to its end; raise Changed where that is not the size that it had."""
        size = os.fstat(source).st_size
        place, count, sha256 = self.place(name, size), 0, hashlib.sha256()
        for piece in pieces(source):
            if count + len(piece) > size:
                raise Changed(name)
            sha256.update(piece)
            self.write(piece, place + count)
            count += len(piece)
        if count != size:
            raise Changed(name)
        return Added(size, sha256.hexdigest(), True)

    def finish(self, manifest: bytes) -> None:
        """Write the manifest, and give the archive its name; raise Refused where there is one of that name by now."""
        self.write(manifest, self.place(MANIFEST, len(manifest)))
        size = -(-(self.end + 2 * tarfile.BLOCKSIZE) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE
        os.ftruncate(self.descriptor, size)
        os.fsync(self.descriptor)
        try:
            os.link(self.draft, self.path)
        except FileExistsError:
            raise Refused(f"{self.path} has come meanwhile, and is not overwritten.") from None
        except OSError:  # a disk that knows no links
            os.rename(self.draft, self.path)
        self.close()
        sync_folder(self.path.parent)

    def close(self) -> None:
        with suppress(OSError):
            os.close(self.descriptor)
        self.descriptor = -1
        self.draft.unlink(missing_ok=True)


# Reading


class Archive:
    """An archive that is there, with where its files are in it."""

    def __init__(self, target: str) -> None:
        self.path = Path(target).resolve()
        self.address = str(self.path)
        self.parts: dict[str, tuple[int, int]] = {}  # where they begin, and how long they are
        self.manifest = self.indexed()

    def indexed(self) -> Manifest:
        """Find all files by their headers, and read the manifest; raise Refused for what Folio does not write."""
        if not self.path.is_file():
            raise Refused(f"There is no archive {self.path}.")
        with told(self.address), self.path.open("rb") as file:
            self.size = os.fstat(file.fileno()).st_size
            try:
                with closing(tarfile.open(fileobj=file, mode="r:")) as archive:
                    for member in archive:
                        self.note(member)
            except tarfile.TarError as error:
                raise self.damaged(f"it can't be read to its end: {error}") from None
        if MANIFEST not in self.parts:
            raise self.damaged("it has no manifest, so it was broken off or is no backup of Folio's")
        if self.parts[MANIFEST][1] > LARGEST_MANIFEST:
            raise self.damaged("its manifest is too large")
        return decoded(b"".join(bytes(piece) for piece in self.read(MANIFEST)), self.address)

    def note(self, member: tarfile.TarInfo) -> None:
        name = member.name
        if not member.isreg() or member.issparse():
            raise self.damaged(f"{name[:200]!r} in it is no plain file, but a link, a folder, a device or the like")
        if name in self.parts:
            raise self.damaged(f"it holds {name[:200]!r} twice")
        if member.offset_data + member.size > self.size:
            raise self.damaged(f"it ends in the middle of {name[:200]!r}")
        self.parts[name] = (member.offset_data, member.size)

    def damaged(self, problem: str) -> Refused:
        return Refused(f"{self.address} is damaged, or was tampered with: {problem}.")

    def read(self, name: str) -> Iterator[memoryview]:
        """Yield a file of it, in pieces that are gone with the next one."""
        place, size = self.parts[name]
        buffer = memoryview(bytearray(min(BUFFER, size) or 1))
        with self.path.open("rb", buffering=0) as file:
            while size:
                count = os.preadv(file.fileno(), [buffer[:size]], place)
                if not count:
                    raise self.damaged(f"it ends in the middle of {name!r}")
                yield buffer[:count]
                place, size = place + count, size - count


def is_archive(target: str) -> bool:
    return target.endswith(SUFFIX) and "://" not in target
