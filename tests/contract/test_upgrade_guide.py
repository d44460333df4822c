"""The guide to updates, followed to the letter: from the first release's tables and files to this release, and back."""

import hashlib
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import folio
from tests import first_release
from tests.environment import ROOT, environment
from tests.live import PATIENT, Session, new_database
from tests.papers import Terminal, blocks_of, terminal
from tests.postgresql import find_binaries, free_port

PAGE = (ROOT / "docs" / "guides" / "upgrade.md").read_text()
OF_POSTGRESQL = re.compile(r"pg_dump|pg_restore|dropdb")
# What else the server of the tutorial has: its wrapper of `folio`, and systemd, which starts what is installed.
PROGRAMS = """
folio() {{ {python} -m folio "$@"; }}
sudo() {{ shift 2; "$@"; }}
systemctl() {{
    if [ "$1" != start ] && [ -f {folder}/pid ]; then
        kill $(cat {folder}/pid); while kill -0 $(cat {folder}/pid) 2>/dev/null; do sleep 0.1; done; rm {folder}/pid
    fi
    if [ "$1" = stop ]; then return; fi
    cp {folder}/opt/.venv/release {folder}/started
    if [ "$(cat {folder}/started)" = 0.1.0 ]; then return; fi
    setsid {python} -m folio serve --port {port} >> {folder}/log 2>&1 < /dev/null &
    echo $! > {folder}/pid
}}
"""
MAKEFILE = "setup:\n\t@mkdir -p .venv && cp release .venv/release\n"


@dataclass
class Machine:
    """A server with 0.1.0 installed, and a terminal on it."""

    folder: Path
    database: dict[str, str]  # the variable that names it; none on SQLite
    port: int
    opened: Terminal | None = None

    def run(self, heading: str) -> str:
        """Run the commands below a heading of the guide, but for the other database's; return what they print."""
        assert self.opened is not None
        [chapter] = re.findall(rf"^(?:{re.escape(heading)}\n)(.*?)(?=^##|\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
        unindented = re.sub(r"^   ", "", chapter, flags=re.MULTILINE)
        commands = [block.text for block in blocks_of(unindented) if block.kind == "bash"]
        assert commands
        ours = [text for text in commands if self.database or not OF_POSTGRESQL.search(text)]
        return "".join(self.opened.run(self.here(text)) for text in ours)

    def here(self, text: str) -> str:
        """Return commands with this machine's folders and database."""
        url = urlsplit(self.database.get("DATABASE_URL", ""))
        replaced = {
            "/opt/folio": str(self.folder / "opt"),
            "/srv/folio": str(self.folder / "srv"),
            "dropdb folio": f"dropdb {url.path[1:]}",
            "--owner folio folio": f"--owner {url.username} {url.path[1:]}",
        }
        for shown, own in replaced.items():
            text = text.replace(shown, own)
        return text

    def state(self) -> tuple[list[str], dict[str, str]]:
        """Return all rows of the database by their columns, and the digests of all that lies in the media's folder."""
        data = self.folder / "srv" / "data"
        if url := self.database.get("DATABASE_URL"):
            done = subprocess.run(["pg_dump", "--data-only", url], capture_output=True, text=True, check=True)
            lines = [line for line in done.stdout.splitlines() if not re.match(r"\\(un)?restrict|--", line)]
        else:
            with closing(sqlite3.connect(data / "folio.sqlite3")) as connection:
                lines = list(connection.iterdump())
        files = (path for path in (data / "media").rglob("*") if path.is_file())
        return sorted(lines), {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def environment(self) -> dict[str, str]:
        variables = {**environment(self.folder / "srv" / "data"), **PATIENT, **self.database, "PYTHONPATH": str(ROOT)}
        if url := self.database.get("DATABASE_URL"):
            parts = urlsplit(url)
            variables |= {"PGHOST": parts.hostname or "", "PGPORT": str(parts.port), "PGUSER": parts.username or ""}
            variables["PATH"] = f"{find_binaries()}:{os.environ['PATH']}"
        return {**variables, "no_proxy": "*"}

    def api(self) -> Session:
        return Session(f"http://127.0.0.1:{self.port}", first_release.KEY)

    def read(self, path: str) -> Any:
        answer = self.api().get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


def git(folder: Path, *arguments: str | Path) -> None:
    own = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *own, "-C", folder, *arguments], check=True, capture_output=True, timeout=60)


