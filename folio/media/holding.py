"""Whether somebody reads all files of a moment, as a backup does: what was to go meanwhile stays until they have done.

It is a lock that dies with its holder, so that a backup that was killed keeps nothing. It holds what waits for its
moment (`folio.media.removals`). What has to go at once goes: whoever says so means a picture that nobody may see.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from folio.claims import claim

AGAIN = timedelta(minutes=1)  # after which what is held is looked at again
# Each holder takes one, of all processes on all machines; who only looks has one for a moment, and is in nobody's way.
PLACES = [f"media.hold.{place}" for place in range(8)]


class Held(Exception):
    """So many hold the files already that there is no place for another one."""


@contextmanager
def hold() -> Iterator[None]:
    """Have no file removed whose moment comes within the block; raise Held where too many do so already."""
    for place in PLACES:
        take, free = claim(place)
        if take():
            break
    else:
        raise Held
    try:
        yield
    finally:
        free()


def is_held() -> bool:
    for place in PLACES:
        take, free = claim(place)
        if not take():
            return True
        free()
    return False
