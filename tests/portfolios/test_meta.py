from typing import Any

import pytest

from folio.portfolios.models import MetaEntry
from tests import shapes
from tests.conftest import Client
from tests.factories import make_image, make_media, make_meta, make_portfolio

PATH = "/api/meta/"
KEYS = [*shapes.META, "portfolio"]
NO_ID = 999_999


def ids(client: Client, **parameters: Any) -> list[int]:
    response = client.get(PATH, parameters)
    assert response.status_code == 200, response.json()
    return [row["id"] for row in response.json()["results"]]


def meta_of(client: Client, portfolio: Any) -> list[int]:
    return [entry["id"] for entry in client.get(f"/api/portfolios/{portfolio.pk}/").json()["meta"]]


def test_create_answers_what_was_made(client: Client) -> None:
    portfolio, image = make_portfolio(), make_image()

    response = client.post(
        PATH, {"portfolio": portfolio.pk, "key": "role", "value_text": "design", "value_file": image.pk}
    )

    answer = response.json()
    entry = MetaEntry.objects.get()
    assert response.status_code == 201
    assert response.headers["Location"] == f"http://testserver/api/meta/{entry.pk}/"
    assert list(answer) == KEYS
    assert answer["id"] == entry.pk
    assert (answer["key"], answer["value_text"], answer["portfolio"]) == ("role", "design", portfolio.pk)
    assert list(answer["value_file"]) == shapes.FILE  # six keys, for an image too
    assert answer["value_file"]["f"] == f"http://testserver/media/{image.file.name}"
    assert client.get(response.headers["Location"]).json() == answer


def test_create_needs_no_more_than_a_portfolio_and_a_key(client: Client) -> None:
    portfolio = make_portfolio()

    answer = client.post(PATH, {"portfolio": portfolio.pk, "key": "role"}).json()

    assert answer == {
        "id": answer["id"],
        "key": "role",
        "value_text": None,
        "value_file": None,
        "portfolio": portfolio.pk,
    }


def test_keeps_an_empty_text_apart_from_none(client: Client) -> None:
    portfolio = make_portfolio()

    for key, value in (("empty", ""), ("none", None)):
        answer = client.post(PATH, {"portfolio": portfolio.pk, "key": key, "value_text": value}).json()
        assert answer["value_text"] == value


@pytest.mark.parametrize("type", ["image", "video", "audio", "document", "archive", "other"])
def test_takes_a_file_of_any_type(client: Client, type: str) -> None:
    file = make_media(type=type)

    response = client.post(PATH, {"portfolio": make_portfolio().pk, "key": "file", "value_file": file.pk})

    assert response.status_code == 201
    assert list(response.json()["value_file"]) == shapes.FILE
    assert response.json()["value_file"]["type"] == type


@pytest.mark.parametrize("field", ["portfolio", "key"])
@pytest.mark.parametrize("method", ["post", "put"])
def test_requires_a_portfolio_and_a_key(client: Client, method: str, field: str) -> None:
    portfolio = make_portfolio()
    path = PATH if method == "post" else f"{PATH}{make_meta(portfolio).pk}/"
    body = {"portfolio": portfolio.pk, "key": "other"}
    del body[field]

    response = getattr(client, method)(path, body)

    assert response.status_code == 400
    assert response.json() == {field: ["This field is required."]}
    assert not MetaEntry.objects.filter(key="other").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("portfolio", NO_ID),
        ("portfolio", None),
        ("portfolio", "x"),
        ("key", ""),
        ("key", " "),
        ("key", None),
        ("key", "x" * 101),
        ("value_text", []),
        ("value_file", NO_ID),
        ("value_file", "x"),
        ("value_file", {}),
        ("value_file", {"id": NO_ID}),
        ("value_file", {"id": None}),
        ("value", "x"),
    ],
)
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_refuses_what_breaks_a_rule(client: Client, method: str, field: str, value: Any) -> None:
    portfolio = make_portfolio()
    entry = make_meta(portfolio)
    before = client.get(f"{PATH}{entry.pk}/").json()

    response = getattr(client, method)(
        PATH if method == "post" else f"{PATH}{entry.pk}/", {"portfolio": portfolio.pk, "key": "other", field: value}
    )

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert MetaEntry.objects.count() == 1
    assert client.get(f"{PATH}{entry.pk}/").json() == before


