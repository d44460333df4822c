"""Claims: one of several requests does a work, of all workers on all machines, and the others can wait until it ended.

A claim is a lock that dies with whoever holds it, so that a killed server leaves none behind, and nothing is written to
the database: PostgreSQL's advisory locks; beside SQLite, which has one machine, locks on the bytes of a file.
"""

import fcntl
import os
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from threading import Lock

from django.conf import settings
from django.db import connection

from .postgresql.claims import PostgreSQLClaims


class FileClaims:
    """Claims of this machine's processes: each is a locked byte of a file that stays empty.

    The system knows such locks by process, hence the set for this one's threads. They would all be lost if the file was
    opened a second time and closed, so it stays open.
    """

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.turn = Lock()
        self.file: int | None = None

    def take(self, number: int) -> bool:
        with self.turn:
            if number in self.held:
                return False
            if self.file is None:
                self.file = os.open(settings.CLAIMS_PATH, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            except (BlockingIOError, PermissionError):
                return False
            self.held.add(number)
            return True

    def free(self, number: int) -> None:
        with self.turn:
            assert self.file is not None
            fcntl.lockf(self.file, fcntl.LOCK_UN, 1, number)
            self.held.discard(number)


def number_of(work: str) -> int:
    """Return the number by which that work is locked: of 62 bits, for PostgreSQL's and a file's places have a sign."""
    return int.from_bytes(blake2b(work.encode(), digest_size=8).digest()) >> 2


@cache
def of_files() -> FileClaims:
    return FileClaims()


@cache
def of_database(alias: str) -> PostgreSQLClaims:
    return PostgreSQLClaims(alias)


def claim(work: str) -> tuple[Callable[[], bool], Callable[[], None]]:
    """Return two functions for the work of that name: one to try and take it, and one to free it once it was taken."""
    return claim_number(number_of(work))


def claim_number(number: int) -> tuple[Callable[[], bool], Callable[[], None]]:
    """Return the same two functions for a work that is known by a number, of which others may not know more."""
    claims = of_database(connection.alias) if connection.vendor == "postgresql" else of_files()
    return lambda: claims.take(number), lambda: claims.free(number)
