"""Who is known has a count of failed sign-ins of their own, and who is not learns nothing from that."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Site
from django.test import RequestFactory
from django.utils import timezone

from folio.access import attempts
from folio.access.known import known_as
from folio.access.models import Token
from tests.access.test_slow_sign_in import NOW, PASSWORD, by_api, by_form, is_refused
from tests.conftest import Client
from tests.factories import make_key, make_user


@pytest.fixture
def nora(db: None) -> User:
    return make_user("nora", password=PASSWORD, is_staff=True)


@pytest.fixture
def browser(nora: User) -> Site:
    """A browser that nora has signed in from, and out again."""
    browser = Site(REMOTE_ADDR="203.0.113.5")
    browser.post("/admin/login/", {"username": "nora", "password": PASSWORD})
    browser.post("/admin/logout/")
    return browser


def try_everything(address: str = "203.0.113.5") -> list[Any]:
    """Fail with nora's name and with nobody's, for as long as it takes until all have to wait; return the answers."""
    answers = []
    for number in range(12):
        by_api("wrong", f"somebody {number}", address)
        answers.append([by("wrong", name, address) for by in (by_api, by_form) for name in ("nora", "nobody")])
    return answers


@pytest.mark.parametrize("way", ["browser", "program"])
def test_who_shares_an_address_with_an_account_learns_nothing_of_it(
    nora: User, browser: Site, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "time", SimpleNamespace(time=lambda: NOW))  # waits get shorter while one asks
    if way == "program":
        by_api(PASSWORD)

    for api_nora, api_nobody, form_nora, form_nobody in try_everything():
        assert (api_nora.status_code, api_nora.content) == (api_nobody.status_code, api_nobody.content)
        assert api_nora.headers.get("Retry-After") == api_nobody.headers.get("Retry-After")
        assert form_nora.context["form"].non_field_errors() == form_nobody.context["form"].non_field_errors()
    assert is_refused(api_nora)


def test_a_success_beside_them_tells_them_nothing_either(nora: User) -> None:
    for name in ("nora", "nobody"):
        for _ in range(4):
            by_api("wrong", name)

    by_api(PASSWORD)

    answers = [[by_api("wrong", name).status_code for _ in range(3)] for name in ("nora", "nobody")]
    assert answers[0] == answers[1] == [400, 429, 429]


def test_nobody_keeps_an_owner_out_of_the_browser_they_signed_in_from(browser: Site) -> None:
    try_everything()
    for number in range(50):
        by_api("wrong", address=f"198.51.100.{number}")

    assert is_refused(by_form(PASSWORD))
    assert browser.post("/admin/login/", {"username": "nora", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("minutes", [5, -5], ids=["alive", "expired"])
def test_nobody_keeps_an_owner_out_of_a_program_that_sends_its_key(nora: User, minutes: int) -> None:
    key = by_api(PASSWORD).json()["key"]
    Token.objects.update(expires_at=timezone.now() + timedelta(minutes=minutes))
    try_everything()
    body = {"username": "nora", "password": PASSWORD}

    answer = Client(REMOTE_ADDR="203.0.113.5").post("/api/auth/token/", body, HTTP_AUTHORIZATION=f"Token {key}")

    assert answer.status_code == 201


def test_the_key_of_another_account_makes_no_one_known(nora: User) -> None:
    key = make_key(make_user("olga"))
    for _ in range(5):
        by_api("wrong")
    body = {"username": "nora", "password": PASSWORD}

    answer = Client(REMOTE_ADDR="203.0.113.5").post("/api/auth/token/", body, HTTP_AUTHORIZATION=f"Token {key}")

    assert answer.status_code == 429


def test_who_is_known_has_to_wait_after_five_failures_too(browser: Site) -> None:
    answers = [browser.post("/admin/login/", {"username": "nora", "password": "wrong"}) for _ in range(6)]

    assert [is_refused(answer) for answer in answers] == [False] * 5 + [True]


def test_a_browser_is_known_by_no_other_name(browser: Site) -> None:
    make_user("olga", password=PASSWORD, is_staff=True)
    for _ in range(5):
        by_form("wrong", "olga")

    assert is_refused(browser.post("/admin/login/", {"username": "olga", "password": PASSWORD}))


def test_the_cookie_tells_no_name_and_no_script_and_lives_for_thirty_days(browser: Site) -> None:
    (cookie,) = (cookie for name, cookie in browser.cookies.items() if name.startswith("folio_known_"))

    assert "nora" not in cookie.OutputString()
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/admin/")
    assert cookie["max-age"] == timedelta(days=30).total_seconds()


def test_an_old_or_made_up_cookie_makes_no_one_known(browser: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    (name,) = (name for name in browser.cookies if name.startswith("folio_known_"))
    request = RequestFactory().post("/")
    request.COOKIES = {name: browser.cookies[name].value}
    assert known_as(request, "nora")

    monkeypatch.setattr("folio.access.known.KNOWN_FOR", timedelta(seconds=-1))
    assert not known_as(request, "nora")
    request.COOKIES = {name: "planted:1:1"}
    assert not known_as(request, "nora")
