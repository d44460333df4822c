from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User

from folio.access.codes import CODES
from folio.portfolios.models import Tag
from tests.conftest import Client
from tests.factories import make_portfolio, make_tag, make_user, permissions

pytestmark = pytest.mark.django_db

PATH = "/api/tags/"
CREATE, LIST, RETRIEVE, UPDATE, DELETE = 4221, 4222, 4223, 4224, 4225


def test_refuses_staff_without_the_permission(client_for: Callable[..., Client], staff: User) -> None:
    make_tag(name="hidden")

    response = client_for(staff).get(PATH)

    assert response.status_code == 403
    assert response.json() == {
        "detail": "This needs the permission code 4222 (list tags), held by an admin or by staff with that "
        "permission, and by the key.",
        "permission_code": 4222,
    }
    assert isinstance(response.json()["permission_code"], int)
    assert "WWW-Authenticate" not in response.headers
    assert "hidden" not in response.content.decode()


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("post", PATH, CREATE),
        ("get", PATH, LIST),
        ("get", f"{PATH}1/", RETRIEVE),
        ("put", f"{PATH}1/", UPDATE),
        ("patch", f"{PATH}1/", UPDATE),
        ("delete", f"{PATH}1/", DELETE),
    ],
)
def test_a_refusal_names_the_code_that_was_missing(
    client_for: Callable[..., Client], staff: User, method: str, path: str, code: int
) -> None:
    response = getattr(client_for(staff), method)(path)

    assert response.status_code == 403
    assert response.json()["permission_code"] == code


def test_lets_staff_in_with_the_permission(client_for: Callable[..., Client]) -> None:
    client = client_for(make_user(is_staff=True, codes=[CREATE]))

    assert client.post(PATH, {"name": "print"}).status_code == 201
    assert client.get(PATH).status_code == 403


def test_lets_staff_in_through_a_group(client_for: Callable[..., Client], staff: User) -> None:
    group = Group.objects.create(name="readers")
    group.permissions.add(*permissions(CODES[LIST].permission))
    staff.groups.add(group)

    client = client_for(staff)

    assert client.get(PATH).status_code == 200
    assert client.post(PATH, {"name": "print"}).status_code == 403


def test_a_group_of_others_grants_nothing(client_for: Callable[..., Client], staff: User) -> None:
    group = Group.objects.create(name="readers")
    group.permissions.add(*permissions(CODES[LIST].permission))
    make_user(is_staff=True).groups.add(group)

    assert client_for(staff).get(PATH).status_code == 403


def test_list_and_retrieve_are_granted_together(client_for: Callable[..., Client]) -> None:
    tag = make_tag()
    client = client_for(make_user(is_staff=True, codes=[RETRIEVE]))

    assert client.get(PATH).status_code == 200
    assert client.get(f"{PATH}{tag.pk}/").status_code == 200


def test_list_and_retrieve_are_narrowed_apart(client_for: Callable[..., Client], admin: User) -> None:
    tag = make_tag()
    client = client_for(admin, codes=[RETRIEVE])

    assert client.get(PATH).status_code == 403
    assert client.get(f"{PATH}{tag.pk}/").status_code == 200


def test_refuses_a_stranger_whatever_was_granted(client_for: Callable[..., Client], stranger: User) -> None:
    group = Group.objects.create(name="readers")
    group.permissions.add(*permissions(CODES[LIST].permission))
    stranger.groups.add(group)

    response = client_for(stranger).get(PATH)

    assert response.status_code == 403
    assert response.json()["permission_code"] == LIST


def test_lets_an_admin_do_everything(client_for: Callable[..., Client], admin: User) -> None:
    client = client_for(admin)

    tag = client.post(PATH, {"name": "print"}).json()

    assert client.get(PATH).json()["count"] == 1
    assert client.patch(f"{PATH}{tag['id']}/", {"name": "paper"}).status_code == 200
    assert client.delete(f"{PATH}{tag['id']}/").status_code == 204


def test_an_admin_need_not_be_staff(client_for: Callable[..., Client]) -> None:
    assert client_for(make_user(is_superuser=True)).get(PATH).status_code == 200


def test_a_narrowed_key_of_an_admin_does_only_what_it_names(client_for: Callable[..., Client], admin: User) -> None:
    client = client_for(admin, codes=[LIST])

    response = client.post(PATH, {"name": "print"})

    assert client.get(PATH).status_code == 200
    assert response.status_code == 403
    assert response.json()["permission_code"] == CREATE
    assert not Tag.objects.exists()


def test_a_key_does_not_give_its_owner_what_they_do_not_hold(client_for: Callable[..., Client], staff: User) -> None:
    assert client_for(staff, codes=[LIST]).get(PATH).status_code == 403


def test_a_key_narrowed_to_one_resource_opens_no_other(client_for: Callable[..., Client], editor: User) -> None:
    client = client_for(editor, codes=[LIST])

    assert client.get(PATH).status_code == 200
    assert client.get("/api/portfolios/").status_code == 403
    assert client.get("/api/employers/").status_code == 403


def test_a_withdrawn_grant_takes_effect_at_once(client_for: Callable[..., Client]) -> None:
    user = make_user(is_staff=True, codes=[LIST])
    client = client_for(user)
    assert client.get(PATH).status_code == 200

    user.user_permissions.clear()

    assert client.get(PATH).status_code == 403


def test_a_withdrawn_group_takes_effect_at_once(client_for: Callable[..., Client], staff: User) -> None:
    group = Group.objects.create(name="readers")
    group.permissions.add(*permissions(CODES[LIST].permission))
    staff.groups.add(group)
    client = client_for(staff)
    assert client.get(PATH).status_code == 200

    group.permissions.clear()

    assert client.get(PATH).status_code == 403


def test_a_new_grant_takes_effect_at_once(client_for: Callable[..., Client], staff: User) -> None:
    client = client_for(staff)
    assert client.get(PATH).status_code == 403

    staff.user_permissions.add(*permissions(CODES[LIST].permission))

    assert client.get(PATH).status_code == 200


def test_a_lost_standing_takes_effect_at_once(client_for: Callable[..., Client], editor: User) -> None:
    client = client_for(editor)
    assert client.get(PATH).status_code == 200

    User.objects.filter(pk=editor.pk).update(is_staff=False)

    assert client.get(PATH).status_code == 403


def test_a_missing_permission_is_told_before_a_wrong_parameter(client_for: Callable[..., Client], staff: User) -> None:
    assert client_for(staff).get(PATH, {"no_such": "parameter"}).status_code == 403


def test_a_missing_permission_is_told_before_a_wrong_body(client_for: Callable[..., Client], staff: User) -> None:
    response = client_for(staff).post(PATH, b"{", content_type="application/json")

    assert response.status_code == 403


def test_a_missing_permission_does_not_tell_which_ids_exist(client_for: Callable[..., Client], staff: User) -> None:
    tag = make_tag()
    client = client_for(staff)

    assert client.get(f"{PATH}{tag.pk}/").json() == client.get(f"{PATH}{tag.pk + 1}/").json()


def test_who_may_list_sees_inactive_rows_too(client_for: Callable[..., Client]) -> None:
    portfolio = make_portfolio(is_active=False)
    client = client_for(make_user(is_staff=True, codes=[4202]))

    assert client.get("/api/portfolios/").json()["count"] == 1
    assert client.get(f"/api/portfolios/{portfolio.pk}/").status_code == 200
