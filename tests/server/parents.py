"""Parents of workers that only pretend to serve: `python -m tests.server.parents KIND [VALUE]`.

What happens is told line by line on standard output; what is logged, on standard error.
"""

import functools
import logging
import os
import sys
import time

from folio.server import draining, supervising
from folio.server.line import CLOSE, LEAVE, STOP, Line
from folio.server.supervising import Parent, Plan
from folio.server.working import die_with

STOP_SECONDS = 0.5


def tell(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())  # at once, of several processes


def serve(number: int, parent: int, line: Line) -> None:
    """Serve as a worker should."""
    tell("serves", number, os.getpid())
    line.say_ready()
    while order := line.next_order():
        if order == CLOSE:
            tell("closes", os.getpid(), draining.is_draining())
        if order == LEAVE:
            tell("leaves", os.getpid())
        if order == STOP:
            tell("stops", os.getpid())
            return
    tell("abandoned", os.getpid())


def die(number: int, parent: int, line: Line, after: float) -> None:
    tell("serves", number, os.getpid())
    line.say_ready()
    time.sleep(after)
    sys.exit(3)


def hang(number: int, parent: int, line: Line) -> None:
    """Load for ever, and heed nothing."""
    tell("loads", number, os.getpid())
    time.sleep(600)


def die_together(number: int, parent: int, line: Line) -> None:
    die_with(parent)
    hang(number, parent, line)


def clean_up(parent: int) -> None:
    tell("cleans up")


def main(kind: str, value: float = 0) -> int:
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    plan = Plan(serve, clean_up, workers=2, drain_seconds=0, stop_seconds=STOP_SECONDS)
    if kind == "dying":
        plan.workers, plan.work = 1, functools.partial(die, after=value)
        supervising.QUICK_SECONDS = 0.5
    elif kind == "hanging":
        plan.work = hang
    elif kind == "dying together":
        plan.work = die_together
    elif kind == "draining":
        plan.drain_seconds = value
    elif kind == "growing":
        plan.workers, plan.memory = 1, 100
        supervising.LOOK_SECONDS, supervising.LINGER_SECONDS = 0.1, 0.1
        began = time.monotonic()  # only the first one grows, for a while after it is there
        plan.memory_of = lambda pid: 200 if time.monotonic() - began > 0.5 and len(seen(pid)) == 1 else 50
    elif kind == "too large":
        plan.workers, plan.memory = 1, 100
        plan.memory_of = lambda pid: 200
    supervising.LINGER_SECONDS = min(supervising.LINGER_SECONDS, 0.1)
    tell("parent", os.getpid())
    return Parent(plan).run()


def seen(pid: int | None, pids: list[int | None] = []) -> list[int | None]:  # noqa: B006 - it is to remember
    if pid not in pids:
        pids.append(pid)
    return pids


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(float, sys.argv[2:])))
