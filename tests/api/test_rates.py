"""How often one client may ask for what has to be computed."""

import fcntl
import multiprocessing
import os
import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from folio.api import rates as module
from folio.api.rates import BUCKET, BUCKETS, SLOTS, Rates
from tests.delivery.fronts import CORS, Front
from tests.factories import make_portfolio
from tests.snapshots.stage import StubLooks

NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def path(settings: Any, tmp_path: Path) -> Path:
    settings.RATES_PATH = tmp_path / "rates"
    return tmp_path / "rates"


@pytest.fixture
def rates() -> Rates:
    return Rates()


def waits(rates: Rates, name: str, number: int, seconds: int, now: float | None = None) -> int:
    """Return the seconds to wait; 0 also where nothing could be counted."""
    standing = rates.take(name, number, seconds, now)
    return standing.wait if standing else 0


# Counting


def test_so_many_may_come_at_once_and_then_one_as_often_as_the_rate_says(rates: Rates) -> None:
    assert [waits(rates, "a", 3, 60, NOW) for _ in range(5)] == [0, 0, 0, 20, 20]
    assert waits(rates, "a", 3, 60, NOW + 19.5) == 1
    assert [waits(rates, "a", 3, 60, NOW + 20) for _ in range(2)] == [0, 20]
    assert [waits(rates, "a", 3, 60, NOW + 3600) for _ in range(4)] == [0, 0, 0, 20]


def test_what_is_refused_is_not_counted(rates: Rates) -> None:
    for _ in range(100):
        waits(rates, "a", 1, 60, NOW)

    assert waits(rates, "a", 1, 60, NOW + 60) == 0


def test_whoever_waits_as_long_as_told_is_heard(rates: Rates) -> None:
    now = NOW
    for _ in range(1000):
        now += waits(rates, "a", 7, 60, now)
    wait = next(wait for wait in (waits(rates, "a", 7, 60, now) for _ in range(100)) if wait)

    assert waits(rates, "a", 7, 60, now + wait) == 0


def test_each_address_has_a_count_of_its_own(rates: Rates) -> None:
    assert [waits(rates, f"address {number}", 1, 60, NOW) for number in range(1000)] == [0] * 1000
    assert all(waits(rates, f"address {number}", 1, 60, NOW) for number in range(1000))


