"""One POST to an address that someone else chose: to where it was checked to lead, and for ten seconds in whole.

Nothing of the environment takes part, no proxy and no credentials; a redirect is an answer like others. The clock runs
for all of it, so that nobody who answers byte by byte holds a thread for longer.
"""

import io
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache
from http.client import HTTPConnection, HTTPException, RemoteDisconnected
from typing import Any, NamedTuple

from .addresses import PORTS, NotAllowed, Target, addresses_of, target_of

SECONDS = 10.0
ANSWER_SIZE = 2048  # bytes of an answer that are kept


class Answer(NamedTuple):
    status: int
    text: str

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


class Unanswered(Exception):
    """There was no answer; the text says why, and nothing of the address but what anyone may know."""


def post(url: str, headers: Mapping[str, str], body: str, seconds: float = SECONDS) -> Answer:
    """Send a body to a URL and return the answer, read as far as it is kept; raise Unanswered where none comes."""
    clock = Countdown(seconds)
    try:
        target = target_of(url)
        infos = addresses_of(target, clock.left())
        with closing(connected(infos, clock)) as plain, closing(secured(plain, target, clock)) as sock:
            return asked(sock, target, headers, body.encode(), clock)
    except NotAllowed as error:
        raise Unanswered(str(error)) from None
    except TimeoutError:
        raise Unanswered(f"There was no complete answer within {seconds:g} seconds.") from None
    except ssl.SSLCertVerificationError as error:
        raise Unanswered(f"The certificate is not valid for this address: {error.verify_message}.") from None
    except ssl.SSLError as error:
        raise Unanswered(f"No secure connection could be made: {error.reason or type(error).__name__}.") from None
    except RemoteDisconnected:
        raise Unanswered("The connection was closed without an answer.") from None
    except OSError as error:
        raise Unanswered(f"No connection could be made: {error.strerror or type(error).__name__}.") from None
    except (HTTPException, ValueError) as error:
        raise Unanswered(f"What answered does not speak HTTP: {type(error).__name__}.") from None


class Countdown:
    """The seconds that are left for all that is still to be done."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def connected(infos: Sequence[Any], clock: Countdown) -> socket.socket:
    """Return a connection to the first of the addresses that takes one."""
    problem: OSError | None = None
    for number, (family, kind, protocol, _, address) in enumerate(infos):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(clock.left() / (len(infos) - number))  # something is left for those behind it
            sock.connect(address)
        except OSError as error:
            problem = error
            sock.close()
        else:
            return sock
    raise problem or OSError


def secured(sock: socket.socket, target: Target, clock: Countdown) -> socket.socket:
    """Return the connection to send on, after the host has proved with a certificate that it has the URL's name."""
    if target.scheme != "https":
        return sock
    sock.settimeout(clock.left())
    return trusted().wrap_socket(sock, server_hostname=target.host)


@cache
def trusted() -> ssl.SSLContext:
    """Return whom to believe whose certificate is whose: the system's authorities, or those of `SSL_CERT_FILE`."""
    return ssl.create_default_context()


def asked(sock: socket.socket, target: Target, headers: Mapping[str, str], body: bytes, clock: Countdown) -> Answer:
    connection: Any = HTTPConnection(target.host, target.port)
    connection.default_port = PORTS[target.scheme]  # which `Host` leaves out
    connection.sock = Timed(sock, clock)
    connection.request("POST", target.path, body, {**headers, "Connection": "close"})
    response = connection.getresponse()
    text = response.read(ANSWER_SIZE).decode(errors="replace")
    return Answer(response.status, "".join(each for each in text if each.isprintable() or each in "\n\t"))


class Timed:
    """A socket as `http.client` uses it, on which each step may take what is left of the time."""

    def __init__(self, sock: socket.socket, clock: Countdown) -> None:
        self.sock = sock
        self.clock = clock

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self.sock.settimeout(self.clock.left())
            rest = rest[self.sock.send(rest) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(Incoming(self.sock, self.clock))

    def close(self) -> None:
        """Leave the socket to whoever made it: the answer is read after the connection has let it go."""


class Incoming(io.RawIOBase):
    def __init__(self, sock: socket.socket, clock: Countdown) -> None:
        super().__init__()
        self.sock = sock
        self.clock = clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.sock.settimeout(self.clock.left())
        return self.sock.recv_into(buffer)
