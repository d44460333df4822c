"""The two lists within a portfolio's body."""

from collections.abc import Callable
from typing import Any

import pytest

from folio.portfolios.models import Link, MetaEntry, Portfolio
from tests import shapes
from tests.conftest import Client
from tests.factories import make_link, make_media, make_meta, make_portfolio, make_user

PATH = "/api/portfolios/"
MINIMAL = {"title": "Wordpress site", "slug": "wordpress-site", "excerpt": "A site built with Wordpress."}
NO_ID = 999_999


def post(client: Client, **fields: Any) -> Any:
    return client.post(PATH, {**MINIMAL, **fields})


def patch(client: Client, portfolio: Portfolio, **fields: Any) -> Any:
    return client.patch(f"{PATH}{portfolio.pk}/", fields)


def links_of(portfolio: Portfolio) -> list[tuple[int, str]]:
    return list(portfolio.links.order_by("place").values_list("pk", "name"))


def meta_of(portfolio: Portfolio) -> list[tuple[int, str, str | None]]:
    return list(portfolio.meta.order_by("place").values_list("pk", "key", "value_text"))


def test_makes_links_in_their_order(client: Client) -> None:
    image = make_media()

    response = post(
        client,
        links=[
            {"name": "site", "url": "https://example.com", "description": "the live site", "image": image.pk},
            {"name": "code"},
            {"name": "site", "url": None, "description": "", "image": None},
        ],
    )

    answer = response.json()
    site, code, again = answer["links_data"]
    assert response.status_code == 201
    assert [list(link) for link in answer["links_data"]] == [shapes.LINK] * 3
    assert (site["name"], site["url"], site["description"]) == ("site", "https://example.com", "the live site")
    assert list(site["image_data"]) == shapes.IMAGE
    assert site["image_data"]["id"] == image.pk
    assert code == {"id": code["id"], "name": "code", "url": None, "image_data": None, "description": None}
    assert again == {"id": again["id"], "name": "site", "url": None, "image_data": None, "description": ""}
    assert links_of(Portfolio.objects.get()) == [(site["id"], "site"), (code["id"], "code"), (again["id"], "site")]


@pytest.mark.parametrize(
    "url", ["http://example.com", "HTTPS://EXAMPLE.COM/Path?q=1#f", "https://مثال.ایران/", "http://127.0.0.1:8000/"]
)
def test_takes_a_web_address(client: Client, url: str) -> None:
    assert post(client, links=[{"name": "site", "url": url}]).json()["links_data"][0]["url"] == url


@pytest.mark.parametrize(
    "url", ["", "example.com", "ftp://example.com", "javascript:alert(1)", "mailto:a@example.com", "https://", 5, []]
)
def test_refuses_a_url_that_is_no_web_address(client: Client, url: Any) -> None:
    response = post(client, links=[{"name": "site", "url": url}])

    assert response.status_code == 400
    assert list(response.json()["links"][0]) == ["url"]
    assert not Portfolio.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", None, "x" * 201, []])
def test_refuses_a_link_without_a_name_of_1_to_200_characters(client: Client, name: Any) -> None:
    response = post(client, links=[{"name": "x" * 200}, {"name": name}])

    assert response.status_code == 400
    assert [list(errors) for errors in response.json()["links"]] == [[], ["name"]]
    assert not Portfolio.objects.exists()


def test_refuses_media_that_is_no_image_as_a_link_s_image(client: Client) -> None:
    response = post(client, links=[{"name": "site", "image": make_media(type="document").pk}])

    assert response.status_code == 400
    assert list(response.json()["links"][0]) == ["image"]


@pytest.mark.parametrize("field", ["links", "meta"])
@pytest.mark.parametrize("value", [None, {}, "site", 5])
def test_refuses_what_is_no_list(client: Client, field: str, value: Any) -> None:
    response = post(client, **{field: value})

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert all(isinstance(message, str) for message in response.json()[field])


