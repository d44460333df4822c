import threading
import time
from collections.abc import Callable
from math import inf

from .watches import Version, Watch


class Looks:
    """Takes looks for all threads of a process, and counts the snapshots that they find.

    A snapshot is a number that grows with every change; between two equal ones nothing was committed, and no moment
    passed of which was told that it changes what is read.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.turn = threading.Lock()
        self.begun = 0
        self.ended = 0
        self.version: Version | None = None
        self.number = 0
        self.found: int | None = None
        self.began = inf  # when the snapshot did, or a little before, in seconds since the epoch
        self.ends = inf  # when it ends though nothing is committed, once that was asked
        self.held: int | None = None  # the snapshot of which it was

    def snapshot(self) -> int | None:
        """Return the number of the snapshot that is current at some moment of this call, or None if it can't be told.

        Threads that wait together share one look, which began after all of them came.
        """
        wanted = self.begun + 1  # the first look that begins from now on
        with self.turn:
            if self.ended < wanted:
                self.look()
            return self.found

    def look(self) -> None:
        self.begun += 1
        version = None
        now = time.time()
        try:
            version = self.watch.look()
        finally:
            # Before it began only a clock that was set back can be: what was read then may be to come again.
            if version is None or version != self.version or not self.began <= now < self.ends:
                self.number += 1
                self.version = version
                self.began, self.ends = now, inf
            self.found = None if version is None else self.number
            self.ended = self.begun

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

    @property
    def generation(self) -> int | None:
        """The generation of the watch's connection at the last look that succeeded."""
        return None if self.version is None else self.version[0]
