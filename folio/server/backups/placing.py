"""Media files put where they belong, in a folder or a bucket, and those removed that belong there no more."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from django.conf import settings
from django.core.files import File as DjangoFile
from django.core.files.storage import default_storage

from folio.installation import make_folder
from folio.media.bucket import in_bucket
from folio.media.checking import stored_files
from folio.media.models import FormerName
from folio.media.renewing import AT_A_TIME, chunks
from folio.media.variants import parse
from folio.server.refusing import Refused

from .manifest import File
from .sources import Source
from .stores import digest_of

DRAFT = ".restoring"  # behind the name of a local file that is not whole yet
THREADS = 4


class Received(DjangoFile):  # type: ignore[type-arg]
    """A file of a backup as a storage takes it, whose digest is known once it was read."""

    def __init__(self, source: Source, file: File) -> None:
        super().__init__(None, file.name)
        self.source = source
        self.part = source.part(file)
        self.size = file.size
        self.sha256 = hashlib.sha256()

    def chunks(self, chunk_size: int | None = None) -> Iterator[Any]:
        for piece in self.source.read(self.part):
            self.sha256.update(piece)
            yield bytes(piece)  # by which a storage knows that it is no text


def add_all(source: Source, bar: Any) -> list[File]:
    """Add all files of a backup that are not there, and return those whose names others have, of another content."""
    with ThreadPoolExecutor(THREADS, "restore") as pool:
        collisions = []
        for batch in chunks(iter(source.manifest.media), AT_A_TIME):
            for file, is_there in zip(batch, pool.map(lambda file: add(source, file), batch), strict=True):
                if not is_there:
                    collisions.append(file)
                bar.update(1)
    if not in_bucket():
        os.sync()
    return collisions


def add(source: Source, file: File) -> bool:
    """Add a file, and tell whether it is there as it should be: not where another one has the name."""
    return add_to_bucket(source, file) if in_bucket() else add_to_folder(source, file)


def add_to_folder(source: Source, file: File) -> bool:
    path = Path(default_storage.path(file.name))
    if os.path.lexists(path):
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb", buffering=0) as there:
            is_same = digest_of(there.fileno()) == (file.size, file.sha256)
        if is_same:
            set_moment(path, file)
        return is_same
    draft = Path(default_storage.path(file.name + DRAFT))
    draft.unlink(missing_ok=True)
    received = Received(source, file)
    default_storage.save(file.name + DRAFT, received)
    try:
        refuse_changed(source, file, received.sha256.hexdigest())
        set_moment(draft, file)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return True


def set_moment(path: Path, file: File) -> None:
    """Have a file be as old as it was: clients are told of it, and the next backup knows it by that."""
    if file.modified:
        moment = round(file.modified * 1e6) * 1000
        os.utime(path, ns=(moment, moment))


def add_to_bucket(source: Source, file: File) -> bool:
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    make_folder(folder)
    with TemporaryFile(dir=folder) as temporary:
        received = Received(source, file)
        for piece in received.chunks():
            temporary.write(piece)
        refuse_changed(source, file, received.sha256.hexdigest())
        temporary.seek(0)
        try:
            default_storage._save(file.name, DjangoFile(temporary, file.name))  # type: ignore[attr-defined]
        except FileExistsError:
            from folio.media.bucket import facts_of

            return facts_of(default_storage, file.name) == (file.size, file.sha256)  # type: ignore[arg-type]
    return True


def refuse_changed(source: Source, file: File, digest: str) -> None:
    if digest != file.sha256:
        raise Refused(f"{source.address} has changed since it was checked: {file.name} is another one now.")


def replace_all(source: Source, collisions: list[File]) -> None:
    """Put those files in the place of others of their names."""
    for file in collisions:
        if in_bucket():
            default_storage.delete(file.name)
        else:
            path = Path(default_storage.path(file.name))
            if path.is_dir() and not path.is_symlink():
                raise Refused(f"{path} is a folder, where a file has to be. Move it away, and give the same command.")
            path.unlink(missing_ok=True)
        for name in variants_of(file.name):
            default_storage.delete(name)
        if not add(source, file):
            raise Refused(f"{file.name} could not be put in its place.")


def variants_of(name: str) -> list[str]:
    from folio.media.removing import companions

    return [found for find in companions for found in find(name)]


def remove_others(source: Source) -> int:
    """Remove the media files that the backup knows nothing of, and return how many; variants of its own may stay.

    Their names are not given to others: browsers and CDNs may have kept what they were.
    """
    names = {file.name for file in source.manifest.media}
    count = 0
    for batch in chunks(stored_files(default_storage), AT_A_TIME):
        gone = [file.name for file in batch if file.name not in names and not is_variant_of(file.name, names)]
        remembered = [name for name in gone if len(name) <= 255 and parse(name) is None and name.isprintable()]
        FormerName.objects.remember(remembered)
        for name in gone:
            with suppress(FileNotFoundError):
                default_storage.delete(name)
        count += len(gone)
    return count


def is_variant_of(name: str, names: set[str]) -> bool:
    variant = parse(name)
    return variant is not None and variant.file in names


def is_any_there() -> bool:
    return next(stored_files(default_storage), None) is not None
