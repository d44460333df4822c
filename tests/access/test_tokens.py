from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from folio.access.codes import CODES
from folio.access.models import Token
from tests.conftest import Client
from tests.factories import make_key, make_user

pytestmark = pytest.mark.django_db

PATH = "/api/auth/tokens/"
NARROWED = "This key is narrowed to some permission codes; only one that is not may manage keys."


def in_days(days: int) -> datetime:
    return timezone.now().replace(microsecond=0) + timedelta(days=days)


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_lists_ones_own_keys_newest_first_without_the_keys(client_for: Callable[..., Client], staff: User) -> None:
    secret = make_key(staff, name="older", codes=[4202])
    client = client_for(staff, name="asking")

    response = client.get(PATH)

    assert response.status_code == 200
    body = response.json()
    assert list(body) == ["count", "next", "previous", "results"]
    assert [row["name"] for row in body["results"]] == ["asking", "older"]
    assert list(body["results"][0]) == ["id", "name", "codes", "created_at", "expires_at", "published_only"]
    assert body["results"][1]["codes"] == [4202]
    assert secret not in response.content.decode()
    assert not any(digest in response.content.decode() for digest in Token.objects.values_list("digest", flat=True))


def test_lists_nobody_elses_keys(client_for: Callable[..., Client], admin: User, staff: User) -> None:
    make_key(staff, name="not yours")

    body = client_for(admin, name="yours").get(PATH).json()

    assert body["count"] == 1
    assert [row["name"] for row in body["results"]] == ["yours"]


def test_pages_the_list(client_for: Callable[..., Client], staff: User) -> None:
    for number in range(4):
        make_key(staff, name=f"key {number}")
    client = client_for(staff, name="asking")

    first = client.get(PATH, {"limit": 3}).json()
    second = client.get(first["next"]).json()

    assert first["count"] == second["count"] == 5
    assert first["previous"] is None
    assert first["next"] == "http://testserver/api/auth/tokens/?limit=3&offset=3"
    assert second["next"] is None
    assert second["previous"] == "http://testserver/api/auth/tokens/?limit=3"
    names = [row["name"] for row in first["results"] + second["results"]]
    assert names == ["asking", "key 3", "key 2", "key 1", "key 0"]


def test_ten_keys_make_a_page(client_for: Callable[..., Client], staff: User) -> None:
    client = client_for(staff)
    for _ in range(10):
        make_key(staff)

    body = client.get(PATH).json()

    assert (body["count"], len(body["results"])) == (11, 10)


@pytest.mark.parametrize(
    ("query", "field"),
    [({"limit": "0"}, "limit"), ({"offset": "-1"}, "offset"), ({"limit": "x"}, "limit"), ({"lmit": "3"}, "lmit")],
)
def test_refuses_wrong_parameters(client: Client, query: dict[str, str], field: str) -> None:
    response = client.get(PATH, query)

    assert response.status_code == 400
    assert list(response.json()) == [field]


def test_a_list_costs_the_same_queries_for_any_number_of_keys(
    client_for: Callable[..., Client], staff: User, django_assert_num_queries: Any
) -> None:
    client = client_for(staff)
    with django_assert_num_queries(4):  # the key, the count, the page's ids, its rows
        client.get(PATH)
    for _ in range(50):
        make_key(staff)

    with django_assert_num_queries(4):
        body = client.get(PATH, {"limit": 100}).json()

    assert len(body["results"]) == 51


def test_makes_a_key_that_opens_the_api(client_for: Callable[..., Client], staff: User) -> None:
    response = client_for(staff).post(PATH, {"name": "website"})

    body = response.json()
    assert response.status_code == 201
    assert list(body) == ["id", "name", "codes", "created_at", "expires_at", "published_only", "key"]
    assert (body["name"], body["codes"], body["expires_at"]) == ("website", None, None)
    me = Client().get("/api/auth/me/", HTTP_AUTHORIZATION=f"Token {body['key']}").json()
    assert (me["username"], me["token"]["id"]) == (staff.username, body["id"])


def test_makes_a_narrowed_key(client_for: Callable[..., Client]) -> None:
    client = client_for(make_user(is_staff=True, codes=[4202, 4222]))

    body = client.post(PATH, {"name": "tags", "codes": [4222]}).json()

    assert body["codes"] == [4222]
    narrowed = Client()
    narrowed.credentials(HTTP_AUTHORIZATION=f"Token {body['key']}")
    assert narrowed.get("/api/tags/").status_code == 200
    assert narrowed.get("/api/portfolios/").status_code == 403


def test_a_key_may_name_codes_that_its_owner_does_not_hold(client_for: Callable[..., Client], staff: User) -> None:
    body = client_for(staff).post(PATH, {"name": "later", "codes": [4201]}).json()

    assert body["codes"] == [4201]
    me = Client().get("/api/auth/me/", HTTP_AUTHORIZATION=f"Token {body['key']}").json()
    assert me["permission_codes"] == []


