from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Site
from rest_framework.test import APIClient

from folio.access.codes import CODES
from folio.media import journal

from .factories import make_key, make_user

Client = APIClient
# What takes longest begins first, so that no process works at it alone in the end.
LONG = [
    "browser/",
    "contract/test_make_run.py",
    "contract/test_never_stale.py",
    "contract/test_schemathesis.py",
    "contract/test_hostile_uploads.py",
    "contract/test_killed.py",
    "contract/test_pillow_collection.py",
    "contract/test_slow_clients.py",
    "contract/test_live.py",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent

    def turn(item: pytest.Item) -> int:
        name = item.path.relative_to(here).as_posix()
        return next((number for number, start in enumerate(LONG) if name.startswith(start)), len(LONG))

    items.sort(key=turn)


@pytest.fixture(autouse=True)
def media_root(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A folder of its own for the files of each test, and another for what is undecided of them."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.JOURNAL_ROOT = tmp_path / "journal"
    yield tmp_path / "media"
    journal.release()  # what a test did in its own transaction, which never ends


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
def client(client_for: Callable[..., Client], editor: User) -> Client:
    """A client with a key that may do everything but administer."""
    return client_for(editor)
