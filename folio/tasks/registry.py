"""The functions that tasks are done by, each under a name that stays the same whatever becomes of the function."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

Payload = dict[str, Any]
Function = Callable[[Payload], datetime | None]

# Between an attempt that failed and the next one; after the last of them a task is kept as failed.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 5 * 60, 30 * 60, 2 * 3600, 8 * 3600))


@dataclass(frozen=True)
class Kind:
    """A function, and how long each of its failed attempts is waited after."""

    name: str
    function: Function
    waits: tuple[timedelta, ...] = WAITS

    @property
    def most_attempts(self) -> int:
        return len(self.waits) + 1


kinds: dict[str, Kind] = {}

# What each runner asks whenever something may have been committed, whoever did it: they enqueue what follows from it.
lookouts: list[Callable[[], object]] = []


class Companion(Protocol):
    """Something that whoever does tasks does besides, in its own time, and that is no task."""

    def keep_running(self) -> None:
        """See to it that a thread of this process does what falls due; to be called whenever that may have changed."""

    def run_once(self) -> None:
        """Do what is due, and return when it is done."""


companions: list[Companion] = []


def task(name: str, *, waits: tuple[timedelta, ...] = WAITS) -> Callable[[Function], Function]:
    """Register a function for the tasks of a name, which is stored: it must stay, as a column's does.

    Import its module in its app's `ready()`. The function is called outside of transactions, in a thread of its own,
    with the payload of `enqueue()`. It returns None once it is done, or when it is to be called again with the same
    payload; what it raises fails the attempt. It may be called a second time for what it has done already: where the
    worker died, or the connection to the database, before that was noted. It should take seconds; of what takes longer,
    it does a part and returns now, so that others have their turn and a server that stops need not wait.
    """

    def register(function: Function) -> Function:
        if name in kinds and kinds[name].function is not function:
            raise ValueError(f"There are two functions for the tasks {name!r}.")
        kinds[name] = Kind(name, function, waits)
        return function

    return register
