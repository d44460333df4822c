from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User

from folio.access.codes import CODES
from tests.conftest import Client

pytestmark = pytest.mark.django_db

PATH = "/api/auth/permissions/"
ACTIONS = ["create", "list", "retrieve", "update", "delete"]
FIRST = {"media": 4101, "portfolios": 4201, "employers": 4211, "tags": 4221, "links": 4231, "meta": 4241}


def test_lists_every_code_with_its_resource_and_action(client: Client) -> None:
    response = client.get(PATH)

    assert response.status_code == 200
    assert response.json() == [
        {"code": first + number, "resource": resource, "action": action}
        for resource, first in FIRST.items()
        for number, action in enumerate(ACTIONS)
    ]
    assert list(response.json()[0]) == ["code", "resource", "action"]


def test_is_open_to_every_valid_key(client_for: Callable[..., Client], stranger: User) -> None:
    response = client_for(stranger, codes=[4101]).get(PATH)

    assert response.status_code == 200
    assert len(response.json()) == 30


def test_refuses_a_missing_key() -> None:
    response = Client().get(PATH)

    assert response.status_code == 401
    assert "4201" not in response.content.decode()


def test_refuses_paging_which_it_does_not_know(client: Client) -> None:
    response = client.get(PATH, {"limit": 5})

    assert response.status_code == 400
    assert list(response.json()) == ["limit"]


def test_every_code_is_granted_by_a_permission_that_exists() -> None:
    existing = {f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")}

    assert {code.permission for code in CODES.values()} <= existing


def test_list_and_retrieve_are_one_permission_and_the_others_one_each() -> None:
    for resource, first in FIRST.items():
        permissions = [CODES[first + number].permission for number in range(5)]

        assert permissions[1] == permissions[2], resource
        assert len(set(permissions)) == 4, resource
