"""Public reads as a server answers them: through the front, with or without what it keeps."""

from collections.abc import Mapping
from typing import Any

from folio import snapshots
from folio.api.handler import Handler
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront
from folio.snapshots.public import Public
from tests.snapshots.stage import StubLooks
from tests.wsgi import Answer, ask

ROOT = "/api/public/"
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag"}


class Front:
    """Django behind the front; with looks, which a test moves, what is answered is kept."""

    CLIENT = "203.0.113.1"

    def __init__(self, looks: StubLooks | None = None) -> None:
        if looks is not None:  # what other tests left in this process was of other databases
            looks.number = snapshots.documents.number + 1
        self.front = SnapshotFront(Handler(), looks, SnapshotCache(1_000_000), public=Public())  # type: ignore[arg-type]

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        **environ: Any,
    ) -> Answer:
        """Answer a request to a path below `/api/public/`, or to one that begins with a slash."""
        url = path if path.startswith("/") else f"{ROOT}{path}"
        environ = {"REMOTE_ADDR": self.CLIENT, **environ}
        return ask(self.front, method, url, body, {"Host": "testserver", **(headers or {})}, **environ)
