"""Looks of many threads: each finds what was committed before it was asked for, and those that wait share one."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from itertools import count
from math import inf
from time import monotonic, sleep

import pytest

from folio.outages import IMPATIENCE, Outage
from folio.snapshots.looks import Looks
from folio.snapshots.watches import Version
from tests.clock import Clock

from .stage import StillWatch

PATIENCE = 10  # seconds
module = import_module("folio.snapshots.looks")  # whose name in the package is a function's


class SlowWatch:
    """A watch whose looks last until the test ends them; each sees what was committed when it began."""

    reason = "It is slow."

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
        self.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self.release()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not blocking:
            return self.lock.acquire(blocking=False)
        self.count(1)
        is_had = self.lock.acquire(timeout=timeout)
        self.count(-1)
        return is_had

    def release(self) -> None:
        self.lock.release()

    def count(self, more: int) -> None:
        with self.counting:
            self.waiting += more


class Scene:
    """A slow watch, and threads that look by it."""

    def __init__(self) -> None:
        self.watch = SlowWatch()
        self.turn = Turn()
        self.looks = Looks(self.watch, Outage(clock=count(step=100).__next__))  # none lasts until the next look
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


# A database that does not answer


class FailingWatch:
    """A watch that fails until a test says otherwise."""

    reason = "gone"

    def __init__(self) -> None:
        self.version: Version | None = None
        self.count = 0

    def look(self) -> Version | None:
        self.count += 1
        return self.version


def test_after_a_look_that_failed_nobody_tries_for_a_second() -> None:
    now = [50.0]
    watch = FailingWatch()
    looks = Looks(watch, Outage(clock=lambda: now[0]))

    assert [looks.snapshot() for _ in range(5)] == [None] * 5
    assert watch.count == 1
    now[0] += 0.99
    assert looks.snapshot() is None
    assert watch.count == 1
    now[0] += 0.02
    assert [looks.snapshot() for _ in range(5)] == [None] * 5
    assert watch.count == 2
    now[0] += 1.01
    watch.version = (1, 1)
    assert looks.snapshot() is not None
    assert looks.outage.since is None


def test_while_one_tries_again_the_others_do_not_wait(scene: Scene) -> None:
    scene.looks.outage = Outage()
    scene.watch.committed = None
    failed = scene.begin()
    scene.end()
    assert result(failed) is None
    scene.looks.outage.until = monotonic()  # the second is over
    trial = scene.begin()

    began = monotonic()
    others = [result(scene.start()) for _ in range(5)]

    assert monotonic() - began < 0.9 * IMPATIENCE
    assert others == [None] * 5
    scene.end()
    assert result(trial) is None


def test_nobody_waits_for_ever_for_others_that_look(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IMPATIENCE", 0.01)
    scene.looks.patient = threading.Semaphore(0)
    first = scene.begin()

    assert result(scene.start()) is None

    scene.end()
    assert result(first) is not None


# A snapshot that ends though nothing is committed


class Moments:
    """The moments of a database, in seconds since the epoch, that tells what it was asked of."""

    def __init__(self, *moments: float, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.moments = moments
        self.meanwhile = meanwhile
        self.asked: list[float] = []

    def next(self, after: float) -> float:
        self.asked.append(after)
        self.meanwhile()
        return min((moment for moment in self.moments if moment > after), default=inf)


@pytest.fixture
def still(clock: Clock) -> Looks:
    """Looks at a database in which nothing is committed, by a clock that stands."""
    return Looks(StillWatch())


def current(looks: Looks) -> int:
    snapshot = looks.snapshot()
    assert snapshot is not None
    return snapshot


def after(clock: Clock, **delta: float) -> float:
    return clock.after(**delta).timestamp()


def test_a_snapshot_that_is_held_ends_at_its_moment(still: Looks, clock: Clock) -> None:
    first = current(still)
    moments = Moments(after(clock, minutes=5), after(clock, minutes=10))

    assert still.hold(first, moments.next) == after(clock, minutes=5)

    clock.move(minutes=5, microseconds=-1)
    assert current(still) == first
    clock.move(microseconds=1)
    second = current(still)
    assert second == first + 1
    assert still.hold(second, moments.next) == after(clock, minutes=5)
    clock.move(minutes=5)
    assert current(still) == second + 1


def test_one_that_nobody_holds_does_not_end(still: Looks, clock: Clock) -> None:
    first = current(still)
    clock.move(days=365)

    assert current(still) == first


def test_the_moments_are_asked_for_once_in_a_snapshot(still: Looks, clock: Clock) -> None:
    moments = Moments(after(clock, minutes=5))
    for _ in range(3):
        for _ in range(3):
            still.hold(current(still), moments.next)
        clock.move(minutes=2)
    assert len(moments.asked) == 1

    clock.move(minutes=2)
    for _ in range(3):
        assert still.hold(current(still), moments.next) == inf
    still.watch.version = 2  # type: ignore[attr-defined]
    for _ in range(3):
        assert still.hold(current(still), moments.next) == inf
    assert len(moments.asked) == 3


def test_a_moment_between_the_look_and_the_hold_is_not_missed(still: Looks, clock: Clock) -> None:
    first, began = current(still), clock.now.timestamp()
    moments = Moments(after(clock, minutes=5), after(clock, minutes=20))
    clock.move(minutes=10)

    ends = still.hold(first, moments.next)

    assert moments.asked == [began], "the snapshot is from before the moment, whatever the clock says now"
    assert ends < clock.now.timestamp(), "which tells the caller that it is over"
    second = current(still)
    assert second == first + 1
    assert still.hold(second, moments.next) == after(clock, minutes=10)


def test_a_moment_that_passes_while_they_are_asked_for_is_not_missed(still: Looks, clock: Clock) -> None:
    first = current(still)
    moments = Moments(after(clock, minutes=5), meanwhile=lambda: clock.move(minutes=5))

    assert still.hold(first, moments.next) == clock.now.timestamp()

    assert current(still) == first + 1


def test_what_is_over_is_not_held(still: Looks, clock: Clock) -> None:
    first = current(still)
    still.watch.version = 2  # type: ignore[attr-defined]
    second = current(still)
    moments = Moments(after(clock, minutes=5))

    assert still.hold(first, moments.next) == -inf

    assert not moments.asked
    clock.move(minutes=5)
    assert current(still) == second


def test_what_is_committed_while_the_moments_are_asked_for_is_not_given_their_end(still: Looks, clock: Clock) -> None:
    """The other snapshot may have other moments, and is asked for them itself."""
    first = current(still)
    second = 0

    def commit() -> None:
        nonlocal second
        still.watch.version = 2  # type: ignore[attr-defined]
        second = current(still)

    late = Moments(after(clock, minutes=10), meanwhile=commit)
    soon = Moments(after(clock, minutes=5))

    still.hold(first, late.next)

    assert still.hold(second, soon.next) == after(clock, minutes=5)
    clock.move(minutes=5)
    assert current(still) > second


def test_moments_that_could_not_be_told_are_asked_for_again(still: Looks, clock: Clock) -> None:
    first = current(still)

    def fail(after: float) -> float:
        raise RuntimeError("unforeseen")

    with pytest.raises(RuntimeError):
        still.hold(first, fail)

    assert still.hold(first, Moments(after(clock, minutes=5)).next) == after(clock, minutes=5)


def test_a_clock_that_is_set_back_ends_what_began_later(still: Looks, clock: Clock) -> None:
    """What was published by the clock then is not by the clock now."""
    moments = Moments(after(clock, minutes=-30), after(clock, minutes=5))
    first = current(still)
    still.hold(first, moments.next)
    clock.move(hours=-1)

    assert still.hold(first, moments.next) == -inf

    second = current(still)
    assert second == first + 1
    assert still.hold(second, moments.next) == after(clock, minutes=30)


def test_a_clock_that_is_set_back_within_a_snapshot_changes_nothing(still: Looks, clock: Clock) -> None:
    """No moment has passed since it began."""
    first = current(still)
    still.hold(first, Moments(after(clock, minutes=5)).next)
    clock.move(minutes=4)
    assert current(still) == first
    clock.move(minutes=-3)

    assert current(still) == first


def test_whoever_holds_it_at_once_is_told_the_same(still: Looks, clock: Clock) -> None:
    first = current(still)
    together = threading.Barrier(8, timeout=PATIENCE)
    moments = Moments(after(clock, minutes=5), meanwhile=together.wait)

    with ThreadPoolExecutor(8) as pool:
        ends = [pool.submit(still.hold, first, moments.next) for _ in range(8)]
        assert {future.result(timeout=PATIENCE) for future in ends} == {after(clock, minutes=5)}

    assert len(moments.asked) == 8
    clock.move(minutes=5)
    assert current(still) == first + 1


class CountingWatch:
    """A watch that notices if it is asked while it answers."""

    reason = ""

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
