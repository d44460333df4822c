"""Looks of many threads: each finds what was committed before it was asked for, and those that wait share one."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from folio.snapshots.looks import Looks
from folio.snapshots.watches import Version

pytestmark = pytest.mark.database_free

PATIENCE = 10  # seconds


class SlowWatch:
    """A watch whose looks last until the test ends them; each sees what was committed when it began."""

    def __init__(self) -> None:
        self.committed: Version | Exception | None = (1, 0)
        self.count = 0
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)

    def look(self) -> Version | None:
        seen = self.committed
        self.count += 1
        self.begun.release()
        assert self.may_end.acquire(timeout=PATIENCE)
        if isinstance(seen, Exception):
            raise seen
        return seen


class Turn:
    """A lock that tells how many wait for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counting = threading.Lock()
        self.waiting = 0

    def __enter__(self) -> None:
        self.count(1)
        self.lock.acquire()
        self.count(-1)

    def __exit__(self, *exc_info: object) -> None:
        self.lock.release()

    def count(self, more: int) -> None:
        with self.counting:
            self.waiting += more


class Scene:
    """A slow watch, and threads that look by it."""

    def __init__(self) -> None:
        self.watch = SlowWatch()
        self.turn = Turn()
        self.looks = Looks(self.watch)
        self.looks.turn = self.turn  # type: ignore[assignment]

    def start(self) -> "Future[int | None]":
        future: Future[int | None] = Future()

        def look() -> None:
            try:
                future.set_result(self.looks.snapshot())
            except Exception as error:
                future.set_exception(error)

        threading.Thread(target=look, daemon=True).start()  # one that waits for ever fails its test, and no more
        return future

    def begin(self) -> "Future[int | None]":
        """Start a thread that looks, and return when its look has begun."""
        future = self.start()
        assert self.watch.begun.acquire(timeout=PATIENCE)
        return future

    def wait(self, count: int) -> "list[Future[int | None]]":
        """Start threads that come while a look goes on, and return when they wait."""
        waiting = self.turn.waiting + count
        futures = [self.start() for _ in range(count)]
        until(lambda: self.turn.waiting == waiting)
        return futures

    def end(self) -> None:
        """End the look that goes on."""
        self.watch.may_end.release()

    def end_and_begin(self) -> None:
        """End the look that goes on, and return when the next one has begun."""
        self.end()
        assert self.watch.begun.acquire(timeout=PATIENCE)


def until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline
        sleep(0.001)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def result(future: "Future[int | None]") -> int | None:
    return future.result(timeout=PATIENCE)


def test_equal_versions_are_one_snapshot(scene: Scene) -> None:
    first = scene.begin()
    scene.end()
    second = scene.begin()
    scene.end()

    assert result(first) == result(second) is not None


def test_a_snapshot_is_greater_than_those_before_it_even_if_the_version_returns(scene: Scene) -> None:
    numbers = []
    for committed in [(1, 5), (1, 6), (1, 5), (2, 5), (2, 4), (3, "0/16B3748"), (3, "751:751:")]:
        scene.watch.committed = committed
        look = scene.begin()
        scene.end()
        numbers.append(result(look))

    assert numbers == sorted(set(numbers), key=lambda number: number or 0)


def test_who_comes_during_a_look_does_not_get_it(scene: Scene) -> None:
    before = scene.begin()
    scene.watch.committed = (1, 1)  # acknowledged while the look goes on, which did not see it
    [late] = scene.wait(1)

    scene.end_and_begin()
    scene.end()

    assert result(late) != result(before)
    assert scene.looks.version == (1, 1)


def test_those_who_wait_share_one_look_that_began_after_all_of_them_came(scene: Scene) -> None:
    first = scene.begin()
    late = scene.wait(4)
    scene.watch.committed = (1, 1)
    late += scene.wait(4)

    scene.end_and_begin()
    scene.end()

    assert len({result(future) for future in late}) == 1
    assert result(late[0]) != result(first)
    assert scene.watch.count == 2


def test_who_comes_during_the_shared_look_waits_for_a_third(scene: Scene) -> None:
    first = scene.begin()
    [second] = scene.wait(1)
    scene.end_and_begin()
    scene.watch.committed = (1, 1)
    [third] = scene.wait(1)

    scene.end_and_begin()
    scene.end()

    assert result(first) == result(second)
    assert result(third) != result(second)
    assert scene.watch.count == 3


def test_a_version_that_can_not_be_told_is_no_snapshot(scene: Scene) -> None:
    before = scene.begin()
    scene.end()
    scene.watch.committed = None
    during = scene.begin()
    scene.end()
    scene.watch.committed = (1, 0)
    after = scene.begin()
    scene.end()

    assert result(during) is None
    assert result(after) != result(before), "anything may have happened meanwhile"


def test_those_who_wait_go_on_when_a_look_raises(scene: Scene) -> None:
    scene.watch.committed = RuntimeError("unforeseen")
    failing = scene.begin()
    late = scene.wait(3)
    scene.watch.committed = (1, 1)

    scene.end_and_begin()
    scene.end()

    assert isinstance(failing.exception(timeout=PATIENCE), RuntimeError)
    assert len({result(future) for future in late}) == 1
    assert result(late[0]) is not None


def test_a_failed_look_ends_the_snapshot_before_it(scene: Scene) -> None:
    before = scene.begin()
    scene.end()
    scene.watch.committed = RuntimeError("unforeseen")
    failing = scene.begin()
    scene.end()
    assert isinstance(failing.exception(timeout=PATIENCE), RuntimeError)
    scene.watch.committed = (1, 0)
    after = scene.begin()
    scene.end()

    assert result(after) != result(before)


def test_looks_never_overlap_and_none_misses_what_was_committed_before_it() -> None:
    watch = CountingWatch()
    looks = Looks(watch)

    def commit_and_look() -> None:
        for _ in range(300):
            before = looks.snapshot()
            watch.commit()
            after = looks.snapshot()
            assert before is not None
            assert after is not None
            assert after > before

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(commit_and_look) for _ in range(8)]:
            future.result(timeout=60)
    assert not watch.has_overlapped


class CountingWatch:
    """A watch that notices if it is asked while it answers."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.busy = threading.Lock()
        self.committed = 0
        self.has_overlapped = False

    def commit(self) -> None:
        with self.lock:
            self.committed += 1

    def look(self) -> Version:
        if not self.busy.acquire(blocking=False):
            self.has_overlapped = True
        seen = self.committed
        sleep(0)  # lets another thread in
        self.busy.release()
        return 1, seen
