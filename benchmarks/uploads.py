"""What uploads cost the server, and those who read meanwhile: `python -m benchmarks.uploads [--quick]`.

The usual way is a serializer with an `ImageField` that opens the stored file once for each thumbnail and turns it
upright, in the server's own process; see `benchmarks/usual/`. Memory is that of all of the server's processes together,
each shared page counted once (PSS).
"""

import os
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from statistics import quantiles

from PIL import ExifTags, Image

from tests.media.played import ftyp, moov, track
from tests.s3 import running_s3

from . import machine, report, thumbnails
from .processes import LIST, Installation, Server, children, fill, folio, usual_of
from .rates import BOUNDARY, make_ready, multipart, repeated

PORTFOLIOS = 200
ROUNDS = 7
AT_ONCE = 8
LARGE = (6000, 4000)  # 24 megapixels
TILE = 512  # pixels, of a phone's HEIC
VIDEO_SIZE = 100 * 1000 * 1000
JUNK = 1_000_000  # bytes
PACE = 0.005  # seconds between two looks at the memory, and between two reads
READ_SECONDS = 10


def send(server: Server, form: Path) -> None:
    """Upload a multipart body without reading it whole, or raise SystemExit."""
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=120)) as connection, form.open("rb") as body:
        headers = {
            "Authorization": f"Token {server.key}",
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Content-Length": str(form.stat().st_size),
        }
        connection.request("POST", "/api/media/", body, headers)
        answer = connection.getresponse()
        text = answer.read()
    if answer.status != 201:
        raise SystemExit(f"An upload was answered with {answer.status}: {text.decode()}")


def form_of(folder: Path, file_name: str, content: bytes) -> Path:
    """Return a file that holds the multipart body of an upload."""
    path = folder / f"{file_name}.form"
    path.write_bytes(multipart(file_name, content))
    return path


def large_photograph() -> bytes:
    with Image.open(BytesIO(thumbnails.photograph())) as image:
        file = BytesIO()
        image.resize(LARGE, Image.Resampling.BICUBIC).save(file, "JPEG", quality=95)
    return file.getvalue()


def heic_of(photograph: bytes) -> bytes:
    """Return a photograph as phones write it: HEIC of tiles, which are to be turned."""
    from pillow_heif import from_pillow  # takes a while, and only this needs it

    with Image.open(BytesIO(photograph)) as image:
        image.load()
        exif = image.getexif()
        exif[ExifTags.Base.Orientation] = 6
        opened = from_pillow(image)
    file = BytesIO()
    opened.save(file, quality=60, tile_size=TILE, exif=exif.tobytes(), enc_params={"preset": "ultrafast"})
    return file.getvalue()


def jpeg_with_junk() -> bytes:
    """Return a small progressive JPEG with a megabyte of zeros before its last scan, which decoders skip."""
    file = BytesIO()
    Image.effect_noise((64, 64), 60).convert("RGB").save(file, "JPEG", progressive=True)
    data = file.getvalue()
    place = data.rfind(b"\xff\xda")
    return data[:place] + b"\xff\xfe\0\4ab" + bytes(JUNK) + data[place:]


def request_times(installation: Installation, form: Path, rounds: int) -> list[float]:
    """Return the milliseconds that an upload takes, round by round, after one that starts the decoders."""
    with folio(installation) as server:
        send(server, form)
        return [1000 * timed(lambda: send(server, form)) for _ in range(rounds)]


def video() -> bytes:
    """Return an MP4 with one track, as long as a film of a minute."""
    pictures = VIDEO_SIZE.to_bytes(4, "big") + b"mdat" + os.urandom(VIDEO_SIZE - 8)
    return ftyp() + pictures + moov(track(seconds=60), seconds=60)


def memory_of_family(pid: int) -> float:
    try:
        return proportional_memory(pid) + sum(map(memory_of_family, children(pid)))
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0.0


def proportional_memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


@contextmanager
def watched(server: Server) -> Iterator[list[float]]:
    """Yield what the server takes in MB: before the block, and again and again until it ends."""
    looks = [memory_of_family(server.process.pid)]
    with repeated(lambda number: looks.append(memory_of_family(server.process.pid)), PACE):
        yield looks


