"""Which server a connection leads to: an address may lead to another one than it did, while that one is alive.

A primary that was put out of office answers as before. What is read there is not what is written to its successor, so
whoever connects tells which server was found, and whoever keeps what was read compares.
"""

from collections.abc import Callable
from select import POLLIN, poll
from time import monotonic
from typing import Any

from psycopg import OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus

# A running server, by the microsecond of its start: its standby is another one, and so is itself after a restart.
SERVER = "extract(epoch FROM pg_postmaster_start_time())::text"
IDENTITY = f"SELECT {SERVER}".encode()
GOOD = {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}

meetings: list[Callable[[str], object]] = []  # told of the server of each new connection, which they may refuse
renewals: list[Callable[[], object]] = []  # called when what was connected before must not be used: a pool is emptied


class NoAnswer(OperationalError):
    """The server did not answer in time."""


def ask(connection: Any, query: bytes, seconds: float) -> Any:
    """Run a query by libpq's own calls, and return its result; raise NoAnswer without one in time.

    Whatever else is wrong is another of psycopg's errors. A cursor would take longer than the server does.
    """
    connection.pgconn.send_query(query)
    return awaited(connection.pgconn, seconds)


def ask_prepared(connection: Any, name: bytes, seconds: float) -> Any:
    """Run what was prepared under a name; the server has read and planned it once. Otherwise as `ask`."""
    connection.pgconn.send_query_prepared(name, [])
    return awaited(connection.pgconn, seconds)


def awaited(pgconn: Any, seconds: float) -> Any:
    end = monotonic() + seconds
    incoming = poll()
    incoming.register(pgconn.socket, POLLIN)
    while True:
        pgconn.flush()  # it is one packet; where even that does not get away, the rest goes with the next turn
        left = end - monotonic()
        if left <= 0 or not incoming.poll(1000 * left):
            raise NoAnswer(f"There was no answer within {seconds:g} seconds.")
        pgconn.consume_input()
        if not pgconn.is_busy():
            break
    result = pgconn.get_result()
    if result is None or (result.status not in GOOD and not result.error_field(DiagnosticField.SQLSTATE)):
        raise OperationalError(pgconn.get_error_message())  # the connection was lost
    if result.status not in GOOD:
        raise error_from_result(result)
    while pgconn.get_result() is not None:
        pass
    return result


def meet(connection: Any, seconds: float) -> None:
    """Tell whoever wants to know which server a new connection leads to."""
    if meetings:
        server = ask(connection, IDENTITY, seconds).get_value(0, 0).decode()
        for meeting in meetings:
            meeting(server)
