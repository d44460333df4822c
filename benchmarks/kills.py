"""Servers that are killed and stopped at any moment: `python -m benchmarks.kills [--kills 100] [--stops 100]`.

Tags are made and renamed, and files uploaded, without a pause, while a worker, a decoder, the parent of the workers
and, on PostgreSQL, the database server are killed in turn. Then a server is started and stopped again and again, as it
begins, or in the midst of all that, by a signal to its parent or to all its processes. In the end every write that was
acknowledged must be there, and every file; nothing of a killed process may be left, and no stop may have taken longer
than its bound.

The database is SQLite, or, where DATABASE_URL is set, a PostgreSQL server of its own. The exit status is 1 if anything
was wrong.

With `--s3` there are two servers on one PostgreSQL server, each with a folder of its own, and the media lie in a bucket
of moto's. Workers and whole servers are killed, and the database. What a dead server left, the other one, or its next
start, has to remove: in the end no file of the bucket may be without a row, but those that are to go.
"""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import psycopg
import requests

from folio.server.supervising import STOP_SECONDS
from tests.environment import ROOT, environment, run_folio
from tests.live import LATER, UNLIMITED, Server, new_database, photograph, running_server
from tests.postgresql import Server as Cluster
from tests.postgresql import find_binaries, free_port, temporary_server
from tests.s3 import S3, running_s3

WORKERS = 2
WRITERS = 4
TEXT = b"some words\n" * 20_000  # large enough for a temporary file
APART = 6.0  # seconds between two deaths of a worker and the one that took its place: quicker ones end the server
PATIENCE = 90.0  # seconds for what takes moments, on a machine that does much else
GONE = 10.0  # seconds after which nothing of a server that was killed may run
SPARE = 5.0  # seconds that a stop may take beside its bound
STARTING = 4.0  # seconds within which a server is stopped as it starts


@dataclass
class Written:
    """What was acknowledged."""

    tags: dict[int, tuple[str, str]] = field(default_factory=dict)  # by id: the name, and one that was asked for since
    media: dict[int, int] = field(default_factory=dict)  # the sizes by id
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def wrong(self, text: str) -> None:
        self.violations.append(text)
        print(f"WRONG: {text}", file=sys.stderr, flush=True)


class Writer:
    """Someone who writes whatever is killed meanwhile, and keeps account of what was acknowledged."""

    def __init__(self, place: int, written: Written, server: Server) -> None:
        self.place = place
        self.written = written
        self.server = server
        self.is_over = Event()
        self.number = 0
        self.own: int | None = None  # a tag that is renamed
        self.thread = Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        chance = random.Random()
        while not self.is_over.wait(chance.random() * 0.05):
            api = self.server.session(self.server.key)
            try:
                for _ in range(50):
                    if self.is_over.is_set():
                        break
                    chance.choice([self.make_tag, self.rename_tag, self.upload_image, self.upload_text])(api)
            except (requests.RequestException, ValueError):
                self.written.counts["requests that were refused or cut"] += 1
                time.sleep(0.1)
            finally:
                api.close()

    def name(self) -> str:
        self.number += 1
        return f"tag {self.place} {self.number} {time.time_ns()}"

    def make_tag(self, api: requests.Session) -> None:
        name = self.name()
        answer = api.post("/api/tags/", json={"name": name}, timeout=60)
        if self.is_done(answer, 201):
            self.own = answer.json()["id"]
            self.written.tags[self.own] = (name, name)

    def rename_tag(self, api: requests.Session) -> None:
        if self.own is not None:
            own, before, name = self.own, self.written.tags[self.own][0], self.name()
            self.written.tags[own] = (before, name)
            self.own = None  # unless it is told what came of this one, the next ones are of another tag
            if self.is_done(api.patch(f"/api/tags/{own}/", json={"name": name}, timeout=60), 200):
                self.written.tags[own] = (name, name)
                self.own = own

    def upload_image(self, api: requests.Session) -> None:
        self.upload(api, "photo.jpg", photograph("flower.jpg"))

    def upload_text(self, api: requests.Session) -> None:
        self.upload(api, "notes.txt", TEXT)

    def upload(self, api: requests.Session, name: str, content: bytes) -> None:
        answer = api.post("/api/media/", files={"file": (name, content)}, timeout=60)
        if self.is_done(answer, 201):
            self.written.media[answer.json()["id"]] = answer.json()["size"]

    def is_done(self, answer: requests.Response, status: int) -> bool:
        self.written.counts[f"answers {answer.status_code}"] += 1
        if answer.status_code not in {200, 201, 503}:
            told = f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:300]}"
            self.written.wrong(f"{told}; the log: {tail(self.server.log)}")
        return answer.status_code == status

    def stop(self) -> None:
        self.is_over.set()
        self.thread.join()


