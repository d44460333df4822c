"""Whoever writes, and however, the next search knows; what matters for no search notes nothing."""

from collections.abc import Callable

import pytest
from django.db import connection

from folio.portfolios.models import Portfolio
from folio.portfolios.searching import find
from folio.portfolios.searching.due import due_now, fold_all
from tests.factories import make_employer, make_meta, make_portfolio, make_tag

from .found import found, sql

pytestmark = pytest.mark.django_db
only_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's own statements")


@pytest.fixture
def pk() -> int:
    """A folded portfolio with everything, beside another one."""
    portfolio = make_portfolio(
        slug="match", title="alpha", employer=make_employer(name="employer"), tags=[make_tag(name="tagged")]
    )
    make_meta(portfolio, key="k", value_text="meta")
    make_portfolio(slug="other", employer=make_employer(name="another"), tags=[make_tag(name="another")])
    fold_all()
    return portfolio.pk


WRITES = {
    "title": "UPDATE portfolios_portfolio SET title = 'needle' WHERE id = %s",
    "excerpt": "UPDATE portfolios_portfolio SET excerpt = 'needle' WHERE id = %s",
    "description": "UPDATE portfolios_portfolio SET description = 'needle' WHERE id = %s",
    "employer": "UPDATE portfolios_employer SET name = 'needle' WHERE id = "
    "(SELECT employer_id FROM portfolios_portfolio WHERE id = %s)",
    "tag": "UPDATE portfolios_tag SET name = 'needle' WHERE id = "
    "(SELECT tag_id FROM portfolios_portfoliotag WHERE portfolio_id = %s)",
    "meta": "UPDATE portfolios_metaentry SET value_text = 'needle' WHERE portfolio_id = %s",
    "new meta": "INSERT INTO portfolios_metaentry (portfolio_id, key, value_text, place) VALUES (%s, 'n', 'needle', 9)",
}


@pytest.mark.parametrize("what", WRITES)
def test_what_is_written_by_sql_is_found_at_once(pk: int, what: str) -> None:
    assert found("needle") == []

    sql(WRITES[what], pk)

    assert found("needle") == ["match"]
    fold_all()
    assert found("needle") == ["match"]


UNWRITES: dict[str, tuple[str, str]] = {
    "alpha": ("UPDATE portfolios_portfolio SET title = 'beta' WHERE id = %s", "title"),
    "employer": ("UPDATE portfolios_portfolio SET employer_id = NULL WHERE id = %s", "employer"),
    "tagged": ("DELETE FROM portfolios_portfoliotag WHERE portfolio_id = %s", "tag"),
    "meta": ("UPDATE portfolios_metaentry SET key = '_k' WHERE portfolio_id = %s", "meta"),
}


@pytest.mark.parametrize("word", UNWRITES)
def test_what_is_gone_by_sql_is_not_found(pk: int, word: str) -> None:
    assert found(word) == ["match"]

    sql(UNWRITES[word][0], pk)

    assert found(word) == []
    fold_all()
    assert found(word) == []


HIDES = {
    "is_active": ("UPDATE portfolios_portfolio SET is_active = %s WHERE id = %s", False, True),
    "publish_at": ("UPDATE portfolios_portfolio SET publish_at = %s WHERE id = %s", "9000-01-01 00:00:00+00", None),
    "unpublish_at": ("UPDATE portfolios_portfolio SET unpublish_at = %s WHERE id = %s", "2001-01-01 00:00:00+00", None),
}


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("what", HIDES)
def test_what_sql_hides_or_shows_is_found_accordingly(pk: int, what: str, folded: bool) -> None:
    statement, hiding, showing = HIDES[what]
    for value, expected in ((hiding, []), (showing, ["match"]), (hiding, [])):
        sql(statement, value, pk)
        if folded:
            fold_all()
        assert found("alpha") == expected
        counted = find("alpha", in_order=True)
        assert (counted.few, counted.part(0, 5)) == (len(expected), [pk] * len(expected))


def test_a_row_that_changes_hands_is_found_where_it_is(pk: int) -> None:
    other = Portfolio.objects.get(slug="other").pk

    sql("UPDATE portfolios_metaentry SET portfolio_id = %s WHERE portfolio_id = %s", other, pk)

    assert found("meta") == ["other"]


def test_a_deleted_tag_is_found_no_more(pk: int) -> None:
    portfolio = Portfolio.objects.get(pk=pk)
    portfolio.tags.get().delete()

    assert found("tagged") == []


def test_a_new_portfolio_with_the_id_of_a_deleted_one_is_itself(pk: int) -> None:
    Portfolio.objects.get(pk=pk).delete()
    make_portfolio(pk=pk, slug="new", title="beta")

    assert found("alpha") == []
    assert found("beta") == ["new"]
    fold_all()
    assert found("alpha") == []
    assert found("beta") == ["new"]


@only_sqlite
@pytest.mark.parametrize("deferred", [False, True])
def test_replace_notes_the_row_that_it_removes(pk: int, deferred: bool) -> None:
    other = Portfolio.objects.get(slug="other").pk
    sql(
        "REPLACE INTO portfolios_metaentry (id, portfolio_id, key, value_text, place) "
        "SELECT id, %s, key, value_text, 0 FROM portfolios_metaentry WHERE portfolio_id = %s",
        other,
        pk,
    )

    if deferred:
        fold_all()
    assert found("meta") == ["other"]


@only_sqlite
def test_replace_of_a_tag_is_known(pk: int) -> None:
    tag = Portfolio.objects.get(pk=pk).tags.get().pk
    sql(
        "REPLACE INTO portfolios_tag (id, name, slug, updated_at) VALUES (%s, 'needle', 'n', '2026-01-01 00:00:00')",
        tag,
    )

    assert found("needle") == ["match"]
    assert found("tagged") == []


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's own statement")
def test_truncate_is_known(pk: int) -> None:
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("TRUNCATE portfolios_portfoliotag")

    assert due_now().is_everything
    assert found("tagged") == []
    assert found("alpha") == ["match"]
    fold_all()
    assert not due_now()
    assert found("tagged") == []
    assert found("alpha") == ["match"]


def reorder(pk: int) -> None:
    Portfolio.objects.filter(pk=pk).update(order=7, image=None)


def touch(pk: int) -> None:
    Portfolio.objects.filter(pk=pk).touch()


def save(pk: int) -> None:
    Portfolio.objects.get(pk=pk).save()


def make_a_tag(pk: int) -> None:
    make_tag()
    make_employer()


@pytest.mark.parametrize("write", [reorder, touch, save, make_a_tag], ids=lambda write: write.__name__)
def test_what_changes_no_text_notes_nothing(pk: int, write: Callable[[int], None]) -> None:
    write(pk)

    assert not due_now()


def test_what_is_rolled_back_is_not_noted(pk: int) -> None:
    from django.db import transaction

    with transaction.atomic():
        sql(WRITES["title"], pk)
        transaction.set_rollback(True)

    assert not due_now()
    assert found("needle") == []
    assert connection.vendor in {"sqlite", "postgresql"}