@pytest.mark.parametrize("field", ["links", "meta"])
@pytest.mark.parametrize("item", [None, [], "site", 5])
def test_refuses_an_item_that_is_no_object(client: Client, field: str, item: Any) -> None:
    valid = {"name": "site"} if field == "links" else {"key": "role"}

    response = post(client, **{field: [valid, item]})

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert len(response.json()[field]) == 2
    assert not Portfolio.objects.exists()


@pytest.mark.parametrize(
    ("field", "item", "key", "nearest"),
    [("links", {"name": "site", "ur": 1}, "ur", "url"), ("meta", {"key": "role", "value": 1}, "value", "value_")],
)
def test_refuses_a_key_that_an_item_does_not_know(
    client: Client, field: str, item: dict[str, Any], key: str, nearest: str
) -> None:
    response = post(client, **{field: [item]})

    assert response.status_code == 400
    assert list(response.json()[field][0]) == [key]
    assert f"Did you mean {nearest}" in response.json()[field][0][key][0]


@pytest.mark.parametrize("field", ["links", "meta"])
def test_refuses_another_portfolio_as_an_item_s_field(client: Client, field: str) -> None:
    valid = {"name": "site"} if field == "links" else {"key": "role"}

    response = post(client, **{field: [{**valid, "portfolio": make_portfolio().pk}]})

    assert response.status_code == 400
    assert list(response.json()[field][0]) == ["portfolio"]


def test_an_item_with_id_keeps_what_it_leaves_out(client: Client) -> None:
    portfolio = make_portfolio()
    link = make_link(portfolio, name="site", url="https://example.com", description="live", image=make_media())

    response = patch(client, portfolio, links=[{"id": link.pk, "description": None}])

    (answer,) = response.json()["links_data"]
    assert response.status_code == 200
    assert (answer["id"], answer["name"], answer["url"]) == (link.pk, "site", "https://example.com")
    assert answer["image_data"]["id"] == link.image_id
    assert answer["description"] is None


def test_an_item_with_id_keeps_its_name_under_put(client: Client) -> None:
    portfolio = make_portfolio()
    link, entry = make_link(portfolio, name="site"), make_meta(portfolio, key="role")

    response = client.put(f"{PATH}{portfolio.pk}/", {**MINIMAL, "links": [{"id": link.pk}], "meta": [{"id": entry.pk}]})

    assert response.status_code == 200
    assert [link["name"] for link in response.json()["links_data"]] == ["site"]
    assert [entry["key"] for entry in response.json()["meta"]] == ["role"]


def test_a_list_of_links_is_the_whole_list_in_its_order(client: Client) -> None:
    portfolio, other = make_portfolio(), make_portfolio()
    first, second, third = (make_link(portfolio, name=f"link {place}", place=place) for place in range(3))
    foreign = make_link(other)

    response = patch(client, portfolio, links=[{"id": third.pk}, {"name": "new"}, {"id": first.pk, "name": "renamed"}])

    answer = response.json()["links_data"]
    new = answer[1]["id"]
    assert [(link["id"], link["name"]) for link in answer] == [
        (third.pk, "link 2"),
        (new, "new"),
        (first.pk, "renamed"),
    ]
    assert links_of(portfolio) == [(third.pk, "link 2"), (new, "new"), (first.pk, "renamed")]
    assert not Link.objects.filter(pk=second.pk).exists()
    assert links_of(other) == [(foreign.pk, foreign.name)]


@pytest.mark.parametrize("field", ["links", "meta"])
def test_an_empty_list_removes_all(client: Client, field: str) -> None:
    portfolio = make_portfolio()
    make_link(portfolio)
    make_meta(portfolio)

    patch(client, portfolio, **{field: []})

    assert portfolio.links.count() == (0 if field == "links" else 1)
    assert portfolio.meta.count() == (0 if field == "meta" else 1)


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_list_that_is_left_out_stays(client: Client, method: str) -> None:
    portfolio = make_portfolio()
    link, entry = make_link(portfolio), make_meta(portfolio)

    response = getattr(client, method)(f"{PATH}{portfolio.pk}/", MINIMAL)

    assert [link["id"] for link in response.json()["links_data"]] == [link.pk]
    assert [entry["id"] for entry in response.json()["meta"]] == [entry.pk]


