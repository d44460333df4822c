"""Run a command against a PostgreSQL server of its own: `python -m tests.postgresql pytest`.

The server lives in a temporary folder on a free loopback port and is gone when the command ends. `--servers 2` starts
two: each process of a suite that is spread over several takes one, since what one commits would empty the caches of
the other's servers. The exit status is the
command's, or 69 (EX_UNAVAILABLE) where PostgreSQL is not installed.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import SystemRandom

UNAVAILABLE = 69
SERVERS_VARIABLE = "TEST_POSTGRESQL_SERVERS"  # URLs, of which each process of a suite takes one
PATIENCE = 240  # seconds that a program or a lock may take on a machine that does much else
PORTS = (20_000, 32_000)
chance = SystemRandom()  # what tests seed would have each process of the suite choose the same ports
SERVER_USER = "postgres"  # made by Debian's package; the server refuses to run as root


def find_binaries() -> Path | None:
    """Return the folder of `initdb` and `pg_ctl`, the newest release's where there are several."""
    on_path = shutil.which("pg_ctl")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def free_port() -> int:
    """Return a port that is free at all addresses, below those that Linux gives to connections by itself.

    One of these may be a connection's of another test by the time that a server wants to listen there.
    """
    while True:
        port = chance.randrange(*PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        return port


class Server:
    """A PostgreSQL server that keeps its data in a folder of its own, and listens on a port of its own."""

    def __init__(self, binaries: Path, folder: str) -> None:
        self.binaries = binaries
        self.folder = folder
        self.data = f"{folder}/data"
        self.port = free_port()
        is_root = os.geteuid() == 0
        self.user = SERVER_USER if is_root else pwd.getpwuid(os.geteuid()).pw_name
        self.become = ["runuser", "-u", self.user, "--"] if is_root else []
        self.url = f"postgres://{self.user}@127.0.0.1:{self.port}/postgres"
        if is_root:
            shutil.chown(folder, self.user)

    def run(self, program: str, *arguments: str) -> None:
        command = [*self.become, str(self.binaries / program), *arguments]
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, timeout=PATIENCE)

    def initialize(self) -> None:
        options = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        self.run("initdb", "-D", self.data, "-U", self.user, *options)

    def copy(self, primary: "Server") -> None:
        """Become a standby of a running server."""
        self.run("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast", "-N", "-d", primary.url)

    def start(self) -> None:
        # Nothing outlives the tests, so nothing waits for the disk, and nothing is tidied up meanwhile.
        quick = "-c fsync=off -c full_page_writes=off -c autovacuum=off"
        room = "-c max_connections=400"  # several Folios run at once, and each of their threads keeps one
        bound = f"-c lock_timeout={PATIENCE}s"  # who waits for a lock that nobody gives back is told so
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 {room} {quick} {bound}"
        self.run("pg_ctl", "-D", self.data, "-w", "-l", f"{self.folder}/log", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self.run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def promote(self) -> None:
        """End being a standby."""
        self.run("pg_ctl", "-D", self.data, "-w", "promote")


@contextmanager
def temporary_server(binaries: Path, primary: Server | None = None) -> Iterator[Server]:
    """Start a server, a standby where it has a primary; stop and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="folio-postgresql-", ignore_cleanup_errors=True) as folder:
        server = Server(binaries, folder)
        if primary is None:
            server.initialize()
        else:
            server.copy(primary)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def choose_server() -> None:
    """Have this process of xdist use the server that is meant for it."""
    urls = os.environ.get(SERVERS_VARIABLE, "").split()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if urls and worker.isdecimal():
        os.environ["DATABASE_URL"] = urls[int(worker) % len(urls)]


def main(command: list[str]) -> int:
    count = 1
    if command[:1] == ["--servers"]:
        count, command = int(command[1]), command[2:]
    binaries = find_binaries()
    if binaries is None:
        print("PostgreSQL is not installed (Debian: apt-get install postgresql-15).", file=sys.stderr)
        return UNAVAILABLE
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # an exception, so that the server is stopped
    with ExitStack() as stack:
        urls = [stack.enter_context(temporary_server(binaries)).url for _ in range(count)]
        variables = {"DATABASE_URL": urls[0], SERVERS_VARIABLE: " ".join(urls)}
        return subprocess.run(command, env={**os.environ, **variables}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
