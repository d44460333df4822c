"""An end to waits that have none: a process that is stuck says in which lines all its threads stand, and ends.

pytest-timeout fails a test that takes too long from within, by a signal, so that its servers are stopped and the next
test goes on. That does not help where the test then waits for a thread that waits for ever, nor in what follows a
failure, for which its clock is stopped. So each part of a test has a bound here, beyond pytest-timeout's. xdist tells
which test it was at when a process of its own ends, and takes another.
"""

import faulthandler
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

ENDING = 120  # seconds that a process may take to end after its last test
STDERR = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "timeout_spare", "seconds beyond pytest-timeout's; what puts things away has twice as many", default="60"
    )


def spare(config: pytest.Config) -> float:
    return float(config.getini("timeout_spare"))


def limit_of(item: pytest.Item) -> float:
    """Return how long a test may take: as it is marked, else as all."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0] if marker else item.config.getini("timeout"))


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STDERR] = os.dup(2)  # before pytest keeps what is written there to itself


def watch(config: pytest.Config, seconds: float) -> None:
    """End this process in so many seconds, unless it is told otherwise meanwhile."""
    faulthandler.dump_traceback_later(seconds, file=config.stash[STDERR], exit=True)


@contextmanager
def watched(config: pytest.Config, seconds: float) -> Iterator[None]:
    watch(config, seconds)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    with watched(item.config, limit_of(item) + spare(item.config)):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    with watched(item.config, limit_of(item) + spare(item.config)):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    with watched(item.config, 2 * spare(item.config)):
        return (yield)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Bound the whole run, whatever it is at: the process that has others test for it knows of no test."""
    seconds = sum(float(session.config.getini(name)) for name in ("session_timeout", "timeout"))
    watch(session.config, seconds + ENDING)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A thread that is still at work keeps its process, though all tests have ended."""
    watch(session.config, ENDING)
