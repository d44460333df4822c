"""A backup in the making: the database first, then all files that this copy of it names, and the manifest last."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from secrets import randbelow
from tempfile import mkdtemp
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from msgspec.structs import replace

from folio import __version__
from folio.installation import make_folder
from folio.media.bucket import in_bucket
from folio.media.checking import stored_files
from folio.media.holding import PLACES, Held, hold
from folio.media.journal import lock_of_dead
from folio.media.renewing import AT_A_TIME, chunks
from folio.server.peers import KEY as SECRET_KEY
from folio.server.peers import fingerprints
from folio.server.refusing import Refused, listed

from .archives import DATABASE, KEY, MEDIA, Changed, Writing, is_archive
from .databases import Copied, Wanted, copied
from .keeping import contents_of, manifests_of, name_of, order_of, sweep_databases, wait_for_pruning
from .manifest import ENDINGS, FORMAT, Database, Fault, File, Key, Made, Manifest, encoded, made
from .stores import BACKUPS, DATABASES, KEYS, RUNNING, Added, AtWork, Stored, store_at, told

ATTEMPTS = 5  # at a copy whose files are all there; nobody writes rows during the last
THREADS = 4  # that copy, each a file at a time
AFTER = "Nothing of this backup counts. What was copied is of use to the next attempt."
Tell = Callable[[str], object]
Count = Callable[[int], object]  # is told how many files more are done


class Outcome(NamedTuple):
    """What became of a file that the copy of the database names."""

    file: File | None = None  # None: it is not there
    is_new: bool = False
    fault: str = ""


@dataclass
class Progress:
    """What a backup has by now, over all attempts."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    new_files: int = 0
    new_bytes: int = 0


def make(
    target: str, *, with_secret_key: bool = False, tell: Tell | None = None, bar: Callable[[int], Any] | None = None
) -> Made:
    """Make a backup of the running installation, and return what it is; raise Refused, in words, where none can be.

    The target is a file that ends in `.tar`, or a folder or `s3://` address where backups lie beside each other.
    `tell` is given lines for people, `bar` the number of files, and returns what has an `update` method.
    """
    began, at = time.monotonic(), datetime.now(UTC).replace(microsecond=0)
    tell = tell or (lambda line: None)
    with held(), working_folder() as folder, sink_at(target, at) as sink, told(sink.address, AFTER):
        if sink.warning:
            tell(sink.warning)
        progress = Progress()
        database, faults = copy_until_whole(folder, sink, progress, bar)
        sink.add_database(database)
        manifest = Manifest(
            format=FORMAT,
            folio=__version__,
            name=sink.name,
            made_at=at,
            seconds=0.0,
            storage="bucket" if in_bucket() else "folder",
            database=Database(
                kind=database.kind,
                version=database.version,
                size=database.size,
                sha256=database.sha256,
                content_size=database.content_size,
                content_sha256=database.content_sha256,
                migrations=database.migrations,
                rows=database.rows,
            ),
            media=media_of(database, progress),
            faults=faults,
            secret_key=sink.add_key(folder) if with_secret_key else None,
            key_number=fingerprints()[SECRET_KEY],
            is_public=settings.PUBLIC_READ_MARK.exists(),
            new_files=progress.new_files,
            new_bytes=progress.new_bytes + database.size,
            left=sink.left(database, progress),
        )
        manifest = replace(manifest, seconds=round(time.monotonic() - began, 3))
        sink.finish(manifest)
    if faults:
        lines = listed([f"{fault.name}: {fault.reason}" for fault in faults])
        tell(f"Files that are missing or damaged, and are so in the backup: {len(faults):,}.{lines}")
    return made(manifest)


def media_of(database: Copied, progress: Progress) -> list[File]:
    found = (progress.outcomes[wanted.name].file for wanted in database.files if wanted.name in progress.outcomes)
    return [file for file in found if file is not None]


@contextmanager
def held() -> Iterator[None]:
    """Keep the files that rows let go within the block, whose time may come before they are copied."""
    try:
        with hold():
            yield
    except Held:
        raise Refused(f"{len(PLACES)} backups of this installation are being made already. Wait for one.") from None


