"""How variables of the environment are read; one that can't be meant is refused with what would be right."""

import grp
import os
import re
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.http.request import split_domain_port

MIN_WIDTH, MAX_WIDTH, MOST_WIDTHS = 16, 8192, 16  # of the variants of a picture


class Env(environ.Env):
    """Reads variables as they stand there, and knows afterwards which ones there are."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get_value(self, var: str, cast: Any = None, default: Any = None, parse_default: bool = False) -> Any:
        self.names.add(var)
        value = self.ENVIRON.get(var)  # django-environ would read a text that begins with `$` as a variable's name
        return default if value is None else self.parse_value(value, cast)


env = Env()


def number(name: str, default: int, least: int = 0) -> int:
    """Return a variable's whole number of `least` or more; raise ImproperlyConfigured for anything else."""
    text = env.str(name, default=str(default)).strip()
    if not (text.isascii() and text.isdecimal() and int(text) >= least):
        raise ImproperlyConfigured(f"{name} is {text!r}; it must be a whole number such as {default}.")
    return int(text)


def switch(name: str, default: str = "off") -> bool:
    """Return whether a variable is on; `default` where it is not set. Raise ImproperlyConfigured for others."""
    text = env.str(name, default="").strip().lower() or default
    if text not in {"1", "true", "yes", "on", "0", "false", "no", "off", ""}:
        raise ImproperlyConfigured(f"{name} is {text!r}; it must be true or false.")
    return text in {"1", "true", "yes", "on"}


KEEP: dict[str, Literal["none", "rights", "all"]] = {
    "none": "none",
    "rights": "rights",
    "all": "all",
    # The words of before there were three: off took out what is private, on kept it.
    **dict.fromkeys(("0", "false", "no", "off", ""), "rights"),
    **dict.fromkeys(("1", "true", "yes", "on"), "all"),
}


def metadata(name: str) -> Literal["none", "rights", "all"]:
    """Return what a variable says is kept of what stands in files beside pictures and sounds, `rights` without it.

    Raise ImproperlyConfigured for anything else.
    """
    text = env.str(name, default="").strip().lower()
    if text not in KEEP:
        raise ImproperlyConfigured(
            f"{name} is {text!r}; it must be none, rights or all. With rights, files keep who made them and how they "
            "may be used; with all, positions and serial numbers too."
        )
    return KEEP[text]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return a variable's addresses and networks; raise ImproperlyConfigured for what is neither."""
    try:
        return [ip_network(item.strip()) for item in env.list(name, default=[]) if item.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: {error}. It must be addresses and networks separated by commas, such as 127.0.0.1,10.0.0.0/8."
        ) from error


UNIX = "unix"  # the peer on our own unix socket, which has no address


def proxies(name: str) -> tuple[list[IPv4Network | IPv6Network], bool]:
    """Return the networks that a variable names as `networks` does, and whether the word `unix` is among them."""
    items = [item.strip() for item in env.list(name, default=[]) if item.strip()]
    try:
        return [ip_network(item) for item in items if item.lower() != UNIX], UNIX in map(str.lower, items)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: {error}. It must be addresses and networks separated by commas, such as 127.0.0.1,10.0.0.0/8, or "
            f"{UNIX} for a proxy on a unix socket."
        ) from error


DURATION = re.compile(r"([0-9]{1,6})([smhd])?")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,}")


def secret_word(name: str) -> str:
    """Return a variable's token, nothing where it isn't set; raise ImproperlyConfigured for one that could be guessed.

    It is of the characters that a header `Authorization: Bearer` can have.
    """
    text = env.str(name, default="").strip()
    if text and not TOKEN.fullmatch(text):
        raise ImproperlyConfigured(
            f"{name} must be 16 characters or more, of letters, digits and . _ ~ + / = -, such as `openssl rand -hex "
            "24` makes."
        )
    return text


def port(name: str) -> int:
    """Return a variable's port, 0 where it is not set; raise ImproperlyConfigured for anything else."""
    text = env.str(name, default="").strip()
    if text and not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 65_535):
        raise ImproperlyConfigured(f"{name} is {text!r}; it must be a port from 1 to 65535, such as 9464.")
    return int(text or 0)


def duration(name: str, default: str) -> timedelta:
    """Return a variable's time, such as `7d`, `12h`, `30m`, `45s` or `0`; raise ImproperlyConfigured for others."""
    text = env.str(name, default="").strip().lower() or default
    match = DURATION.fullmatch(text)
    if match is None or not (match[2] or int(match[1]) == 0):
        example = default if default != "0" else "1h"
        raise ImproperlyConfigured(
            f"{name} is {text!r}; it must be a number and a unit, d, h, m or s, such as {example}, or 0."
        )
    return timedelta(**{UNITS[match[2] or "s"]: int(match[1])})


