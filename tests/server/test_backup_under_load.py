"""Backups of a server that is written to are restored and compared: a small round of `make stress`."""

from pathlib import Path

import pytest

from benchmarks.restored import tried

pytestmark = pytest.mark.timeout(900)  # it serves, backs up, restores and checks, one after another


def test_what_was_acknowledged_before_a_backup_is_in_it(tmp_path: Path) -> None:
    """It serves on the database that is tested, postgresql or another one."""
    run = tried(tmp_path, seconds=4, writers=2, backups=1)

    assert run.problems == []
    assert len(run.backups) == 1
    assert all(any(work.made < each.begun for work in run.works) for each in run.backups)
    assert any(work.made > run.backups[0].begun for work in run.works), "Nothing was written meanwhile."
