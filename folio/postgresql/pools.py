"""The connections of a process that serves: kept, bounded, and let go when the database is another one.

They are psycopg's pool, one for each database and process. What Folio does otherwise than Django's use of it:

- There is a pool only where requests are served. Commands, and the parent of the workers, have plain connections: what
  a process had opened before it forks, the children would share.
- A connection is not asked `SELECT 1` before each use. Every request begins with a look at the database's version, on
  a connection of its own; where that one broke, or leads to another server, the pool is replaced as a whole.
- What was drained is closed, not emptied: a connection that another thread has at the moment, or that is just being
  made, can't come back into the pool of the new server.
- Who waits for a connection where there is none, and none can be made, is told why at once.
"""

import atexit
import logging
import os
from threading import Lock, Thread
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from . import servers

WAIT = 5  # seconds that a request waits for a connection, before it is told to come again
UNUSED = 60  # seconds, after each of which one connection is closed that was not needed meanwhile
TRIES = 10  # at a pool that is replaced whenever it is asked

logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # its warnings are told by the requests that they let fail


class Pool(ConnectionPool[Any]):
    """psycopg's pool, which remembers why a connection could not be made."""

    failure: Exception | None = None  # for which there is no connection at all
    problem: Exception | None = None  # of the last attempt

    def _connect(self, timeout: float | None = None) -> Any:
        try:
            return super()._connect(timeout)
        except Exception as error:
            self.problem = error
            raise

    def reconnect_failed(self) -> None:
        """Called by the pool after two attempts in a row: have nobody wait where there is nothing to wait for."""
        if self.get_stats()["pool_size"] <= 0:
            self.failure = self.problem
            pools.retire(self)


class Pools:
    """The pools of this process by their databases' names in the settings."""

    def __init__(self) -> None:
        self.most: int | None = None  # connections that a pool has at the most; None where there is no pool
        self.epoch = 0  # how often they were drained
        self.timeouts = 0  # how often no connection was free in time
        self.begin_anew()

    def begin_anew(self) -> None:
        self.lock = Lock()
        self.open: dict[str, Pool] = {}

    def begin(self, most: int) -> None:
        """Pool the connections of this process from now on, so many at the most."""
        self.most = most

    def of(self, database: Any) -> Pool | None:
        """Return the pool of a database, opened; None where its connections are not pooled."""
        options = database.settings_dict.get("OPTIONS", {}).get("pool")
        if self.most is None or not options or database.alias not in connections.settings:
            return None
        with self.lock:
            pool = self.open.get(database.alias)
            if pool is None:
                pool = self.open[database.alias] = make_pool(database, options, self.most)
        return pool

    def take(self, database: Any) -> Any:
        """Return a connection; raise psycopg's OperationalError where none is free in time, or can be made."""
        for _ in range(TRIES):
            pool = self.of(database)
            assert pool is not None
            try:
                return pool.getconn()
            except PoolTimeout:
                with self.lock:
                    self.timeouts += 1
                raise
            except PoolClosed as error:
                if pool.failure is not None:
                    raise psycopg.OperationalError(str(pool.failure).strip()) from error
        raise psycopg.OperationalError("The connections to the database are being closed.")

    def retire(self, pool: Pool) -> None:
        """Close a pool, and have the next one who asks open another one."""
        with self.lock:
            for alias in [alias for alias, each in self.open.items() if each is pool]:
                del self.open[alias]
        # It waits for the pool's own threads, of which the caller may be one.
        Thread(target=pool.close, kwargs={"timeout": 0}, name="pool", daemon=True).start()

    def drain(self, alias: str = DEFAULT_DB_ALIAS) -> None:
        with self.lock:
            self.epoch += 1
            pool = self.open.get(alias)
        if pool is not None:
            self.retire(pool)

    def stats(self) -> dict[str, int]:
        """Return what psycopg's pools tell of themselves, all together, without a question to any database."""
        with self.lock:
            opened = list(self.open.values())
        found: dict[str, int] = {}
        for pool in opened:
            for name, value in pool.get_stats().items():
                found[name] = found.get(name, 0) + value
        return found

    def close(self) -> None:
        with self.lock:
            opened, self.open = list(self.open.values()), {}
        for pool in opened:
            pool.close(timeout=0)


def make_pool(database: Any, options: dict[str, Any], most: int) -> Pool:
    """Return a pool of a database as it is set up, with its threads started; it connects when it is asked to."""
    pool = Pool(
        connection_class=database.Database.connect.__self__,
        kwargs={**database.get_connection_params(), "autocommit": True},
        open=False,
        configure=database._configure_connection,
        min_size=0,
        timeout=WAIT,
        max_idle=UNUSED,
        reconnect_timeout=0,  # no attempts later and later: the next request makes one
        num_workers=2,
        name=f"folio-{database.alias}",
        **{**options, "max_size": min(most, options["max_size"])},
    )
    pool.open()
    return pool


pools = Pools()
left: list[dict[str, Pool]] = []


def leave_to_the_parent() -> None:
    """Forget, in a forked child, what is the parent's; it is kept, for its end would end the parent's connections."""
    left.append(pools.open)
    pools.begin_anew()


os.register_at_fork(after_in_child=leave_to_the_parent)
atexit.register(pools.close)


def begin(most: int) -> None:
    """Pool the connections of this process, which serves with so many threads: more than these are of no use."""
    if "pool" in settings.DATABASES[DEFAULT_DB_ALIAS].get("OPTIONS", {}):
        pools.begin(most)


def drain(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Let go all connections to a server that may not be the database any more; none of them is used for a new request.

    Those that are at work for one are closed when it ends.
    """
    pools.drain(alias)


servers.renewals.append(drain)


def give_back() -> None:
    """Give this thread's connection to others while it waits for something else than the database.

    Within a transaction it stays; where nothing is pooled too, for to make one takes longer than to keep it.
    """
    if pools.most is None:
        return
    for database in connections.all(initialized_only=True):
        if database.connection is not None and not database.in_atomic_block:
            database.close()
