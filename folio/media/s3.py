"""Media in S3-compatible storage: by django-storages, with what Folio needs beyond it.

Each object is put whole, in one request, by which S3 compares the bytes with their digest and refuses a name that is
taken. It carries all that an answer says of it, so that a CDN or a signed URL serves it as Folio does.
"""

import base64
import hashlib
import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, Any
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from django.conf import settings
from django.core.files import File
from django.utils.encoding import filepath_to_uri
from storages.backends.s3 import S3Storage

from folio.installation import make_folder
from folio.outages import StorageAway
from folio.places import Bucket

from .headers import CACHE_CONTROL, START_SIZE, content_type_of, disposition_of
from .reaching import NO_ANSWER, Reach

CONNECT_SECONDS = 3
ATTEMPTS = 2  # in all, of a request that was not answered
CONNECTIONS = 64  # that are kept open: one for each thread of a worker
PIECE = 64 * 1024  # bytes that are received at a time
MARK = "put"  # in an object's metadata: which put has made it
CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)")


class NameTaken(FileExistsError):
    """There is a file of that name already."""


class NotThere(Exception):
    """A file has none of the bytes that were asked for, or is another one than was meant."""


class ObjectStorage(S3Storage):
    """A bucket, or what lies below a prefix in one. Its client is shared by all threads, as boto3 allows.

    What is asked raises FileNotFoundError or StorageAway, and nothing of boto3's own.
    """

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(
            bucket_name=bucket.name,
            location=bucket.prefix,
            endpoint_url=bucket.endpoint,
            region_name=bucket.region,
            addressing_style=bucket.addressing,
            file_overwrite=False,
            client_config=Config(
                s3={"addressing_style": bucket.addressing or "auto"},
                signature_version="s3v4",
                connect_timeout=CONNECT_SECONDS,
                read_timeout=settings.STORAGE_SECONDS,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                max_pool_connections=CONNECTIONS,
                # Others than Amazon need not know the checksums that boto3 adds by itself; each file has one anyway.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        self.place = f"s3://{bucket.name}" + (f" at {bucket.endpoint}" if bucket.endpoint else "")
        self.reach = Reach(self.place, CONNECT_SECONDS + settings.STORAGE_SECONDS)
        self.making = Lock()
        self.made: Any = None

    @property
    def connection(self) -> Any:
        """Return boto3's resource, made at the first use: it takes a tenth of a second, and reads the keys."""
        with self.making:
            if self.made is None:
                session = boto3.Session()
                region = self.region_name or session.region_name or "us-east-1"
                self.made = session.resource(
                    "s3", region_name=region, endpoint_url=self.endpoint_url, config=self.client_config
                )
            return self.made

    @contextmanager
    def asking(self, name: str = "") -> Iterator[Any]:
        """Yield boto3's client, whose errors become ours."""
        with self.reach.asking(name):
            yield self.connection.meta.client

    def key(self, name: str) -> str:
        return str(self._normalize_name(posixpath.normpath(name)))

    def of(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket_name, "Key": self.key(name)}

    # Put and removed

    def _save(self, name: str, content: "File[bytes]") -> str:
        """Put a file under a name that is nobody's yet; raise NameTaken where it is somebody's."""
        mark = uuid4().hex
        headers = {
            "ContentType": content_type_of(name, lambda: beginning(content)),
            "ContentDisposition": disposition_of(name),
            "CacheControl": CACHE_CONTROL,
            "ChecksumAlgorithm": "SHA256",
            "ChecksumSHA256": digest(content),
            "Metadata": {MARK: mark},
        }
        for is_last in (False, True):
            content.seek(0)
            try:
                with self.asking(name) as client:
                    client.put_object(**self.of(name), Body=content, IfNoneMatch="*", **headers)
            except ClientError as error:
                if self.is_put(name, mark):  # by an attempt whose answer was lost
                    return name
                is_conflict = status_of(error) == 409 and not self.exists(name)
                if is_conflict and not is_last:
                    continue
                if is_conflict:
                    raise StorageAway(f"{self.place} refuses {name}: another put or removal of it goes on.") from error
                raise NameTaken(name) from error
            return name
        raise AssertionError

    def is_put(self, name: str, mark: str) -> bool:
        """Tell whether there is a file that was put under that mark."""
        try:
            return bool(self.head(name).get("Metadata", {}).get(MARK) == mark)
        except FileNotFoundError:
            return False

    def delete(self, name: str) -> None:
        with self.asking(name) as client:
            client.delete_object(**self.of(name))

    # Asked

    def head(self, name: str) -> dict[str, Any]:
        with self.asking(name) as client:
            found: dict[str, Any] = client.head_object(**self.of(name))
        return found

    def exists(self, name: str) -> bool:
        try:
            self.head(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        return int(self.head(name)["ContentLength"])

    def get_modified_time(self, name: str) -> datetime:
        moment: datetime = self.head(name)["LastModified"]
        return moment

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        """Return the names of the folders and files in a folder; none where nothing lies below that name."""
        folder = f"{self.key(name)}/" if name else f"{self.location}/".lstrip("/")
        folders: list[str] = []
        files: list[str] = []
        for page in self.pages(folder, Delimiter="/"):
            folders += [each["Prefix"].removeprefix(folder).rstrip("/") for each in page.get("CommonPrefixes", ())]
            files += [each["Key"].removeprefix(folder) for each in page.get("Contents", ()) if each["Key"] != folder]
        return folders, files

    def names_from(self, start: str) -> list[str]:
        """Return the names that begin so, in order: by a list of those alone, however many others there are."""
        before = len(self.location) + 1 if self.location else 0
        return [each["Key"][before:] for page in self.pages(self.key(start)) for each in page.get("Contents", ())]

    def pages(self, prefix: str, **options: Any) -> Iterator[Any]:
        with self.asking(prefix) as client:
            listed = client.get_paginator("list_objects_v2")
            pages = iter(listed.paginate(Bucket=self.bucket_name, Prefix=prefix, **options))
        while True:
            with self.asking(prefix):
                page = next(pages, None)
            if page is None:
                return
            yield page

    def look(self) -> None:
        """Ask for as little as tells whether the bucket can be read."""
        with self.asking() as client:
            client.list_objects_v2(Bucket=self.bucket_name, Prefix=self.location, MaxKeys=1)

    # Received

    def receive(self, name: str, asked: str = "", etag: str = "") -> dict[str, Any]:
        """Begin to receive a file, or those bytes of it, if it still is the one with that ETag.

        Raises NotThere where it isn't, or has no such bytes. Close the `Body`, or read it to its end.
        """
        conditions = {**({"Range": asked} if asked else {}), **({"IfMatch": etag} if etag else {})}
        try:
            with self.asking(name) as client:
                answer: dict[str, Any] = client.get_object(**self.of(name), **conditions)
        except ClientError as error:
            raise NotThere(name) from error
        return answer

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        """Receive a file into one without a name, on the disk of the uploads."""
        if mode != "rb":
            raise ValueError(f"Files in object storage are read or put whole, not opened by {mode!r}.")
        answer = self.receive(name)
        folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
        make_folder(folder)
        received = TemporaryFile(dir=folder)  # noqa: SIM115 - whoever has opened it closes it
        try:
            body = Arriving(self, name, answer, range(answer["ContentLength"]))
            try:
                while piece := body.read(PIECE):
                    received.write(piece)
            finally:
                body.close()
            received.flush()
            received.seek(0)
        except BaseException:
            received.close()
            raise
        return File(received, name)

    # Addresses

    @property
    def base_url(self) -> str:
        """Return what stands before a name in its URL, as a local storage's."""
        return str(settings.MEDIA_URL)

    def url(self, name: str, *arguments: Any, **named: Any) -> str:
        """Return the URL that answers show: it holds no signature, and stays the same."""
        return f"{self.base_url}{filepath_to_uri(name).lstrip('/')}"

    def signed_url(self, name: str, seconds: int, content_type: str) -> str:
        """Return a URL of the bucket's by which anyone may get that file for so long, under that type."""
        parameters = {
            **self.of(name),
            "ResponseContentType": content_type,
            "ResponseContentDisposition": disposition_of(name),
            "ResponseCacheControl": CACHE_CONTROL,
        }
        with self.asking(name) as client:
            return str(client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds))


class Arriving:
    """Bytes of an object that are being received, to be read once; closing it gives the connection back.

    Where that breaks, the rest is asked for by another one: a client that takes minutes for a film holds it longer
    than some servers keep one open.
    """

    def __init__(self, storage: ObjectStorage, name: str, answer: dict[str, Any], sent: range) -> None:
        self.storage = storage
        self.name = name
        self.etag: str = answer["ETag"]
        self.body: IO[bytes] = answer["Body"]
        self.sent = sent
        self.place = sent.start
        self.asked_at = -1  # the place at which it was last asked for again

    def read(self, size: int) -> bytes:
        wanted = min(size, self.sent.stop - self.place)
        if not wanted:
            return b""
        try:
            piece = self.body.read(wanted)
        except NO_ANSWER:
            piece = b""
        if not piece:
            piece = self.read_again(wanted)
        self.place += len(piece)
        return piece

    def read_again(self, wanted: int) -> bytes:
        """Ask for the rest, and read of it; once at each place."""
        self.close()
        if self.asked_at == self.place:
            raise self.broken()
        self.asked_at = self.place
        try:
            answer = self.storage.receive(self.name, f"bytes={self.place}-{self.sent.stop - 1}", self.etag)
        except (FileNotFoundError, NotThere) as error:
            raise self.broken() from error
        self.body = answer["Body"]
        with self.storage.asking(self.name):
            piece = self.body.read(wanted)
        if not piece:
            raise self.broken()
        return piece

    def broken(self) -> StorageAway:
        return StorageAway(f"{self.storage.place} broke off {self.name} at byte {self.place:,}.", "broken off")

    def close(self) -> None:
        self.body.close()


def received_range(answer: dict[str, Any]) -> tuple[range, int]:
    """Return which bytes of an object an answer has, and how many the object has."""
    match = CONTENT_RANGE.fullmatch(answer.get("ContentRange", ""))
    if match is None:
        return range(answer["ContentLength"]), int(answer["ContentLength"])
    first, last, size = map(int, match.groups())
    return range(first, last + 1), size


def status_of(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def beginning(content: "File[bytes]") -> bytes:
    content.seek(0)
    return bytes(content.read(START_SIZE))


def digest(content: "File[bytes]") -> str:
    """Return the SHA-256 of a file's bytes as S3 takes it."""
    content.seek(0)
    sha256 = hashlib.sha256()
    while piece := content.read(PIECE):
        sha256.update(piece)
    return base64.b64encode(sha256.digest()).decode()
