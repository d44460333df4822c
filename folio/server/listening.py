"""Where the server listens."""

import socket
from argparse import ArgumentTypeError
from ipaddress import ip_address

from django.core.management.base import CommandError

from .unix_socket import UnixSocket

METRICS_PORT = "FOLIO_METRICS_HOST or FOLIO_METRICS_PORT"  # what says where that one is


def port_number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise ArgumentTypeError(f"{text!r} is no port from 1 to 65535")
    return int(text)


def local_address(host: str, port: int) -> str:
    """Return a URL by which this machine reaches a server that listens there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 nothing is bound here
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches what listens there, without asking for a name's address."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # another name: what it leads to may change
        return False


def refuse_taken_port(host: str, port: int, choose: str = "--host or --port") -> None:
    """Raise CommandError where the port can't be had, before a start makes or changes anything."""
    bound(host, port, choose).close()


def listen(host: str, port: int, unix_socket: UnixSocket | None, backlog: int) -> socket.socket:
    """Return a listener for all workers; raise CommandError where there can be none.

    One for all of them, rather than one each: what waits to be taken when a worker dies or is renewed is the others'.
    """
    listener = bound(host, port) if unix_socket is None else unix_socket.bound()
    listener.listen(backlog)
    return listener


def bound(host: str, port: int, choose: str = "--host or --port") -> socket.socket:
    """Return a socket that has the port to itself; raise CommandError where it can't be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections have it from their listener
            made.bind(address)
        except BaseException:
            made.close()
            raise
    except OSError as error:
        raise CommandError(
            f"Can't listen at {host}, port {port}: {error.strerror}. Choose another {choose}."
        ) from error
    return made
