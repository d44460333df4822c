"""An archive of a small installation, and archives that someone has made of it."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from folio.server.backups.restoring import restore

Parts = dict[str, bytes]


def parts_of(path: Path) -> Parts:
    """Return the files of an archive, in their order."""
    with tarfile.open(path) as archive:
        found = {}
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            found[member.name] = file.read()
    return found


def pack(path: Path, parts: Parts, *more: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in more:
            archive.addfile(member)
    return path


def change(parts: Parts, how: Callable[[Any], object]) -> None:
    """Change what the manifest says."""
    manifest = json.loads(parts["manifest.json"])
    how(manifest)
    parts["manifest.json"] = json.dumps(manifest).encode()


def put_database(parts: Parts, content: bytes, packed: bytes) -> None:
    """Put another database in, with its digests in the manifest as someone who can would write them."""

    def say(manifest: Any) -> None:
        manifest["database"] |= {
            "size": len(packed),
            "sha256": hashlib.sha256(packed).hexdigest(),
            "content_size": len(content),
            "content_sha256": hashlib.sha256(content).hexdigest(),
        }

    parts[database_of(parts)] = packed
    change(parts, say)


def database_of(parts: Parts) -> str:
    return next(name for name in parts if name.startswith("database/"))


def media_of(parts: Parts) -> str:
    return next(name for name in parts if name.startswith("media/"))


def verify(path: Path) -> None:
    restore(str(path), only_verify=True, tell=lambda line: None)
