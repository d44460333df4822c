"""Readers that run freely while everything is written: `python -m benchmarks.stress [--reads 20000] [--seconds 20]`.

Two workers answer. Each text that is written holds a number greater than all before it, and each read that begins after
a number was acknowledged must show that number or a later one, at whatever address, in whatever form, from whichever
worker; none may show a number that is not yet asked for, nor one that is rolled back. A member's access is withdrawn
and restored meanwhile, and each of their reads must be answered by what they may do at that time. A portfolio comes
and goes by the clock: each read of it, by visitors and with a key for what is published, must show what the clock says.
A file is replaced all the while, which holds such a number too, and others are uploaded and deleted: each is there, at
the address that a read tells, as soon as its row is, and the row of one that was deleted is gone for everyone.

The database is that of `DATABASE_URL`, else SQLite. With `--machines` two servers of two workers each answer behind
nginx, with a PostgreSQL and a bucket of their own and no folder in common, and each of them is asked directly too.

The exit status is 1 if a read was wrong, or too few were done, and 69 where a program is not installed.
"""

import gzip
import random
import re
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

import msgspec

from tests.crossing import WAYS as WAYS_OF_MOMENTS
from tests.crossing import Crossing, Told, make_crossing
from tests.live import UNLIMITED, Server, running_server
from tests.machines import missing, running_machines
from tests.postgresql import UNAVAILABLE
from tests.readers import connections_to_each_worker, key_of
from tests.writers import TEXTS, WAYS, Rows, Writers, make_rows, shown_at, text_of

WORKERS = 2
VARIABLES = {"FOLIO_SERVER_TIMING": "true", "FOLIO_PUBLIC_READ": "true", **UNLIMITED}
READERS = 6
LIMIT = 80  # seconds more than it is to take
TIMEOUT = 60  # seconds for an answer, on a machine that does much else
FILE_LINES = 200
ATTEMPTS = 5
LONGEST_PAUSE = 2.5  # seconds
REQUESTS_PER_CONNECTION = 300  # then another one is opened, which may reach another worker
NEVER_SHOWN = 999_999_999  # what is written and rolled back
SOON = 0.1  # seconds after a moment, in which most of what could be told late would be
MEMBER_KEY = "the-key-of-the-member"
PUBLISHED_KEY = "the-key-for-what-is-published"
MEMBER = "User.objects.filter(username='member')"
# How the member's access is withdrawn, the status that they then get, and how it is restored.
WITHDRAWALS = [
    (
        f"{MEMBER}.get().user_permissions.clear()",
        403,
        f"{MEMBER}.get().user_permissions.add(Permission.objects.get(codename='view_tag'))",
    ),
    (f"{MEMBER}.update(is_active=False)", 401, f"{MEMBER}.update(is_active=True)"),
    (f"{MEMBER}.get().tokens.update(codes=[4101])", 403, f"{MEMBER}.get().tokens.update(codes=None)"),
    (
        f"{MEMBER}.get().tokens.update(expires_at='2020-01-01T00:00Z')",
        401,
        f"{MEMBER}.get().tokens.update(expires_at=None)",
    ),
]


class Tally:
    """A number that grows: which is asked for, and which was acknowledged."""

    def __init__(self) -> None:
        self.turn = Lock()
        self.asked = 0
        self.acknowledged = 0

    def write(self, task: Callable[[int], object]) -> None:
        """Ask for the next number, one at a time."""
        with self.turn:
            self.asked += 1
            task(self.asked)
            self.acknowledged = self.asked


@dataclass
class Stage:
    """What the readers and the writers have in common."""

    writers: Writers
    rows: Rows
    crossing: Crossing
    texts: dict[str, Tally] = field(default_factory=lambda: {resource: Tally() for resource in TEXTS})
    access: Tally = field(default_factory=Tally)  # an odd number is a withdrawal
    files: Tally = field(default_factory=Tally)  # by what the file of a media holds
    media: int = 0  # which one
    ports: list[int] = field(default_factory=list)  # at which readers ask, all the same
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    is_over: bool = False

    def running(self) -> Iterator[str]:
        """Yield resources until all is over, with pauses between: mostly short ones, so that writes come in bursts."""
        chance = random.Random()
        while not self.is_over:
            yield chance.choice(list(TEXTS))
            time.sleep(chance.random() ** 4 * LONGEST_PAUSE)


def write(stage: Stage, way: str) -> None:
    """Write one text after another, by one of the ways."""
    for resource in stage.running():
        stage.texts[resource].write(writing(stage, way, resource))
        stage.counts[f"written by {way}"] += 1


