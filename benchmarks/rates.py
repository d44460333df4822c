"""How many requests a second each participant answers, in rounds in which all take their turns."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO

import psycopg
from PIL import Image

from .load import Load, wrk
from .processes import LIST, Installation, Server, folio, other, usual_of

ROWS = 10  # of the page that is read
BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}  # what websites' visitors and clients send
READY = 10**9  # an upper bound of ids beyond all; each round's filter adds to it
NEIGHBOUR_WRITES = 50  # a second
PHOTOGRAPH = (1600, 1200)
BOUNDARY = "folio-benchmark"

Rates = dict[str, list[Load]]


def read_rates(installation: Installation, rounds: int, seconds: float, database_url: str | None) -> Rates:
    """Return the loads of all reads, round by round."""
    with ExitStack() as stack:
        served = stack.enter_context(folio(installation))
        usual = stack.enter_context(usual_of(installation))
        check_same_work(served, usual)
        wire = stack.enter_context(wire_of(served, installation, BROWSER))
        plain_wire = stack.enter_context(wire_of(served, installation, {}))
        first = f"{LIST}?limit={ROWS}"
        detail = f"{LIST}1/"

        def not_modified(turn: int, seconds: float) -> Load:
            with served.client() as client:
                has_it = BROWSER | {"If-None-Match": client.get(first, BROWSER).headers["etag"]}
                assert client.get(first, has_it).status == 304
            return wrk(served.url + first, served.key, seconds, headers=has_it)

        def same(server: Server, path: str, headers: dict[str, str] = BROWSER) -> Callable[[int, float], Load]:
            return lambda turn, seconds: wrk(server.url + path, server.key, seconds, headers=headers)

        def pages(server: Server) -> Callable[[int, float], Load]:
            def run(turn: int, seconds: float) -> Load:
                path = f"{LIST}?id_max={READY + turn}"
                make_ready(server, path, installation.portfolios)
                offsets = installation.portfolios - ROWS
                return wrk(server.url + path, server.key, seconds, "pages", offsets, ROWS, 1, headers=BROWSER)

            return run

        def counts(turn: int, seconds: float) -> Load:
            path = f"{LIST}?limit={ROWS}"
            make_ready(served, path, installation.portfolios)
            return wrk(served.url + path, served.key, seconds, "filters", 2 * READY + turn * 10**7, headers=BROWSER)

        def while_written(turn: int, seconds: float) -> Load:
            with written(served):
                return wrk(served.url + first, served.key, seconds, headers=BROWSER)

        def beside_neighbour(turn: int, seconds: float) -> Load:
            with busy_neighbour(database_url or ""):
                return wrk(served.url + first, served.key, seconds, headers=BROWSER)

        ways = {
            "wire": same(wire, "/"),
            "wire, uncompressed": same(plain_wire, "/", {}),
            "usual list": pages(usual),
            "usual detail": same(usual, detail),
            "list asked before": same(served, first),
            "list asked before, uncompressed": same(served, first, {}),
            "list never asked before": pages(served),
            "list, first count of a filter": counts,
            "list, one write a second": while_written,
            "list, 304": not_modified,
            "detail asked before": same(served, detail),
        }
        if database_url:
            ways[f"list, a neighbour writes {NEIGHBOUR_WRITES} times a second"] = beside_neighbour
        return in_turns(ways, rounds, seconds)


def write_rates(installation: Installation, rounds: int, seconds: float) -> Rates:
    """Return the loads of all writes; they come last, for they leave something behind."""
    body = installation.folder / "upload.bin"
    body.write_bytes(upload_body())
    run = time.time_ns() // 1_000_000
    with (
        folio(installation) as served,
        usual_of(installation) as usual,
    ):

        def create(server: Server, part: int) -> Callable[[int, float], Load]:
            return lambda turn, seconds: wrk(server.url + LIST, server.key, seconds, "create", run + turn * 2 + part)

        def upload(turn: int, seconds: float) -> Load:
            return wrk(f"{served.url}/api/media/", served.key, seconds, "upload", body, BOUNDARY, connections=2)

        ways = {"usual create": create(usual, 0), "create": create(served, 1), "upload": upload}
        return in_turns(ways, rounds, seconds)


def in_turns(ways: dict[str, Callable[[int, float], Load]], rounds: int, seconds: float) -> Rates:
    """Let each way have its turn in each round, after one round that warms up."""
    loads: Rates = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            load = way(turn, seconds)
            if turn:
                loads[name].append(load)
    return loads


def make_ready(server: Server, path: str, portfolios: int) -> None:
    """Have the filter counted and every row's document made in the present snapshot."""
    with server.client() as client:
        for offset in range(0, portfolios, 100):
            client.get(f"{path}&limit=100&offset={offset}")


