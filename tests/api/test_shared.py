"""What machines count together in Redis, and what each does alone where Redis doesn't answer."""

import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.management import call_command

from folio.access import attempts
from folio.access.attempts import TooManyAttempts, begin
from folio.api import shared as module
from folio.api.rates import Rates, Standing
from folio.api.shared import SECONDS, Shared, shared, shared_at
from tests.redis import Redis, running_redis
from tests.tcp import Proxy, proxy_to

NOW = 1_800_000_000.0
WAIT = 60  # seconds that what is sure to come may take
LATER = 100 * attempts.LONGEST_WAIT


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


@pytest.fixture(autouse=True)
def forgotten(settings: Any, tmp_path: Path, redis: Redis) -> Iterator[None]:
    """Each test begins with nothing counted, in Redis and here."""
    settings.RATES_PATH = tmp_path / "rates"
    settings.REDIS_URL = redis.url
    shared_at.cache_clear()
    if redis.process is None:
        redis.start()
    redis.client.flushall()
    yield
    shared_at.cache_clear()


@pytest.fixture
def proxy(redis: Redis, settings: Any) -> Iterator[Proxy]:
    """A way to Redis that a test can block."""
    with proxy_to(redis.port) as proxy:
        settings.REDIS_URL = f"redis://127.0.0.1:{proxy.port}/0"
        yield proxy


@pytest.fixture
def another_machine(settings: Any, tmp_path: Path) -> Callable[[], None]:
    """Go over to a machine with another data folder and connections of its own."""
    numbers = iter(range(100))

    def change() -> None:
        folder = tmp_path / f"machine-{next(numbers)}"
        folder.mkdir()
        settings.RATES_PATH, settings.ATTEMPTS_PATH = folder / "rates", folder / "attempts.sqlite3"
        shared_at.cache_clear()

    return change


def waits(name: str, number: int = 3, seconds: int = 60, now: float | None = NOW) -> int:
    standing = Rates().take(name, number, seconds, now)
    assert standing is not None
    return standing.wait


def is_heard(username: str, address: str = "203.0.113.5", now: float | None = NOW, known: str = "") -> bool:
    """Fail to sign in, and tell whether the attempt was heard."""
    try:
        begin(username, address, now, known=known)
    except TooManyAttempts:
        return False
    return True


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT
    while not is_so():
        assert time.monotonic() < end, "It did not come."
        time.sleep(0.02)


# Requests


def test_redis_counts_as_the_file_does(settings: Any, tmp_path: Path) -> None:
    def asked() -> list[Standing | None]:
        rates = Rates()
        moments = [0, 0, 0, 0, 19.5, 20, 20, 41, 3600, 3600, 3600, 3600, -10 * 86_400, 0]
        return [rates.take("key a", 3, 60, NOW + moment) for moment in moments]

    together = asked()
    settings.REDIS_URL = ""

    assert together == asked()
    assert together[0] == Standing(0, 2, 20)
    assert together[3] == Standing(20, 0, 20)


def test_machines_have_one_count(another_machine: Callable[[], None]) -> None:
    heard = []
    for _ in range(4):
        another_machine()
        heard.append(waits("key a") == 0)

    assert heard == [True, True, True, False]


def test_without_redis_each_machine_counts_for_itself(settings: Any, another_machine: Callable[[], None]) -> None:
    settings.REDIS_URL = ""
    for _ in range(2):
        another_machine()
        assert [waits("key a", 2) == 0 for _ in range(3)] == [True, True, False]


def test_each_has_a_count_of_its_own() -> None:
    assert [waits(f"key {number}", 1) for number in range(50)] == [0] * 50
    assert all(waits(f"key {number}", 1) for number in range(50))


def ask_often(url: str, path: str, asked: int) -> int:
    """Return how many of the requests were heard, in a process of its own, by Redis's own clock."""
    from django.conf import settings

    settings.REDIS_URL, settings.RATES_PATH = url, path
    rates = Rates()
    return sum(waits_of.wait == 0 for waits_of in (rates.take("a", 50, 86_400) for _ in range(asked)) if waits_of)


def test_many_at_once_are_counted_once_each(redis: Redis, tmp_path: Path) -> None:
    arguments = [(redis.url, str(tmp_path / f"rates-{number}"), 40) for number in range(4)]
    with multiprocessing.get_context("fork").Pool(4) as pool:
        heard = pool.starmap(ask_often, arguments)

    assert sum(heard) == 50
    assert not list(tmp_path.glob("rates-*"))


