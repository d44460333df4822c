"""Who is not signed in sends little to the pages, and nothing of it to the disk."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files import uploadedfile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.admin.strangers import MOST_FIELDS
from folio.media import journal
from tests.conftest import Client
from tests.factories import make_user

LOGIN = "/admin/login/"
JSON = {"Accept": "application/json"}
FORM = "application/x-www-form-urlencoded"
KB = 1024


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was begun to be written to the disk of uploads."""
    begun: list[str] = []
    for place in (journal.UploadHandler, uploadedfile.TemporaryUploadedFile):
        monkeypatch.setattr(place, "__init__", lambda self, *given, **named: begun.append("a file"))
    return begun


def fields(count: int) -> str:
    return "&".join(f"field{number}=" for number in range(count))


def file_of(size: int) -> SimpleUploadedFile:
    return SimpleUploadedFile("picture.jpg", os.urandom(size), "image/jpeg")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", [LOGIN, "/admin/", "/admin/media/media/upload/", "/admin/i18n/setlang/", "/media/x.jpg"]
)
def test_refuses_more_than_64_kilobytes(files: list[str], path: str) -> None:
    for headers in ({}, JSON):
        answer = Site().post(path, {"file": file_of(65 * KB)}, headers=headers)

        assert answer.status_code == 413
        assert "can send 64 KB and 1000 fields at the most" in answer.content.decode()
    assert Site().post(path, b"a=" + b"x" * 65 * KB, content_type=FORM).status_code == 413
    assert files == []


@pytest.mark.django_db
def test_reads_nothing_of_what_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.http.request.HttpRequest._load_post_and_files", None)

    assert Site().post(LOGIN, {"file": file_of(65 * KB)}).status_code == 413
    assert Site(enforce_csrf_checks=True).post(LOGIN, fields(MOST_FIELDS + 2), content_type=FORM).status_code == 413


@pytest.mark.django_db
def test_keeps_a_small_file_in_memory(files: list[str], tmp_path: Path) -> None:
    answer = Site(enforce_csrf_checks=True).post(LOGIN, {"file": file_of(60 * KB)})

    assert answer.status_code == 403
    assert files == []


@pytest.mark.django_db
def test_refuses_more_than_a_thousand_fields() -> None:
    many = {f"field{number}": "" for number in range(MOST_FIELDS + 1)}

    assert Site().post(LOGIN, fields(MOST_FIELDS + 2), content_type=FORM).status_code == 413
    assert Site().post(f"{LOGIN}?{fields(600)}", fields(600), content_type=FORM).status_code == 413
    assert Site().get(f"{LOGIN}?{fields(MOST_FIELDS + 2)}").status_code == 413
    assert Site().post(LOGIN, many).status_code == 413  # as a form with files


@pytest.mark.django_db
def test_takes_what_a_sign_in_needs() -> None:
    make_user("nora", password="correct horse", is_staff=True)
    body = {"username": "nora", "password": "correct horse", **{f"field{number}": "-- & --" for number in range(300)}}

    assert Site().post(LOGIN, body).status_code == 302
    assert Site().post(f"{LOGIN}?{fields(50)}", fields(50), content_type=FORM).status_code == 200


def test_takes_more_of_who_is_signed_in(site_for: Callable[[User], Site], admin: User) -> None:
    site = site_for(admin)

    answer = site.post("/admin/media/media/upload/", {"file": file_of(100 * KB)}, headers=JSON)
    assert answer.status_code == 400  # it is no picture
    assert site.post("/admin/portfolios/tag/add/", fields(1500), content_type=FORM).status_code == 200


def test_who_was_signed_in_is_told_to_sign_in_again(site_for: Callable[[User], Site], admin: User) -> None:
    site = site_for(admin)
    User.objects.update(is_active=False)

    answer: Any = site.post("/admin/media/media/upload/", {"file": file_of(100 * KB)}, headers=JSON)

    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("You are not signed in")


def test_asks_nobody_who_they_are_that_reads_a_file(site_for: Callable[[User], Site], admin: User) -> None:
    site = site_for(admin)

    with CaptureQueriesContext(connection) as queries:
        answer = site.get("/media/nothing.jpg?v=1")

    assert "Cookie" not in answer.headers.get("Vary", "")
    assert not any("django_session" in query["sql"] for query in queries)


def test_the_sign_in_of_the_api_takes_little_too() -> None:
    answer = Client().post("/api/auth/token/", {"username": "nora", "password": "x" * 70 * KB})

    assert answer.status_code == 413
    assert answer.json() == {"detail": "A name and a password take no more than 65536 bytes."}
