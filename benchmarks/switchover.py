"""Readers of two servers through crashes, restarts and switchovers: `python -m benchmarks.switchover [--times 12]`.

Two servers of two workers answer for one installation on a PostgreSQL of this program's own, behind a TCP proxy. A text
holds a number that grows; each read that begins after a number was acknowledged must show that number or a later one.
Meanwhile, in turn: a worker is killed, PostgreSQL is restarted, it crashes, and another one takes its place. For that
the old primary takes no more writes, its standby is promoted, and the proxy leads new connections there; the old one
goes on answering those that it has. The exit status is 1 if a read was stale, or the servers did not go on.
"""

import os
import random
import signal
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock

import psycopg
import requests

from tests.live import UNLIMITED, Server, Session, beginning, create_database, running_server, url_of, workers_of
from tests.postgresql import UNAVAILABLE, find_binaries, temporary_server
from tests.postgresql import Server as PostgreSQL
from tests.tcp import Proxy, proxy_to

DATABASE = "folio_switched"
READERS = 6
REQUESTS_PER_CONNECTION = 40  # then another one is opened, which may reach another worker
BETWEEN = 7.0  # seconds: a server ends where a worker dies soon after it took another one's place
PATIENCE = 60.0  # seconds until writes go on after a fault
AFTER_FAILURE = 0.5  # seconds in which a write that failed is over in any case


@dataclass
class Stage:
    """What readers and the writer have in common."""

    servers: list[Server]
    proxy: Proxy
    tag: int
    asked: int = 0
    acknowledged: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)
    wrong: list[str] = field(default_factory=list)
    is_over: bool = False

    def count(self, name: str) -> None:
        with self.lock:
            self.counts[name] += 1


def sessions(stage: Stage, chance: random.Random) -> Iterator[Session]:
    """Yield a session for each request until all is over: now and then another one, of any of the servers."""
    while not stage.is_over:
        server = chance.choice(stage.servers)
        with server.session(server.key) as session:
            for _ in range(REQUESTS_PER_CONNECTION):
                if stage.is_over:
                    return
                yield session


def status_of(stage: Stage, kind: str, ask: Callable[[], requests.Response]) -> tuple[int, requests.Response | None]:
    """Ask, count what came of it, and return the status: 0 where the connection broke."""
    try:
        answer = ask()
    except requests.RequestException:
        stage.count(f"{kind} that broke")
        return 0, None
    status = answer.status_code
    stage.count(kind if status == 200 else f"{kind} that were refused")
    if status not in (200, 503):
        stage.wrong.append(f"{answer.request.method} {answer.url}: status {status}")
    return status, answer


def write(stage: Stage) -> None:
    """Write one number after another, at any of the servers."""
    for session in sessions(stage, random.Random(0)):
        stage.asked += 1
        change = partial(session.patch, f"/api/tags/{stage.tag}/", json={"name": str(stage.asked)})
        status, _ = status_of(stage, "writes", change)
        if status == 200:
            stage.acknowledged = stage.asked
        time.sleep(0.005 if status == 200 else AFTER_FAILURE)


def read(stage: Stage, seed: int) -> None:
    chance, pk = random.Random(seed), stage.tag
    for session in sessions(stage, chance):
        path = chance.choice([f"/api/tags/{pk}/", f"/api/tags/?id_min={pk}&limit={chance.randrange(1, 101)}"])
        begun = stage.acknowledged
        status, answer = status_of(stage, "reads", partial(session.get, path))
        if status != 200 or answer is None:
            time.sleep(0.05)
            continue
        document = answer.json()
        shown = int((document["results"][0] if "results" in document else document)["name"])
        if not begun <= shown <= stage.asked:
            stage.count("stale reads")
            stage.wrong.append(f"{answer.url} showed {shown}, after {begun} was acknowledged")