def widths(name: str, default: str) -> list[int]:
    """Return a variable's widths in pixels, the smallest first; raise ImproperlyConfigured for what is none.

    A variable that is set and empty names none.
    """
    text = env.str(name, default=default)
    items = [item.strip() for item in text.split(",") if item.strip()]
    if not all(item.isascii() and item.isdecimal() and MIN_WIDTH <= int(item) <= MAX_WIDTH for item in items):
        raise ImproperlyConfigured(
            f"{name} is {text!r}; it must be widths in pixels from {MIN_WIDTH} to {MAX_WIDTH}, separated by commas, "
            f"such as {default}."
        )
    found = sorted({int(item) for item in items})
    if len(found) > MOST_WIDTHS:
        raise ImproperlyConfigured(f"{name} names {len(found)} widths; {MOST_WIDTHS} are the most.")
    return found


def choices(name: str, known: Sequence[str], default: str) -> list[str]:
    """Return the words that a variable names, in its order; raise ImproperlyConfigured for an unknown one."""
    text = env.str(name, default=default)
    found = list(dict.fromkeys(item.strip().lower() for item in text.split(",") if item.strip()))
    if not set(found) <= set(known):
        raise ImproperlyConfigured(f"{name} is {text!r}; it must be of {', '.join(known)}, separated by commas.")
    return found


def origins(name: str) -> list[str]:
    """Return a variable's origins as browsers send them; raise ImproperlyConfigured for what no page could come from.

    A pattern is refused like a path: what would fit one by mistake could read all that its visitor's key opens.
    """
    return [origin(name, item.strip()) for item in env.list(name, default=[]) if item.strip()]


