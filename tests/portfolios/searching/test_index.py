"""The index is there after every migration, can be made anew, and tells what it lacks."""

from io import StringIO

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection, migrations, models, transaction
from django.db.migrations.state import ProjectState
from django.utils import timezone

from folio.api.texts import search
from folio.portfolios.models import Portfolio
from folio.portfolios.searching import checks, due, sqlite, walking
from folio.portfolios.searching.stores import DUE, STATE, TIMED, VOCABULARY, run, store
from tests.factories import make_meta, make_portfolio

from .found import found, scored, sql

pytestmark = pytest.mark.django_db
only_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's own")


def told() -> list[str]:
    return [str(problem.id) for problem in run_checks(databases=["default"]) if str(problem.id) >= "folio.W004"]


def test_nothing_is_wrong_with_a_new_database() -> None:
    assert not due.is_outdated()
    assert told() == []


def test_reindex_makes_the_index_anew() -> None:
    make_portfolio(slug="match", title="needle")
    output = StringIO()

    call_command("reindex", stdout=output, verbosity=0)

    assert output.getvalue() == "Folded 1 portfolios.\n"
    assert not due.is_anything_due()
    assert found("needle") == ["match"]


def test_another_version_of_the_folding_makes_all_due(monkeypatch: pytest.MonkeyPatch) -> None:
    make_portfolio(slug="match", title="needle")
    due.fold_all()
    sql(f"UPDATE {STATE} SET version = 'of old'")
    assert told() == ["folio.W004"]

    due.follow_migrations(verbosity=0)

    assert told() == []
    assert not due.is_anything_due()
    assert found("needle") == ["match"]


