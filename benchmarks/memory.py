"""An hour on a server with 1 GB: `python -m benchmarks.memory [--minutes 60] [--quick]`.

Folio runs with the values of docs/guides/one-machine.md, read from that page. Visitors read lists, entries, searches,
pictures and their variants; staff read, change, upload and publish by the API and the admin site; a website is told
by a webhook. Uploads are photographs of 24 megapixels, HEIC, PNG, PDF and films, and now and then several at once.

What is added up, four times a second, is the memory of all of the server's processes (the first one, the worker, the
decoders, ffmpeg), in which what several share is counted once (PSS). The exit status is 1 where it is ever more than it
may be, or where a request failed: one that is answered `503` with `Retry-After` is sent again, and counted by itself.
"""

import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

import requests
from PIL import Image

from tests.delivery.webhooks.endpoints import LOOPBACK, endpoint
from tests.live import Session
from tests.media.filmed import film
from tests.media.paged import pdf
from tests.papers import blocks_of
from tests.writers import PASSWORD, AdminSite

from . import machine, report, thumbnails
from .data import WORDS
from .processes import LIST, PUBLIC_LIST, ROOT, Installation, Server, children, fill, folio
from .report import Measure
from .uploads import heic_of, large_photograph

GUIDE = ROOT / "docs" / "guides" / "one-machine.md"
MOST = 700  # MB
PORTFOLIOS = 2_000
BUSY = 30  # of them, that staff work on, and of which visitors see the pictures in every width
PACE = 0.25  # seconds between two looks at the memory
CROWD, CROWD_SECONDS = 6, 300  # uploads at once, and the seconds from one such moment to the next
KEPT = 10  # uploads that are shown nowhere, before they are deleted
RETRIES = 20
VISITOR, STAFF, ADMIN, UPLOAD = 0.35, 1.5, 3.0, 10.0  # seconds between two requests of one
VISITORS = 3
VARIABLES = {
    "FOLIO_PUBLIC_READ": "on",
    "FOLIO_WEBHOOK_PRIVATE": LOOPBACK,
    "FOLIO_KEEP_REMOVED": "5m",  # the disk of who measures is spared
}
PAGES = (
    "/admin/",
    "/admin/portfolios/portfolio/",
    "/admin/portfolios/portfolio/?q=harbour",
    "/admin/portfolios/portfolio/{pk}/change/",
    "/admin/portfolios/portfolio/{pk}/history/",
    "/admin/portfolios/tag/",
    "/admin/portfolios/employer/",
    "/admin/media/media/",
    "/admin/media/media/{image}/change/",
    "/admin/delivery/webhook/",
)
KINDS = ("parent", "worker", "decoder", "ffmpeg")


def values_of_the_guide() -> tuple[dict[str, str], list[str]]:
    """Return the guide's variables that bound memory, and the options of its `folio serve`."""
    text = "\n".join(block.text for block in blocks_of(GUIDE.read_text()) if block.kind == "ini")
    variables: dict[str, str] = dict(
        re.findall(r"^(FOLIO_(?:DECODER\w*|WORKER_MEMORY))=\"(\d+)\"$", text, re.MULTILINE)
    )
    [workers] = re.findall(r"^WORKERS=\"(\d+)\"$", text, re.MULTILINE)  # what deploy/folio.service gives to the command
    return variables, ["--workers", workers]


# The load