def origin(name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = split_domain_port(parts.netloc)
        is_named = HOST.fullmatch(host) is not None and not host.startswith(".") and parts.port != 0
    except ValueError:  # half an IPv6 address, or a port that is none
        raise ImproperlyConfigured(f"{name} names {text!r}, which is no address. {ORIGINS}") from None
    if "*" in text:
        raise ImproperlyConfigured(f"{name} names {text!r}; it must name each origin, without `*`. {ORIGINS}")
    if parts.scheme not in DEFAULT_PORTS or not parts.netloc:
        raise ImproperlyConfigured(f"{name} names {text!r}; an origin is http or https with a host. {ORIGINS}")
    if not is_named:
        raise ImproperlyConfigured(
            f"{name} names {text!r}; browsers call that origin {parts.scheme}://{host_of(text)}. {ORIGINS}"
        )
    if parts.path or parts.query or parts.fragment or text.endswith(("?", "#")):
        right = f"{parts.scheme}://{parts.netloc}"
        raise ImproperlyConfigured(f"{name} names {text!r}; an origin has no path, so it must be {right}.")
    return f"{parts.scheme}://{host if port in {'', DEFAULT_PORTS[parts.scheme]} else f'{host}:{port}'}"


ORIGINS = "Name origins such as https://studio.example or http://localhost:5173, separated by commas."
RATE = re.compile(r"([1-9][0-9]{0,8}) */ *(second|minute|hour|day)s?")
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def rate(name: str, default: str = "off") -> tuple[int, int] | None:
    """Return a variable's requests and the seconds that they are for, such as `600/minute`; None for `off`.

    Raise ImproperlyConfigured for anything else.
    """
    text = env.str(name, default="").strip().lower() or default
    if text in {"off", "none", "0"}:
        return None
    match = RATE.fullmatch(text)
    if match is None:
        raise ImproperlyConfigured(
            f"{name} is {text!r}; it must be a number of requests for a second, minute, hour or day, such as "
            "600/minute, or off."
        )
    return int(match[1]), SECONDS[match[2]]


def is_pattern(text: str, *fields: str) -> bool:
    """Tell whether a text is an http(s) address with each of these fields in braces once, and no other braces."""
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    rest = text
    for field in fields:
        rest = rest.replace(field, "", 1)
    return is_address and all(field in text for field in fields) and not set("{}") & set(rest)


def site_address(name: str) -> str:
    """Return the pattern of the website's pages, "" where it is not set; raise ImproperlyConfigured for a wrong one."""
    text = env.str(name, default="").strip()
    if text and not is_pattern(text, "{slug}"):
        raise ImproperlyConfigured(
            f"{name} is {text!r}; it must be the address of a portfolio's page with {{slug}} once in it, "
            "such as https://studio.example/work/{slug}/."
        )
    return text


def files_address(name: str) -> str:
    """Return the address that files have before their names, with a slash; "" where it is not set.

    Raise ImproperlyConfigured for what is no absolute address.
    """
    text = env.str(name, default="").strip()
    if not text:
        return ""
    parts = urlsplit(text) if is_pattern(text) else None
    if parts is None or parts.query or parts.fragment or parts.username is not None or text.endswith(("?", "#")):
        raise ImproperlyConfigured(
            f"{name} is {text!r}; it must be an absolute address that the names of files are put behind, such as "
            "https://cdn.example.com/media/."
        )
    return f"{text.rstrip('/')}/"


def preview_address(name: str) -> str:
    """Return the pattern of the page that shows previews, "" where it is not set; raise ImproperlyConfigured else."""
    text = env.str(name, default="").strip()
    if text and not (is_pattern(text, "{slug}", "{token}") and "{" not in urlsplit(text).netloc):
        raise ImproperlyConfigured(
            f"{name} is {text!r}; it must be the address of the page that shows previews, with {{slug}} and {{token}} "
            "once each behind its host, such as https://studio.example/preview/?slug={slug}&preview={token}."
        )
    return text


def choice(name: str, choices: Sequence[str], default: str) -> str:
    """Return which of the words a variable names, in any letter case; raise ImproperlyConfigured for another."""
    text = env.str(name, default="").strip() or default
    if text.upper() not in choices:
        raise ImproperlyConfigured(f"{name} is {text!r}; it must be one of {', '.join(choices)}.")
    return text.upper()


HOST = re.compile(r"\*|\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.IGNORECASE)


def host_of(text: str) -> str:
    """Return the host that a URL, or a host that is written otherwise than requests name it, probably means."""
    host = text.partition("://")[2] or text
    host = re.split(r"[/?#]", host.rpartition("@")[2])[0]
    try:
        return f"[{IPv6Address(host.strip('[]'))}]"
    except ValueError:
        host = re.sub(r":[0-9]*$", "", host).rstrip(".")
    host = host[1:] if host.startswith("*.") else host  # Django writes a domain with its subdomains `.example.com`
    try:
        return host if HOST.fullmatch(host) else host.encode("idna").decode()
    except UnicodeError:
        return "api.example.com"


def hosts(name: str, default: list[str]) -> list[str]:
    """Return a variable's hosts; raise ImproperlyConfigured for what no request could come for, as a URL."""
    found = [item.strip() for item in env.list(name, default=default) if item.strip()]
    for item in found:
        if not HOST.fullmatch(item):
            right = host_of(item)
            right = right if HOST.fullmatch(right) else "api.example.com"
            raise ImproperlyConfigured(
                f"{name} names {item!r}; it must be hosts alone, without scheme, port and path, such as {right}."
            )
    return found


def group(name: str) -> int | None:
    """Return the number of the group of users that a variable names; raise ImproperlyConfigured for an unknown one."""
    text = env.str(name, default="").strip()
    if text.isascii() and text.isdecimal():
        return int(text)
    try:
        return grp.getgrnam(text).gr_gid if text else None
    except KeyError:
        raise ImproperlyConfigured(f"{name} is {text!r}; there is no such group on this machine.") from None


def data_folder(name: str, default: str) -> Path:
    """Return the folder that a variable names, from the root on."""
    text = env.str(name, default="") or default
    try:
        return Path(text).resolve()
    except (OSError, RuntimeError) as error:  # links that lead to one another
        raise ImproperlyConfigured(f"{name} is {text!r}, which leads nowhere: {error}.") from error


def is_there(path: Path) -> bool:
    """Tell whether there is such a file, as far as it can be seen."""
    return os.path.exists(path)


DEFAULT_PORTS = {"http": "80", "https": "443"}


def public_address(url: str) -> SplitResult:
    """Return the parts of FOLIO_PUBLIC_URL, the host as browsers name it: lower case, without its scheme's own port."""
    try:
        parts = urlsplit(url)
        host, port = split_domain_port(parts.netloc)
        is_address = parts.scheme in DEFAULT_PORTS and host and parts.port != 0
    except ValueError:  # half an IPv6 address, or a port that is none
        is_address = False
    if not is_address or parts.query or parts.fragment:
        raise ImproperlyConfigured(
            f"FOLIO_PUBLIC_URL is {url!r}; it must be an absolute URL such as https://api.example.com."
        )
    return parts._replace(netloc=host if port in {"", DEFAULT_PORTS[parts.scheme]} else f"{host}:{port}")
