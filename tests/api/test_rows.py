from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from folio.api.rows import Instances, Rows, Statement
from folio.portfolios.models import Portfolio, Tag
from tests.factories import make_portfolio, make_tag

pytestmark = pytest.mark.django_db


def rows_of_tags() -> Rows:
    return Rows(lambda: Tag.objects.order_by("-name").values("id", word=F("name")), "pk")


@pytest.mark.parametrize("wanted", [1, 2, 3, 4, 5, 8, 9, 100])
def test_reads_any_number_of_ids_in_one_query(wanted: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    tags = [make_tag(name=f"{place:03}") for place in range(wanted)]
    make_tag(name="not asked for")
    rows = rows_of_tags()
    with django_assert_num_queries(1):
        found = rows.read([tag.pk for tag in tags])
    assert found == [{"id": tag.pk, "word": tag.name} for tag in reversed(tags)]


def test_asks_with_new_ids_what_was_written_for_others() -> None:
    first, second = make_tag(), make_tag()
    rows = rows_of_tags()
    with CaptureQueriesContext(connection) as queries:
        assert [row["id"] for row in rows.read([first.pk])] == [first.pk]
        assert [row["id"] for row in rows.read({second.pk: None})] == [second.pk]
    assert len(queries) == 2
    assert list(rows.written) == [1]


def test_asks_nothing_without_ids(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert rows_of_tags().read([]) == []


def test_leaves_out_what_does_not_exist() -> None:
    tag = make_tag()
    assert [row["id"] for row in rows_of_tags().read([tag.pk, 2**62, tag.pk])] == [tag.pk]


def test_converts_values_as_django_does() -> None:
    completed_at = datetime(2025, 3, 1, 12, 30, tzinfo=UTC)
    portfolio = make_portfolio(completed_at=completed_at, is_active=False)
    rows = Rows(lambda: Portfolio.objects.values("completed_at", "is_active", "employer__name"), "pk")
    [row] = rows.read([portfolio.pk])
    assert row == {"completed_at": completed_at, "is_active": False, "employer__name": None}
    assert type(row["is_active"]) is bool


def test_leaves_numbers_of_the_queryset_alone() -> None:
    low, high = make_portfolio(order=-1), make_portfolio(order=3)
    rows = Rows(lambda: Portfolio.objects.filter(order__in=[-1, 2]).values("id"), "pk")
    assert rows.read([low.pk, high.pk]) == [{"id": low.pk}]


def test_reads_the_rows_themselves_in_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    completed_at = datetime(2025, 3, 1, 12, 30, tzinfo=UTC)
    portfolios = [make_portfolio(completed_at=completed_at, order=order) for order in (1, 2, 3)]
    instances = Instances(Portfolio.objects.filter(order__lt=3))
    with django_assert_num_queries(1):
        found = instances.read([portfolio.pk for portfolio in portfolios])
    first, second, _ = portfolios
    assert found == {first.pk: first, second.pk: second}
    with django_assert_num_queries(0):
        assert [row.completed_at for row in found.values()] == [completed_at, completed_at]
        assert found[first.pk].title == first.title
        assert not found[first.pk]._state.adding
        assert instances.read(()) == {}


def test_asks_with_new_texts_what_was_written_for_others() -> None:
    make_tag(name="-9223372036854775808")
    wood, paper = make_tag(name="wood"), make_tag(name="pa'per%s")
    statement = Statement(lambda names: Tag.objects.filter(name__in=names).order_by("pk").values("id"), kind=str)
    assert statement.rows(["wood", "no such"])[1] == [(wood.pk,)]
    assert statement.rows(["wood", "pa'per%s"]) == (["id"], [(wood.pk,), (paper.pk,)])
    assert list(statement.written) == [2]
