from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as BrowserClient
from django.utils import timezone

from folio.access.models import Token
from tests.conftest import Client
from tests.factories import make_key, make_tag

pytestmark = pytest.mark.django_db

PATH = "/api/tags/"


def ask(authorization: str, path: str = PATH) -> Any:
    return Client().get(path, HTTP_AUTHORIZATION=authorization)


def assert_refused(response: Any) -> None:
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Token"
    assert response.headers["Content-Type"] == "application/json"
    assert list(response.json()) == ["detail"]
    assert isinstance(response.json()["detail"], str)


def test_a_key_opens_the_api(admin: User) -> None:
    response = ask(f"Token {make_key(admin)}")

    assert response.status_code == 200


def test_refuses_a_request_without_the_header() -> None:
    make_tag(name="secret")

    response = Client().get(PATH)

    assert_refused(response)
    assert "secret" not in response.content.decode()


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head"])
def test_refuses_every_method_without_a_key(method: str) -> None:
    tag = make_tag(name="kept")

    response = getattr(Client(), method)(f"{PATH}{tag.pk}/")

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Token"
    tag.refresh_from_db()
    assert tag.name == "kept"


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "Tokens", "Toke", ""])
def test_refuses_another_scheme(admin: User, scheme: str) -> None:
    assert_refused(ask(f"{scheme} {make_key(admin)}"))


def test_refuses_a_key_without_its_scheme(admin: User) -> None:
    assert_refused(ask(make_key(admin)))


@pytest.mark.parametrize(
    "authorization",
    [
        "Token",
        "Token ",
        "Token unknown",
        "Token folio_" + "A" * 43,
        "Token \xff\xfe\x80",
        "Token " + "x" * 10_000,
        "Token a b",
        "Token None",
        "Token \x00",
        "",
        " ",
    ],
)
def test_refuses_a_bad_key(admin: User, authorization: str) -> None:
    make_key(admin)

    assert_refused(ask(authorization))


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("Bearer {}", "`Bearer` is not the word that is understood here."),
        ("Basic {}", "`Basic` is not the word that is understood here."),
        ("{}", "The word `Token` is missing before the key."),
        ("Token", "The key is missing after `Token`."),
        ("Token Token {}", "The word `Token` stands there twice."),
        ("Token token={}", "The word `Token` stands there twice."),
        ('Token "{}"', "The key stands between quotes or brackets, which do not belong to it."),
        ("Token <{}>", "The key stands between quotes or brackets, which do not belong to it."),
        ("Token {} more", "There is something else beside the key."),
        ("Token: {}", "This is not how a key is sent."),
        ("Tokens {}", "This is not how a key is sent."),
    ],
)
def test_says_how_a_key_is_sent_and_nothing_of_the_key(admin: User, authorization: str, reason: str) -> None:
    key = make_key(admin)

    response = ask(authorization.format(key))

    assert_refused(response)
    assert response.json()["detail"] == f"{reason} Send the key as `Authorization: Token folio_…`."
    assert key not in response.content.decode()


def test_refuses_a_digest_in_place_of_its_key(admin: User) -> None:
    make_key(admin)

    assert_refused(ask(f"Token {Token.objects.get().digest}"))


def test_refuses_a_key_in_other_letter_case(admin: User) -> None:
    assert_refused(ask(f"Token {make_key(admin).swapcase()}"))


def test_refuses_a_key_with_more_after_it(admin: User) -> None:
    assert_refused(ask(f"Token {make_key(admin)} more"))


def test_the_scheme_may_be_in_any_letter_case(admin: User) -> None:
    key = make_key(admin)

    assert ask(f"token {key}").status_code == 200
    assert ask(f"TOKEN {key}").status_code == 200


def test_several_spaces_may_stand_before_the_key(admin: User) -> None:
    assert ask(f"Token    {make_key(admin)} ").status_code == 200


def test_refuses_an_expired_key(admin: User) -> None:
    assert_refused(ask(f"Token {make_key(admin, expires_at=timezone.now() - timedelta(seconds=1))}"))


def test_a_key_lives_until_its_moment_and_not_in_it(admin: User) -> None:
    moment = timezone.now()
    make_key(admin, expires_at=moment)

    assert Token.objects.alive(moment - timedelta(microseconds=1)).exists()
    assert not Token.objects.alive(moment).exists()


def test_a_key_that_has_not_expired_opens_the_api(admin: User) -> None:
    assert ask(f"Token {make_key(admin, expires_at=timezone.now() + timedelta(minutes=1))}").status_code == 200


def test_a_revoked_key_is_dead_at_once(admin: User) -> None:
    key = make_key(admin)
    assert ask(f"Token {key}").status_code == 200

    Token.objects.all().delete()

    assert_refused(ask(f"Token {key}"))


def test_the_keys_of_a_deactivated_user_are_dead_at_once(admin: User) -> None:
    key = make_key(admin)
    assert ask(f"Token {key}").status_code == 200

    User.objects.update(is_active=False)

    assert_refused(ask(f"Token {key}"))
    assert_refused(ask(f"Token {key}", "/api/auth/me/"))


def test_the_keys_of_a_deleted_user_are_gone(admin: User) -> None:
    key = make_key(admin)

    admin.delete()

    assert_refused(ask(f"Token {key}"))
    assert not Token.objects.exists()


def test_no_session_cookie_opens_the_api(admin: User) -> None:
    browser = BrowserClient()
    browser.force_login(admin)
    assert browser.get("/admin/").status_code == 200

    assert_refused(browser.get(PATH))
    assert_refused(browser.post(PATH, {"name": "x"}, content_type="application/json"))


def test_the_api_sets_no_cookie(client: Client) -> None:
    assert not client.get(PATH).cookies
    assert not Client().get(PATH).cookies


def test_a_key_is_no_query_parameter(admin: User) -> None:
    assert_refused(Client().get(PATH, {"token": make_key(admin)}))


def test_authentication_costs_one_query_and_writes_nothing(
    client_for: Callable[..., Client], staff: User, django_assert_num_queries: Any
) -> None:
    client = client_for(staff)

    with django_assert_num_queries(1) as queries:
        response = client.get("/api/auth/permissions/")

    assert response.status_code == 200
    assert queries.captured_queries[0]["sql"].startswith("SELECT")


def test_a_missing_key_is_told_before_a_wrong_parameter() -> None:
    assert_refused(Client().get(PATH, {"no_such": "parameter"}))


def test_a_missing_key_is_told_before_a_wrong_body() -> None:
    assert_refused(Client().post(PATH, b"{", content_type="application/json"))


def test_a_missing_key_is_told_before_an_unknown_id() -> None:
    assert_refused(Client().get(f"{PATH}999999/"))