@contextmanager
def writing(written: Written, server: Server) -> Iterator[list[Writer]]:
    """Have several people write in the block; what they are at as a server dies, they try again at the next one."""
    writers = [Writer(place, written, server) for place in range(WRITERS)]
    try:
        yield writers
    finally:
        for writer in writers:
            writer.is_over.set()
        for writer in writers:
            writer.stop()


# Processes


def children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


def family(pid: int) -> list[int]:
    """Return a process, what it has started, and so on."""
    found = [pid]
    for each in found:
        found += children(each)
    return found


def is_worker(pid: int) -> bool:
    """Tell whether a child of the parent serves: what cleans up is there for moments only, and a decoder is no fork."""
    with suppress(OSError):
        return b"serve" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def is_running(pid: int) -> bool:
    """Tell whether any thread of a process runs: what it had open is open until the last of them has ended."""
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                if (thread / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    return True
    return False


def age(pid: int) -> float:
    """Return the seconds since a process was started."""
    with suppress(OSError, ValueError):
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        return float(Path("/proc/uptime").read_text().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")
    return 0.0


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_until(is_so: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def is_answering(server: Server) -> bool:
    try:
        return server.session(server.key).get("/api/tags/?limit=1", timeout=5).status_code == 200
    except requests.RequestException:
        return False


# Kills


@dataclass
class Killing:
    """An installation whose processes are killed."""

    folder: Path
    written: Written
    variables: dict[str, str]
    cluster: Cluster | None
    server: Server | None = None
    running: ExitStack = field(default_factory=ExitStack)
    writers: list[Writer] = field(default_factory=list)

    def start(self) -> Server:
        """Start a server, which those who write turn to."""
        self.running.close()
        self.server = self.running.enter_context(
            running_server(self.folder, "--workers", str(WORKERS), **UNLIMITED, **self.variables)
        )
        for writer in self.own_writers():
            writer.server = self.server
        return self.server

    def own_writers(self) -> list[Writer]:
        return self.writers

    def kill_worker(self, server: Server) -> None:
        """Kill a worker, unless it has just taken a dead one's place, and wait until another one is there."""
        found: list[int] = []

        def are_there() -> bool:
            new = {int(pid) for pid in re.findall(r"process (\d+) takes its place", server.log.read_text())}
            workers = list(filter(is_worker, children(server.process.pid)))
            found[:] = [pid for pid in workers if pid not in new or age(pid) > APART]
            return bool(found) and len(workers) >= WORKERS

        if not wait_until(are_there):
            self.written.wrong(f"There were no {WORKERS} workers to kill one of: {tail(server.log)}")
            return
        time.sleep(random.random())
        worker = random.choice(found)
        kill(worker)
        if not wait_until(lambda: f"(process {worker}) was ended by SIGKILL" in server.log.read_text()):
            self.written.wrong(f"The death of a worker was not told: {tail(server.log)}")

    def kill_decoder(self, server: Server) -> None:
        found: list[int] = []

        def are_there() -> bool:
            workers = children(server.process.pid)
            found[:] = [pid for worker in workers for pid in children(worker) if not is_worker(pid)]
            return bool(found)

        if not wait_until(are_there):
            self.written.wrong("There was no decoder to kill.")
            return
        time.sleep(random.random() * 0.2)
        kill(random.choice(found))

    def kill_parent(self, server: Server) -> None:
        """Kill the parent, whose port must be free then, and start another one."""
        pids = family(server.process.pid)
        kill(server.process.pid)
        server.process.wait()
        if not wait_until(lambda: not any(map(is_running, pids)), GONE):
            left = [Path(f"/proc/{pid}/cmdline").read_text() for pid in pids if is_running(pid)]
            self.written.wrong(f"Processes outlived their parent: {left}")
        port = int(server.url.rpartition(":")[2])
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                other.bind(("127.0.0.1", port))
            except OSError as error:
                self.written.wrong(f"The port was not free: {error}")
        self.start()

    def kill_database(self, server: Server) -> None:
        """Kill the database server with all its processes, and start it again."""
        assert self.cluster is not None
        postmaster = int(Path(self.cluster.data, "postmaster.pid").read_text().split()[0])
        kill(*reversed(family(postmaster)))
        wait_until(lambda: not is_running(postmaster))
        time.sleep(random.random())
        if not wait_until(self.database_starts):
            raise SystemExit("PostgreSQL does not start again.")

    def database_starts(self) -> bool:
        """Try to start the database server; it does not while a process of the one before is still about to end."""
        assert self.cluster is not None
        try:
            self.cluster.start()
        except subprocess.CalledProcessError:
            return False
        return True

    def run(self, kills: int) -> None:
        ways = [self.kill_worker, self.kill_decoder, self.kill_parent, *([self.kill_database] if self.cluster else [])]
        with writing(self.written, self.start()) as self.writers:
            for number in range(kills):
                way = ways[number % len(ways)]
                time.sleep(random.random() * 0.5)
                assert self.server is not None
                way(self.server)
                self.written.counts[f"kills of a {way.__name__.removeprefix('kill_')}"] += 1
                if not wait_until(lambda: is_answering(self.server)):  # type: ignore[arg-type]
                    self.written.wrong(f"No answer after {way.__name__}: {tail(self.server.log)}")
                    self.start()
                if not (number + 1) % 10:
                    self.say(f"{number + 1} of {kills} killed")
        self.writers = []

    def say(self, text: str) -> None:
        done = f"{len(self.written.tags)} tags and {len(self.written.media)} files are acknowledged"
        print(f"{text}; {done}", flush=True)

    # Stops

    def stop_at_start(self) -> None:
        """Stop a server as it starts, here, or in a new installation that has to be migrated."""
        with ExitStack() as stack:
            folder, variables = self.folder, self.variables
            if random.random() < 0.5:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="folio-stop-")))
                if self.cluster:
                    variables = {**variables, **stack.enter_context(new_database(is_empty=True))}
            log = self.folder / "start.log"
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [sys.executable, "-m", "folio", "serve", "--port", str(free_port()), "--workers", str(WORKERS)],
                    cwd=folder,
                    env=environment(folder, PYTHONPATH=str(ROOT), **variables),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            time.sleep(random.random() * STARTING)
            self.stop(process, log, is_group=random.random() < 0.5)

    def stop_at_load(self) -> None:
        """Stop a server to which writes are sent, with a client that sends half a body and one that says nothing."""
        server = self.start()
        port = int(server.url.rpartition(":")[2])
        with writing(self.written, server), ExitStack() as stack:
            silent = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(2)]
            head = f"POST /api/tags/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token {server.key}\r\n"
            silent[0].sendall(f"{head}Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n{{".encode())
            time.sleep(0.2 + random.random())
            self.stop(server.process, server.log, is_group=False)

    def stop(self, process: "subprocess.Popen[bytes]", log: Path, is_group: bool) -> None:
        """Have a server stopped by a signal, and complain where that takes too long, or something is left."""
        pids = family(process.pid)
        number = random.choice([signal.SIGTERM, signal.SIGINT])
        began = time.monotonic()
        (os.killpg if is_group else os.kill)(process.pid, number)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.written.wrong(f"A stop by {number.name} hung: {tail(log)}")
            kill(*family(process.pid))
            process.wait()
            return
        seconds = time.monotonic() - began
        self.written.counts["longest stop, ms"] = max(self.written.counts["longest stop, ms"], int(seconds * 1000))
        if seconds > STOP_SECONDS + SPARE:
            self.written.wrong(f"A stop took {seconds:.1f} seconds: {tail(log)}")
        told = log.read_text()
        is_of_python = "init_import_site" in told or ("Traceback" in told and "/folio/" not in told)  # its own start
        if status not in {0, -number} and not is_of_python:
            self.written.wrong(f"A stop by {number.name} ended with the status {status}: {tail(log)}")
        if "Traceback" in told and not is_of_python:
            self.written.wrong(f"A stop by {number.name} said: {tail(log)}")
        if not wait_until(lambda: not any(map(is_running, pids)), GONE):
            self.written.wrong("Processes outlived their server's stop.")

    def run_stops(self, stops: int) -> None:
        for number in range(stops):
            way = self.stop_at_load if number % 2 else self.stop_at_start
            way()
            self.written.counts[way.__name__.replace("_", "s ", 1).replace("_", " ")] += 1
            if not (number + 1) % 10:
                self.say(f"{number + 1} of {stops} stopped")

    # What is there in the end

    def check(self) -> None:
        server = self.start()
        api = server.session(server.key)
        for pk, (name, asked) in self.written.tags.items():
            answer = api.get(f"/api/tags/{pk}/")
            if answer.status_code != 200 or answer.json()["name"] not in {name, asked}:
                self.written.wrong(f"Lost: tag {pk} ({name}): {answer.status_code} {answer.text[:200]}")
        for pk, size in self.written.media.items():
            answer = api.get(f"/api/media/{pk}/")
            if answer.status_code != 200 or len(api.get(answer.json()["f"]).content) != size:
                self.written.wrong(f"Lost: media {pk}: {answer.status_code} {answer.text[:200]}")
        left = [*(self.folder / "uploads").iterdir(), *(self.folder / "journal").glob("*.entry")]
        if left:
            self.written.wrong(f"Left: {left}")
        self.running.close()
        found = run_folio("checkmedia", "--min-age", "0", folder=self.folder, variables=self.variables)
        print(found.stdout.strip(), flush=True)
        if found.returncode:
            self.written.wrong(f"checkmedia: {found.stdout}{found.stderr}")


