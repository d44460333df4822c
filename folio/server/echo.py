"""What arrives of a request, told to `folio doctor` alone: how it finds out what a proxy on the way does.

Who asks shows a token that is signed with the installation's secret key, and good for a minute. So nothing has to be
written for it, any server of the installation knows it, and it works while the database is away. Without one the
address is as unknown as any other. What is told, the client has sent itself, or is about the proxy; the value of no
header that may be a secret is told, but whether it arrived as the doctor has sent it.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host

from folio import __version__
from folio.api.addresses import client_address
from folio.current import HEADER
from folio.outages import THREADS_VARIABLE

from .health import answer

PATH = "/api/doctor/"
TOKEN = "X-Folio-Doctor"  # noqa: S105 the header that has one
MEMBER = "HTTP_X_FOLIO_DOCTOR"  # of a request's environment
SECONDS = 60  # for which a token is good
LONGEST = 300  # characters of a token, and of what is told


def signer() -> TimestampSigner:
    """Return what signs by the secret key of this moment: `folio serve` makes one when it begins."""
    return TimestampSigner(salt="folio.server.echo")


def new_token() -> str:
    return signer().sign(uuid4().hex)


def nonce_of(token: str) -> str | None:
    """Return what a token is about; None where it was not made with our secret key, or is too old."""
    try:
        return signer().unsign(token, max_age=SECONDS) if len(token) <= LONGEST else None
    except BadSignature:
        return None


def headers_of(nonce: str) -> dict[str, str]:
    """Return the headers that the doctor sends, of which Folio needs each as it was sent."""
    return {
        "Authorization": f"Token {nonce}",
        "Cookie": f"folio-doctor={nonce}",
        "Idempotency-Key": nonce,
        "If-Match": f'"{nonce}"',
        "If-None-Match": f'"{nonce}"',
        "Range": "bytes=0-1000000",
        HEADER: nonce,
    }


def nonce_in(environ: Mapping[str, Any]) -> str | None:
    """Return what the doctor's token is about; None for everybody else, who are answered as if this was not here."""
    return nonce_of(environ.get(MEMBER, "")) if environ["PATH_INFO"].endswith(PATH) else None


def echo(environ: Mapping[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer the doctor, whose request `nonce_in` has told."""
    return answer(start_response, 200, arrived(environ, nonce_in(environ) or ""))


def arrived(environ: Mapping[str, Any], nonce: str) -> dict[str, Any]:
    request = HttpRequest()
    request.META = dict(environ)
    host = environ.get("HTTP_HOST", "")
    sent = headers_of(nonce)
    return {
        "nonce": nonce,
        "version": __version__,
        "process": os.getpid(),
        "threads": int(os.environ.get(THREADS_VARIABLE) or 0),
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"][:LONGEST],
        "query": environ.get("QUERY_STRING", "")[:LONGEST],
        "protocol": environ.get("SERVER_PROTOCOL", ""),
        "host": host[:LONGEST],
        "host_is_allowed": validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS),
        "peer": environ.get("REMOTE_ADDR", ""),  # nothing on a unix socket
        "forwarded_for": environ.get("HTTP_X_FORWARDED_FOR", "")[:LONGEST],
        "forwarded_proto": environ.get("HTTP_X_FORWARDED_PROTO", "")[:LONGEST],
        "client": str(client_address(request) or ""),
        "connection": environ.get("HTTP_CONNECTION", "")[:LONGEST],  # which each proxy sets for itself
        "size": environ.get("CONTENT_LENGTH", "")[:LONGEST],
        "missing": [name for name, value in sent.items() if environ.get(member(name)) != value],
    }


def member(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"
