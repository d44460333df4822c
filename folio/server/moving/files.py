"""Files: copied as they are, each compared with what arrived; what arrived before is left."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, default_storage

from folio.installation import make_file
from folio.media.checking import stored_files
from folio.media.journal import persist
from folio.media.models import Media, RemovedFile, Thumbnail
from folio.media.renewing import AT_A_TIME, chunks
from folio.media.variants import parse
from folio.places import bucket_at

from . import SOURCE, Refused

THREADS = 8  # files at a time: most of the time storages are waited for
CHUNK = 1024 * 1024
BEGUN = "moving"  # in the data folder: where files are being copied to
DRAFT = ".moving"  # behind the name of a local file that is not whole yet
MULTIPART = "-"  # in the ETag of what was put in parts, which is no digest


class Wanted(NamedTuple):
    """A file that is to be there."""

    name: str
    sha256: str = ""  # as its row says, where it does
    is_needed: bool = True  # else it may be gone: a variant, or what was to be removed


class Copied(NamedTuple):
    """What became of a file."""

    size: int = 0
    fault: str = ""
    has_arrived: bool = True  # as it was, be that right or not
    was_there: bool = False
    is_absent: bool = False  # and nothing is wrong with that


class Digests(NamedTuple):
    size: int
    sha256: str
    md5: str


class Place:
    """A storage that files are copied into."""

    def __init__(self, text: str) -> None:
        self.storage, self.address, self.mark = storage_at(text)
        self.has_begun = begun() == self.mark

    def refuse_unless_empty(self) -> None:
        """Raise Refused where files are there that an earlier, interrupted move has not brought."""
        if self.has_begun:
            return
        with told(self.address):
            first = next(stored_files(self.storage), None)
        if first is not None:
            raise Refused(
                f"{self.address} is not empty: it holds files, such as {first.name}. Nothing was written. Name another "
                "place: a bucket or prefix, or a folder, that holds nothing of Folio's."
            )

    def begin(self) -> None:
        """Note that files are copied to this place from now on, so that the next attempt knows them for its own."""
        path = settings.DATA_DIR / BEGUN
        make_file(path)
        path.write_text(json.dumps(self.mark))

    def end(self) -> None:
        (settings.DATA_DIR / BEGUN).unlink(missing_ok=True)


def begun() -> str:
    """Return where an earlier move has begun to copy files to, "" where none did."""
    with suppress(FileNotFoundError, ValueError):
        return str(json.loads((settings.DATA_DIR / BEGUN).read_text()))
    return ""


def storage_at(text: str) -> tuple[Storage, str, str]:
    """Return a storage, how it is called, and what it is however it is called.

    Raise ImproperlyConfigured or Refused for none, or for the source's.
    """
    if "://" in text:
        bucket = bucket_at("--media", text)
        from folio.media.s3 import ObjectStorage  # needs what is installed for it alone

        if bucket == settings.MEDIA_BUCKET:
            raise Refused("--media names the bucket in which the files lie already.")
        return ObjectStorage(bucket), text, str(tuple(bucket))
    path = Path(text).resolve()
    source = default_storage.path("") if isinstance(default_storage, FileSystemStorage) else None
    if source is not None and path == Path(source).resolve():
        raise Refused("--media names the folder in which the files lie already.")
    return FileSystemStorage(path), str(path), str(path)


class told:
    """Raises Refused, in a sentence, for what goes wrong with a storage in the block."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, storage_errors()):
            reason = " ".join(str(error).split()) or type(error).__name__
            keys = " Its keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY." if "redential" in reason else ""
            raise Refused(
                f"{self.address} failed: {reason}.{keys} What was copied stays; go on with the same command."
            ) from error


def storage_errors() -> tuple[type[Exception], ...]:
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        return (OSError,)
    return (OSError, BotoCoreError, ClientError)


# What is to be there


def count_of_files() -> int:
    """Return how many files rows name."""
    return sum(rows.using(SOURCE).count() for rows in (Media.objects, Thumbnail.objects, RemovedFile.objects))


def wanted_files() -> Iterator[Wanted]:
    """Yield what rows name, and then the variants of it that there are."""
    for name, sha256 in rows_of(Media, "file", "sha256"):
        yield Wanted(name, sha256)
    for (name,) in rows_of(Thumbnail, "file"):
        yield Wanted(name)
    for (name,) in rows_of(RemovedFile, "name"):
        yield Wanted(name, is_needed=False)
    for files in chunks(stored_files(default_storage), AT_A_TIME):
        variants = {file.name: variant.file for file in files if (variant := parse(file.name)) is not None}
        owners = set(variants.values())
        known: set[str] = set()
        known.update(Media.objects.using(SOURCE).filter(file__in=owners).values_list("file", flat=True))
        known.update(RemovedFile.objects.using(SOURCE).filter(name__in=owners).values_list("name", flat=True))
        yield from (Wanted(name, is_needed=False) for name, owner in variants.items() if owner in known)