class Half(Killing):
    """One of two machines, which has half of those who write."""

    other: "Half"

    def own_writers(self) -> list[Writer]:
        return self.writers[::2] if self.folder < self.other.folder else self.writers[1::2]


class KillingMachines:
    """Two machines that share a database and a bucket."""

    def __init__(self, folder: Path, written: Written, variables: dict[str, str], cluster: Cluster, s3: S3) -> None:
        self.written = written
        self.s3 = s3
        self.database = variables["DATABASE_URL"]
        self.halves = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            self.halves.append(Half(folder / name, written, variables, cluster))
        self.halves[0].other, self.halves[1].other = self.halves[1], self.halves[0]

    def run(self, kills: int) -> None:
        one, two = self.halves
        two.start()
        ways = ["kill_worker", "kill_parent", "kill_decoder", "kill_database"]
        with writing(self.written, one.start()) as writers:
            for half in self.halves:
                half.writers = writers
                for writer in half.own_writers():
                    assert half.server is not None
                    writer.server = half.server
            for number in range(kills):
                half, way = self.halves[number // 2 % 2], ways[(number + number // 8) % len(ways)]
                time.sleep(random.random() * 0.5)
                assert half.server is not None
                getattr(half, way)(half.server)
                self.written.counts[f"kills of a {way.removeprefix('kill_')}"] += 1
                for each in self.halves:
                    if not wait_until(lambda each=each: is_answering(each.server)):  # type: ignore[misc]
                        assert each.server is not None
                        self.written.wrong(f"No answer after {way}: {tail(each.server.log)}")
                        each.start()
                print(f"{number + 1} of {kills} killed; {len(self.written.media)} files are acknowledged", flush=True)
        for half in self.halves:
            half.writers = []

    def ask(self, query: str) -> set[str]:
        with psycopg.connect(self.database, autocommit=True) as connection:
            return {row[0] for row in connection.execute(query)}

    def check(self) -> None:
        """Look at what is there, once the one server has cleaned up after the other, which ends."""
        one, two = self.halves
        one.running.close()
        server = two.start()
        api = server.session(server.key)
        for pk, size in self.written.media.items():
            answer = api.get(f"/api/media/{pk}/")
            if answer.status_code != 200 or len(api.get(answer.json()["f"]).content) != size:
                self.written.wrong(f"Lost: media {pk}: {answer.status_code} {answer.text[:200]}")
        if not wait_until(lambda: not self.ask("SELECT name FROM media_pendingfile")):
            self.written.wrong(f"On record: {self.ask('SELECT name FROM media_pendingfile')}")
        rows = self.ask("SELECT file FROM media_media UNION SELECT file FROM media_thumbnail")
        removed, names = self.ask("SELECT name FROM media_removedfile"), set(self.s3.names())
        for text, found in (("Rows without a file", rows - names), ("Files of nobody", names - rows - removed)):
            if found:
                self.written.wrong(f"{text}: {sorted(found)[:20]}")
        self.written.counts["files in the bucket"] = len(names)
        self.written.counts["files of dead uploads, to be looked for once more"] = len(removed)
        left = [path for half in self.halves for path in (half.folder / "uploads").iterdir() if half is two]
        if left:
            self.written.wrong(f"Left: {left}")
        told = run_folio("checkmedia", "--min-age", "0", folder=two.folder, variables=two.variables)
        print(told.stdout.strip(), flush=True)
        if told.returncode:
            self.written.wrong(f"checkmedia: {told.stdout}{told.stderr}")
        two.running.close()


def run_machines(folder: Path, kills: int, cluster: Cluster) -> Written:
    written = Written()
    with new_database() as database, running_s3() as s3:
        killing = KillingMachines(folder, written, {**LATER, **database, **s3.variables()}, cluster, s3)
        with killing.halves[0].running, killing.halves[1].running:
            killing.run(kills)
            killing.check()
    return written


def tail(log: Path) -> str:
    return "\n".join(log.read_text().splitlines()[-15:])


def run(folder: Path, kills: int, stops: int, cluster: Cluster | None) -> Written:
    written = Written()
    with new_database() as database:
        killing = Killing(folder, written, {**LATER, **database}, cluster)
        with killing.running:
            killing.run(kills)
            killing.run_stops(stops)
            killing.check()
    return written


def main() -> int:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="how often something is killed (default: %(default)s)")
    parser.add_argument("--stops", type=int, default=100, help="how often a server is stopped (default: %(default)s)")
    parser.add_argument("--s3", action="store_true", help="two servers on PostgreSQL, with the media in a bucket")
    arguments = parser.parse_args()
    # What a shell runs in its background ignores it, and so would what is started here, until it says otherwise.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with ExitStack() as stack:
        cluster = None
        if arguments.s3 or os.environ.get("DATABASE_URL"):
            binaries = find_binaries()
            assert binaries is not None, "PostgreSQL is not installed."
            cluster = stack.enter_context(temporary_server(binaries))  # one that may be killed
            os.environ["DATABASE_URL"] = cluster.url
        folder = tempfile.TemporaryDirectory(prefix="folio-kills-", ignore_cleanup_errors=True)
        place = Path(stack.enter_context(folder))
        if arguments.s3:
            assert cluster is not None
            written = run_machines(place, arguments.kills, cluster)
        else:
            written = run(place, arguments.kills, arguments.stops, cluster)
    for name, count in sorted(written.counts.items()):
        print(f"{count:>9,}  {name}")
    print(f"{len(written.tags) + len(written.media):>9,}  acknowledged writes")
    print(f"{len(written.violations):>9,}  violations")
    return int(bool(written.violations) or not written.tags or not written.media)


if __name__ == "__main__":
    sys.exit(main())
