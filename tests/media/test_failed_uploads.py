"""An upload that fails on its way leaves neither rows nor files."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import IntegrityError, OperationalError, connection, models
from django.utils import timezone

from folio.media.models import Media, Thumbnail
from folio.media.uploads import store_upload
from tests.factories import draw

from .stored import Wrap, assert_nothing_is_left, stored_files, temporary, upload

pytestmark = pytest.mark.django_db


class Broken(Exception):
    pass


def failing_save(monkeypatch: pytest.MonkeyPatch, at: int, error: BaseException) -> None:
    """Let the storage fail at the given file, counted from 1, with half of it on the disk."""
    save, calls = FileSystemStorage._save, iter(range(1, 100))  # type: ignore[attr-defined]

    def fail(storage: FileSystemStorage, name: str, content: File[bytes]) -> str:
        if next(calls) == at:
            path = Path(storage.path(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"half")
            raise error
        return save(storage, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", fail)


@pytest.mark.parametrize("at", [1, 2, 5])
@pytest.mark.parametrize("error", [OSError("disk full"), Broken(), KeyboardInterrupt()])
@pytest.mark.parametrize("wrap", [ContentFile, temporary])
def test_leaves_nothing_where_the_storage_fails(
    wrap: Wrap,
    error: BaseException,
    at: int,
    media_root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing_save(monkeypatch, at, error)
    file = wrap(draw(), name="photo.png")

    with pytest.raises(type(error)) as raised:
        store_upload(file)

    file.close()
    assert raised.value is error
    assert_nothing_is_left(media_root)
    if isinstance(file, TemporaryUploadedFile):
        assert not os.path.exists(file.temporary_file_path())


@pytest.mark.parametrize("manager", [Thumbnail.objects, None])
def test_leaves_nothing_where_the_database_fails(
    manager: models.Manager[Thumbnail] | None, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError("anything")

    if manager is None:
        monkeypatch.setattr(Media, "save", fail)
    else:
        monkeypatch.setattr(models.QuerySet, "bulk_create", fail)

    with pytest.raises(IntegrityError, match="anything"):
        upload(draw(), "photo.png")

    assert_nothing_is_left(media_root)


@pytest.mark.django_db(transaction=True)
def test_leaves_nothing_where_the_commit_fails(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "commit", fail)

    with pytest.raises(OperationalError, match="gone"):
        upload(draw(), "photo.png")

    assert_nothing_is_left(media_root)


def test_keeps_the_first_error_where_a_file_can_t_be_removed(
    media_root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    error = OSError("disk full")
    failing_save(monkeypatch, 3, error)
    delete = FileSystemStorage.delete

    def fail_once(storage: FileSystemStorage, name: str) -> None:
        if "thumbnail" not in name:
            raise PermissionError("not yours")
        delete(storage, name)

    monkeypatch.setattr(FileSystemStorage, "delete", fail_once)

    with pytest.raises(OSError, match="disk full") as raised:
        upload(draw(), "photo.png")

    assert raised.value is error
    assert stored_files(media_root) == [f"core_media/{timezone.now():%Y/%m/%d}/photo.png"]
    assert "photo.png, which an upload that failed has written" in caplog.text
