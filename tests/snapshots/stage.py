"""The response cache on a stage: an application that says how often it was asked, and snapshots that a test moves."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from math import inf
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from folio.snapshots import KEEP
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront, StartResponse
from folio.snapshots.watches import Version

URL = "/api/portfolios/"
KEY = "Token secret"


class Body:
    """What an application answers with: as in Django's responses, closing it ends the request."""

    def __init__(self, *parts: bytes, streaming: bool = False) -> None:
        self.parts = parts
        self.streaming = streaming
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.parts)

    def close(self) -> None:
        self.closed += 1


@dataclass
class StubApplication:
    """Answers each request with how often it was asked, marked as to be kept unless told otherwise."""

    status: str = "200 OK"
    headers: list[tuple[str, str]] = field(default_factory=lambda: [(KEEP, str(inf))])
    content: Callable[[int], bytes] = lambda count: b'{"count": %d}' % count
    streaming: bool = False
    bodies: list[Body] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    work: Callable[[], Any] = lambda: None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        self.requests.append(dict(environ))
        self.work()
        content = self.content(len(self.requests))
        self.bodies.append(Body(content[:5], content[5:], streaming=self.streaming))
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content))), *self.headers]
        start_response(self.status, headers)
        return self.bodies[-1]

    @property
    def count(self) -> int:
        return len(self.requests)


class StillWatch:
    """A watch that sees a commit only where a test says so."""

    version = 1
    reason = ""

    def look(self) -> Version:
        return 1, self.version


class StubLooks:
    """The current snapshot, as the test sets it."""

    def __init__(self) -> None:
        self.number: int | None = 1
        self.generation: int | None = 1
        self.count = 0

    def snapshot(self) -> int | None:
        self.count += 1
        return self.number

    def hold(self, snapshot: int, next_moment: Callable[[float], float]) -> float:
        return inf


@dataclass
class Answer:
    status: str
    headers: dict[str, str]
    content: bytes


@dataclass
class Scene:
    """A front with what stands behind it."""

    application: StubApplication
    looks: StubLooks
    cache: SnapshotCache
    front: SnapshotFront

    def ask(self, method: str = "GET", url: str = URL, **environ: Any) -> Answer:
        path, _, query = url.partition("?")
        request: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_HOST": "api.example.com",
            "SERVER_PORT": "80",
            "HTTP_AUTHORIZATION": KEY,
            "wsgi.input": BytesIO(),
        }
        request.update({name: value for name, value in environ.items() if value is not None})
        setup_testing_defaults(request)
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], None]:
            started[:] = status, headers
            return lambda data: None

        result: Any = validator(self.front)(request, start_response)  # which checks what WSGI asks of both sides
        content = b"".join(result)
        result.close()
        status, headers = started
        assert len({name.lower() for name, _ in headers}) == len(headers), "each header once"
        return Answer(status, dict(headers), content)
