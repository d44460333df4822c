"""A request with an `Idempotency-Key` and its answer are kept together or not at all, and a second one waits."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Semaphore
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folio.access.models import KeptAnswer, Token
from folio.api import idempotency
from folio.claims import claim
from folio.portfolios.models import Tag
from tests.conftest import Client

from .keyed import KEY, MODELS, TAG, body_of, is_replayed, post

# Together or not at all


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("resource", ["portfolios", "links", "media"])
def test_the_answer_is_committed_with_what_it_tells_of(client: Client, resource: str) -> None:
    body = body_of(resource)
    with CaptureQueriesContext(connection) as captured:
        assert post(client, resource, body).status_code == 201

    queries = [query["sql"] for query in captured]
    begin, end = (number for number, sql in enumerate(queries) if sql.startswith(("BEGIN", "COMMIT")))
    made, kept = (
        next(number for number, sql in enumerate(queries) if sql.startswith(f'INSERT INTO "{table}"'))
        for table in (MODELS[resource]._meta.db_table, KeptAnswer._meta.db_table)
    )
    assert begin < made < kept < end


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("resource", ["portfolios", "links", "media"])
def test_nothing_is_made_whose_answer_can_not_be_kept(
    client: Client, media_root: Path, monkeypatch: pytest.MonkeyPatch, resource: str
) -> None:
    body = body_of(resource)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError("gone")

    with monkeypatch.context() as broken:
        broken.setattr("folio.api.idempotency.zlib.compress", fail)
        assert post(client, resource, body).status_code == 500

    assert not MODELS[resource].objects.exists()
    assert not LogEntry.objects.exists()
    assert not [path for path in media_root.rglob("*") if path.is_file()]
    assert post(client, resource).status_code == 201


def test_an_answer_that_another_request_has_kept_meanwhile_is_given(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a claim was lost with the connection that it was made on."""
    monkeypatch.setattr(idempotency, "claim", lambda work: (lambda: True, lambda: None))
    monkeypatch.setattr(idempotency.Keeper, "refuse_too_many", lambda keeper: post_meanwhile())
    others: list[Any] = []

    def post_meanwhile() -> None:
        if not others:
            others.append(None)
            others[0] = post(client, "tags", TAG)

    response = post(client, "tags", TAG)

    assert (response.status_code, is_replayed(response)) == (201, True)
    assert response.content == others[0].content
    assert Tag.objects.count() == 1


# While the first is at work


@contextmanager
def at_work(key: str = KEY) -> Iterator[Event]:
    """Hold the claim of a request in another thread, and so on another connection, until the event or the end."""
    is_held, is_over = Event(), Event()
    take, free = claim(f"Idempotency-Key {Token.objects.get().pk} {key}")

    def work() -> None:
        try:
            assert take()
            is_held.set()
            is_over.wait(20)
            free()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        try:
            assert is_held.wait(20)
            yield is_over
        finally:
            is_over.set()
            future.result()


def test_a_second_request_waits_and_is_then_a_409_with_retry_after(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert idempotency.WAIT == 10
    monkeypatch.setattr(idempotency, "WAIT", 0.3)
    with at_work():
        started = time.monotonic()
        response = post(client, "tags", TAG)

    assert 0.3 <= time.monotonic() - started < 5
    assert (response.status_code, list(response.json())) == (409, ["detail"])
    assert int(response.headers["Retry-After"]) >= 1
    assert not Tag.objects.exists()
    assert post(client, "tags", TAG).status_code == 201, "that it waited in vain is not kept"


def test_those_who_wait_leave_threads_for_others(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Semaphore(1)
    monkeypatch.setattr(idempotency, "places", lambda: places)
    monkeypatch.setattr(idempotency, "WAIT", 0)
    with at_work():
        assert post(client, "tags", TAG).status_code == 409, "it had the place, and gave it back"
        with idempotency.place_to_wait():
            monkeypatch.setattr(idempotency, "WAIT", 10)
            started = time.monotonic()
            response = post(client, "tags", TAG)
        assert time.monotonic() - started < 5
        assert places.acquire(blocking=False)

    assert response.status_code == 409
    assert int(response.headers["Retry-After"]) >= 1
    assert post(client, "tags", TAG).status_code == 201


def test_a_second_request_is_answered_as_soon_as_the_first_one_has_ended(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_work() as is_over:
        monkeypatch.setattr("folio.api.idempotency.time.sleep", lambda seconds: is_over.set())
        response = post(client, "tags", TAG)

    assert response.status_code == 201


def test_a_request_with_another_key_waits_for_nobody(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "WAIT", 0)
    with at_work(key="another"):
        assert post(client, "tags", TAG).status_code == 201
