"""With how many threads and connections the usual way does most: that is what it is measured with.

Folio has 64 threads and 16 connections always, as it is started and as a site's visitors come. The usual way is given
what suits it best, for each content and each kind of request anew.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .load import Load
from .processes import LIST, Installation, Server, usual_of

THREADS = (1, 2, 4, 8)
CONNECTIONS = (1, 4, 16)
Ask = Callable[[Server, int], Load]  # with so many connections


@dataclass(frozen=True)
class Setting:
    threads: int
    connections: int

    def __str__(self) -> str:
        return f"{counted(self.threads, 'thread')}, {counted(self.connections, 'connection')}"


def best_settings(installation: Installation, kinds: dict[str, Ask]) -> dict[str, Setting]:
    """Return for each kind of requests what the usual way answers most of them with."""
    rates: dict[str, dict[Setting, float]] = {name: {} for name in kinds}
    for threads in THREADS:
        with usual_of(installation, threads) as server:
            for connections in CONNECTIONS:
                for name, ask in kinds.items():
                    settle(server)
                    rates[name][Setting(threads, connections)] = ask(server, connections).rate
    return {name: max(found, key=lambda setting: found[setting]) for name, found in rates.items()}


def settle(server: Server) -> None:
    """Return once the server works at nothing that a load before has left: it would count against the next one."""
    with server.client() as client:
        assert client.get(f"{LIST}1/").status == 200


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
