"""Several machines on one: servers with data folders of their own behind nginx, with a PostgreSQL and a bucket for all.

What machines share is a database and object storage, and nothing else: so each server here has a folder that no other
knows, and is reached at a port.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from . import nginx
from .environment import ROOT, environment, run_folio
from .live import ADMIN, PATIENT, START, Server, Session, create_database, lay_static_files, stop, url_of
from .nginx import find_nginx, nginx_user, replaced, running_nginx
from .postgresql import Server as PostgreSQL
from .postgresql import find_binaries, free_port, temporary_server
from .programs import found
from .s3 import S3, running_s3

UPSTREAM = ROOT / "deploy" / "nginx-machines.conf"
ADDRESSES = ("10.0.0.11", "10.0.0.12")  # in the file
SECRET = "the-secret-key-of-all-machines-of-the-tests-and-the-benchmarks"


@dataclass
class Machine:
    """One of them: a server at a port, with a folder of its own."""

    port: int
    folder: Path
    variables: dict[str, str]
    flags: tuple[str, ...]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def start(self) -> None:
        """Start it, and return when it can be sent requests."""
        python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "folio", "serve", "--port", str(self.port), *self.flags],
                cwd=self.folder,
                env=environment(self.folder, PYTHONPATH=python_path, **self.variables),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + START
        while not self.is_ready():
            assert self.process.poll() is None, f"The server ended: {self.log.read_text()}"
            assert time.monotonic() < end, f"The server did not answer: {self.log.read_text()}"
            time.sleep(0.05)

    def is_ready(self) -> bool:
        try:
            with Session(self.url) as session:
                return session.get("/readyz", timeout=5).status_code == 200
        except OSError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process)


@dataclass
class Machines:
    """All of them, and what they share."""

    port: int  # of nginx
    folder: Path  # of nginx
    database: PostgreSQL
    s3: S3
    key: str = ""  # of an admin
    servers: list[Machine] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def session(self, key: str | None = None) -> Session:
        return Session(self.url, key)

    def logs(self) -> str:
        return "".join(machine.log.read_text() for machine in self.servers)

    def as_server(self) -> Server:
        """Return them as if they were one server: at nginx's address, with the first one's folder for commands."""
        first = self.servers[0]
        assert first.process is not None
        return Server(self.url, first.folder, first.variables, first.log, first.process, self.key)


def rendered(port: int, ports: list[int]) -> str:
    """Return nginx's files with the ports of a test, without TLS."""
    text = UPSTREAM.read_text()
    for address, own in zip(ADDRESSES, ports, strict=True):
        text = replaced(text, f"{address}:8000", f"127.0.0.1:{own}")
    site = nginx.rendered(port, [Path("/a"), Path("/b")])
    site = replaced(site, "proxy_next_upstream error;", "proxy_next_upstream error timeout;")
    return text + re.sub(r"^upstream folio \{.*?^\}", "", site, flags=re.MULTILINE | re.DOTALL)


@contextmanager
def running_machines(
    workers: int = 2, prepare: Callable[[Machine], str] | None = None, **variables: str
) -> Iterator[Machines]:
    """Start two servers of one installation, and what they need.

    `prepare` makes its content before, and returns the key of an admin; without it there is an admin alone.
    """
    program, binaries = find_nginx(), find_binaries()
    found(str(binaries) if binaries else None, "PostgreSQL", "postgresql-15")
    assert binaries is not None
    user = nginx_user()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="folio-machines-", ignore_cleanup_errors=True)))
        folder.chmod(0o755)
        own = folder / "nginx"
        own.mkdir()
        if user is not None:
            os.chown(own, user.pw_uid, user.pw_gid)
        database = stack.enter_context(temporary_server(binaries))
        create_database(database.url, "folio")
        s3 = stack.enter_context(running_s3())
        shared = {
            **PATIENT,
            **s3.variables(),
            "DATABASE_URL": url_of(database.url, "folio"),
            "FOLIO_SECRET_KEY": SECRET,
            "FOLIO_TRUSTED_PROXIES": "127.0.0.1",
            **variables,
        }
        machines = Machines(free_port(), own, database, s3)
        for name in "ab":
            place = folder / name
            place.mkdir(mode=0o700)
            lay_static_files(place)
            machines.servers.append(Machine(0, place, shared, ("--workers", str(workers), "--no-migrate")))
        machines.key = (prepare or begun)(machines.servers[0])
        for machine in machines.servers:
            stack.callback(machine.stop)
            machine.port = free_port()  # which others might take, were it asked for long before
            machine.start()
        ports = [machine.port for machine in machines.servers]
        stack.enter_context(running_nginx(program, own, rendered(machines.port, ports), user))
        wait_for_nginx(machines)
        yield machines


def begun(machine: Machine) -> str:
    """Make the tables and an admin, and return the admin's key."""
    for arguments in (["migrate", "--verbosity", "0"], ["createtoken", ADMIN, "--admin"]):
        done = run_folio(*arguments, folder=machine.folder, variables=machine.variables)
        assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def wait_for_nginx(machines: Machines) -> None:
    end = time.monotonic() + nginx.PATIENCE
    while True:
        try:
            with machines.session() as session:
                assert session.get("/api/auth/me/").status_code == 401
        except OSError:
            assert time.monotonic() < end, (machines.folder / "error.log").read_text()
            time.sleep(0.05)
        else:
            return


def missing() -> str | None:
    """Return what is not installed that they need, with how; None where all is."""
    if nginx.nginx_path() is None:
        return "nginx is not installed (Debian: apt-get install nginx-light)."
    if find_binaries() is None:
        return "PostgreSQL is not installed (Debian: apt-get install postgresql-15)."
    return None
