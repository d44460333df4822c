"""What fails is tried again, ever later, and kept in the end; what kills its worker, too."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from folio.tasks import runner as module
from folio.tasks.leases import leases
from folio.tasks.models import State, Task
from folio.tasks.queue import enqueue
from folio.tasks.registry import WAITS, kinds
from folio.tasks.runner import FAILED_KEPT, Runner

Register = Callable[..., None]
pytestmark = pytest.mark.django_db


@pytest.fixture
def fails(register: Register) -> list[dict[str, Any]]:
    """The payloads that were called with, of tasks named `test.fails`, which do."""
    calls: list[dict[str, Any]] = []

    def fail(payload: dict[str, Any]) -> None:
        calls.append(payload)
        raise OSError(f"attempt {len(calls)}")

    register("test.fails", fail)
    return calls


def make_due() -> None:
    Task.objects.update(due_at=timezone.now())


def test_a_failed_attempt_is_waited_after_ever_longer(fails: list[Any], runner: Runner) -> None:
    enqueue("test.fails", {"id": 1})

    waits = []
    for _ in WAITS:
        assert runner.run_due() == 1
        task = Task.objects.get()
        assert (task.state, task.error) == (State.WAITING, f"OSError: attempt {len(fails)}")
        waits.append(task.due_at - timezone.now())
        make_due()

    assert all(wait - timedelta(seconds=5) < left <= wait for left, wait in zip(waits, WAITS, strict=True))
    assert sorted(WAITS) == list(WAITS)


def test_after_the_last_attempt_it_is_kept_and_told(
    fails: list[Any], runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    enqueue("test.fails", {"secret": "x"}, key="fails:1")
    for _ in range(kinds["test.fails"].most_attempts):
        make_due()
        runner.run_due()
    make_due()

    assert runner.run_due() == 0
    assert runner.next_due() is None
    task = Task.objects.get()
    assert (task.state, task.attempts, len(fails)) == (State.FAILED, 7, 7)
    [last] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert f"The last of 7 attempts at task {task.pk} (test.fails, fails:1) failed" in last.getMessage()
    assert last.exc_info is not None
    assert "secret" not in caplog.text


def test_one_that_fails_does_not_hold_up_the_others(fails: list[Any], register: Register, runner: Runner) -> None:
    done: list[Any] = []
    register("test.works", done.append)
    enqueue("test.fails")
    enqueue("test.works", {"id": 1})

    assert runner.run_due() == 2
    assert done == [{"id": 1}]


def test_an_attempt_that_failed_goes_where_its_key_waits_already(register: Register, runner: Runner) -> None:
    def fail(payload: dict[str, Any]) -> None:
        enqueue("test.both", key="both", due=timezone.now() + timedelta(hours=1))
        raise OSError

    register("test.both", fail)
    enqueue("test.both", key="both")

    runner.run_due()

    [task] = Task.objects.all()
    assert (task.state, task.attempts) == (State.WAITING, 0)
    assert task.due_at < timezone.now() + timedelta(minutes=1), "no later than the attempt that failed would be"


def test_of_one_key_the_last_failure_is_kept(fails: list[Any], runner: Runner) -> None:
    old = Task.objects.create(name="x", state=State.FAILED, due_at=timezone.now(), started_at=timezone.now(), key="k")
    ancient = timezone.now() - FAILED_KEPT - timedelta(days=1)
    Task.objects.create(name="x", state=State.FAILED, due_at=ancient, started_at=ancient)
    enqueue("test.fails", key="k")
    Task.objects.filter(name="test.fails").update(attempts=6)

    runner.run_due()

    [task] = Task.objects.all()
    assert (task.pk != old.pk, task.state) == (True, State.FAILED)


def test_what_a_dead_worker_was_at_is_taken_at_once_and_the_next_time_later(
    register: Register, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[Any] = []
    register("test.deadly", done.append)
    enqueue("test.deadly")
    task = begin_and_die()
    assert task.attempts == 1

    task = begin_and_die()
    assert task.attempts == 2, "taken at once"
    assert runner.run_due() == 0, "another death may be its own doing"

    task.refresh_from_db()
    assert (task.state, task.error, done) == (State.WAITING, "The worker died.", [])
    assert task.started_at is not None
    assert task.due_at == task.started_at + WAITS[1]


def test_what_always_kills_its_worker_is_kept_as_failed(register: Register, runner: Runner) -> None:
    register("test.deadly", lambda payload: None)
    enqueue("test.deadly")
    for number in range(7):
        task = begin_and_die()
        assert task.attempts == number + 1
        if number:
            assert runner.run_due() == 0
            make_due()

    assert Task.objects.get().state == State.FAILED


def begin_and_die() -> Task:
    """Begin a task as a worker does that dies over it: its lease goes, what it wrote stays."""
    dead = Runner()
    begun = dead.begin_next()
    assert begun is not None
    assert dead.leases is not None
    dead.leases.free()
    dead.leases.close()
    return begun[0]


def test_what_another_worker_is_at_is_left_to_it(register: Register, runner: Runner) -> None:
    done: list[Any] = []
    register("test.slow", done.append)
    enqueue("test.slow")
    other = Runner()
    begun = other.begin_next()
    assert begun is not None

    assert runner.run_due() == 0

    other.run(*begun)
    assert done == [{}]
    other.close_leases()


def test_an_end_that_comes_after_the_lease_was_lost_changes_nothing(
    register: Register, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    """As where the connection to PostgreSQL broke: another worker has taken it meanwhile."""
    lost = Runner()

    def lose(payload: dict[str, Any]) -> None:
        if not done:
            done.append("first")
            assert lost.leases is not None
            lost.leases.free()
            lost.leases.close()
            assert runner.begin_next() is not None
        else:
            done.append("second")

    done: list[str] = []
    register("test.lost", lose)
    enqueue("test.lost")
    begun = lost.begin_next()
    assert begun is not None
    lost.run(*begun)

    task = Task.objects.get()
    assert (task.state, task.attempts) == (State.RUNNING, 2), "the second one's, still"
    assert "was lost while it ran" in caplog.text


def test_leases_of_one_task_exclude_each_other_and_of_others_do_not() -> None:
    first, second = leases(), leases()
    try:
        assert first.take(1)
        assert not second.take(1)
        assert second.take(2)
        assert first.is_held()
        first.free()
        second.free()
        assert second.take(1)
    finally:
        for each in (first, second):
            each.free()
            each.close()
    assert not second.is_held()


def test_an_error_is_kept_in_part(register: Register, runner: Runner) -> None:
    def fail(payload: dict[str, Any]) -> None:
        raise ValueError("\0" + "x" * 100_000)

    register("test.long", fail)
    enqueue("test.long")

    runner.run_due()

    assert len(Task.objects.get().error) == module.ERROR_SIZE
