"""What was read is not read again while nothing is committed: the database's version, and caches that follow it."""

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection

from folio.outages import outage
from folio.postgresql import servers

from .caches import SnapshotCache
from .looks import Looks
from .watches import watch_of

T = TypeVar("T")

SNAPSHOT = "folio.snapshot"  # in a request's environment: the snapshot that was current when it came
LOOKS = "folio.looks"  # there too: what found it, and can let it end at a moment
BUSY = "folio.busy"  # there too: that no turn came in which it could be computed
KEEP = "X-Folio-Keep"  # on an answer that may be given again: until when, in seconds since the epoch
documents = SnapshotCache(settings.DOCUMENT_CACHE_SIZE)


@cache
def looks() -> Looks | None:
    """Return this process's looks at the default database; None where its version can't be told."""
    watch = watch_of()
    if watch is None:
        return None
    found = Looks(watch, outage)
    if connection.vendor == "postgresql":
        servers.meetings.append(found.meet)
    return found


def usable(snapshot: int | None) -> int | None:
    """Return the snapshot, or None where nothing may be taken from a cache or put into one.

    Within a transaction a connection may see what others do not: its own changes, which can still be rolled back.
    """
    return None if connection.in_atomic_block else snapshot


def remember(snapshot: int | None, key: Hashable, compute: Callable[[], T], size: int) -> T:
    """Return what `compute` returned in this snapshot, asking it only if need be; `size` is about what it takes."""
    snapshot = usable(snapshot)
    if snapshot is None:
        return compute()
    value: Any = documents.get(snapshot, key)
    if value is None:
        value = compute()
        if value is not None:  # what is not there takes no room: keys that guess would drive out all that is
            documents.put(snapshot, key, value, size)
    return value
