"""A key is told once, to the one it was made for; nothing keeps it or repeats it."""

import logging
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin as admin_site
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client as BrowserClient
from django.urls import reverse

from folio.access.documents import Me, NewToken
from folio.access.keys import digest_of
from folio.access.models import Token
from folio.portfolios.views import TagViewSet
from tests.conftest import Client
from tests.factories import make_key, make_user

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


def stored_texts() -> str:
    """Return every value of every row of the database, as one text."""
    return "\n".join(str(row) for model in apps.get_models() for row in model._default_manager.values())


def logged_text(caplog: pytest.LogCaptureFixture) -> str:
    """Return all that the log records hold: messages, tracebacks and everything that a formatter could show."""
    formatter = logging.Formatter()
    return "\n".join(f"{formatter.format(record)} {record.__dict__}" for record in caplog.records)


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in ["django", "django.request", "django.db.backends", "django.security", "folio", "rest_framework"]:
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def test_only_a_digest_of_the_key_is_stored(admin: User) -> None:
    key = make_key(admin)

    texts = stored_texts()

    assert digest_of(key.encode()) in texts
    assert key not in texts
    assert key.removeprefix("folio_") not in texts


def test_a_key_from_sign_in_is_stored_as_a_digest_alone() -> None:
    make_user("nora", password=PASSWORD)

    key = Client().post("/api/auth/token/", {"username": "nora", "password": PASSWORD}).json()["key"]

    assert digest_of(key.encode()) in stored_texts()
    assert key not in stored_texts()
    assert PASSWORD not in stored_texts()


def test_a_key_holds_256_random_bits(admin: User) -> None:
    keys = {make_key(admin) for _ in range(20)}

    assert len(keys) == 20
    assert all(len(key.removeprefix("folio_")) == 43 for key in keys)


def test_a_key_is_in_no_repr_and_no_str_of_its_row(admin: User) -> None:
    token, key = Token.objects.issue(admin, name="website")

    texts = f"{token!r} {token} {token.__dict__} {Token.objects.all()!r}"

    assert key not in texts
    assert "website" in texts


def test_a_nameless_row_shows_neither_key_nor_digest(admin: User) -> None:
    token, key = Token.objects.issue(admin)

    assert str(token) == f"Token {token.pk}"
    assert token.digest not in repr(token)
    assert key not in repr(token)


def test_no_answer_but_the_new_keys_own_has_a_key(client_for: Callable[..., Client], admin: User) -> None:
    client = client_for(admin)
    made = client.post("/api/auth/tokens/", {"name": "website"}).json()

    answers = [client.get(path).content.decode() for path in ("/api/auth/tokens/", "/api/auth/me/")]

    assert made["key"].startswith("folio_")
    assert not any(made["key"] in answer or "folio_" in answer for answer in answers)
    assert "key" not in Me.__struct_fields__
    assert "digest" not in NewToken.__struct_fields__


def test_no_log_record_has_a_key(
    everything_logged: pytest.LogCaptureFixture,
    admin: User,
    staff: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection.force_debug_cursor = True
    keys = [make_key(admin), make_key(staff)]

    def ask(key: str, method: str, path: str, **extra: Any) -> int:
        client = Client(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
        status: int = getattr(client, method)(path, **extra).status_code
        return status

    def fail(*arguments: Any, **named: Any) -> None:
        raise RuntimeError("broken")

    def fall_asleep(*arguments: Any, **named: Any) -> None:
        raise OperationalError("database is locked")

    try:
        statuses = [
            ask(keys[0], "get", "/api/tags/"),
            ask(keys[0], "post", "/api/tags/", data={"name": "print"}),
            ask(keys[0], "post", "/api/tags/", data=b"{", content_type="application/json"),
            ask(f"{keys[0]}x", "get", "/api/tags/"),
            ask(keys[1], "get", "/api/tags/"),
            ask(keys[0], "get", "/api/tags/999999/"),
            ask(keys[0], "get", "/api/nothing/"),
            ask(keys[0], "get", "/api/tags"),
            ask(keys[0], "put", "/api/tags/"),
            ask(keys[0], "get", "/api/tags/", headers={"host": "evil.example"}),
        ]
        monkeypatch.setattr(TagViewSet, "list", fail)
        statuses.append(ask(keys[0], "get", "/api/tags/"))
        monkeypatch.setattr(TagViewSet, "list", fall_asleep)
        statuses.append(ask(keys[0], "get", "/api/tags/"))
    finally:
        connection.force_debug_cursor = False

    assert statuses == [200, 201, 400, 401, 403, 404, 404, 301, 405, 400, 500, 503]
    text = logged_text(everything_logged)
    assert "RuntimeError: broken" in text
    assert "database is locked" in text
    assert "SELECT" in text
    for key in keys:
        assert key not in text
        assert key.removeprefix("folio_") not in text


def test_no_log_record_has_a_new_key_or_the_password_that_it_was_given_for(
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    connection.force_debug_cursor = True
    make_user("nora", password=PASSWORD)
    try:
        signed_in = Client().post("/api/auth/token/", {"username": "nora", "password": PASSWORD})
        refused = Client().post("/api/auth/token/", {"username": "nobody", "password": PASSWORD})
        printed = StringIO()
        call_command("createtoken", "ada", "--admin", stdout=printed)
    finally:
        connection.force_debug_cursor = False

    assert (signed_in.status_code, refused.status_code) == (201, 400)
    text = logged_text(everything_logged)
    assert "SELECT" in text
    assert signed_in.json()["key"] not in text
    assert printed.getvalue().strip() not in text
    assert PASSWORD not in text


def test_no_error_repeats_the_key_that_it_is_about(
    admin: User, staff: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def fail(*arguments: Any, **named: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(TagViewSet, "retrieve", fail)
    settings.DEBUG = True
    client = Client(raise_request_exception=False)
    for key, path, status in [
        ("folio_" + "A" * 43, "/api/tags/", 401),
        (make_key(staff), "/api/tags/", 403),
        (make_key(admin), "/api/tags/?bad=1", 400),
        (make_key(admin), "/api/nothing/", 404),
        (make_key(admin), "/api/tags/1/", 500),
    ]:
        response = client.get(path, headers={"authorization": f"Token {key}"})

        assert response.status_code == status
        assert key not in response.content.decode()
        assert key not in str(response.headers)


def test_no_admin_page_shows_a_key_or_its_digest(admin: User) -> None:
    key = make_key(admin, name="website")
    digest = Token.objects.get().digest
    browser = BrowserClient()
    browser.force_login(admin)

    pages = {"/admin/"}
    for model in admin_site.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        pages.add(reverse(f"admin:{name}_changelist"))
        pages.update(
            reverse(f"admin:{name}_{page}", args=[pk])
            for pk in model._default_manager.values_list("pk", flat=True)[:3]
            for page in ("change", "history", "delete")
        )
    answers = {page: browser.get(page) for page in pages}

    assert {"/admin/access/token/", f"/admin/auth/user/{admin.pk}/change/"} <= pages
    for page, response in answers.items():
        assert response.status_code in {200, 403}, page
        assert key not in response.content.decode(), page
        assert digest not in response.content.decode(), page


def test_the_api_description_has_no_key(admin: User) -> None:
    key = make_key(admin)
    client = Client()

    answers = [
        client.get(path, headers={"authorization": f"Token {key}"}).content.decode()
        for path in ("/api/schema/", "/api/docs/")
    ]

    assert not any(key in answer for answer in answers)
