import gc
import os
import re
from collections.abc import Callable, Generator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.db import connection
from django.test import Client as Site
from django.urls import set_script_prefix
from rest_framework.test import APIClient

from folio.access import authentication
from folio.access.codes import CODES
from folio.access.uses import Uses
from folio.media import journal

from . import databases, emptying
from .clock import Clock
from .environment import TEMPROOT
from .factories import make_key, make_user, permissions
from .postgresql import Server as PostgreSQL
from .postgresql import find_binaries, temporary_server

pytest_plugins = ["tests.watch", "tests.second_tries"]
Client = APIClient
numbers = count()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out on PostgreSQL what no database has a part in: it takes minutes, and is run on SQLite.

    What starts servers comes first, so that one process of xdist waits for them while the other works through what is
    quick; else both would come to it last, and the one that is done would wait for the other's longest test.
    """
    if databases.is_on_postgresql():
        left_out = {item for item in items if databases.is_for_sqlite_alone(item)}
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=databases.has_a_server, reverse=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    with databases.watched(item):
        return (yield)


def pytest_collection_finish() -> None:
    """Keep what was imported out of what Python looks through for garbage: it stays, and is looked through often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _emptied_quickly() -> None:
    emptying.install()


@pytest.fixture(scope="session", autouse=True)
def _nothing_waits_for_the_disk() -> Iterator[None]:
    """Have nothing written to the disk before its time, as in `tests/postgresql.py`: nothing outlives the tests.

    An upload asks for it some ten times, each of which takes milliseconds. Servers, which are killed, do write.
    """

    def fsync(file: Any) -> None:
        os.fstat(file if isinstance(file, int) else file.fileno())  # which fails where the file is closed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape half surrogates in what a test logged: xdist can't send them from its workers."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(scope="session", autouse=True)
def runs_within_this_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Have the runs of pytest that tests start keep their folders within this run's.

    At its end each removes those of earlier runs beside its own, and of a run of this suite there are 60,000.
    """
    os.environ[TEMPROOT] = str(tmp_path_factory.getbasetemp())


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new folder, as pytest's own, which for its name looks at the folders of all tests before."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    path = tmp_path_factory.getbasetemp() / f"{next(numbers)}-{name}"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(autouse=True)
def media_root(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A folder of its own for the files of each test, and another for what is undecided of them."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.JOURNAL_ROOT = tmp_path / "journal"
    yield tmp_path / "media"
    journal.release()  # what a test did in its own transaction, which never ends


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands until the test moves it."""
    return Clock(monkeypatch)


@pytest.fixture(autouse=True)
def at_the_root() -> Iterator[None]:
    """No path stays before all others from a test that has served below one, nor what the storage has noted of it."""
    yield
    set_script_prefix("/")
    vars(storages["default"]).pop("base_url", None)


@pytest.fixture(autouse=True)
def attempts_path(settings: Any, tmp_path: Path) -> Path:
    """A file of its own for the failed sign-ins of each test, which all come from one address."""
    settings.ATTEMPTS_PATH = tmp_path / "attempts.sqlite3"
    settings.VARIANTS_MARK = tmp_path / "variants"
    return tmp_path / "attempts.sqlite3"


@pytest.fixture(autouse=True)
def uses(monkeypatch: pytest.MonkeyPatch) -> Uses:
    """What a test's requests note of their keys' uses; no thread writes it."""
    uses = Uses()
    monkeypatch.setattr(authentication, "uses", uses)
    return uses


@pytest.fixture
def admin(db: None) -> User:
    """Someone who may do everything."""
    return make_user("ada", is_superuser=True, is_staff=True)


@pytest.fixture
def editor(db: None) -> User:
    """Staff who hold every permission code."""
    return make_user("eda", is_staff=True, codes=CODES)


@pytest.fixture
def staff(db: None) -> User:
    """Staff who hold no permission."""
    return make_user("stan", is_staff=True)


@pytest.fixture
def stranger(db: None) -> User:
    """A user who is not staff, though someone granted them every permission."""
    return make_user("sam", codes=CODES)


@pytest.fixture
def grant(db: None) -> Callable[..., None]:
    """Return a function that grants a user permissions, named as `app.codename`."""

    def grant(user: User, *paths: str) -> None:
        user.user_permissions.add(*permissions(*paths))

    return grant


@pytest.fixture
def client_for() -> Callable[..., Client]:
    """Return a function that gives a client with a new key of the user."""

    def client_for(user: User, **token: Any) -> Client:
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Token {make_key(user, **token)}")
        return client

    return client_for


@pytest.fixture
def site_for(db: None) -> Callable[[User], Site]:
    """Return a function that gives a browser's client, signed in to the admin site."""

    def site_for(user: User) -> Site:
        site = Site()
        site.force_login(user)
        return site

    return site_for


@pytest.fixture
def site(site_for: Callable[[User], Site], editor: User) -> Site:
    """A browser in which the editor is signed in to the admin site."""
    return site_for(editor)


@pytest.fixture
def client(client_for: Callable[..., Client], editor: User) -> Client:
    """A client with a key that may do everything but administer."""
    return client_for(editor)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL | None]:
    """On PostgreSQL, a server of a file's own: it may restart, and what others commit would empty the caches."""
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        yield None
        return
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL runs elsewhere.")
    with temporary_server(binaries) as own, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", own.url)  # instead of the tests' own
        yield own


@pytest.fixture(scope="session", autouse=True)
def nobody_else_in_the_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """End, before the suite's own database is dropped, the connections beside Django's: of looks, leases and claims."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
