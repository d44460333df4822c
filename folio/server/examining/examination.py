"""The groups of looks, one after another, each with an end of its own."""

from collections.abc import Callable, Iterable, Iterator
from threading import Thread
from time import monotonic
from typing import NamedTuple

from django.db import connections

from . import backups, clock, configuration, database, disk, permissions, programs, proxy, storage, work
from .findings import Finding, Findings, fault, told
from .reached import Reached

TOO_LONG = "What is asked here hangs. Look at it with its own tools, then run `folio doctor` again."


class Group(NamedTuple):
    title: str
    look: Callable[[], Findings]
    seconds: float  # that it may take


def groups(reached: Reached) -> list[Group]:
    """Return what is looked at; `reached` is where the server is asked."""
    return [
        Group("Settings", configuration.look, 30),
        Group("Database", database.look, 60),
        Group("Storage", storage.look, 60),
        Group("Disk", disk.look, 20),
        Group("Permissions", permissions.look, 20),
        Group("Programs", programs.look, 60),
        Group("Server", lambda: proxy.look_at_server(reached), 30),
        Group("Proxy", lambda: proxy.look(reached), 90),
        Group("Clock", lambda: clock.look(reached), 30),
        Group("Work", work.look, 30),
        Group("Backups", backups.look, 20),
    ]


def looked_at(groups: Iterable[Group]) -> Iterator[tuple[str, list[Finding]]]:
    """Yield each group's title and what was found; no error of a look, and none that hangs, keeps the next waiting."""
    for group in groups:
        yield group.title, [told(finding) for finding in within(group)]


def within(group: Group) -> list[Finding]:
    """Return what a group finds within its time, and that it found no more where the time was too short."""
    found: list[Finding] = []
    thread = Thread(target=gather, args=(group, found), name="doctor", daemon=True)
    started = monotonic()
    thread.start()
    thread.join(group.seconds)
    if thread.is_alive():
        seconds = monotonic() - started
        return [*found, fault(f"There was no answer within {seconds:.0f} seconds.", TOO_LONG)]
    return found


def gather(group: Group, found: list[Finding]) -> None:
    try:
        for finding in group.look():
            found.append(finding)  # one by one: what was found before an error stays
    except Exception as error:
        found.append(fault(f"This could not be looked at: {type(error).__name__}: {error}", "Mend that first."))
    finally:
        connections.close_all()  # this thread's
