"""Two servers that share a database and a bucket alone: whatever is written at one is read at the other at once."""

from collections.abc import Iterator

import pytest

from benchmarks.stress import VARIABLES, WORKERS, run
from tests.machines import Machines, running_machines

READS, SECONDS = 300, 5  # as few as show that all kinds of them were done


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    with running_machines(WORKERS, None, **VARIABLES) as machines:
        yield machines


@pytest.mark.any_database  # PostgreSQL, a server of its own
@pytest.mark.timeout(900)
def test_no_read_is_stale_at_any_machine(machines: Machines) -> None:
    stage = run(machines.as_server(), READS, SECONDS, [machine.url for machine in machines.servers])

    assert stage.violations == []
    assert "Traceback" not in machines.logs()
    for kind in ("reads", "reads of files", "files replaced", "files uploaded and deleted", "written by SQL"):
        assert stage.counts[kind] > 0, kind
