"""A real server: `folio serve` as a process of its own, with a port, a database and files of its own."""

import atexit
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import psycopg
import requests
from django.conf import settings
from django.test import override_settings
from psycopg import sql

from folio.admin import assets

from .environment import ROOT, environment, run_folio
from .postgresql import free_port

START = 180  # seconds that a server may take until it answers, on a machine that does much else
ADMIN = "ada"
LATER = {"FOLIO_TASKS_SECONDS": "3600"}  # a server does nothing but what it is asked
# A database that is slow to answer on a machine that does much else is not taken for one that does not.
PATIENT = {"FOLIO_LOOK_SECONDS": "20"}
# For what asks with one key as fast as it can.
UNLIMITED = {"FOLIO_RATE": "off", "FOLIO_WRITE_RATE": "off"}
PHOTOGRAPHS = ["china.jpg", "flower.jpg"]


@dataclass
class Server:
    """A running server and the installation behind it."""

    url: str
    folder: Path
    variables: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes]
    key: str  # of an admin, made by the command; none where the installation began without one

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
    """Serve an installation in `folder`; on PostgreSQL where DATABASE_URL names a server, in a new database there.

    A new one is migrated and has an admin already, but for the sample content, which asks for an empty one. The
    variants of the sample's pictures are not made ahead, unless asked for: that would take both cores for minutes.
    """
    is_empty = "--demo" in flags
    variables = {**PATIENT, **(LATER if is_empty else {}), **variables}
    with ExitStack() as stack:
        if "DATABASE_URL" not in variables:
            variables = {**stack.enter_context(new_database(is_empty)), **variables}
        if "DATABASE_URL" not in variables and not is_empty:
            begin(folder)
        lay_static_files(folder)
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
        stack.callback(stop, process)
        key = "" if is_empty else beginning(postgresql_url()).key
        server = Server(f"http://127.0.0.1:{port}", folder, variables, log, process, key)
        wait_until_it_answers(server)
        yield server


@contextmanager
def running_demo(folder: Path, **variables: str) -> Iterator[Server]:
    """Serve a copy of the sample content, on SQLite: to make it takes several times as long as to start."""
    shutil.copytree(demo().name, folder, dirs_exist_ok=True)
    with running_server(folder, "--demo", **variables) as server:
        yield server


@cache
def demo() -> TemporaryDirectory[str]:
    folder = TemporaryDirectory(prefix="folio-demo-", ignore_cleanup_errors=True)
    with running_server(Path(folder.name), "--demo") as server:
        assert "API key" in server.log.read_text()
    return folder


def postgresql_url() -> str:
    """Return the URL of the PostgreSQL server that is tested; nothing where SQLite is."""
    url = os.environ.get("DATABASE_URL", "")
    return url if url.startswith("postgres") else ""


@dataclass
class Beginning:
    """An installation that was migrated and has an admin with a key: servers begin with a copy, which is quick."""

    folder: TemporaryDirectory[str]
    database: str
    key: str


@cache
def beginning(url: str) -> Beginning:
    folder = TemporaryDirectory(prefix="folio-beginning-", ignore_cleanup_errors=True)
    database = f"folio_beginning_{uuid4().hex}" if url else ""
    variables = {}
    if url:
        create_database(url, database)
        atexit.register(drop_database, url, database)
        variables["DATABASE_URL"] = url_of(url, database)
    for arguments in (["migrate", "--verbosity", "0"], ["createtoken", ADMIN, "--admin"]):
        result = run_folio(*arguments, folder=Path(folder.name), variables=variables)
        assert result.returncode == 0, result.stderr
    return Beginning(folder, database, result.stdout.strip())


def begin(folder: Path) -> None:
    """Give an installation on SQLite its database, unless it has one."""
    if not (folder / "folio.sqlite3").exists():
        shutil.copy(Path(beginning("").folder.name) / "folio.sqlite3", folder)


@cache
def static_files() -> TemporaryDirectory[str]:
    """Make the admin site's files once, as a server would: that takes it a second."""
    folder = TemporaryDirectory(prefix="folio-static-", ignore_cleanup_errors=True)
    with override_settings(STATIC_ROOT=Path(folder.name) / "static" / "files"):
        assets.make()
    return folder


def lay_static_files(folder: Path) -> None:
    """Give a server the admin site's files; a bench, which has no settings, lets it make them itself."""
    if settings.configured and not (folder / "static").exists():
        shutil.copytree(Path(static_files().name) / "static", folder / "static", copy_function=link)


def link(source: str, target: str) -> None:
    """Give a file a second name, which takes no room on the disk; on another disk copy it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@contextmanager
def new_database(is_empty: bool = False) -> Iterator[dict[str, str]]:
    """Yield the variable that names a new PostgreSQL database, dropped afterwards; none where SQLite is tested."""
    url = postgresql_url()
    if not url:
        yield {}
        return
    name = f"folio_live_{uuid4().hex}"
    create_database(url, name, "template1" if is_empty else beginning(url).database)
    try:
        yield {"DATABASE_URL": url_of(url, name)}
    finally:
        drop_database(url, name)


def url_of(url: str, database: str) -> str:
    return f"{url.rpartition('/')[0]}/{database}"


def create_database(url: str, name: str, template: str = "template1") -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        names = (sql.Identifier(name), sql.Identifier(template))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))


def drop_database(url: str, name: str) -> None:
    with (
        suppress(psycopg.OperationalError),
        psycopg.connect(url, autocommit=True) as connection,
    ):  # the server may be gone
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def wait_until_it_answers(server: Server) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert server.process.poll() is None, f"The server ended: {server.log.read_text()}"
        try:
            server.session().get("/api/auth/me/", headers={"Host": "localhost"}, timeout=5)
        except (requests.ConnectionError, requests.Timeout):
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


def workers_of(server: Server) -> list[int]:
    """Return the processes that answer: children of the one that was started."""
    done = subprocess.run(["ps", "-o", "pid=,ppid=", "-e"], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    return [pid for pid, parent in pairs if parent == server.process.pid]


def kill(server: Server) -> None:
    """Kill a server with all its workers, which have no time to do anything."""
    for pid in (server.process.pid, *workers_of(server)):
        os.kill(pid, signal.SIGKILL)
    server.process.wait(20)


def photograph(name: str) -> bytes:
    """Return one of the photographs that come with scikit-learn."""
    found = importlib.util.find_spec("sklearn")  # not imported, which takes seconds
    assert found is not None
    assert found.origin is not None
    return (Path(found.origin).parent / "datasets" / "images" / name).read_bytes()
