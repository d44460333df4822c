"""Reads as a server answers them."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from folio.api.handler import Handler
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront
from tests.factories import make_key
from tests.wsgi import Answer, ask


@pytest.fixture
def read(editor: User) -> Callable[[str], Answer]:
    """Return a function that reads a path as a server would answer, through the cache in front of Django."""
    key = make_key(editor)
    front = SnapshotFront(Handler(), None, SnapshotCache(1_000_000))

    def read(path: str, **headers: str) -> Answer:
        return ask(front, "GET", path, headers={"Authorization": f"Token {key}", "Host": "testserver", **headers})

    return read
