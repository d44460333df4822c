"""The same bytes, uploaded twice."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from PIL import ExifTags, Image

from folio.media.models import Media
from folio.media.uploads import store_once
from tests.conftest import Client
from tests.factories import draw, make_image

from .test_media_api import PATH, files_in

DEDUPLICATE = "?deduplicate=true"
TEXT = b"Some words.\n"


def upload(
    client: Client, content: bytes, file_name: str = "photo.png", query: str = DEDUPLICATE, **fields: Any
) -> Any:
    return client.post(f"{PATH}{query}", {"file": SimpleUploadedFile(file_name, content), **fields}, format="multipart")


def photograph(color: tuple[int, int, int] = (200, 80, 40)) -> bytes:
    """Return a JPEG that tells where and by whom it was taken."""
    image = Image.new("RGB", (40, 30), color)
    exif = image.getexif()
    exif[ExifTags.Base.Artist] = "Ada"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    file = BytesIO()
    image.save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("content", [draw(), photograph(), TEXT], ids=["picture", "photograph", "text"])
def test_the_same_bytes_answer_with_the_one_that_exists(client: Client, media_root: Path, content: bytes) -> None:
    first = upload(client, content, "first.bin", name="First", alt="The first")
    files = sorted(files_in(media_root))

    second = upload(client, content, "second.bin", name="Second", alt="The second")

    assert first.status_code == 201
    assert second.status_code == 200
    assert "Location" not in second.headers
    assert second.json() == first.json() == client.get(f"{PATH}{first.json()['id']}/").json()
    assert Media.objects.count() == 1
    assert sorted(files_in(media_root)) == files


def test_the_file_as_it_is_served_is_the_same_too(client: Client) -> None:
    first = upload(client, photograph()).json()
    stored = client.get(first["f"]).getvalue()

    response = upload(client, stored)

    assert (response.status_code, response.json()["id"]) == (200, first["id"])


@pytest.mark.parametrize("query", ["", "?deduplicate=false", "?deduplicate=0", "?deduplicate="])
def test_without_it_the_same_bytes_are_stored_again(client: Client, query: str) -> None:
    first = upload(client, draw()).json()

    response = upload(client, draw(), query=query)

    assert response.status_code == 201
    assert response.json()["id"] != first["id"]
    assert response.json()["f"] != first["f"]
    assert response.json()["sha256"] == first["sha256"]


def test_of_several_it_is_the_oldest(client: Client) -> None:
    ids = [upload(client, draw(), query="").json()["id"] for _ in range(3)]

    assert upload(client, draw()).json()["id"] == ids[0]
    client.delete(f"{PATH}{ids[0]}/")
    assert upload(client, draw()).json()["id"] == ids[1]


@pytest.mark.django_db(transaction=True)
def test_uploads_of_the_same_bytes_at_once_are_stored_once(media_root: Path, settings: Any) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's database in memory is one for all threads; contract/test_live_writers.py has a server's")
    start = Barrier(4, timeout=60)

    def send(number: int) -> tuple[int, bool]:
        try:
            start.wait()
            media, is_new = store_once(ContentFile(TEXT, name=f"{number}.txt"))
            return media.pk, is_new
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))

    assert sorted(is_new for _, is_new in answers) == [False, False, False, True]
    assert len({pk for pk, _ in answers}) == 1
    assert len(list(files_in(media_root))) == 1
    assert not list(Path(settings.JOURNAL_ROOT).glob("*.entry"))


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_where_the_commit_fails(
    client: Client, media_root: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(connection, "commit", fail)
        with pytest.raises(OperationalError, match="gone"):
            store_once(ContentFile(draw(), name="photo.png"))

    assert not list(files_in(media_root))
    assert not list(Path(settings.JOURNAL_ROOT).glob("*.entry"))
    assert not Media.objects.exists()


def test_other_bytes_are_stored(client: Client) -> None:
    make_image()

    assert upload(client, draw((41, 30))).status_code == 201
    assert Media.objects.count() == 2


def test_a_replaced_file_is_no_longer_the_same(client: Client) -> None:
    media = upload(client, draw()).json()
    client.put(f"{PATH}{media['id']}/file/", {"file": SimpleUploadedFile("a.png", draw((70, 50)))}, format="multipart")

    assert upload(client, draw((70, 50))).json()["id"] == media["id"]
    assert upload(client, draw()).status_code == 201


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"", "empty.png"), (b"\x89PNG\r\n\x1a\nbroken", "broken.png"), (b"<script></script>", "a.html")],
)
def test_what_is_refused_is_refused_with_it_too(client: Client, media_root: Path, content: bytes, name: str) -> None:
    response = upload(client, content, name)

    assert response.status_code == 400
    assert list(response.json()) == ["file"]
    assert not list(files_in(media_root))


def test_what_is_too_large_is_a_413_even_if_it_exists(client: Client, settings: Any) -> None:
    upload(client, TEXT, "notes.txt")
    settings.MAX_UPLOAD_SIZE = len(TEXT) - 1

    assert upload(client, TEXT, "notes.txt").status_code == 413


def test_fields_that_break_a_rule_are_refused_even_if_the_file_exists(client: Client) -> None:
    upload(client, draw())

    response = upload(client, draw(), name="x" * 256)

    assert response.status_code == 400
    assert list(response.json()) == ["name"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("?deduplicate=yes", "deduplicate"),
        ("?deduplicate=1&deduplicate=1", "deduplicate"),
        ("?dedupe=true", "dedupe"),
        ("?detach=true", "detach"),
    ],
)
def test_other_parameters_are_a_400(client: Client, media_root: Path, query: str, name: str) -> None:
    response = upload(client, draw(), query=query)

    assert response.status_code == 400
    assert list(response.json()) == [name]
    assert not list(files_in(media_root))
