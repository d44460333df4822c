"""What differs between two sequences, found in a bounded number of steps."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

MOST_STEPS = 50_000  # of one comparison
STEPS, PARTS, CHARACTERS = 500_000, 5_000, 500_000  # of a page


class Room:
    """What a page may still take: comparisons, pieces that differ, and characters of texts.

    Each entry of a history may be of two texts that differ in every word. Twenty of them on a page would keep everyone
    waiting, and the browser busy with a page of megabytes.
    """

    def __init__(self) -> None:
        self.steps = STEPS
        self.parts = PARTS
        self.characters = CHARACTERS

    def take(self, parts: int = 1, characters: int = 0) -> bool:
        """Take room for something that is to be shown; tell whether there was any."""
        if parts > self.parts or characters > self.characters:
            return False
        self.parts -= parts
        self.characters -= characters
        return True


class Piece(NamedTuple):
    """A part of two sequences, from and to where it reaches in each: the same in both, or not."""

    is_same: bool
    first: int
    last: int
    start: int
    end: int


def pieces(old: Sequence[str], new: Sequence[str], room: Room) -> list[Piece] | None:
    """Return what is the same and what differs, in order; None where that takes too many steps.

    What is common at both ends is found by a walk; what is between, by Myers' algorithm, which takes the fewer steps
    the less differs ("An O(ND) Difference Algorithm and Its Variations", 1986).
    """
    start, ends = 0, 0
    most = min(len(old), len(new))
    while start < most and old[start] == new[start]:
        start += 1
    while ends < most - start and old[-1 - ends] == new[-1 - ends]:
        ends += 1
    inner = matches(old[start : len(old) - ends], new[start : len(new) - ends], room)
    if inner is None:
        return None
    pairs = [*((at, at) for at in range(start)), *((a + start, b + start) for a, b in inner)]
    pairs += [(len(old) - left, len(new) - left) for left in range(ends, 0, -1)]
    return list(pieces_of(pairs, len(old), len(new)))


def pieces_of(pairs: list[tuple[int, int]], old_size: int, new_size: int) -> Iterator[Piece]:
    """Yield the pieces between and of the places that are the same in both."""
    place = first = start = 0
    while True:
        a, b = pairs[place] if place < len(pairs) else (old_size, new_size)
        if first < a or start < b:
            yield Piece(False, first, a, start, b)
        if place == len(pairs):
            return
        size = 1
        while place + size < len(pairs) and pairs[place + size] == (a + size, b + size):
            size += 1
        first, start = a + size, b + size
        yield Piece(True, a, first, b, start)
        place += size


def matches(old: Sequence[str], new: Sequence[str], room: Room) -> list[tuple[int, int]] | None:
    """Return the places in both of what is the same, as many as can be in order; None after too many steps."""
    reached = {1: 0}  # on each diagonal, how far into the old one
    trace: list[dict[int, int]] = []
    least = max(0, room.steps - MOST_STEPS)
    for changes in range(len(old) + len(new) + 1):
        trace.append(dict(reached))
        room.steps -= len(reached)
        for diagonal in range(-changes, changes + 1, 2):
            came_by = diagonal_before(reached, diagonal, changes)
            begin = a = reached[came_by] + (came_by < diagonal)
            while a < len(old) and a - diagonal < len(new) and old[a] == new[a - diagonal]:
                a += 1
            reached[diagonal] = a
            room.steps -= 1 + a - begin
            if room.steps <= least:
                return None
            if a >= len(old) and a - diagonal >= len(new):
                return path(trace, len(old), len(new))
    return []


def diagonal_before(reached: dict[int, int], diagonal: int, changes: int) -> int:
    """Return from which diagonal the furthest way comes: from above by one more of the new, from below of the old."""
    if diagonal == -changes or (diagonal != changes and reached[diagonal - 1] < reached[diagonal + 1]):
        return diagonal + 1
    return diagonal - 1


def path(trace: list[dict[int, int]], a: int, b: int) -> list[tuple[int, int]]:
    """Return the places that are the same on the way that was found, walked from its end."""
    pairs: list[tuple[int, int]] = []
    for changes in range(len(trace) - 1, -1, -1):
        reached, diagonal = trace[changes], a - b
        came_by = diagonal_before(reached, diagonal, changes)
        begin = reached[came_by] + (came_by < diagonal)
        while a > begin:
            a, b = a - 1, b - 1
            pairs.append((a, b))
        a = reached[came_by]
        b = a - came_by
    return pairs[::-1]
