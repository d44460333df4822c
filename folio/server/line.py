"""The line between the server's parent and one of its workers: orders one way, "I serve" the other way.

Signals would not do. Ctrl-C in a terminal, or a manager that ends a whole group, sends them to the workers as well, who
would then stop before the parent has had them finish what they are at. That the line ends tells that the other one has
died.
"""

import os
from contextlib import suppress
from dataclasses import dataclass

CLOSE = b"c"  # answer that each connection is closed with its answer: who asks more asks another worker
LEAVE = b"l"  # do so, and take no more connections: they are for the others
HURRY = b"h"  # the server ends: wait for no body that does not go on coming
STOP = b"s"  # take no more requests, finish those that are there, and end
READY = b"r"


@dataclass
class Line:
    """The descriptors of both ends; each process closes those of the other one."""

    orders: tuple[int, int]
    answers: tuple[int, int]

    @classmethod
    def make(cls) -> "Line":
        orders, answers = os.pipe(), os.pipe()
        for writing in (orders[1], answers[1]):
            os.set_blocking(writing, False)
        return cls(orders, answers)

    def keep_parents_end(self) -> None:
        os.close(self.orders[0])
        os.close(self.answers[1])

    def keep_workers_end(self) -> None:
        os.close(self.orders[1])
        os.close(self.answers[0])

    def close_parents_end(self) -> None:
        os.close(self.orders[1])
        os.close(self.answers[0])

    def order(self, order: bytes) -> None:
        """Tell the worker something; it may have died."""
        with suppress(BrokenPipeError, BlockingIOError):
            os.write(self.orders[1], order)

    def next_order(self) -> bytes:
        """Return the parent's next order, once there is one; nothing where the parent has died."""
        return os.read(self.orders[0], 1)

    def is_ready(self) -> bool:
        """Tell whether the worker serves; to be called where there is something to be read."""
        return os.read(self.answers[0], 1) == READY

    def say_ready(self) -> None:
        with suppress(BrokenPipeError):
            os.write(self.answers[1], READY)
