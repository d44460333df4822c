"""A read that begins after a moment shows what it changed, though nothing is written: on every worker, to everyone."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import Any

import pytest

from folio.tasks.runner import SECONDS_VARIABLE
from tests.crossing import WAYS, Crossing, Told, make_crossing
from tests.live import Server, Session
from tests.postgresql import Server as PostgreSQL
from tests.readers import ask_until_hit, connections_to_each_worker, is_hit, key_of, with_key
from tests.writers import Writers

from .installations import served

PATIENCE = 120  # seconds that readers and a writer may take until all was seen
LONGEST = 32  # seconds that a moment is put off by, where a slow machine needs so long to ask before it


@pytest.fixture(scope="module")
def server(postgresql: PostgreSQL | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # What the server does later commits, too: then it would not be the clock that ends what is kept.
    variables = {"FOLIO_PUBLIC_READ": "on", SECONDS_VARIABLE: "3600"}
    with served(tmp_path_factory.mktemp("moments"), postgresql, "--workers", "2", **variables) as server:
        yield server


@pytest.fixture(scope="module")
def writers(server: Server) -> Iterator[Writers]:
    with Writers.of(server) as writers:
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


def told_by(reader: Session, path: str) -> Told:
    answer = reader.get(path)
    return Told.of(answer.status_code, answer.headers, answer.json())


@pytest.mark.parametrize("way", WAYS)
def test_what_lies_in_memory_ends_at_the_moment(
    writers: Writers, readers: list[Session], crossing: Crossing, way: str
) -> None:
    """All is asked for before the moment, until it comes from memory, and then again after it."""
    paths = [*crossing.public_paths, *crossing.paths]
    lists = [path for path in paths if "?" in path and "/slug/" not in path]  # of what is not there a `404` is not kept

    def change(is_there: bool, kept: list[str]) -> None:
        wait = 1.0
        while True:
            now = time.time()
            begin, end = (now + wait, now + 3600) if is_there else (now - 3600, now + wait)
            crossing.set(partial(WAYS[way], writers), begin, end)
            ask_until_hit(readers, *kept)
            before = {told_by(reader, path).is_there for reader in readers for path in paths}
            if time.time() < now + wait:
                break
            wait *= 2
            assert wait <= LONGEST
        assert before == {not is_there}
        time.sleep(max(0, now + wait - time.time()))
        after = [reader.get(path) for reader in readers for path in paths]
        assert {Told.of(one.status_code, one.headers, one.json()).is_there for one in after} == {is_there}

    change(True, lists)
    change(False, paths)


def test_readers_that_run_freely_cross_moments(writers: Writers, readers: list[Session], crossing: Crossing) -> None:
    """Each read is judged by the moments between its beginning and its end; most come from memory."""
    paths = [*crossing.public_paths, *crossing.paths]
    problems: list[str] = []
    seen: Counter[tuple[str, bool]] = Counter()
    hits: Counter[bool] = Counter()
    is_over = False

    def read(reader: Session) -> None:
        etags: dict[str, tuple[str, bool]] = {}
        for number in count():
            if is_over:
                break
            for path in paths:
                etag, was_there = etags.get(path, ("", False))
                known, since = crossing.settled, time.time()
                answer = reader.get(path, headers={"If-None-Match": etag} if etag and number % 2 else {})
                until = time.time()
                document: Any = answer.json() if answer.status_code != 304 else None
                told = Told.of(answer.status_code, answer.headers, document, was_there)
                problem = crossing.problem(known, since, until, told)
                if problem:
                    problems.append(f"{path}: {problem}")
                if answer.status_code == 200:
                    etags[path] = answer.headers["ETag"], told.is_there
                if answer.status_code != 404:
                    hits[is_hit(answer)] += 1
                seen[path, told.is_there] += 1

    with ThreadPoolExecutor(len(readers)) as pool:
        reading = [pool.submit(read, reader) for reader in readers]
        try:
            deadline = time.monotonic() + PATIENCE
            rounds = 0
            while rounds < 8 or min(seen[path, is_there] for path in paths for is_there in (True, False)) < 20:
                assert time.monotonic() < deadline, seen
                assert not any(future.done() for future in reading)
                way = list(WAYS.values())[rounds % len(WAYS)]
                now = time.time()
                crossing.set(partial(way, writers), now + 0.4, now + 0.8)
                time.sleep(max(0, now + 1.0 - time.time()))
                rounds += 1
        finally:
            is_over = True
        for future in reading:
            future.result()

    assert not problems, problems[:10]
    assert hits[True] > hits[False]


def test_the_managing_api_s_answers_stay_in_memory(writers: Writers, crossing: Crossing) -> None:
    """Who sees all is told the same before a moment and after it."""
    session = Session(writers.api.url, key_of(writers.api))
    path = f"/api/portfolios/{crossing.pk}/?include=schedule"
    public = crossing.public_paths[1]
    now = time.time()
    crossing.set(partial(WAYS["api"], writers), now - 60, now + 1)
    before = session.get(path).content
    assert told_by(session, public).is_there
    time.sleep(max(0, now + 1.01 - time.time()))
    assert not told_by(session, public).is_there

    assert session.get(path).content == before