@pytest.mark.parametrize("field", ["links", "meta"])
@pytest.mark.parametrize("whose", ["another portfolio's", "no one's"])
def test_refuses_an_id_that_is_not_of_this_portfolio(client: Client, field: str, whose: str) -> None:
    portfolio, other = make_portfolio(), make_portfolio()
    make = make_link if field == "links" else make_meta
    own, foreign = make(portfolio), make(other)
    pk = foreign.pk if whose == "another portfolio's" else NO_ID

    response = patch(
        client, portfolio, **{field: [{"id": own.pk}, {"id": pk, "name" if make is make_link else "key": "x"}]}
    )

    assert response.status_code == 400
    assert [list(errors) for errors in response.json()[field]] == [[], ["id"]]
    foreign.refresh_from_db()
    assert foreign.portfolio == other
    assert str(foreign) != "x"


@pytest.mark.parametrize("field", ["links", "meta"])
def test_refuses_an_id_in_the_body_of_a_new_portfolio(client: Client, field: str) -> None:
    link, entry = make_link(make_portfolio()), make_meta(make_portfolio())
    item = {"id": link.pk, "name": "x"} if field == "links" else {"id": entry.pk, "key": "x"}

    response = post(client, **{field: [item]})

    assert response.status_code == 400
    assert list(response.json()[field][0]) == ["id"]
    assert Portfolio.objects.count() == 2


@pytest.mark.parametrize("field", ["links", "meta"])
def test_refuses_an_id_that_comes_twice(client: Client, field: str) -> None:
    portfolio = make_portfolio()
    row = (make_link if field == "links" else make_meta)(portfolio)

    response = patch(client, portfolio, **{field: [{"id": row.pk}, {"id": row.pk}]})

    assert response.status_code == 400
    assert [list(errors) for errors in response.json()[field]] == [[], ["id"]]


@pytest.mark.parametrize("pk", ["first", None, True, 2**70, str(2**64), "9" * 5000, -1, 1.5, {}])
@pytest.mark.parametrize("field", ["links", "meta"])
def test_refuses_an_id_that_is_no_id(client: Client, field: str, pk: Any) -> None:
    portfolio = make_portfolio()
    make_link(portfolio)
    make_meta(portfolio)

    response = patch(client, portfolio, **{field: [{"id": pk, "name" if field == "links" else "key": "x"}]})

    assert response.status_code == 400
    assert list(response.json()[field][0]) == ["id"]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_refuses_a_new_item_without_its_name(client: Client, method: str) -> None:
    portfolio = make_portfolio()
    make_link(portfolio)

    response = getattr(client, method)(
        f"{PATH}{portfolio.pk}/", {**MINIMAL, "links": [{"url": "https://example.com"}], "meta": [{"value_text": "x"}]}
    )

    assert response.status_code == 400
    assert response.json() == {
        "links": [{"name": ["This field is required."]}],
        "meta": [{"key": ["This field is required."]}],
    }
    assert portfolio.links.count() == 1


def test_a_refused_list_leaves_the_portfolio_as_it_was(client: Client) -> None:
    portfolio = make_portfolio(title="before")
    link = make_link(portfolio, name="site")

    response = patch(client, portfolio, title="after", links=[{"name": "new"}], meta=[{"key": "a"}, {"key": "a"}])

    portfolio.refresh_from_db()
    assert response.status_code == 400
    assert portfolio.title == "before"
    assert links_of(portfolio) == [(link.pk, "site")]
    assert meta_of(portfolio) == []


