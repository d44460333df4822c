"""Connections by which every worker of a running server is asked; it must run with FOLIO_SERVER_TIMING."""

from itertools import count
from uuid import uuid4

import requests

from .live import Session

ATTEMPTS = 200  # connections; which worker accepts one is a matter of chance
numbers = count(1)


def connections_to_each_worker(url: str, key: str, workers: int) -> list[Session]:
    """Open connections until two reach each worker, and return them; nothing may be written meanwhile."""
    question = f"/api/tags/?search={uuid4().hex}"
    groups: list[list[Session]] = []
    for _ in range(ATTEMPTS):
        session = Session(url, key)
        if not is_hit(session.get(question)):
            groups.append([session])  # a worker that was not asked before
        else:
            again = f"{question}&offset={next(numbers)}"
            session.get(again)
            group = next(group for group in groups if is_hit(group[0].get(again)))
            if len(group) < 2:
                group.append(session)
        if len(groups) == workers and all(len(group) == 2 for group in groups):
            return [session for group in groups for session in group]
    raise AssertionError("Not every worker was reached.")


def is_hit(response: requests.Response) -> bool:
    assert response.status_code in {200, 304}, response.text
    return 'desc="hit"' in response.headers["Server-Timing"]


def key_of(session: Session) -> str:
    return str(session.headers["Authorization"]).removeprefix("Token ")


def with_key(readers: list[Session], key: str) -> list[Session]:
    """Return the same connections with another key."""
    others = []
    for reader in readers:
        other = Session(reader.url, key)
        other.adapters = reader.adapters
        others.append(other)
    return others


def ask_until_hit(readers: list[Session], *paths: str) -> None:
    """Bring the answers at these paths into the cache of every worker."""
    for reader in readers:
        for path in paths:
            reader.get(path)
    for reader in readers:
        for path in paths:
            assert is_hit(reader.get(path)), path
