from collections.abc import Callable, Iterator
from typing import Any

import pytest

from folio.tasks.registry import kinds, task
from folio.tasks.runner import Runner


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    """Who does what is due, in the test's own thread, and looks for nothing that an emptied table left to be done."""
    monkeypatch.setattr("folio.tasks.runner.lookouts", [])
    runner = Runner()
    yield runner
    runner.close_leases()


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that registers another one for the tasks of a name, for as long as the test lasts."""

    def register(name: str, function: Any, **options: Any) -> None:
        monkeypatch.setitem(kinds, name, None)
        del kinds[name]  # `task()` refuses a second one
        task(name, **options)(function)

    return register
