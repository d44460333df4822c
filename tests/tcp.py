"""A way to a server that a test can block, or lead elsewhere: a small TCP proxy in threads of the test's own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from urllib.parse import urlsplit, urlunsplit

PIECE = 65_536  # bytes


class Proxy:
    """Forwards connections to a port of this machine; while it swallows, bytes go in and none comes out."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.is_swallowing = False
        self.is_closed = False
        self.changed = Condition()
        self.sockets: set[socket.socket] = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self.listener.getsockname()[1]
        Thread(target=self.accept, daemon=True).start()

    def url(self, url: str) -> str:
        """Return the URL that leads here instead."""
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{self.port}"))

    def switch(self, port: int) -> None:
        """Lead new connections elsewhere; those that are there stay where they are."""
        self.target = port

    def swallow(self, is_swallowing: bool = True) -> None:
        with self.changed:
            self.is_swallowing = is_swallowing
            self.changed.notify_all()

    def accept(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                client, _ = self.listener.accept()
                Thread(target=self.connect, args=(client,), daemon=True).start()

    def connect(self, client: socket.socket) -> None:
        self.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        with self.changed:
            self.sockets |= {client, server}
            if self.is_closed:
                client.close()
                server.close()
                return
        for one in (client, server):
            with suppress(OSError):  # it was closed just now
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Thread(target=self.forward, args=(client, server), daemon=True).start()
        self.forward(server, client)

    def forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                self.wait()
                target.sendall(piece)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def wait(self) -> None:
        with self.changed:
            self.changed.wait_for(lambda: not self.is_swallowing)

    def close(self) -> None:
        self.swallow(False)
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.changed:
            self.is_closed = True
            for one in self.sockets:
                one.close()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
