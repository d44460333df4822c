"""What the server's processes take of the machine: memory, open files, threads."""

import gc
import resource
from contextlib import suppress
from importlib import import_module

from django.conf import settings

from folio.api.middleware import THREADS

# An upload holds a thread for as long as its client sends. The workers share so many, and each has some of its own; the
# reasons and the measurement are in docs/decisions/0010-threads-and-connections.md.
MIN_THREADS = 8
MAX_FILES = 8192
# What `folio.wsgi`, which begins to serve as it is loaded, puts together.
LOADED = (
    "folio.api.handler",
    "folio.postgresql.pools",
    "folio.postgresql.timeouts",
    "folio.server.migrating",
    "folio.server.requests",
    "folio.snapshots.front",
    "folio.tasks.runner",
)


def load_program() -> None:
    """Load what workers answer with: they share it, and one that begins later has it as it was.

    While a newer version is laid in its place, a worker that read half of it would not even start.
    """
    layers = (name.rpartition(".")[0] for name in settings.MIDDLEWARE)
    watched = ("folio.server.metrics",) if settings.METRICS else ()
    for name in (*LOADED, *watched, settings.ROOT_URLCONF, *layers):
        import_module(name)


def share_memory() -> None:
    """Leave what is loaded as it lies: each worker that looked through it for garbage would get a copy of its own."""
    gc.collect()
    gc.freeze()


def raise_file_limit() -> None:
    """Allow the workers more open files than the 1,024 that are usual: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # macOS names a limit that it does not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def threads_of(workers: int) -> int:
    """Return how many threads each of the workers gets by default."""
    return max(MIN_THREADS, THREADS // workers)