def test_a_program_of_another_version_leaves_what_is_due_to_those_that_made_the_index(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    due.fold_all()
    with monkeypatch.context() as older:
        older.setattr(due, "version", lambda: "of old")
        portfolio = make_portfolio(slug="match", title="before")
        due.fold_with_a_write()
        due.fold_all()
        assert due.due_now().ids == [portfolio.pk]
        assert found("before") == ["match"]

    due.fold_all()

    assert not due.is_anything_due()
    assert found("before") == ["match"]


def test_holds_no_words_of_drafts() -> None:
    make_portfolio(title="needle", excerpt="A needle.", description="needle", is_active=False)
    make_portfolio(slug="shown", title="Needles and pins", publish_at=timezone.now())
    due.fold_all()

    def count(*words: str) -> int:
        index, parameters = store().with_words([(word,) for word in words])
        return len(run(index, parameters))

    assert count("NEEDLE") == 1
    assert count("NEEDLES") == count("PINS") == 1
    assert run(f"SELECT COUNT(*) FROM {VOCABULARY} WHERE word = 'NEEDLE'") == [(0,)]


@pytest.mark.parametrize("text", [TIMED, TIMED.upper(), TIMED[0], "timed", "ATIMED", "A", "D"])
def test_what_the_index_notes_is_no_word(text: str) -> None:
    make_portfolio(title="Zinc", excerpt="Zinc.", publish_at=timezone.now())
    due.fold_all()

    assert found("zinc")
    assert found(text) == []


def test_triggers_that_are_gone_are_made_again_and_what_was_missed_is_folded() -> None:
    portfolio = make_portfolio(slug="match", title="before")
    make_meta(portfolio, key="k", value_text="meta")
    due.fold_all()
    table = " ON portfolios_portfolio" if connection.vendor == "postgresql" else ""
    sql(f"DROP TRIGGER portfolios_search_portfolio_update{table}")
    sql("UPDATE portfolios_portfolio SET title = 'after'")
    assert found("after") == []
    assert told() == ["folio.W004"]

    call_command("migrate", verbosity=0)

    assert found("after") == ["match"]
    assert found("before") == []
    sql("UPDATE portfolios_portfolio SET title = 'later'")
    assert found("later") == ["match"]


def test_folds_older_notes_that_come_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that takes long commits notes whose numbers it was given long before."""
    due.fold_all()
    late = make_portfolio(slug="late", title="late")
    numbers = run(f"SELECT id FROM {DUE}")
    sql(f"DELETE FROM {DUE}")
    make_portfolio(slug="match", title="needle")
    given = "OVERRIDING SYSTEM VALUE " if connection.vendor == "postgresql" else ""

    def tell(left: int) -> None:
        if numbers:
            run(f"INSERT INTO {DUE} (id, portfolio_id) {given}VALUES (%s, %s)", [*numbers.pop(), late.pk])

    due.fold_all(tell)

    assert not due.is_anything_due()
    assert found("late") == ["late"]
    assert found("needle") == ["match"]


def test_tells_of_many_that_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MANY", 2)
    make_portfolio()
    assert told() == []
    make_portfolio()

    assert told() == ["folio.W005"]


@only_postgresql
def test_works_without_the_extension_and_tells_of_it() -> None:
    make_portfolio(slug="match", title="A needle")
    due.fold_all()
    sql("DROP INDEX portfolios_search_by_parts")

    from folio.api.texts import search
    from folio.portfolios.models import Portfolio

    assert [row.slug for row in search(Portfolio.objects.all(), "eedl", "title", "slug", "excerpt")] == ["match"]
    assert found("needle") == ["match"]
    assert told() == ["folio.W006"]
    call_command("reindex", stdout=StringIO(), verbosity=0)
    assert told() == []


@only_postgresql
def test_an_owner_without_the_right_to_extensions_can_migrate() -> None:
    sql("DROP EXTENSION pg_trgm CASCADE")
    sql("CREATE ROLE folio_test_owner")
    sql("GRANT ALL ON SCHEMA public TO folio_test_owner")
    with transaction.atomic():
        sql("ALTER TABLE portfolios_search_index OWNER TO folio_test_owner")
        sql("SET LOCAL ROLE folio_test_owner")
        store().make()
        sql("RESET ROLE")

    assert store().lacks() is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL makes no table anew")
def test_a_migration_that_makes_a_table_anew_is_followed() -> None:
    make_portfolio(slug="match", title="before")
    due.fold_all()
    from django.apps import apps

    old = ProjectState.from_apps(apps)
    change = migrations.AlterField("portfolio", "description", models.TextField(default="x", null=True))
    with connection.schema_editor() as editor:
        new = old.clone()
        change.state_forwards("portfolios", new)
        change.database_forwards("portfolios", editor, old, new)
    assert due.is_outdated()

    due.follow_migrations(verbosity=0)

    assert not due.is_outdated()
    assert found("before") == ["match"]
    assert run("SELECT COUNT(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'portfolios_portfolio'") == [
        (4,)
    ]


def test_what_scores_cost_grows_as_the_words_do() -> None:
    def asked(count: int) -> int:
        _, parameters = store().relevance([(f"word{number:02}",) for number in range(count)])
        return sum(str(parameter).count("word") for parameter in parameters)

    assert asked(32) == 2 * asked(16)


def test_scores_each_of_many_words() -> None:
    words = [f"w{'x' * number}{number}" for number in range(8)]
    make_portfolio(slug="titled", title=" ".join(words))
    make_portfolio(slug="mixed", title=" ".join(words[:3]), excerpt=" ".join(words[3:5]), description=" ".join(words))
    call_command("reindex", verbosity=0, stdout=StringIO())

    assert scored(" ".join(words)) == [("titled", 8 * 4), ("mixed", 3 * 4 + 2 * 2 + 3 * 1)]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's own")
@pytest.mark.parametrize("few", [(0,), sqlite.FEW])
def test_parts_of_several_words_are_found_with_and_without_a_rare_sequence(
    monkeypatch: pytest.MonkeyPatch, few: tuple[int, ...]
) -> None:
    monkeypatch.setattr(sqlite, "FEW", few)
    for title in ("Harbour museum", "Museum of harbours", "Harbour", "Har bour mus eum"):
        make_portfolio(title=title)
    due.fold_all()

    rows = search(Portfolio.objects.order_by("pk"), "arbou useu", "title", "slug", "excerpt", "year", "employer__name")

    assert list(rows.values_list("title", flat=True)) == ["Harbour museum", "Museum of harbours"]


def test_the_same_is_found_where_it_is_too_much_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        make_portfolio(title=f"Harbour {number}")
    due.fold_all()

    def titles() -> list[str]:
        rows = search(Portfolio.objects.order_by("pk"), "arbou", "title", "slug", "excerpt", "year", "employer__name")
        return list(rows.values_list("title", flat=True))

    named = titles()
    monkeypatch.setattr(walking, "FEW", 2)

    assert titles() == named == ["Harbour 0", "Harbour 1", "Harbour 2"]
