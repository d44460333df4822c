import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Any

SHARE = 8  # one entry may take this part of the bound at the most


class SnapshotCache:
    """What was computed from the newest snapshot seen, bounded in bytes; the least recently used goes first.

    A newer snapshot empties it; an older one, of a request that began before, finds nothing and leaves nothing.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit  # bytes
        self.size = 0
        self.number = 0
        self.hits = self.misses = self.evictions = 0  # since the process began, for whoever watches it
        self.entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, snapshot: int, key: Hashable) -> Any:
        """Return the value kept under the key in that snapshot, or None."""
        with self.lock:
            entry = self.entries.get(key) if snapshot == self.number or self.is_current(snapshot) else None
            if entry is None:
                self.misses += 1
                return None
            self.hits += 1
            self.entries.move_to_end(key)
            return entry[0]

    def get_many(self, snapshot: int, keys: Iterable[Hashable]) -> dict[Any, Any]:
        """Return the values kept under these keys in that snapshot."""
        found: dict[Any, Any] = {}
        with self.lock:
            is_current = self.is_current(snapshot)
            for key in keys:
                entry = self.entries.get(key) if is_current else None
                if entry is None:
                    self.misses += 1
                else:
                    self.hits += 1
                    self.entries.move_to_end(key)
                    found[key] = entry[0]
        return found

    def put(self, snapshot: int, key: Hashable, value: Any, size: int) -> None:
        """Keep a value of `size` bytes, its key and overhead included."""
        with self.lock:
            if not self.is_current(snapshot):
                return
            self.discard(key)
            if size > self.limit // SHARE:
                return
            self.entries[key] = (value, size)
            self.size += size
            while self.size > self.limit:
                self.discard(next(iter(self.entries)))
                self.evictions += 1

    def discard(self, key: Hashable) -> None:
        entry = self.entries.pop(key, None)
        if entry is not None:
            self.size -= entry[1]

    def is_current(self, snapshot: int) -> bool:
        if snapshot > self.number:
            self.entries.clear()
            self.size = 0
            self.number = snapshot
        return snapshot == self.number
