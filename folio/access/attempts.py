"""Failed sign-ins, counted by account and by address; after too many, the next one has to wait.

The counts lie in a small SQLite file of their own in the data folder, which all workers share: what is counted must
write nothing to the database that reads are watched by. Where FOLIO_REDIS_URL names a Redis, they lie there too, for
all machines: an attempt is heard where neither has it wait, so that a machine whose Redis goes away knows what was
tried at itself. Names and addresses are in both as keyed digests only. Reasons and limits are told in
docs/decisions/0012-slow-sign-in.md and 0063-limits.md.
"""

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from folio.api.errors import TooMany
from folio.api.shared import shared
from folio.installation import make_file
from folio.outages import threads

logger = logging.getLogger(__name__)

# Failed attempts heard without a wait: of an account at an address, at an address, of an account wherever.
FREE_FOR_BOTH, FREE_FOR_ADDRESS, FREE_FOR_ACCOUNT = 5, 20, 50
FIRST_WAIT = 5  # seconds, doubled by each further failure
LONGEST_WAIT = 15 * 60  # seconds; also the time in which one failure is forgotten
DOUBLINGS = math.ceil(math.log2(LONGEST_WAIT / FIRST_WAIT))
BUSY_SECONDS = 5  # that a sign-in waits for others that are being counted
HASHED_AT_ONCE = 2  # passwords, by each worker: each takes a core for a third of a second
TABLE = """CREATE TABLE IF NOT EXISTS counts (
    digest TEXT PRIMARY KEY, level REAL NOT NULL, counted_at REAL NOT NULL, forgotten_at REAL NOT NULL
) WITHOUT ROWID"""

# The same in Redis, by its own clock: that of one machine may be wrong. A key ends when its failures are forgotten.
BEGIN = """
local now = tonumber(ARGV[1])
if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end
local first, longest, doublings = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local wait, levels = 0, {}
for index, key in ipairs(KEYS) do
    local row = redis.call('HMGET', key, 'level', 'at')
    local level, passed = tonumber(row[1]) or 0, math.max(0, now - (tonumber(row[2]) or 0))
    local free = tonumber(ARGV[4 + index])
    local excess = math.ceil(level) - free
    if excess >= 0 then
        wait = math.max(wait, math.min(first * 2 ^ excess, longest) - passed)
    end
    levels[index] = math.min(math.max(0, level - passed / longest) + 1, free + doublings)
end
if wait > 0 then
    return string.format('%.6f', wait)
end
for index, key in ipairs(KEYS) do
    local level = levels[index]
    redis.call('HSET', key, 'level', string.format('%.17g', level), 'at', string.format('%.17g', now))
    redis.call('PEXPIRE', key, math.ceil(level * longest * 1000))
end
return '0'
"""
SUCCEED = """
for _, key in ipairs(KEYS) do
    local level = tonumber(redis.call('HGET', key, 'level'))
    if ARGV[1] == 'own' then
        redis.call('DEL', key)
    elseif level then
        redis.call('HSET', key, 'level', string.format('%.17g', math.max(0, level - 1)))
    end
end
return '0'
"""


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
    together: float | None = None
    given, now = now, time.time() if now is None else now
    if known:
        limits = [(digest_of("known", username, known), FREE_FOR_BOTH)]
    else:
        limits = [
            (digest_of("both", username, address), FREE_FOR_BOTH),
            (digest_of("address", address), FREE_FOR_ADDRESS),
            (digest_of("account", username), FREE_FOR_ACCOUNT),
        ]
    digests = tuple(digest for digest, _ in limits)
    with or_log_why_not(), counts() as database:
        found = [count_of(database, *limit) for limit in limits]
        wait = max(count.wait(now) for count in found)
        if wait <= 0:
            together = begin_together(limits, given)
            wait = together or 0
        if wait > 0:
            raise TooManyAttempts(wait)
        rows = [count.after_another(now) for count in found]
        database.executemany("INSERT OR REPLACE INTO counts VALUES (?, ?, ?, ?)", rows)
        database.execute("DELETE FROM counts WHERE forgotten_at < ?", (now,))
        return Attempt(digests, is_own=bool(known), is_together=together is not None)
    if together is None:  # the file can't be used
        together = begin_together(limits, given)
    if together:
        raise TooManyAttempts(together)
    return Attempt(digests, is_own=bool(known), is_here=False, is_together=together is not None)


def begin_together(limits: list[tuple[str, int]], now: float | None) -> float | None:
    """Count an attempt in Redis; return the seconds to wait where it came too soon, None where nothing was counted."""
    redis = shared()
    if redis is None:
        return None
    numbers = [FIRST_WAIT, LONGEST_WAIT, DOUBLINGS, *(free for _, free in limits)]
    names = [f"attempt {digest}" for digest, _ in limits]
    wait = redis.run(BEGIN, names, ["" if now is None else now, *numbers])
    return None if wait is None else float(wait)


@dataclass(frozen=True)
class Attempt:
    """An attempt that was counted as failed: where, and whether nobody else is counted there."""

    digests: tuple[str, ...]
    is_own: bool
    is_here: bool = True  # counted in the file of this machine
    is_together: bool = False  # counted in Redis

    def withdraw(self) -> None:
        """Take back what was counted, of an attempt that nobody has looked at."""
        self.take_back(is_own=False)

    def succeed(self) -> None:
        """Take back what was counted, and forget the failures before it if they were all of the same client.

        Those of others must stay: they would see, by the attempts that are heard again, that the account exists.
        """
        self.take_back(is_own=self.is_own)

    def take_back(self, *, is_own: bool) -> None:
        if self.is_here:
            self.take_back_here(is_own=is_own)
        redis = shared() if self.is_together else None
        if redis is not None:
            redis.run(SUCCEED, [f"attempt {digest}" for digest in self.digests], ["own" if is_own else "others'"])

    def take_back_here(self, *, is_own: bool) -> None:
        digests = [(digest,) for digest in self.digests]
        with or_log_why_not(), counts() as database:
            if is_own:
                database.executemany("DELETE FROM counts WHERE digest = ?", digests)
            else:
                database.executemany("UPDATE counts SET level = MAX(0, level - 1) WHERE digest = ?", digests)


def count_of(database: sqlite3.Connection, digest: str, free: int) -> Count:
    row = database.execute("SELECT level, counted_at FROM counts WHERE digest = ?", (digest,)).fetchone()
    return Count(digest, free, *(row or ()))


class Turns:
    """Who may have a password hashed: a few at once. A few more wait, so that threads are left for all else."""

    def __init__(self) -> None:
        self.free = threading.BoundedSemaphore(HASHED_AT_ONCE)
        self.waiting = threading.BoundedSemaphore(max(1, threads() // 8))

    @contextmanager
    def turn(self, attempt: Attempt) -> Iterator[None]:
        """Wait for a turn; withdraw the attempt and raise TooManyAttempts where none comes."""
        if not self.free.acquire(blocking=False) and not self.wait():
            attempt.withdraw()
            raise TooManyAttempts(1)
        try:
            yield
        finally:
            self.free.release()

    def wait(self) -> bool:
        if not self.waiting.acquire(blocking=False):
            return False
        try:
            return self.free.acquire(timeout=BUSY_SECONDS)
        finally:
            self.waiting.release()


turns = Turns()


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
