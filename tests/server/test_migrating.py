"""Servers of one machine that begin on the same database at once: one migrates, and the others wait for it."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.db import connection

from folio import turns
from folio.claims import number_of
from folio.server import migrating
from folio.server.migrating import alone_on_this_machine
from tests.environment import ROOT, environment

SERVERS = 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="on PostgreSQL the database has the lock")
def test_two_that_begin_at_once_on_an_empty_folder_both_find_all_tables(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "folio", "migrate", "--verbosity", "0"]
    variables = environment(tmp_path, PYTHONPATH=str(ROOT))
    started = [subprocess.Popen(command, cwd=tmp_path, env=variables, stderr=subprocess.PIPE) for _ in range(SERVERS)]

    ended = [process.communicate(timeout=240)[1].decode() for process in started]

    assert [process.returncode for process in started] == [0] * SERVERS, ended


def test_one_that_finds_another_at_work_says_so_once_and_gives_up_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []

    class Taken:
        def take(self, number: int) -> bool:
            assert number == number_of("migrate")
            return False

    monkeypatch.setattr(migrating, "of_files", Taken)
    monkeypatch.setattr(turns, "PAUSE", 0.01)

    with (
        pytest.raises(CommandError, match=r"Another server migrates .* not ended after 0.05 seconds. Nothing was"),
        alone_on_this_machine(said.append, patience=0.05),
    ):
        raise AssertionError

    assert said == ["Another server migrates this database; waiting for it, up to 0.05 seconds ..."]
