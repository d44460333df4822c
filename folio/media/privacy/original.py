"""A file that is taken apart, with a limit to the work that it may cause."""

import re
import struct
from typing import IO

from ..refusals import Refusal, gettext_noop

BLOCK_SIZE = 64 * 1024  # bytes copied at a time
WINDOW = 4096  # bytes that are read where fewer are asked for, as those next to them are asked for mostly
FIRST_LOOK = 64  # bytes in which something is looked for first
STEPS = 1_000_000  # reads that a small file may cause; a larger one, one more for each 64 bytes


class UnreadableStructure(Refusal):
    """A file in which private data can't be told from the rest; its message tells the person who sent it."""

    def __init__(self) -> None:
        super().__init__(
            gettext_noop(
                "The file is damaged or built in an unusual way, so that private data, such as where it was recorded, "
                "can't be taken out of it. Save it anew with another program and send that."
            )
        )


class Original:
    """The file to copy, read at offsets in bytes, with a limit to the work that its structure may cause."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.size = file.seek(0, 2) or file.tell()
        self.window, self.window_start = b"", 0
        self.steps_left = STEPS + self.size // 64
        self.bytes_left = 64 * 1024 * 1024 + 8 * self.size

    @property
    def is_exhausted(self) -> bool:
        return self.steps_left < 0 or self.bytes_left < 0

    def work(self, size: int) -> None:
        self.steps_left -= 1
        self.bytes_left -= size
        if self.is_exhausted:
            raise UnreadableStructure

    def peek(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes, fewer at the end of the file."""
        self.work(max(0, min(size, self.size - offset)))
        if size > WINDOW:
            self.file.seek(offset)
            return self.file.read(size)
        start, end = offset - self.window_start, self.window_start + len(self.window)
        if start < 0 or (offset + size > end and end < self.size) or not self.window:
            self.file.seek(offset)
            self.window, self.window_start, start = self.file.read(WINDOW), offset, 0
        return self.window[start : start + size]

    def find(self, pattern: re.Pattern[bytes], place: int, overlap: int = 0) -> int | None:
        """Return where a pattern of up to `overlap` + 1 bytes is next, or None; never a byte at a time.

        It looks at little at first, and at more and more: what is found soon, again and again, costs little, too.
        """
        size = FIRST_LOOK
        while len(block := self.peek(place, size)) > overlap:
            if found := pattern.search(block):
                return place + found.start()
            place += len(block) - overlap
            size = min(2 * size, BLOCK_SIZE)
        return None

    def read(self, offset: int, size: int) -> bytes:
        if not 0 <= offset <= offset + size <= self.size:
            raise UnreadableStructure
        return self.peek(offset, size)

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        return struct.unpack(layout, self.read(offset, struct.calcsize(layout)))

    def copy(self, offset: int, size: int, target: IO[bytes]) -> None:
        for start in range(offset, offset + size, BLOCK_SIZE):
            target.write(self.read(start, min(BLOCK_SIZE, offset + size - start)))

    def blank(self, offset: int, size: int, target: IO[bytes]) -> None:
        """Write zeros to a place of the copy; it counts as work like reading does."""
        self.work(size)
        if not 0 <= offset <= offset + size <= self.size:
            raise UnreadableStructure
        target.seek(offset)
        for start in range(0, size, BLOCK_SIZE):
            target.write(bytes(min(BLOCK_SIZE, size - start)))
