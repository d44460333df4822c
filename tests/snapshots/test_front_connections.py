"""The response cache and the database: transactions, connections of before, and the files that are mapped."""

import resource
import sys
from typing import Any

import pytest
from django.db import connection, connections, transaction

from folio.snapshots import SNAPSHOT
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront, call_with_room_for_frames

from .stage import URL, Scene, StubApplication


@pytest.mark.django_db(transaction=True)
def test_nothing_is_taken_or_put_within_a_transaction(scene: Scene) -> None:
    with transaction.atomic():
        assert scene.ask().content == b'{"count": 1}'
        assert not scene.cache.entries
        assert scene.application.requests[-1][SNAPSHOT] is None
    scene.ask()
    with transaction.atomic():
        assert scene.ask().content == b'{"count": 3}'
    assert scene.ask().content == b'{"count": 2}'


@pytest.fixture
def closings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The generations in which the thread's connections were closed."""
    closed: list[int] = []
    monkeypatch.setattr(connections, "close_all", lambda: closed.append(1))
    return closed


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("url", [URL, "/admin/"])
def test_connections_to_a_file_or_server_of_before_are_closed_before_they_are_used(
    scene: Scene, closings: list[int], method: str, url: str
) -> None:
    """A write into a file that was replaced would be acknowledged and lost."""
    scene.application.headers = []
    scene.ask(method, url)
    closings.clear()
    scene.ask(method, url)
    assert not closings

    scene.looks.generation = 2
    closed_before = []
    scene.application.work = lambda: closed_before.append(len(closings))
    scene.ask(method, url)
    scene.ask(method, url)

    assert closed_before == [1, 1], "once, before the first request was answered"


def test_a_connection_made_before_the_thread_first_looked_is_closed_too(scene: Scene, closings: list[int]) -> None:
    scene.looks.generation = 7

    scene.ask()

    assert closings


def test_the_files_need_no_look(scene: Scene) -> None:
    """They are served while the database is away."""
    scene.application.headers = []

    scene.ask(url="/media/core_media/2026/03/02/row.png")
    scene.ask(url="/static/admin/css/base.css")

    assert scene.looks.count == 0
    assert scene.application.count == 2


def test_django_has_one_connection_for_each_thread() -> None:
    """What the front keeps for a thread is the connection that Django's own code on that thread uses."""
    front = SnapshotFront(StubApplication(), None, SnapshotCache(0))

    assert front.thread.database is connections["default"]
    assert front.thread.database.in_atomic_block == connection.in_atomic_block


def test_no_call_within_a_page_maps_memory_anew() -> None:
    """Python would at some depths of calls; what it may do once for all of them is no matter."""

    def leaf() -> None:
        pass

    def application(depth: Any, start_response: Any) -> list[bytes]:
        if depth:
            return application(depth - 1, start_response)
        for _ in range(1000):
            leaf()
        return []

    def faults(depth: Any) -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        call_with_room_for_frames(application, depth, lambda *_: None)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    assert max(map(faults, range(150))) < 500


@pytest.mark.parametrize(
    ("method", "path", "has_room"),
    [
        ("GET", "/admin/", True),
        ("POST", "/admin/portfolios/portfolio/1/change/", True),
        ("GET", URL, False),
        ("POST", URL, False),
        ("GET", "/media/core_media/2026/03/02/row.png", False),
    ],
)
def test_only_pages_are_given_room_for_their_frames(scene: Scene, method: str, path: str, has_room: bool) -> None:
    """The API's answers gain nothing by it: half a megabyte would be mapped for each of them."""
    callers: list[Any] = []
    scene.application.work = lambda: callers.append(sys._getframe(2).f_code)

    scene.ask(method=method, url=path)

    assert [caller is call_with_room_for_frames.__code__ for caller in callers] == [has_room]