def test_takes_a_key_of_100_characters(client: Client) -> None:
    assert client.post(PATH, {"portfolio": make_portfolio().pk, "key": "ж" * 100}).status_code == 201


def test_refuses_a_key_that_its_portfolio_has(client: Client) -> None:
    portfolio, other = make_portfolio(), make_portfolio()
    taken, own, foreign = make_meta(portfolio, key="role"), make_meta(portfolio), make_meta(other, key="role")

    for response in (
        client.post(PATH, {"portfolio": portfolio.pk, "key": "role"}),
        client.put(f"{PATH}{own.pk}/", {"portfolio": portfolio.pk, "key": "role"}),
        client.patch(f"{PATH}{own.pk}/", {"key": "role"}),
        client.patch(f"{PATH}{foreign.pk}/", {"portfolio": portfolio.pk}),
    ):
        assert response.status_code == 400
        assert response.json() == {"key": ["This portfolio already has a meta with this key."]}
    assert MetaEntry.objects.filter(portfolio=portfolio).count() == 2
    assert client.patch(f"{PATH}{taken.pk}/", {"key": "role"}).status_code == 200


def test_takes_a_key_that_another_portfolio_has(client: Client) -> None:
    make_meta(make_portfolio(), key="role")

    assert client.post(PATH, {"portfolio": make_portfolio().pk, "key": "role"}).status_code == 201


def test_a_new_entry_comes_last_in_its_portfolio(client: Client) -> None:
    portfolio = make_portfolio()
    first, second = make_meta(portfolio, place=4), make_meta(portfolio, place=7)
    make_meta(make_portfolio(), place=20)

    new = [client.post(PATH, {"portfolio": portfolio.pk, "key": key}).json()["id"] for key in ("b", "a")]

    assert meta_of(client, portfolio) == [first.pk, second.pk, *new]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_changed_entry_stays_in_its_place(client: Client, method: str) -> None:
    portfolio = make_portfolio()
    entries = [make_meta(portfolio, place=place) for place in range(3)]

    getattr(client, method)(f"{PATH}{entries[0].pk}/", {"portfolio": portfolio.pk, "key": "renamed"})

    assert meta_of(client, portfolio) == [entry.pk for entry in entries]


def test_a_moved_entry_comes_last_in_its_new_portfolio(client: Client) -> None:
    old, new = make_portfolio(), make_portfolio()
    moved, stays = make_meta(old, place=0), make_meta(old, place=1)
    there = [make_meta(new, place=place) for place in range(2)]

    response = client.patch(f"{PATH}{moved.pk}/", {"portfolio": new.pk})

    assert response.json()["portfolio"] == new.pk
    assert meta_of(client, new) == [there[0].pk, there[1].pk, moved.pk]
    assert meta_of(client, old) == [stays.pk]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_update_keeps_what_it_leaves_out(client: Client, method: str) -> None:
    portfolio = make_portfolio()
    entry = make_meta(portfolio, value_file=make_media())
    before = client.get(f"{PATH}{entry.pk}/").json()

    response = getattr(client, method)(f"{PATH}{entry.pk}/", {"portfolio": portfolio.pk, "key": "renamed"})

    assert response.status_code == 200
    assert response.json() == {**before, "key": "renamed"}
    assert client.get(f"{PATH}{entry.pk}/").json() == response.json()


def test_patch_takes_values_away_with_null(client: Client) -> None:
    entry = make_meta(make_portfolio(), value_file=make_media())

    answer = client.patch(f"{PATH}{entry.pk}/", {"value_text": None, "value_file": None}).json()

    assert (answer["key"], answer["value_text"], answer["value_file"]) == (entry.key, None, None)


