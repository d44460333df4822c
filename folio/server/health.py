"""Whether a server lives, and whether it can be sent requests: asked by whatever distributes them, and by people.

`/healthz` asks nothing of anything: who has its answer knows that the process answers. `/readyz` looks at what
requests need, once a second at most however often it is asked, and waits for nothing longer than a second; for a bucket
three, once in five. What hangs is looked at by a thread of its own, of which there is one. Nothing here is written, and
nothing secret is told.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from math import inf
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from django.conf import settings

from folio import __version__
from folio.media.journal import RESERVE

from .applied import PARTS, state_of_database
from .draining import is_draining
from .peers import WORDS, peers

LIVES, READY = "/healthz", "/readyz"
PATHS = frozenset({LIVES, READY})
OK = "ok"
# Words for what requests are answered with, be it without a backup; all others are a 503.
FINE = {OK, "newer", "unknown", "failed", "late", "none", *WORDS.values()}
NO_ANSWER = "no answer"
FRESH = 1.0  # seconds for which what was found is told to whoever asks
STALE = 3.0  # seconds for which it is told to others while one waits for what is found next
PATIENCE = 1.0  # seconds for a look
BUCKET_FRESH, BUCKET_PATIENCE = 5.0, 3.0  # the same for one at a bucket
Parts = dict[str, str]
V = TypeVar("V")


class Part(Protocol):
    """Something of which a word or two are told."""

    def parts(self) -> Parts:
        """Return a word for each part."""


class Looking(Generic[V]):
    """Looks at parts of the system, by a thread that may hang: who waits for it does so for a bounded time."""

    def __init__(
        self,
        look: Callable[[], dict[str, V]],
        names: Iterable[str],
        clock: Callable[[], float] = time.monotonic,
        *,
        fresh: float | None = None,
        patience: float | None = None,
    ) -> None:
        self.look = look
        self.fresh = FRESH if fresh is None else fresh
        self.stale = self.fresh + STALE - FRESH
        self.patience = PATIENCE if patience is None else patience
        self.unknown: dict[str, Any] = dict.fromkeys(names, NO_ANSWER)
        self.clock = clock
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self.begun = 0.0
        self.found: dict[str, V] = self.unknown
        self.at = -inf  # when it was found

    def parts(self) -> dict[str, V]:
        """Return what was found a moment ago; that nothing has an answer, where a look takes too long.

        Whoever comes first waits for the look. Others, who would take all threads of the server, are told what the
        look before has found.
        """
        with self.lock:
            now = self.clock()
            if now - self.at < self.fresh:
                return self.found
            is_first = self.thread is None or not self.thread.is_alive()
            if is_first:
                self.begun = now
                self.thread = threading.Thread(target=self.run, name="health", daemon=True)
                self.thread.start()
            elif now - self.at < self.stale:
                return self.found
            thread, left = self.thread, self.begun + self.patience - now
        assert thread is not None
        thread.join(max(0, left))
        with self.lock:
            if thread.is_alive() and thread is self.thread:
                self.keep(self.unknown)
            return self.found

    def run(self) -> None:
        try:
            found = self.look()
        except Exception:
            found = self.unknown
        with self.lock:
            self.keep(found)

    def keep(self, found: dict[str, V]) -> None:
        self.found, self.at = found, self.clock()


class Health:
    """Answers `/healthz` and `/readyz`, for any host and by any scheme."""

    paths = PATHS

    def __init__(self, looking: Iterable[Part] | None = None) -> None:
        self.looking: Iterable[Part] = looking or (
            Looking(state_of_database, PARTS),
            Looking(state_of_files, ("storage", "disk")),  # a disk of the network may hang, too
            peers,  # which looks by itself
        )
        if looking is None and settings.MEDIA_BUCKET is not None:
            self.looking = (
                *self.looking,
                Looking(state_of_bucket, ("storage",), fresh=BUCKET_FRESH, patience=BUCKET_PATIENCE),
            )

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        method = environ["REQUEST_METHOD"]
        if method not in {"GET", "HEAD"}:
            return answer(
                start_response, 405, {"detail": f"Ask {environ['PATH_INFO']} by GET."}, ("Allow", "GET, HEAD")
            )
        status, told = (200, {"status": OK}) if environ["PATH_INFO"] == LIVES else self.readiness()
        body = answer(start_response, status, told)
        return body if method == "GET" else []

    def readiness(self) -> tuple[int, dict[str, Any]]:
        """Return the status of `/readyz`, and what it tells: a word for each part."""
        parts = {"server": "stopping" if is_draining() else OK}  # of this moment
        for looking in self.looking:
            for name, word in looking.parts().items():
                if parts.get(name, OK) in FINE:  # what two of them look at is as good as the worse
                    parts[name] = word
        is_ready = set(parts.values()) <= FINE
        told = {"status": "ready" if is_ready else "not ready", "version": __version__, "parts": parts}
        return (200 if is_ready else 503), told


def answer(start_response: Callable[..., Any], status: int, told: Any, *headers: tuple[str, str]) -> list[bytes]:
    body = msgspec.json.encode(told) + b"\n"
    start_response(
        f"{status} {HTTPStatus(status).phrase}",
        [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *headers,
        ],
    )
    return [body]


def state_of_files() -> Parts:
    """Tell whether uploads could be stored, and whether the disk has more room than what is kept in reserve.

    Nothing is written: to write and remove a file would wear the disk, take a place in the journal, and on a full one
    fail when nobody uploads. What is asked is what a write would meet: permissions, a disk that the system has made
    read-only after errors, one that is not mounted.
    """
    folders = [settings.FILE_UPLOAD_TEMP_DIR, settings.JOURNAL_ROOT]
    if settings.MEDIA_BUCKET is None:
        folders.insert(1, settings.MEDIA_ROOT)
    places = [there(Path(folder)) for folder in folders]
    is_writable = all(os.access(place, os.W_OK | os.X_OK) for place in places)
    has_room = all(free(place) >= RESERVE for place in set(places[:2]))
    return {"storage": OK if is_writable else "not writable", "disk": OK if has_room else "full"}


def state_of_bucket() -> Parts:
    """Tell whether files in object storage can be read. That costs a request there, and so is asked seldom."""
    from folio.media.promises import state  # whose library is there where a bucket is

    return {"storage": state()}


def there(folder: Path) -> Path:
    """Return a folder, or the one in which it would be made: the first upload makes its own."""
    return next((place for place in (folder, *folder.parents) if place.is_dir()), folder)


def free(folder: Path) -> int:
    """Return the bytes of a folder's disk that are free for us."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
