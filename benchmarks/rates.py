"""How many requests a second each participant answers, in rounds in which all take their turns."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from itertools import count

import psycopg
from PIL import Image

from .best import Ask, Setting, best_settings, settle
from .load import CONNECTIONS, Load, wrk
from .processes import LIST, Installation, Server, folio, other, usual_of

ROWS = 10  # of the page that is read
BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}  # what websites' visitors and clients send
READY = 10**9  # an upper bound of ids beyond all; each round's filter adds to it
NEIGHBOUR_WRITES = 50  # a second
PHOTOGRAPH = (1600, 1200)
BOUNDARY = "folio-benchmark"

FIRST = f"{LIST}?limit={ROWS}"
DETAIL = f"{LIST}1/"
PLAINER = "plainer content"

Rates = dict[str, list[Load]]
Ways = dict[str, Callable[[int, float], Load]]


class Content:
    """An installation on which Folio and the usual way take their turns, and what each of them is asked."""

    def __init__(self, stack: ExitStack, installation: Installation, name: str = "") -> None:
        self.stack = stack
        self.installation = installation
        self.name = f", {name}" if name else ""
        self.served = stack.enter_context(folio(installation))
        self.usual: dict[int, Server] = {}  # by its number of threads
        self.best: dict[str, Setting] = {}  # by what it is asked

    def find_best(self, kinds: dict[str, Ask]) -> None:
        """Find how the usual way answers most of these requests."""
        self.best |= best_settings(self.installation, kinds)

    def usual_with(self, threads: int) -> Server:
        if threads not in self.usual:
            self.usual[threads] = self.stack.enter_context(usual_of(self.installation, threads))
        return self.usual[threads]

    def usual_way(self, kind: str, ask: Callable[[Server, int, int], Load]) -> Callable[[int, float], Load]:
        """Return a turn of the usual way, as it does best."""
        best = self.best[kind]
        server = self.usual_with(best.threads)

        def run(turn: int, seconds: float) -> Load:
            settle(server)
            return ask(server, best.connections, turn)

        return run

    def pages(self, server: Server, connections: int, turn: int, seconds: float) -> Load:
        """Ask for a page each time that was never asked for."""
        path = f"{LIST}?id_max={READY + turn}"
        if server is self.served:  # the usual way keeps nothing
            make_ready(server, path, self.installation.portfolios)
        offsets = self.installation.portfolios - ROWS
        return wrk(server.url + path, server.key, seconds, "pages", offsets, ROWS, 1, connections=connections,
                   headers=BROWSER)  # fmt: skip

    def reads(self, seconds: float) -> Ways:
        """Return the ways in which the two are compared on this content."""

        def usual_list(server: Server, connections: int, turn: int = 0) -> Load:
            return self.pages(server, connections, turn, seconds)

        def usual_detail(server: Server, connections: int, turn: int = 0) -> Load:
            return wrk(server.url + DETAIL, server.key, seconds, connections=connections, headers=BROWSER)

        self.find_best({"list": usual_list, "detail": usual_detail})
        check_same_work(self.served, self.usual_with(self.best["list"].threads))
        ways = {
            "usual list": self.usual_way("list", usual_list),
            "usual detail": self.usual_way("detail", usual_detail),
            "list asked before": same(self.served, FIRST),
            "list never asked before": lambda turn, seconds: self.pages(self.served, CONNECTIONS, turn, seconds),
            "detail asked before": same(self.served, DETAIL),
        }
        return {f"{way}{self.name}": run for way, run in ways.items()}


def same(server: Server, path: str, headers: dict[str, str] = BROWSER) -> Callable[[int, float], Load]:
    return lambda turn, seconds: wrk(server.url + path, server.key, seconds, headers=headers)


def read_rates(
    rich: Installation, plain: Installation, rounds: int, seconds: float, database_url: str | None
) -> tuple[Rates, dict[str, Setting]]:
    """Return the loads of all reads, round by round, and what the usual way was given."""
    with ExitStack() as stack:
        content, plainer = Content(stack, rich), Content(stack, plain, PLAINER)
        served = content.served
        wire = stack.enter_context(wire_of(served, rich, BROWSER))
        plain_wire = stack.enter_context(wire_of(served, rich, {}))

        def not_modified(turn: int, seconds: float) -> Load:
            with served.client() as client:
                has_it = BROWSER | {"If-None-Match": client.get(FIRST, BROWSER).headers["etag"]}
                assert client.get(FIRST, has_it).status == 304
            return wrk(served.url + FIRST, served.key, seconds, headers=has_it)

        def counts(turn: int, seconds: float) -> Load:
            make_ready(served, FIRST, rich.portfolios)
            return wrk(served.url + FIRST, served.key, seconds, "filters", 2 * READY + turn * 10**7, headers=BROWSER)

        def while_written(turn: int, seconds: float) -> Load:
            with written(served):
                return wrk(served.url + FIRST, served.key, seconds, headers=BROWSER)

        def beside_neighbour(turn: int, seconds: float) -> Load:
            with busy_neighbour(database_url or ""):
                return wrk(served.url + FIRST, served.key, seconds, headers=BROWSER)

        ways = {
            "wire": same(wire, "/"),
            "wire, uncompressed": same(plain_wire, "/", {}),
            **plainer.reads(seconds),
            **content.reads(seconds),
            "list asked before, uncompressed": same(served, FIRST, {}),
            "list, first count of a filter": counts,
            "list, one write a second": while_written,
            "list, 304": not_modified,
        }
        if database_url:
            ways[f"list, a neighbour writes {NEIGHBOUR_WRITES} times a second"] = beside_neighbour
        best = {f"usual {kind}{each.name}": found for each in (plainer, content) for kind, found in each.best.items()}
        return in_turns(ways, rounds, seconds), best


def write_rates(installation: Installation, rounds: int, seconds: float) -> tuple[Rates, dict[str, Setting]]:
    """Return the loads of all writes; they come last, for they leave something behind."""
    body = installation.folder / "upload.bin"
    body.write_bytes(upload_body())
    runs = count(time.time_ns() // 1_000_000)
    with ExitStack() as stack:
        content = Content(stack, installation)

        def create(server: Server, connections: int, turn: int = 0) -> Load:
            return wrk(server.url + LIST, server.key, seconds, "create", next(runs), connections=connections)

        def patch(server: Server, connections: int, turn: int = 0) -> Load:
            rows = installation.portfolios
            return wrk(server.url + LIST, server.key, seconds, "patch", next(runs), rows, connections=connections)

        def upload(turn: int, seconds: float) -> Load:
            url = f"{content.served.url}/api/media/"
            return wrk(url, content.served.key, seconds, "upload", body, BOUNDARY, connections=2)

        content.find_best({"create": create, "patch": patch})
        ways = {
            "usual create": content.usual_way("create", create),
            "create": lambda turn, seconds: create(content.served, CONNECTIONS),
            "usual patch": content.usual_way("patch", patch),
            "patch": lambda turn, seconds: patch(content.served, CONNECTIONS),
            "upload": upload,
        }
        return in_turns(ways, rounds, seconds), {f"usual {kind}": found for kind, found in content.best.items()}


def in_turns(ways: Ways, rounds: int, seconds: float) -> Rates:
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
def wire_of(served: Server, installation: Installation, headers: dict[str, str], path: str = FIRST) -> Iterator[Server]:
    """Serve the bytes of Folio's first page from memory, in the form that these headers ask for."""
    body = installation.folder / f"wire-{len(headers)}"
    with served.client() as client:
        body.write_bytes(client.get(path, headers).body)
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
