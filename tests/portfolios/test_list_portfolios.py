from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from folio.portfolios.models import Portfolio
from tests import shapes
from tests.conftest import Client
from tests.factories import (
    make_employer,
    make_image,
    make_link,
    make_media,
    make_meta,
    make_portfolio,
    make_tag,
    make_user,
)

PATH = "/api/portfolios/"


@pytest.fixture
def thirteen(db: None) -> list[int]:
    """The ids of thirteen portfolios in the default order."""
    return [make_portfolio(order=number).pk for number in range(13)]


def ids(response: Any) -> list[int]:
    assert response.status_code == 200
    return [row["id"] for row in response.json()["results"]]


def test_answers_a_page_of_short_forms_key_by_key(client: Client) -> None:
    image = make_image()
    portfolio = make_portfolio(
        image=image, employer=make_employer(image=image), tags=[make_tag(image=image)], images=[image]
    )
    make_link(portfolio, image=image)
    make_meta(portfolio, value_file=image)

    response = client.get(PATH)

    page = response.json()
    (row,) = page["results"]
    assert response.status_code == 200
    assert list(page) == shapes.PAGE
    assert (page["count"], page["next"], page["previous"]) == (1, None, None)
    assert list(row) == shapes.PORTFOLIO_ROW
    assert list(row["image_data"]) == shapes.IMAGE
    assert [list(thumbnail) for thumbnail in row["image_data"]["thumbnails"]] == [shapes.THUMBNAIL] * 4
    assert list(row["employer_data"]) == shapes.EMPLOYER
    assert [list(tag) for tag in row["tags_data"]] == [shapes.TAG]
    assert [list(link) for link in row["links_data"]] == [shapes.LINK]


def test_a_row_is_the_beginning_of_the_full_form(client: Client) -> None:
    portfolio = make_portfolio(
        image=make_media(),
        employer=make_employer(image=make_media()),
        tags=[make_tag(image=make_media()), make_tag()],
        description="Long.",
    )
    make_link(portfolio, image=make_media())

    (row,) = client.get(PATH).json()["results"]

    full = client.get(f"{PATH}{portfolio.pk}/").json()
    assert row == {name: full[name] for name in shapes.PORTFOLIO_ROW}
    assert None not in (row["employer_data"]["image_data"], row["tags_data"][0]["image_data"], row["image_data"])
    assert "Long." not in str(row)


def test_answers_what_is_absent_with_null_or_an_empty_list(client: Client) -> None:
    make_portfolio()

    (row,) = client.get(PATH).json()["results"]

    assert list(row) == shapes.PORTFOLIO_ROW
    assert [row[name] for name in ("image_data", "employer_data", "completed_at")] == [None, None, None]
    assert [row["tags_data"], row["links_data"]] == [[], []]


def test_gives_each_row_what_is_its_own(client: Client) -> None:
    shared, first_tag, second_tag = make_tag(), make_tag(), make_tag()
    first = make_portfolio(tags=[shared, first_tag], order=1)
    second = make_portfolio(tags=[second_tag, shared], order=2)
    links = [make_link(first, place=1), make_link(second), make_link(first, place=0)]

    one, two = client.get(PATH).json()["results"]

    assert [tag["id"] for tag in one["tags_data"]] == [shared.pk, first_tag.pk]
    assert [tag["id"] for tag in two["tags_data"]] == [second_tag.pk, shared.pk]
    assert [link["id"] for link in one["links_data"]] == [links[2].pk, links[0].pk]
    assert [link["id"] for link in two["links_data"]] == [links[1].pk]


def test_answers_an_empty_page_where_there_is_nothing(client: Client) -> None:
    assert client.get(PATH).json() == {"count": 0, "next": None, "previous": None, "results": []}


def test_shows_portfolios_that_are_not_active_too(client: Client) -> None:
    shown, hidden = make_portfolio(order=1), make_portfolio(order=2, is_active=False)

    assert ids(client.get(PATH)) == [shown.pk, hidden.pk]


@pytest.mark.django_db
def test_needs_its_own_code(client_for: Callable[..., Client]) -> None:
    viewer = make_user(is_staff=True, codes=[4202])

    refusal = client_for(viewer, codes=[4203]).get(PATH)

    assert refusal.status_code == 403
    assert refusal.json()["permission_code"] == 4202
    assert client_for(viewer, codes=[4202]).get(PATH).status_code == 200


