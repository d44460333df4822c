"""A disk without room: nothing of an upload stays on it, whoever sent it is told, and deleting makes room."""

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.db import OperationalError, connection
from django.test import Client as Site
from django.urls import reverse

from folio.media import journal
from folio.media.decoding import Decoders
from folio.media.journal import UploadHandler
from folio.media.models import Media
from folio.portfolios.models import Tag
from tests.conftest import Client
from tests.factories import draw, make_image

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/media/"
SENTENCE = "The server's disk is full, so nothing was saved. Tell whoever runs the server."
TEXT = b"some words\n" * 20_000  # too many to be received in memory
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
OVER_QUOTA = OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


@pytest.fixture(autouse=True)
def received(settings: Any, tmp_path: Path) -> Path:
    """Return a folder of the test's own for what is being received."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "received"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    return Path(settings.FILE_UPLOAD_TEMP_DIR)


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


def full_in_the_database() -> OperationalError:
    """Return the error of the database in use that has no room left."""
    error = OperationalError("full")
    error.__cause__ = psycopg.errors.DiskFull("full")
    if connection.vendor == "sqlite":
        error.__cause__ = sqlite3.OperationalError("database or disk is full")
        error.__cause__.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def upload(client: Any, content: bytes = TEXT, name: str = "notes.txt") -> Any:
    return client.post(PATH, {"file": SimpleUploadedFile(name, content)}, format="multipart")


def fill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave less of the disk than the reserve."""
    monkeypatch.setattr(journal, "RESERVE", 2**63)


class Unwritable:
    """A file on a full disk: what was written waits in memory, until it is flushed or closed."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, data: bytes = b"") -> int:
        raise FULL

    flush = write

    def close(self) -> None:
        self.file.close()
        raise FULL


@pytest.mark.parametrize(
    "go_on", [lambda handler: handler.receive_data_chunk(b"more", len(TEXT)), lambda handler: handler.file_complete(0)]
)
def test_the_file_that_is_being_received_is_removed_at_once(
    go_on: Callable[[UploadHandler], Any], received: Path
) -> None:
    handler = UploadHandler()
    handler.new_file("file", "notes.txt", "text/plain", len(TEXT))
    handler.receive_data_chunk(TEXT, 0)
    assert files_in(received)
    handler.file.file = Unwritable(handler.file.file)  # type: ignore[assignment]

    with pytest.raises(OSError, match="No space left"):
        go_on(handler)

    assert files_in(received) == []


@pytest.mark.parametrize("error", [FULL, OVER_QUOTA])
@pytest.mark.parametrize(
    ("place", "name"),
    [
        (TemporaryUploadedFile, "__init__"),
        (TemporaryUploadedFile, "write"),
        (os, "fsync"),
        (Decoders, "prepare"),
        (FileSystemStorage, "_save"),
        (journal.Entry, "add"),
        (Media, "save"),
    ],
)
def test_an_upload_is_a_507_and_leaves_nothing(
    place: Any,
    name: str,
    error: OSError,
    client: Client,
    media_root: Path,
    received: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = draw((400, 300), "BMP" if name != "prepare" else "PNG")
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 100
    with monkeypatch.context() as broken:
        broken.setattr(place, name, raising(error), raising=False)

        response = upload(client, content, "picture")

    assert response.status_code == 507
    assert response.json() == {"detail": SENTENCE}
    assert [*files_in(received), *files_in(media_root), *Path(settings.JOURNAL_ROOT).glob("*.entry")] == []
    assert not Media.objects.exists()


def test_a_database_without_room_is_a_507(client: Client, media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Media, "save", raising(full_in_the_database()))
    monkeypatch.setattr(Tag, "save", raising(full_in_the_database()))

    assert upload(client).status_code == 507
    response = client.post("/api/tags/", {"name": "Signs"})

    assert (response.status_code, response.json()) == (507, {"detail": SENTENCE})
    assert files_in(media_root) == []


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="bounds a SQLite database's file")
def test_sqlite_says_that_it_has_no_room(client: Client) -> None:
    with connection.cursor() as cursor:
        [[before]] = cursor.execute("PRAGMA max_page_count").fetchall()
        cursor.execute("PRAGMA max_page_count=1")  # no more than it has
        try:
            texts = (
                (f"{n}", f"{n}" * 250_000) for n in range(10, 60)
            )  # which pages that earlier tests freed don't hold
            employers = [{"name": name, "description": text} for name, text in texts]
            statuses = {client.post("/api/employers/", employer).status_code for employer in employers}
        finally:
            cursor.execute(f"PRAGMA max_page_count={before}")

    assert statuses <= {201, 507}
    assert 507 in statuses


def test_uploads_leave_room_so_that_deleting_goes_on(
    client: Client, media_root: Path, received: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = make_image()
    files = files_in(media_root)
    fill(monkeypatch)

    assert [upload(client, content, "file").status_code for content in (TEXT, b"words", draw())] == [507] * 3
    assert files_in(received) == []
    assert sorted(files_in(media_root)) == sorted(files)
    assert client.delete(f"{PATH}{media.pk}/").status_code == 204


def test_the_library_says_it_of_each_file(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(raise_request_exception=False)
    site.force_login(admin)
    fill(monkeypatch)
    for content in (TEXT, b"words"):
        file = SimpleUploadedFile("notes.txt", content)

        response = site.post(reverse("admin:media_media_upload"), {"file": file}, HTTP_ACCEPT="application/json")

        assert (response.status_code, response.json()) == (507, {"detail": SENTENCE})


@pytest.mark.parametrize("content", [TEXT, b"words"], ids=["large", "small"])
def test_a_page_says_it_to_those_who_sent_a_form(content: bytes, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(raise_request_exception=False)
    site.force_login(admin)
    fill(monkeypatch)

    response = site.post(
        reverse("admin:media_media_add"), {"file": SimpleUploadedFile("notes.txt", content), "name": "", "alt": ""}
    )

    assert response.status_code == 507
    assert "The server&#x27;s disk is full" in response.content.decode()
    assert not Media.objects.exists()


def test_other_failures_are_told_as_before(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(raise_request_exception=False)
    site.force_login(admin)
    monkeypatch.setattr("folio.media.admin.views.store_once", raising(OSError("inside")))

    response = site.post(reverse("admin:media_media_upload"), {"file": SimpleUploadedFile("notes.txt", b"words")})

    assert response.status_code == 500
    assert "Server error" in response.content.decode()
