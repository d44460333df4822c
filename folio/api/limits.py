"""How often one may ask for what has to be computed or written, and what is told of it.

Counted is by key, as soon as it is known whose a request is. What comes without a valid key is counted by the address,
where proxies are named: elsewhere all may seem to come from one. What the response cache answers never comes here.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .addresses import client_address, network_of
from .errors import TooMany
from .rates import Standing, rates

# The fields of draft-ietf-httpapi-ratelimit-headers-11.
POLICY, LIMIT, WAIT = "RateLimit-Policy", "RateLimit", "Retry-After"
READS, WRITES, PUBLIC = "reads", "writes", "public"  # the policies' names
SAFE = {"GET", "HEAD", "OPTIONS"}


def told(policy: str, rate: tuple[int, int], standing: Standing) -> dict[str, str]:
    """Return the headers that tell of a rate, and of how a client stands with it."""
    number, seconds = rate
    return {
        POLICY: f'"{policy}";q={number};w={seconds}',
        LIMIT: f'"{policy}";r={standing.left};t={standing.window}',
    }


def in_seconds(wait: int) -> str:
    return f"Ask again in {wait} {'second' if wait == 1 else 'seconds'}."


def count(request: Request) -> Mapping[str, str]:
    """Count a request of the managing API; return what is told of it, or raise TooMany with that."""
    policy, rate = (READS, settings.RATE) if request.method in SAFE else (WRITES, settings.WRITE_RATE)
    sender = sender_of(request)
    if rate is None or not sender:
        return {}
    standing = rates.take(f"{policy} {sender}", *rate)
    if standing is None:
        return {}
    headers = told(policy, rate, standing)
    if standing.wait:
        whose = "by this key" if request.auth else "from this address"
        number, seconds = rate
        raise TooMany(
            f"Too many {policy} {whose}: {number} in {seconds} seconds are heard. {in_seconds(standing.wait)}",
            wait=standing.wait,
            headers=headers,
        )
    return headers


def sender_of(request: Request) -> str:
    """Return whose requests this one is counted with; "" where it is with none."""
    key: Any = request.auth
    if key:
        return f"key {key.digest}"
    return f"address {address}" if (address := address_of(request._request)) else ""


def address_of(request: HttpRequest) -> str:
    """Return the client's address, or "" where no proxy is named, so that it might be that of a proxy."""
    if not (settings.TRUSTED_PROXIES or settings.TRUST_UNIX):
        return ""
    return network_of(client_address(request))


class Counted(APIView):
    """A view whose requests are counted: after it is known whose they are, and before anything is done for them."""

    is_counted = True
    limit_headers: Mapping[str, str] = {}

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:  # a wrong key is nobody's
            self.count_request(request)
            raise
        self.count_request(request)

    def count_request(self, request: Request) -> None:
        if self.is_counted:
            self.limit_headers = count(request)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.limit_headers.items():
            response.headers[name] = value
        return response
