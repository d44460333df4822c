"""Of one key, a task that waits can't begin before those who enqueued it have committed what it is to be about."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from folio.tasks.models import Task
from folio.tasks.queue import enqueue
from folio.tasks.runner import Runner

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="on SQLite nobody else writes meanwhile"),
]
WAIT = 30  # seconds


def test_a_task_waits_for_all_who_enqueue_it_who_do_not_wait_for_each_other(
    register: Callable[..., None], runner: Runner
) -> None:
    done: list[Any] = []
    register("test.note", done.append)
    enqueue("test.note", {"first": True}, key="note")
    have_enqueued, may_commit = [Event(), Event()], Event()

    def enqueue_slowly(enqueued: Event) -> None:
        try:
            with transaction.atomic():
                enqueue("test.note", {"first": False}, key="note")
                enqueued.set()
                assert may_commit.wait(WAIT)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(enqueue_slowly, enqueued) for enqueued in have_enqueued]
        assert all(enqueued.wait(WAIT) for enqueued in have_enqueued)

        assert runner.run_due() == 0
        may_commit.set()
        for each in slow:
            each.result(WAIT)

    assert runner.run_due() == 1
    assert done == [{"first": True}]


def test_two_who_enqueue_a_new_key_at_once_make_one_task(register: Callable[..., None]) -> None:
    register("test.note", lambda payload: None)

    def enqueue_once(number: int) -> None:
        try:
            enqueue("test.note", {"number": number}, key="note")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enqueue_once, range(40)))

    assert Task.objects.count() == 1
