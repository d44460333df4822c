"""No public answer costs more queries for showing more, or for being put together otherwise."""

from typing import Any

import pytest
from django.test import Client

from folio import snapshots
from folio.delivery import parts
from folio.delivery.parts import OPTIONAL, ROW, parts_of
from folio.snapshots.caches import SnapshotCache
from tests.delivery.entries import PATH, make_full, queries
from tests.factories import make_portfolio

# One query of each asks for the next moment at which what is published changes; a server asks it once for a snapshot.
EVERYTHING = f"include={','.join(OPTIONAL)}"


@pytest.mark.parametrize(("query", "most"), [("", 7), (EVERYTHING, 21), (f"search=title&{EVERYTHING}", 31)])
def test_a_list_costs_as_much_for_fifty_rows_as_for_one(visitor: Client, query: str, most: int) -> None:
    make_full(1), make_full(1)  # so that each has a neighbour
    one = queries(visitor, f"{PATH}?limit=1&{query}")
    for _ in range(49):
        make_full(2)

    fifty = queries(visitor, f"{PATH}?limit=50&{query}")

    assert len(visitor.get(f"{PATH}?limit=50&{query}").json()["results"]) == 50
    assert fifty == one <= most


def test_an_entry_costs_as_much_with_fifty_of_everything(visitor: Client) -> None:
    few, many = make_full(1), make_full(50)

    assert queries(visitor, f"{PATH}{few.slug}/") == queries(visitor, f"{PATH}{many.slug}/") <= 20


def test_a_list_with_every_filter_costs_no_more(visitor: Client) -> None:
    portfolio = make_full(1)
    tag = portfolio.tags.get().slug
    query = f"tag={tag}&tag={tag}x&tags_any={tag},x&employer=x&has_image=1&exclude=x&completed_at_from=2001-01-01"

    assert queries(visitor, f"{PATH}?{query}&ordering=-year,employer__name") <= 7


def test_only_what_is_asked_for_is_read(visitor: Client) -> None:
    portfolio = make_full(1)

    assert queries(visitor, f"{PATH}{portfolio.slug}/?fields=title") == 6
    assert queries(visitor, f"{PATH}{portfolio.slug}/?fields=description") == 3
    assert queries(visitor, f"{PATH}{portfolio.slug}/?fields=gallery") == 5


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> SnapshotCache:
    """A cache of documents of the test's own, and as if the test's transaction were none."""
    cache = SnapshotCache(10_000_000)
    monkeypatch.setattr(snapshots, "documents", cache)
    monkeypatch.setattr(snapshots, "usable", lambda snapshot: snapshot)
    return cache


def test_a_part_is_encoded_once_however_it_is_asked_for(
    visitor: Client, cache: SnapshotCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, int]] = []
    ids = [make_full(1).pk, make_full(1).pk]
    for name in parts.PARTS:

        def counted(self: Any, pk: int, pictures: Any, name: str = name, make: Any = parts.PARTS[name].made) -> Any:
            made.append((name, pk))
            return make(self, pk, pictures)

        monkeypatch.setattr(parts.PARTS[name], "made", counted)

    for wanted in ([ROW], [ROW, "gallery"], ["gallery", "related"], [ROW, *OPTIONAL], [ROW]):
        for page in (ids, ids[:1], ids[::-1]):
            assert list(parts_of(page, wanted, "http://a", 1)) == page

    assert sorted(made) == sorted((name, pk) for name in parts.PARTS for pk in ids)


def test_what_is_kept_of_an_entry_is_bounded_by_its_parts(visitor: Client, cache: SnapshotCache) -> None:
    pk = make_full(1).pk
    for number in range(2 ** len(parts.PARTS)):
        wanted = [name for place, name in enumerate(parts.PARTS) if number >> place & 1]
        parts_of([pk], wanted, "http://a", 1)

    assert len([key for key in cache.entries if isinstance(key, tuple) and key[-1] == pk and len(key) == 3]) == 8


def test_a_new_snapshot_has_nothing_of_the_one_before(visitor: Client, cache: SnapshotCache) -> None:
    portfolio = make_portfolio(title="Before")
    before = parts_of([portfolio.pk], [ROW], "http://a", 1)
    type(portfolio).objects.update(title="After")

    assert parts_of([portfolio.pk], [ROW], "http://a", 1) == before
    assert b'"After"' in parts_of([portfolio.pk], [ROW], "http://a", 2)[portfolio.pk][0]
    assert b"http://b/media" not in b"".join(before[portfolio.pk])


def test_each_host_has_its_own_addresses(visitor: Client, cache: SnapshotCache) -> None:
    pk = make_full(1).pk

    one, other = (parts_of([pk], [ROW], base, 1)[pk][0] for base in ("http://a", "https://b"))

    assert other == one.replace(b"http://a/", b"https://b/")
