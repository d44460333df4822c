"""Who has a copy of the database, and not the secret key, can sign in as nobody and sign nothing."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client as Site

from folio.portfolios.previews import share
from tests.conftest import Client
from tests.factories import make_portfolio, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


def everything() -> str:
    """Return what stands in every column of every table of the models."""
    models = apps.get_models(include_auto_created=True)
    rows = (row for model in models for row in model._default_manager.values_list())
    return "\n".join(str(bytes(value) if isinstance(value, memoryview) else value) for row in rows for value in row)


@pytest.fixture
def nora(db: None) -> User:
    return make_user("nora", password=PASSWORD, is_staff=True, is_superuser=True)


def test_it_holds_nothing_that_opens_or_signs_anything(nora: User) -> None:
    site = Site()
    site.post("/admin/login/", {"username": "nora", "password": PASSWORD})
    client = Client()
    signed_in = client.post("/api/auth/token/", {"username": "nora", "password": PASSWORD}).json()["key"]
    client.credentials(HTTP_AUTHORIZATION=f"Token {signed_in}")
    made = client.post("/api/auth/tokens/", {"name": "website"}).json()["key"]
    webhook = client.post("/api/webhooks/", {"url": "https://1.1.1.1/hook"}).json()["secret"]
    kept = client.post("/api/tags/", {"name": "Print"}, headers={"Idempotency-Key": "a-key-of-mine"})
    with transaction.atomic():
        preview = share(nora, make_portfolio(is_active=False).pk, timedelta(days=1)).token
    page = site.get("/admin/access/token/add/").content.decode()
    cookies = {name: morsel.value for name, morsel in site.cookies.items()}

    secrets: dict[str, Any] = {
        "password": PASSWORD,
        "key of a sign-in": signed_in,
        "key": made,
        "secret of a webhook": webhook,
        "token of a preview": preview,
        "token of a form": re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0],
        **cookies,
    }

    assert kept.status_code == 201
    assert {"sessionid", "csrftoken"} < set(cookies)
    stored = everything()
    assert "Print" in stored
    assert [name for name, secret in secrets.items() if secret in stored] == []


def test_what_stands_there_is_no_key_and_no_cookie(nora: User, client_for: Any) -> None:
    site = Site()
    site.post("/admin/login/", {"username": "nora", "password": PASSWORD})
    client_for(nora)
    digests = set(re.findall(r"\b[0-9a-f]{40,64}\b", everything()))

    assert len(digests) >= 2  # of the key and of the session
    for digest in digests:
        thief = Site()
        thief.cookies["sessionid"] = digest
        assert thief.get("/admin/").status_code == 302
        assert Client(HTTP_AUTHORIZATION=f"Token {digest}").get("/api/auth/me/").status_code == 401
