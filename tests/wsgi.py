"""Requests to the WSGI application itself, for what Django's test client keeps from it: odd headers and the prefix."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from wsgiref.util import setup_testing_defaults

import msgspec
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

Application = Callable[..., Any]


@dataclass
class Answer:
    status_code: int
    headers: dict[str, str]
    content: bytes
    cookies: SimpleCookie

    def json(self) -> Any:
        return msgspec.json.decode(self.content)


def ask(
    application: Application,
    method: str,
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    **environ: Any,
) -> Answer:
    """Answer a request as an HTTP server would have it answered; header names are as in HTTP."""
    parts = urlsplit(url)
    request: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "HTTP_HOST": "localhost",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        request[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    request.update(environ)
    setup_testing_defaults(request)
    answer = Answer(0, {}, b"", SimpleCookie())

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], None]:
        answer.status_code = int(status.split()[0])
        answer.headers = dict(headers)
        for name, value in headers:
            if name == "Set-Cookie":
                answer.cookies.load(value)
        return lambda data: None

    with connections_kept():
        response = application(request, start_response)
        answer.content = b"".join(response)
        if hasattr(response, "close"):
            response.close()
    return answer


@contextmanager
def connections_kept() -> Iterator[None]:
    """Keep a request from closing the connection that the test's own transaction lives in."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
