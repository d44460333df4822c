"""What Folio needs of object storage, tried out: `folio check` asks for it before anybody uploads."""

import posixpath
from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import storages

from folio.outages import StorageAway

from .models import FOLDER
from .s3 import NameTaken, ObjectStorage

CONTENT = b"0123456789"
NEEDED = "See what Folio needs of it in docs/guides/object-storage.md."


def broken_promises() -> Iterator[str]:
    """Put a small file into the bucket, ask for it, and remove it; yield what does not go as it must.

    Nothing is yielded where there is no bucket.
    """
    storage = storages["default"]
    if not isinstance(storage, ObjectStorage):
        return
    name = f"{FOLDER}/folio-check-{uuid4().hex}.txt"
    try:
        storage.look()
        put(storage, name, CONTENT)
    except StorageAway as error:
        yield f"Files can't be stored. {error}"
        return
    try:
        yield from kept_badly(storage, name)
    except (StorageAway, OSError) as error:
        yield f"Files can't be served. {error}"
    finally:
        with suppress(StorageAway):
            storage.delete(name)
    with suppress(StorageAway):
        if storage.exists(name):
            yield f"{storage.place} did not remove {name}. Its keys need s3:DeleteObject."


def put(storage: ObjectStorage, name: str, content: bytes) -> None:
    storage._save(name, ContentFile(content))


def kept_badly(storage: ObjectStorage, name: str) -> Iterator[str]:
    """Yield which promises are not kept about a file that was put just now."""
    try:
        put(storage, name, b"another one's")
    except NameTaken:
        pass
    else:
        yield f"{storage.place} puts one file over another in spite of `If-None-Match: *`. {NEEDED}"
        return
    body = storage.receive(name, "bytes=2-4")["Body"]
    try:
        part = body.read()
    finally:
        body.close()
    if part != CONTENT[2:5]:
        yield f"{storage.place} does not serve parts of files. {NEEDED}"
    folder, file = posixpath.split(name)
    if file not in storage.listdir(folder)[1]:
        yield f"{storage.place} does not list a file that was stored a moment ago. {NEEDED}"


def state() -> str:
    """Return in a word whether the bucket can be read, for whoever asks `/readyz`."""
    storage = storages["default"]
    try:
        if isinstance(storage, ObjectStorage):
            storage.look()
    except StorageAway as error:
        return "no answer" if error.kind == "no answer" else "refuses"
    return "ok"
