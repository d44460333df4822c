"""A session of the admin site: how its cookie travels, how long it lives, and what ends it."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import urlencode

from folio.admin.sessions import SessionStore, digest_of
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


def test_nothing_that_is_stored_signs_anyone_in(nora: User) -> None:
    site = sign_in()
    row = Session.objects.get()

    for stored in {*row.__dict__.values(), *row.get_decoded().values()}:
        thief = Site()
        thief.cookies["sessionid"] = str(stored)
        assert not is_signed_in(thief)
    assert site.cookies["sessionid"].value not in repr(row.__dict__)
    assert is_signed_in(site)


def test_signing_out_ends_what_is_stored(nora: User) -> None:
    site = sign_in()
    cookie = site.cookies["sessionid"].value

    site.post("/admin/logout/")

    assert not Session.objects.exists()
    site.cookies["sessionid"] = cookie
    assert not is_signed_in(site)


def test_a_session_that_is_over_is_cleared_away(nora: User) -> None:
    sign_in()
    site = sign_in()
    Session.objects.filter(pk=digest_of(site.cookies["sessionid"].value)).update(expire_date=timezone.now())

    assert not is_signed_in(site)
    call_command("clearsessions")

    assert Session.objects.count() == 1


@pytest.mark.django_db
def test_the_asynchronous_way_stores_digests_too() -> None:
    async def go() -> str:
        store = SessionStore()
        await store.aset("name", "value")
        await store.asave()
        await store.acycle_key()
        assert await SessionStore(store.session_key).aget("name") == "value"
        return str(store.session_key)

    key = async_to_sync(go)()

    assert Session.objects.get().pk == digest_of(key)


@pytest.mark.parametrize("key", ["\0" * 32, "é" * 32, "x" * 5000, "short"])
def test_a_cookie_that_was_never_given_opens_nothing(nora: User, key: str) -> None:
    site = Site()
    site.cookies["sessionid"] = key

    assert site.get("/admin/").status_code == 302


def test_an_update_ends_the_sessions_whose_keys_are_stored(nora: User) -> None:
    Session.objects.create(pk="k" * 32, session_data="", expire_date=timezone.now())

    import_module("folio.access.migrations.0005_tell_keys_by_password_and_end_sessions").end_sessions(apps, None)

    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
        "http:///elsewhere.example",
        "\t//elsewhere.example",
        "javascript:alert(1)",
    ],
)
def test_a_sign_in_leads_nowhere_else(nora: User, elsewhere: str) -> None:
    form = {"username": "nora", "password": PASSWORD}
    answers = (
        Site().post("/admin/login/", {**form, "next": elsewhere}),
        Site().post(f"/admin/login/?{urlencode({'next': elsewhere})}", form),
        # What a page in whose address it stands has put into its own form.
        Site().post("/admin/login/", {**form, "next": f"/admin/login/?{urlencode({'next': elsewhere})}"}, follow=True),
    )

    assert [answer.status_code for answer in answers] == [302, 302, 200]
    assert [answer.headers["Location"] for answer in answers[:2]] == ["/admin/", "/admin/"]
    assert answers[2].redirect_chain[-1][0] == "/admin/"


def test_a_cookie_that_somebody_else_has_set_is_not_the_session_s(nora: User) -> None:
    site = Site()
    site.cookies["sessionid"] = "a" * 32

    site.post("/admin/login/", {"username": "nora", "password": PASSWORD})

    assert site.cookies["sessionid"].value not in {"", "a" * 32}
