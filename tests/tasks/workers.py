"""A worker's runner as a process of its own, with tasks of its own: `python -m tests.tasks.workers`.

It says what it does in lines on standard output, and stops when its standard input is closed.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from tests.environment import ROOT, environment

WAIT = 30  # seconds that a line may take on a machine that does much else


class Worker:
    """A running worker, and the lines that it has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self.new: Queue[str] = Queue()
        Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.new.put(line.strip())

    def wait_for(self, wanted: str) -> None:
        """Wait until the worker has said a line with that in it."""
        end = time.monotonic() + WAIT
        while not any(wanted in line for line in self.lines):
            assert time.monotonic() < end, f"{wanted!r} did not come; there came {self.lines}"
            self.collect(0.1)

    def collect(self, seconds: float = 0.0) -> list[str]:
        """Return what it has said, waiting for so long for one more line."""
        try:
            while True:
                self.lines.append(self.new.get(timeout=seconds))
                seconds = 0.0
        except Empty:
            return self.lines

    def stop(self) -> float:
        """Tell it to stop; return how many seconds it took."""
        assert self.process.stdin is not None
        start = time.monotonic()
        self.process.stdin.close()
        self.process.wait(WAIT)
        return time.monotonic() - start

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(WAIT)


@contextmanager
def running_worker(folder: Path, database: dict[str, str], seconds: float = 0.1) -> Iterator[Worker]:
    variables = {"FOLIO_TASKS_SECONDS": str(seconds), "DJANGO_SETTINGS_MODULE": "folio.settings", **database}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "tests.tasks.workers"],
        cwd=ROOT,
        env=environment(folder, **variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    worker = Worker(process)
    try:
        worker.wait_for("ready")
        yield worker
    finally:
        if process.poll() is None:
            worker.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()


def register() -> None:
    from folio.tasks.registry import task

    @task("test.note")
    def note(payload: dict[str, Any]) -> None:
        say(f"done {payload['id']}")

    @task("test.long")
    def run_long(payload: dict[str, Any]) -> None:
        say(f"begun {payload['id']}")
        time.sleep(payload["seconds"])
        say(f"ended {payload['id']}")

    @task("test.deadly")
    def die(payload: dict[str, Any]) -> None:
        say("dies")
        os._exit(1)


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def main() -> None:
    import django

    django.setup()
    register()
    from folio.tasks.runner import runner

    runner.start()
    say("ready")
    sys.stdin.read()
    runner.stop()
    os._exit(0)


if __name__ == "__main__":
    main()
