"""What differs is found as by the slow and certain way, in a number of steps that no text exceeds."""

from random import Random

import pytest

from folio.history.comparing import MOST_STEPS, PARTS, STEPS, Room, matches, pieces
from folio.history.differences import text_difference, within

RANDOM = Random(7)
HOSTILE = {  # lines of two texts of some 25 KB
    "all other": ([f"a{n}" for n in range(4000)], [f"b{n}" for n in range(4000)]),
    "turned round": ([str(n) for n in range(4000)], [str(n) for n in range(4000, 0, -1)]),
    "one character": ([""] * 12_000, ["a"] * 12_000),
    "two in turn": (["a", "b"] * 6000, ["b", "b", "a"] * 4000),
    "random": ([RANDOM.choice("abcd") for _ in range(12_000)], [RANDOM.choice("abcd") for _ in range(12_000)]),
}


def longest_common(old: str, new: str) -> int:
    lengths = [0] * (len(new) + 1)
    for one in old:
        above = 0
        for place, other in enumerate(new, start=1):
            length = above + 1 if one == other else max(lengths[place], lengths[place - 1])
            above, lengths[place] = lengths[place], length
    return lengths[-1]


def test_as_much_as_can_be_is_the_same() -> None:
    for _ in range(2000):
        old, new = ("".join(RANDOM.choices("abc", k=RANDOM.randrange(9))) for _ in range(2))

        found = pieces(old, new, Room())

        assert found is not None
        assert "".join(old[piece.first : piece.last] for piece in found) == old
        assert "".join(new[piece.start : piece.end] for piece in found) == new
        same = [piece for piece in found if piece.is_same]
        assert all(old[piece.first : piece.last] == new[piece.start : piece.end] for piece in same)
        assert sum(piece.last - piece.first for piece in same) == longest_common(old, new)


@pytest.mark.parametrize(("old", "new"), HOSTILE.values(), ids=HOSTILE)
def test_no_texts_take_more_steps(old: list[str], new: list[str]) -> None:
    room = Room()

    matches(old, new, room)

    assert STEPS - room.steps < MOST_STEPS + 2 * 12_000  # the step that was begun ends


@pytest.mark.parametrize(("old", "new"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("separator", ["\n", " "])
def test_no_texts_make_a_large_page(old: list[str], new: list[str], separator: str) -> None:
    room = Room()

    size = sum(len(text_difference(separator.join(old), separator.join(new), room)) for _ in range(40))

    assert room.steps > -MOST_STEPS
    assert size < 3_000_000


def test_a_word_that_changed_in_a_long_text_is_found() -> None:
    lines = [f"Line {number} says something." for number in range(800)]
    changed = [*lines[:500], "Line 500 says nothing.", *lines[501:]]

    html = text_difference("\n".join(lines), "\n".join(changed), Room())

    assert html.count("<del") == html.count("<ins") == 1
    assert len(html) < 1000


def test_a_list_ends_where_the_page_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def parts():  # type: ignore[no-untyped-def]
        nonlocal made
        while True:
            made += 1
            yield "part"

    shown = list(within(parts(), Room()))

    assert made == PARTS + 1
    assert "more than this page has room for" in shown[-1]
