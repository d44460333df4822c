"""What facets are counted from in memory: when it is read, how much it takes, and that it never lags behind."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folio import snapshots
from folio.delivery import shelf as module
from folio.delivery.shelf import WITHOUT, Shelf, read, shelf
from folio.portfolios.models import Portfolio, Tag
from folio.snapshots.caches import SnapshotCache
from tests.factories import make_employer, make_portfolio, make_tag
from tests.snapshots.stage import StubLooks

from .fronts import Front


@pytest.fixture(autouse=True)
def documents(monkeypatch: pytest.MonkeyPatch) -> SnapshotCache:
    cache = SnapshotCache(1_000_000)
    monkeypatch.setattr(snapshots, "documents", cache)
    return cache


def filled() -> None:
    tags = [make_tag(name=name) for name in "abc"]
    employer = make_employer(name="one")
    for number in range(6):
        make_portfolio(
            slug=f"slug-{number}",
            tags=tags[: number % 3 + 1],
            employer=employer if number % 2 else None,
            completed_at=datetime(2020 + number % 2, 1, 1, tzinfo=UTC) if number else None,
            is_active=number != 5,
        )


@pytest.mark.django_db
def test_counts_what_members_have_from_either_side() -> None:
    filled()
    held = read()

    def most(kind: str, members: int, limit: int = 100) -> list[tuple[int, int]]:
        return held.most(kind, held.smaller(members), limit)

    a, b, c = Tag.objects.order_by("name").values_list("pk", flat=True)

    assert len(held.ids) == 5
    assert most("tags", held.everyone) == [(a, 5), (b, 3), (c, 1)]
    assert most("tags", 0b00111) == [(a, 3), (b, 2), (c, 1)]
    assert most("tags", 0b00110, 2) == [(a, 2), (b, 2)]
    assert most("tags", 0) == most("employers", 0b00001) == []
    assert most("years", held.everyone) == [(2021, 2), (2020, 2)]
    assert [count for _, count in most("employers", held.everyone)] == [2]


@pytest.mark.django_db
def test_of_nothing_holds_nothing() -> None:
    held = read()

    assert (held.everyone, held.bits([7]), held.most("tags", held.smaller(0), 5)) == (0, 0, [])


@pytest.mark.django_db
@pytest.mark.parametrize("few", [0, 100])
def test_finds_the_places_of_few_and_many_ids(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    filled()
    monkeypatch.setattr(module, "FEW", few)
    held = read()

    members = held.bits([held.ids[0], held.ids[3], held.ids[4] + 1000])

    assert members == 0b01001
    assert held.places(members) == [0, 3]


@pytest.mark.django_db
def test_what_single_filters_leave_is_bounded() -> None:
    held = read()
    find = Mock(return_value=[])
    for number in range(100):
        held.set_of(number % 20, find)

    assert len(held.sets) <= module.SETS
    held.set_of("x", find)
    before = find.call_count
    held.set_of("x", find)
    assert find.call_count == before, "found once"


@pytest.mark.django_db(transaction=True)
def test_is_read_once_it_is_worth_it_and_again_after_a_change(documents: SnapshotCache) -> None:
    filled()

    assert [shelf(1) for _ in range(WITHOUT)] == [None] * WITHOUT
    held = shelf(1)
    assert isinstance(held, Shelf)
    assert shelf(1) is held
    assert documents.size >= held.size
    assert shelf(2) is None
    assert shelf(None) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", [8 * 64, 8 * 300])
def test_where_there_is_no_room_it_is_not_tried_again(
    documents: SnapshotCache, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    filled()
    documents.limit = limit
    tried = Mock(side_effect=module.read)
    monkeypatch.setattr(module, "read", tried)

    assert [shelf(1) for _ in range(WITHOUT + 5)] == [None] * (WITHOUT + 5)
    assert tried.call_count <= 1


@pytest.mark.django_db(transaction=True)
def test_facets_from_memory_ask_for_names_alone_and_see_each_change(settings: Any) -> None:
    settings.PUBLIC_READ = True
    filled()
    looks = StubLooks()
    front = Front(looks)
    for number in range(WITHOUT + 1):
        front.ask(f"facets/?exclude=none-{number}")

    with CaptureQueriesContext(connection) as captured:
        answer = front.ask("facets/?exclude=slug-0&employer=one").json()
    assert not [query for query in captured if "COUNT(" in query["sql"] or "GROUP BY" in query["sql"]]
    assert answer["count"] == 2
    Portfolio.objects.filter(slug="slug-1").update(is_active=False)
    looks.number = (looks.number or 0) + 1

    for number in range(WITHOUT + 2):
        assert front.ask(f"facets/?exclude=slug-0&employer=one&limit={number + 1}").json()["count"] == 1
        assert front.ask(f"facets/?exclude=any-{number}&employer=one").json()["count"] == 1
