"""Backups that are made under load, each restored and compared: `python -m benchmarks.restored [--seconds 60]`.

Several clients publish, upload, replace and delete without a pause; removed files have no grace, which is the hardest
for a backup. Meanwhile backups are made into a store, one after another. Then each is restored into an installation of
its own, and compared with what was answered to the clients: all that was acknowledged before the backup began is in
it, and nothing that was deleted by then; each file is one that its media had meanwhile; the rows are as many as its
manifest says, and `folio checkmedia` finds nothing wrong.

The database is SQLite, or, where DATABASE_URL is set, a new one of that PostgreSQL server. The exit status is 1 if
anything was wrong.
"""

import json
import shutil
import sqlite3
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from inspect import getdoc
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import psycopg

from tests.environment import run_folio
from tests.live import (
    UNLIMITED,
    Server,
    Session,
    create_database,
    drop_database,
    postgresql_url,
    running_server,
    url_of,
)

SECONDS, WRITERS, BACKUPS = 60.0, 4, 4
PATIENCE = 900  # seconds for a command, on a machine that does much else
KEPT = 6  # works of a writer, of which the oldest is deleted
HARD = {"FOLIO_KEEP_REMOVED": "0", **UNLIMITED}
# Of these a restored installation has others than the backup: the schedule is not restored.
NOT_COUNTED = {"server_backupschedule", "django_migrations"}


@dataclass
class Work:
    """A portfolio with its file, and when what was asked of it and answered."""

    portfolio: int
    media: int
    made: float  # answered
    contents: list[tuple[float, float, str]]  # sent, answered, and the SHA-256
    deleting: float = float("inf")  # sent
    deleted: float = float("inf")  # answered


@dataclass
class Backup:
    name: str
    begun: float
    ended: float


@dataclass
class Run:
    """What was done and is to be compared."""

    works: list[Work] = field(default_factory=list)
    backups: list[Backup] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def write(session: Session, run: Run, is_over: Event, number: int) -> None:
    """Publish, replace and delete until it is over; what goes wrong is noted."""
    mine: list[Work] = []
    count = 0
    try:
        while not is_over.is_set():
            count += 1
            mine.append(publish(session, f"{number}-{count}"))
            run.works.append(mine[-1])
            replace(session, mine[count % len(mine)], f"{number}-{count}")
            if len(mine) > KEPT:
                delete(session, mine.pop(0))
    except Exception as error:
        run.problems.append(f"A writer ended: {error!r}")


def content_of(mark: str) -> bytes:
    return f"{mark} {uuid4().hex}\n".encode() * 2_000


def publish(session: Session, mark: str) -> Work:
    content, sent = content_of(mark), time.monotonic()
    media = session.post("/api/media/", files={"file": (f"{mark}.txt", content)})
    media.raise_for_status()
    stored = (sent, time.monotonic(), sha256(content).hexdigest())
    given = {"title": mark, "slug": f"work-{mark}", "excerpt": "One.", "is_active": True}
    made = session.post("/api/portfolios/", json=given)
    made.raise_for_status()
    return Work(made.json()["id"], media.json()["id"], time.monotonic(), [stored])


def replace(session: Session, work: Work, mark: str) -> None:
    content, sent = content_of(mark), time.monotonic()
    answer = session.put(f"/api/media/{work.media}/file/", files={"file": (f"{mark}.txt", content)})
    answer.raise_for_status()
    work.contents.append((sent, time.monotonic(), sha256(content).hexdigest()))


def delete(session: Session, work: Work) -> None:
    work.deleting = time.monotonic()
    session.delete(f"/api/portfolios/{work.portfolio}/").raise_for_status()
    session.delete(f"/api/media/{work.media}/?now=true").raise_for_status()
    work.deleted = time.monotonic()


def under_load(server: Server, store: Path, seconds: float, writers: int, backups: int) -> Run:
    """Make so many backups while writers write, for so many seconds at least."""
    run, is_over, end = Run(), Event(), time.monotonic() + seconds
    threads = [
        Thread(target=write, args=(server.session(server.key), run, is_over, number)) for number in range(writers)
    ]
    for thread in threads:
        thread.start()
    try:
        for number in range(backups):
            time.sleep(max(0.0, end - time.monotonic()) / (backups + 1 - number))
            begun, before = time.monotonic(), names_in(store)
            result = run_folio("backup", str(store), folder=server.folder, variables=server.variables, seconds=PATIENCE)
            if result.returncode:
                run.problems.append(f"A backup failed: {result.stderr}")
                continue
            [name] = names_in(store) - before
            run.backups.append(Backup(name, begun, time.monotonic()))
        time.sleep(max(0.0, end - time.monotonic()))
    finally:
        is_over.set()
        for thread in threads:
            thread.join(PATIENCE)
    return run


def names_in(store: Path) -> set[str]:
    return {path.stem for path in (store / "backups").glob("*.json")}


