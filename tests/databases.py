"""Which tests say the same on each database, since none has a part in them: they are run on SQLite alone.

They are those that are marked `any_database`, and those that open none. A test may open the suite's own database only
with pytest-django's mark or fixtures, which stop all others; and a test that starts a program with a database of its
own has a name for it in its file, or in that of a fixture. One that starts Folio without any of these names fails on
SQLite, since PostgreSQL would never see it: see `watched`.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FIXTURES = {"db", "transactional_db", "live_server"}
NAMES = re.compile(
    r"\b(live|server|serving|running_server|run_folio|subprocess|psycopg|postgresql|PostgreSQL|DATABASE_URL|vendor"
    r"|connections?|unblock|papers|terminal|limited|limited_to)\b"
)
ROOT_CONFTEST = Path(__file__).with_name("conftest.py")  # whose fixtures are known by their names
started: list[str] | None = None  # what a test that is watched has started


def is_on_postgresql() -> bool:
    return os.environ.get("DATABASE_URL", "").startswith("postgres")


@cache
def names_a_database(file: Path) -> bool:
    return file != ROOT_CONFTEST and NAMES.search(file.read_text()) is not None


def may_open_the_suites(item: pytest.Item) -> bool:
    """Tell whether pytest-django lets a test have the suite's own database."""
    fixtures = getattr(item, "_fixtureinfo", None)
    return fixtures is None or bool(item.get_closest_marker("django_db") or FIXTURES & set(fixtures.names_closure))


def names_one(item: pytest.Item) -> bool:
    """Tell whether the file of a test, or of a fixture of it, names a database of its own or what starts programs."""
    functions = (each.func for found in item._fixtureinfo.name2fixturedefs.values() for each in found)  # type: ignore[attr-defined]
    files = {item.path, *(Path(function.__code__.co_filename) for function in functions if is_ours(function))}
    return any(names_a_database(file) for file in files)


def opens_none(item: pytest.Item) -> bool:
    """Tell whether a test, by what it uses, opens no database."""
    return not may_open_the_suites(item) and not names_one(item)


def has_a_server(item: pytest.Item) -> bool:
    """Tell whether a test starts programs, or a browser: such take longest, and wait for much."""
    return not may_open_the_suites(item) and names_one(item)


def is_ours(function: Any) -> bool:
    return getattr(function, "__module__", "").partition(".")[0] == "tests"


def is_for_sqlite_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("any_database") is not None or opens_none(item)


def note(event: str, arguments: tuple[Any, ...]) -> None:
    if started is not None and event == "subprocess.Popen":
        command = [os.fsdecode(each) for each in arguments[1]] if not isinstance(arguments[1], str) else [arguments[1]]
        if "folio" in command or command[0].endswith(("/folio", "make", "bash", "sh")):
            started.append(" ".join(command))


sys.addaudithook(note)


@contextmanager
def watched(item: pytest.Item) -> Iterator[None]:
    """Fail where a test that opens no database starts Folio, which does."""
    global started
    if item.get_closest_marker("any_database") or not opens_none(item):
        yield
        return
    started = []
    try:
        yield
        if started:
            pytest.fail(f"This is not run on PostgreSQL, and started {started}: use a name of tests/databases.py.")
    finally:
        started = None