def test_needs_no_code_for_links_and_meta_themselves(client_for: Callable[..., Client], db: None) -> None:
    portfolio = make_portfolio()
    link, entry = make_link(portfolio), make_meta(portfolio)
    updater = client_for(make_user(is_staff=True, codes=[4204]))

    response = patch(updater, portfolio, links=[{"id": link.pk}, {"name": "new"}], meta=[{"key": "new"}])

    assert response.status_code == 200
    assert portfolio.links.count() == 2
    assert not MetaEntry.objects.filter(pk=entry.pk).exists()
    assert updater.delete(f"/api/links/{link.pk}/").status_code == 403


def test_makes_meta_in_their_order(client: Client) -> None:
    file, image = make_media(type="document", size=2048), make_media()

    response = post(
        client,
        meta=[
            {"key": "role", "value_text": "design"},
            {"key": "brief", "value_file": file.pk},
            {"key": "empty", "value_text": "", "value_file": None},
            {"key": "photo", "value_text": None, "value_file": image.pk},
        ],
    )

    answer = response.json()["meta"]
    role, brief, empty, photo = answer
    assert response.status_code == 201
    assert [list(entry) for entry in answer] == [shapes.META] * 4
    assert role == {"id": role["id"], "key": "role", "value_text": "design", "value_file": None}
    assert (brief["value_text"], list(brief["value_file"]), brief["value_file"]["id"]) == (None, shapes.FILE, file.pk)
    assert (empty["value_text"], empty["value_file"]) == ("", None)
    assert (list(photo["value_file"]), photo["value_file"]["type"]) == (shapes.FILE, "image")
    assert [key for _, key, _ in meta_of(Portfolio.objects.get())] == ["role", "brief", "empty", "photo"]


@pytest.mark.parametrize("key", ["", "  ", None, "x" * 101, {}])
def test_refuses_meta_without_a_key_of_1_to_100_characters(client: Client, key: Any) -> None:
    response = post(client, meta=[{"key": "x" * 100}, {"key": key}])

    assert response.status_code == 400
    assert [list(errors) for errors in response.json()["meta"]] == [[], ["key"]]
    assert not Portfolio.objects.exists()


@pytest.mark.parametrize("value", [[], {}, True])
def test_refuses_a_value_text_that_is_no_text(client: Client, value: Any) -> None:
    response = post(client, meta=[{"key": "role", "value_text": value}])

    assert response.status_code == 400
    assert list(response.json()["meta"][0]) == ["value_text"]


@pytest.mark.parametrize("value", [NO_ID, {"id": NO_ID}, {}, {"name": "x"}, {"id": None}, {"id": [1]}, "x", True, [1]])
def test_refuses_a_value_file_that_is_no_media(client: Client, value: Any) -> None:
    response = post(client, meta=[{"key": "role", "value_file": value}])

    assert response.status_code == 400
    assert list(response.json()["meta"][0]) == ["value_file"]


@pytest.mark.parametrize("keys", [("role", "role"), ("role", " role ")])
def test_refuses_a_key_that_comes_twice(client: Client, keys: tuple[str, str]) -> None:
    response = post(client, meta=[{"key": "other"}, *({"key": key} for key in keys)])

    assert response.status_code == 400
    assert response.json() == {"meta": [{}, {}, {"key": ["This portfolio already has a meta with this key."]}]}
    assert not Portfolio.objects.exists()


def test_refuses_a_key_that_another_item_keeps(client: Client) -> None:
    portfolio = make_portfolio()
    role = make_meta(portfolio, key="role")

    response = patch(client, portfolio, meta=[{"id": role.pk}, {"key": "role"}])

    assert response.status_code == 400
    assert [list(errors) for errors in response.json()["meta"]] == [[], ["key"]]
    assert meta_of(portfolio) == [(role.pk, "role", "v")]


def test_takes_a_key_that_another_portfolio_has(client: Client) -> None:
    make_meta(make_portfolio(), key="role")

    assert post(client, meta=[{"key": "role"}]).status_code == 201


