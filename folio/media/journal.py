"""The files whose fate is undecided, on record until it is settled, so that they and their rows live and die together.

What writes files, or deletes rows that have files, keeps an entry in a folder: the names of the files in the storage.
Once its transaction has ended, whichever way, each of them that no row refers to is removed, and the entry with the
last. The process that made an entry holds a lock on it; whatever a dead one left is worked off by `recover()`. A name
in any entry is nobody else's to take, so a file that is removed is never one that another upload just wrote.

That is of the files in a folder. Those in a bucket have their journal in the database: `folio.media.pending`.
"""

from __future__ import annotations  # File[bytes] means something to type checkers only

import errno
import fcntl
import json
import logging
import os
import threading
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.storage import Storage
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import Error, connection, transaction
from django.utils.crypto import get_random_string

from folio.api.middleware import largest_body, too_large
from folio.installation import make_folder

from . import pending
from .bucket import in_bucket
from .models import FormerName, Media, RemovedFile, Thumbnail
from .removing import remove
from .variants import parse

logger = logging.getLogger(__name__)

BATCH = 500  # names that the database is asked for at a time
RESERVE = 8 * 1024 * 1024  # bytes of the disk that files leave free: what is deleted has to be written down, too


class Entry:
    """The names that a transaction, known by its outermost block, has put on record; or an operation outside of one.

    They stand in a file that is locked for as long as this object is open.
    """

    def __init__(self, path: Path, descriptor: int, block: object = None) -> None:
        self.path = path
        self.descriptor = descriptor
        self.block = block
        self.names = names_in(path)

    def add(self, name: str) -> None:
        line = f"{json.dumps(name)}\n".encode()
        if os.write(self.descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self.names.add(name)

    def close(self) -> None:
        os.close(self.descriptor)


class Mine(threading.local):
    """The open entries of this thread, which has a database connection of its own."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.operations = 0


mine = Mine()


@contextmanager
def operation() -> Iterator[None]:
    """Work off at the end, whichever it is, what the block has put on record; within a transaction, at the end of that.

    Files that are written before the transaction that refers to them are written in such a block.
    """
    mine.operations += 1
    is_committed = False
    try:
        yield
        is_committed = True
    finally:
        mine.operations -= 1
        settle(is_committed)


def claim(storage: Storage, path: str) -> str:
    """Return a name like `path` that is free in the storage and that nobody else will take; it is on record now.

    Call it in an `operation()`, or in the transaction that writes the row.
    """
    leave_room()
    entry = current()
    root, extension = os.path.splitext(path)
    with mutex() as folder:
        taken = entry.names.union(*(names_in(other) for other in entry_files(folder) if other != entry.path))
        name = storage.get_available_name(path, max_length=255)
        while name in taken:
            name = storage.get_available_name(f"{root}_{get_random_string(7)}{extension}", max_length=255)
        entry.add(name)
    return name


def leave_room(size: int = 0) -> None:
    """Raise what a full disk does where `size` bytes more would take from the reserve for uploads and database."""
    disk = os.statvfs(received_folder())
    if disk.f_bavail * disk.f_frsize < RESERVE + size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(settings.FILE_UPLOAD_TEMP_DIR))


def received_folder() -> Path:
    """Return the folder of what is being received, made where no server has run yet."""
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    make_folder(folder)
    return folder


def record(name: str) -> None:
    """Put a file on record whose row is deleted, or made to refer to another file, by the running transaction."""
    current().add(name)


def current() -> Entry:
    """Return the entry of the running transaction or operation, a new one where it has none."""
    if not (connection.in_atomic_block or mine.operations):
        raise transaction.TransactionManagementError("Files are written and removed in an operation() or transaction.")
    block = connection.atomic_blocks[0] if connection.in_atomic_block else None
    entry = next((entry for entry in mine.entries if entry.block is block), None)
    if entry is None:
        with mutex() as folder:
            path = folder / f"{uuid4().hex}.entry"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        entry = Entry(path, descriptor, block)
        mine.entries.append(entry)
    if block is not None:  # each time, as a savepoint that is rolled back takes what was said in it along
        transaction.on_commit(lambda: committed(entry), robust=True)
    return entry


def committed(entry: Entry) -> None:
    """Work an entry off as soon as its transaction is committed."""
    if entry in mine.entries:
        mine.entries.remove(entry)
        try:
            work_off(entry, unreferred(entry.names))
        except Error:
            mine.entries.append(entry)
            raise
    settle()


def settle(is_committed: bool = False, **kwargs: Any) -> None:
    """Work off what this thread's operations and transactions left that have ended: a rollback tells nobody.

    `is_committed` tells that the operation that ends now has succeeded. What the database can't be asked for stays for
    the next time. A receiver of `request_finished`.
    """
    if connection.in_atomic_block:
        return
    if not mine.operations:
        pending.settle()
    if not mine.entries:
        return
    for entry in [entry for entry in mine.entries if entry.block is not None or not mine.operations]:
        look = unreferred if is_committed and entry.block is None else surely_unreferred
        try:
            names = look(entry.names)
        except Error:
            logger.exception("Could not ask the database which files are used. They are looked at again later.")
            return
        mine.entries.remove(entry)
        work_off(entry, names)


def release() -> None:
    """Give up the open entries of this thread, so that the next `recover()` works them off."""
    while mine.entries:
        mine.entries.pop().close()
    pending.release()


def recover() -> int:
    """Work off what processes left that have died; return how many transactions and unfinished uploads that were.

    Names that no upload could get any more are forgotten as well: to be called once, at a server's start.
    """
    with mutex() as folder:
        entries = [Entry(path, locked) for path in entry_files(folder) if (locked := lock_of_dead(path)) is not None]
        uploads = remove_left_uploads()
    for number, entry in enumerate(entries):
        try:
            names = surely_unreferred(entry.names)
        except Error:
            for left in entries[number:]:
                left.close()
            raise
        work_off(entry, names)
    owners = pending.recover() if in_bucket() else 0
    FormerName.objects.forget()
    return len(entries) + uploads + owners


def work_off(entry: Entry, names: Set[str]) -> None:
    """Remove these files and the entry; where one can't be removed, the entry stays for the next `recover()`."""
    try:
        left = [name for name in sorted(names) if not remove(name)]
        if not left:
            entry.path.unlink(missing_ok=True)  # before the lock goes: who gets it then sees that it is done
    finally:
        entry.close()


def unreferred(names: Set[str]) -> set[str]:
    """Return those of the names that no row refers to, not even to say until when the file is kept.

    A variant has no row; who refers to its media's file refers to it.
    """
    owners = {name: variant.file if (variant := parse(name)) else name for name in names}
    found = referred(set(owners.values()), with_removed=True)
    return {name for name, owner in owners.items() if owner not in found}


def shown(names: Set[str]) -> set[str]:
    """Return those of the names that are a media's or a thumbnail's."""
    return referred(names, with_removed=False)


def referred(names: Set[str], *, with_removed: bool) -> set[str]:
    """Ask for all of a batch in one statement: a name that moves from one table to another is found in one of them."""
    found: set[str] = set()
    ordered = sorted(names)
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        media = Media.objects.order_by().filter(file__in=batch).values_list("file", flat=True)
        others: list[Any] = [Thumbnail.objects.order_by().filter(file__in=batch).values_list("file", flat=True)]
        if with_removed:
            kept = RemovedFile.objects.order_by().filter(name__in=batch, media_id__gt=pending.NOBODY)
            others.append(kept.values_list("name", flat=True))
        found.update(media.union(*others, all=True))
    return found


def surely_unreferred(names: Set[str]) -> set[str]:
    """Return what `unreferred()` does, after all that is being committed.

    PostgreSQL may still carry out the commit of a client that died, or that lost its connection, as it sent it.
    """
    if connection.vendor != "postgresql":
        return unreferred(names)
    with transaction.atomic():
        tables = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in (Media, Thumbnail, RemovedFile))
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {tables} IN SHARE MODE")
        left = unreferred(names)
        transaction.set_rollback(True)  # there is nothing to commit
    return left


