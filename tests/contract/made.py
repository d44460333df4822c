"""Rows that the tests on a real server make, and what many do at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

from tests.live import Session


def unique(word: str) -> str:
    return f"{word}-{uuid4().hex[:8]}"


def portfolio(**fields: Any) -> dict[str, Any]:
    name = unique("work")
    return {"title": name, "slug": name, "excerpt": "An excerpt.", **fields}


def create(api: Session, path: str, **body: Any) -> dict[str, Any]:
    response = api.post(path, json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def together(count: int, task: Callable[[int], Any]) -> list[Any]:
    """Run a task in as many threads, which start at the same moment, and return what each returned."""
    barrier = Barrier(count, timeout=60)

    def start(number: int) -> Any:
        barrier.wait()
        return task(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


def key_of(api: Session) -> str:
    return str(api.headers["Authorization"]).removeprefix("Token ")
