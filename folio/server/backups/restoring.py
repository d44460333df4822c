"""A backup brought back: checked as a whole, then put in the place of what is there.

Files are added first, beside those of the installation that is there. Then the database is replaced, from one moment to
the next; then goes what belongs to the old one. Whoever is killed before that moment leaves the old installation, with
files that nothing refers to; whoever is killed after it leaves a note by which servers refuse to start, until the same
command has done the rest.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.db import Error, connection

from folio.installation import FILE, RESTORING, begin, close_to_others, database_path, make_folder
from folio.media.sizes import human_readable_size
from folio.server.models import BackupSchedule
from folio.server.moving.ends import contents
from folio.server.moving.tables import tables
from folio.server.peers import KEY as SECRET_KEY
from folio.server.peers import fingerprints
from folio.server.refusing import Refused
from folio.server.scheduled.schedule import forget as forget_schedule
from folio.transfer.telling import counted

from .making import working_folder
from .manifest import KINDS, File, Manifest, encoded
from .placing import add_all, is_any_there, remove_others, replace_all
from .replacing import (
    finish_postgresql,
    held_file,
    refuse_running_on_postgresql,
    replace_tables,
    stage,
    swap,
)
from .sources import Source, source_at
from .stores import sync_folder, told
from .verifying import verify

Tell = Callable[[str], object]
COPYING, REPLACING = "copying", "replacing"
REST = "The installation is half restored, and no server starts. Give the same command again, which does the rest."
AGAIN = "Nothing was replaced yet, and the installation is what it was. Give the same command again."


class Nothing:
    """A bar that nobody sees."""

    def update(self, count: int) -> None: ...


class Note:
    """What a restore has come to, in the data folder; held by the process that is at it."""

    def __init__(self, manifest: Manifest, command: str) -> None:
        self.path = settings.DATA_DIR / RESTORING
        self.given = {"digest": sha256(encoded(manifest)).hexdigest(), "name": manifest.name, "command": command}
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, FILE)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self.descriptor)
            raise Refused("Another restore is at work here. Let it end first.") from None
        self.phase = self.found()  # to which an earlier restore of the same backup has come

    def found(self) -> str:
        with suppress(ValueError):
            found = json.loads(self.path.read_bytes())
            if isinstance(found, dict) and found.get("digest") == self.given["digest"]:
                return str(found.get("phase"))
        return ""

    def write(self, phase: str) -> None:
        content = json.dumps({"phase": phase, **self.given}).encode()
        os.pwrite(self.descriptor, content, 0)
        os.ftruncate(self.descriptor, len(content))
        os.fsync(self.descriptor)
        sync_folder(self.path.parent)
        self.phase = phase

    def end(self) -> None:
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        if self.path.exists() and not os.fstat(self.descriptor).st_size:  # nothing was begun
            self.end()
        os.close(self.descriptor)


def restore(
    text: str,
    *,
    at: str | None = None,
    is_to_replace: bool = False,
    only_verify: bool = False,
    command: str = "folio restore",
    tell: Tell,
    bar: Callable[[str, int], Any] = lambda name, total: nullcontext(Nothing()),
) -> Manifest:
    """Restore a backup, or only check it, and return its manifest; raise Refused, in words, where it can't be.

    `command` is what is to be given again where this one is interrupted.
    """
    source = source_at(text, at)
    if not only_verify:
        refuse_other_kind(source)
        if not settings.DATA_DIR.is_dir():
            make_folder(settings.DATA_DIR)
    with room(only_verify) as folder:
        with bar("Checked", len(source.expected())) as progress:
            unpacked = verify(source, folder, progress)
        if not only_verify:
            with closing(Note(source.manifest, command)) as note:
                put_in_place(source, unpacked, note, is_to_replace=is_to_replace, tell=tell, bar=bar)
    return source.manifest


@contextmanager
def room(only_verify: bool) -> Iterator[Path]:
    """Yield a folder for the database: in the data folder, unless there is none and nothing is to be made."""
    if not only_verify or Path(settings.FILE_UPLOAD_TEMP_DIR).is_dir():
        with working_folder() as folder:
            yield folder
        return
    with TemporaryDirectory(prefix="folio-verify-") as elsewhere:
        yield Path(elsewhere)


def refuse_other_kind(source: Source) -> None:
    kind = source.manifest.database.kind
    if kind != connection.vendor:
        raise Refused(
            f"{source.address} has a database of {KINDS[kind]}, and the one here is {KINDS[connection.vendor]}. "
            f"Restore it beside {KINDS[kind]} first, by another DATABASE_URL and FOLIO_DATA_DIR. "
            "Then `folio move --to` brings it here."
        )


def put_in_place(source: Source, unpacked: Path, note: Note, *, is_to_replace: bool, tell: Tell, bar: Any) -> None:
    if not is_to_replace and note.phase != REPLACING:
        refuse_not_empty(note)
    is_sqlite = connection.vendor == "sqlite"
    if not is_sqlite:
        refuse_running_on_postgresql()
    connection.close()
    with held_file() if is_sqlite else nullcontext() as own:
        with told("The restore", AGAIN if note.phase != REPLACING else REST):
            if note.phase != REPLACING:
                note.write(COPYING)
            begin()
            if is_sqlite:
                stage(unpacked)
            with bar("Files", len(source.manifest.media)) as progress:
                collisions = add_all(source, progress)
            note.write(REPLACING)
        with told("The restore", REST):
            if is_sqlite:
                swap(own)
            else:
                replace_tables(source, unpacked)
    with told("The restore", REST):
        settle(source, collisions, tell)
        note.end()
    for line in close_to_others():
        tell(line)
    if not is_sqlite:
        finish_postgresql()


def settle(source: Source, collisions: list[File], tell: Tell) -> None:
    """Have all be as the backup says, now that its database is there."""
    replace_all(source, collisions)
    count = remove_others(source)
    connection.close()
    put_marks(source, tell)
    tell_key(source, tell)
    if BackupSchedule._meta.db_table in connection.introspection.table_names() and forget_schedule():
        tell(
            "The server of which this is a copy makes backups by itself; what is restored here does not. Where it "
            "takes that one's place: `folio backup TARGET --every 24h --keep 14`."
        )
    connection.close()
    if count:
        tell(f"Removed {count:,} media files of the installation that was here before.")
    if source.manifest.faults:
        faults = len(source.manifest.faults)
        tell(f"Files that were missing or damaged when the backup was made: {faults:,}. `folio checkmedia` names them.")


def refuse_not_empty(note: Note) -> None:
    """Raise Refused where there is anything that a restore would replace; files may be those of one that broke off."""
    found = {}
    path = database_path()
    if connection.vendor != "sqlite" or (path is not None and path.exists() and path.stat().st_size):
        try:
            there = set(connection.introspection.table_names())
            found = contents((model for model in tables() if model._meta.db_table in there), connection.alias)
        except Error as error:
            raise Refused(
                f"The database that is here can't be read: {error}. With --replace it is replaced."
            ) from error
        finally:
            connection.close()
    if found:
        names: dict[str, int] = {}
        for model, number in found.items():
            names.setdefault(str(model._meta.verbose_name_plural), number)
        what = f"holds {counted(names)}"
    elif not note.phase and is_any_there():
        what = "has media files"
    else:
        return
    raise Refused(
        f"The installation here is not empty: it {what}. Nothing was changed. With --replace, all of it is replaced, "
        "and is gone for good; make a backup of it first."
    )


def put_marks(source: Source, tell: Tell) -> None:
    """Put what else belongs to an installation, and have what was noted of the old one forgotten."""
    manifest, mark = source.manifest, settings.PUBLIC_READ_MARK
    if manifest.is_public:
        if not mark.exists() and "FOLIO_PUBLIC_READ" not in os.environ:
            tell(
                "What is published can be read without a key now, as where the backup was made. FOLIO_PUBLIC_READ=off "
                "ends that."
            )
        mark.touch(FILE)
    else:
        mark.unlink(missing_ok=True)
    settings.VARIANTS_MARK.unlink(missing_ok=True)  # variants are made anew
    if manifest.secret_key is not None:
        key = source.secret_key()
        path = settings.DATA_DIR / "secret_key"
        draft = path.with_name(".secret_key.restoring")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE)
        with os.fdopen(descriptor, "w") as file:
            file.write(key)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
        if not os.environ.get("FOLIO_SECRET_KEY"):
            settings.SECRET_KEY = key


def tell_key(source: Source, tell: Tell) -> None:
    from . import WITHOUT_KEY

    is_same = fingerprints()[SECRET_KEY] == source.manifest.key_number
    if is_same:
        tell("The secret key is the one that the backup was made beside: sessions, links and webhooks go on.")
    elif source.manifest.secret_key is not None:
        tell(
            f"The backup's secret key lies in {settings.DATA_DIR / 'secret_key'}, but FOLIO_SECRET_KEY is set, and is "
            "another one: unset it, or set that."
        )
    else:
        tell(
            f"The secret key here is another one than the backup was made beside. {WITHOUT_KEY.partition('. ')[2]} "
            "Put the old one back, by FOLIO_SECRET_KEY or as the file secret_key, and nothing of that is needed."
        )


def told_of(manifest: Manifest) -> str:
    """Return in a line what a backup holds."""
    return (
        f"{sum(manifest.database.rows.values()):,} rows and {len(manifest.media):,} media files, "
        f"{human_readable_size(manifest.bytes)}, of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC"
    )
