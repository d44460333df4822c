"""Counts that machines share: in Redis, where FOLIO_REDIS_URL names one.

A count is one script, which Redis runs as one step. Where it doesn't answer, whoever finds it out has waited for a
quarter of a second; from then on nobody waits, and machines count for themselves, until one thread, which tries again
once a second while requests come, finds it there. docs/decisions/0063-limits.md tells why.
"""

import time
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import blake2b
from threading import Lock, Thread
from typing import Any

from django.conf import settings

from folio.outages import Outage

SECONDS = 0.25  # for an answer, and for a connection
PREFIX = "folio:"
NO_ANSWER = f"It did not answer within {SECONDS} seconds."


class RedisOutage(Outage):
    begins = "Redis does not answer; each machine counts requests and failed sign-ins for itself until it does. %s"
    ends = "Redis answers again, after %.1f seconds: machines count together. It had not: %s"


class Shared:
    """A Redis in which machines count together."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        import redis  # an extra
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self.errors = (redis.RedisError, OSError, ValueError)  # the last of what is no host's name
        self.client = redis.Redis.from_url(
            url,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            protocol=2,
            client_name="folio",
            # A connection that was closed while nobody used it is made again; what hangs is not asked twice.
            retry=Retry(NoBackoff(), 1, (redis.ConnectionError,)),
        )
        self.scripts = cache(self.client.register_script)
        self.outage = RedisOutage(clock)
        self.clock = clock
        self.lock = Lock()
        self.is_there = False  # as far as is known
        self.looking: Thread | None = None

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[float | str]) -> Any:
        """Run a script of Redis's on the counts of these names, and return what it does; None where there is no answer.

        Names are told to Redis as keyed digests alone.
        """
        if not self.answers():
            return None
        try:
            return self.scripts(script)([named(key) for key in keys], arguments)
        except self.errors as error:
            self.failed(error)
            return None

    def answers(self) -> bool:
        """Tell whether Redis is to be asked; wait to find it out only where nothing is known yet."""
        if self.is_there:
            return True
        looking = self.look()
        if self.outage.since is None:
            looking.join(SECONDS)
            if not self.is_there and self.outage.since is None:
                self.failed(NO_ANSWER)  # looking up a name has no bound of its own
        return self.is_there

    def look(self) -> Thread:
        """Return the thread that looks for Redis, a new one where the last look is a second ago."""
        with self.lock:
            has_ended = self.looking is not None and not self.looking.is_alive()
            if self.looking is None or (has_ended and self.clock() >= self.outage.until):
                self.looking = Thread(target=self.ping, name="redis", daemon=True)
                self.looking.start()
            return self.looking

    def ping(self) -> None:
        if (reason := self.problem()) is not None:
            self.failed(reason)
            return
        self.is_there = True
        self.outage.answered()

    def problem(self) -> str | None:
        """Ask Redis for any answer; return why there is none, or None."""
        try:
            self.client.ping()
        except self.errors as error:
            return str(error)
        return None

    def failed(self, why: object) -> None:
        self.is_there = False
        self.outage.failed(str(why))
        # What they lead to may be gone, though it was never said.
        self.client.connection_pool.disconnect(inuse_connections=False)


@cache
def shared_at(url: str) -> Shared:
    return Shared(url)


def shared() -> Shared | None:
    """Return where machines count together; None where each counts for itself."""
    return shared_at(settings.REDIS_URL) if settings.REDIS_URL else None


def named(name: str) -> str:
    """Return the key of a count in Redis, which doesn't tell what is counted but its kind: the name's first word."""
    return f"{PREFIX}{name.partition(' ')[0]}:{digest_of(name).hex()}"


def digest_of(name: str) -> bytes:
    key = str(settings.SECRET_KEY).encode()[:64]
    return blake2b(name.encode("utf-8", "surrogatepass"), key=key, digest_size=16).digest()
