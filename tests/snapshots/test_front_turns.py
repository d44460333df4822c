"""How many reads are computed at once, and that searches, which may take long, hold up no others."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from folio.snapshots import BUSY, front
from folio.snapshots.front import READS_AT_ONCE, SEARCHES_AT_ONCE

from .stage import URL, Answer, Scene

PATIENCE = 30  # seconds; only a failure waits that long


def test_searches_leave_turns_to_other_reads(scene: Scene) -> None:
    begun, may_end = threading.Semaphore(0), threading.Event()

    def work() -> None:
        if "search=" in scene.application.requests[-1]["QUERY_STRING"]:
            begun.release()
            assert may_end.wait(PATIENCE)

    scene.application.work = work
    with ThreadPoolExecutor(READS_AT_ONCE + 4) as pool:
        searches: list[Future[Answer]] = []
        for number in range(READS_AT_ONCE + 2):
            searches.append(pool.submit(scene.ask, "GET", f"{URL}?search=word{number}"))
            if number < SEARCHES_AT_ONCE:  # one after another, since the stub looks at the last request
                assert begun.acquire(timeout=PATIENCE)
        try:
            other = pool.submit(scene.ask, "GET", f"{URL}?limit=5").result(PATIENCE)
            waiting = sum(not search.done() for search in searches)
            computing = scene.application.count
        finally:
            may_end.set()
        found = [search.result(PATIENCE) for search in searches]

    assert other.status == "200 OK"
    assert waiting == READS_AT_ONCE + 2
    assert computing == SEARCHES_AT_ONCE + 1
    assert len(found) == READS_AT_ONCE + 2


@pytest.mark.parametrize("is_patient", [True, False])
def test_a_turn_that_does_not_come_is_not_waited_for_for_ever(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, settings: Any, is_patient: bool
) -> None:
    """The application, which is told, answers at once; so few wait for long, and the others for a moment."""
    begun, may_end = threading.Semaphore(0), threading.Event()
    monkeypatch.setattr(front, "IMPATIENCE", PATIENCE if is_patient else 0.01)
    settings.TURN_SECONDS = 0.01 if is_patient else PATIENCE
    if not is_patient:
        scene.front.patient = threading.Semaphore(0)

    def work() -> None:
        if BUSY not in scene.application.requests[-1]:
            begun.release()
            assert may_end.wait(PATIENCE)

    scene.application.work = work
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        reads = [pool.submit(scene.ask, "GET", f"{URL}?limit={number}") for number in range(READS_AT_ONCE)]
        try:
            for _ in reads:
                assert begun.acquire(timeout=PATIENCE)
            scene.ask("GET", f"{URL}?limit=99")
            assert scene.application.requests[-1][BUSY]
        finally:
            may_end.set()
        assert [read.result(PATIENCE).status for read in reads] == ["200 OK"] * READS_AT_ONCE
    scene.ask("GET", f"{URL}?limit=98")
    assert BUSY not in scene.application.requests[-1], "whoever got no turn gives none back"
