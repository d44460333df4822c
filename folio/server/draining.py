"""Whether the server was told to stop: its parent writes it into memory that it shares with its workers.

Whoever distributes requests learns of it by `/readyz` and sends no more, while those that come are still answered.
"""

import mmap

# Workers are forked and have the same page, also those that were forked before it was written.
page = mmap.mmap(-1, 1)


def begin() -> None:
    """Have all workers say from now on that the server is about to stop. Signal handlers may call this."""
    page[0] = 1


def is_draining() -> bool:
    """Tell whether the server is about to stop: a look at a byte of memory, for any process and thread."""
    return page[0] != 0


def end() -> None:
    """Take it back: for tests, and for whoever serves twice in one process."""
    page[0] = 0
