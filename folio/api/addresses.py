"""Where a request came from: what the server says, unless a proxy that is trusted says it."""

import logging
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

logger = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address


def parse(text: str) -> Address | None:
    """Return an address as proxies write it, a port or brackets taken off; None for what is none."""
    text = text.strip()
    try:
        return plain(ip_address(text))
    except ValueError:
        pass
    try:
        return plain(ip_address(urlsplit(f"//{text}").hostname or ""))
    except ValueError:
        return None


def plain(address: Address) -> Address:
    """Return the IPv4 address behind one that IPv6 carries."""
    return getattr(address, "ipv4_mapped", None) or address


def is_trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def client_address(request: HttpRequest) -> Address | None:
    """Return the address that a request came from, or None where the server tells none.

    Each proxy adds, on the right of `X-Forwarded-For`, where it got the request from. The first from the right that is
    no trusted proxy is the client; what stands before it is the client's own word. A unix socket has no addresses:
    whoever may connect to ours is the proxy, if FOLIO_TRUSTED_PROXIES has the word `unix`.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    address = parse(peer)
    is_proxy = settings.TRUST_UNIX if not peer else address is not None and is_trusted(address)
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if forwarded and not is_proxy and (not peer or not settings.TRUSTED_PROXIES):
        warn_of_proxy()
    hops = forwarded.split(",")
    while is_proxy and hops:
        hop = parse(hops.pop())
        if hop is None:
            break
        address, is_proxy = hop, is_trusted(hop)
    return address


def network_of(address: Address | None) -> str:
    """Return the address as a text, or the 64 bits of an IPv6 address that a network gives to one customer."""
    if isinstance(address, IPv6Address):
        return str(ip_network(f"{address}/64", strict=False))
    return str(address or "")


@cache
def warn_of_proxy() -> None:
    """Say once in each process what makes everyone behind a proxy look like one client."""
    logger.warning(
        "A request came with X-Forwarded-For, which is not read. If a proxy of yours sent it, name the proxy in "
        "FOLIO_TRUSTED_PROXIES, with the word unix for one on a unix socket; failed sign-ins and requests are "
        "else counted for the proxy's own address."
    )
