"""What uploads cost the server, and those who read meanwhile: `python -m benchmarks.uploads [--quick]`.

The usual way is a serializer with an `ImageField` that opens the stored file once for each thumbnail and turns it
upright, in the server's own process; see `benchmarks/usual/`. Memory is that of all of the server's processes together,
each shared page counted once (PSS).
"""

import os
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from statistics import quantiles

from PIL import Image

from . import machine, report, thumbnails
from .processes import LIST, Installation, Server, children, fill, folio, usual_of

PORTFOLIOS = 200
ROUNDS = 7
AT_ONCE = 8
LARGE = (6000, 4000)  # 24 megapixels
VIDEO_SIZE = 100 * 1000 * 1000
BOUNDARY = b"folio-benchmark"
PACE = 0.005  # seconds between two looks at the memory, and between two reads
READ_SECONDS = 10


@dataclass
class Form:
    """A multipart body in a file, which is sent without reading it whole."""

    path: Path

    def send(self, server: Server) -> None:
        """Upload it, or raise SystemExit."""
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=120)) as connection, self.path.open("rb") as body:
            headers = {
                "Authorization": f"Token {server.key}",
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}",
                "Content-Length": str(self.path.stat().st_size),
            }
            connection.request("POST", "/api/media/", body, headers)
            answer = connection.getresponse()
            text = answer.read()
        if answer.status != 201:
            raise SystemExit(f"An upload was answered with {answer.status}: {text.decode()}")


def form_of(folder: Path, file_name: str, content: bytes) -> Form:
    head = (
        b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" % (BOUNDARY, file_name.encode())
    )
    path = folder / f"{file_name}.form"
    path.write_bytes(head + content + b"\r\n--%s--\r\n" % BOUNDARY)
    return Form(path)


def large_photograph() -> bytes:
    with Image.open(BytesIO(thumbnails.photograph())) as image:
        file = BytesIO()
        image.resize(LARGE, Image.Resampling.BICUBIC).save(file, "JPEG", quality=95)
    return file.getvalue()


def video() -> bytes:
    """Return an MP4 that holds no track, as long as a film of a minute."""
    return b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + VIDEO_SIZE.to_bytes(4, "big") + b"mdat" + os.urandom(VIDEO_SIZE - 8)


@dataclass
class Watch:
    """The memory of a server's processes in MB, looked at again and again."""

    before: float
    most: float = 0.0


def memory_of_all(server: Server) -> float:
    return sum(proportional_memory(pid) for pid in family(server.process.pid))


def family(pid: int) -> Iterator[int]:
    yield pid
    for child in children(pid):
        yield from family(child)