@dataclass
class Load:
    """Those who use the server until it is over, and what came of it."""

    server: Server
    files: list[tuple[str, bytes, int]]  # what is uploaded, and how often of all
    slugs: list[str]  # of the entries that staff work on; their ids are 1 and the next ones
    images: int
    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # milliseconds by kind
    refused: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    covers: dict[int, int] = field(default_factory=dict)  # uploads by the portfolio that shows them
    loose: list[int] = field(default_factory=list)  # uploads that nothing shows
    paths: list[str] = field(default_factory=list)  # of files that visitors have seen named
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: threading.Event = field(default_factory=threading.Event)

    def threads(self) -> list[threading.Thread]:
        loops: list[tuple[Callable[[Any, random.Random], None], float, bool]] = [
            *[(self.visit, VISITOR, False)] * VISITORS,
            (self.work, STAFF, True),
            (self.upload, UPLOAD, True),
            (self.look, ADMIN, True),
            *[(self.upload, CROWD_SECONDS, True)] * CROWD,
        ]
        return [
            threading.Thread(target=self.run, args=[number, *loop], daemon=True) for number, loop in enumerate(loops)
        ]

    def run(self, number: int, do: Callable[[Any, random.Random], None], pause: float, is_staff: bool) -> None:
        chance = random.Random(number)
        session: Session = Session(self.server.url, self.server.key if is_staff else None)
        if do == self.look:
            session = AdminSite(self.server.url)
            session.sign_in("bench")
        together = pause == CROWD_SECONDS
        while not self.is_over.wait(pause if together else pause * chance.uniform(0.5, 1.5)):
            try:
                do(session, chance)
            except Exception as error:  # whatever it is, somebody has noticed it
                with self.lock:
                    self.failures.append(f"{time.strftime('%H:%M:%S')} {do.__name__}: {error!r}")

    def visit(self, session: Session, chance: random.Random) -> None:
        way = chance.random()
        if way < 0.4:
            offset = min(int(chance.expovariate(1 / 50)), PORTFOLIOS // 2)
            self.ask("list", session, "GET", f"{PUBLIC_LIST}?limit=12&offset={offset}")
        elif way < 0.55:
            words = "+".join(chance.choices(WORDS, k=chance.randint(1, 2)))
            self.ask("search", session, "GET", f"{PUBLIC_LIST}?search={words}&limit=12")
        elif way < 0.8 or not self.paths:
            entry = json.loads(self.ask("entry", session, "GET", f"{PUBLIC_LIST}{chance.choice(self.slugs)}/").content)
            with self.lock:
                self.paths = [*self.paths, *pictures_of(entry)][-400:]
        else:
            with self.lock:
                path = chance.choice(self.paths)
            self.ask("picture", session, "GET", path, may_be_gone=True)

    def work(self, session: Session, chance: random.Random) -> None:
        pk, way = chance.randrange(BUSY) + 1, chance.random()
        if way < 0.3:
            self.ask("managing list", session, "GET", f"{LIST}?limit=20&offset={20 * chance.randrange(50)}")
        elif way < 0.5:
            self.ask("managing search", session, "GET", f"{LIST}?search={chance.choice(WORDS)}&limit=20")
        elif way < 0.6:
            self.ask("managing entry", session, "GET", f"{LIST}{chance.randrange(PORTFOLIOS) + 1}/")
        elif way < 0.8:
            body = {"excerpt": f"Changed, {chance.random()}."}
            self.ask("change", session, "PATCH", f"{LIST}{pk}/", json=body)
        else:
            name = f"made-{chance.getrandbits(64):x}"
            row: dict[str, Any] = {"title": name, "slug": name, "excerpt": "A short text.", "tags": [1, 2], "image": 7}
            made = json.loads(self.ask("create", session, "POST", LIST, json=row).content)
            if way < 0.9:
                self.ask("delete", session, "DELETE", f"{LIST}{made['id']}/")

    def look(self, session: Session, chance: random.Random) -> None:
        path = chance.choice(PAGES).format(pk=chance.randrange(BUSY) + 1, image=chance.randrange(self.images) + 1)
        self.ask("admin page", session, "GET", path)
        if chance.random() < 0.1:
            pk = chance.randrange(BUSY) + 1
            session.submit(f"/admin/portfolios/portfolio/{pk}/change/", excerpt=f"By hand, {chance.random()}.")  # type: ignore[attr-defined]

    def upload(self, session: Session, chance: random.Random) -> None:
        """Upload a file; show every second picture, and delete what it takes the place of."""
        name, content, _ = chance.choices(self.files, [each[2] for each in self.files])[0]
        made = self.ask(f"upload {name}", session, "POST", "/api/media/", files={"file": (name, content)})
        media = json.loads(made.content)["id"]
        pk, gone = chance.randrange(BUSY) + 1, None
        is_cover = chance.random() < 0.5 and not name.endswith((".mp4", ".pdf"))
        if is_cover:
            self.ask("change", session, "PATCH", f"{LIST}{pk}/", json={"image": media})
        with self.lock:
            if is_cover:
                gone = self.covers.pop(pk, None)
                self.covers[pk] = media
            else:
                self.loose.append(media)
                gone = self.loose.pop(0) if len(self.loose) > KEPT else None
        if gone is not None:
            self.ask("delete upload", session, "DELETE", f"/api/media/{gone}/", may_be_used=True)

    def ask(
        self,
        kind: str,
        session: requests.Session,
        method: str,
        path: str,
        may_be_gone: bool = False,
        may_be_used: bool = False,
        **named: Any,
    ) -> requests.Response:
        """Ask until there is an answer that is no `503` with `Retry-After`; raise what is no good one."""
        for _ in range(RETRIES):
            begun = time.perf_counter()
            answer = session.request(method, path, **named)
            with self.lock:
                self.taken[kind].append((time.perf_counter() - begun) * 1000)
            if answer.status_code != 503 or "Retry-After" not in answer.headers:
                break
            with self.lock:
                self.refused[kind] += 1
            self.is_over.wait(float(answer.headers["Retry-After"]))
        fine = answer.status_code < 400
        fine |= may_be_gone and answer.status_code == 404  # a picture that was replaced meanwhile
        fine |= may_be_used and answer.status_code == 409  # two have just shown one in the same place
        assert fine, f"{answer.status_code} of {method} {path}: {answer.text[:200]}"
        return answer


def pictures_of(entry: Any) -> Iterator[str]:
    """Yield the paths of all files that a public entry's cover and gallery name."""
    for picture in [entry.get("image"), *(entry.get("images") or ())]:
        if not picture:
            continue
        yield urlsplit(picture["src"]).path
        for source in picture.get("sources") or ():
            for part in source["srcset"].split(", "):
                yield urlsplit(part.split(" ")[0]).path


# What is there, and what is uploaded


def uploads() -> list[tuple[str, bytes, int]]:
    twelve = thumbnails.photograph()
    png = BytesIO()
    with Image.open(BytesIO(twelve)) as image:
        image.save(png, "PNG", compress_level=1)
    moving = film("mp4", "testsrc2=size=1920x1080:rate=25", 8, "-b:v", "6M")
    page = pdf(b"0 0 1 rg 72 72 400 600 re f " * 2_000)
    return [
        ("photograph.jpg", large_photograph(), 10),
        ("phone.heic", heic_of(twelve), 4),
        ("drawing.png", png.getvalue(), 2),
        ("film.mp4", moving, 3),
        ("booklet.pdf", page, 2),
    ]


def lay_files(installation: Installation) -> int:
    """Give every row of the content its files, all by links to a few; return the number of images."""
    media = installation.folder / "media"
    with Image.open(BytesIO(thumbnails.photograph())) as image:
        shapes = {0: image.resize((3000, 2000))}
        shapes |= {box: image.resize((box, box * 2 // 3)) for box in (64, 128, 512, 1080)}
    with closing(sqlite3.connect(installation.folder / "folio.sqlite3")) as database:
        rows = [(0, name) for (name,) in database.execute("SELECT file FROM media_media")]
        count = len(rows)
        rows += list(database.execute("SELECT size, file FROM media_thumbnail"))
    firsts: dict[int, Path] = {}
    for size, name in rows:
        path = media / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if size in firsts:
            os.link(firsts[size], path)
        else:
            shapes[size].save(path, "JPEG", quality=90)
            firsts[size] = path
    return count


@contextmanager
def made_ready(folder: Path) -> Iterator[Load]:
    """Serve the content with the guide's values; yield the load, which has not begun."""
    variables, flags = values_of_the_guide()
    print(f"folio serve {' '.join(flags)}, {', '.join(f'{name}={value}' for name, value in variables.items())}")
    with endpoint() as site:
        installation = fill(folder / "installation", PORTFOLIOS, {**VARIABLES, **variables})
        images = lay_files(installation)
        mark_as_made(installation)
        make_password(installation)
        with folio(installation, *flags) as server:
            with Session(server.url, server.key) as session:
                hook = session.post("/api/webhooks/", json={"url": site.url})
                assert hook.status_code == 201, hook.text
                rows = [session.get(f"{LIST}{pk}/").json() for pk in range(1, BUSY + 1)]
                for row in rows:
                    session.patch(f"{LIST}{row['id']}/", json={"is_active": True})
            load = Load(server, uploads(), [row["slug"] for row in rows], images)
            yield load
            assert site.received, "No webhook came."
            print(f"{len(site.received):,} messages came by the webhook.")


def run_code(installation: Installation, code: str) -> None:
    command = [sys.executable, "-m", "folio", "shell", "--verbosity", "0", "-c", code]
    subprocess.run(command, env=installation.environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def mark_as_made(installation: Installation) -> None:
    """Say that all pictures were made ahead, which would take a core for hours; those that staff touch are made."""
    run_code(installation, "from folio.media.ahead import mark_all_made; mark_all_made()")


def make_password(installation: Installation) -> None:
    run_code(installation, f"user = User.objects.get(username='bench'); user.set_password({PASSWORD!r}); user.save()")


# The memory


@dataclass
class Look:
    """What the processes take at a moment: MB by kind."""

    at: float  # seconds since the begin
    taken: dict[str, float]

    @property
    def sum(self) -> float:
        return sum(self.taken.values())


@dataclass
class Memory:
    """All looks, and the most that a single process of each kind ever took."""

    parent: int
    looks: list[Look] = field(default_factory=list)
    most: dict[str, float] = field(default_factory=dict)  # MB, what is shared included

    def look(self, at: float) -> None:
        taken: dict[str, float] = defaultdict(float)
        for pid, kind in family(self.parent, "parent"):
            with suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text()
                taken[kind] += kilobytes("Pss", lines) / 1024
                status = Path(f"/proc/{pid}/status").read_text()
                self.most[kind] = max(self.most.get(kind, 0), kilobytes("VmHWM", status) / 1024)
        self.looks.append(Look(at, taken))


def kilobytes(name: str, lines: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", lines, re.MULTILINE)
    return int(found[1]) if found else 0


def family(pid: int, kind: str) -> Iterator[tuple[int, str]]:
    """Yield a process with all below it, and what kind of process each is."""
    yield pid, kind
    with suppress(OSError):  # it has ended
        for child in children(pid):
            command = Path(f"/proc/{child}/cmdline").read_text()
            own = "decoder" if "folio.media.decoder" in command else "ffmpeg" if "ffmpeg" in command else "worker"
            yield from family(child, own)


def watch(load: Load, seconds: float) -> Memory:
    """Let the load run for so long, and look at the memory meanwhile; print a line a minute."""
    memory = Memory(load.server.process.pid)
    begun, told = time.monotonic(), 0
    memory.look(0)
    threads = load.threads()
    for thread in threads:
        thread.start()
    while (passed := time.monotonic() - begun) < seconds:
        memory.look(passed)
        if passed // 60 > told:
            told = int(passed // 60)
            print(line_of(memory, load, told), flush=True)
        time.sleep(PACE)
    load.is_over.set()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "a request is not answered"
    return memory


def line_of(memory: Memory, load: Load, minute: int) -> str:
    """Return what the last minute took, as a line."""
    looks = [look for look in memory.looks if look.at >= 60 * (minute - 1)]
    kinds = ", ".join(f"{kind} {median(look.taken.get(kind, 0) for look in looks):.0f}" for kind in KINDS)
    asked = sum(map(len, load.taken.values()))
    return (
        f"minute {minute:2}: {median(look.sum for look in looks):4.0f} MB ({kinds}), at most "
        f"{max(look.sum for look in looks):4.0f}; {asked:,} requests, {sum(load.refused.values())} refused, "
        f"{len(load.failures)} failed"
    )


# What is told


def measures(load: Load, memory: Memory, seconds: float) -> list[Measure]:
    def within(begin: float, end: float) -> float:
        return median(look.sum for look in memory.looks if begin <= look.at <= end)

    peak = max(memory.looks, key=lambda look: look.sum)
    names = ", ".join(f"{kind} {peak.taken[kind]:.0f}" for kind in KINDS if kind in peak.taken)
    part = min(300.0, seconds / 4)
    figures = [
        Measure("memory of all processes (PSS), before anything is asked", [memory.looks[0].sum], "MB"),
        Measure("memory of all processes, median of the first minutes", [within(0, part)], "MB"),
        Measure("memory of all processes, median of the last minutes", [within(seconds - part, seconds)], "MB"),
        Measure(f"memory of all processes, at its peak ({names})", [peak.sum], "MB", at_most=MOST),
        *(Measure(f"memory of the largest {kind} alone (RSS)", [most], "MB") for kind, most in memory.most.items()),
        Measure("requests", [sum(map(len, load.taken.values()))], ""),
        Measure("requests that were refused by 503 with Retry-After", [sum(load.refused.values())], ""),
        Measure("requests that failed", [len(load.failures)], "", at_most=0),
    ]
    for name, values in sorted(load.taken.items()):
        if len(values) > 1:
            slowest = quantiles(values, n=20)[-1]
            figures.append(Measure(f"{name} ({len(values):,}), of 20 the slowest but one", [slowest], "ms"))
    return figures


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.memory", description="Use a server with the values for 1 GB.")
    parser.add_argument("--minutes", type=float, default=60, help="how long (default: %(default)g)")
    parser.add_argument("--quick", action="store_true", help="two minutes, to see that it works")
    options = parser.parse_args()
    about = machine.description()
    print(machine.summary(about))
    seconds = 120.0 if options.quick else 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="folio-memory-") as name:
        with made_ready(Path(name)) as load:
            memory = watch(load, seconds)
            log = next((Path(name) / "installation").glob("server-*.log")).read_text()
        if "Traceback" in log:
            load.failures.append(f"The server logged an error:\n{log[-4000:]}")
    figures = measures(load, memory, seconds)
    text = report.table_of(figures, f"a server with 1 GB, {seconds / 60:g} minutes")
    report.write_figures("memory", text, figures, about)
    print(f"\n{text}\n\nWritten to {report.RESULTS}: memory.json and .md")
    print("\n".join(load.failures[:10]), file=sys.stderr)
    return int(any(figure.is_reached is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
