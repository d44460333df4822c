"""What is done for each request, which may be answered from memory in some microseconds: two numbers are added to."""

from bisect import bisect_left

from . import lanes
from .lanes import BUCKETS

# Seconds. Answers from memory take some ten microseconds, uploads and exports many seconds.
BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STATIC, UNMATCHED = "/static/", "unmatched"
assert len(BOUNDS) == BUCKETS - 1


class Counting:
    """Counts the requests that this process has answered."""

    def __init__(self) -> None:
        _, self.lane = lanes.mine()
        self.numbers = self.lane.numbers
        self.lock = self.lane.lock
        self.places: dict[tuple[str, str, int, str | None], int] = {}  # of kinds that were seen here already

    def place_of(self, route: str, method: str, status: int, memory: str | None, path: str) -> int:
        """Return where requests of a kind are counted: what anyone may send has no part in how many kinds there are.

        `route` is the pattern of the address, `memory` is `hit` or `miss` where memory might have answered.
        """
        if not route:
            route = STATIC if path.startswith(STATIC) else UNMATCHED
        if method not in METHODS:
            method = "other"
        kind = route, method, status, memory
        place = self.places.get(kind)
        if place is None:
            place = self.places[kind] = self.lane.place_of((route, method, str(status), memory or ""))
        return place

    def count(self, place: int, seconds: float) -> None:
        with self.lock:
            self.numbers[place + bisect_left(BOUNDS, seconds)] += 1
            self.numbers[place + BUCKETS] += seconds
