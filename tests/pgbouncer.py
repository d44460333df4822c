"""A pgbouncer before a PostgreSQL server of the tests, as `deploy/pgbouncer.ini` sets it up."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from .environment import ROOT
from .postgresql import Server, free_port

CONFIGURATION = ROOT / "deploy" / "pgbouncer.ini"
START = 30  # seconds


def find_pgbouncer() -> str:
    """Return the program; skip where there is none, or fail where all has to be tested."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if found is None:
        if os.environ.get("CI_STRICT"):
            pytest.fail("pgbouncer is not installed (Debian: apt-get install pgbouncer).")
        pytest.skip("pgbouncer is not installed (Debian: apt-get install pgbouncer).")
    return found


class Pooler:
    """A running pgbouncer."""

    def __init__(self, program: str, server: Server, folder: Path, **settings: object) -> None:
        self.port = free_port()
        self.server = server
        self.folder = folder
        (folder / "users").write_text(f'"{server.user}" ""\n')
        others = {"listen_port": self.port, "auth_type": "trust", "auth_file": folder / "users", **settings}
        text = re.sub(r"^folio = .*$", f"* = host=127.0.0.1 port={server.port}", CONFIGURATION.read_text(), flags=re.M)
        for name, value in others.items():
            text, count = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.M)
            assert count == 1, f"{CONFIGURATION.name} does not set {name}."
        (folder / "pgbouncer.ini").write_text(text)
        if server.become:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, server.user)
        self.command = [*server.become, program, "-q", str(folder / "pgbouncer.ini")]
        self.start()

    def url(self, direct: str) -> str:
        """Return the address of a database by way of pgbouncer."""
        return urlsplit(direct)._replace(netloc=f"{self.server.user}@127.0.0.1:{self.port}").geturl()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.folder)
        end = time.monotonic() + START
        while not self.answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end, "pgbouncer does not answer."
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url(self.server.url), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@contextmanager
def running_pgbouncer(server: Server, **settings: object) -> Iterator[Pooler]:
    """Start a pgbouncer before a server; `settings` replace what the file says."""
    program = find_pgbouncer()
    with tempfile.TemporaryDirectory(prefix="folio-pgbouncer-", ignore_cleanup_errors=True) as folder:
        pooler = Pooler(program, server, Path(folder), **settings)
        try:
            yield pooler
        finally:
            pooler.stop()
