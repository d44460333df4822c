"""Where messages may go: not into the network that the server stands in, whatever a name is made to lead to.

An address is resolved once, everything that it leads to has to be allowed, and a connection goes to what was found:
a name that leads elsewhere a moment later leads nowhere. It is checked when it is saved, so that whoever enters it is
told, and at each sending, since names change.
"""

import socket
from collections.abc import Sequence
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext as _

MAX_LENGTH = 2_000
PORTS = {"http": 80, "https": 443}
RESOLVE_SECONDS = 5  # that whoever saves an address waits for its name at the most

Address = IPv4Address | IPv6Address
# What `is_global` says depends on Python's version, and it is for whoever is reachable at all: so a few more are named.
UNICAST = ip_network("2000::/3")  # all of IPv6 that is given to anyone
NAT64 = ip_network("64:ff9b::/96")
NOBODYS = [ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")]


class NotAllowed(ValueError):
    """An address that nothing is sent to, with a sentence that says why."""


class Target(NamedTuple):
    """A URL taken apart, as a connection needs it."""

    scheme: str
    host: str  # in ASCII, an IPv6 address without its brackets
    port: int
    path: str  # with the query


def target_of(url: str) -> Target:
    """Return a URL's parts; raise NotAllowed for what is no address that messages can go to."""
    if not url:
        raise NotAllowed(_("Enter the address that messages are to go to, such as https://build.example/hook."))
    if len(url) > MAX_LENGTH:
        raise NotAllowed(_("An address has at most %(count)d characters.") % {"count": MAX_LENGTH})
    if any(character.isspace() or not character.isprintable() for character in url):
        raise NotAllowed(_("An address has no spaces and no line breaks."))
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:  # half an IPv6 address, or a port that is none
        raise NotAllowed(_("This is no address; it should be like https://build.example/hook.")) from None
    if parts.scheme not in PORTS:
        raise NotAllowed(_("An address begins with https:// or http://."))
    if "@" in parts.netloc:
        raise NotAllowed(_("An address with a user name or a password in it is not taken; leave out what is before @."))
    if not host or "%" in host or "\\" in url or port == 0:
        raise NotAllowed(_("This is no address; it should be like https://build.example/hook."))
    return Target(parts.scheme, ascii_host(host), port or PORTS[parts.scheme], path_of(parts))


def ascii_host(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise NotAllowed(_("There is no such host; look at the address once more.")) from None


def path_of(parts: SplitResult) -> str:
    """Return what is asked for of a host; what is behind `#` never leaves a client."""
    query = f"?{parts.query}" if parts.query else ""
    return iri_to_uri(f"{parts.path or '/'}{query}")


def check_url(text: str) -> str:
    """Return an address as it is kept; raise a ValueError, with a sentence for people, where nothing is sent to it."""
    url = text.strip()
    target = target_of(url)
    addresses_of(target, RESOLVE_SECONDS)
    return url


def addresses_of(target: Target, seconds: float) -> Sequence[Any]:
    """Return what a host leads to, as `socket.getaddrinfo` does; raise NotAllowed unless all of that is allowed.

    `seconds` are what it may take, which no one can tell the system's own resolver.
    """
    found: Future[Any] = Future()

    def resolve() -> None:
        try:
            found.set_result(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except Exception as error:
            found.set_exception(error)

    Thread(target=resolve, name="resolve", daemon=True).start()
    try:
        infos: Sequence[Any] = found.result(seconds)
    except TimeoutError:
        raise NotAllowed(_("The host's name could not be looked up in time; try again later.")) from None
    except (OSError, UnicodeError):
        raise NotAllowed(_("There is no such host; look at the address once more.")) from None
    if not infos or not all(is_allowed(info[4][0]) for info in infos):
        raise NotAllowed(
            _(
                "This address leads into a private network, where nothing is sent. Whoever runs the server can allow "
                "it with the setting FOLIO_WEBHOOK_PRIVATE."
            )
        )
    return infos


def is_allowed(text: str) -> bool:
    """Tell whether messages may go to an address: it is anyone's to reach, or in a network that the settings allow."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = unwrapped(address)
    if any(each in network for network in settings.WEBHOOK_PRIVATE for each in {address, inner}):
        return True
    if isinstance(inner, IPv6Address) and inner not in UNICAST:
        return False
    return inner.is_global and not inner.is_multicast and not any(inner in network for network in NOBODYS)


def unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, where it does; a gateway would send there."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def masked(url: str) -> str:
    """Return what of a URL may be shown: who knows the rest of a build hook's can start builds."""
    try:
        parts = urlsplit(url.strip())
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "…"
    return f"{parts.scheme}://{host}/…" if parts.scheme and host else "…"
