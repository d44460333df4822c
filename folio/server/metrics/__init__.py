"""What the server tells Prometheus: counted in memory that all workers share, put together when it is asked for.

`lanes` is the memory, `counting` what is done for each request, `measures` what each worker tells of itself, `machine`
what any of them finds out when it is asked, `collecting` the sum in Prometheus' words, `answering` who gets it. Nothing
of it is loaded where neither a token nor a port is set. Why it is so: docs/decisions/0069-metrics.md.
"""

import socket
from typing import TYPE_CHECKING

from . import lanes as lanes
from .answering import PATH as PATH
from .answering import Metrics as Metrics
from .answering import Port
from .collecting import Collecting
from .counting import Counting

if TYPE_CHECKING:
    from folio.snapshots.caches import SnapshotCache

    from ..health import Health

port: socket.socket | None = None  # the listener of the server's own for this, which its workers inherit


def begin(health: "Health", responses: "SnapshotCache | None") -> tuple[Counting, Metrics]:
    """Begin to count in this process; return what counts its requests, and what answers `/metrics`."""
    collecting = Collecting(health, responses)
    collecting.telling.start()
    answer = Metrics(collecting)
    if port is not None:
        Port(port, answer).start()
    return Counting(), answer