@contextmanager
def installation(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the variables of an empty installation in a folder, with a database of its own."""
    folder.mkdir()
    with ExitStack() as stack:
        variables = dict(HARD)
        if url := postgresql_url():
            name = f"restored_{uuid4().hex}"
            create_database(url, name)
            stack.callback(drop_database, url, name)
            variables["DATABASE_URL"] = url_of(url, name)
        yield variables
    shutil.rmtree(folder)


def rows_of(folder: Path, variables: dict[str, str], query: str) -> list[Any]:
    if "DATABASE_URL" in variables:
        with psycopg.connect(variables["DATABASE_URL"]) as connection:
            return connection.execute(query).fetchall()
    with closing(sqlite3.connect(folder / "folio.sqlite3")) as database:
        return database.execute(query).fetchall()


def restored(run: Run, backup: Backup, store: Path, folder: Path) -> Iterator[str]:
    """Restore a backup, and yield what is wrong with it."""
    with installation(folder) as variables:
        for arguments in (["restore", str(store), "--at", backup.name], ["checkmedia", "--min-age", "0"]):
            result = run_folio(*arguments, folder=folder, variables=variables, seconds=PATIENCE)
            if result.returncode:
                yield f"Backup {backup.name}: `folio {arguments[0]}` says {result.stdout}{result.stderr}"
                return
        manifest = json.loads((store / "backups" / f"{backup.name}.json").read_bytes())
        for table, count in manifest["database"]["rows"].items():
            if table not in NOT_COUNTED:
                [(found,)] = rows_of(folder, variables, f'SELECT count(*) FROM "{table}"')
                if found != count:
                    yield f"Backup {backup.name}: {table} has {found} rows; the manifest says {count}."
        portfolios = {pk for (pk,) in rows_of(folder, variables, "SELECT id FROM portfolios_portfolio")}
        files = {pk: (name, digest) for pk, name, digest in rows_of(folder, variables, FILES)}
        for work in run.works:
            yield from (f"Backup {backup.name}: {each}" for each in faults(work, backup, portfolios, files))
        for name, digest in files.values():
            if sha256((folder / "media" / name).read_bytes()).hexdigest() != digest:
                yield f"Backup {backup.name}: {name} has another content than its row says."


FILES = "SELECT id, file, sha256 FROM media_media"


def faults(work: Work, backup: Backup, portfolios: set[int], files: dict[int, tuple[str, str]]) -> Iterator[str]:
    """Yield what a backup can't have of a work by when it was asked for and answered."""
    has_to_be = work.made < backup.begun and work.deleting > backup.ended
    may_be = work.deleted > backup.begun
    if has_to_be and work.portfolio not in portfolios:
        yield f"portfolio {work.portfolio}, which was acknowledged before, is not in it."
    if has_to_be and work.media not in files:
        yield f"media {work.media}, which was acknowledged before, is not in it."
    if not may_be and (work.portfolio in portfolios or work.media in files):
        yield f"portfolio {work.portfolio} or media {work.media} is in it, and was deleted before."
    if work.media in files:
        last = max((number for number, each in enumerate(work.contents) if each[1] < backup.begun), default=0)
        possible = {digest for sent, _, digest in work.contents[last:] if sent < backup.ended}
        if files[work.media][1] not in possible:
            yield f"media {work.media} has a content that it did not have while the backup was made."


def tried(place: Path, *, seconds: float, writers: int, backups: int) -> Run:
    """Make backups under load in a folder, restore and compare each; return what was done, and its problems."""
    served, store = place / "served", place / "store"
    served.mkdir()
    with running_server(served, "--workers", "2", **HARD) as server:
        run = under_load(server, store, seconds, writers, backups)
    for number, backup in enumerate(run.backups):
        run.problems += restored(run, backup, store, place / f"restored-{number}")
    return run


def main() -> int:
    parser = ArgumentParser(description=getdoc(sys.modules[__name__]))
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--writers", type=int, default=WRITERS)
    parser.add_argument("--backups", type=int, default=BACKUPS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="folio-restored-") as folder:
        run = tried(Path(folder), seconds=options.seconds, writers=options.writers, backups=options.backups)
    replaced = sum(len(work.contents) - 1 for work in run.works)
    deleted = sum(work.deleted < float("inf") for work in run.works)
    took = ", ".join(f"{each.ended - each.begun:.1f}" for each in run.backups)
    print(f"{len(run.works):,} works were published meanwhile, {replaced:,} files replaced, {deleted:,} works deleted.")
    print(f"{len(run.backups)} backups, in {took} seconds, were restored and compared: {len(run.problems)} problems.")
    for problem in run.problems:
        print(f"WRONG: {problem}", file=sys.stderr)
    return 1 if run.problems or len(run.backups) < options.backups else 0


if __name__ == "__main__":
    sys.exit(main())
