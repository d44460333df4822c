import threading

from .watches import Version, Watch


class Looks:
    """Takes looks for all threads of a process, and counts the snapshots that they find.

    A snapshot is a number that grows with every change; between two equal ones nothing was committed.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.turn = threading.Condition()
        self.is_looking = False
        self.begun = 0
        self.ended = 0
        self.version: Version | None = None
        self.number = 0
        self.found: int | None = None

    def snapshot(self) -> int | None:
        """Return the number of the snapshot that is current at some moment of this call, or None if it can't be told.

        Threads that wait together share one look, which began after all of them came.
        """
        with self.turn:
            wanted = self.begun + 1
            while self.is_looking and self.ended < wanted:
                self.turn.wait()
            if self.ended >= wanted:
                return self.found
            self.is_looking = True
            self.begun = wanted
        try:
            version = self.watch.look()
        except BaseException:
            self.end(None)
            raise
        return self.end(version)

    @property
    def generation(self) -> int | None:
        """The generation of the watch's connection at the last look that succeeded."""
        return None if self.version is None else self.version[0]

    def end(self, version: Version | None) -> int | None:
        with self.turn:
            if version is None or version != self.version:
                self.number += 1
                self.version = version
            self.found = None if version is None else self.number
            self.is_looking = False
            self.ended = self.begun
            self.turn.notify_all()
            return self.found