def test_the_clock_is_that_of_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """One machine's may be wrong, and that of another one would then never be heard."""
    now = time.time()
    assert waits("key a", 1, 3600, now=None) == 0
    monkeypatch.setattr(time, "time", lambda: now + 86_400)

    assert waits("key a", 1, 3600, now=None) > 3500


def test_a_count_ends_when_it_means_nothing_any_more(redis: Redis) -> None:
    for _ in range(3):
        waits("key a", 10, 600, now=None)
    [key] = redis.names()

    assert 170_000 < redis.client.pttl(key) <= 180_000, "three steps of a minute"
    waits("key b", 1000, 1, now=None)
    wait_until(lambda: redis.names() == [key])


def test_redis_hears_no_names(redis: Redis, settings: Any) -> None:
    settings.SECRET_KEY = "one"
    waits("reads address 203.0.113.5")
    is_heard("nora")
    first = redis.names()

    content = b" ".join(redis.client.dump(key) for key in first) + " ".join(first).encode()
    assert all(secret not in content for secret in (b"203.0", b"nora"))
    assert {key.rsplit(":", 1)[0] for key in first} == {"folio:rate", "folio:attempt"}
    settings.SECRET_KEY = "another"
    waits("reads address 203.0.113.5")
    assert len(redis.names()) == len(first) + 1, "what has another secret key is another installation"


# Failed sign-ins


def test_failed_sign_ins_are_counted_together(another_machine: Callable[[], None]) -> None:
    heard = []
    for _ in range(6):
        another_machine()
        heard.append(is_heard("nora"))

    assert heard == [True] * 5 + [False]


def test_the_waits_are_those_of_one_machine(settings: Any, another_machine: Callable[[], None]) -> None:
    """The same attempts as by the file alone, whose tests say that it is right."""

    def heard() -> list[bool]:
        moments = [*range(8), 15, 16, 40, 41, 100, 400, 401, 1500, 5000, 5001, 5002, 20_000]
        told = []
        for moment in moments:
            for username, address in (("nora", "a"), ("nora", "b"), ("otto", "a")):
                told.append(is_heard(username, address, NOW + moment))
                if settings.REDIS_URL:
                    another_machine()
        return told

    together = heard()
    settings.REDIS_URL = ""
    another_machine()

    assert together == heard()
    assert {True, False} == set(together)


def test_a_success_is_taken_back_everywhere(redis: Redis, another_machine: Callable[[], None]) -> None:
    for _ in range(4):
        assert is_heard("nora")
    begin("nora", "203.0.113.5", NOW).succeed()
    another_machine()

    assert [is_heard("nora") for _ in range(2)] == [True, False]
    for _ in range(4):
        assert is_heard("nora", known="cookie")
    begin("nora", "203.0.113.5", NOW, known="cookie").succeed()
    another_machine()
    assert [is_heard("nora", known="cookie") for _ in range(6)] == [True] * 5 + [False]


def test_a_refused_attempt_is_counted_nowhere(settings: Any, another_machine: Callable[[], None]) -> None:
    for _ in range(5):
        is_heard("nora")
    another_machine()
    assert [is_heard("nora") for _ in range(20)] == [False] * 20
    settings.REDIS_URL = ""

    assert [is_heard("nora") for _ in range(6)] == [True] * 5 + [False], "this machine has heard none"


def test_counts_of_failures_end(redis: Redis) -> None:
    is_heard("nora", now=None)

    lives = [redis.client.pttl(key) for key in redis.names()]

    assert len(lives) == 3
    assert all(attempts.LONGEST_WAIT * 990 < life <= attempts.LONGEST_WAIT * 1000 for life in lives)


def test_a_file_that_can_not_be_used_leaves_redis(settings: Any, tmp_path: Path, redis: Redis) -> None:
    settings.ATTEMPTS_PATH = tmp_path / "no" / "such" / "attempts.sqlite3"

    assert [is_heard("nora") for _ in range(6)] == [True] * 5 + [False]


def test_many_sign_ins_at_once_gain_nothing(settings: Any, tmp_path: Path) -> None:
    barrier, heard = Barrier(12), []

    def attempt() -> None:
        barrier.wait(WAIT)
        heard.append(is_heard("nora"))

    threads = [Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)

    assert sorted(heard) == [False] * 7 + [True] * 5


# A Redis that is away, or hangs


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "Redis" in record.getMessage()]