def timed(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def upload_ratios(installation: Installation, photograph: Path, rounds: int) -> list[float]:
    """Return how many times as long the usual upload takes, round by round."""
    with folio(installation) as served, usual_of(installation) as usual:
        send(served, photograph)
        send(usual, photograph)
        return [timed(lambda: send(usual, photograph)) / timed(lambda: send(served, photograph)) for _ in range(rounds)]


def bucket_ratios(installation: Installation, folder: Path, photograph: Path, rounds: int) -> list[float]:
    """Return how many times as long as one to the disk an upload to S3 on loopback takes, round by round, in turns."""
    with running_s3() as s3:
        empty = fill(folder, 1, {})
        in_bucket = replace(empty, variables=s3.variables())
        with folio(installation) as on_disk, folio(in_bucket) as away:
            send(on_disk, photograph)
            send(away, photograph)
            return [
                timed(lambda: send(away, photograph)) / timed(lambda: send(on_disk, photograph)) for _ in range(rounds)
            ]


def heic_ratios(installation: Installation, heic: Path, jpeg: Path, rounds: int) -> list[float]:
    """Return how many times as long as a JPEG a HEIC of the same picture takes, round by round."""
    with folio(installation) as served:
        send(served, heic)
        send(served, jpeg)
        return [timed(lambda: send(served, heic)) / timed(lambda: send(served, jpeg)) for _ in range(rounds)]


def memory_of_many(installation: Installation, photograph: Path, rounds: int) -> list[float]:
    """Return the most MB that the server takes while so many come at once, round by round."""
    most = []
    for _ in range(rounds):
        with folio(installation) as server, ThreadPoolExecutor(AT_ONCE) as pool:
            with watched(server) as looks:
                list(pool.map(lambda _: send(server, photograph), range(AT_ONCE)))
            most.append(max(looks))
    return most


def growth(installation: Installation, film: Path, warm: Path, rounds: int) -> list[float]:
    """Return by how many MB the server grows while a film comes, once it has taken an upload, round by round."""
    grown = []
    with folio(installation) as server:
        send(server, warm)
        for _ in range(rounds):
            with watched(server) as looks:
                send(server, film)
            grown.append(max(looks) - looks[0])
    return grown


def p95_until(server: Server, is_over: Callable[[], bool]) -> float:
    """Read pages one after another, each another one than before; return the milliseconds that 95 of 100 keep to."""
    times: list[float] = []
    with server.client() as client:
        while not is_over():
            times.append(client.time(f"{LIST}?limit=10&offset={len(times) % (PORTFOLIOS - 10)}"))
            time.sleep(PACE)
    return quantiles(times, n=20)[-1]


def read_ratios(installation: Installation, photograph: Path, seconds: float, rounds: int) -> list[tuple[float, float]]:
    """Return the p95 of reads alone and of reads while photographs come one after another, round by round."""
    found = []
    with folio(installation) as server, ThreadPoolExecutor(1) as pool:
        send(server, photograph)
        make_ready(server, LIST + "?", PORTFOLIOS)
        for _ in range(rounds):
            end = time.monotonic() + seconds
            alone = p95_until(server, lambda end=end: time.monotonic() > end)  # type: ignore[misc]
            end = time.monotonic() + seconds
            uploads = pool.submit(send_until, server, photograph, end)
            beside = p95_until(server, uploads.done)
            uploads.result()
            found.append((alone, beside))
    return found


def send_until(server: Server, form: Path, end: float) -> None:
    while time.monotonic() < end:
        send(server, form)


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
        heic = form_of(folder, "photograph.heic", heic_of(thumbnails.photograph()))
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
                "upload to S3 on loopback ÷ to the disk, 12 megapixels",
                bucket_ratios(installation, folder / "in-bucket", photograph, rounds),
                at_most=2,
            ),
            report.Measure(
                "upload of a HEIC ÷ of the same picture as JPEG, 12 megapixels",
                heic_ratios(installation, heic, photograph, rounds),
                at_most=6,
            ),
            report.Measure(
                "upload, a JPEG with a megabyte of junk between scans",
                request_times(installation, form_of(folder, "junk.jpg", jpeg_with_junk()), rounds),
                "ms",
                at_most=500,
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
