"""The memory in which a server counts: the parent makes it before it forks, and every worker sees all of it.

Each worker has a lane to itself, so nobody waits for another process. When a worker dies its counts stay, and the next
worker that gets the lane goes on from them: so a sum over all lanes never becomes less. What a worker tells of the
moment holds only while its lane has a living owner. The memory ends with the last process; nothing is left on a disk.
"""

import mmap
import os
from collections.abc import Iterator
from threading import Lock
from typing import NamedTuple

NUMBER_BYTES = 8
OWNER, WORKER, USED = 0, 1, 2  # the head's numbers: the owner's process id, its number, and the records in use
HEAD = 8
MEASURES = 128  # numbers that a worker tells of itself, at the most: `measures` says which
BUCKETS = 15  # of each record, the last one for what took longest
NUMBERS = BUCKETS + 1  # and the seconds in all
RECORDS = 2048  # different kinds of requests that are told apart
LONGEST = 192  # bytes of what a record is of
STARTED, DIED, RENEWED = 0, 1, 2  # the parent's numbers
PARENTS = 8
LANE = HEAD + MEASURES + RECORDS * NUMBERS  # numbers
SEPARATOR = "\0"
OTHER = "other"  # the route of requests for which no record is left

Kind = tuple[str, ...]  # of requests: route, method, status, and whether memory has answered


class Record(NamedTuple):
    """How many requests of a kind took how long."""

    kind: Kind
    buckets: list[float]
    seconds: float


class Lane:
    """One worker's part of the memory, in which only that worker writes."""

    def __init__(self, numbers: "memoryview[float]", names: "memoryview[int]") -> None:
        self.numbers = numbers
        self.names = names
        self.lock = Lock()
        self.places: dict[Kind, int] = {}

    def take(self, worker: int) -> None:
        """Make the lane this process's, with the counts that it has; `worker` is its number among the workers."""
        self.lock = Lock()
        self.places = {kind: self.place(index) for index, kind in enumerate(self.kinds())}
        self.numbers[WORKER] = worker
        self.numbers[OWNER] = os.getpid()

    @property
    def owner(self) -> int:
        return int(self.numbers[OWNER])

    @property
    def worker(self) -> int:
        return int(self.numbers[WORKER])

    def leave(self) -> None:
        """Have nobody own the lane; its counts stay."""
        self.numbers[OWNER] = 0

    def measure(self, index: int) -> float:
        return self.numbers[HEAD + index]

    def tell(self, index: int, value: float) -> None:
        self.numbers[HEAD + index] = value

    @staticmethod
    def place(index: int) -> int:
        return HEAD + MEASURES + index * NUMBERS

    def place_of(self, kind: Kind) -> int:
        """Return where requests of a kind are counted, by a new record where there is none yet."""
        with self.lock:
            found = self.places.get(kind)
            if found is None:
                found = self.places[kind] = self.new_place(kind)
            return found

    def new_place(self, kind: Kind) -> int:
        name = SEPARATOR.join(kind).encode()
        used = int(self.numbers[USED])
        if len(name) > LONGEST or used >= RECORDS - 1:
            rest = (OTHER, "", "", "")  # the last record is kept for it
            return self.places[rest] if rest in self.places else self.begin(RECORDS - 1, rest)
        place = self.begin(used, kind)
        self.numbers[USED] = used + 1  # last: whoever reads meanwhile sees the whole record or none
        return place

    def begin(self, index: int, kind: Kind) -> int:
        name = SEPARATOR.join(kind).encode()
        self.names[index * LONGEST : index * LONGEST + len(name)] = name
        self.places[kind] = self.place(index)
        return self.place(index)

    def kinds(self) -> Iterator[Kind]:
        """Yield what each record in use is of."""
        for index in range(int(self.numbers[USED])):
            yield self.kind(index)

    def kind(self, index: int) -> Kind:
        name = bytes(self.names[index * LONGEST : (index + 1) * LONGEST])
        return tuple(name.rstrip(b"\0").decode().split(SEPARATOR))

    def records(self) -> Iterator[Record]:
        for index in [*range(int(self.numbers[USED])), RECORDS - 1]:
            place = self.place(index)
            numbers = list(map(float, self.numbers[place : place + NUMBERS]))
            if any(numbers):
                kind = self.kind(index) if index < RECORDS - 1 else (OTHER, "", "", "")
                yield Record(kind, numbers[:BUCKETS], numbers[BUCKETS])


class Lanes:
    """All lanes of a server, and what its parent counts."""

    def __init__(self, count: int) -> None:
        """Make the memory; the system gives pages of it only where something is written."""
        size = PARENTS * NUMBER_BYTES + count * LANE * NUMBER_BYTES
        self.memory = memoryview(mmap.mmap(-1, size + count * RECORDS * LONGEST))
        numbers = self.memory[:size].cast("d")
        names = self.memory[size:]
        self.parents = numbers[:PARENTS]
        self.all = [
            Lane(
                numbers[PARENTS + index * LANE : PARENTS + (index + 1) * LANE],
                names[index * RECORDS * LONGEST : (index + 1) * RECORDS * LONGEST],
            )
            for index in range(count)
        ]
        self.given: set[int] = set()  # as the parent knows

    # What the parent does

    def begins(self) -> int | None:
        """Give a lane to a worker that is about to be started, and count it; None where there are too many."""
        self.parents[STARTED] += 1
        free = next((index for index in range(len(self.all)) if index not in self.given), None)
        if free is not None:
            self.given.add(free)
        return free

    def ends(self, lane: int | None, *, has_died: bool) -> None:
        self.parents[DIED] += has_died
        if lane is not None:
            self.given.discard(lane)
            self.all[lane].leave()

    def renews(self) -> None:
        self.parents[RENEWED] += 1

    # What its workers do

    def use(self, lane: int | None, worker: int) -> None:
        """Count in a lane from now on; without one, where nobody sees it."""
        global own, lanes
        lanes = self
        own = self.all[lane] if lane is not None else Lanes(1).all[0]
        own.take(worker)


own: Lane | None = None  # this process's
lanes: Lanes | None = None  # the server's


def mine() -> tuple[Lanes, Lane]:
    """Return the server's lanes, and this process's; one that `folio serve` has not forked has some of its own."""
    global own, lanes
    if own is None or lanes is None or own.owner != os.getpid():
        made = Lanes(1)
        made.use(0, 1)
        made.parents[STARTED] = 1
    assert own is not None
    assert lanes is not None
    return lanes, own


def of(workers: int) -> Lanes:
    """Return lanes for a server with so many workers, of which each may be renewed while its old one finishes."""
    return Lanes(2 * workers + 6)
