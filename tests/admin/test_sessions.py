"""A session of the admin site: how its cookie travels, how long it lives, and what ends it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from tests.environment import settings_of
from tests.factories import make_user

PASSWORD = "correct horse battery staple"


@pytest.fixture
def nora(db: None) -> User:
    return make_user("nora", password=PASSWORD, is_staff=True)


def sign_in() -> Site:
    site = Site()
    assert site.post("/admin/login/", {"username": "nora", "password": PASSWORD}).status_code == 302
    return site


def is_signed_in(site: Site) -> bool:
    return site.get("/admin/").status_code == 200


def test_no_script_reads_the_cookie_and_no_other_site_sends_it(nora: User) -> None:
    cookie = sign_in().cookies["sessionid"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_no_other_site_sends_the_cookie_against_forgeries(nora: User) -> None:
    cookie = Site().get("/admin/login/").cookies["csrftoken"]

    assert cookie["samesite"] == "Lax"


def test_ends_two_weeks_after_the_sign_in(nora: User) -> None:
    cookie = sign_in().cookies["sessionid"]

    assert cookie["max-age"] == timedelta(days=14).total_seconds()


@pytest.mark.parametrize("path", ["/admin/", "/admin/access/token/", "/admin/password_change/"])
def test_reading_a_page_writes_nothing(nora: User, path: str) -> None:
    site = sign_in()
    before = Session.objects.get().expire_date

    with CaptureQueriesContext(connection) as queries:
        site.get(path)

    assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []
    assert Session.objects.get().expire_date == before


def test_another_password_ends_the_sessions_of_before(nora: User) -> None:
    site = sign_in()
    assert is_signed_in(site)

    nora.set_password("another correct horse")
    nora.save()

    assert not is_signed_in(site)


@pytest.mark.parametrize("standing", ["is_active", "is_staff"])
def test_who_is_deactivated_or_no_longer_staff_is_out_at_once(nora: User, standing: str) -> None:
    site = sign_in()
    assert is_signed_in(site)

    User.objects.update(**{standing: False})

    assert not is_signed_in(site)


def test_a_new_sign_in_has_a_new_session(nora: User, site_for: Callable[[User], Site]) -> None:
    site = Site()
    site.get("/admin/login/")
    site.cookies["sessionid"] = "planted"

    answer = site.post("/admin/login/", {"username": "nora", "password": PASSWORD})

    assert answer.cookies["sessionid"].value != "planted"
    assert not Session.objects.filter(pk="planted").exists()


@pytest.mark.parametrize(
    ("url", "path"), [("https://example.com/folio", "/folio"), ("https://example.com", "/"), ("", None)]
)
def test_the_cookies_are_for_the_path_that_folio_has(tmp_path: Path, url: str, path: str | None) -> None:
    settings: dict[str, Any] = settings_of(tmp_path, FOLIO_PUBLIC_URL=url)

    assert {settings.get(f"{name}_COOKIE_PATH") for name in ("SESSION", "CSRF", "LANGUAGE")} == {path}