@contextmanager
def mutex() -> Iterator[Path]:
    """Keep all other threads and processes from looking for names and locks; yield the journal's folder."""
    folder = Path(settings.JOURNAL_ROOT)
    make_folder(folder)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)


def entry_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.entry"))


def names_in(path: Path) -> set[str]:
    """Return the names in an entry's file; none where it has just gone."""
    names = set()
    with suppress(FileNotFoundError):
        for line in path.read_bytes().splitlines():
            with suppress(ValueError):  # half a line: its writer got no further, and so never used the name
                names.add(json.loads(line))
    return names


def lock_of_dead(path: Path) -> int | None:
    """Return a descriptor that holds the lock on a file, or None where someone alive holds it or the file is gone."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink:
            return descriptor
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


class UploadHandler(TemporaryFileUploadHandler):
    """Streams an upload to a temporary file, which is locked for as long as its process lives.

    It stops at what no request may have, whatever this one has declared.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        with mutex():
            super().new_file(*args, **kwargs)
            fcntl.flock(self.file.fileno(), fcntl.LOCK_EX)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > largest_body():
            raise RequestDataTooBig(too_large())
        with self.removed_on_failure():
            leave_room()
            super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> Any:
        with self.removed_on_failure():
            self.file.flush()
            os.fsync(self.file.fileno())  # here rather than in the transaction, in which others would wait for it
        return super().file_complete(file_size)

    @contextmanager
    def removed_on_failure(self) -> Iterator[None]:
        """Remove the file at once where the disk is full; left to Python's collector, it would keep it so."""
        try:
            yield
        except OSError:
            with suppress(OSError):  # to close it is to write what is left of it
                self.file.close()
            raise


def remove_left_uploads() -> int:
    """Remove the temporary files of uploads whose process has died, and return how many; to be called in `mutex()`."""
    count = 0
    for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.upload*"):
        descriptor = lock_of_dead(path)
        if descriptor is not None:
            path.unlink(missing_ok=True)
            os.close(descriptor)
            count += 1
    return count


def persist(storage: Storage, name: str) -> None:
    """Have a file of a local storage written to the disk: a crash of the machine must leave no row with half a file.

    Storages elsewhere have done it when they answer.
    """
    try:
        path = Path(storage.path(name))
    except NotImplementedError:
        return
    for place in (path, path.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
