"""The guide to several machines, followed to the letter: on one machine, whose loopback has an address for each."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest

from tests import nginx
from tests.environment import ROOT, environment
from tests.live import Session
from tests.nginx import find_nginx, nginx_user, running_nginx
from tests.papers import Terminal, blocks_of, terminal
from tests.postgresql import Server as PostgreSQL
from tests.postgresql import find_binaries, free_port, temporary_server
from tests.rolling import Load
from tests.s3 import CREDENTIALS, S3, running_s3

PAGE = (ROOT / "docs" / "guides" / "scaling.md").read_text()
PAGE = PAGE[PAGE.index("## Two machines, step by step") :]
SITES = "/etc/nginx/sites-enabled"
pytestmark = [pytest.mark.any_database, pytest.mark.timeout(900)]  # PostgreSQL, a server of its own
# What other machines would do, in the place of ssh, scp and systemd.
PROGRAMS = """
scp() {{ cp folio.env {folder}/b/folio.env; }}
ssh() {{ ( cd {folder}/${{1##*.0.0.1}} && ./restart ); }}
nginx() {{ {nginx} "$@"; }}
systemctl() {{ nginx -s reload; }}
sudo() {{ "$@"; }}
"""
RESTART = """#!/bin/bash
if [ -f pid ]; then kill $(cat pid); while kill -0 $(cat pid) 2>/dev/null; do sleep 0.1; done; fi
set -a; . ./folio.env; set +a
setsid {serve} >> log 2>&1 < /dev/null &
echo $! > pid
"""


@dataclass
class Walk:
    """What a reader has before them: the machines' folders, `a` and `b`, and what they share."""

    folder: Path
    postgresql: PostgreSQL
    s3: S3
    port: int  # of both servers, at two addresses
    front: int  # nginx's
    opened: Terminal | None = None

    def here(self, text: str) -> str:
        """Return a text of the guide with this test's addresses."""
        database = urlsplit(self.postgresql.url)
        for shown, own in {
            "-h 10.0.0.20 -U postgres": f"-h 127.0.0.1 -p {database.port} -U {database.username} -d postgres",
            "10.0.0.20:5432": f"127.0.0.1:{database.port}",
            "https://s3.example.com": self.s3.endpoint,
            "https://api.example.com": f"http://127.0.0.1:{self.front}",
            "an-id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "a-secret": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            "folio-media": "a-bucket-of-the-guide",
            "10.0.0.10": "127.0.0.1",
            "10.0.0.": "127.0.0.",
            ":8000": f":{self.port}",
            "--port 8000": f"--port {self.port}",
            SITES: str(self.folder / "sites"),
        }.items():
            text = text.replace(shown, own)
        return text

    def block(self, beginning: str) -> str:
        [text] = [block.text for block in blocks_of(PAGE) if block.kind == "bash" and block.text.startswith(beginning)]
        return self.here(text)

    def run(self, beginning: str) -> str:
        """Run the one block of commands that begins so."""
        assert self.opened is not None
        return self.opened.run(self.block(beginning))

    def url(self, machine: str) -> str:
        return f"http://127.0.0.{machine}:{self.port}"


@pytest.fixture
def walk() -> Iterator[Walk]:
    binaries = find_binaries()
    program = find_nginx()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed.")
    with ExitStack() as stack:
        temporary = TemporaryDirectory(prefix="folio-guide-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))  # through which nginx's user has to get
        database = stack.enter_context(temporary_server(binaries))
        s3 = stack.enter_context(running_s3())
        folder.chmod(0o755)
        walk = Walk(folder, database, s3, free_port(), free_port())
        for name in ("a", "b", "sites", "nginx"):
            (folder / name).mkdir()
        for number, name in ("1", "a"), ("2", "b"):
            (folder / number).symlink_to(folder / name)
        (folder / "a" / "deploy").symlink_to(ROOT / "deploy")
        (folder / "b" / ".venv").symlink_to(sys.prefix)
        [settings] = [block for block in blocks_of(PAGE) if block.file == "folio.env"]
        (folder / "a" / "folio.env").write_text(walk.here(settings.text))
        command = stack.enter_context(nginx_before(walk, program))
        path = f"{binaries}:{os.environ['PATH']}"
        variables = {**environment(folder), "PATH": path, "PYTHONPATH": str(ROOT), "no_proxy": "*"}
        del variables["FOLIO_DATA_DIR"]
        stack.callback(end_servers, folder)
        with terminal(folder / "a", Path(sys.prefix), walk.url("11"), variables) as opened:
            walk.opened = opened
            opened.run(PROGRAMS.format(folder=folder, nginx=command))
            try:
                yield walk
            finally:
                os.killpg(opened.shell.pid, signal.SIGKILL)


@contextmanager
def nginx_before(walk: Walk, program: str) -> Iterator[str]:
    """Run nginx without a site yet; yield the command by which it is spoken with."""
    own, user = walk.folder / "nginx", nginx_user()
    if user is not None:
        os.chown(own, user.pw_uid, user.pw_gid)
    with running_nginx(program, own, f"include {walk.folder}/sites/*;\n", user) as command:
        # By its own user: as root it would give the folders of what it receives to another.
        become = [] if user is None else ["runuser", "-u", user.pw_name, "--"]
        yield " ".join([*become, *command])


def end_servers(folder: Path) -> None:
    for place in (folder / "a", folder / "b"):
        if (place / "pid").exists():
            with_pid = int((place / "pid").read_text())
            subprocess.run(["kill", "-KILL", "--", f"-{with_pid}"], check=False, capture_output=True)


def adapted(walk: Walk) -> None:
    """Write this test's name and ports into nginx's file, and no certificate, as the guide says to."""
    path = walk.folder / "sites" / "folio"
    text = path.read_text()
    for line in ("listen [::]:80;", "listen [::]:443 ssl http2;"):
        text = nginx.replaced(text, line, "")
    text = nginx.replaced(text, "listen 80;", f"listen 127.0.0.1:{free_port()};")
    text = nginx.replaced(text, "listen 443 ssl http2;", f"listen 127.0.0.1:{walk.front};")
    path.write_text(re.sub(r" ssl_certificate(_key)? .*;\n", "\n", text))


def test_two_machines_serve_one_installation(walk: Walk) -> None:
    opened = walk.opened
    assert opened is not None
    walk.run("psql ")
    walk.run("sed -i")
    walk.run("set -a; . ./folio.env; set +a\n.venv/bin/python")
    serve = walk.block("set -a; . ./folio.env; set +a\n.venv/bin/folio serve").splitlines()[1]
    for name, address in ("a", "127.0.0.11"), ("b", "127.0.0.12"):
        script = walk.folder / name / "restart"
        script.write_text(RESTART.format(serve=serve.replace("127.0.0.11", address)))
        script.chmod(0o755)
        opened.run(f"ssh {address} sudo systemctl restart folio")
        opened.run(f"until curl -fs -o /dev/null http://{address}:{walk.port}/readyz; do sleep 0.2; done")
    first, *others = walk.block("sed -e").splitlines()
    opened.run(first)
    adapted(walk)
    copy, reload = others
    opened.run(copy)
    machines = walk.folder / "sites" / "folio-machines"
    machines.write_text(walk.here(machines.read_text()))
    opened.run(reload)

    looked = walk.run("for machine in")

    assert looked.count('"peers":"ok"') == 2
    assert looked.endswith("The same on all machines.\n")
    key = opened.run("echo $KEY").strip()
    front = Session(f"http://127.0.0.1:{walk.front}", key)
    opened.run(f"until curl -fs -o /dev/null http://127.0.0.1:{walk.front}/readyz; do sleep 0.2; done")
    listed = front.get("/api/media/")
    assert listed.status_code == 200, listed.text
    assert listed.json()["count"] == 1

    load = Load(Front(walk, key))  # type: ignore[arg-type]
    load.start()
    before = [(walk.folder / name / "pid").read_text() for name in "ab"]
    try:
        walk.run("place()")
    finally:
        load.stop()

    assert [(walk.folder / name / "pid").read_text() for name in "ab"] != before
    assert load.failures == []
    assert min(load.counts[kind] for kind in ("reads", "writes", "uploads")) > 0
    assert load.forgotten() == []
    for machine in ("11", "12"):
        with Session(walk.url(machine), key) as session:
            assert session.get("/api/tags/").json()["count"] == len(load.tags)
            assert session.get("/api/media/").json()["count"] >= 1 + len(load.files)


@dataclass
class Front:
    """nginx, for those who use it all the while, on a connection for each request.

    One that is kept open ends when nginx reads its files anew; who asks just then asks again, as browsers do.
    """

    walk: Walk
    key: str

    def session(self, key: str | None = None) -> Session:
        session = Session(f"http://127.0.0.1:{self.walk.front}", key)
        session.headers["Connection"] = "close"
        return session
