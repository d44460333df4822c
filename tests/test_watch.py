"""What waits without end: it fails by its name, and the others are run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .environment import ROOT

pytestmark = pytest.mark.any_database

PLUGINS = ["-p", "xdist", "-p", "pytest_timeout", "-p", "tests.watch", "-p", "no:cacheprovider"]
INI = "[pytest]\ntimeout = 1\ntimeout_spare = 1\nsession_timeout = {}\n"
STUCK = """
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

def wait_without_end():
    Event().wait()

def test_one():
    wait_without_end()

def test_threads():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(wait_without_end).result()

def test_two():
    pass
"""
AFTER_A_FAILURE = """
import pytest
from threading import Event

@pytest.fixture
def never_put_away():
    yield
    Event().wait()

def test_three(never_put_away):
    assert False

def test_four():
    pass
"""
LONG = """
import pytest, time

@pytest.mark.parametrize("number", range(50))
def test_some(number):
    time.sleep(0.3)
"""


def run(folder: Path, program: str, *flags: str, session: int = 200) -> str:
    (folder / "test_it.py").write_text(program)
    (folder / "pytest.ini").write_text(INI.format(session))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGINS, *flags, "test_it.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_is_failed_by_its_name_and_others_are_run(tmp_path: Path) -> None:
    said = run(tmp_path, STUCK, "-n", "1")

    assert "FAILED test_it.py::test_one - Failed: Timeout (>1.0s)" in said
    assert "crashed while running 'test_it.py::test_threads'" in said
    assert said.count("in wait_without_end") >= 1  # of all threads, where they stand
    assert "2 failed, 1 passed" in said


def test_is_ended_in_what_follows_a_failure(tmp_path: Path) -> None:
    said = run(tmp_path, AFTER_A_FAILURE, "-n", "1")

    assert "FAILED test_it.py::test_three - assert False" in said
    assert "crashed while running 'test_it.py::test_three'" in said
    assert "in never_put_away" in said
    assert "1 passed" in said


@pytest.mark.parametrize("flags", [[], ["-n", "2"]])
def test_a_run_that_takes_too_long_ends_and_says_so(tmp_path: Path, flags: list[str]) -> None:
    said = run(tmp_path, LONG, *flags, session=2)

    assert "session-timeout: 2.0 sec exceeded" in said
