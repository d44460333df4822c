"""However many portfolios there are, what is published by the clock is found by indexes alone."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from folio.delivery import counting
from folio.portfolios.models import Portfolio
from folio.portfolios.moments import next_moment, next_publication
from tests.factories import make_portfolio

pytestmark = pytest.mark.django_db
MOMENTS = ("portfolio_publish_at", "portfolio_unpublish_at")


@pytest.fixture(autouse=True)
def _like_a_large_table() -> Iterator[None]:
    """Have PostgreSQL, which knows how few rows there are, plan as if they were many."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
        yield
        cursor.execute("RESET enable_seqscan; RESET enable_bitmapscan; RESET enable_sort")


def plan_of(sql: str, parameters: tuple[Any, ...] = ()) -> str:
    """Return how the database would carry a statement out."""
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", parameters)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def plan_of_rows(rows: Any) -> str:
    sql, parameters = rows.query.sql_with_params()
    return plan_of(sql, tuple(parameters))


def plan_of_call(call: Any) -> str:
    """Return the plan of the one statement that a call asks."""
    with CaptureQueriesContext(connection) as captured:
        call()
    [query] = captured.captured_queries
    return plan_of(query["sql"].replace("%", "%%"))


def test_the_next_moment_is_the_first_of_two_indexes() -> None:
    make_portfolio(publish_at=timezone.now() + timedelta(days=1))
    plan = plan_of_call(lambda: next_moment(timezone.now().timestamp()))

    for name in MOMENTS:
        assert name in plan, plan
    assert not any(word in plan for word in ("TEMP B-TREE", "Sort")), plan


def test_the_next_publication_is_the_first_of_an_index() -> None:
    plan = plan_of_call(lambda: next_publication(timezone.now()))

    assert MOMENTS[0] in plan, plan
    assert not any(word in plan for word in ("TEMP B-TREE", "Sort", "SCAN")), plan


def test_what_is_published_is_listed_by_the_index_of_the_default_order() -> None:
    plan = plan_of_rows(Portfolio.objects.published().values_list("pk")[:12])

    assert "portfolio_is_active" in plan, plan
    assert "COVERING INDEX" in plan or "Index Only Scan" in plan, plan
    assert not any(word in plan for word in ("TEMP B-TREE", "Sort", "SCAN")), plan


def test_what_is_published_is_counted_by_it_too() -> None:
    plan = plan_of_call(Portfolio.objects.published().count)

    assert "portfolio_is_active" in plan, plan
    assert "COVERING INDEX" in plan or "Index Only Scan" in plan, plan
    assert "SCAN" not in plan, plan


def test_what_is_not_published_is_found_by_three_indexes() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("It chooses between them and one walk by how many rows there are.")
    plan = plan_of_call(Portfolio.objects.unpublished().count)

    for name in ("portfolio_is_active", *MOMENTS):
        assert f"{name} (" in plan, plan
    assert "SCAN" not in plan, plan


@pytest.mark.parametrize("kind", [counting.TAGS, counting.EMPLOYERS, counting.YEARS], ids=lambda kind: kind.column)
def test_choices_are_counted_without_a_look_at_all_rows(kind: counting.Kind) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("It has statistics to choose by.")
    plan = plan_of(*counting.counts_of_published(kind, are_most=True))

    for name in MOMENTS:
        assert f"{name} (" in plan, plan
    assert "SCAN portfolios_portfolio USING INDEX" not in plan, plan
