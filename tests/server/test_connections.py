"""Who has never said anything on a connection is told from who has, whoever has read it."""

import os
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from folio.server.connections import BEGINNING, are_silent, end_silent, end_stalled, port_of, take_no_more

pytestmark = pytest.mark.any_database


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def test_a_connection_is_silent_until_something_is_received_on_it(listener: socket.socket) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    assert are_silent(port_of(listener))
    with socket.create_connection(listener.getsockname()) as client, listener.accept()[0] as accepted:
        assert are_silent(port_of(listener))
        client.sendall(b"G")
        assert select.select([accepted], [], [], 30)[0]
        assert not are_silent(port_of(listener))
        accepted.recv(1)
        assert not are_silent(port_of(listener))
    assert are_silent(port_of(listener))
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_nothing_is_known_of_unix_sockets() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        assert not are_silent(port_of(listener))


def test_a_process_takes_no_more_connections_and_those_that_share_the_listener_do(listener: socket.socket) -> None:
    listener.setblocking(False)
    address = listener.getsockname()
    mine = listener.dup()
    child = os.fork()
    if not child:
        take_no_more(listener)
        with socket.create_connection(address):
            for each in (listener, mine):
                try:
                    each.accept()
                    os._exit(1)
                except BlockingIOError:
                    pass
        os._exit(0)
    mine.close()
    assert os.waitpid(child, 0)[1] == 0
    assert select.select([listener], [], [], 30)[0]
    listener.accept()[0].close()


def has_ended(connection: socket.socket) -> bool:
    """Tell whether the other side has ended a connection, on which it sent nothing."""
    connection.settimeout(30)
    return connection.recv(1) == b""


def test_connections_end_on_which_nothing_was_said_that_could_be_a_request(listener: socket.socket) -> None:
    with ExitStack() as stack:
        silent, half, said = (stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(3))
        accepted = [stack.enter_context(listener.accept()[0]) for _ in range(3)]
        half.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[: BEGINNING - 1])
        said.sendall(b"GET /a/path HTTP/1.1\r\n\r\n")
        for each in accepted[1:]:
            assert select.select([each], [], [], 30)[0]
        port = port_of(listener)

        assert end_silent(port, 600) == 0, "they have time"
        assert end_silent(None, 0) == 0, "a Unix socket"
        assert end_silent(port, 0) == 2

        assert has_ended(silent)
        assert has_ended(half)
        accepted[2].sendall(b"H")
        assert said.recv(1) == b"H"


def test_connections_end_that_have_stalled_but_for_those_whose_client_is_slow_to_take_an_answer(
    listener: socket.socket,
) -> None:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with ExitStack() as stack:
        stalled, slow = (stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(2))
        accepted = [stack.enter_context(listener.accept()[0]) for _ in range(2)]
        stalled.sendall(b"POST /api/media/ HTTP/1.1\r\n")
        assert select.select(accepted[:1], [], [], 30)[0]
        accepted[1].setblocking(False)
        with suppress(BlockingIOError):  # once nothing more fits on the way
            while True:
                accepted[1].send(b"x" * 65_536)
        port = port_of(listener)

        assert end_stalled(port, 600) == 0
        assert end_stalled(port, 0) == 1

        assert has_ended(stalled)
        assert slow.recv(1) == b"x"
