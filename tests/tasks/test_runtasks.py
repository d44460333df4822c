"""`folio runtasks`: what is due is done without a server, and what waits and failed is shown."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from folio.tasks.models import State, Task
from folio.tasks.queue import enqueue
from folio.tasks.runner import Runner

Register = Callable[..., None]
pytestmark = pytest.mark.django_db
DAY = datetime(2040, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def connection_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command closes its connections, in one of which the test's own transaction lives."""
    monkeypatch.setattr(Runner, "close", Runner.close_leases)


def runtasks(*flags: str) -> str:
    output = StringIO()
    call_command("runtasks", *flags, stdout=output)
    return output.getvalue()


def test_does_what_is_due_and_ends(register: Register) -> None:
    done: list[Any] = []
    register("test.note", done.append)
    enqueue("test.note", {"id": 1})
    enqueue("test.note", {"id": 2}, due=DAY)

    assert runtasks() == "Attempts: 1, waiting: 1.\n"
    assert done == [{"id": 1}]


def test_fails_where_a_task_has_failed_for_good(register: Register) -> None:
    register("test.fails", lambda payload: 1 / 0, waits=())
    enqueue("test.fails")

    with pytest.raises(CommandError, match=r"Attempts: 1, waiting: 0, failed for good: 1\."):
        runtasks()
    assert runtasks() == "Attempts: 0, waiting: 0.\n", "it is told once"


def test_lists_what_waits_and_what_failed(register: Register) -> None:
    register("test.note", lambda payload: None)
    assert runtasks("--list") == "Nothing waits, and nothing failed.\n"
    enqueue("test.note", {"password": "hidden"}, due=DAY, key="note:1")
    Task.objects.create(name="test.newer", due_at=DAY + timedelta(seconds=1))
    Task.objects.create(
        name="test.note",
        state=State.FAILED,
        attempts=7,
        started_at=DAY,
        due_at=DAY - timedelta(days=1),
        error="OSError: x",
    )
    failed, waiting, newer = Task.objects.order_by("due_at").values_list("pk", flat=True)

    assert runtasks("--list").splitlines() == [
        f"{failed}  test.note: failed after 7 attempts, the last at 2040-01-02 03:04:05 UTC. OSError: x",
        f"{waiting}  test.note  note:1: due at 2040-01-02 03:04:05 UTC",
        f"{newer}  test.newer: due at 2040-01-02 03:04:06 UTC, by a function that this version has not",
    ]


def test_lists_whether_a_task_is_at_work_or_its_worker_died(register: Register, runner: Runner) -> None:
    register("test.note", lambda payload: None)
    enqueue("test.note")
    begun = runner.begin_next()
    assert begun is not None
    assert runner.leases is not None

    assert f"runs since {begun[0].started_at:%Y-%m-%d %H:%M:%S} UTC, attempt 1" in runtasks("--list")
    runner.leases.free()
    assert "its worker died, is due again, after 1 attempt\n" in runtasks("--list")


def test_retries_what_failed_with_new_attempts(register: Register) -> None:
    done: list[Any] = []
    register("test.note", done.append)
    for key in (None, "a"):
        Task.objects.create(name="test.note", state=State.FAILED, attempts=7, due_at=now(), started_at=now(), key=key)
    enqueue("test.note", {"id": 1}, key="a", due=DAY)

    assert runtasks("--retry") == "Attempts: 1, waiting: 1.\n"
    assert done == [{}]
    assert Task.objects.get().key == "a"


def test_forgets_what_failed(register: Register) -> None:
    register("test.note", lambda payload: None)
    Task.objects.create(name="test.note", state=State.FAILED, due_at=now(), started_at=now())
    enqueue("test.note")

    assert runtasks("--forget") == "Forgotten: 1.\n"
    assert Task.objects.get().state == State.WAITING