def rows_of(model: Any, *fields: str) -> Iterator[tuple[str, ...]]:
    """Yield these fields of all rows; no cursor stays open while files are copied."""
    last = 0
    rows = model.objects.using(SOURCE).order_by("pk").values_list("pk", *fields)
    while batch := list(rows.filter(pk__gt=last)[:AT_A_TIME]):
        last = batch[-1][0]
        for _, *found in batch:
            yield tuple(map(str, found))


# Copying


def copy_all(place: Place, tell: Callable[[Wanted, Copied], object]) -> None:
    """Copy all files, several at a time; raise Refused where a storage fails."""
    with told(place.address), ThreadPoolExecutor(THREADS) as pool:
        for batch in chunks(wanted_files(), AT_A_TIME):
            for wanted, copied in zip(batch, pool.map(lambda each: copy(each, place), batch), strict=True):
                tell(wanted, copied)


def copy(wanted: Wanted, place: Place) -> Copied:
    """Copy a file unless it is there, and compare what is there then."""
    try:
        with default_storage.open(wanted.name) as opened:
            return copy_opened(wanted, opened, place)
    except FileNotFoundError:
        return Copied(fault="is not there") if wanted.is_needed else Copied(is_absent=True)
    except (SuspiciousFileOperation, IsADirectoryError, PermissionError) as error:
        return Copied(fault=f"can't be read: {error}")


def copy_opened(wanted: Wanted, opened: File[bytes], place: Place) -> Copied:
    digests = digests_of(opened)
    if wanted.sha256 and wanted.sha256 != digests.sha256:
        fault = "has another content than was stored, by its SHA-256"
    else:
        fault = ""
    if place.has_begun and holds(place.storage, wanted.name, digests):
        return Copied(digests.size, fault, was_there=True)
    opened.seek(0)
    try:
        put(place.storage, wanted.name, opened)
    except FileExistsError:
        if holds(place.storage, wanted.name, digests):
            return Copied(digests.size, fault, was_there=True)
        return Copied(digests.size, "has another content in the target: delete it there", has_arrived=False)
    if not holds(place.storage, wanted.name, digests):
        return Copied(digests.size, "did not arrive as it is: delete it in the target", has_arrived=False)
    return Copied(digests.size, fault)


def digests_of(file: Any) -> Digests:
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    while chunk := file.read(CHUNK):
        sha256.update(chunk)
        md5.update(chunk)
        size += len(chunk)
    return Digests(size, sha256.hexdigest(), md5.hexdigest())


def put(storage: Any, name: str, opened: File[bytes]) -> None:
    """Store a file under that very name, whole or not at all; raise FileExistsError where there is one."""
    if not isinstance(storage, FileSystemStorage):
        storage._save(name, opened)  # `save` would ask for another name first
        return
    draft = storage.path(name + DRAFT)
    Path(draft).unlink(missing_ok=True)  # a killed move's
    storage.save(name + DRAFT, opened)
    try:
        os.link(draft, storage.path(name))
    finally:
        os.unlink(draft)
    persist(storage, name)


def holds(storage: Any, name: str, digests: Digests) -> bool:
    """Tell whether a storage holds a file of that content under a name.

    S3 tells a digest of what it has: the SHA-256 where it was asked to keep one, and of what was put in one piece most
    often the MD5 as ETag. Where it tells neither, or another, the file is read.
    """
    if isinstance(storage, FileSystemStorage):
        try:
            with storage.open(name) as file:
                return digests_of(file) == digests
        except FileNotFoundError:
            return False
    head = head_of(storage, name)
    if head is None or head["ContentLength"] != digests.size:
        return False
    if (checksum := head.get("ChecksumSHA256")) and MULTIPART not in checksum:
        return base64.b64decode(checksum).hex() == digests.sha256
    if head["ETag"].strip('"') == digests.md5:
        return True
    with storage.open(name) as file:
        return digests_of(file) == digests


def head_of(storage: Any, name: str) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    client = storage.connection.meta.client
    try:
        found: dict[str, Any] = client.head_object(
            Bucket=storage.bucket_name, Key=storage.key(name), ChecksumMode="ENABLED"
        )
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    return found
