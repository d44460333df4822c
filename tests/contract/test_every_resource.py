"""What the endpoints of all resources have in common."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import Model

from folio.media.models import Media
from tests import shapes
from tests.conftest import Client
from tests.factories import make_employer, make_link, make_media, make_meta, make_portfolio, make_tag

MAKERS: dict[str, Callable[[], Model]] = {
    "portfolios": make_portfolio,
    "employers": make_employer,
    "tags": make_tag,
    "links": lambda: make_link(make_portfolio()),
    "meta": lambda: make_meta(make_portfolio()),
    "media": make_media,
}
PARAMETERS = {
    "employers": {"has_image", "has_description"},
    "tags": {"has_image", "portfolio_id"},
    "links": {"portfolio_id", "has_image", "has_url"},
    "meta": {"portfolio_id", "key", "has_file"},
    "media": {"type", "created_from", "created_to"},
}
COMMON = {"limit", "offset", "ordering", "search", "id_min", "id_max"}
ORDERINGS = {
    "employers": ["id", "name", "description", "slug"],
    "tags": ["id", "name", "slug"],
    "links": ["id", "name", "url", "description", "portfolio"],
    "meta": ["id", "key", "value_text", "portfolio"],
    "media": [
        *("id", "type", "name", "size", "width", "height", "mode", "alt", "mime_type", "created_at", "updated_at"),
        *("focal_x", "focal_y", "is_animated"),
    ],
}
TEXTS = {"search", "key"}  # any value will do
TIES = [  # the names whose values several rows may share
    ("employers", "description"),
    *(("links", name) for name in ("name", "url", "description", "portfolio")),
    *(("meta", name) for name in ("value_text", "portfolio")),
    *(("media", name) for name in ORDERINGS["media"] if name != "id"),
]
MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
EVERY = pytest.mark.parametrize("resource", MAKERS)
EVERY_OTHER = pytest.mark.parametrize("resource", PARAMETERS)
NO_ID = 999_999


def ids(response: Any) -> list[int]:
    assert response.status_code == 200, response.json()
    return [row["id"] for row in response.json()["results"]]


def make(resource: str, number: int) -> list[int]:
    return [MAKERS[resource]().pk for _ in range(number)]


@EVERY
def test_list_answers_a_page(client: Client, resource: str) -> None:
    (pk,) = make(resource, 1)

    page = client.get(f"/api/{resource}/").json()

    assert list(page) == shapes.PAGE
    assert (page["count"], page["next"], page["previous"]) == (1, None, None)
    assert [row["id"] for row in page["results"]] == [pk]


@EVERY
def test_list_pages_by_limit_and_offset(client: Client, resource: str) -> None:
    made = make(resource, 12)
    path = f"/api/{resource}/"

    first = client.get(path, {"ordering": "id"})
    second = client.get(first.json()["next"])

    assert (ids(first), ids(second)) == (made[:10], made[10:])
    assert first.json()["next"] == f"http://testserver{path}?ordering=id&limit=10&offset=10"
    assert (second.json()["next"], second.json()["previous"]) == (None, f"http://testserver{path}?ordering=id&limit=10")
    assert ids(client.get(path, {"ordering": "-id", "limit": "3", "offset": "2"})) == made[::-1][2:5]
    assert ids(client.get(path, {"limit": 101})) == ids(client.get(path, {"limit": 100}))
    assert ids(client.get(path, {"offset": 12})) == []


@EVERY
def test_list_bounds_the_id_inclusively(client: Client, resource: str) -> None:
    made = make(resource, 4)
    path = f"/api/{resource}/"

    assert set(ids(client.get(path, {"id_min": made[1]}))) == set(made[1:])
    assert set(ids(client.get(path, {"id_max": made[1]}))) == set(made[:2])
    assert set(ids(client.get(path, {"id_min": made[1], "id_max": made[2]}))) == set(made[1:3])


@EVERY
def test_list_refuses_a_parameter_that_it_does_not_know(client: Client, resource: str) -> None:
    make(resource, 1)

    response = client.get(f"/api/{resource}/", {"serach": "x"})

    assert response.status_code == 400
    assert list(response.json()) == ["serach"]
    assert "Did you mean search?" in response.json()["serach"][0]


@EVERY_OTHER
def test_list_takes_these_parameters_and_no_others(client: Client, resource: str) -> None:
    message = client.get(f"/api/{resource}/", {"x": "1"}).json()["x"][0]

    allowed = message.partition("Allowed: ")[2].rstrip(".").split(", ")
    assert set(allowed) == COMMON | PARAMETERS[resource]


@EVERY_OTHER
def test_list_orders_by_the_plain_fields_and_no_others(client: Client, resource: str) -> None:
    message = client.get(f"/api/{resource}/", {"ordering": "x"}).json()["ordering"][0]

    assert message.partition("Allowed, also with '-': ")[2].rstrip(".").split(", ") == ORDERINGS[resource]


@pytest.mark.parametrize(("resource", "name"), TIES)
def test_list_breaks_ties_by_ascending_id(client: Client, resource: str, name: str) -> None:
    portfolio = make_portfolio()
    alike: dict[str, Callable[[], Model]] = {
        "employers": make_employer,
        "links": lambda: make_link(portfolio),
        "meta": lambda: make_meta(portfolio),
        "media": lambda: make_media(name="same"),
    }
    rows = [alike[resource]() for _ in range(3)]
    Media.objects.update(created_at=MOMENT, updated_at=MOMENT)

    for sign in ("", "-"):
        assert ids(client.get(f"/api/{resource}/", {"ordering": f"{sign}{name}"})) == [row.pk for row in rows]


@EVERY_OTHER
def test_list_refuses_a_value_of_the_wrong_type(client: Client, resource: str) -> None:
    for name in (COMMON | PARAMETERS[resource]) - TEXTS:
        response = client.get(f"/api/{resource}/", {name: "maybe"})

        assert response.status_code == 400, name
        assert list(response.json()) == [name]


@EVERY_OTHER
def test_list_takes_an_empty_value_as_absent(client: Client, resource: str) -> None:
    make(resource, 2)

    for name in COMMON | PARAMETERS[resource]:
        response = client.get(f"/api/{resource}/?{name}=")

        assert len(ids(response)) == 2, name


@EVERY_OTHER
def test_list_refuses_a_parameter_that_is_repeated(client: Client, resource: str) -> None:
    for name in COMMON | PARAMETERS[resource]:
        response = client.get(f"/api/{resource}/?{name}=1&{name}=1")

        assert response.status_code == 400, name
        assert response.json() == {name: ["Give this parameter once, not 2 times."]}


@EVERY
@pytest.mark.parametrize("pk", [NO_ID, 0, 2**63, 10**30])
def test_an_unknown_id_is_a_404(client: Client, resource: str, pk: int) -> None:
    make(resource, 1)
    path = f"/api/{resource}/{pk}/"

    for response in (client.get(path), client.put(path, {}), client.patch(path, {}), client.delete(path)):
        assert response.status_code == 404
        assert list(response.json()) == ["detail"]
        assert str(pk) in response.json()["detail"]


NO_SUCH_PARAMETER = (
    "Unknown parameter. This address takes no parameters.",
    "Unknown parameter. Allowed: detach, now.",  # of a media
    "Unknown parameter. Allowed: deduplicate.",
    "Unknown parameter. Allowed: include.",  # of a portfolio
)


@EVERY
def test_detail_and_writes_take_no_parameters(client: Client, resource: str) -> None:
    (pk,) = make(resource, 1)
    path = f"/api/{resource}/{pk}/?limit=1"

    for response in (
        client.get(path),
        client.put(path, {}),
        client.patch(path, {}),
        client.delete(path),
        client.post(f"/api/{resource}/?limit=1", {}, format="multipart" if resource == "media" else None),
    ):
        assert response.status_code == 400
        assert list(response.json()) == ["limit"]
        assert response.json()["limit"][0] in NO_SUCH_PARAMETER
    assert client.get(f"/api/{resource}/{pk}/").status_code == 200


@EVERY
def test_a_patch_of_nothing_changes_nothing(client: Client, resource: str) -> None:
    (pk,) = make(resource, 1)
    path = f"/api/{resource}/{pk}/"
    before = client.get(path).json()

    response = client.patch(path, {})

    assert response.status_code == 200
    assert {**response.json(), "updated_at": ""} == {**before, "updated_at": ""}


@EVERY
def test_what_was_read_can_be_sent_back(client: Client, resource: str) -> None:
    (pk,) = make(resource, 1)
    path = f"/api/{resource}/{pk}/"
    before = client.get(path).json()

    for method in (client.put, client.patch):
        response = method(path, before)
        assert response.status_code == 200, response.json()
        assert {**response.json(), "updated_at": ""} == {**before, "updated_at": ""}


@EVERY
def test_ids_and_moments_can_not_be_chosen(client: Client, resource: str) -> None:
    (pk,) = make(resource, 1)
    before = client.get(f"/api/{resource}/{pk}/").json()

    response = client.patch(f"/api/{resource}/{pk}/", {"id": NO_ID})

    assert response.status_code == 200
    assert response.json()["id"] == before["id"]
    assert client.get(f"/api/{resource}/{NO_ID}/").status_code == 404
