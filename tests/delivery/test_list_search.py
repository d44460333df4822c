"""`search` of the public list: in which order it comes, and what is told of why something was found.

What a word finds is tested beside the index, in `tests/portfolios`.
"""

from typing import Any

import pytest
from django.test import Client

from tests.delivery.entries import PATH, ask, errors, listed
from tests.factories import make_portfolio, make_tag


@pytest.fixture
def found(visitor: Client) -> Client:
    """Portfolios that `lamp` finds, with the scores 1, 3 and 4, and one that it doesn't."""
    make_portfolio(slug="description", order=0, description="About a lamp & more.")
    make_portfolio(slug="title", order=1, title="Lamp")
    make_portfolio(slug="tag", order=2, tags=[make_tag(name="lamp")])
    make_portfolio(slug="nothing", order=3)
    return visitor


def test_the_best_comes_first(found: Client) -> None:
    assert listed(found, search="lamp") == ["title", "tag", "description"]
    assert ask(found, search="lamp", limit=1)["count"] == 3


def test_equally_good_ones_come_in_the_editors_order(visitor: Client) -> None:
    for slug, order in (("b", 2), ("a", 1), ("c", 3)):
        make_portfolio(slug=slug, title=f"Lamp {slug}", order=order)

    assert listed(visitor, search="lamp") == listed(visitor, search="lamp", ordering="relevance") == ["a", "b", "c"]
    assert listed(visitor, search="lamp", ordering="relevance,-slug") == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("ordering", "slugs"),
    [
        ("relevance", ["title", "tag", "description"]),
        ("-relevance", ["description", "tag", "title"]),
        ("order", ["description", "title", "tag"]),
        ("-slug,relevance", ["title", "tag", "description"]),
    ],
)
def test_another_order_may_be_asked_for(found: Client, ordering: str, slugs: list[str]) -> None:
    assert listed(found, search="lamp", ordering=ordering) == slugs


def test_pages_of_a_search_lead_to_each_other(found: Client) -> None:
    pages = [listed(found, search="lamp", limit=1, offset=offset) for offset in range(3)]

    assert pages == [["title"], ["tag"], ["description"]]
    assert "search=lamp" in ask(found, search="lamp", limit=1)["next"]


def test_filters_narrow_a_search(found: Client) -> None:
    assert listed(found, search="lamp", tag="lamp") == ["tag"]
    assert listed(found, search="lamp", exclude="title") == ["tag", "description"]
    assert listed(found, search="lamp", slugs="description,nothing,title") == ["title", "description"]


def test_the_last_key_tells_why_something_was_found(found: Client) -> None:
    rows = ask(found, search="lamp")["results"]

    assert [list(row)[-1] for row in rows] == ["highlight"] * 3
    assert [row["highlight"] for row in rows] == ["<mark>Lamp</mark>", None, "About a <mark>lamp</mark> &amp; more."]
    assert list(ask(found, search="lamp", include="related")["results"][0])[-2:] == ["related", "highlight"]


def test_no_reason_is_told_without_a_search(found: Client) -> None:
    assert all("highlight" not in row for row in ask(found)["results"])
    assert all("highlight" not in row for row in ask(found, search="")["results"])


def test_the_reason_is_a_field_as_others_are(found: Client) -> None:
    assert ask(found, search="lamp", fields="slug", limit=1)["results"] == [{"slug": "title"}]
    assert ask(found, search="lamp", fields="highlight,slug", limit=1)["results"] == [
        {"slug": "title", "highlight": "<mark>Lamp</mark>"}
    ]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("ordering=relevance", {"ordering": ["There is no relevance without search."]}),
        ("ordering=title,-relevance&search=", {"ordering": ["There is no relevance without search."]}),
        ("fields=slug,highlight", {"fields": ["There is no highlight without search."]}),
    ],
)
def test_what_only_a_search_has_is_refused_without_one(visitor: Client, query: str, told: Any) -> None:
    assert errors(visitor, query=query) == told


def test_a_search_is_bounded(visitor: Client) -> None:
    assert "at most" in errors(visitor, query=f"search={'x' * 5000}")["search"][0]
    assert "at most" in errors(visitor, query=f"search={'+'.join(['w'] * 1000)}")["search"][0]


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", '"', "*", "-", "a OR b", "NEAR(a b)", "🎨", "\u200c"])
def test_no_sign_has_a_meaning_of_its_own(visitor: Client, text: str) -> None:
    make_portfolio(title="Unlike anything")

    assert listed(visitor, search=text) == []


def test_a_hidden_entry_is_not_found_and_forgives_nothing(visitor: Client) -> None:
    """A word that finds something hidden alone is taken for one that finds nothing."""
    make_portfolio(slug="hidden", title="Lampert", is_active=False)
    make_portfolio(slug="shown", title="Lampart")

    assert listed(visitor, search="Lampert") == ["shown"]
    assert visitor.get(PATH, {"search": "Lampert"}).json()["count"] == 1
