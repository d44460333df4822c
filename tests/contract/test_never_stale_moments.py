"""A read that begins after a moment shows what it changed, though nothing is written: on every worker, to everyone."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count, cycle
from typing import Any

import pytest
from requests import Response

from tests.crossing import WAYS, Crossing, Told, make_crossing
from tests.live import Session
from tests.postgresql import Server as PostgreSQL
from tests.readers import connections_to_each_worker, is_hit, key_of, with_key
from tests.writers import Writers

from .installations import writers_at_rest

ROUNDS = 12  # of moments, those of the tests before included
PATIENCE = 120  # seconds that readers and a writer may take until all was seen
LONGEST = 32  # seconds that a moment is put off by, where a slow machine needs so long to ask before it


@pytest.fixture(scope="module")
def writers(postgresql: PostgreSQL | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writers]:
    with writers_at_rest(tmp_path_factory.mktemp("moments"), postgresql) as writers:
        yield writers


@pytest.fixture(scope="module")
def crossing(writers: Writers) -> Crossing:
    return make_crossing(writers.api)


@pytest.fixture(scope="module")
def readers(writers: Writers) -> list[Session]:
    """Connections that reach every worker, with a key for what is published; public reads look at none."""
    made = writers.api.post("/api/auth/tokens/", json={"name": "website", "published_only": True})
    sessions = connections_to_each_worker(writers.api.url, key_of(writers.api), workers=2)
    return with_key(sessions, made.json()["key"])


def told(answer: Response) -> Told:
    return Told.of(answer.status_code, answer.headers, answer.json())


@pytest.mark.parametrize("way", ["api", "SQL"])
def test_what_lies_in_memory_ends_at_the_moment(
    writers: Writers, readers: list[Session], crossing: Crossing, way: str
) -> None:
    """All is asked for before the moment, until it comes from memory, and then again after it."""
    paths = [*crossing.public_paths, *crossing.paths]
    lists = [path for path in paths if "?" in path and "/slug/" not in path]  # of what is not there a `404` is not kept

    def change(is_there: bool, kept: list[str]) -> None:
        wait = 2.0
        while True:
            now = time.time()
            begin, end = (now + wait, now + 3600) if is_there else (now - 3600, now + wait)
            crossing.set(partial(WAYS[way], writers), begin, end)
            for _ in range(2):
                before = [(path, reader.get(path)) for reader in readers for path in paths]
            if time.time() < now + wait:
                break
            wait *= 2
            assert wait <= LONGEST
        assert all(is_hit(answer) for path, answer in before if path in kept)
        assert {told(answer).is_there for _, answer in before} == {not is_there}
        time.sleep(max(0, now + wait - time.time()))
        assert {told(reader.get(path)).is_there for reader in readers for path in paths} == {is_there}

    change(True, lists)
    change(False, paths)


@dataclass
class Reader:
    """Reads on and on, and notes what was wrong, what was seen, and how often memory answered."""

    session: Session
    crossing: Crossing
    problems: list[str] = field(default_factory=list)
    seen: Counter[tuple[str, bool | None]] = field(default_factory=Counter)
    hits: Counter[bool] = field(default_factory=Counter)
    etags: dict[str, tuple[str, bool | None]] = field(default_factory=dict)
    is_over: bool = False

    def run(self) -> None:
        for number in count():
            for path in [*self.crossing.public_paths, *self.crossing.paths]:
                if self.is_over:
                    return
                self.read(path, is_known=number % 2 == 1)

    def read(self, path: str, *, is_known: bool) -> None:
        etag, was_there = self.etags.get(path, ("", None))
        known, since = self.crossing.settled, time.time()
        answer = self.session.get(path, headers={"If-None-Match": etag} if etag and is_known else {})
        until = time.time()
        document: Any = answer.json() if answer.status_code != 304 else None
        shown = Told.of(answer.status_code, answer.headers, document, was_there)
        if problem := self.crossing.problem(known, since, until, shown):
            self.problems.append(f"{path} ({answer.status_code}): {problem}")
        if answer.status_code == 200:
            self.etags[path] = answer.headers["ETag"], shown.is_there
        if answer.status_code != 404:
            self.hits[is_hit(answer)] += 1
        self.seen[path, shown.is_there] += 1


def test_readers_that_run_freely_cross_moments(writers: Writers, readers: list[Session], crossing: Crossing) -> None:
    """Each read is judged by the moments between its beginning and its end; many come from memory."""
    paths = [*crossing.public_paths, *crossing.paths]
    reading = [Reader(session, crossing) for session in readers]

    def was_seen() -> bool:
        return all(each.seen[path, state] for each in reading for path in paths for state in (True, False))

    with ThreadPoolExecutor(len(reading)) as pool:
        running = [pool.submit(each.run) for each in reading]
        deadline = time.monotonic() + PATIENCE
        try:
            for way in cycle(WAYS.values()):
                now = time.time()
                crossing.set(partial(way, writers), now + 0.4, now + 0.8)
                time.sleep(max(0, now + 1.0 - time.time()))
                if (crossing.asked >= ROUNDS and was_seen()) or any(future.done() for future in running):
                    break
                assert time.monotonic() < deadline, [each.seen for each in reading]
        finally:
            for each in reading:
                each.is_over = True
        for future in running:
            future.result()

    assert not [problem for each in reading for problem in each.problems]
    # How many come from memory between two moments depends on how fast the machine reads; not few do.
    assert sum(each.hits[True] for each in reading) > sum(each.hits[False] for each in reading) / 4


def test_the_managing_api_s_answers_stay_in_memory(writers: Writers, crossing: Crossing) -> None:
    """Who sees all is told the same before a moment and after it."""
    session = Session(writers.api.url, key_of(writers.api))
    path = f"/api/portfolios/{crossing.pk}/?include=schedule"
    public = crossing.public_paths[1]
    now = time.time()
    crossing.set(partial(WAYS["api"], writers), now - 60, now + 1)
    before = session.get(path).content
    assert told(session.get(public)).is_there
    time.sleep(max(0, now + 1.01 - time.time()))
    assert not told(session.get(public)).is_there

    assert session.get(path).content == before
