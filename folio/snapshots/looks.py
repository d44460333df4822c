import threading

from .watches import Version, Watch


class Looks:
    """Takes looks for all threads of a process, and counts the snapshots that they find.

    A snapshot is a number that grows with every change; between two equal ones nothing was committed.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.turn = threading.Lock()
        self.begun = 0
        self.ended = 0
        self.version: Version | None = None
        self.number = 0
        self.found: int | None = None

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
        try:
            version = self.watch.look()
        finally:
            if version is None or version != self.version:
                self.number += 1
                self.version = version
            self.found = None if version is None else self.number
            self.ended = self.begun

    @property
    def generation(self) -> int | None:
        """The generation of the watch's connection at the last look that succeeded."""
        return None if self.version is None else self.version[0]