def test_null_codes_are_all_that_the_owner_may(client_for: Callable[..., Client], admin: User) -> None:
    body = client_for(admin).post(PATH, {"name": "all", "codes": None}).json()

    assert body["codes"] is None
    me = Client().get("/api/auth/me/", HTTP_AUTHORIZATION=f"Token {body['key']}").json()
    assert me["permission_codes"] == sorted(CODES)


def test_keeps_repeated_codes_once(client_for: Callable[..., Client], admin: User) -> None:
    body = client_for(admin).post(PATH, {"name": "twice", "codes": [4222, 4202, 4222]}).json()

    assert body["codes"] == [4202, 4222]


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([], "Enter at least one permission code, or null for all that the owner may."),
        ([4202, 9999], "There is no permission code 9999. /api/auth/permissions/ lists them."),
        (["4202"], 'There is no permission code "4202". /api/auth/permissions/ lists them.'),
        ([True, {"a": None}], 'There is no permission code true, {"a": null}. /api/auth/permissions/ lists them.'),
        ([4202.0], "There is no permission code 4202.0. /api/auth/permissions/ lists them."),
        (4202, "Enter a list of permission codes, or null for all that the owner may; not a number."),
        ("4202", "Enter a list of permission codes, or null for all that the owner may; not a text."),
        ({}, "Enter a list of permission codes, or null for all that the owner may; not an object."),
    ],
)
def test_refuses_wrong_codes(client_for: Callable[..., Client], admin: User, codes: Any, message: str) -> None:
    response = client_for(admin).post(PATH, {"name": "bad", "codes": codes})

    assert response.status_code == 400
    assert response.json() == {"codes": [message]}
    assert Token.objects.count() == 1


@pytest.mark.parametrize("codes", [[[4202]], [{}], [None], [10**40]])
def test_refuses_items_that_are_no_codes(client_for: Callable[..., Client], admin: User, codes: Any) -> None:
    response = client_for(admin).post(PATH, {"name": "bad", "codes": codes})

    assert response.status_code == 400
    assert list(response.json()) == ["codes"]
    assert Token.objects.count() == 1


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": " "}, {"name": None}, {"name": "n" * 101}, {"name": []}])
def test_refuses_a_wrong_name(client_for: Callable[..., Client], admin: User, body: dict[str, Any]) -> None:
    response = client_for(admin).post(PATH, body)

    assert response.status_code == 400
    assert list(response.json()) == ["name"]
    assert Token.objects.count() == 1


def test_keys_may_share_a_name(client_for: Callable[..., Client], admin: User) -> None:
    client = client_for(admin)

    assert client.post(PATH, {"name": "website"}).status_code == 201
    assert client.post(PATH, {"name": "website"}).status_code == 201


def test_refuses_an_unknown_field(client_for: Callable[..., Client], admin: User) -> None:
    response = client_for(admin).post(PATH, {"name": "website", "code": [4202]})

    assert response.status_code == 400
    assert response.json() == {
        "code": ["Unknown field. Did you mean codes? Allowed: name, expires_at, codes, published_only."]
    }
    assert Token.objects.count() == 1


def test_ignores_what_a_token_answers_with(client_for: Callable[..., Client], admin: User) -> None:
    body = {"id": 1, "name": "again", "codes": None, "created_at": "2020-01-01T00:00:00Z", "expires_at": None}

    response = client_for(admin).post(PATH, body)

    assert response.status_code == 201
    assert not response.json()["created_at"].startswith("2020")


def test_an_expiring_key_makes_one_that_expires_with_it(client_for: Callable[..., Client], admin: User) -> None:
    own = in_days(5)

    response = client_for(admin, expires_at=own).post(PATH, {"name": "website"})

    assert response.status_code == 201
    assert response.json()["expires_at"] == iso(own)


def test_a_key_may_expire_before_the_one_that_makes_it(client_for: Callable[..., Client], admin: User) -> None:
    earlier = in_days(2)

    response = client_for(admin, expires_at=in_days(5)).post(PATH, {"name": "website", "expires_at": iso(earlier)})

    assert response.status_code == 201
    assert response.json()["expires_at"] == iso(earlier)


def test_a_key_may_expire_with_the_one_that_makes_it(client_for: Callable[..., Client], admin: User) -> None:
    own = in_days(5)

    response = client_for(admin, expires_at=own).post(PATH, {"name": "website", "expires_at": iso(own)})

    assert response.status_code == 201


@pytest.mark.parametrize("asked", [iso(in_days(6)), None, "2999-01-01"], ids=["later", "never", "far"])
def test_a_key_never_makes_one_that_outlives_it(
    client_for: Callable[..., Client], admin: User, asked: str | None
) -> None:
    response = client_for(admin, expires_at=in_days(5)).post(PATH, {"name": "website", "expires_at": asked})

    assert response.status_code == 400
    assert list(response.json()) == ["expires_at"]
    assert response.json()["expires_at"][0].startswith("A key can't make one that outlives it")
    assert Token.objects.count() == 1