def test_two_items_may_swap_their_keys(client: Client) -> None:
    portfolio, file = make_portfolio(), make_media()
    role = make_meta(portfolio, key="role", value_text="one", place=0)
    year = make_meta(portfolio, key="year", value_text="two", value_file=file, place=1)

    response = patch(client, portfolio, meta=[{"id": role.pk, "key": "year"}, {"id": year.pk, "key": "role"}])

    assert response.status_code == 200
    assert [(entry["id"], entry["key"], entry["value_text"]) for entry in response.json()["meta"]] == [
        (role.pk, "year", "one"),
        (year.pk, "role", "two"),
    ]
    assert response.json()["meta"][1]["value_file"]["id"] == file.pk
    assert meta_of(portfolio) == [(role.pk, "year", "one"), (year.pk, "role", "two")]


def test_a_new_item_may_take_the_key_of_a_removed_or_renamed_one(client: Client) -> None:
    portfolio = make_portfolio()
    role, year = make_meta(portfolio, key="role", place=0), make_meta(portfolio, key="year", place=1)

    response = patch(
        client,
        portfolio,
        meta=[{"key": "role", "value_text": "a"}, {"id": year.pk, "key": "date"}, {"key": "year", "value_text": "b"}],
    )

    answer = response.json()["meta"]
    assert response.status_code == 200
    assert [(entry["key"], entry["value_text"]) for entry in answer] == [("role", "a"), ("date", "v"), ("year", "b")]
    assert answer[1]["id"] == year.pk
    assert role.pk not in [entry["id"] for entry in answer]


def test_a_list_of_meta_is_the_whole_list_in_its_order(client: Client) -> None:
    portfolio = make_portfolio()
    first, second, third = (make_meta(portfolio, key=f"key {place}", place=place) for place in range(3))

    response = patch(
        client, portfolio, meta=[{"id": third.pk}, {"key": "new"}, {"id": first.pk, "value_text": "changed"}]
    )

    new = response.json()["meta"][1]["id"]
    assert meta_of(portfolio) == [(third.pk, "key 2", "v"), (new, "new", None), (first.pk, "key 0", "changed")]
    assert [entry["id"] for entry in response.json()["meta"]] == [third.pk, new, first.pk]
    assert not MetaEntry.objects.filter(pk=second.pk).exists()


@pytest.mark.parametrize("form", ["id", "object", "left out"])
def test_keeps_a_file_that_is_given_as_it_was_read(client: Client, form: str) -> None:
    portfolio, file = make_portfolio(), make_media(type="document")
    entry = make_meta(portfolio, value_file=file)
    (read,) = client.get(f"{PATH}{portfolio.pk}/").json()["meta"]
    values: dict[str, Any] = {"id": file.pk, "object": read["value_file"]}
    item = {"id": entry.pk, **({"value_file": values[form]} if form in values else {})}

    response = patch(client, portfolio, meta=[item])

    assert response.status_code == 200
    assert response.json()["meta"] == [read]


def test_takes_a_file_off_with_null(client: Client) -> None:
    portfolio = make_portfolio()
    entry = make_meta(portfolio, value_file=make_media())

    response = patch(client, portfolio, meta=[{"id": entry.pk, "value_file": None}])

    assert response.json()["meta"] == [{"id": entry.pk, "key": entry.key, "value_text": "v", "value_file": None}]


def test_takes_the_lists_back_as_they_were_read(client: Client) -> None:
    portfolio = make_portfolio()
    make_link(portfolio, image=make_media(), description="live", place=0)
    make_link(portfolio, url=None, place=1)
    make_meta(portfolio, value_file=make_media(), place=0)
    make_meta(portfolio, value_text=None, place=1)
    read = client.get(f"{PATH}{portfolio.pk}/").json()

    response = patch(client, portfolio, links=read["links_data"], meta=read["meta"])

    assert response.status_code == 200
    assert response.json()["links_data"] == read["links_data"]
    assert response.json()["meta"] == read["meta"]