def test_a_million_addresses_take_two_megabytes_and_shut_nobody_out(
    rates: Rates, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is full of others; here with fewer buckets, so that it is sooner."""
    monkeypatch.setattr(module, "BUCKETS", 4)
    for number in range(1000):
        assert waits(rates, f"address {number}", 5, 60, NOW + number / 1000) == 0

    assert path.stat().st_size <= 4 * BUCKET
    assert BUCKET * BUCKETS == 2 * 1024 * 1024
    assert waits(rates, "another", 5, 60, NOW + 1) == 0


def test_whoever_is_at_the_limit_is_the_last_to_be_forgotten(rates: Rates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUCKETS", 1)
    for _ in range(5):
        waits(rates, "busy", 5, 60, NOW)
    for number in range(SLOTS * 10):
        waits(rates, f"address {number}", 5, 60, NOW)

    assert waits(rates, "busy", 5, 60, NOW) == 12


def test_a_clock_or_a_rate_that_was_put_back_locks_nobody_out(rates: Rates) -> None:
    for _ in range(10):
        waits(rates, "a", 10, 86_400, NOW)

    assert waits(rates, "a", 10, 86_400, NOW - 10 * 86_400) <= 8640
    assert waits(rates, "a", 10, 1, NOW) == 1


def ask_often(path: str, asked: int) -> int:
    """Return how many of the requests were heard, in a process of its own."""
    from django.conf import settings

    settings.RATES_PATH = path
    rates = Rates()
    return sum(waits(rates, "a", 50, 3600, NOW) == 0 for _ in range(asked))


def test_all_workers_count_together(path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        heard = pool.starmap(ask_often, [(str(path), 40)] * 4)

    assert sum(heard) == 50


def test_a_file_that_can_not_be_used_keeps_nobody_out(
    rates: Rates, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.RATES_PATH = tmp_path / "no" / "such" / "folder"

    assert [waits(rates, "a", 1, 60, NOW) for _ in range(2)] == [0, 0]
    assert caplog.text.count("Requests are not counted") == 1


def keep_locked(path: str, is_kept: Any, is_over: Any) -> None:
    """Keep the whole file, as a worker that was stopped in the middle of a count keeps a part."""
    with open(path, "a+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        is_kept.set()
        is_over.wait(60)


def test_a_worker_that_was_stopped_while_it_counted_keeps_nobody_out(
    rates: Rates, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    context = multiprocessing.get_context("fork")
    is_kept, is_over = context.Event(), context.Event()
    other = context.Process(target=keep_locked, args=(str(path), is_kept, is_over))
    other.start()
    try:
        assert is_kept.wait(60)
        assert rates.take("a", 1, 60, NOW) is None
    finally:
        is_over.set()
        other.join(60)

    assert "Requests are not counted" in caplog.text
    assert [waits(rates, "a", 1, 60, NOW) for _ in range(2)] == [0, 60]


def test_the_file_tells_no_address_and_is_for_its_owner_alone(rates: Rates, path: Path) -> None:
    waits(rates, "203.0.113.5", 1, 60, NOW)

    assert b"203.0" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_costs_little(rates: Rates) -> None:
    """Some system calls; the bound is wide, for a machine that does much else."""
    started = time.process_time()
    for number in range(1000):
        waits(rates, str(number % 7), 10**6, 60)

    assert time.process_time() - started < 1


# Public requests


@pytest.fixture
def front(db: None, settings: Any) -> Front:
    settings.PUBLIC_READ, settings.PUBLIC_RATE = True, (2, 60)
    make_portfolio(slug="sign")
    return Front()


def test_the_third_is_told_when_to_ask_again(front: Front) -> None:
    assert [front.ask("portfolios/", REMOTE_ADDR="203.0.113.5").status_code for _ in range(2)] == [200, 200]

    answer = front.ask("portfolios/sign/", REMOTE_ADDR="203.0.113.5")

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "30"
    assert answer.json() == {"detail": "Too many requests from this address. Ask again in 30 seconds."}
    assert answer.headers["Cache-Control"] == "no-store"
    assert CORS.items() <= answer.headers.items()
    assert front.ask("portfolios/", REMOTE_ADDR="203.0.113.6").status_code == 200


def test_without_the_setting_nobody_is_counted(front: Front, settings: Any, path: Path) -> None:
    settings.PUBLIC_RATE = None

    assert {front.ask("portfolios/").status_code for _ in range(5)} == {200}
    assert not path.exists()


def test_the_managing_api_is_not_counted(front: Front) -> None:
    assert {front.ask("/api/portfolios/").status_code for _ in range(5)} == {401}


def test_redirects_and_refused_methods_are_not_counted(front: Front) -> None:
    for _ in range(3):
        assert front.ask("portfolios").status_code == 301
        assert front.ask("portfolios/", "POST").status_code == 405

    assert front.ask("portfolios/").status_code == 200


def test_the_addresses_of_one_customer_of_ipv6_are_one_client(front: Front) -> None:
    statuses = [front.ask("portfolios/", REMOTE_ADDR=f"2001:db8:1:2::{number}").status_code for number in range(3)]

    assert statuses == [200, 200, 429]
    assert front.ask("portfolios/", REMOTE_ADDR="2001:db8:1:3::1").status_code == 200


def test_a_proxy_that_is_trusted_tells_the_client(front: Front, settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.7")]

    def status(client: str, proxy: str = "10.0.0.7") -> int:
        return front.ask("portfolios/", headers={"X-Forwarded-For": client}, REMOTE_ADDR=proxy).status_code

    assert [status("198.51.100.1") for _ in range(3)] == [200, 200, 429]
    assert status("198.51.100.2") == 200
    assert [status(f"198.51.100.{number}", "10.0.0.8") for number in range(3, 6)] == [200, 200, 429]


@pytest.mark.django_db(transaction=True)
def test_what_lies_in_memory_is_neither_counted_nor_refused(settings: Any) -> None:
    settings.PUBLIC_READ, settings.PUBLIC_RATE = True, (2, 60)
    looks = StubLooks()
    front = Front(looks)
    etag = front.ask("tags/").headers["ETag"]

    assert {front.ask("tags/").status_code for _ in range(5)} == {200}
    assert front.ask("employers/").status_code == 200
    assert front.ask("portfolios/").status_code == 429
    assert front.ask("tags/").status_code == 200
    assert front.ask("tags/", headers={"If-None-Match": etag}).status_code == 304
    looks.number = (looks.number or 0) + 1
    assert front.ask("tags/").status_code == 429


def test_the_file_is_not_opened_again_for_each_request(rates: Rates, monkeypatch: pytest.MonkeyPatch) -> None:
    opening = Mock(side_effect=os.open)
    monkeypatch.setattr(os, "open", opening)

    for _ in range(3):
        waits(rates, "a", 9, 60, NOW)

    assert opening.call_count == 1
