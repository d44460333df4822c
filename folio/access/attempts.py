"""Failed sign-ins, counted by account and by address; after too many, the next one has to wait.

The counts lie in a small SQLite file of their own in the data folder, which all workers share: what is counted must
write nothing to the database that reads are watched by. Names and addresses are in there as keyed digests only.
Reasons and limits are told in docs/decisions/0012-slow-sign-in.md.
"""

import logging
import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from folio.api.errors import TooMany
from folio.installation import make_file

logger = logging.getLogger(__name__)

# Failed attempts heard without a wait: of an account at an address, at an address, of an account wherever.
FREE_FOR_BOTH, FREE_FOR_ADDRESS, FREE_FOR_ACCOUNT = 5, 20, 50
FIRST_WAIT = 5  # seconds, doubled by each further failure
LONGEST_WAIT = 15 * 60  # seconds; also the time in which one failure is forgotten
DOUBLINGS = math.ceil(math.log2(LONGEST_WAIT / FIRST_WAIT))
BUSY_SECONDS = 5  # that a sign-in waits for others that are being counted
TABLE = """CREATE TABLE IF NOT EXISTS counts (
    digest TEXT PRIMARY KEY, level REAL NOT NULL, counted_at REAL NOT NULL, forgotten_at REAL NOT NULL
) WITHOUT ROWID"""


class TooManyAttempts(TooMany):
    """A sign-in that came too soon after failed ones, whether its password was right or not."""

    def __init__(self, seconds: float) -> None:
        wait = max(1, math.ceil(seconds))
        super().__init__(sentence(wait), wait)


def sentence(wait: int) -> str:
    """Say how long to wait, in the language of who asks."""
    if wait < 120:
        text = ngettext(
            "Too many failed attempts to sign in. Try again in %(count)d second.",
            "Too many failed attempts to sign in. Try again in %(count)d seconds.",
            wait,
        )
        return text % {"count": wait}
    minutes = math.ceil(wait / 60)
    text = ngettext(
        "Too many failed attempts to sign in. Try again in %(count)d minute.",
        "Too many failed attempts to sign in. Try again in %(count)d minutes.",
        minutes,
    )
    return text % {"count": minutes}


@dataclass(frozen=True)
class Count:
    """Failures of one kind, as they were when the last one was counted."""

    digest: str
    free: int  # failed attempts that are heard without a wait
    level: float = 0  # failures that are not forgotten
    counted_at: float = 0  # seconds since the epoch

    def wait(self, now: float) -> float:
        """Return the seconds until the next attempt is heard."""
        excess = math.ceil(self.level) - self.free
        if excess < 0:
            return 0
        return min(FIRST_WAIT * 2.0**excess, LONGEST_WAIT) - max(0, now - self.counted_at)

    def after_another(self, now: float) -> tuple[str, float, float, float]:
        """Return the row for one failure more."""
        left = max(0, self.level - max(0, now - self.counted_at) / LONGEST_WAIT)
        level = min(left + 1, self.free + DOUBLINGS)
        return self.digest, level, now, now + level * LONGEST_WAIT


def digest_of(*parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return salted_hmac("folio.access.attempts", text, algorithm="sha256").hexdigest()


def begin(username: str, address: str, now: float | None = None, *, known: str = "") -> "Attempt":
    """Count an attempt as failed before its password is looked at, so that many at once gain nothing.

    Raise TooManyAttempts, and count nothing, where it came too soon. Whom the account knows, under the text that
    `folio.access.known` gives, has a count of their own alone: else anyone could keep its owner out.
    """
    now = time.time() if now is None else now
    if known:
        limits = [(digest_of("known", username, known), FREE_FOR_BOTH)]
    else:
        limits = [
            (digest_of("both", username, address), FREE_FOR_BOTH),
            (digest_of("address", address), FREE_FOR_ADDRESS),
            (digest_of("account", username), FREE_FOR_ACCOUNT),
        ]
    with or_log_why_not(), counts() as database:
        found = [count_of(database, *limit) for limit in limits]
        wait = max(count.wait(now) for count in found)
        if wait > 0:
            raise TooManyAttempts(wait)
        rows = [count.after_another(now) for count in found]
        database.executemany("INSERT OR REPLACE INTO counts VALUES (?, ?, ?, ?)", rows)
        database.execute("DELETE FROM counts WHERE forgotten_at < ?", (now,))
        return Attempt(tuple(count.digest for count in found), is_own=bool(known))
    return Attempt((), is_own=False)


@dataclass(frozen=True)
class Attempt:
    """An attempt that was counted as failed: where, and whether nobody else is counted there."""

    counted: tuple[str, ...]
    is_own: bool

    def succeed(self) -> None:
        """Take back what was counted, and forget the failures before it if they were all of the same client.

        Those of others must stay: they would see, by the attempts that are heard again, that the account exists.
        """
        digests = [(digest,) for digest in self.counted]
        with or_log_why_not(), counts() as database:
            if self.is_own:
                database.executemany("DELETE FROM counts WHERE digest = ?", digests)
            else:
                database.executemany("UPDATE counts SET level = MAX(0, level - 1) WHERE digest = ?", digests)


def count_of(database: sqlite3.Connection, digest: str, free: int) -> Count:
    row = database.execute("SELECT level, counted_at FROM counts WHERE digest = ?", (digest,)).fetchone()
    return Count(digest, free, *(row or ()))


@contextmanager
def counts() -> Iterator[sqlite3.Connection]:
    """Give the counts to this sign-in alone, for a moment."""
    with suppress(OSError):  # SQLite says what is wrong
        make_file(Path(settings.ATTEMPTS_PATH))
    with closing(sqlite3.connect(settings.ATTEMPTS_PATH, timeout=BUSY_SECONDS, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.execute(TABLE)
        yield database
        database.execute("COMMIT")


@contextmanager
def or_log_why_not() -> Iterator[None]:
    """Refuse a sign-in where so many are being counted that it gets no turn; let it in uncounted where none can be.

    A full disk must not keep out who would clear it.
    """
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise TooManyAttempts(1) from error
        logger.exception("Failed sign-ins are not counted: %s can't be used", settings.ATTEMPTS_PATH)
