"""The guide to backups: each of its commands is run, in its order, and what it says of them is so."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.environment import ROOT, environment
from tests.factories import draw
from tests.live import Server, create_database, drop_database, postgresql_url, running_server, url_of
from tests.papers import Terminal, blocks_of, terminal
from tests.postgresql import find_binaries
from tests.s3 import BUCKET, CREDENTIALS, running_s3

pytestmark = pytest.mark.timeout(900)  # some twenty commands, one after another

PAGE = (ROOT / "docs/guides/backup.md").read_text()


class Walk:
    """Somebody who follows the guide, with this machine's places and names."""

    def __init__(self, server: Server, opened: Terminal, names: dict[str, str]) -> None:
        self.server = server
        self.opened = opened
        self.names = names
        self.left = [block.text for block in blocks_of(PAGE) if block.kind == "sh"]

    def run(self, beginning: str) -> str:
        """Run the next block, which begins so, by itself: what it sets is gone after."""
        text = self.left.pop(0)
        assert text.startswith(beginning), text
        for shown, own in self.names.items():
            text = text.replace(shown, own)
        return self.opened.run(f"( set -e\n{text})")


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    (tmp_path / "data").mkdir()
    (tmp_path / "backups").mkdir()
    with ExitStack() as stack:
        s3 = stack.enter_context(running_s3())
        names = {
            "/srv/": f"{tmp_path}/",
            "studio-backups": BUCKET,
            "https://s3.example.com": f"{s3.endpoint}&addressing=path",
            "an-id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "a-secret": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        }
        server = stack.enter_context(running_server(tmp_path / "data", FOLIO_TASKS_SECONDS="0.1"))
        if url := postgresql_url():
            trial = f"trial_{uuid4().hex}"
            stack.callback(drop_database, url, trial)
            names["postgres://folio@db.example.com/postgres"] = url_of(url, urlsplit(url).path.lstrip("/"))
            names["postgres://folio@db.example.com/trial"] = url_of(url, trial)
            names["' trial\n"] = f"' {trial}\n"
        programs = f"{Path(sys.prefix) / 'bin'}:{find_binaries() or ''}:{os.environ['PATH']}"
        own = {"PYTHONPATH": str(ROOT), "PATH": programs, "AWS_DEFAULT_REGION": CREDENTIALS["AWS_DEFAULT_REGION"]}
        variables = environment(tmp_path / "data", **{**server.variables, **own})
        opened = stack.enter_context(terminal(tmp_path, Path(sys.prefix), server.url, variables))
        yield Walk(server, opened, names)


def test_its_commands_do_what_it_says(walk: Walk, tmp_path: Path) -> None:
    client = walk.server.session(walk.server.key)
    for number in range(3):
        upload = {"file": (f"{number}.png", draw((300 + number, 200)), "image/png")}
        assert client.post("/api/media/", files=upload).status_code == 201

    assert "15 media files" in walk.run("folio backup /srv/backups/before-the-update.tar")  # with thumbnails
    assert (tmp_path / "backups" / "before-the-update.tar").is_file()

    listed = walk.run("folio backup /srv/backups/folio\n")
    assert "15 media files" in listed
    assert "made at, UTC" in listed

    said = walk.run("folio backup /srv/backups/folio --every 24h --keep 14\n")
    assert "every 24 hours, the first time at once." in said
    assert f"into   {tmp_path}/backups/folio" in said
    assert "The server makes no more backups by itself." in walk.run("folio backup --stop\n")

    assert "made at, UTC" in walk.run("export AWS_ACCESS_KEY_ID=")

    assert "Verified " in walk.run("folio restore /srv/backups/folio --verify\n")
    fresh = {}
    if url := postgresql_url():
        restored, tried = f"restored_{uuid4().hex}", f"tried_{uuid4().hex}"
        for name in (restored, tried):
            create_database(url, name)
        fresh = {"restored": url_of(url, restored), "trial": url_of(url, tried)}
    try:
        walk.opened.run(f"export BEFORE=$DATABASE_URL{setting(fresh, 'restored')}")
        restored_words = walk.run("export FOLIO_DATA_DIR=/srv/restored\n")
        assert "Restored " in restored_words
        assert "nothing is wrong." in restored_words
        walk.opened.run(f"true{setting(fresh, 'trial')}")
        tried_words = walk.run("export FOLIO_DATA_DIR=/srv/trial\n")
        assert "nothing is wrong." in tried_words
        assert not (tmp_path / "trial").exists()
    finally:
        if url:
            walk.opened.run("export DATABASE_URL=$BEFORE")
            for name in (restored, tried):
                drop_database(url, name)

    if url:
        assert "nothing is wrong." in walk.run("createdb ")
    else:
        walk.left.pop(0)
    assert "Backup " in walk.run("folio backup /srv/backups/monthly --keep 12\n")
    assert walk.left == []


def setting(databases: dict[str, str], name: str) -> str:
    """Return what has the commands that follow work on that database; nothing beside SQLite."""
    return f"; export DATABASE_URL='{databases[name]}'" if databases else ""