def writing(stage: Stage, way: str, resource: str) -> Callable[[int], None]:
    return lambda number: WAYS[way](stage.writers, resource, stage.rows.ids[resource], str(number))


def write_and_roll_back(stage: Stage) -> None:
    """Write what nobody may ever read."""
    for resource in stage.running():
        shown = TEXTS[resource]
        with stage.writers.database.connection() as execute:
            execute("BEGIN")
            change = f"UPDATE {shown.table} SET {shown.field} = %s WHERE id = %s"
            execute(change, str(NEVER_SHOWN), stage.rows.ids[resource])
            time.sleep(0.01)
            execute("ROLLBACK")
        stage.counts["written and rolled back"] += 1


def withdraw_and_restore(stage: Stage) -> None:
    for _ in stage.running():
        stage.access.write(lambda number: stage.writers.orm.run(change_of_access(number)))
        stage.counts["changes of access"] += 1


def cross_moments(stage: Stage) -> None:
    """Set moments that come soon, and wait until both have passed."""
    chance = random.Random()
    while not stage.is_over:
        begin = time.time() + 0.2 + 0.6 * chance.random()
        end = begin + 0.1 + 0.6 * chance.random()
        way = chance.choice(list(WAYS_OF_MOMENTS.values()))
        stage.crossing.set(partial(way, stage.writers), begin, end)
        stage.counts["schedules"] += 1
        while not stage.is_over and time.time() < end + 0.2:
            time.sleep(0.05)


def replace_files(stage: Stage) -> None:
    """Replace the file of a media, again and again."""
    for _ in stage.running():
        stage.files.write(lambda number: put_file(stage, number))
        stage.counts["files replaced"] += 1


def put_file(stage: Stage, number: int) -> None:
    files = {"file": (f"file-{number}.txt", content(number))}
    answer = stage.writers.api.put(f"/api/media/{stage.media}/file/", files=files)
    assert answer.status_code == 200, answer.text


def content(number: int) -> bytes:
    return f"The number {number} is in this file.\n".encode() * FILE_LINES


def upload_and_delete(stage: Stage) -> None:
    """Upload files and delete their media; both are to be seen at once wherever one asks."""
    for count, _ in enumerate(stage.running()):
        with stage.writers.server.session(key_of(stage.writers.api)) as api:
            answer = api.post("/api/media/", files={"file": (f"another-{count}.txt", content(count))})
            assert answer.status_code == 201, answer.text
            own, file = f"/api/media/{answer.json()['id']}/", path_of(answer.json()["f"])
            expect(stage, own, 200, "after its upload")
            expect(stage, file, 200, "after its upload", content(count))
            deleted = api.delete(own)
            assert deleted.status_code == 204, deleted.text
            expect(stage, own, 404, "after it was deleted")
        stage.counts["files uploaded and deleted"] += 1


def expect(stage: Stage, path: str, status: int, when: str, body: bytes | None = None) -> None:
    """Ask for a path at each address."""
    for port in stage.ports:
        with closing(HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)) as connection:
            connection.request("GET", path, headers={"Authorization": f"Token {key_of(stage.writers.api)}"})
            answer = connection.getresponse()
            found = answer.read()
        if answer.status != status or (body is not None and found != body):
            stage.violations.append(f"{path}: {answer.status} at port {port} {when}, with {len(found)} bytes")


def path_of(url: str) -> str:
    return urlsplit(url).path


