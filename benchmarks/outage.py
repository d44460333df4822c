"""What a database that does not answer leaves in the log: `python -m benchmarks.outage [--seconds 60] [--rate 50]`.

Requests come as often as that, through the API, the admin site and for files, while PostgreSQL is sent what nobody
hands on, or SQLite's file is away. The exit status is 1 if the log grew by more than 60 lines, a file was not served
at once, or the server did not go on afterwards.
"""

import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.live import Server, new_database, running_server
from tests.tcp import Proxy, proxy_to

WORKERS = 2
MOST_LINES = 60
SLOW = 5.0  # seconds that a file may take, on a machine on which all of this runs
BACK = 30.0  # seconds until the server answers again
AS_IT_COMES = {"FOLIO_LOOK_SECONDS": "2"}  # for a look, where the tests' servers have more patience


@contextmanager
def away(server: Server, proxy: Proxy | None) -> Iterator[None]:
    if proxy is not None:
        proxy.swallow()
        yield
        proxy.swallow(False)
        return
    file = server.folder / "folio.sqlite3"
    file.rename(file.with_name("away.sqlite3"))
    yield
    file.with_name("away.sqlite3").rename(file)


class Client:
    """Asks for one thing after another, and counts what is answered."""

    def __init__(self, server: Server) -> None:
        self.server = server
        answer = server.session(server.key).post("/api/tags/", json={"name": "before"})
        self.path = f"/api/tags/{answer.json()['id']}/"
        self.counts: Counter[str] = Counter()
        self.files: list[float] = []

    def ask(self, number: int) -> None:
        began = time.monotonic()
        kind = ("files", "pages", "writes", "reads", "reads")[number % 5]
        try:
            status = self.answer(kind, number)
        except requests.RequestException as error:
            self.counts[f"requests that broke: {type(error).__name__}"] += 1
            return
        self.counts[f"{kind} answered {status}"] += 1
        if kind == "files":
            self.files.append(time.monotonic() - began)

    def answer(self, kind: str, number: int) -> int:
        with self.server.session(self.server.key) as session:
            if kind == "files":
                return session.get("/static/folio/admin/icon.svg").status_code
            if kind == "pages":
                return session.get("/admin/", headers={"Cookie": f"sessionid={'a' * 32}"}).status_code
            if kind == "writes":
                return session.patch(self.path, json={"name": f"number {number}"}).status_code
            return session.get(f"/api/tags/?limit={number % 100 + 1}").status_code


def measure(server: Server, proxy: Proxy | None, seconds: float, rate: int) -> list[str]:
    """Let it be away for so long, print what came of it, and return what is wrong."""
    api, client = server.session(server.key), Client(server)
    before = len(server.log.read_text().splitlines())
    with away(server, proxy), ThreadPoolExecutor(4 * rate) as pool:
        start = time.monotonic()
        for number in range(int(seconds * rate)):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            pool.submit(client.ask, number)
    end = time.monotonic() + BACK
    while api.get(client.path).status_code != 200 and time.monotonic() < end:
        time.sleep(0.1)
    is_back = api.patch(client.path, json={"name": "after"}).status_code == 200
    lines = server.log.read_text().splitlines()[before:]
    for name, count in sorted(client.counts.items()):
        print(f"{count:>9,}  {name}")
    print(f"{len(lines):>9,}  lines of the log, in {seconds:.0f} seconds of {rate} requests each")
    print(f"{max(client.files):>9.2f}  seconds that the slowest file took")
    print("\n".join(lines[:MOST_LINES]))
    wrong = [f"{len(lines)} lines are more than {MOST_LINES}."] if len(lines) > MOST_LINES else []
    if client.counts["files answered 200"] != len(client.files) or max(client.files) > SLOW:
        wrong.append("Files were held up.")
    return wrong if is_back else [*wrong, "The server did not go on."]


def main() -> int:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long it is away (default: %(default)s)")
    parser.add_argument("--rate", type=int, default=50, help="requests a second (default: %(default)s)")
    arguments = parser.parse_args()
    flags = ("--workers", str(WORKERS))
    with (
        tempfile.TemporaryDirectory(prefix="folio-outage-", ignore_cleanup_errors=True) as folder,
        new_database() as variables,
    ):
        url = variables.get("DATABASE_URL")
        if url is None:
            with running_server(Path(folder), *flags, **AS_IT_COMES) as server:
                wrong = measure(server, None, arguments.seconds, arguments.rate)
        else:
            with (
                proxy_to(urlsplit(url).port or 5432) as proxy,
                running_server(Path(folder), *flags, DATABASE_URL=proxy.url(url), **AS_IT_COMES) as server,
            ):
                wrong = measure(server, proxy, arguments.seconds, arguments.rate)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