def check_same_work(served: Server, usual: Server) -> None:
    """Make sure that both answer with the same rows and the same fields in them, and that they are not the same."""
    path = f"{LIST}?limit={ROWS}&offset=30&has_image=true"
    with served.client() as one, usual.client() as two:
        assert one.get("/api/tags/").status == 200
        assert two.get("/api/tags/").status != 200, "the usual way has no tags: this is Folio itself"
        ours, theirs = one.get(path).json(), two.get(path).json()
    assert ours["count"] == theirs["count"]
    assert [row["id"] for row in ours["results"]] == [row["id"] for row in theirs["results"]]
    assert all(shape(a) == shape(b) for a, b in zip(ours["results"], theirs["results"], strict=True))


def shape(value: object) -> object:
    """Return the keys of a document and all within it."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value)


@contextmanager
def wire_of(served: Server, installation: Installation, headers: dict[str, str]) -> Iterator[Server]:
    """Serve the bytes of Folio's first page from memory, in the form that these headers ask for."""
    body = installation.folder / f"wire-{len(headers)}"
    with served.client() as client:
        body.write_bytes(client.get(f"{LIST}?limit={ROWS}", headers).body)
    with other("benchmarks.wire:application", installation, WIRE_BODY=str(body)) as wire:
        yield wire


@contextmanager
def written(server: Server) -> Iterator[None]:
    """Change a portfolio of the first page once a second."""
    with server.client() as client:
        first = client.get(f"{LIST}?limit=1").json()["results"][0]["id"]

    def write(number: int) -> None:
        with server.client() as client:
            answer = client.patch(f"{LIST}{first}/", {"excerpt": f"Changed {number} times, at {time.time()}."})
        if answer.status != 200:
            raise SystemExit(f"A write was answered with {answer.status}.")

    with repeated(write, 1.0):
        yield


@contextmanager
def busy_neighbour(database_url: str) -> Iterator[None]:
    """Write to another database of the same PostgreSQL server, many times a second."""
    name = "folio_bench_neighbour"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(f"{database_url.rpartition('/')[0]}/{name}", autocommit=True) as neighbour:
        neighbour.execute("CREATE TABLE entries (number integer)")
        with repeated(lambda number: neighbour.execute("INSERT INTO entries VALUES (%s)", [number]), 0.02):
            yield


@contextmanager
def repeated(action: Callable[[int], object], interval: float) -> Iterator[None]:
    """Run the action at each interval, in a thread, until the block ends."""
    over = threading.Event()

    def run() -> None:
        number = 0
        while not over.wait(interval if number else interval / 2):
            action(number)
            number += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def upload_body() -> bytes:
    """Return a photograph of two megapixels as a form's body; `FILENAME` in it is to be replaced."""
    noise = Image.effect_noise(PHOTOGRAPH, 40)
    picture = Image.merge("RGB", [Image.linear_gradient("L").resize(PHOTOGRAPH), noise, noise])
    file = BytesIO()
    picture.save(file, "JPEG", quality=85)
    return multipart("FILENAME.jpg", file.getvalue())


def multipart(file_name: str, content: bytes) -> bytes:
    """Return a file as a form's body."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
