"""What each worker tells of itself beside its requests, copied into its lane once a second, and when it is asked.

The rooms below count for themselves, in plain numbers, and know nothing of this. A worker that is killed takes the
counts of its last second with it.
"""

import os
from collections.abc import Callable
from multiprocessing import util
from threading import Lock, Thread
from time import sleep
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections

from folio import snapshots
from folio.api.middleware import Places, places
from folio.delivery.webhooks.outbox import tally as webhooks
from folio.media.decoding import open_pools
from folio.media.decoding import tally as decoders
from folio.postgresql.pools import pools
from folio.snapshots.caches import SnapshotCache
from folio.tasks.runner import runner

from ..connections import open_descriptors
from ..memory import resident_memory
from . import lanes
from .lanes import MEASURES

SECONDS = 1.0


class Measure(NamedTuple):
    """A number of this process: one that only grows, or one of the moment."""

    name: str
    labels: dict[str, str]
    read: Callable[[], float]
    grows: bool


HELP = {
    "folio_cache_hits": "Entries that were found in memory",
    "folio_cache_misses": "Entries that were looked for in memory and not found",
    "folio_cache_evictions": "Entries that made room for others",
    "folio_cache_bytes": "What is kept in memory takes",
    "folio_cache_limit_bytes": "What it may take",
    "folio_looks": "Looks whether anything was committed",
    "folio_snapshots": "Versions of the database that looks have found; each empties the memory",
    "folio_places": "Bodies that may be received at the same time",
    "folio_places_taken": "Bodies that are being received",
    "folio_places_refused": "Requests that found no place for their body, answered with 503",
    "folio_decoders": "Decoders that may be at work at the same time",
    "folio_decoders_busy": "Decoders at work",
    "folio_decoder_orders": "Files that decoders were given",
    "folio_decoder_starts": "Decoders that were started",
    "folio_decoders_lost": "Decoders that died or were ended for taking too long",
    "folio_decoder_waits": "Files that waited for a decoder",
    "folio_decoder_refusals": "Files for which no decoder became free in time",
    "folio_database_pool_connections": "Connections to PostgreSQL in the pools",
    "folio_database_pool_free": "Those that no request has",
    "folio_database_pool_limit": "Those that there may be",
    "folio_database_pool_waiting": "Requests that wait for a connection",
    "folio_database_pool_timeouts": "Requests for which no connection was free in time, answered with 503",
    "folio_task_attempts": "Tasks that were begun",
    "folio_task_failures": "Attempts at tasks that failed",
    "folio_webhook_attempts": "Messages to webhooks that were sent, by what became of them",
    "folio_worker_memory_bytes": "Memory that the worker takes, without its decoders",
    "folio_worker_open_files": "Files and connections that the worker has open",
}


def measures(responses: SnapshotCache | None) -> list[Measure]:
    """Return what a worker tells, whose cache of responses is this one; the same list in each worker of a server."""
    found: list[Measure] = []

    def grows(name: str, read: Callable[[], float], **labels: str) -> None:
        found.append(Measure(name, labels, read, True))

    def stands(name: str, read: Callable[[], float], **labels: str) -> None:
        found.append(Measure(name, labels, read, False))

    for name, cache in {"responses": responses or SnapshotCache(0), "documents": snapshots.documents}.items():
        grows("folio_cache_hits", lambda cache=cache: cache.hits, cache=name)  # type: ignore[misc]
        grows("folio_cache_misses", lambda cache=cache: cache.misses, cache=name)  # type: ignore[misc]
        grows("folio_cache_evictions", lambda cache=cache: cache.evictions, cache=name)  # type: ignore[misc]
        stands("folio_cache_bytes", lambda cache=cache: cache.size, cache=name)  # type: ignore[misc]
        stands("folio_cache_limit_bytes", lambda cache=cache: cache.limit, cache=name)  # type: ignore[misc]
    looks = snapshots.looks()
    grows("folio_looks", lambda: looks.begun if looks else 0)
    grows("folio_snapshots", lambda: looks.number if looks else 0)
    for name in ("uploads", "small", "rests"):
        stands("folio_places", lambda name=name: place(name).count, kind=name)  # type: ignore[misc]
        stands("folio_places_taken", lambda name=name: sum(place(name).taken.copy().values()), kind=name)  # type: ignore[misc]
        grows("folio_places_refused", lambda name=name: place(name).refused, kind=name)  # type: ignore[misc]
    stands("folio_decoders", lambda: sum(pool.count for pool in open_pools()))
    stands("folio_decoders_busy", lambda: sum(pool.busy for pool in open_pools()))
    grows("folio_decoder_orders", lambda: decoders.images)
    grows("folio_decoder_starts", lambda: decoders.started)
    grows("folio_decoders_lost", lambda: decoders.lost)
    grows("folio_decoder_waits", lambda: decoders.waited)
    grows("folio_decoder_refusals", lambda: decoders.refused)
    if connections[DEFAULT_DB_ALIAS].vendor == "postgresql":
        stands("folio_database_pool_connections", lambda: pools.stats().get("pool_size", 0))
        stands("folio_database_pool_free", lambda: pools.stats().get("pool_available", 0))
        stands("folio_database_pool_limit", lambda: pools.stats().get("pool_max", 0))
        stands("folio_database_pool_waiting", lambda: pools.stats().get("requests_waiting", 0))
        grows("folio_database_pool_timeouts", lambda: pools.timeouts)
    grows("folio_task_attempts", lambda: runner.attempts)
    grows("folio_task_failures", lambda: runner.failures)
    for outcome in ("delivered", "failed"):
        grows("folio_webhook_attempts", lambda outcome=outcome: webhooks[outcome], outcome=outcome)  # type: ignore[misc]
    stands("folio_worker_memory_bytes", lambda: resident_memory(os.getpid()))
    stands("folio_worker_open_files", open_descriptors)
    assert len(found) <= MEASURES
    return found


def place(name: str) -> Places:
    return places.get(name) or Places(1)


class Telling:
    """Copies what a worker tells of itself into its lane."""

    def __init__(self, responses: SnapshotCache | None) -> None:
        self.measures = measures(responses)
        _, self.lane = lanes.mine()
        # What a worker before this one has counted there.
        self.before = [self.lane.measure(index) if each.grows else 0.0 for index, each in enumerate(self.measures)]
        self.lock = Lock()

    def tell(self) -> None:
        with self.lock:
            for index, each in enumerate(self.measures):
                self.lane.tell(index, self.before[index] + each.read())

    def start(self) -> None:
        Thread(target=self.run, name="metrics", daemon=True).start()
        util.Finalize(None, self.tell, exitpriority=5)  # a worker calls no function of `atexit`

    def run(self) -> None:
        while True:
            self.tell()
            sleep(SECONDS)
