"""What the HTTP server's threads are at: whether there is anything to wait for but bodies that are on their way.

It is looked up when it matters, so that no request has to note it. A thread of the HTTP server that has nothing to do,
or gives an answer to its client, runs nothing of Python's.
"""

from collections.abc import Iterator
from sys import _current_frames as current_frames
from threading import Thread, main_thread
from types import CodeType, FrameType

from folio.api.middleware import Body

RECEIVING = {Body.read.__code__, Body.readline.__code__}
STARTED_HERE: CodeType = Thread._bootstrap.__code__  # type: ignore[attr-defined]


def is_one_at_work() -> bool:
    """Tell whether a thread is at a request."""
    return any(True for _ in stacks())


def are_all_receiving() -> bool:
    """Tell whether every request that a thread is at waits for its client to send more of its body."""
    return all(any(frame.f_code in RECEIVING for frame in stack) for stack in stacks())


def stacks() -> Iterator[list[FrameType]]:
    """Yield what each thread is at that was not started by Python, from the innermost function outwards."""
    own = main_thread().ident
    for thread, frame in current_frames().items():
        stack = list(callers(frame))
        if thread != own and stack[-1].f_code is not STARTED_HERE:
            yield stack


def callers(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame, the one that called it, and so on."""
    while frame is not None:
        yield frame
        frame = frame.f_back