def test_a_key_without_end_makes_one_with_or_without(client_for: Callable[..., Client], admin: User) -> None:
    client, later = client_for(admin), in_days(400)

    assert client.post(PATH, {"name": "open"}).json()["expires_at"] is None
    assert client.post(PATH, {"name": "open", "expires_at": None}).json()["expires_at"] is None
    assert client.post(PATH, {"name": "ending", "expires_at": iso(later)}).json()["expires_at"] == iso(later)


@pytest.mark.parametrize(
    "asked", ["2020-01-01T00:00:00Z", iso(timezone.now()), "0001-01-01"], ids=["past", "now", "first"]
)
def test_refuses_an_expiry_in_the_past(client_for: Callable[..., Client], admin: User, asked: str) -> None:
    response = client_for(admin).post(PATH, {"name": "website", "expires_at": asked})

    assert response.status_code == 400
    assert response.json() == {"expires_at": ["Enter a moment in the future."]}
    assert Token.objects.count() == 1


@pytest.mark.parametrize("asked", ["tomorrow", 7, "", "2999-02-30", "9999-12-31T23:59:59-05:00", [], True])
def test_refuses_an_expiry_that_is_no_moment(client_for: Callable[..., Client], admin: User, asked: Any) -> None:
    response = client_for(admin).post(PATH, {"name": "website", "expires_at": asked})

    assert response.status_code == 400
    assert list(response.json()) == ["expires_at"]


def test_an_expiry_is_converted_to_utc(client_for: Callable[..., Client], admin: User) -> None:
    body = {"name": "website", "expires_at": "2999-01-01T03:30:00+03:30"}

    assert client_for(admin).post(PATH, body).json()["expires_at"] == "2999-01-01T00:00:00Z"


def test_revokes_a_key_at_once(client_for: Callable[..., Client], admin: User) -> None:
    key = make_key(admin, name="lost")
    lost = Token.objects.get(name="lost")

    response = client_for(admin).delete(f"{PATH}{lost.pk}/")

    assert response.status_code == 204
    assert response.content == b""
    assert Client().get("/api/auth/me/", HTTP_AUTHORIZATION=f"Token {key}").status_code == 401
    assert not Token.objects.filter(name="lost").exists()


def test_a_key_may_revoke_itself(client_for: Callable[..., Client], admin: User) -> None:
    client = client_for(admin)

    assert client.delete(f"{PATH}{Token.objects.get().pk}/").status_code == 204
    assert client.get(PATH).status_code == 401


def test_another_users_key_does_not_exist_for_an_admin_either(
    client_for: Callable[..., Client], admin: User, staff: User
) -> None:
    key = make_key(staff)
    other = Token.objects.get()

    response = client_for(admin).delete(f"{PATH}{other.pk}/")

    assert response.status_code == 404
    assert response.json() == {"detail": f"You have no token with the id {other.pk}."}
    assert Client().get("/api/auth/me/", HTTP_AUTHORIZATION=f"Token {key}").status_code == 200


@pytest.mark.parametrize("pk", ["999999", str(2**63), "9" * 40])
def test_an_unknown_id_is_a_404(client: Client, pk: str) -> None:
    response = client.delete(f"{PATH}{pk}/")

    assert response.status_code == 404
    assert list(response.json()) == ["detail"]


@pytest.mark.parametrize("method", ["get", "put", "patch", "post"])
def test_a_key_is_only_revoked(client: Client, method: str) -> None:
    response = getattr(client, method)(f"{PATH}{Token.objects.get().pk}/")

    assert response.status_code == 405
    assert response.headers["Allow"] == "DELETE"


@pytest.mark.parametrize(("method", "path"), [("get", PATH), ("post", PATH), ("delete", f"{PATH}1/")])
def test_a_narrowed_key_may_not_manage_keys(
    client_for: Callable[..., Client], admin: User, method: str, path: str
) -> None:
    client = client_for(admin, codes=sorted(CODES))

    response = getattr(client, method)(path, {"name": "wider"} if method == "post" else None)

    assert response.status_code == 403
    assert response.json() == {"detail": NARROWED}
    assert Token.objects.count() == 1


def test_a_narrowed_key_may_not_revoke_itself(client_for: Callable[..., Client], admin: User) -> None:
    client = client_for(admin, codes=[4202])

    response = client.delete(f"{PATH}{Token.objects.get().pk}/")

    assert response.status_code == 403
    assert Token.objects.count() == 1


def test_everyone_with_a_whole_key_may_manage_their_own(client_for: Callable[..., Client], stranger: User) -> None:
    client = client_for(stranger)

    made = client.post(PATH, {"name": "mine"})

    assert made.status_code == 201
    assert client.get(PATH).json()["count"] == 2
    assert client.delete(f"{PATH}{made.json()['id']}/").status_code == 204


@pytest.mark.parametrize(("method", "path"), [("get", PATH), ("post", PATH), ("delete", f"{PATH}1/")])
def test_nobody_manages_keys_without_one(method: str, path: str) -> None:
    response = getattr(Client(), method)(path)

    assert response.status_code == 401
