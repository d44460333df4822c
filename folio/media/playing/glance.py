"""A file of which little is read."""

from typing import IO

from ..privacy.original import Original

STEPS = 20_000  # reads: those of a film in fragments of a second each that takes two hours
BYTES = 24 * 1024 * 1024  # of all reads together


class Glance(Original):
    """A file that is read at offsets in bytes, with a limit that does not depend on its size."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.steps_left, self.bytes_left = STEPS, BYTES

    def number(self, offset: int, size: int) -> int:
        """Return a number of so many bytes, the highest first."""
        return int.from_bytes(self.read(offset, size))