@contextmanager
def working_folder() -> Iterator[Path]:
    """Yield a folder for what is copied on the way, on the disk of the uploads; what dead ones have left is removed."""
    above = Path(settings.FILE_UPLOAD_TEMP_DIR)
    with told("The data folder"):
        if not Path(settings.DATA_DIR).is_dir():
            raise Refused(f"There is no installation here: {settings.DATA_DIR} does not exist.")
        make_folder(above)
        for lock in above.glob("backup-*/lock"):
            if (descriptor := lock_of_dead(lock)) is not None:
                remove_folder(lock.parent)
                os.close(descriptor)
        folder, descriptor = locked_folder(above)
    try:
        yield folder
    finally:
        remove_folder(folder)
        os.close(descriptor)


def locked_folder(above: Path) -> tuple[Path, int]:
    """Return a new folder and the descriptor that holds its lock.

    Between making and locking, another one may take it for that of a dead one and remove it: then it is made anew.
    """
    while True:
        folder = Path(mkdtemp(prefix="backup-", dir=above))
        with suppress(FileNotFoundError):
            descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return folder, descriptor
            os.close(descriptor)


def remove_folder(folder: Path) -> None:
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        folder.rmdir()


# Copying


def copy_until_whole(
    folder: Path, sink: Sink, progress: Progress, bar: Callable[[int], Any] | None
) -> tuple[Copied, list[Fault]]:
    """Copy the database and its files until all of these are there that were not missing before.

    Files that rows have let go stay for a while (`FOLIO_KEEP_REMOVED`), so the first attempt is most often the last.
    Where one has gone meanwhile all the same, the database is copied again: what names it then never had it.
    """
    before: set[str] | None = None
    for attempt in range(ATTEMPTS):
        with copied(folder, hold=attempt == ATTEMPTS - 1) as database:
            absent = copy_files(database.files, sink, progress, bar)
        if absent <= (before if before is not None else set()) or attempt == ATTEMPTS - 1:
            break
        before = absent
    faults = [Fault(name, "is not there") for name in sorted(absent)]
    for wanted in database.files:
        outcome = progress.outcomes.get(wanted.name)
        if outcome is not None and outcome.fault:
            faults.append(Fault(wanted.name, outcome.fault))
    return database, faults


def copy_files(files: list[Wanted], sink: Sink, progress: Progress, bar: Callable[[int], Any] | None) -> set[str]:
    """Copy those that were not copied yet, and return the names of those that are not there."""
    new = [wanted for wanted in files if wanted.name not in progress.outcomes]
    absent = set()
    facts = Facts()
    progress_bar = bar(len(new)) if bar is not None else None
    try:
        with ThreadPoolExecutor(THREADS, "backup") as pool:
            for batch in chunks(iter(new), AT_A_TIME):
                outcomes = pool.map(lambda wanted: copy(wanted, sink, facts), batch)
                for wanted, outcome in zip(batch, outcomes, strict=True):
                    if progress_bar is not None:
                        progress_bar.update(1)
                    if outcome.file is None and not outcome.fault:
                        absent.add(wanted.name)
                        continue
                    progress.outcomes[wanted.name] = outcome
                    if outcome.file is not None and outcome.is_new:
                        progress.new_files += 1
                        progress.new_bytes += outcome.file.size
    finally:
        if progress_bar is not None:
            progress_bar.close()
    return absent


