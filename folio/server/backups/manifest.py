"""What a backup says of itself: a document in JSON, written last, without which there is no backup."""

import posixpath
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from folio import __version__
from folio.media.models import FOLDER
from folio.server.refusing import Refused

FORMAT = 1
MANIFEST = "manifest.json"  # in an archive
ENDINGS = {"sqlite": "sqlite3.zst", "postgresql": "dump.zst"}  # of the database's file
KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z(-[0-9]+)?")
LONGEST = 900  # bytes of a file's name

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Size = Annotated[int, msgspec.Meta(ge=0)]


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A media file, by the name that rows have for it."""

    name: str
    size: Size
    sha256: Digest
    modified: float = 0.0  # seconds since the epoch; by that and its size the next backup knows that it is the same


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A media file that was missing or damaged before."""

    name: str
    reason: str


class Database(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The copy of the database, compressed by zstd."""

    kind: Literal["sqlite", "postgresql"]
    version: str
    size: Size
    sha256: Digest
    content_size: Size  # what it is uncompressed
    content_sha256: Digest
    migrations: dict[str, str]  # the last of each app
    rows: dict[str, int]  # of each table


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The secret key's own file."""

    size: Size
    sha256: Digest


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A backup: all that belongs to it, with the SHA-256 of each file."""

    format: int
    folio: str
    name: str
    made_at: datetime
    seconds: float
    storage: Literal["folder", "bucket"]  # where the media lay
    database: Database
    media: list[File]
    faults: list[Fault]
    secret_key: Key | None
    key_number: int  # by which the same secret key is known again; it tells nothing of it
    is_public: bool  # whether the installation is marked as open to visitors
    new_files: Size
    new_bytes: Size
    left: list[str] = []  # files of an archive that went out of use while it was made

    @property
    def bytes(self) -> int:
        return self.database.size + sum(file.size for file in self.media)

    @property
    def rows(self) -> int:
        return sum(self.database.rows.values())


class Beginning(msgspec.Struct):
    """What is read of a manifest whatever its format is."""

    format: int
    folio: str = "?"


@dataclass(frozen=True)
class Made:
    """A backup that is whole."""

    name: str
    at: datetime
    seconds: float
    files: int  # media
    bytes: int  # that it has in all, the compressed database included
    new_files: int
    new_bytes: int
    rows: int


def made(manifest: Manifest) -> Made:
    return Made(
        name=manifest.name,
        at=manifest.made_at,
        seconds=manifest.seconds,
        files=len(manifest.media),
        bytes=manifest.bytes,
        new_files=manifest.new_files,
        new_bytes=manifest.new_bytes,
        rows=manifest.rows,
    )


def encoded(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decoded(content: bytes, where: str) -> Manifest:
    """Return a manifest; raise Refused, naming where it lies, for what is none or is a newer Folio's."""
    try:
        beginning = msgspec.json.decode(content, type=Beginning)
        if beginning.format > FORMAT:
            raise Refused(
                f"{where} was made by Folio {beginning.folio[:40]}, in a format that Folio {__version__} does not know "
                "yet. Restore it with that version, or a newer one."
            )
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refused(f"{where} is no backup of Folio's, or is damaged: its manifest can't be read: {error}.") from None
    if (problem := problem_of(manifest)) is not None:
        raise Refused(f"{where} is damaged, or was tampered with: {problem}.")
    return manifest


def problem_of(manifest: Manifest) -> str | None:
    """Return what a manifest says that none of Folio's would."""
    if manifest.format < 1 or manifest.made_at.tzinfo is None:
        return "its manifest has no format or no moment"
    if not NAME.fullmatch(manifest.name):
        return f"its manifest is called {manifest.name[:60]!r}"
    names = [*(file.name for file in manifest.media), *manifest.left]
    if (wrong := next((name for name in names if not may_be_named(name)), None)) is not None:
        return f"it names {wrong[:200]!r}, which is no name of a media file"
    if len(set(names)) != len(names):
        return "it names a file twice"
    return None


def may_be_named(name: str) -> bool:
    """Tell whether a media file may have that name: one in the media's folder, with nothing that leads out of it."""
    try:
        is_short = len(name.encode()) <= LONGEST
    except UnicodeEncodeError:
        return False
    return (
        is_short
        and name.startswith(f"{FOLDER}/")
        and posixpath.normpath(name) == name
        and ".." not in name.split("/")
        and not set(name) & {"\0", "\\"}
    )
