"""Uploads as requests bring them, and what there is of them in the storage."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import TemporaryUploadedFile

from folio.media.models import FOLDER, Media, Thumbnail
from folio.media.uploads import store_upload

Wrap = Callable[..., "File[bytes]"]

temporary_files: list[TemporaryUploadedFile] = []


def upload(content: bytes, file_name: str = "file", **fields: Any) -> Media:
    return store_upload(ContentFile(content, name=file_name), **fields)


def temporary(content: bytes, name: str) -> TemporaryUploadedFile:
    """Return an upload as it comes where it is large: in a temporary file."""
    file = TemporaryUploadedFile(name, "application/octet-stream", len(content), None)
    temporary_files.append(file)
    file.write(content)
    file.seek(0)
    return file


def path_of(row: Any) -> PurePosixPath:
    """Return where the file of a media or a thumbnail lies in the storage."""
    return PurePosixPath(row.file.name)


def content_of(row: Any) -> bytes:
    with row.file.open() as file:
        content: bytes = file.read()
    return content


def stored_files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def assert_nothing_is_left(root: Path) -> None:
    assert not Media.objects.exists()
    assert not Thumbnail.objects.exists()
    assert stored_files(root) == []


def extension_of(media: Media) -> str:
    return str(media.file).rpartition(".")[2]


def within(name: str) -> str:
    """Return a name in the folder in which Folio stores files."""
    return f"{FOLDER}/{name}"