class Facts:
    """The size of a media file and when it was put there: of a folder asked one by one, of a bucket by its lists."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.told: dict[str, Stored] | None = None

    def of(self, name: str) -> Stored | None:
        if not in_bucket():
            with suppress(OSError, SuspiciousFileOperation):
                status = os.stat(default_storage.path(name))
                return Stored(status.st_size, round(status.st_mtime, 6))
            return None
        with self.lock:
            if self.told is None:
                found = (each.told for each in stored_files(default_storage))
                self.told = {each.name: Stored(each.size, each.modified_at.timestamp()) for each in found if each}
        return self.told.get(name)


def copy(wanted: Wanted, sink: Sink, facts: Facts) -> Outcome:
    """Copy a file, unless it is known to be there from an earlier backup."""
    fact = facts.of(wanted.name)
    known = sink.known(wanted.name)
    if (
        known is not None
        and fact is not None
        and (known.size, known.modified) == fact
        and wanted.sha256 in {"", known.sha256}
    ):
        return Outcome(known)
    try:
        with opened(wanted.name) as source:
            added = sink.add(wanted.name, source)
    except (FileNotFoundError, NotADirectoryError):
        return Outcome()
    except (SuspiciousFileOperation, IsADirectoryError, PermissionError) as error:
        if not isinstance(error, SuspiciousFileOperation) and not is_of_media(error):
            raise
        return Outcome(fault=f"can't be read: {error}")
    except Changed:
        raise Refused(
            f"{wanted.name} has changed while it was copied, which media files never do. Try again."
        ) from None
    fault = ""
    if wanted.sha256 and wanted.sha256 != added.sha256:
        fault = "has another content than was stored, by its SHA-256"
    modified = fact.modified if fact is not None and fact.size == added.size else 0.0
    return Outcome(File(wanted.name, added.size, added.sha256, modified), added.is_new, fault)


def is_of_media(error: OSError) -> bool:
    return str(error.filename or "").startswith(str(settings.MEDIA_ROOT))


@contextmanager
def opened(name: str) -> Iterator[int]:
    """Yield a descriptor of a media file; raise FileNotFoundError where there is none."""
    if in_bucket():
        with default_storage.open(name) as file:
            yield file.fileno()
        return
    descriptor = os.open(default_storage.path(name), os.O_RDONLY)
    try:
        if os.path.isdir(descriptor):
            raise IsADirectoryError(21, "Is a directory", default_storage.path(name))
        yield descriptor
    finally:
        os.close(descriptor)


# Where it goes


class IntoArchive:
    """A backup that becomes one file."""

    warning = ""

    def __init__(self, target: str, at: datetime) -> None:
        self.writing = Writing(target, at.timestamp())
        self.address = self.writing.address
        self.name = name_of(at)

    def known(self, name: str) -> File | None:
        return None

    def add(self, name: str, source: int) -> Added:
        return self.writing.add(f"{MEDIA}{name}", source)

    def add_database(self, database: Copied) -> None:
        with database.path.open("rb") as file:
            self.writing.add(f"{DATABASE}{ENDINGS[database.kind]}", file.fileno())

    def add_key(self, folder: Path) -> Key:
        path = folder / KEY
        path.write_text(str(settings.SECRET_KEY))
        with path.open("rb") as file:
            added = self.writing.add(KEY, file.fileno())
        return Key(added.size, added.sha256)

    def left(self, database: Copied, progress: Progress) -> list[str]:
        names = {wanted.name for wanted in database.files}
        return sorted(name for name, outcome in progress.outcomes.items() if outcome.file and name not in names)

    def finish(self, manifest: Manifest) -> None:
        self.writing.finish(encoded(manifest))


class IntoStore:
    """A backup beside others, which has of the files what none of those has."""

    def __init__(self, mark: AtWork, at: datetime) -> None:
        store = self.store = mark.store
        self.address, self.warning = store.address, store.warning
        # Another one that is at work may have begun in the same second, and has no manifest yet. It is looked for
        # first: who is at work no more has one by now.
        number = 1000 + randbelow(9000) if mark.others(RUNNING) else 0
        manifests = manifests_of(store)
        same = [order_of(manifest.name)[1] for manifest in manifests if manifest.name.startswith(name_of(at))]
        number += max(same, default=-1) + 1  # behind those of the same second, of which some may be removed
        self.name = name_of(at, number)
        self.there = contents_of(store, manifests)
        self.before = {
            file.name: file
            for manifest in manifests
            for file in manifest.media
            if self.there.has(file.sha256, file.size)
        }

    def known(self, name: str) -> File | None:
        return self.before.get(name)

    def add(self, name: str, source: int) -> Added:
        added = self.store.add_media(source, self.there)
        is_first = self.there.note(added.sha256, added.size)
        return added._replace(is_new=added.is_new and is_first)

    def add_database(self, database: Copied) -> None:
        self.store.put(f"{DATABASES}/{self.name}.{ENDINGS[database.kind]}", database.path)

    def add_key(self, folder: Path) -> Key:
        content = str(settings.SECRET_KEY).encode()
        self.store.put(f"{KEYS}/{self.name}", content)
        return Key(len(content), hashlib.sha256(content).hexdigest())

    def left(self, database: Copied, progress: Progress) -> list[str]:
        return []

    def finish(self, manifest: Manifest) -> None:
        self.store.settle()
        self.store.put(f"{BACKUPS}/{self.name}.json", encoded(manifest))


Sink = IntoArchive | IntoStore


@contextmanager
def sink_at(target: str, at: datetime) -> Iterator[Sink]:
    """Yield where a backup goes; raise Refused where it can't go there."""
    if is_archive(target):
        archive = IntoArchive(target, at)
        try:
            yield archive
        finally:
            archive.writing.close()
        return
    store = store_at(target, is_to_begin=True)
    with told(store.address), AtWork(store, RUNNING) as mark:
        wait_for_pruning(mark)
        sweep_databases(mark)
        sink = IntoStore(mark, at)
        yield sink