def test_away_each_machine_counts_for_itself_and_together_again_after(
    redis: Redis, another_machine: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    another_machine()
    assert [waits("key a", 2) for _ in range(2)] == [0, 0]
    redis.stop()

    assert [waits("key a", 2) == 0 for _ in range(3)] == [True, True, False], "the machine's own count begins"
    assert len(lines(caplog)) == 1
    assert "each machine counts requests and failed sign-ins for itself" in lines(caplog)[0]
    redis.start()
    wait_until(lambda: shared().answers())  # type: ignore[union-attr]
    wait_until(lambda: len(lines(caplog)) == 2)
    assert waits("key b", 2) == 0
    assert len(redis.names()) == 1
    assert "answers again" in lines(caplog)[1]


def test_failures_at_this_machine_are_known_when_redis_goes_away(redis: Redis, another_machine: Any) -> None:
    for _ in range(5):
        assert is_heard("nora")
    redis.stop()

    assert not is_heard("nora")
    another_machine()
    assert [is_heard("nora") for _ in range(6)] == [True] * 5 + [False]


def test_failures_while_it_was_away_are_known_after(redis: Redis) -> None:
    redis.stop()
    for _ in range(5):
        assert is_heard("nora")
    redis.start()
    wait_until(lambda: shared().answers())  # type: ignore[union-attr]

    assert not is_heard("nora")


def asked_of(redis: Shared, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is said of each command that a Redis is sent, or asked to."""
    told: list[str] = []
    send = type(redis.client).execute_command

    def execute(self: Any, *arguments: Any, **options: Any) -> Any:
        told.append(str(arguments[0]))
        return send(self, *arguments, **options)

    monkeypatch.setattr(type(redis.client), "execute_command", execute)
    return told


def test_who_finds_it_hanging_waits_and_nobody_after(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert waits("key a") == 0
    redis = shared()
    assert redis is not None
    now = [1000.0]
    redis.clock = redis.outage.clock = lambda: now[0]
    asked = asked_of(redis, monkeypatch)
    proxy.swallow()

    assert [waits("key a", 50) for _ in range(20)] == [0] * 20
    assert len(asked) == 1, "the others were counted at once, by the machine"
    now[0] += 1.5
    assert [waits("key a", 50) for _ in range(20)] == [0] * 20
    assert asked[1:] == ["PING"], "one thread looks again, and nobody waits for it"
    assert len(lines(caplog)) == 1
    proxy.swallow(False)

    def answers() -> bool:
        now[0] += 1.5
        return redis.answers()

    wait_until(answers)
    wait_until(lambda: len(lines(caplog)) == 2)


def test_a_wait_is_bounded(proxy: Proxy) -> None:
    """By what the client is told; and by what comes of it, widely, for a machine that does much else."""
    assert waits("key a") == 0
    redis = shared()
    assert redis is not None
    options = redis.client.connection_pool.connection_kwargs
    assert options["socket_timeout"] == options["socket_connect_timeout"] == SECONDS <= 0.25
    proxy.swallow()
    started = time.monotonic()
    waits("key a")

    assert time.monotonic() - started < 20 * SECONDS


def test_one_that_hangs_from_the_start_is_waited_for_once(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As where its name is looked up, which has no bound of its own."""
    looks = []

    def ping(self: Shared) -> None:
        looks.append(self)
        time.sleep(WAIT)

    monkeypatch.setattr(Shared, "ping", ping)
    monkeypatch.setattr(module, "SECONDS", 0.05)

    assert [waits("key a", 50) for _ in range(30)] == [0] * 30
    assert len(looks) == 1
    assert len(lines(caplog)) == 1


def test_a_connection_that_was_closed_meanwhile_is_made_again(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    assert waits("key a") == 0
    redis.client.client_kill_filter(_type="normal", skipme=True)

    assert waits("key a") == 0
    assert lines(caplog) == []
    assert len(redis.names()) == 1


def test_a_redis_that_refuses_is_one_that_is_away(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    """As one that is full, or takes no writes."""
    client = redis.client
    client.config_set("maxmemory", "1")
    client.config_set("maxmemory-policy", "noeviction")
    try:
        assert [waits("key a", 2) == 0 for _ in range(3)] == [True, True, False]
    finally:
        client.config_set("maxmemory", "0")

    assert len(lines(caplog)) == 1


def test_what_the_log_says_has_no_password(settings: Any, redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    settings.REDIS_URL = f"redis://:hunter22@127.0.0.1:{redis.port}/0"
    with caplog.at_level(logging.DEBUG):
        assert waits("key a") == 0

    assert len(lines(caplog)) == 1
    assert "hunter22" not in caplog.text


# What is said


def test_check_says_that_it_can_not_be_reached(
    redis: Redis, settings: Any, capsys: pytest.CaptureFixture[str], db: None
) -> None:
    call_command("check")
    assert "folio.W007" not in capsys.readouterr().err
    redis.stop()

    call_command("check")

    said = capsys.readouterr().err
    assert "folio.W007" in said
    assert "FOLIO_REDIS_URL" in said
