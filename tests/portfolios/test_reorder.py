"""A portfolio is moved: where it stands afterwards, and how little else changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folio.portfolios.models import Portfolio
from folio.portfolios.reordering import LEAST, MOST, move
from tests.factories import make_portfolio

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ORDERS = st.one_of(st.integers(-3, 3), st.sampled_from([LEAST, LEAST + 1, MOST - 1, MOST, 100]))


def fill(*rows: tuple[int, int]) -> list[int]:
    """Make portfolios by their orders and the days of their making, and return their ids."""
    start = Portfolio.objects.count()
    made = Portfolio.objects.bulk_create(
        Portfolio(title=f"t{start + number}", slug=f"s{start + number}", excerpt="e", order=order)
        for number, (order, _) in enumerate(rows)
    )
    for portfolio, (_, day) in zip(made, rows, strict=True):
        Portfolio.objects.filter(pk=portfolio.pk).update(created_at=LONG_AGO + timedelta(days=day), updated_at=LONG_AGO)
    return [portfolio.pk for portfolio in made]


def listed() -> list[int]:
    return list(Portfolio.objects.values_list("pk", flat=True))


def changed() -> list[int]:
    return list(Portfolio.objects.exclude(updated_at=LONG_AGO).values_list("pk", flat=True))


@given(
    rows=st.lists(st.tuples(ORDERS, st.integers(0, 2)), min_size=1, max_size=9),
    moves=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.booleans()), min_size=1, max_size=4),
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_stands_where_a_list_would_have_it(rows: list[tuple[int, int]], moves: list[tuple[int, int, bool]]) -> None:
    with transaction.atomic():
        ids = fill(*rows)
        for one, two, is_before in moves:
            moved, other = ids[one % len(ids)], ids[two % len(ids)]
            expected = listed()
            if moved != other:
                expected.remove(moved)
                expected.insert(expected.index(other) + (not is_before), moved)
            orders = dict(Portfolio.objects.values_list("pk", "order"))
            Portfolio.objects.update(updated_at=LONG_AGO)

            told = move(moved, **{"before" if is_before else "after": other})

            assert listed() == expected
            after = dict(Portfolio.objects.values_list("pk", "order"))
            assert {row.pk: changes["order"] for row, changes in told} == {
                pk: (orders[pk], after[pk]) for pk in ids if orders[pk] != after[pk]
            }
            assert set(changed()) == {row.pk for row, _ in told}
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("rows", "moved", "target", "orders"),
    [
        ([(0, 0), (10, 0), (20, 0)], 2, {"before": 1}, {2: 5}),
        ([(0, 0), (10, 0), (20, 0)], 0, {"after": 2}, {0: 21}),
        ([(0, 0), (10, 0), (20, 0)], 2, {"before": 0}, {0: 1, 2: 0}),
        ([(5, 0), (10, 0), (20, 0)], 2, {"before": 0}, {2: 4}),
        ([(-9, 0), (10, 0), (20, 0)], 2, {"before": 0}, {2: -10}),
        ([(-9, 0), (-5, 0), (0, 0)], 0, {"after": 1}, {0: -3}),
        ([(0, 0), (1, 0), (2, 0)], 2, {"before": 2}, {}),
        ([(0, 0), (1, 0), (2, 0)], 1, {"after": 0}, {}),
        ([(0, 2), (0, 1), (1, 0)], 2, {"before": 1}, {1: 1, 2: 0}),
        ([(0, 3), (0, 2), (0, 1), (0, 0)], 0, {"after": 3}, {0: 1}),
        ([(0, 3), (0, 2), (0, 1), (0, 0)], 3, {"before": 0}, {0: 1, 1: 1, 2: 1}),
        ([(MOST, 1), (MOST, 0)], 0, {"after": 1}, {1: MOST - 1}),
        ([(LEAST, 1), (LEAST, 0)], 1, {"before": 0}, {0: LEAST + 1}),
    ],
)
def test_changes_as_few_rows_as_it_can(
    rows: list[tuple[int, int]], moved: int, target: dict[str, int], orders: dict[int, int]
) -> None:
    ids = fill(*rows)
    before = dict(Portfolio.objects.values_list("pk", "order"))
    ((side, other),) = target.items()

    move(ids[moved], **{side: ids[other]})

    after = dict(Portfolio.objects.values_list("pk", "order"))
    assert {ids.index(pk): order for pk, order in after.items() if order != before[pk]} == orders
    assert sorted(changed()) == sorted(ids[index] for index in orders)


def test_leaves_those_behind_a_gap_alone() -> None:
    ids = fill((0, 2), (0, 1), (1, 0), (9, 0), (10, 0), (2, 0))

    move(ids[5], before=ids[1])

    assert listed() == [ids[0], ids[5], ids[1], ids[2], ids[3], ids[4]]
    assert not {ids[3], ids[4]} & set(changed())


def test_numbers_anew_where_32_bits_leave_no_room() -> None:
    ids = fill((LEAST, 2), (LEAST, 1), (0, 0), (MOST, 1), (MOST, 0))
    expected = [ids[0], ids[2], ids[1], ids[4], ids[3]]
    move(ids[4], before=ids[3])

    move(ids[2], after=ids[0])

    assert listed() == expected


def test_takes_the_same_queries_however_many_are_listed() -> None:
    def queries(moved: int, before: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            move(moved, before=before)
        return len(captured)

    ids = fill(*[(0, day) for day in range(10)])
    at_ten = queries(ids[0], ids[5])
    more = fill(*[(0, day % 300) for day in range(10, 400)])

    assert queries(more[20], more[200]) == at_ten <= 8


def test_holds_the_table_before_it_reads() -> None:
    portfolio, other = make_portfolio(), make_portfolio()

    with CaptureQueriesContext(connection) as captured:
        move(portfolio.pk, before=other.pk)

    is_held = captured[0]["sql"] == 'LOCK TABLE "portfolios_portfolio" IN EXCLUSIVE MODE'
    assert is_held == (connection.vendor == "postgresql")


@pytest.mark.parametrize("gone", ["moved", "other"])
def test_says_so_where_one_of_the_two_is_gone(gone: str) -> None:
    portfolio = make_portfolio()
    ids: dict[str, Any] = {"moved": (0, portfolio.pk), "other": (portfolio.pk, 0)}
    moved, other = ids[gone]

    with pytest.raises(Portfolio.DoesNotExist, match="was deleted meanwhile"):
        move(moved, before=other)