def change_of_access(number: int) -> str:
    withdrawal, _, restoral = WITHDRAWALS[(number - 1) // 2 % len(WITHDRAWALS)]
    return withdrawal if number % 2 else restoral


def expected_status(number: int) -> int:
    """Return what the member is answered with after that change of their access."""
    return WITHDRAWALS[(number - 1) // 2 % len(WITHDRAWALS)][1] if number % 2 else 200


class Reader:
    """A client that reads all that is written, as fast as it is answered."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.etags: dict[tuple[str, str], tuple[str, dict[str, int]]] = {}  # by path and encoding: with what it showed
        self.tags: dict[str, tuple[str, bool | None]] = {}  # of what comes and goes: with whether it was there

    def run(self) -> None:
        while not self.stage.is_over:
            port = self.chance.choice(self.stage.ports)
            with closing(HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)) as connection:
                for _ in range(REQUESTS_PER_CONNECTION):
                    if self.stage.is_over:
                        break
                    share = self.chance.random()
                    if share < 0.1:
                        self.read_as_member(connection)
                    elif share < 0.4:
                        self.read_what_comes_and_goes(connection)
                    elif share < 0.45:
                        self.read_file(connection)
                    else:
                        self.read(connection)

    def read(self, connection: HTTPConnection) -> None:
        """Read a path that shows some of the texts, and compare."""
        resource = self.chance.choice(list(TEXTS))
        path = self.chance.choice(self.stage.rows.paths(resource))
        resources = shown_at(path, resource)
        if is_list(path) and self.chance.random() < 0.3:
            path += f"&limit={self.chance.randrange(1, 101)}"  # mostly not asked before in this snapshot
        encoding = self.chance.choice(["gzip", "identity"])
        headers = {"Authorization": f"Token {key_of(self.stage.writers.api)}", "Accept-Encoding": encoding}
        etag, known = self.etags.get((path, encoding), ("", {}))
        if etag and self.chance.random() < 0.3:
            headers["If-None-Match"] = etag
        begun = {resource: self.stage.texts[resource].acknowledged for resource in resources}

        answer, body = self.ask(connection, path, headers)

        asked = {resource: self.stage.texts[resource].asked for resource in resources}
        if answer.status == 200:
            document = msgspec.json.decode(body)
            shown = {resource: int(text_of(resource, document)) for resource in resources}
            self.etags[path, encoding] = answer.headers["ETag"], shown
        elif answer.status == 304:
            shown = known
        else:
            self.stage.violations.append(f"{path}: status {answer.status}")
            return
        for resource in resources:
            if not begun[resource] <= shown[resource] <= asked[resource]:
                self.stage.violations.append(
                    f"{path} ({answer.status}, {encoding}, {answer.headers['Server-Timing']}) showed {resource} "
                    f"{shown[resource]}; before it {begun[resource]} was acknowledged, and no later than "
                    f"{asked[resource]} was asked for"
                )

    def read_as_member(self, connection: HTTPConnection) -> None:
        """Read what the member may read at times, and compare where their access did not change meanwhile."""
        path = f"/api/tags/{self.stage.rows.ids['tags']}/"
        headers = {"Authorization": f"Token {MEMBER_KEY}", **self.chance.choice([{}, {"If-None-Match": "*"}])}
        begun = self.stage.access.acknowledged

        answer, _ = self.ask(connection, path, headers)

        if self.stage.access.asked == begun:
            self.counts["reads by the member, access settled"] += 1
            status = 200 if answer.status == 304 else answer.status
            if status != expected_status(begun):
                self.stage.violations.append(f"The member was answered {status} after change {begun} of their access")

    def read_what_comes_and_goes(self, connection: HTTPConnection) -> None:
        """Read a path that shows the portfolio with moments, and compare it with what the clock says."""
        crossing = self.stage.crossing
        path = self.chance.choice([*crossing.public_paths, *crossing.paths])
        if is_list(path) and self.chance.random() < 0.3:
            path += f"&limit={self.chance.randrange(1, 101)}"
        headers = {"Authorization": f"Token {PUBLISHED_KEY}"}
        etag, was_there = self.tags.get(path, ("", False))
        if etag and self.chance.random() < 0.3:
            headers["If-None-Match"] = etag
        known, since = crossing.settled, time.time()

        answer, body = self.ask(connection, path, headers)

        told = Told.of(answer.status, answer.headers, msgspec.json.decode(body) if body else None, was_there)
        problem = crossing.problem(known, since, time.time(), told)
        if problem:
            self.stage.violations.append(f"{path} ({answer.status}, {answer.headers['Server-Timing']}) {problem}")
        if answer.status == 200:
            self.tags[path] = answer.headers["ETag"], told.is_there
        self.counts["reads of what comes and goes"] += 1
        if crossing.asked == known.number and any(0 <= since - moment < SOON for moment in (known.begin, known.end)):
            self.counts["  of these, just after a moment"] += 1

    def read_file(self, connection: HTTPConnection) -> None:
        """Read where the file is that is replaced, and then the file."""
        headers = {"Authorization": f"Token {key_of(self.stage.writers.api)}"}
        begun = self.stage.files.acknowledged

        _, body = self.ask(connection, f"/api/media/{self.stage.media}/", headers)
        path = path_of(msgspec.json.decode(body)["f"])
        connection.request("GET", path)
        sent = connection.getresponse()
        found = re.match(rb"The number (\d+) is", sent.read())

        self.counts["reads of files"] += 1
        if sent.status != 200 or found is None or not begun <= int(found[1]) <= self.stage.files.asked:
            self.stage.violations.append(
                f"{path}: status {sent.status} shows {found and int(found[1])}; before it {begun} was acknowledged, "
                f"and no later than {self.stage.files.asked} was asked for"
            )

    def ask(self, connection: HTTPConnection, path: str, headers: dict[str, str]) -> tuple[HTTPResponse, bytes]:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        self.counts["reads"] += 1
        self.counts["hits"] += 'desc="hit"' in answer.headers.get("Server-Timing", "")
        self.counts["304"] += answer.status == 304
        if answer.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return answer, body


def is_list(path: str) -> bool:
    """Tell whether a path with parameters takes a limit too; what is asked for by a slug doesn't."""
    return "?" in path and "/slug/" not in path


def reach_each_worker(url: str, key: str) -> None:
    """Fail where a worker does not answer; a task that writes something just then would hide one, so ask again."""
    for turn in range(ATTEMPTS):
        try:
            connections_to_each_worker(url, key, WORKERS)
        except (AssertionError, StopIteration):
            if turn == ATTEMPTS - 1:
                raise
        else:
            return


def run(server: Server, reads: int, seconds: float, directly: Sequence[str] = ()) -> Stage:
    """Let all of them run for that long and until so many reads are done, and return what came of it.

    `directly` are addresses of servers that stand behind the one that is given.
    """
    with Writers.of(server) as writers:
        stage = Stage(writers, make_rows(writers.api), make_crossing(writers.api))
        stage.ports = [urlsplit(url).port or 0 for url in (server.url, *directly)]
        for resource, tally in stage.texts.items():
            tally.write(writing(stage, "SQL", resource))
        stage.media = writers.api.post("/api/media/", files={"file": ("file.txt", content(0))}).json()["id"]
        writers.orm.run(
            "user = User.objects.create_user('member', is_staff=True)\n"
            f"Token.objects.create(user=user, digest={sha256(MEMBER_KEY.encode()).hexdigest()!r})\n"
            f"{WITHDRAWALS[0][2]}\n"
            "ada = User.objects.get(username='ada')\n"
            f"digest = {sha256(PUBLISHED_KEY.encode()).hexdigest()!r}\n"
            "Token.objects.create(user=ada, digest=digest, published_only=True)"
        )
        for url in directly or (server.url,):
            reach_each_worker(url, key_of(writers.api))
        readers = [Reader(stage, seed) for seed in range(READERS)]
        with ThreadPoolExecutor(32) as pool:
            started: list[Future[None]] = [pool.submit(reader.run) for reader in readers]
            started += [pool.submit(write, stage, way) for way in WAYS]
            others = (write_and_roll_back, withdraw_and_restore, cross_moments, replace_files, upload_and_delete)
            started += [pool.submit(do, stage) for do in others]
            began = time.monotonic()
            while (passed := time.monotonic() - began) < seconds + LIMIT and not any(one.done() for one in started):
                if passed > seconds and sum(reader.counts["reads"] for reader in readers) > reads:
                    break
                time.sleep(0.1)
            stage.is_over = True
        for future in started:
            future.result()  # raises what it failed with
        for reader in readers:
            stage.counts.update(reader.counts)
        stage.counts["seconds"] = round(passed)
        return stage


def run_one(reads: int, seconds: float) -> tuple[Stage, str]:
    """Run with one server; return what came of it, and the server's log."""
    with (
        tempfile.TemporaryDirectory(prefix="folio-stress-", ignore_cleanup_errors=True) as folder,
        running_server(Path(folder), "--workers", str(WORKERS), **VARIABLES) as server,
    ):
        return run(server, reads, seconds), server.log.read_text()


def run_machines(reads: int, seconds: float) -> tuple[Stage, str]:
    """Run with two servers behind nginx that share a database and a bucket alone."""
    with running_machines(WORKERS, None, **VARIABLES) as machines:
        stage = run(machines.as_server(), reads, seconds, [machine.url for machine in machines.servers])
        return stage, machines.logs()


def main() -> int:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reads", type=int, default=20_000, help="how many there must be (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20, help="how long it takes at least (default: %(default)s)")
    parser.add_argument("--machines", action="store_true", help="two servers behind nginx, on PostgreSQL and S3")
    arguments = parser.parse_args()
    if arguments.machines and (why := missing()):
        print(why, file=sys.stderr)
        return UNAVAILABLE
    stage, log = (run_machines if arguments.machines else run_one)(arguments.reads, arguments.seconds)
    if "Traceback" in log:
        stage.violations.append(f"The server logged an error:\n{log}")
    for name, count in sorted(stage.counts.items()):
        print(f"{count:>9,}  {name}")
    print(f"{len(stage.violations):>9,}  violations")
    for violation in stage.violations[:10]:
        print(violation, file=sys.stderr)
    if stage.counts["reads"] < arguments.reads:
        print(f"Too few reads: at least {arguments.reads:,} are wanted.", file=sys.stderr)
    return int(bool(stage.violations) or stage.counts["reads"] < arguments.reads)


if __name__ == "__main__":
    sys.exit(main())
