"""What is asked of object storage beside what all storages have in common: sums and lists of its files."""

from __future__ import annotations  # ObjectStorage is there for type checkers only

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings

if TYPE_CHECKING:  # what it needs is an extra
    from .s3 import ObjectStorage


class Found(NamedTuple):
    """A file as a list tells it."""

    name: str
    size: int
    modified_at: datetime


def in_bucket() -> bool:
    """Tell whether the media lie in object storage, so that no folder of this machine is more than a place on the way.

    Their journal is then in the database (`folio.media.pending`).
    """
    return settings.MEDIA_BUCKET is not None


def facts_of(storage: ObjectStorage, name: str) -> tuple[int, str]:
    """Return a file's size in bytes and its SHA-256 in hexadecimal digits, which it is read for only where need be."""
    size, digest = told_of(storage, name)
    return (size, digest) if digest else read(storage, name)


def told_of(storage: ObjectStorage, name: str) -> tuple[int, str]:
    """Return a file's size and SHA-256 as the storage tells them; an empty text where it knows no sum of the whole."""
    with storage.asking(name) as client:
        answer = client.head_object(**storage.of(name), ChecksumMode="ENABLED")
    checksum = answer.get("ChecksumSHA256", "")
    if "-" in checksum or answer.get("ChecksumType") == "COMPOSITE":  # one of the sums of parts
        checksum = ""
    return answer["ContentLength"], base64.b64decode(checksum).hex()


def read(storage: ObjectStorage, name: str) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with storage.open(name) as file:
        for chunk in file.chunks():
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def listed(storage: ObjectStorage, folder: str) -> Iterator[Found]:
    """Yield the files in a folder and below, by their names in order; one page of the list is kept at a time."""
    prefix = storage.key(folder).rstrip("/") + "/"
    start = len(prefix) - len(folder.rstrip("/")) - 1
    for page in storage.pages(prefix):
        for each in page.get("Contents", ()):
            if not each["Key"].endswith("/"):  # what stands for a folder
                yield Found(each["Key"][start:], each["Size"], each["LastModified"])
