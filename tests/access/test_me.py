from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from folio.access.codes import CODES
from tests.conftest import Client
from tests.factories import make_user

pytestmark = pytest.mark.django_db

PATH = "/api/auth/me/"


def test_tells_whose_key_it_is_and_what_it_can_do(client_for: Callable[..., Client]) -> None:
    user = make_user("nora", is_staff=True, codes=[4202])
    client = client_for(user, name="website", expires_at=datetime(2100, 1, 2, tzinfo=UTC))

    response = client.get(PATH)

    assert response.status_code == 200
    body = response.json()
    assert body == {
        "username": "nora",
        "is_staff": True,
        "is_admin": False,
        "permission_codes": [4202, 4203],
        "token": {
            "id": user.tokens.get().pk,
            "name": "website",
            "codes": None,
            "expires_at": "2100-01-02T00:00:00Z",
            "published_only": False,
        },
    }
    assert list(body) == ["username", "is_staff", "is_admin", "permission_codes", "token"]
    assert list(body["token"]) == ["id", "name", "codes", "expires_at", "published_only"]


def test_an_admin_holds_every_code(client_for: Callable[..., Client], admin: User) -> None:
    body = client_for(admin).get(PATH).json()

    assert body["is_admin"] is True
    assert body["permission_codes"] == sorted(CODES)
    assert body["token"]["expires_at"] is None


def test_a_strangers_grants_count_for_nothing(client_for: Callable[..., Client], stranger: User) -> None:
    response = client_for(stranger).get(PATH)

    assert response.status_code == 200
    assert response.json()["is_staff"] is False
    assert response.json()["permission_codes"] == []


def test_a_narrowed_key_shows_what_owner_and_key_share(client_for: Callable[..., Client]) -> None:
    owner = make_user(is_staff=True, codes=[4201, 4221])

    body = client_for(owner, codes=[4201, 4205]).get(PATH).json()

    assert body["permission_codes"] == [4201]
    assert body["token"]["codes"] == [4201, 4205]


def test_tells_of_the_key_that_asks_and_of_no_other(client_for: Callable[..., Client], staff: User) -> None:
    client_for(staff, name="other")

    body = client_for(staff, name="asking").get(PATH).json()

    assert body["token"]["name"] == "asking"
    assert "other" not in str(body)


def test_refuses_a_missing_key() -> None:
    response = Client().get(PATH)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Token"


def test_refuses_an_expired_key(client_for: Callable[..., Client], admin: User) -> None:
    response = client_for(admin, expires_at=timezone.now() - timedelta(seconds=1)).get(PATH)

    assert response.status_code == 401
    assert "ada" not in response.content.decode()


def test_refuses_query_parameters(client: Client) -> None:
    response = client.get(PATH, {"format": "json"})

    assert response.status_code == 400
    assert response.json() == {"format": ["Unknown parameter. This address takes no parameters."]}


def test_answers_only_to_get(client: Client) -> None:
    response = client.post(PATH, {})

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
