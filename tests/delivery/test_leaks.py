"""Nothing that is not published shows, in whatever one asks: all answers are as if it were not there."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from folio.portfolios.models import FormerSlug, Portfolio
from tests.delivery.entries import OPTIONAL, PATH, make_full
from tests.factories import make_employer, make_portfolio, make_tag

SECRET = "geheim"
WHY = ["draft", "scheduled", "ended"]
MOMENT = datetime(2020, 5, 5, tzinfo=UTC)
VALUES = {
    "limit": ["1", "2", "100"],
    "offset": ["0", "1", "2", "3"],
    "ordering": ["title", "-title", "year", "-updated_at", "employer__name", "id"],
    "tag": ["shared", f"{SECRET}-tag"],
    "tags_any": ["shared", f"{SECRET}-tag", f"shared,{SECRET}-tag"],
    "employer": ["shared", f"{SECRET}-employer"],
    "year": ["2020", "2021"],
    "completed_at_from": ["2020-05-05", "2021-01-01"],
    "completed_at_to": ["2020-05-05", "2021-12-31"],
    "has_image": ["1", "0"],
    "slugs": [SECRET, f"{SECRET},a,b", f"b,{SECRET}-then"],
    "exclude": [SECRET, "a"],
    "include": OPTIONAL,
    "fields": ["slug", "slug,related", "neighbours", "year,tags"],
    "search": [SECRET, "shown", "2021"],
}


def hiding(why: str) -> dict[str, Any]:
    """Return the fields of an entry that is not published, for one of the reasons that there are."""
    now, while_ = timezone.now(), timedelta(minutes=10)
    fields: dict[str, dict[str, Any]] = {
        "draft": {"is_active": False},
        "scheduled": {"publish_at": now + while_},
        "ended": {"publish_at": now - 2 * while_, "unpublish_at": now - while_},
    }
    return fields[why]


def queries() -> Iterator[dict[str, str]]:
    """Yield each parameter with each value, and each two of them with their last."""
    single = [(name, value) for name, values in VALUES.items() for value in values]
    yield {}
    yield from ({name: value} for name, value in single)
    yield from (dict(pair) for pair in combinations(((name, values[-1]) for name, values in VALUES.items()), 2))


def make_shown() -> dict[str, Any]:
    """Make what is published; return what hidden ones may share with it."""
    employer, tag = make_employer(slug="shared", name="Shared"), make_tag(slug="shared", name="Shared")
    shared: dict[str, Any] = {"employer": employer, "tags": [tag]}
    for place, slug in enumerate(("a", "b", "c")):
        portfolio = make_full(title=f"Shown {slug}", slug=slug, order=place, completed_at=MOMENT, **shared)
        FormerSlug.objects.create(portfolio=portfolio, slug=f"{slug}-then")
    return shared


def make_hidden(shared: dict[str, Any], why: str = "draft") -> None:
    """Make entries that are hidden before, between, beside and after those that are shown."""
    tag = make_tag(slug=f"{SECRET}-tag", name=f"{SECRET} tag")
    employer = make_employer(slug=f"{SECRET}-employer", name=f"{SECRET} employer")
    for place in (-1, 0, 1, 2, 3):
        portfolio = make_full(
            title=f"{SECRET} {place}",
            slug=SECRET if place == 1 else f"{SECRET}{place}",
            excerpt=f"{SECRET} excerpt",
            description=f"{SECRET} text",
            order=place,
            **hiding(why),
            employer=employer if place % 2 else shared["employer"],
            tags=[*shared["tags"], tag],
            completed_at=datetime(2021, 5, 5, tzinfo=UTC) if place % 2 else MOMENT,
        )
        FormerSlug.objects.create(portfolio=portfolio, slug=f"{SECRET}{place}-then")


def answer(visitor: Client, path: str, query: dict[str, str]) -> tuple[int, bytes, Any]:
    response = visitor.get(path, query)
    return response.status_code, response.content, response.headers.get("Location")


@pytest.mark.parametrize("why", WHY)
def test_every_answer_is_as_if_it_were_not_there(visitor: Client, why: str) -> None:
    shared = make_shown()
    asked = [(PATH, query) for query in queries()]
    asked += [(f"{PATH}{slug}/", {}) for slug in ("a", "b", "c", "a-then", SECRET, f"{SECRET}0-then", "none")]
    asked += [("/api/public/manifest/", query) for query in ({}, {"limit": "2"}, {"limit": "2", "offset": "2"})]
    asked += [("/api/public/feed.xml", {})]
    asked += [("/api/public/sitemap.xml", query) for query in ({}, {"page": "1"}, {"page": "2"})]
    before = [answer(visitor, *request) for request in asked]

    make_hidden(shared, why)

    for request, expected in zip(asked, before, strict=True):
        found = answer(visitor, *request)
        assert found == expected, request
    assert {status for status, _, _ in before} == {200, 301, 404}


@pytest.mark.parametrize("why", WHY)
def test_where_all_is_hidden_nothing_is_found(visitor: Client, why: str) -> None:
    make_hidden(make_shown(), why)
    Portfolio.objects.only_published().update(**hiding(why))

    for query in queries():
        found = visitor.get(PATH, query).json()
        assert (found["count"], found["next"], found["results"]) == (0, None, []), query


@pytest.mark.parametrize("why", WHY)
def test_a_hidden_entry_costs_what_one_costs_that_never_was(visitor: Client, why: str) -> None:
    make_portfolio(slug=SECRET, **hiding(why))
    paths = [f"{PATH}{slug}/" for slug in (SECRET, "never0")]

    statements = []
    for path in paths:
        with CaptureQueriesContext(connection) as captured:
            response = visitor.get(path)
        assert response.status_code == 404
        told = (each["sql"].replace(SECRET, "never0") for each in captured)
        statements.append([re.sub(r"'\d{4}-\d\d-\d\d [^']+'", "MOMENT", sql) for sql in told])

    assert statements[0] == statements[1]
    hidden, never = (visitor.get(path) for path in paths)
    assert hidden.headers == never.headers
    assert hidden.content.replace(SECRET.encode(), b"never0") == never.content


@pytest.mark.parametrize("why", WHY)
@pytest.mark.parametrize(
    "path",
    [
        *(PATH, f"{PATH}?include=related,neighbours", f"{PATH}?search=shown"),
        *("/api/public/manifest/", "/api/public/feed.xml", "/api/public/sitemap.xml"),
    ],
)
def test_what_is_hidden_leaves_no_trace_when_it_goes(visitor: Client, path: str, why: str) -> None:
    """Hiding, deleting and never having been are one and the same to visitors."""
    make_shown()
    with transaction.atomic():
        Portfolio.objects.filter(slug="b").delete()
        deleted = visitor.get(path).content
        transaction.set_rollback(True)
    Portfolio.objects.filter(slug="b").update(**hiding(why))

    assert visitor.get(path).content == deleted


def test_an_error_names_nothing_but_what_was_sent(visitor: Client) -> None:
    make_hidden(make_shown())

    for name in VALUES:
        for value in (f"{name}=x&{name}=y", f"{name}x=1"):
            assert SECRET not in visitor.get(f"{PATH}?{value}").content.decode()
