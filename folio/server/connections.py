"""What a worker has to know of its connections, and no part of the HTTP server tells.

A worker that is to stop must take no more of them while it still answers on those that it has: a connection that it
took and has read nothing of is closed when it is told to stop, though a request may be on its way. It need not wait for
those on which nothing was ever said, such as browsers open in advance, nor for bodies that don't come to their end. And
while it serves, connections on which nothing is ever said must not take all its places.

Of Unix sockets, which have no port, and elsewhere than on Linux, nothing of that is known, and nothing is closed.
"""

import os
import socket
import stat
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

TCP_INFO_SIZE = 148  # of Linux's `struct tcp_info`, as far as it is read here
# Where in it the numbers stand: bytes that were sent and not acknowledged, milliseconds since something came, bytes
# that came, and bytes that are yet to be sent.
UNACKNOWLEDGED, QUIET, RECEIVED, UNSENT = 24, 52, 128, 144
SHORT, LONG = struct.Struct("=I"), struct.Struct("=Q")
# Bytes that a connection begins with where it speaks HTTP/2. Until so many have come, or others, the HTTP server waits
# for them without an end.
BEGINNING = 24
DESCRIPTORS = Path("/proc/self/fd")


class State(NamedTuple):
    """What the system tells of a connection."""

    received: int  # bytes
    quiet: float  # seconds since the last of them, or since it was made
    is_sending: bool  # something that its client has not taken yet

    @property
    def has_begun(self) -> bool:
        """Whether a request may have come; what the HTTP server then waits for, it does not for ever."""
        return self.received >= BEGINNING


def take_no_more(listener: socket.socket) -> None:
    """Have this process take no more connections by a listener, which goes on listening for the others that share it.

    Each descriptor of it is made one of a listener that nobody can reach. Elsewhere than on Linux nothing is done.
    """
    if sys.platform != "linux":
        return
    inode = os.fstat(listener.fileno()).st_ino
    with socket.socket(socket.AF_UNIX) as deserted:
        deserted.bind("")  # the system chooses a name
        deserted.listen()
        deserted.setblocking(False)
        for entry in DESCRIPTORS.iterdir():
            with suppress(OSError):  # closed meanwhile
                found = os.stat(entry)
                if stat.S_ISSOCK(found.st_mode) and found.st_ino == inode:
                    os.dup2(deserted.fileno(), int(entry.name), inheritable=False)


def port_of(listener: socket.socket) -> int | None:
    """Return the port at which a listener is, None where it is a Unix socket."""
    return None if listener.family == socket.AF_UNIX else int(listener.getsockname()[1])


def are_silent(port: int | None) -> bool:
    """Tell whether on all connections that this process has at a port nothing was received; False if in doubt."""
    if sys.platform != "linux" or port is None:
        return False
    try:
        return all(state_of(connection).received == 0 for connection in connections(port))
    except OSError:
        return False


def end_stalled(port: int | None, seconds: float) -> int:
    """End the connections on which nothing has come or gone for so long; return how many.

    They are those of bodies that don't come only where no request is being answered: whoever calls this knows that.
    """
    return end(port, lambda state: state.quiet >= seconds and not state.is_sending)


def end_silent(port: int | None, seconds: float) -> int:
    """End the connections on which, for so long, nothing has come that could be a request; return how many."""
    return end(port, lambda state: state.quiet >= seconds and not state.has_begun)


def end(port: int | None, is_to_end: Callable[[State], bool]) -> int:
    count = 0
    if sys.platform == "linux" and port is not None:
        for connection in connections(port):
            with suppress(OSError):  # it has ended meanwhile
                if is_to_end(state_of(connection)):
                    connection.shutdown(socket.SHUT_RDWR)
                    count += 1
    return count


def open_descriptors() -> int:
    """Return about how many files and connections this process has open; 0 where that isn't told."""
    try:
        return len(os.listdir(DESCRIPTORS))
    except OSError:
        return 0


def connections(port: int) -> Iterator[socket.socket]:
    """Yield the connections that this process has accepted at a port."""
    for entry in DESCRIPTORS.iterdir():
        with suppress(OSError), copy_of(int(entry.name)) as found:  # closed meanwhile, or no socket
            if found.family in {socket.AF_INET, socket.AF_INET6} and found.getsockname()[1] == port:
                found.getpeername()  # which a listener has none of
                yield found


@contextmanager
def copy_of(descriptor: int) -> Iterator[socket.socket]:
    """Yield a socket by a descriptor of our own: the number of the other one may be another connection's at any time.

    Raise OSError where it is no socket. A file is not touched: whoever closes any descriptor of SQLite's file takes all
    of its locks away.
    """
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        raise OSError("It is no socket.")
    copy = os.dup(descriptor)
    if not stat.S_ISSOCK(os.fstat(copy).st_mode):  # it became a file between the two lines: left open
        raise OSError("It is no socket any more.")
    with socket.socket(fileno=copy) as found:
        yield found


def state_of(connection: socket.socket) -> State:
    """Return what is known of a connection; raise OSError where the system doesn't tell all of it."""
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_SIZE)
    if len(told) < TCP_INFO_SIZE:
        raise OSError("The system tells too little of its connections.")
    [received] = LONG.unpack_from(told, RECEIVED)
    quiet, *sending = (SHORT.unpack_from(told, place)[0] for place in (QUIET, UNACKNOWLEDGED, UNSENT))
    return State(received, quiet / 1000, any(sending))
