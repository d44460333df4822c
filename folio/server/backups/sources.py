"""A backup as it is read: from an archive, or from among those of a store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import zstandard

from folio.server.refusing import Refused

from .archives import DATABASE, KEY, Archive, is_archive
from .archives import MEDIA as IN_ARCHIVE
from .keeping import manifest_of, names_of
from .manifest import ENDINGS, MANIFEST, File, Manifest
from .stores import BUFFER, DATABASES, KEYS, MEDIA, AnyStore, pieces, store_at, told

THREADS = 4


class Source:
    """A backup, whose files are known by their parts: names in an archive, or in a store."""

    address: str
    manifest: Manifest
    database: str
    key: str

    def part(self, file: File) -> str:
        raise NotImplementedError

    def sizes(self) -> dict[str, int]:
        """Return which parts there are of those that it may have, and how large they are."""
        raise NotImplementedError

    def read(self, part: str) -> Iterator[memoryview]:
        """Yield a part, in pieces that are gone with the next one; raise FileNotFoundError where it is missing."""
        raise NotImplementedError

    def damaged(self, problem: str) -> Refused:
        return Refused(f"{self.address} is damaged, or was tampered with: {problem}. Nothing was changed.")

    def expected(self) -> dict[str, tuple[int, str]]:
        """Return which parts there have to be, each with its size and SHA-256."""
        found = {self.part(file): (file.size, file.sha256) for file in self.manifest.media}
        found[self.database] = (self.manifest.database.size, self.manifest.database.sha256)
        if self.manifest.secret_key is not None:
            found[self.key] = (self.manifest.secret_key.size, self.manifest.secret_key.sha256)
        return found

    def check(self, bar: Any = None) -> None:
        """Read all parts; raise Refused where one is missing, too many, or not what was stored."""
        expected, sizes = self.expected(), self.sizes()
        for part, (size, _) in expected.items():
            if part not in sizes:
                raise self.damaged(f"{part} is missing")
            if sizes[part] != size:
                raise self.damaged(f"{part} has {sizes[part]:,} bytes, and should have {size:,}")

        def check_one(part: str) -> None:
            digest = sha256()
            for piece in self.read(part):
                digest.update(piece)
            if digest.hexdigest() != expected[part][1]:
                raise self.damaged(f"{part} has another content than was stored, by its SHA-256")
            if bar is not None:
                bar.update(1)

        with told(self.address), ThreadPoolExecutor(THREADS, "verify") as pool:
            try:
                for _ in pool.map(check_one, expected):
                    pass
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def unpack_database(self, path: Path) -> None:
        """Write the copy of the database as it was before it was compressed."""
        expected = self.manifest.database
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        digest, size = sha256(), 0
        try:
            with path.open("wb") as target:
                for piece in self.read(self.database):
                    for start in range(
                        0, len(piece), BUFFER // 16
                    ):  # so that little becomes no more than some megabytes
                        plain = decompressor.decompress(piece[start : start + BUFFER // 16])
                        digest.update(plain)
                        size += target.write(plain)
                        if size > expected.content_size:
                            raise self.damaged(f"{self.database} holds more than it should")
        except zstandard.ZstdError as error:
            raise self.damaged(f"{self.database} can't be unpacked: {error}") from None
        if (size, digest.hexdigest()) != (expected.content_size, expected.content_sha256):
            raise self.damaged(f"{self.database} holds another content than was stored")

    def secret_key(self) -> str:
        return b"".join(bytes(piece) for piece in self.read(self.key)).decode()


class FromArchive(Source):
    def __init__(self, path: str) -> None:
        self.archive = Archive(path)
        self.address = self.archive.address
        self.manifest = self.archive.manifest
        self.database, self.key = f"{DATABASE}{ENDINGS[self.manifest.database.kind]}", KEY

    def part(self, file: File) -> str:
        return f"{IN_ARCHIVE}{file.name}"

    def sizes(self) -> dict[str, int]:
        left = {f"{IN_ARCHIVE}{name}" for name in self.manifest.left}
        known = {MANIFEST, *self.expected(), *left}
        if unknown := sorted(set(self.archive.parts) - known):
            raise self.damaged(f"it holds {unknown[0][:200]!r}, of which its manifest knows nothing")
        return {part: size for part, (_, size) in self.archive.parts.items()}

    def read(self, part: str) -> Iterator[memoryview]:
        return self.archive.read(part)


class FromStore(Source):
    def __init__(self, store: AnyStore, name: str) -> None:
        self.store = store
        self.address = f"{store.address}, backup {name},"
        self.manifest = manifest_of(store, name)
        self.database = f"{DATABASES}/{name}.{ENDINGS[self.manifest.database.kind]}"
        self.key = f"{KEYS}/{name}"

    def part(self, file: File) -> str:
        return f"{MEDIA}/{file.sha256}"

    def sizes(self) -> dict[str, int]:
        return {
            f"{folder}/{name}": found.size
            for folder in (DATABASES, KEYS, MEDIA)
            for name, found in self.store.files(folder).items()
        }

    def read(self, part: str) -> Iterator[memoryview]:
        with self.store.open(part) as file:
            yield from pieces(file.fileno())


def source_at(text: str, at: str | None) -> Source:
    """Return a backup of an archive or store, the newest or the one of a name; raise Refused where there is none."""
    if is_archive(text):
        if at is not None:
            raise Refused("--at chooses among the backups of a folder or bucket. An archive is one.")
        return FromArchive(text)
    store = store_at(text)
    with told(store.address):
        names = names_of(store)
        if not names:
            raise Refused(f"There is no whole backup in {store.address}.")
        return FromStore(store, at if at is not None else names[-1])
