from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from folio.access.models import Token
from tests.conftest import Client
from tests.factories import make_user

pytestmark = pytest.mark.django_db

PATH = "/api/auth/token/"
PASSWORD = "correct horse battery staple"
REFUSAL = {"non_field_errors": ["No active user has this name and password."]}


@pytest.fixture
def user() -> User:
    return make_user("nora", password=PASSWORD)


def sign_in(password: str = PASSWORD, username: str = "nora") -> Any:
    return Client().post(PATH, {"username": username, "password": password})


def test_answers_with_a_new_token_and_its_key(user: User) -> None:
    response = sign_in()

    body = response.json()
    assert response.status_code == 201
    assert list(body) == ["id", "name", "codes", "created_at", "expires_at", "published_only", "key"]
    assert body["codes"] is None
    assert Token.objects.get().pk == body["id"]
    assert body["created_at"].endswith("Z")
    assert body["expires_at"].endswith("Z")


def test_the_key_opens_the_api_for_its_owner(user: User) -> None:
    key = sign_in().json()["key"]

    response = Client().get("/api/auth/me/", HTTP_AUTHORIZATION=f"Token {key}")

    assert response.status_code == 200
    assert response.json()["username"] == "nora"


def test_the_key_expires_after_thirty_days(user: User) -> None:
    before = timezone.now()

    expires_at = datetime.fromisoformat(sign_in().json()["expires_at"])

    assert before + timedelta(days=30) <= expires_at <= timezone.now() + timedelta(days=30)
    assert expires_at.tzinfo == UTC


def test_a_setting_says_how_long_the_key_lives(user: User, settings: Any) -> None:
    settings.TOKEN_DAYS = 2

    expires_at = datetime.fromisoformat(sign_in().json()["expires_at"])

    assert timedelta(days=1) < expires_at - timezone.now() <= timedelta(days=2)


def test_each_sign_in_makes_a_key_of_its_own(user: User) -> None:
    first, second = sign_in().json(), sign_in().json()

    assert first["key"] != second["key"]
    assert user.tokens.count() == 2
    assert Client().get("/api/auth/me/", HTTP_AUTHORIZATION=f"Token {first['key']}").status_code == 200


def test_refuses_a_wrong_password(user: User) -> None:
    response = sign_in(password="wrong")

    assert response.status_code == 400
    assert response.json() == REFUSAL
    assert not Token.objects.exists()


def test_does_not_tell_whether_a_user_exists(user: User) -> None:
    response = sign_in(username="nobody")

    assert response.status_code == 400
    assert response.json() == REFUSAL


def test_refuses_a_deactivated_user(user: User) -> None:
    User.objects.update(is_active=False)

    response = sign_in()

    assert response.status_code == 400
    assert response.json() == REFUSAL
    assert not Token.objects.exists()


def test_refuses_a_user_without_a_password() -> None:
    make_user("keyed").set_unusable_password()

    response = sign_in(username="keyed", password="!")

    assert response.status_code == 400
    assert response.json() == REFUSAL


def test_keeps_the_spaces_of_a_password() -> None:
    make_user("nora", password=" spaced ")

    assert sign_in(password=" spaced ").status_code == 201
    assert sign_in(password="spaced").status_code == 400


def test_names_the_fields_that_are_missing() -> None:
    response = Client().post(PATH, {})

    assert response.status_code == 400
    assert response.json() == {"username": ["This field is required."], "password": ["This field is required."]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "nora", "password": None}, "password"),
        ({"username": "nora", "password": ""}, "password"),
        ({"username": ["nora"], "password": PASSWORD}, "username"),
        ({"username": "nora\0", "password": PASSWORD}, "username"),
        ({"username": "nora", "password": "nul\0"}, "password"),
        ({"username": "n" * 151, "password": PASSWORD}, "username"),
        ({"username": "nora", "password": "p" * 4097}, "password"),
    ],
)
def test_names_the_field_that_is_wrong(user: User, body: dict[str, Any], field: str) -> None:
    response = Client().post(PATH, body)

    assert response.status_code == 400
    assert list(response.json()) == [field]


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_refuses_a_body_that_is_no_object(body: Any) -> None:
    response = Client().post(PATH, body, format="json")

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/json"


def test_refuses_an_unknown_field(user: User) -> None:
    response = Client().post(PATH, {"username": "nora", "password": PASSWORD, "codes": [4201]})

    assert response.status_code == 400
    assert list(response.json()) == ["codes"]
    assert not Token.objects.exists()


def test_refuses_query_parameters(user: User) -> None:
    response = Client().post(f"{PATH}?next=/", {"username": "nora", "password": PASSWORD})

    assert response.status_code == 400
    assert response.json() == {"next": ["Unknown parameter. This address takes no parameters."]}
    assert not Token.objects.exists()


def test_needs_no_key_and_does_not_mind_a_bad_one(user: User) -> None:
    response = Client().post(
        PATH, {"username": "nora", "password": PASSWORD}, HTTP_AUTHORIZATION="Token folio_long_expired"
    )

    assert response.status_code == 201


def test_refuses_a_form(user: User) -> None:
    response = Client().post(PATH, b"username=nora", content_type="application/x-www-form-urlencoded")

    assert response.status_code == 415
    assert list(response.json()) == ["detail"]


def test_answers_only_to_post() -> None:
    response = Client().get(PATH)

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert list(response.json()) == ["detail"]
