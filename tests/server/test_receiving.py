"""Whether all that a worker is at is to wait for bodies, is seen by what its threads run."""

import _thread
import threading
import time
from collections.abc import Callable
from io import BytesIO
from sys import _current_frames as current_frames
from types import FrameType

import pytest

from folio.api.middleware import Body
from folio.server import receiving
from folio.server.receiving import are_all_receiving, is_one_at_work

pytestmark = pytest.mark.any_database
PATIENCE = 30  # seconds for what takes moments


@pytest.fixture(autouse=True)
def others_are_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """What spreads a suite over processes has threads of its own that Python has not started."""
    others, frames = set(current_frames()), current_frames

    def new_frames() -> dict[int, FrameType]:
        return {thread: frame for thread, frame in frames().items() if thread not in others}

    monkeypatch.setattr(receiving, "current_frames", new_frames)


class Waiting(BytesIO):
    """A body that comes when it is told to."""

    def __init__(self) -> None:
        super().__init__(b"words")
        self.may_come, self.is_awaited = threading.Event(), threading.Event()

    def read(self, size: int | None = -1, /) -> bytes:
        self.is_awaited.set()
        self.may_come.wait(PATIENCE)
        return super().read(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self.read(size)


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("read", [Body.read, Body.readline])
def test_who_waits_for_a_body_is_told_from_who_works_at_a_request(read: Callable[[Body], bytes]) -> None:
    stream, has_ended = Waiting(), threading.Event()
    assert not is_one_at_work()

    def answer() -> None:
        read(Body(stream, 5))
        has_ended.wait(PATIENCE)

    _thread.start_new_thread(answer, ())  # as the HTTP server's threads, which Python has not started
    assert stream.is_awaited.wait(PATIENCE)
    assert is_one_at_work()
    assert are_all_receiving()

    stream.may_come.set()
    wait_until(lambda: not are_all_receiving())
    assert is_one_at_work()

    has_ended.set()
    wait_until(lambda: not is_one_at_work())
    assert are_all_receiving(), "none of them is at anything else"


def test_threads_of_our_own_are_at_no_request() -> None:
    is_over = threading.Event()
    thread = threading.Thread(target=is_over.wait, args=(PATIENCE,))
    thread.start()
    assert not is_one_at_work()
    is_over.set()
    thread.join()
