"""Which tests PostgreSQL is not asked again, and how tables are emptied between those that commit."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType

from folio.portfolios.models import Portfolio, Tag
from folio.portfolios.searching.due import due_now
from folio.tasks.models import Task

from . import databases, emptying
from .factories import make_image, make_portfolio

PURE = "from folio.api.folding import fold\n\ndef test_fold() -> None:\n    assert fold('É') == 'e'\n"
Item = Callable[..., Any]


@pytest.fixture
def item(tmp_path: Path) -> Item:
    """Return a function that gives a test, as far as the rule looks at one."""

    def item(text: str = PURE, *fixtures: str, **marks: Any) -> Any:
        path = tmp_path / f"test_{len(list(tmp_path.iterdir()))}.py"
        path.write_text(text)
        found = SimpleNamespace(names_closure=[*fixtures, "tmp_path", "settings"], name2fixturedefs={})
        return SimpleNamespace(path=path, get_closest_marker=marks.get, _fixtureinfo=found)

    return item


def test_what_opens_no_database_is_run_on_sqlite_alone(item: Item) -> None:
    assert databases.is_for_sqlite_alone(item())
    assert databases.is_for_sqlite_alone(item(PURE, "db", any_database=True))


@pytest.mark.parametrize("fixture", ["db", "transactional_db"])
def test_what_may_open_the_suites_own_is_run_on_both(item: Item, fixture: str) -> None:
    assert not databases.is_for_sqlite_alone(item(PURE, fixture))
    assert not databases.is_for_sqlite_alone(item(PURE, django_db=True))


@pytest.mark.parametrize(
    "line",
    [
        "from tests.live import running_server",
        "import subprocess",
        "import psycopg",
        "def test(server): ...",
        "def test(postgresql): ...",
    ],
)
def test_what_starts_a_program_or_has_another_server_is_run_on_both(item: Item, line: str) -> None:
    assert not databases.is_for_sqlite_alone(item(f"{line}\n{PURE}"))


def test_what_has_neither_can_not_open_one(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("django_db") is None
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        User.objects.count()


@pytest.mark.parametrize("command", [[sys.executable, "-m", "folio", "migrate"], ["make", "run"]])
def test_one_that_starts_folio_all_the_same_fails(item: Item, command: list[str]) -> None:
    with pytest.raises(pytest.fail.Exception, match="is not run on PostgreSQL"), databases.watched(item()):
        sys.audit("subprocess.Popen", command[0], command, None, None)
    with databases.watched(item(PURE, "db")):
        sys.audit("subprocess.Popen", command[0], command, None, None)
    with databases.watched(item()):
        sys.audit("subprocess.Popen", "ffmpeg", ["ffmpeg", "-version"], None, None)


def test_what_starts_servers_comes_first(item: Item) -> None:
    assert databases.has_a_server(item(f"from tests.live import running_server\n{PURE}"))
    assert not databases.has_a_server(item())
    assert not databases.has_a_server(item("import subprocess", "db"))


@pytest.mark.django_db(transaction=True)
def test_tables_are_left_as_after_the_migrations() -> None:
    before = emptying.made()
    portfolio = make_portfolio(title="Something to find")
    portfolio.tags.add(Tag.objects.create(name="a tag"))
    make_image()
    User.objects.create_user("ada").groups.add(Group.objects.create(name="Some"))

    emptying.empty()

    for model in (Portfolio, Tag, User, Group, Task):
        assert not model._default_manager.exists(), model
    assert emptying.kept() == before
    assert not due_now()


@pytest.mark.django_db(transaction=True)
def test_what_the_migrations_made_comes_back() -> None:
    emptying.made()
    Permission.objects.all().delete()
    ContentType.objects.filter(app_label="portfolios").delete()

    emptying.empty()

    assert Permission.objects.filter(codename="add_portfolio", content_type__app_label="portfolios").exists()


@pytest.mark.django_db
def test_the_next_test_finds_nothing() -> None:
    assert not User.objects.exists()
    assert not Portfolio.objects.exists()