def test_patch_takes_another_file(client: Client) -> None:
    entry, other = make_meta(make_portfolio(), value_file=make_media()), make_media(type="document")

    answer = client.patch(f"{PATH}{entry.pk}/", {"value_file": other.pk}).json()

    assert answer["value_file"]["id"] == other.pk


def test_takes_back_what_was_read_and_changes_nothing(client: Client) -> None:
    entry = make_meta(make_portfolio(), value_file=make_media())
    before = client.get(f"{PATH}{entry.pk}/").json()

    response = client.put(f"{PATH}{entry.pk}/", before)

    assert response.status_code == 200
    assert response.json() == before


def test_delete_removes_an_entry_and_neither_portfolio_nor_media(client: Client) -> None:
    portfolio = make_portfolio()
    entry, kept = make_meta(portfolio, value_file=make_media()), make_meta(portfolio)

    response = client.delete(f"{PATH}{entry.pk}/")

    assert response.status_code == 204
    assert response.content == b""
    assert meta_of(client, portfolio) == [kept.pk]
    assert client.get(f"/api/media/{entry.value_file_id}/").status_code == 200


def test_list_answers_every_key(client: Client) -> None:
    entry = make_meta(make_portfolio(), value_file=make_media())

    (row,) = client.get(PATH).json()["results"]

    assert list(row) == KEYS
    assert list(row["value_file"]) == shapes.FILE
    assert row == client.get(f"{PATH}{entry.pk}/").json()


def test_list_is_ordered_by_portfolio_and_place_unless_asked(client: Client) -> None:
    one, two = make_portfolio(order=2), make_portfolio(order=1)
    made = [make_meta(two, place=1), make_meta(one, place=2), make_meta(two, place=0), make_meta(one, place=1)]

    assert ids(client) == [made[place].pk for place in (3, 1, 2, 0)]


def test_list_orders_by_its_plain_fields_with_nulls_last(client: Client) -> None:
    one, two = make_portfolio(), make_portfolio()
    a = make_meta(two, key="b", value_text="x").pk
    b = make_meta(one, key="a", value_text=None).pk
    c = make_meta(two, key="c", value_text="").pk

    assert (ids(client, ordering="id"), ids(client, ordering="-id")) == ([a, b, c], [c, b, a])
    assert (ids(client, ordering="key"), ids(client, ordering="-key")) == ([b, a, c], [c, a, b])
    assert (ids(client, ordering="value_text"), ids(client, ordering="-value_text")) == ([c, a, b], [a, c, b])
    assert (ids(client, ordering="portfolio"), ids(client, ordering="-portfolio")) == ([b, a, c], [a, c, b])


def test_list_finds_the_meta_of_a_portfolio(client: Client) -> None:
    portfolio = make_portfolio()
    entry = make_meta(portfolio)
    make_meta(make_portfolio())

    assert ids(client, portfolio_id=portfolio.pk) == [entry.pk]
    assert ids(client, portfolio_id=NO_ID) == []


def test_list_finds_a_key(client: Client) -> None:
    first, second = make_meta(make_portfolio(), key="role"), make_meta(make_portfolio(), key="role")
    make_meta(make_portfolio(), key="Role")
    make_meta(make_portfolio(), key="roles")

    assert ids(client, key="role") == [first.pk, second.pk]
    assert ids(client, key="none") == []


def test_list_tells_with_from_without_a_file(client: Client) -> None:
    filed, plain = make_meta(make_portfolio(), value_file=make_media()), make_meta(make_portfolio())

    assert ids(client, has_file="true") == [filed.pk]
    assert ids(client, has_file="false") == [plain.pk]


def test_list_searches_the_key_alone(client: Client) -> None:
    entry = make_meta(make_portfolio(), key="Rôle ΣΑΣ")
    make_meta(make_portfolio(), key="other", value_text="rôle")

    assert ids(client, search="σας RÔLE") == [entry.pk]
    assert ids(client, search="rôle other") == []
