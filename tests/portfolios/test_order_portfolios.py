"""The `ordering` of the list of portfolios."""

from datetime import UTC, datetime
from typing import Any

import pytest

from folio.portfolios.models import Portfolio
from tests.conftest import Client
from tests.factories import make_employer, make_portfolio

PATH = "/api/portfolios/"
NAMES = [
    "id",
    "title",
    "slug",
    "order",
    "year",
    "is_active",
    "client__name",
    "employer__name",
    "completed_at",
    "created_at",
    "updated_at",
]


def slugs(client: Client, ordering: str | None = None) -> list[str]:
    response = client.get(PATH, {} if ordering is None else {"ordering": ordering})
    assert response.status_code == 200, response.json()
    return [row["slug"] for row in response.json()["results"]]


@pytest.fixture
def four(db: None) -> None:
    """Portfolios with ids in the order of their making, ties, and absent values."""
    zeta, alpha = make_employer(name="Zeta"), make_employer(name="alpha")
    rows: list[dict[str, Any]] = [
        {"slug": "a", "title": "m", "order": 2, "employer": alpha, "completed_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"slug": "d", "title": "Z", "order": 1, "is_active": False},
        {"slug": "b", "title": "é", "order": 2, "employer": zeta, "completed_at": datetime(2019, 12, 31, tzinfo=UTC)},
        {"slug": "c", "title": "z", "order": 1, "completed_at": datetime(2020, 6, 1, tzinfo=UTC), "is_active": False},
    ]
    for day, row in enumerate(rows, start=1):
        portfolio = make_portfolio(**row)
        Portfolio.objects.filter(pk=portfolio.pk).update(
            created_at=datetime(2024, 1, day, tzinfo=UTC), updated_at=datetime(2024, 2, 10 - day, tzinfo=UTC)
        )


@pytest.mark.parametrize(
    ("name", "ascending", "descending"),
    [
        ("id", "adbc", "cbda"),
        ("title", "dacb", "bcad"),  # Z m z é, by code point
        ("slug", "abcd", "dcba"),
        ("order", "dcab", "abdc"),
        ("year", "bacd", "acbd"),
        ("is_active", "dcab", "abdc"),
        ("client__name", "badc", "abdc"),
        ("employer__name", "badc", "abdc"),
        ("completed_at", "bacd", "cabd"),
        ("created_at", "adbc", "cbda"),
        ("updated_at", "cbda", "adbc"),
    ],
)
def test_orders_by_each_name_in_both_directions(
    client: Client, four: None, name: str, ascending: str, descending: str
) -> None:
    assert slugs(client, name) == list(ascending)
    assert slugs(client, f"-{name}") == list(descending)


def test_orders_by_order_and_then_the_newest_first_unless_asked(client: Client, four: None) -> None:
    assert slugs(client) == list("cdba")
    assert slugs(client, "order,-created_at") == list("cdba")


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("is_active,-title", "cdba"),
        ("-is_active,title", "abdc"),
        ("order,-id", "cdba"),
        (" order , -id ", "cdba"),
        ("year,-completed_at", "bcad"),
        ("-year,completed_at", "acbd"),
        ("employer__name,-slug", "badc"),
        ("order,order,-order", "dcab"),
        ("order,", "dcab"),
    ],
)
def test_orders_by_several_names(client: Client, four: None, ordering: str, expected: str) -> None:
    assert slugs(client, ordering) == list(expected)


@pytest.mark.parametrize("name", ["year", "completed_at", "employer__name", "client__name"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_what_is_absent_comes_last_in_both_directions(client: Client, name: str, sign: str) -> None:
    make_portfolio(slug="absent-1")
    make_portfolio(slug="present", employer=make_employer(), completed_at=datetime(2020, 1, 1, tzinfo=UTC))
    make_portfolio(slug="absent-2")

    assert slugs(client, f"{sign}{name}") == ["present", "absent-1", "absent-2"]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"id", "title", "slug"}])
@pytest.mark.parametrize("sign", ["", "-"])
def test_breaks_ties_by_ascending_id(client: Client, name: str, sign: str) -> None:
    employer = make_employer()
    completed = datetime(2020, 1, 1, tzinfo=UTC)
    for slug in "cab":
        make_portfolio(slug=slug, employer=employer, completed_at=completed)
    Portfolio.objects.update(created_at=completed, updated_at=completed)

    assert slugs(client, f"{sign}{name}") == list("cab")


def test_breaks_ties_of_the_default_order_by_ascending_id(client: Client) -> None:
    for slug in "cab":
        make_portfolio(slug=slug)
    Portfolio.objects.update(created_at=datetime(2020, 1, 1, tzinfo=UTC))

    assert slugs(client) == list("cab")


@pytest.mark.parametrize("name", ["title", "slug", "employer__name"])
def test_texts_sort_by_code_point(client: Client, name: str) -> None:
    texts = ["-", "0", "10", "9", "A", "Z", "_", "a", "z", "É", "é", "я", "ی", "न", "网", "Ａ", "𝐀"]
    for number, text in enumerate(sorted(texts, key=lambda text: (len(text), -ord(text[0])))):
        fields: dict[str, Any] = {"slug": f"s{number}", "excerpt": text}
        if name == "employer__name":
            fields["employer"] = make_employer(name=text)
        else:
            fields[name] = text
        make_portfolio(**fields)

    response = client.get(PATH, {"ordering": name, "limit": "50"}).json()

    assert [row["excerpt"] for row in response["results"]] == texts
    assert texts == sorted(texts)


@pytest.mark.parametrize(
    "ordering",
    [
        "nothing",
        "-nothing",
        "title,nothing",
        "--title",
        "-",
        "+title",
        "Title",
        "pk",
        "employer",
        "image",
        "description",
        "title desc",
        "employer__id",
        "?",
        "title;",
    ],
)
def test_refuses_a_name_that_it_cannot_order_by(client: Client, ordering: str) -> None:
    response = client.get(PATH, {"ordering": ordering})

    assert response.status_code == 400
    assert list(response.json()) == ["ordering"]
    assert all(name in response.json()["ordering"][0] for name in NAMES)


def test_suggests_the_nearest_name(client: Client) -> None:
    message = client.get(PATH, {"ordering": "-titel"}).json()["ordering"][0]

    assert "Did you mean title?" in message
