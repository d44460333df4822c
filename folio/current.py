"""The request that a thread works at: its id, by which the log, the history and the answer all name it.

Beside it, what is told of a request once it is answered. Both are empty between requests, and in threads that answer
none.
"""

import os
import re
import secrets
import threading
from collections.abc import Callable
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple

HEADER = "X-Request-ID"
MEMBER = "request_id"  # of bodies and lines in JSON
# Of others' ids those alone that can stand in a line, a header and a page as they are. A key in the place of an id
# would be written into each line.
WELL_FORMED = re.compile(r"(?!.*(?:folio_|whsec_))[A-Za-z0-9._~:@+/=-]{1,128}", re.IGNORECASE)
TOLD = "folio.told"  # in a request's environment: a `Told`, once Django has answered or memory has
MEMORY = "folio.memory"  # there too: `hit` where memory has answered a read of the API, `miss` where it might have

# There too, where memory has answered: a dictionary that lasts as long as what is kept, for whoever tells of requests.
HITS = "folio.hits"


class Told(NamedTuple):
    """What a request turned out to be: the pattern of its address, whose it was, and by which key, by its name."""

    route: str = ""
    user: str = ""
    key: str = ""


NOTHING = Told()


class Statements:
    """The statements that a request has had the database carry out, alike ones together."""

    MOST = 200  # different ones that are told apart
    count, seconds = 0, 0.0

    @cached_property
    def each(self) -> dict[str, tuple[int, float]]:
        """By its SQL: how often, and the seconds in all. Most requests have none."""
        return {}

    def add(self, sql: str, seconds: float) -> None:
        self.count += 1
        self.seconds += seconds
        if sql in self.each or len(self.each) < self.MOST:
            times, so_far = self.each.get(sql, (0, 0.0))
            self.each[sql] = times + 1, so_far + seconds


class Current(threading.local):
    """What this thread works at; the class holds what is so between requests."""

    id: str = ""
    statements: Statements | None = None


current = Current()


class Ids:
    """Ids of requests that came without one: random digits of the process, and a number.

    They need to be different ones, and no secret: random digits for each would take longer than the rest. `new` makes
    one, without a line of Python.
    """

    def __init__(self) -> None:
        self.begin()
        os.register_at_fork(after_in_child=self.begin)

    def begin(self) -> None:
        self.new: Callable[[], str] = map(f"{secrets.token_hex(8)}-".__add__, map(str, count(1))).__next__


ids = Ids()


def id_of(given: str | None) -> str:
    """Return the id that a request came with, or a new one where it has none that is well formed."""
    return given if given is not None and WELL_FORMED.fullmatch(given) else ids.new()


def named(body: Any, status: int) -> Any:
    """Return the body of an error, with the id of its request where the error is the server's own.

    A client's mistakes have the id in their header alone: their members are names of fields, and some such answers are
    kept and given to others, by caches on the way or for an Idempotency-Key.
    """
    return {**body, MEMBER: current.id} if status >= 500 and current.id else body
