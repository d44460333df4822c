"""What an answer weighs, what memory a worker takes with its caches full, how long a start takes."""

import time

from tests.postgresql import free_port

from .load import wrk
from .processes import LIST, Installation, Server, folio, folio_command, memory, own_memory, running, usual_of

READS = 50  # after which a worker has loaded what reads need
STRIDE = 97  # rows from one page to the next, so that all documents have their turn
ENCODINGS = ("zstd", "br", "gzip")
FILLS = (  # pages of these sizes, in these forms, each never asked before
    (98, "identity"),
    (98, "zstd"),
    (3, "gzip"),
)


def compressed_shares(installation: Installation, rows: int = 10) -> dict[str, float]:
    """Return the share of its bytes that each encoding leaves of a page."""
    with folio(installation) as served, served.client() as client:
        path = f"{LIST}?limit={rows}"
        whole = len(client.get(path).body)
        return {name: len(client.get(path, {"Accept-Encoding": name}).body) / whole for name in ENCODINGS}


def worker_memory(installation: Installation, seconds: float) -> dict[str, float]:
    """Return the MB that a worker takes after a few reads, beside the usual way's, and while its caches are filled."""
    with usual_of(installation) as usual:
        of_usual = settled_memory(usual)
    with folio(installation) as served:
        fresh = settled_memory(served)
        most = fresh
        for limit, encoding in FILLS:
            path = f"{LIST}?ordering=id"
            offsets = installation.portfolios - 200
            wrk(f"{served.url}{path}", served.key, seconds, "pages", offsets, limit, STRIDE,
                headers={"Accept-Encoding": encoding})  # fmt: skip
            most = max(most, served.worker_memory())
        own = own_memory(served.worker())
        return {"fresh": fresh, "usual": of_usual, "full": most, "own": own, "parent": memory(served.process.pid)}


def settled_memory(server: Server) -> float:
    """Return the MB of a worker after a few reads, of a list and of rows by themselves."""
    with server.client() as client:
        for path in (LIST, *(f"{LIST}{pk}/" for pk in range(1, READS))):
            assert client.get(path).status == 200
    return server.worker_memory()


def start_times(installation: Installation, rounds: int) -> list[float]:
    """Return the seconds from the start of `folio serve` on an existing installation to its first answer."""
    taken = []
    for _ in range(rounds):
        port = free_port()
        started = time.perf_counter()
        with running(folio_command(port), installation, port):
            taken.append(time.perf_counter() - started)
    return taken
