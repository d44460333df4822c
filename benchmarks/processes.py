"""Installations that are measured, and the servers that run on them, pinned to their core."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live import UNLIMITED
from tests.postgresql import free_port

from .load import Client
from .machine import cores, pinned

ROOT = Path(__file__).parent.parent
START = 60  # seconds that a server may take
PYTHON = sys.executable
LIST = "/api/portfolios/"
PUBLIC_LIST = "/api/public/portfolios/"
USUAL_THREADS = 4  # where it is asked one thing after another; `best.py` finds those for many at once


@dataclass
class Installation:
    """A data folder, perhaps a database elsewhere, and the key of an admin."""

    folder: Path
    portfolios: int
    variables: dict[str, str]
    key: str = ""

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FOLIO_", "DATABASE_URL"))}
        return {
            **kept,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "folio.settings",
            "FOLIO_DATA_DIR": str(self.folder),
            **UNLIMITED,
            **self.variables,
        }


@dataclass
class Server:
    """A running server with one worker."""

    process: subprocess.Popen[bytes]
    port: int
    key: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Client:
        return Client(self.port, {"Authorization": f"Token {self.key}"})

    def worker_memory(self) -> float:
        """Return the memory of the largest worker in MB (RSS)."""
        return memory(self.worker())

    def worker(self) -> int:
        """Return the process id of the largest worker."""
        return max(children(self.process.pid), key=memory)


def fill(
    folder: Path, portfolios: int, variables: dict[str, str], *options: object, module: str = "benchmarks.data"
) -> Installation:
    """Make an installation with so many portfolios; `options` are those of the module."""
    folder.mkdir(parents=True)
    installation = Installation(folder, portfolios, variables)
    command = [PYTHON, "-m", module, str(portfolios), *map(str, options)]
    made = subprocess.run(command, env=installation.environment, cwd=ROOT, check=True, capture_output=True, text=True)
    installation.key = made.stdout.strip()
    return installation


def folio_command(port: int, *flags: str) -> list[str]:
    return [PYTHON, "-m", "folio", "serve", "--port", str(port), *flags]


@contextmanager
def folio(installation: Installation, *flags: str) -> Iterator[Server]:
    port = free_port()
    with running(folio_command(port, *flags), installation, port) as server:
        yield server


@contextmanager
def other(
    application: str, installation: Installation, threads: int | None = None, **variables: str
) -> Iterator[Server]:
    """Serve another WSGI application by the same server with the same workers, and Folio's threads unless told."""
    port = free_port()
    command = [PYTHON, "-m", "benchmarks.host", application, str(port), *([str(threads)] if threads else [])]
    with running(command, installation, port, **variables) as server:
        yield server


@contextmanager
def usual_of(installation: Installation, threads: int = USUAL_THREADS) -> Iterator[Server]:
    """Serve the same data by the API that is built the usual way."""
    settings = "benchmarks.usual.settings"  # before Django is set up: a worker has the settings of its parent
    application = "benchmarks.usual.wsgi:application"
    with other(application, installation, threads, DJANGO_SETTINGS_MODULE=settings) as server:
        yield server


@contextmanager
def running(command: list[str], installation: Installation, port: int, **variables: str) -> Iterator[Server]:
    log = installation.folder / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            pinned(cores()[0], *command),
            env={**installation.environment, **variables},
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        server = Server(process, port, installation.key)
        wait_for(server, log)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(server: Server, log: Path) -> None:
    """Return once the server has answered a list."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            with server.client() as client:
                assert client.get(LIST).status == 200
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise SystemExit(f"The server did not answer:\n{log.read_text()}")


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def memory(pid: int) -> float:
    """Return a process's resident memory in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


def own_memory(pid: int) -> float:
    """Return the MB of a process's resident memory that it shares with no other, nor with its parent."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("Private_"))
