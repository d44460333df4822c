"""Ten minutes of what an agency's sites do all day: `python -m benchmarks.mixed [--minutes 10] [--quick]`.

Two servers of two workers each stand behind nginx, on one PostgreSQL and one bucket. Of what is asked, 95% reads: pages
of lists, entries, media files; the rest writes: changes, new entries, uploads of photographs and their deletion. No
request may be answered by an error of the server or be cut off, and in the last minute all processes of Folio together
may take no more memory than in the third. The exit status is 1 where either is not so, and 69 where a program is
not installed.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

from tests.live import Session, photograph
from tests.machines import Machine, Machines, missing, running_machines
from tests.postgresql import UNAVAILABLE

from . import machine, report
from .processes import LIST, PUBLIC_LIST, PYTHON, ROOT, children
from .report import Measure

PORTFOLIOS = 2_000
CLIENTS, PAUSE = 12, 0.01  # and seconds between two requests of one
WORKERS = 2
WRITES = 0.05
LIMIT = 1.05  # memory of the last minute ÷ of the third
SAMPLED = 5.0  # seconds between two looks at the memory
VARIABLES = {
    "FOLIO_PUBLIC_READ": "true",
    "FOLIO_IMAGE_WIDTHS": "",  # the pictures of the content have no files that variants could be made of
    # The clients have one key and one address, and are to be answered, not counted.
    **dict.fromkeys(("FOLIO_RATE", "FOLIO_WRITE_RATE"), "off"),
}


@dataclass
class Load:
    """Clients that read and write until it is over, and what came of it."""

    machines: Machines
    picture: bytes
    slugs: list[str]
    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # milliseconds by kind
    failures: list[str] = field(default_factory=list)
    files: list[tuple[int, str]] = field(default_factory=list)  # media that were uploaded, with their paths
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: threading.Event = field(default_factory=threading.Event)

    def run(self, number: int) -> None:
        chance = random.Random(number)
        session = self.machines.session(self.machines.key)
        while not self.is_over.is_set():
            do = self.choose(chance)
            begun = time.perf_counter()
            try:
                do(session, chance)
            except Exception as error:  # whatever it is, a client has noticed it
                with self.lock:
                    self.failures.append(f"{do.__name__}: {error!r}")
            with self.lock:
                self.taken[do.__name__].append((time.perf_counter() - begun) * 1000)
            time.sleep(PAUSE)

    def choose(self, chance: random.Random) -> Callable[[Session, random.Random], None]:
        if chance.random() >= WRITES:
            reads = [self.read_public_list, self.read_public_entry, self.read_list, self.read_entry, self.read_file]
            return chance.choices(reads, [45, 25, 10, 10, 10])[0]
        return chance.choices([self.change, self.create, self.upload, self.delete], [50, 20, 20, 10])[0]

    # Reads

    def read_public_list(self, session: Session, chance: random.Random) -> None:
        offset = min(int(chance.expovariate(1 / 50)), PORTFOLIOS // 2)  # the first pages most of all
        self.ask(session, "GET", f"{PUBLIC_LIST}?limit=10&offset={offset}")

    def read_public_entry(self, session: Session, chance: random.Random) -> None:
        self.ask(session, "GET", f"{PUBLIC_LIST}{chance.choice(self.slugs)}/")

    def read_list(self, session: Session, chance: random.Random) -> None:
        self.ask(session, "GET", f"{LIST}?limit=20&offset={20 * chance.randrange(50)}")

    def read_entry(self, session: Session, chance: random.Random) -> None:
        self.ask(session, "GET", f"{LIST}{chance.randrange(PORTFOLIOS) + 1}/")

    def read_file(self, session: Session, chance: random.Random) -> None:
        with self.lock:
            _, path = chance.choice(self.files)
        self.ask(session, "GET", path)  # one that was deleted is served for a while

    # Writes

    def change(self, session: Session, chance: random.Random) -> None:
        body = {"excerpt": f"Changed, {chance.random()}."}
        self.ask(session, "PATCH", f"{LIST}{chance.randrange(PORTFOLIOS) + 1}/", json=body)

    def create(self, session: Session, chance: random.Random) -> None:
        name = f"mixed-{chance.getrandbits(64):x}"
        body = {"title": name, "slug": name, "excerpt": "A short text.", "tags": [1, 2], "image": 7}
        self.ask(session, "POST", LIST, json=body)

    def upload(self, session: Session, chance: random.Random) -> None:
        files = {"file": (f"photograph-{chance.getrandbits(32):x}.jpg", self.picture)}
        answer = json.loads(self.ask(session, "POST", "/api/media/", files=files))
        with self.lock:
            self.files.append((answer["id"], urlsplit(answer["f"]).path))

    def delete(self, session: Session, chance: random.Random) -> None:
        with self.lock:
            if len(self.files) < 2:
                return
            pk, _ = self.files.pop(chance.randrange(len(self.files)))
        self.ask(session, "DELETE", f"/api/media/{pk}/")

    def ask(self, session: Session, method: str, path: str, **named: object) -> bytes:
        answer = session.request(method, path, **named)
        assert answer.status_code < 300, f"{answer.status_code} of {method} {path}: {answer.text[:200]}"
        return answer.content


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.mixed", description="Read and write at two servers.")
    parser.add_argument("--minutes", type=float, default=10, help="how long (default: %(default)g)")
    parser.add_argument("--quick", action="store_true", help="one minute, to see that it works")
    options = parser.parse_args()
    if why := missing():
        print(why, file=sys.stderr)
        return UNAVAILABLE
    about = machine.description()
    print(machine.summary(about))
    minutes = 1 if options.quick else options.minutes
    with running_machines(WORKERS, fill, **VARIABLES) as machines:
        load, memory = run(machines, 60 * minutes)
        if "Traceback" in (log := machines.logs()):
            load.failures.append(f"A server logged an error:\n{log[-4000:]}")
    figures = measures(load, memory, 60 * minutes)
    text = report.table_of(figures, "PostgreSQL, S3, two servers")
    report.write_figures("mixed", text, figures, about)
    print(f"\n{text}\n\nWritten to {report.RESULTS}: mixed.json and .md")
    print(f"Requests that failed: {len(load.failures)}.")
    print("\n".join(load.failures[:10]), file=sys.stderr)
    return int(bool(load.failures) or any(figure.is_reached is False for figure in figures))


def fill(first: Machine) -> str:
    """Make the content, and return an admin's key."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FOLIO_", "DATABASE_URL"))}
    own = {"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "folio.settings", "FOLIO_DATA_DIR": str(first.folder)}
    command = [PYTHON, "-m", "benchmarks.data", str(PORTFOLIOS)]
    variables = {**kept, **own, **first.variables}
    made = subprocess.run(command, env=variables, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return made.stdout.strip()


def run(machines: Machines, seconds: float) -> tuple[Load, list[tuple[float, float]]]:
    """Load the servers for so long; return what came of it, and their memory in MB by the second."""
    with machines.session(machines.key) as session:
        found = session.get(f"{PUBLIC_LIST}?limit=100&fields=slug").json()["results"]
        load = Load(machines, photograph("china.jpg"), [each["slug"] for each in found])
        load.upload(session, random.Random())
    memory = []
    threads = [threading.Thread(target=load.run, args=[number], daemon=True) for number in range(CLIENTS)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    while (passed := time.monotonic() - begun) < seconds:
        memory.append((passed, memory_of(machines)))
        time.sleep(min(SAMPLED, seconds / 10))
    load.is_over.set()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "a request is not answered"
    return load, memory


def memory_of(machines: Machines) -> float:
    """Return the MB of all processes of the servers, in which what several share is counted once (PSS)."""
    parents = [each.process.pid for each in machines.servers if each.process is not None]
    return sum(share(pid) for parent in parents for pid in family(parent))


def family(pid: int) -> list[int]:
    """Return a process with all below it."""
    with suppress(OSError):  # it has ended
        return [pid, *(each for child in children(pid) for each in family(child))]
    return []


def share(pid: int) -> float:
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
    return 0.0


def measures(load: Load, memory: list[tuple[float, float]], seconds: float) -> list[Measure]:
    def within(begin: float, end: float) -> float:
        return median(value for at, value in memory if begin <= at < end)

    is_long = seconds >= 240  # else there is no third minute that is not the last one
    third = within(120, 180) if is_long else within(seconds / 4, seconds / 2)
    last = within(seconds - 60, seconds) if is_long else within(seconds * 3 / 4, seconds)
    everything = [value for values in load.taken.values() for value in values]
    writes = sum(len(load.taken[name]) for name in ("change", "create", "upload", "delete"))
    figures = [
        Measure("requests that failed", [len(load.failures)], "", at_most=0),
        Measure("memory of all processes, last minute ÷ third", [last / third], at_most=LIMIT if is_long else None),
        Measure("memory of all processes (PSS), third minute", [third], "MB"),
        Measure("requests a second", [len(everything) / seconds], ""),
        Measure("of these, writes", [100 * writes / len(everything)], "%"),
    ]
    for name, values in sorted(load.taken.items()):
        if len(values) < 2:
            continue
        parts = quantiles(values, n=100)
        figures += [
            Measure(f"{name.replace('_', ' ')} ({len(values):,}), median", [median(values)], "ms"),
            Measure(f"{name.replace('_', ' ')}, of 100 the slowest but one", [parts[98]], "ms"),
        ]
    return figures


if __name__ == "__main__":
    sys.exit(main())
