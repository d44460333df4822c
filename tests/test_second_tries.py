"""Tests that start programs are tried again once; what fails twice, or too many of them, fails the run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .environment import ROOT

pytestmark = pytest.mark.any_database

INI = "[pytest]\ntimeout = 1\n"
PROGRAM = """
import pathlib, time
import pytest

server = "a name by which a test counts as one that starts programs"
here = pathlib.Path(__file__).parent

def is_first(name):
    there = (here / name).exists()
    (here / name).touch()
    return not there

"""


def run(folder: Path, tests: str, *flags: str, program: str = PROGRAM) -> "subprocess.CompletedProcess[str]":
    (folder / "pytest.ini").write_text(INI)
    (folder / "test_it.py").write_text(program + tests)
    plugins = ("xdist", "pytest_timeout", "pytest_rerunfailures", "tests.second_tries", "no:cacheprovider")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *(word for plugin in plugins for word in ("-p", plugin)),
            *flags,
            "test_it.py",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("flags", [[], ["-n", "2"]])
def test_what_fails_once_passes_and_is_named_with_its_reason(tmp_path: Path, flags: list[str]) -> None:
    done = run(tmp_path, "def test_once():\n    assert not is_first('once'), 'too slow'\n", *flags)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "tests that were tried a second time" in done.stdout
    assert "test_it.py::test_once (call): " in done.stdout


def test_a_server_that_does_not_start_is_started_again(tmp_path: Path) -> None:
    tests = """
@pytest.fixture(scope="module")
def served():
    assert not is_first("served")

def test_it(served):
    pass
"""
    done = run(tmp_path, tests)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_it.py::test_it (setup): " in done.stdout


def test_a_program_that_took_too_long_is_started_again(tmp_path: Path) -> None:
    tests = """
import subprocess

def test_program():
    subprocess.run(["sleep", "5" if is_first("program") else "0"], timeout=0.5)
"""
    done = run(tmp_path, tests)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_it.py::test_program (call): " in done.stdout


def test_what_fails_twice_has_failed(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_always():\n    assert not is_first('always')\n    assert False, 'wrong'\n")

    assert done.returncode == 1
    assert "1 failed" in done.stdout


def test_what_starts_nothing_and_what_hangs_have_one_try(tmp_path: Path) -> None:
    once = "def test_once():\n    assert not is_first('once')\n"
    done = run(tmp_path, once, program=PROGRAM.replace("server =", "name ="))
    assert done.returncode == 1, done.stdout

    done = run(tmp_path, "def test_hangs():\n    if is_first('hung'): time.sleep(20)\n")
    assert done.returncode == 1, done.stdout
    assert "1 failed" in done.stdout


@pytest.mark.parametrize("flags", [[], ["-n", "2"]])
def test_many_second_tries_fail_the_run(tmp_path: Path, flags: list[str]) -> None:
    tests = "@pytest.mark.parametrize('n', range({}))\ndef test_some(n):\n    assert not is_first(str(n))\n"
    done = run(tmp_path, tests.format(6), *flags)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "6 passed, 6 rerun" in done.stdout
    assert "the run has failed" in done.stdout

    for each in tmp_path.glob("[0-9]"):
        each.unlink()
    assert run(tmp_path, tests.format(5), *flags).returncode == 0