def proportional_memory(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


@contextmanager
def watched(server: Server) -> Iterator[Watch]:
    """Look at the memory until the block ends."""
    watch = Watch(memory_of_all(server))
    over = threading.Event()

    def run() -> None:
        while not over.wait(PACE):
            try:
                watch.most = max(watch.most, memory_of_all(server))
            except (FileNotFoundError, ProcessLookupError):  # one of them ended meanwhile
                continue

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def timed(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def upload_ratios(installation: Installation, photograph: Form, rounds: int) -> list[float]:
    """Return how many times as long the usual upload takes, round by round."""
    with folio(installation) as served, usual_of(installation) as usual:
        photograph.send(served)
        photograph.send(usual)
        return [timed(lambda: photograph.send(usual)) / timed(lambda: photograph.send(served)) for _ in range(rounds)]


def memory_of_many(installation: Installation, photograph: Form, rounds: int) -> list[float]:
    """Return the most MB that the server takes while so many come at once, round by round."""
    most = []
    for _ in range(rounds):
        with folio(installation) as server, ThreadPoolExecutor(AT_ONCE) as pool:
            with watched(server) as watch:
                list(pool.map(lambda _: photograph.send(server), range(AT_ONCE)))
            most.append(watch.most)
    return most


def growth(installation: Installation, film: Form, warm: Form, rounds: int) -> list[float]:
    """Return by how many MB the server grows while a film comes, once it has taken an upload, round by round."""
    grown = []
    with folio(installation) as server:
        warm.send(server)
        for _ in range(rounds):
            with watched(server) as watch:
                film.send(server)
            grown.append(watch.most - watch.before)
    return grown


@dataclass
class Reads:
    """What reads take in milliseconds."""

    times: list[float] = field(default_factory=list)

    @property
    def p95(self) -> float:
        return quantiles(self.times, n=20)[-1]


def read_until(server: Server, is_over: Callable[[], bool]) -> Reads:
    """Read pages one after another, each another one than before."""
    reads = Reads()
    with server.client() as client:
        while not is_over():
            reads.times.append(client.time(f"{LIST}?limit=10&offset={len(reads.times) % (PORTFOLIOS - 10)}"))
            time.sleep(PACE)
    return reads


def read_ratios(installation: Installation, photograph: Form, seconds: float, rounds: int) -> list[tuple[float, float]]:
    """Return the p95 of reads alone and of reads while photographs come one after another, round by round."""
    found = []
    with folio(installation) as server, ThreadPoolExecutor(1) as pool:
        photograph.send(server)
        for _ in range(rounds):
            end = time.monotonic() + seconds
            alone = read_until(server, lambda end=end: time.monotonic() > end)  # type: ignore[misc]
            end = time.monotonic() + seconds
            uploads = pool.submit(send_until, server, photograph, end)
            beside = read_until(server, uploads.done)
            uploads.result()
            found.append((alone.p95, beside.p95))
    return found


def send_until(server: Server, form: Form, end: float) -> None:
    while time.monotonic() < end:
        form.send(server)


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.uploads", description="Measure what uploads cost.")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    options = parser.parse_args()
    missing = machine.missing_tools()
    if missing:
        print("\n".join(missing), file=sys.stderr)
        return 1
    about = machine.description()
    print(machine.summary(about))
    rounds, seconds = (1, 2.0) if options.quick else (ROUNDS, READ_SECONDS)
    os.sched_setaffinity(0, {machine.cores()[1]})
    with tempfile.TemporaryDirectory(prefix="folio-benchmarks-") as name:
        folder = Path(name)
        installation = fill(folder / "installation", PORTFOLIOS, {})
        photograph = form_of(folder, "photograph.jpg", thumbnails.photograph())
        large, film = form_of(folder, "large.jpg", large_photograph()), form_of(folder, "film.mp4", video())
        times = thumbnails.measure([thumbnails.folio, thumbnails.four_full_decodes], thumbnails.photograph(), rounds)
        reads = read_ratios(installation, photograph, seconds, rounds)
        figures = [
            report.Measure(
                "four decodes ÷ one, thumbnails of 12 megapixels",
                [usual / own for own, usual in zip(*times, strict=True)],
                at_least=2,
            ),
            report.Measure(
                "usual upload ÷ upload, 12 megapixels",
                upload_ratios(installation, photograph, rounds),
                at_least=1.7,
            ),
            report.Measure(
                f"memory, {AT_ONCE} uploads of 24 megapixels at once",
                memory_of_many(installation, large, rounds),
                "MB",
                at_most=600,
            ),
            report.Measure(
                "growth, a film of 100 MB", growth(installation, film, photograph, rounds), "MB", at_most=20
            ),
            report.Measure(
                "reads (p95) beside uploads ÷ alone", [beside / alone for alone, beside in reads], at_most=3
            ),
            report.Measure("reads (p95) alone", [alone for alone, _ in reads], "ms"),
            report.Measure("reads (p95) beside uploads", [beside for _, beside in reads], "ms"),
        ]
    text = report.table_of(figures, "uploads")
    report.write_figures("uploads", text, figures, about)
    print(f"\n{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