class Databases:
    """The primary of now, and those before it that are still alive."""

    def __init__(self, binaries: Path, stack: ExitStack) -> None:
        self.binaries = binaries
        self.stack = stack
        self.primary: PostgreSQL = stack.enter_context(temporary_server(binaries))

    def restart(self, mode: str) -> None:
        self.primary.stop(mode)
        self.primary.start()

    def replace(self, proxy: Proxy) -> None:
        """Have a standby take the primary's place, which stays alive and takes no writes."""
        old = self.primary
        new: PostgreSQL = self.stack.enter_context(temporary_server(self.binaries, old))
        with psycopg.connect(old.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            connection.execute("SELECT pg_reload_conf()")
            time.sleep(0.5)  # until each of its processes knows, and has ended what it had begun
            [(end,)] = connection.execute("SELECT pg_current_wal_lsn()::text").fetchall()
        with psycopg.connect(new.url, autocommit=True) as connection:
            while connection.execute("SELECT pg_last_wal_replay_lsn() < %s::pg_lsn", [end]).fetchall() == [(True,)]:
                time.sleep(0.02)
        new.promote()
        proxy.switch(new.port)
        self.primary = new


def kill_a_worker(stage: Stage) -> None:
    with suppress(ProcessLookupError):
        os.kill(random.choice(workers_of(random.choice(stage.servers))), signal.SIGKILL)


def faults(stage: Stage, databases: Databases) -> Iterator[tuple[str, Callable[[], object]]]:
    while True:
        yield "switchovers", lambda: databases.replace(stage.proxy)
        yield "workers killed", lambda: kill_a_worker(stage)
        yield "crashes of PostgreSQL", lambda: databases.restart("immediate")
        yield "restarts of PostgreSQL", lambda: databases.restart("fast")


def run(stage: Stage, databases: Databases, times: int) -> None:
    with ThreadPoolExecutor(READERS + 1) as pool:
        started = [pool.submit(read, stage, seed) for seed in range(READERS)] + [pool.submit(write, stage)]
        try:
            for _, (name, fault) in zip(range(times), faults(stage, databases), strict=False):
                time.sleep(BETWEEN)
                fault()
                stage.count(name)
                written, end = stage.acknowledged, time.monotonic() + PATIENCE
                while stage.acknowledged <= written:
                    if time.monotonic() > end or any(future.done() for future in started):
                        stage.wrong.append(f"Writes did not go on after {name}.")
                        return
                    time.sleep(0.05)
            time.sleep(BETWEEN)
        finally:
            stage.is_over = True
    for future in started:
        future.result()  # raises what it failed with


@contextmanager
def staged(stack: ExitStack, databases: Databases) -> Iterator[Stage]:
    os.environ["DATABASE_URL"] = databases.primary.url
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="folio-switch-", ignore_cleanup_errors=True)))
    proxy = stack.enter_context(proxy_to(databases.primary.port))
    create_database(databases.primary.url, DATABASE, beginning(databases.primary.url).database)
    variables = {
        "DATABASE_URL": proxy.url(url_of(databases.primary.url, DATABASE)),
        "FOLIO_ADDRESS_SECONDS": "5",
        "FOLIO_CONNECTION_MAX_AGE": "3",
        **UNLIMITED,
    }
    servers = [stack.enter_context(running_server(folder, "--workers", "2", **variables)) for _ in range(2)]
    tag = servers[0].session(servers[0].key).post("/api/tags/", json={"name": "0"}).json()["id"]
    yield Stage(servers, proxy, tag)


def main() -> int:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=12, help="faults, of four kinds in turn (default: %(default)s)")
    arguments = parser.parse_args()
    binaries = find_binaries()
    if binaries is None:
        print("PostgreSQL is not installed (Debian: apt-get install postgresql-15).", file=sys.stderr)
        return UNAVAILABLE
    with ExitStack() as stack:
        databases = Databases(binaries, stack)
        with staged(stack, databases) as stage:
            run(stage, databases, arguments.times)
            logs = "".join(server.log.read_text() for server in stage.servers)
    stage.counts["tracebacks in the logs"] = logs.count("Traceback")
    stage.counts["stale reads"] += 0
    for name, count in sorted(stage.counts.items()):
        print(f"{count:>9,}  {name}")
    for line in stage.wrong[:10]:
        print(line, file=sys.stderr)
    return 1 if stage.wrong or "Traceback" in logs else 0


if __name__ == "__main__":
    sys.exit(main())
