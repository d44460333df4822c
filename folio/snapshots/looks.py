import threading
import time
from collections.abc import Callable
from math import inf

from django.conf import settings
from django.db import OperationalError

from folio.outages import IMPATIENCE, Outage, threads
from folio.postgresql.servers import renewals

from .watches import Version, Watch


class Looks:
    """Takes looks for all threads of a process, and counts the snapshots that they find.

    A snapshot is a number that grows with every change; between two equal ones nothing was committed, and no moment
    passed of which was told that it changes what is read.
    """

    def __init__(self, watch: Watch, outage: Outage | None = None) -> None:
        self.watch = watch
        self.outage = outage or Outage()
        self.turn = threading.Lock()
        self.patient = threading.Semaphore(max(1, threads() // 8))  # who may wait for as long as a look may take
        self.begun = 0
        self.ended = 0
        self.version: Version | None = None
        self.generation: int | None = None  # of the watch's connection, at the last look where that succeeded
        self.number = 0
        self.found: int | None = None
        self.began = inf  # when the snapshot did, or a little before, in seconds since the epoch
        self.ends = inf  # when it ends though nothing is committed, once that was asked
        self.held: int | None = None  # the snapshot of which it was

    def snapshot(self) -> int | None:
        """Return the number of the snapshot that is current at some moment of this call, or None if it can't be told.

        Threads that wait together share one look, which began after all of them came. Where the database does not
        answer, one of them waits until that is clear, and nobody tries for a while after.
        """
        outage = self.outage
        if outage.since is not None and outage.is_known:
            return None
        wanted = self.begun + 1  # the first look that begins from now on
        if not self.turn.acquire(False) and (outage.is_on or not self.wait_for_turn()):
            return None
        try:
            if self.ended < wanted:
                if outage.since is not None and outage.is_known:
                    return None
                self.look()
            return self.found
        finally:
            self.turn.release()

    def wait_for_turn(self) -> bool:
        """Wait while others look: no longer than a look takes that fails, and a short while where many wait already."""
        is_patient = self.patient.acquire(blocking=False)
        try:
            return self.turn.acquire(timeout=2 * settings.LOOK_SECONDS + IMPATIENCE if is_patient else IMPATIENCE)
        finally:
            if is_patient:
                self.patient.release()

    def look(self) -> None:
        self.begun += 1
        version = None
        before, generation = self.version, self.generation
        now = time.time()
        try:
            version = self.watch.look()
        finally:
            # Before it began only a clock that was set back can be: what was read then may be to come again.
            if version is None or version != before or not self.began <= now < self.ends:
                self.number += 1
                self.version = version
                self.generation = None if version is None else version[0]
                self.began, self.ends = now, inf
            self.found = None if version is None else self.number
            self.ended = self.begun
        if version is None:
            self.outage.failed(self.watch.reason)
            return
        if self.outage.since is not None:
            self.outage.answered()
        if version[0] != generation:
            for step in renewals:
                step()

    def meet(self, server: str) -> None:
        """Look anew where a new connection has found another server than the watch's; refuse one that stays another.

        What was read before is then of another generation, and kept by nobody.
        """
        if server != self.watch.server:  # type: ignore[attr-defined]
            self.doubt()
            self.snapshot()
            if server != self.watch.server:  # type: ignore[attr-defined]
                raise OperationalError("The database's address leads to more than one server.")

    def doubt(self) -> None:
        """Have the next look find out anew where the database is."""
        getattr(self.watch, "doubt", lambda: None)()

    def hold(self, snapshot: int, next_moment: Callable[[float], float]) -> float:
        """Return when a snapshot ends though nothing is committed, and let it end then, in seconds since the epoch.

        `next_moment` tells, for the moment at which the snapshot began, the next one that changes what is read. That is
        asked of the snapshot's beginning, and not of now: what was read before now may be from before a moment that has
        passed since. It is asked once for each snapshot that lasts. One that is over already has ended at -infinity.
        """
        with self.turn:
            if snapshot != self.number or time.time() < self.began:
                return -inf
            began, ends, is_known = self.began, self.ends, snapshot == self.held
        if is_known:
            return ends
        ends = next_moment(began)
        with self.turn:
            if snapshot == self.number:
                self.ends, self.held = ends, snapshot
        return ends
