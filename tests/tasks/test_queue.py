"""What is enqueued is done once, when it is due, and only where its cause was committed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from folio.tasks.models import State, Task
from folio.tasks.queue import enqueue
from folio.tasks.runner import Runner

Register = Callable[..., None]
pytestmark = pytest.mark.django_db


@pytest.fixture
def done(register: Register) -> list[dict[str, Any]]:
    """The payloads that were called with, of tasks named `test.note`."""
    payloads: list[dict[str, Any]] = []
    register("test.note", payloads.append)
    return payloads


def test_what_is_enqueued_is_done_once_and_gone(done: list[Any], runner: Runner) -> None:
    enqueue("test.note", {"id": 1})

    assert (runner.run_due(), runner.run_due()) == (1, 0)
    assert done == [{"id": 1}]
    assert not Task.objects.exists()


def test_what_falls_due_first_is_done_first(done: list[Any], runner: Runner) -> None:
    now = timezone.now()
    for minutes in (1, 3, 2):
        enqueue("test.note", {"minutes": minutes}, due=now - timedelta(minutes=minutes))

    runner.run_due()

    assert [payload["minutes"] for payload in done] == [3, 2, 1]


def test_what_is_due_later_waits(done: list[Any], runner: Runner) -> None:
    due = timezone.now() + timedelta(hours=1)
    enqueue("test.note", due=due)

    assert runner.run_due() == 0
    assert runner.next_due() == due
    Task.objects.update(due_at=timezone.now())
    assert runner.run_due() == 1


def test_a_cause_that_is_rolled_back_takes_its_task_along(done: list[Any], runner: Runner) -> None:
    with transaction.atomic():
        enqueue("test.note", {"id": 1})
        with transaction.atomic():
            enqueue("test.note", {"id": 2})
            transaction.set_rollback(True)

    runner.run_due()

    assert done == [{"id": 1}]


@pytest.mark.parametrize("hours", [0, 1, 2])
def test_of_one_key_one_task_waits_until_the_earliest_moment_asked_for(done: list[Any], hours: int) -> None:
    due = timezone.now() + timedelta(hours=1)
    enqueue("test.note", {"first": True}, key="note:1", due=due)

    second = due + timedelta(hours=hours - 1)
    enqueue("test.note", {"first": False}, key="note:1", due=second)

    [task] = Task.objects.all()
    assert (task.due_at, task.payload) == (min(due, second), {"first": True})


def test_what_is_enqueued_while_its_key_is_at_work_is_done_again(register: Register, runner: Runner) -> None:
    calls: list[int] = []

    def once_more(payload: dict[str, Any]) -> None:
        calls.append(len(calls))
        if len(calls) == 1:
            enqueue("test.again", key="again:1")

    register("test.again", once_more)
    enqueue("test.again", key="again:1")

    assert runner.run_due() == 2
    assert not Task.objects.exists()


def test_tasks_without_a_key_are_each_done(done: list[Any], runner: Runner) -> None:
    for number in range(3):
        enqueue("test.note", {"number": number})

    assert runner.run_due() == 3


def test_a_name_that_nothing_is_registered_for_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no function for tasks 'test\.unknown'"):
        enqueue("test.unknown")


def test_a_task_of_a_newer_version_is_left_alone(done: list[Any], runner: Runner) -> None:
    Task.objects.create(name="test.newer", due_at=timezone.now())

    assert (runner.run_due(), runner.next_due()) == (0, None)
    assert Task.objects.get().state == State.WAITING


def test_a_task_that_asks_for_it_is_done_again_at_that_moment(register: Register, runner: Runner) -> None:
    moment = timezone.now() + timedelta(hours=3)
    calls: list[dict[str, Any]] = []

    def call(payload: dict[str, Any]) -> datetime:
        calls.append(payload)
        return moment

    register("test.hourly", call)
    enqueue("test.hourly", {"a": [1, None, "ü"]}, key="hourly")

    assert (runner.run_due(), runner.next_due()) == (1, moment)
    Task.objects.update(due_at=timezone.now())
    assert runner.run_due() == 1
    assert calls == [{"a": [1, None, "ü"]}] * 2
    assert Task.objects.get().attempts == 0
