"""Where backups are kept beside each other: a folder, or what lies below a prefix in a bucket.

`backups/NAME.json` are their manifests, `databases/` and `keys/` what each has of its own, `media/` the files, each
under the SHA-256 of its content, so that it is there once however many backups name it. `running/` and `pruning/` hold
the marks of those who are at work. docs/decisions/0067-backups.md tells why it is laid out so.
"""

from __future__ import annotations

import base64
import hashlib
import os
import posixpath
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings

from folio.installation import FILE, make_folder
from folio.media.models import FOLDER
from folio.outages import StorageAway
from folio.places import Bucket, bucket_at
from folio.server.refusing import Refused

MARK = "folio-backups"  # tells that backups are kept here
BACKUPS, DATABASES, KEYS, MEDIA = "backups", "databases", "keys", "media"
RUNNING, PRUNING = "running", "pruning"
PART = ".part"  # behind the name of what is not whole yet
BUFFER = 1024 * 1024  # bytes that are read, hashed and written at once
REFRESH = 30  # seconds after which a mark of one who is at work is renewed
DEAD = 150  # seconds without that after which nobody is at work


class Stored(NamedTuple):
    """A file in a store, as a list tells it."""

    size: int
    modified: float  # seconds since the epoch, by the clock of the store


class Added(NamedTuple):
    """What became of a file that was to be added."""

    size: int
    sha256: str
    is_new: bool


