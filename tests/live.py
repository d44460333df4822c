"""A real server: `folio serve` as a process of its own, with a port, a database and files of its own."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import requests
from psycopg import sql

from .environment import ROOT, environment, run_folio
from .postgresql import free_port

START = 180  # seconds that a server may take until it answers, on a machine that does much else
PHOTOGRAPHS = ["china.jpg", "flower.jpg"]


@dataclass
class Server:
    """A running server and the installation behind it."""

    url: str
    folder: Path
    variables: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes]

    def folio(self, *arguments: str, **variables: str) -> str:
        """Run another command of the installation, and return what it printed on standard output."""
        result = run_folio(*arguments, folder=self.folder, variables={**self.variables, **variables})
        assert result.returncode == 0, result.stderr
        return result.stdout

    def session(self, key: str | None = None) -> "Session":
        return Session(self.url, key)


class Session(requests.Session):
    """Requests to a server by their paths, with a key."""

    def __init__(self, url: str, key: str | None = None) -> None:
        super().__init__()
        self.url = url
        self.trust_env = False  # no proxy, no .netrc
        if key:
            self.headers["Authorization"] = f"Token {key}"

    def request(self, method: str, url: str, *arguments: Any, **named: Any) -> requests.Response:  # type: ignore[override]
        named.setdefault("timeout", 60)
        return super().request(method, url if url.startswith("http") else self.url + url, *arguments, **named)


@contextmanager
def running_server(folder: Path, *flags: str, **variables: str) -> Iterator[Server]:
    """Serve an installation in `folder`; on PostgreSQL where DATABASE_URL names a server, in a new database there."""
    with new_database() as database:
        variables = {**database, **variables}
        port = free_port()
        log = folder / "server.log"
        python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "folio", "serve", "--port", str(port), *flags],
                cwd=folder,
                env=environment(folder, PYTHONPATH=python_path, **variables),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            server = Server(f"http://127.0.0.1:{port}", folder, variables, log, process)
            wait_until_it_answers(server)
            yield server
        finally:
            stop(process)


@contextmanager
def new_database() -> Iterator[dict[str, str]]:
    """Yield the variable that names a new PostgreSQL database, dropped afterwards; none where SQLite is tested."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield {}
        return
    name = f"folio_live_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield {"DATABASE_URL": f"{url.rpartition('/')[0]}/{name}"}
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def wait_until_it_answers(server: Server) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert server.process.poll() is None, f"The server ended: {server.log.read_text()}"
        try:
            server.session().get("/api/auth/me/", headers={"Host": "localhost"}, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"The server did not answer: {server.log.read_text()}")


def stop(process: subprocess.Popen[Any]) -> None:
    """Stop the server as an operator would; kill it where it does not end."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)


def photograph(name: str) -> bytes:
    """Return one of the photographs that come with scikit-learn."""
    found = importlib.util.find_spec("sklearn")  # not imported, which takes seconds
    assert found is not None
    assert found.origin is not None
    return (Path(found.origin).parent / "datasets" / "images" / name).read_bytes()
