"""The parent of the workers: who takes a dead one's place, who is renewed, and that all end, within a time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.environment import ROOT, ended_after
from tests.server.parents import STOP_SECONDS

pytestmark = pytest.mark.any_database

PATIENCE = 60  # seconds for what takes moments, on a machine that does much else
SPARE = 15  # of them, beside the bound of a stop


class Told:
    """A parent in a process, and group, of its own, and what it tells."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process = process
        self.log = log
        self.lines: list[list[str]] = []

    def line(self, first: str) -> list[str]:
        """Return the words behind `first` of the next line that begins so."""
        assert self.process.stdout
        while text := self.process.stdout.readline():
            self.lines.append(text.split())
            if self.lines[-1][0] == first:
                return self.lines[-1][1:]
        raise AssertionError(f"No line {first}: {self.lines}, {self.log.read_text()}")

    def end(self) -> int:
        assert self.process.stdout
        self.lines += [text.split() for text in self.process.stdout]
        return self.process.wait(PATIENCE)

    def count(self, first: str) -> int:
        return sum(line[0] == first for line in self.lines)


@contextmanager
def parent(folder: Path, *arguments: object) -> Iterator[Told]:
    log = folder / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "tests.server.parents", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "folio.settings"},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        ) as process,
        ended_after(PATIENCE, process),
    ):
        try:
            yield Told(process, log)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until_gone(*pids: int) -> None:
    end = time.monotonic() + SPARE
    while not all(map(is_gone, pids)):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_killed_worker_is_replaced_told_in_a_line_and_cleaned_up_after(tmp_path: Path) -> None:
    with parent(tmp_path, "serving") as told:
        old = int(told.line("serves")[1])
        told.line("serves")
        os.kill(old, signal.SIGKILL)
        new = told.line("serves")
        if told.count("cleans") == 0:
            told.line("cleans")
        told.process.terminate()
        assert told.end() == 0

    [line] = told.log.read_text().splitlines()
    assert line == f"ERROR worker-{new[0]} (process {old}) was ended by SIGKILL; process {new[1]} takes its place."
    assert told.count("cleans") == 1


def test_workers_that_die_too_fast_end_the_server_with_a_status_and_a_line(tmp_path: Path) -> None:
    with parent(tmp_path, "dying", 0) as told:
        assert told.end() == 1

    first, last = told.log.read_text().splitlines()
    assert told.count("serves") == 2
    assert "ended with the exit status 3; process" in first
    assert last.startswith("CRITICAL worker-1 ")
    assert "after it took the place of one that had died. The server ends with the status 1" in last


def test_workers_that_die_further_apart_are_replaced_each_time(tmp_path: Path) -> None:
    with parent(tmp_path, "dying", 0.6) as told:
        for _ in range(4):
            told.line("serves")
        told.process.terminate()
        assert told.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_ends_workers_that_load_within_the_bound(
    tmp_path: Path, number: signal.Signals
) -> None:
    with parent(tmp_path, "hanging") as told:
        told.line("loads")  # the other one is being made
        began = time.monotonic()
        os.killpg(told.process.pid, number)
        assert told.end() == 0
        assert time.monotonic() - began < STOP_SECONDS + SPARE

    assert "Traceback" not in told.log.read_text()
    assert told.log.read_text().count("did not end in time, and is killed.") <= 2


def test_workers_that_serve_are_told_to_stop_and_killed_by_no_signal(tmp_path: Path) -> None:
    with parent(tmp_path, "serving") as told:
        for _ in range(2):
            told.line("serves")
        os.killpg(told.process.pid, signal.SIGINT)  # Ctrl-C
        assert told.end() == 0

    assert told.count("stops") == 2
    assert told.log.read_text() == ""


def test_the_drain_is_told_to_workers_at_once_and_a_second_signal_ends_it(tmp_path: Path) -> None:
    with parent(tmp_path, "draining", 600) as told:
        for _ in range(2):
            told.line("serves")
        told.process.terminate()
        assert told.line("closes")[1] == "True"
        assert told.line("closes")[1] == "True"
        assert told.count("stops") == 0
        told.process.terminate()
        assert told.end() == 0

    assert told.count("stops") == 2
    assert told.log.read_text() == "INFO Told to stop: answering for 600 more seconds.\n"


def test_the_drain_ends_by_itself(tmp_path: Path) -> None:
    with parent(tmp_path, "draining", 0.3) as told:
        for _ in range(2):
            told.line("serves")
        began = time.monotonic()
        told.process.terminate()
        assert told.end() == 0
        assert 0.3 <= time.monotonic() - began < SPARE

    for pid in {line[2] for line in told.lines if line[0] == "serves"}:
        heard = [line[0] for line in told.lines if line[0] != "serves" and line[1] == pid]
        assert heard == ["closes", "leaves", "closes", "stops"]


@pytest.mark.parametrize("kind", ["serving", "dying together"])
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path, kind: str) -> None:
    """By the end of the line to it, and where the system does that, without being asked anything."""
    with parent(tmp_path, kind) as told:
        first = "serves" if kind == "serving" else "loads"
        workers = [int(told.line(first)[1]) for _ in range(2)]
        time.sleep(0.2 if kind != "serving" else 0)
        told.process.kill()
        wait_until_gone(*workers)
        told.end()

    assert told.count("abandoned") == (2 if kind == "serving" else 0)


def test_workers_are_renewed_one_by_one_the_new_one_first(tmp_path: Path) -> None:
    with parent(tmp_path, "serving") as told:
        for _ in range(2):
            told.line("serves")
        told.process.send_signal(signal.SIGHUP)
        for _ in range(2):
            told.line("stops")
        lines = told.lines[:]
        told.process.terminate()
        assert told.end() == 0

    assert told.log.read_text() == ""
    assert told.count("cleans") == 0
    serving = [line[1:] for line in lines if line[0] == "serves"]
    for number, (_, pid) in enumerate(sorted(serving[:2]), start=1):
        [new] = [words[1] for words in serving[2:] if words[0] == str(number)]
        assert lines.index(["serves", str(number), new]) < lines.index(["leaves", pid])
        assert lines.index(["leaves", pid]) < lines.index(["stops", pid])


def test_a_worker_that_outgrew_its_memory_is_renewed_once(tmp_path: Path) -> None:
    with parent(tmp_path, "growing") as told:
        old = told.line("serves")[1]
        told.line("serves")
        assert told.line("stops") == [old]
        told.process.terminate()
        assert told.end() == 0

    [line] = told.log.read_text().splitlines()
    assert line.startswith(f"INFO worker-1 (process {old}) has grown to ")


def test_a_bound_below_what_workers_begin_with_renews_none(tmp_path: Path) -> None:
    with parent(tmp_path, "too large") as told:
        told.line("serves")
        time.sleep(0.3)
        told.process.terminate()
        assert told.end() == 0

    [line] = told.log.read_text().splitlines()
    assert line.startswith("WARNING Workers take more than FOLIO_WORKER_MEMORY as soon as they serve")
    assert told.count("serves") == 1