def test_gives_ten_rows_unless_asked(client: Client, thirteen: list[int]) -> None:
    response = client.get(PATH)

    assert ids(response) == thirteen[:10]
    assert response.json()["count"] == 13


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("limit=3", 0, 3),
        ("limit=3&offset=3", 3, 6),
        ("limit=5&offset=10", 10, 13),
        ("offset=12", 12, 13),
        ("limit=13", 0, 13),
        ("limit=1&offset=0", 0, 1),
        ("limit=&offset=", 0, 10),
    ],
)
def test_pages_by_limit_and_offset(client: Client, thirteen: list[int], query: str, first: int, last: int) -> None:
    response = client.get(f"{PATH}?{query}")

    assert ids(response) == thirteen[first:last]
    assert response.json()["count"] == 13


def test_cuts_a_limit_to_a_hundred(client: Client) -> None:
    Portfolio.objects.bulk_create(
        Portfolio(title=f"Title {number}", slug=f"slug-{number}", excerpt="An excerpt.") for number in range(103)
    )

    response = client.get(PATH, {"limit": 1000})

    assert len(ids(response)) == 100
    assert response.json()["count"] == 103
    assert response.json()["next"] == "http://testserver/api/portfolios/?limit=100&offset=100"
    assert len(ids(client.get(response.json()["next"]))) == 3


@pytest.mark.parametrize("offset", [13, 14, 1000, 2**63, 10**40])
def test_answers_an_empty_page_past_the_end(client: Client, thirteen: list[int], offset: int) -> None:
    response = client.get(PATH, {"offset": offset})

    page = response.json()
    assert response.status_code == 200
    assert (page["count"], page["next"], page["results"]) == (13, None, [])
    assert page["previous"].startswith("http://testserver/api/portfolios/?")


@pytest.mark.parametrize("value", ["0", "-1", "ten", "1.5", "1e2", "٣", "0x10", "null", "true"])
def test_refuses_a_limit_that_is_no_number_from_1(client: Client, value: str) -> None:
    response = client.get(PATH, {"limit": value})

    assert response.status_code == 400
    assert list(response.json()) == ["limit"]


@pytest.mark.parametrize("value", ["-1", "ten", "1.5", "null"])
def test_refuses_an_offset_that_is_no_number_from_0(client: Client, value: str) -> None:
    response = client.get(PATH, {"offset": value})

    assert response.status_code == 400
    assert list(response.json()) == ["offset"]


@pytest.mark.parametrize(
    ("query", "following", "previous"),
    [
        ("limit=5", {"limit": "5", "offset": "5"}, None),
        ("limit=5&offset=5", {"limit": "5", "offset": "10"}, {"limit": "5"}),
        ("limit=5&offset=10", None, {"limit": "5", "offset": "5"}),
        ("limit=5&offset=8", None, {"limit": "5", "offset": "3"}),
        ("limit=5&offset=2", {"limit": "5", "offset": "7"}, {"limit": "5"}),
        ("limit=13", None, None),
        ("", {"limit": "10", "offset": "10"}, None),
    ],
)
def test_names_the_pages_beside_it(
    client: Client,
    thirteen: list[int],
    query: str,
    following: dict[str, str] | None,
    previous: dict[str, str] | None,
) -> None:
    page = client.get(f"{PATH}?{query}").json()

    for url, expected in ((page["next"], following), (page["previous"], previous)):
        assert (dict(parse_qsl(urlsplit(url).query)) if url else None) == expected
        assert url is None or url.startswith("http://testserver/api/portfolios/?")


def test_the_pages_beside_it_keep_every_other_parameter(client: Client) -> None:
    tags = [make_tag(), make_tag()]
    for _ in range(3):
        make_portfolio(title=f"É & Я+%{make_tag().pk}", tags=tags)
    query = {
        "search": "é & я+%",
        "ordering": "-title,id",
        "tags_in": [str(tag.pk) for tag in tags],
        "created_from": "2001-01-01T00:00:00+03:30",
        "limit": "1",
        "offset": "1",
    }

    page = client.get(PATH, query).json()

    expected = [pair for pair in sorted(parse_pairs(query)) if pair[0] != "offset"]
    assert page["count"] == 3
    assert sorted(parse_qsl(urlsplit(page["next"]).query)) == sorted([*expected, ("offset", "2")])
    assert sorted(parse_qsl(urlsplit(page["previous"]).query)) == expected
    assert client.get(page["next"]).json()["previous"] == f"{page['next'].rpartition('offset=')[0]}offset=1"


