"""Signals that end the server while it begins: nothing may hold it then, whatever it is at."""

import os
import signal
import threading

ENDING = (signal.SIGINT, signal.SIGTERM)
ALONE = 1  # the first process of a container, which the system spares what would end others

lock = threading.Lock()
pipe: tuple[int, int] | None = None


def end_at_once() -> None:
    """Have this process end at a signal, without a word and at any moment, until `take_over()`.

    Nothing of what a start does is half done where it ends so: the database rolls back, and what is made as a file
    appears whole. The system does it by itself, but for the first process of a container: there a thread does, as
    Python's own handlers would wait for a statement of the database.
    """
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    if os.getpid() == ALONE:
        end_by_thread()


def end_by_thread() -> None:
    global pipe
    with lock:
        read, write = pipe = os.pipe()
        os.set_blocking(write, False)
        for number in ENDING:
            signal.signal(number, lambda number, frame: os._exit(128 + number))
        signal.set_wakeup_fd(write)
        threading.Thread(target=end_on, args=(read,), name="signals", daemon=True).start()


def end_on(descriptor: int) -> None:
    """End the process with the first signal that is written to a pipe; return where it is closed."""
    number = os.read(descriptor, 1)
    if number and number[0] in ENDING:
        os._exit(128 + number[0])
    os.close(descriptor)


def take_over() -> None:
    """Leave signals to whoever calls this, who has set handlers of their own."""
    global pipe
    with lock:
        if pipe is not None:
            os.close(pipe[1])
            pipe = None