def release(origin: Path, version: str) -> None:
    (origin / "release").write_text(version)
    git(origin, "add", ".")
    git(origin, "commit", "--message", version)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    with ExitStack() as stack:
        database = stack.enter_context(new_database(is_empty=True))
        machine = Machine(tmp_path, database, free_port())
        monkeypatch.setenv("PATH", machine.environment()["PATH"])
        for name in ("origin", "srv", "terminal"):
            (tmp_path / name).mkdir()
        (tmp_path / "origin" / "Makefile").write_text(MAKEFILE)
        (tmp_path / "origin" / ".gitignore").write_text(".venv/\n")
        git(tmp_path / "origin", "init")
        release(tmp_path / "origin", "0.1.0")
        git(tmp_path, "clone", tmp_path / "origin", tmp_path / "opt")
        release(tmp_path / "origin", folio.__version__)
        first_release.begin(tmp_path / "srv" / "data", database)
        shell = terminal(
            tmp_path / "terminal", Path(sys.prefix), f"http://127.0.0.1:{machine.port}", machine.environment()
        )
        machine.opened = stack.enter_context(shell)
        machine.opened.run(PROGRAMS.format(folder=tmp_path, python=sys.executable, port=machine.port))
        stack.callback(machine.opened.run, "systemctl stop")
        yield machine


def test_from_the_first_release_to_this_one_and_back(machine: Machine) -> None:
    before = machine.state()

    printed = machine.run("### Step by step")

    assert f"Folio {folio.__version__} (" in printed
    assert "nothing is wrong" in printed
    assert f'"status":"ready","version":"{folio.__version__}"' in printed
    assert_it_answers_what_it_did(machine)
    assert machine.api().post("/api/tags/", json={"name": "Of 0.2.0"}).status_code == 201
    assert machine.api().delete("/api/portfolios/2/").status_code == 204

    machine.run("### Back to 0.1.0")

    assert machine.state() == before
    assert (machine.folder / "started").read_text() == "0.1.0"


def assert_it_answers_what_it_did(machine: Machine) -> None:
    """Compare answers with the rows that `tests.first_release` made."""
    listed = machine.read("/api/portfolios/")
    one = machine.read("/api/portfolios/1/")
    assert [each["slug"] for each in listed["results"]] == ["sign", "loaf"]
    assert [each["is_active"] for each in listed["results"]] == [True, False]
    assert (one["title"], one["excerpt"], one["description"]) == ("A sign", "A sign, in short.", "Once *plain* text.")
    assert one["completed_at"] == "2025-12-31T23:30:00Z"
    assert one["employer_data"]["name"] == "Harbour Bakery"
    assert [tag["name"] for tag in one["tags_data"]] == ["Signs", "Caf\u00e9"]
    assert [(link["name"], link["url"]) for link in one["links_data"]] == [("Site", "https://example.com/")]
    [media] = machine.read("/api/media/")["results"]
    assert media["f"].endswith(f"/media/{first_release.PICTURE}")
    assert [each["size"] for each in media["thumbnails"]] == list(first_release.SIZES)
    stored = (machine.folder / "srv" / "before-0.2.0" / "media" / first_release.PICTURE).read_bytes()
    assert media["sha256"] == hashlib.sha256(stored).hexdigest()
    for address in (media["f"], *(each["f"] for each in media["thumbnails"])):
        assert Session("").get(address).content == stored  # all five were drawn alike
    signed_in = Session(machine.api().url).post(
        "/api/auth/token/", json={"username": "ada", "password": first_release.PASSWORD}
    )
    assert signed_in.status_code in {200, 201}, signed_in.text


def test_any_update_and_the_way_back_by_a_backup(machine: Machine) -> None:
    machine.run("### Step by step")
    before = machine.read("/api/portfolios/"), machine.read("/api/media/")

    printed = machine.run("## Any update")

    assert "Verified" in printed
    assert f'"status":"ready","version":"{folio.__version__}"' in printed
    assert (machine.read("/api/portfolios/"), machine.read("/api/media/")) == before
    assert machine.api().delete("/api/portfolios/2/").status_code == 204
    make_newer(machine)

    machine.run("### The way back")

    machine.opened.run(f"curl -fs --retry 60 --retry-delay 1 --retry-connrefused {machine.api().url}/readyz")  # type: ignore[union-attr]
    assert (machine.read("/api/portfolios/"), machine.read("/api/media/")) == before


def make_newer(machine: Machine) -> None:
    """Have the database look as a later release would leave it, which this one refuses."""
    insert = "INSERT INTO django_migrations (app, name, applied) VALUES ('media', '0999_later', '2027-01-01 12:00:00')"
    if url := machine.database.get("DATABASE_URL"):
        subprocess.run(["psql", url, "-c", insert], check=True, capture_output=True, timeout=60)
    else:
        with closing(sqlite3.connect(machine.folder / "srv" / "data" / "folio.sqlite3", timeout=30)) as connection:
            connection.execute(insert)
            connection.commit()