def parse_pairs(query: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, value) for name, given in query.items() for value in (given if isinstance(given, list) else [given])]


def test_the_pages_beside_it_have_the_host_that_was_asked(client: Client, thirteen: list[int]) -> None:
    page = client.get(PATH, {"limit": 5, "offset": 5}, HTTP_HOST="localhost:9000").json()

    assert page["next"].startswith("http://localhost:9000/api/portfolios/?")
    assert page["previous"].startswith("http://localhost:9000/api/portfolios/?")


@pytest.mark.parametrize("ordering", ["", "year", "-is_active", "employer__name", "-completed_at"])
def test_pages_neither_repeat_nor_lose_a_row_among_ties(client: Client, ordering: str) -> None:
    made = {make_portfolio(order=0).pk for _ in range(11)}
    Portfolio.objects.update(created_at="2024-01-01T00:00:00Z")

    seen: list[int] = []
    url = f"{PATH}?limit=2&ordering={ordering}"
    while url:
        page = client.get(url)
        seen += ids(page)
        url = page.json()["next"]

    assert len(seen) == 11
    assert set(seen) == made


def test_a_portfolio_that_matches_twice_is_counted_once(client: Client) -> None:
    tags = [make_tag(), make_tag(), make_tag()]
    portfolio = make_portfolio(tags=tags, images=[make_media(), make_media()])
    make_link(portfolio)
    make_link(portfolio)

    response = client.get(PATH, {"tags_in": ",".join(str(tag.pk) for tag in tags), "search": "title"})

    assert ids(response) == [portfolio.pk]
    assert response.json()["count"] == 1


def test_suggests_the_nearest_parameter_and_names_the_allowed(client: Client) -> None:
    make_portfolio()

    response = client.get(PATH, {"has_imag": "true"})

    assert response.status_code == 400
    assert list(response.json()) == ["has_imag"]
    (message,) = response.json()["has_imag"]
    assert message.startswith("Unknown parameter. Did you mean has_image? Allowed: ")
    allowed = message.partition("Allowed: ")[2].rstrip(".").split(", ")
    assert set(allowed) == {
        *("limit", "offset", "search", "ordering", "id_min", "id_max", "order_min", "order_max"),
        *("created_date", "updated_date", "created_from", "created_to", "updated_from", "updated_to"),
        *("completed_at_from", "completed_at_to", "has_image", "has_description", "has_employer"),
        *("employer_id", "tag_id", "tags_in", "is_active", "slug", "include"),
    }


@pytest.mark.parametrize("path", [PATH, f"{PATH}1/", "/api/schema/"])
def test_tells_of_the_first_few_of_many_unknown_parameters(client: Client, path: str) -> None:
    response = client.get(path, {f"unknown{number}": "1" for number in range(200)})

    assert response.status_code == 400
    assert list(response.json()) == [f"unknown{number}" for number in range(20)]


@pytest.mark.parametrize("name", ["format", "page", "cursor", "title", "id", "Limit", "has_image ", "order__gte", "pk"])
def test_refuses_a_parameter_that_it_does_not_know(client: Client, name: str) -> None:
    response = client.get(PATH, {name: "1"})

    assert response.status_code == 400
    assert list(response.json()) == [name]


def test_refuses_an_unknown_parameter_without_a_value(client: Client) -> None:
    assert list(client.get(f"{PATH}?nonsense=").json()) == ["nonsense"]
    assert list(client.get(f"{PATH}?nonsense").json()) == ["nonsense"]


def test_tells_of_every_wrong_parameter_at_once(client: Client) -> None:
    response = client.get(f"{PATH}?limit=0&offset=x&nonsense=1&slug=a&slug=b&ordering=nothing&is_active=maybe")

    assert response.status_code == 400
    assert set(response.json()) == {"limit", "offset", "nonsense", "slug", "ordering", "is_active"}


def test_takes_no_query_parameters_when_creating(client: Client) -> None:
    body = {"title": "Title", "slug": "slug", "excerpt": "An excerpt."}

    response = client.post(f"{PATH}?limit=3", body)

    assert response.status_code == 400
    assert list(response.json()) == ["limit"]
    assert not Portfolio.objects.exists()
