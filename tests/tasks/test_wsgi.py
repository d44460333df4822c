"""Where tasks are begun: at once in a worker of `folio serve`, and else with the first request."""

import os
import re
import subprocess
import sys
from inspect import getsource
from pathlib import Path

import pytest
from granian.server.common import AbstractServer

from folio.tasks.runner import BEFORE_FIRST, SECONDS
from tests.environment import ROOT, environment

PROGRAM = """
import threading

def has_thread():
    return any(thread.name == "tasks" for thread in threading.enumerate())

from folio.wsgi import application

before = has_thread()
from tests.wsgi import ask

ask(application, "GET", "/api/portfolios/")
print(before, has_thread())
"""


@pytest.mark.parametrize(("variables", "expected"), [({"FOLIO_WORKER_THREADS": "8"}, "True True"), ({}, "False True")])
def test_tasks_are_done_from_then_on(tmp_path: Path, variables: dict[str, str], expected: str) -> None:
    os.mkdir(tmp_path / "data")

    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment(tmp_path / "data", **variables),
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert result.stdout.strip() == expected, result.stderr


def test_a_worker_that_a_task_kills_does_not_end_the_server() -> None:
    """The HTTP server ends where a worker dies so soon after it took a dead one's place."""
    [seconds] = re.findall(r"respawned_wrks\.get\(idx, 0\) <= ([0-9.]+)", getsource(AbstractServer._serve_loop))

    assert float(seconds) + 1 < BEFORE_FIRST / SECONDS