class Contents:
    """The media that are in a store, by their digests; several threads add to it."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.known_sizes: set[int] = set()
        self.turn = threading.Lock()

    def has(self, digest: str, size: int) -> bool:
        return self.sizes.get(digest) == size

    def has_size(self, size: int) -> bool:
        return size in self.known_sizes

    def note(self, digest: str, size: int) -> bool:
        """Note that a file is there, and tell whether it was not known before: two may have one content."""
        with self.turn:
            is_first = self.sizes.get(digest) != size
            self.sizes[digest] = size
            self.known_sizes.add(size)
        return is_first


def pieces(source: int) -> Iterator[memoryview]:
    """Yield what a descriptor has, in pieces that are gone with the next one."""
    buffer = memoryview(bytearray(BUFFER))
    while count := os.readv(source, [buffer]):
        yield buffer[:count]


def write_all(target: int, content: bytes | memoryview) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(target, view) :]


def digest_of(source: int) -> tuple[int, str]:
    sha256, size = hashlib.sha256(), 0
    for piece in pieces(source):
        sha256.update(piece)
        size += len(piece)
    return size, sha256.hexdigest()


def sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FolderStore:
    """A folder of this machine, or one that is mounted there."""

    is_whole = False  # a machine that lost its power may have left a file without its content
    warning = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.address = str(path)

    def place(self, name: str) -> Path:
        return self.path / name

    def files(self, folder: str) -> dict[str, Stored]:
        found = {}
        with suppress(FileNotFoundError), os.scandir(self.place(folder) if folder else self.path) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        found[entry.name] = Stored(status.st_size, status.st_mtime)
        return found

    def is_empty(self) -> bool:
        """Tell whether nothing is there, but for the draft of a mark: of another one who begins too, or was killed."""
        return not self.path.exists() or all(path.suffix == PART for path in self.path.iterdir())

    def open(self, name: str) -> Any:
        return self.place(name).open("rb", buffering=0)

    def digest_of(self, name: str) -> str:
        with self.open(name) as file:
            return digest_of(file.fileno())[1]

    @contextmanager
    def draft(self, name: str) -> Iterator[tuple[int, Path]]:
        path = self.place(name).with_name(f"{uuid4().hex}{PART}")
        make_folder(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE)
        try:
            yield descriptor, path
        finally:
            os.close(descriptor)
            path.unlink(missing_ok=True)

    def add_media(self, source: int, there: Contents) -> Added:
        if there.has_size(os.fstat(source).st_size):  # most likely it is there: then nothing is written
            size, digest = digest_of(source)
            if there.has(digest, size):
                return Added(size, digest, False)
            os.lseek(source, 0, os.SEEK_SET)
        sha256, size = hashlib.sha256(), 0
        with self.draft(f"{MEDIA}/-") as (target, path):
            for piece in pieces(source):
                sha256.update(piece)
                write_all(target, piece)
                size += len(piece)
            digest = sha256.hexdigest()
            path.replace(self.place(f"{MEDIA}/{digest}"))
        return Added(size, digest, True)

    def put(self, name: str, content: bytes | Path) -> None:
        with self.draft(name) as (target, path):
            if isinstance(content, Path):
                with content.open("rb", buffering=0) as file:
                    for piece in pieces(file.fileno()):
                        write_all(target, piece)
            else:
                write_all(target, content)
            os.fsync(target)
            path.replace(self.place(name))
        sync_folder(self.place(name).parent)

    def settle(self) -> None:
        """Have all that was added on the disk: one request for all files, before the manifest that names them."""
        os.sync()

    def delete(self, name: str) -> None:
        self.place(name).unlink(missing_ok=True)


class BucketStore:
    """What lies below a prefix in a bucket."""

    is_whole = True  # each was compared with its digest when it was put

    def __init__(self, text: str) -> None:
        bucket = bucket_at("The place of the backups", text)
        self.warning = beside_media(bucket, text)
        from folio.media.s3 import ObjectStorage  # needs what is installed for it alone

        self.storage = ObjectStorage(bucket)
        self.storage.reach.begins = "%s That is where backups are kept."
        self.storage.reach.address = text
        self.address = text

    def files(self, folder: str) -> dict[str, Stored]:
        from folio.media.bucket import listed

        found = {}
        if not folder:
            for page in self.storage.pages(f"{self.storage.location}/".lstrip("/"), Delimiter="/"):
                for each in page.get("Contents", ()):
                    found[each["Key"].rpartition("/")[2]] = Stored(each["Size"], each["LastModified"].timestamp())
            return found
        for each in listed(self.storage, folder):
            name = each.name.removeprefix(f"{folder}/")
            if "/" not in name:
                found[name] = Stored(each.size, each.modified_at.timestamp())
        return found

    def is_empty(self) -> bool:
        prefix = f"{self.storage.location}/".lstrip("/")
        return not any(page.get("Contents") for page in self.storage.pages(prefix, PaginationConfig={"MaxItems": 1}))

    def open(self, name: str) -> Any:
        return self.storage.open(name)

    def digest_of(self, name: str) -> str:
        from folio.media.bucket import facts_of

        return facts_of(self.storage, name)[1]

    def add_media(self, source: int, there: Contents) -> Added:
        size, digest = digest_of(source)
        if there.has(digest, size):
            return Added(size, digest, False)
        os.lseek(source, 0, os.SEEK_SET)
        with os.fdopen(os.dup(source), "rb") as file:
            self.send(f"media/{digest}", file, size, digest)
        return Added(size, digest, True)

    def put(self, name: str, content: bytes | Path) -> None:
        if isinstance(content, bytes):
            self.send(name, content, len(content), hashlib.sha256(content).hexdigest())
            return
        with content.open("rb") as file:
            size, digest = digest_of(file.fileno())
            file.seek(0)
            self.send(name, file, size, digest)

    def send(self, name: str, body: Any, size: int, digest: str) -> None:
        checksum = base64.b64encode(bytes.fromhex(digest)).decode()
        with self.storage.asking(name) as client:
            client.put_object(
                **self.storage.of(name),
                Body=body,
                ContentLength=size,
                ContentType="application/octet-stream",
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=checksum,
            )

    def settle(self) -> None:
        """Do nothing: what was put is stored when the bucket answers."""

    def delete(self, name: str) -> None:
        self.storage.delete(name)


AnyStore = FolderStore | BucketStore


def store_at(target: str, *, is_to_begin: bool = False) -> AnyStore:
    """Return the store at an address; raise Refused where there is none.

    With `is_to_begin` it may begin there, in an empty place.
    """
    store: AnyStore
    if "://" in target:
        store = BucketStore(target)
        if is_to_begin and store.warning and settings.FILES_URL:
            raise Refused(
                f"{target} is in the bucket of the media, which visitors read at {settings.FILES_URL} "
                "(FOLIO_MEDIA_URL): they could read the backups too. Keep backups in a bucket of their own."
            )
        if store.storage.location.endswith(".tar"):
            raise Refused(
                f"{target} would be an archive in a bucket. Archives are files; a bucket is a store of backups."
            )
    else:
        path = Path(target).resolve()
        if path.exists() and not path.is_dir():
            raise Refused(f"{path} is a file. Name a folder, or an archive that ends in .tar.")
        refuse_own(path)
        if path == Path(settings.DATA_DIR).resolve():
            raise Refused(f"{path} is the data folder. Keep backups in a folder of their own, best on another disk.")
        store = FolderStore(path)
    with told(store.address):
        is_empty = store.is_empty()  # asked first: another one who begins meanwhile has put the mark by then
        if MARK not in store.files(""):
            if not is_empty:
                raise Refused(
                    f"{store.address} holds other things than backups of Folio's. Name a place of its own: an "
                    "empty one, or one that is not there yet."
                )
            if not is_to_begin:
                raise Refused(f"There are no backups in {store.address}.")
            store.put(MARK, b"Backups of a Folio. Look at them with: folio backup --list\n")
    return store


def beside_media(bucket: Bucket, text: str) -> str:
    """Return a warning where a bucket is that of the media, "" elsewhere; raise Refused for their very place."""
    media = settings.MEDIA_BUCKET
    if media is None or (bucket.name, provider(bucket)) != (media.name, provider(media)):
        return ""
    folder = posixpath.join(media.prefix, FOLDER)
    if bucket.prefix == media.prefix or f"{bucket.prefix}/".startswith(f"{folder}/"):
        raise Refused(f"{text} is where the media lie. Keep backups elsewhere, best in a bucket of their own.")
    return (
        f"The backups lie in the bucket of the media, {media.name}: what happens to one happens to both, and whoever "
        "may read it all reads the backups too. Better keep them in a bucket of their own."
    )


def provider(bucket: Bucket) -> str:
    """Return the host that has a bucket: Amazon is one, however it is asked."""
    host = urlsplit(bucket.endpoint or "").netloc.lower()
    return "" if host.endswith(".amazonaws.com") else host


def refuse_own(path: Path) -> None:
    """Raise Refused for a place within the media."""
    media = Path(settings.MEDIA_ROOT).resolve()
    if media in {path, *path.parents}:
        raise Refused(f"{path} belongs to the installation itself. Keep backups elsewhere, best on another disk.")


@contextmanager
def told(address: str, after: str = "") -> Iterator[None]:
    """Raise Refused, in a sentence, for what goes wrong with a storage in the block."""
    try:
        yield
    except StorageAway as error:
        raise Refused(f"{address} failed: {error}{after and f' {after}'}") from error
    except OSError as error:
        where = f" ({os.fsdecode(error.filename)})" if error.filename else ""
        reason = error.strerror or str(error) or type(error).__name__
        raise Refused(f"{address} failed: {reason}{where}.{after and f' {after}'}") from error


# Who is at work


class AtWork:
    """A mark in a store that is renewed for as long as the block lasts, so that others know of it.

    Times are the store's own, so that no two machines' clocks are compared. A mark that nobody renews is nobody's.
    """

    def __init__(self, store: AnyStore, folder: str) -> None:
        self.store = store
        self.folder = folder
        self.name = uuid4().hex
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.renew, name="backup mark", daemon=True)

    def __enter__(self) -> AtWork:
        self.mark()
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.is_over.set()
        self.thread.join()
        with suppress(OSError, StorageAway):
            self.store.delete(f"{self.folder}/{self.name}")

    def mark(self) -> None:
        self.store.put(f"{self.folder}/{self.name}", b"")

    def renew(self) -> None:
        while not self.is_over.wait(REFRESH):
            with suppress(OSError, StorageAway):
                self.mark()

    def others(self, folder: str) -> bool:
        """Tell whether anyone else is at work there; marks of those who died are removed."""
        self.mark()
        now = self.store.files(self.folder)[self.name].modified
        is_any = False
        for name, found in self.store.files(folder).items():
            if name == self.name:
                continue
            if now - found.modified > DEAD:
                self.store.delete(f"{folder}/{name}")
            elif not name.endswith(PART):
                is_any = True
        return is_any
