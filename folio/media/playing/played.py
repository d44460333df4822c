"""What is known of a film or a sound."""

import math
from fractions import Fraction
from typing import NamedTuple

from ..refusals import Refusal, gettext_noop

LARGEST = 65_535  # pixels; more is no size that a film has


class BrokenOff(Refusal):
    """A film or a sound without what says how it is to be played; its message tells who sent it."""

    def __init__(self) -> None:
        super().__init__(
            gettext_noop(
                "The film or sound is incomplete: the list of its tracks is missing, as where a recording or a "
                "transfer broke off. Send it again, or save it anew first."
            )
        )


class Played(NamedTuple):
    """What a film or a sound says of itself."""

    mime_type: str
    duration: float | None  # seconds
    width: int | None = None  # pixels, as shown upright; of a film
    height: int | None = None


def seconds(ticks: float, per_second: float) -> float | None:
    """Return a duration in seconds, to the millisecond; None for one that says nothing."""
    if not per_second or not math.isfinite(ticks) or not math.isfinite(per_second):
        return None
    found = round(ticks / per_second, 3)
    return found if 0 < found < float("inf") else None


def shown_size(width: int, height: int, aspect: Fraction | None, *, is_turned: bool) -> tuple[int, int] | None:
    """Return the width and height at which browsers show a film of that many pixels; None for no size at all.

    `aspect` is that of a pixel, its width by its height. Pixels that are no squares are made so by stretching, never
    by leaving some out.
    """
    if aspect and aspect > 1:
        width = round(width * aspect)
    elif aspect and aspect > 0:
        height = round(height / aspect)
    if not (0 < width <= LARGEST and 0 < height <= LARGEST):
        return None
    return (height, width) if is_turned else (width, height)
