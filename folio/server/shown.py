"""What of a request stands in the log: in one line whatever it is, and no secret."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest

from folio.api.addresses import client_address
from folio.logs import masked

# Parameters whose values are told: they name fields, orders and places. What people search for is theirs, and under a
# name that nobody foresaw may stand a secret.
TOLD_PARAMETERS = {
    *("limit", "offset", "ordering", "include", "fields", "expand", "page", "p", "o", "type", "width", "format"),
    *("id_min", "id_max", "order_min", "order_max", "employer_id", "tag_id", "tags_in", "portfolio_id", "is_active"),
    *("created_date", "created_from", "created_to", "updated_date", "updated_from", "updated_to"),
    *("completed_at_from", "completed_at_to", "has_image", "has_description", "has_employer", "has_url", "has_file"),
    *("deduplicate", "detach", "now", "year", "tag", "employer"),
}
PLAIN = re.compile(r"[A-Za-z0-9_.,:+-]{0,60}")
NAME = re.compile(r"[A-Za-z0-9_]{1,40}")
BARE = re.compile(r"[A-Za-z0-9_.@+-]*[A-Za-z0-9][A-Za-z0-9_.@+-]*")
LONGEST = 300  # characters of a path, and of a name
LONGEST_QUERY = 4096
MOST_PARAMETERS = 20


def summary(fields: dict[str, Any]) -> str:
    return f"{fields['method']} {fields['path']} {fields['status']}"


def in_a_line(fields: dict[str, Any]) -> str:
    """Return a request as people read it."""
    memory = f"{fields['memory']}, " if fields["memory"] else ""
    return (
        f"{summary(fields)} {fields['ms']} ms, {memory}{fields['queries']} queries in {fields['queries_ms']} ms, "
        f"{fields['bytes']} bytes, route={fields['route'] or '-'} client={fields['client'] or '-'} "
        f"user={quoted(fields['user'])} key={quoted(fields['key'])}"
    )


def quoted(name: str | None) -> str:
    """Return a name so that what follows it in a line can't be a part of it; a dash for none."""
    if name is None:
        return "-"
    if BARE.fullmatch(name) and len(name) <= LONGEST:
        return name
    text = shown(name).replace('"', '\\"')
    return f'"{text}"'


def in_ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def shown(text: str) -> str:
    """Return a text that stays in its line, of a bounded length."""
    text = text if text.isascii() and text.isprintable() else text.encode("unicode_escape").decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


@lru_cache(maxsize=256)
def shown_path(path: str, query: str) -> str:
    """Return a path with its query, without what may be a secret: the values of all parameters but plain ones."""
    # WSGI gives the path's bytes as Latin-1.
    text = masked(shown(path if path.isascii() else path.encode("latin-1", "replace").decode(errors="replace")))
    return f"{text}?{shown_query(query)}" if query else text


def shown_query(query: str) -> str:
    pairs = parse_qsl(query[:LONGEST_QUERY], keep_blank_values=True)
    parts = [f"{shown_name(name)}={shown_value(name, value)}" for name, value in pairs[:MOST_PARAMETERS]]
    return "&".join([*parts, *(["..."] if len(pairs) > MOST_PARAMETERS else [])])


def shown_name(name: str) -> str:
    return name if NAME.fullmatch(name) and masked(name) == name else "***"


def shown_value(name: str, value: str) -> str:
    is_plain = name in TOLD_PARAMETERS and PLAIN.fullmatch(value) and masked(value) == value
    return value if is_plain or not value else "***"


def client_of(server_says: str, forwarded: str) -> str:
    """Return a request's address, nothing where it has none; one that comes again is not parsed again."""
    return known(server_says, forwarded) if len(forwarded) <= LONGEST else address(server_says, forwarded)


def address(server_says: str, forwarded: str) -> str:
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": server_says, "HTTP_X_FORWARDED_FOR": forwarded}
    return str(client_address(request) or "")


known = lru_cache(maxsize=1024)(address)
