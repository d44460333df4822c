"""Turns to migrate a database: whoever finds another one at work says so, and waits for a bounded time."""

import time
from collections.abc import Callable

from django.core.management.base import CommandError

PATIENCE = 600  # seconds that a server waits for another one's migrations
PAUSE = 0.5  # seconds between two attempts
MIGRATES = "Another server migrates this database"


def wait_for_turn(attempt: Callable[[], str | None], say: Callable[[str], object], patience: float) -> None:
    """Return once an attempt succeeds; raise CommandError where none did for so many seconds.

    An attempt returns None where it has the turn, and else what can be told of who has it: nothing, or a few words that
    begin with a space.
    """
    end = time.monotonic() + patience
    was_said = False
    while (holder := attempt()) is not None:
        if time.monotonic() > end:
            raise CommandError(
                f"{MIGRATES}{holder}, and has not ended after {patience:g} seconds. Nothing was done. Look at what it "
                "does, or end it, and start again."
            )
        if not was_said:
            say(f"{MIGRATES}{holder}; waiting for it, up to {patience:g} seconds ...")
            was_said = True
        time.sleep(PAUSE)
