"""The guide to websites, from the settings of a server to a site that is built anew by itself."""

import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from folio.tasks.runner import SECONDS_VARIABLE
from tests.contract.made import create
from tests.environment import ROOT, environment
from tests.live import Server, Session, running_server
from tests.papers import Block, Terminal, blocks_of, terminal
from tests.postgresql import free_port

from .endpoints import PATIENCE

SHOWN = {"8080": "site", "9000": "hook"}  # the ports in the guide
PAGE = (ROOT / "docs" / "guides" / "website.md").read_text()


@dataclass
class Walk:
    """What a reader has before them."""

    server: Server
    opened: Terminal
    ports: dict[str, int]

    def here(self, text: str) -> str:
        """Return a text of the guide with this test's ports."""
        for shown, name in SHOWN.items():
            text = re.sub(rf"\b{shown}\b", str(self.ports[name]), text)
        return text

    def run(self, beginning: str) -> str:
        """Run the one block of commands that begins so."""
        [block] = [block.text for block in blocks_of(PAGE) if block.kind == "bash" and block.text.startswith(beginning)]
        return self.opened.run(self.here(block))

    @property
    def api(self) -> Session:
        return self.server.session(self.server.key)

    def site(self, path: str = "/") -> str:
        """Return a page of the website, or the status where it is no page."""
        try:
            answer = requests.get(f"http://127.0.0.1:{self.ports['site']}{path}", timeout=10)
        except requests.RequestException as error:
            return type(error).__name__
        answer.encoding = "utf-8"
        return answer.text if answer.status_code == 200 else str(answer.status_code)

    def wait_for(self, wanted: str, path: str = "/", *, without: str = "\0") -> str:
        end = time.monotonic() + PATIENCE
        while wanted not in (page := self.site(path)) or without in page:
            assert time.monotonic() < end, f"{path} is as it was: {page}"
            time.sleep(0.1)
        return page


def settings_shown(here: Callable[[str], str]) -> dict[str, str]:
    """Return the settings with which the guide says to start Folio, with `make run`."""
    [block] = [block.text for block in blocks_of(PAGE) if block.kind == "bash" and block.text.endswith(" make run\n")]
    parts = [part.partition("=") for part in shlex.split(block.replace("\\\n", " "))]
    return {name: here(value) for name, _, value in parts if name.startswith("FOLIO_")}


def programs() -> list[Block]:
    return [block for block in blocks_of(PAGE) if block.file]


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    ports = {name: free_port() for name in SHOWN.values()}

    def here(text: str) -> str:
        return re.sub(r"127\.0\.0\.1:(8080|9000)", lambda match: f"127.0.0.1:{ports[SHOWN[match[1]]]}", text)

    shown = settings_shown(here)
    assert shown.keys() == {"FOLIO_WEBHOOK_PRIVATE", "FOLIO_SITE_URL", "FOLIO_PREVIEW_URL"}
    folder, place = tmp_path / "folio", tmp_path / "place"
    for each in (folder, place):
        each.mkdir()
    quick = {"FOLIO_PUBLIC_READ": "true", "FOLIO_WEBHOOK_SECONDS": "1", SECONDS_VARIABLE: "0.2"}
    with running_server(folder, **quick, **shown) as server:
        variables = environment(folder, API_URL=server.url, KEY=server.key, PORT=str(ports["hook"]), no_proxy="*")
        with terminal(place, Path(sys.prefix), server.url, variables) as opened:
            for block in programs():
                (place / block.file).write_text(opened.here(block.text))
            try:
                yield Walk(server, opened, ports)
            finally:
                os.killpg(opened.shell.pid, signal.SIGKILL)  # with what it has started in the background


def test_a_site_is_built_anew_by_itself(walk: Walk) -> None:
    work = create(walk.api, "/api/portfolios/", title="Before", slug="a-work", excerpt="Of it.")
    own = f"/api/portfolios/{work['id']}/"
    walk.run("export WEBHOOK_SECRET=$(")
    assert walk.opened.run("echo $WEBHOOK_SECRET").startswith("whsec_")

    walk.run("python3 rebuild.py &")

    assert "Before" in walk.wait_for("<h1>Before</h1>", "/projects/a-work/")
    walk.wait_for("This is not published yet.", "/preview/")
    assert walk.api.patch(own, json={"title": "After <all>"}).status_code == 200
    walk.wait_for("<h1>After &lt;all&gt;</h1>", "/projects/a-work/")
    assert walk.api.patch(own, json={"is_active": False}).status_code == 200
    walk.wait_for("<h1>Works</h1>", without="After")
    assert walk.site("/projects/a-work/") == "404"

    link = walk.api.post(f"{own}preview/", json={}).json()
    assert link["url"] == f"http://127.0.0.1:{walk.ports['site']}/preview/#slug=a-work&preview={link['token']}"


def test_others_have_nothing_built(walk: Walk) -> None:
    walk.run("export WEBHOOK_SECRET=$(")
    walk.run("python3 rebuild.py &")
    walk.wait_for("<h1>Works</h1>")
    built = (walk.opened.folder / "website").stat().st_ino
    address = f"http://127.0.0.1:{walk.ports['hook']}/"

    signed = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
    for headers in ({}, signed, {**signed, "webhook-timestamp": "soon"}, {**signed, "webhook-signature": "ü"}):
        encoded = {name: value.encode() for name, value in headers.items()}
        assert requests.post(address, b"{}", headers=encoded, timeout=PATIENCE).status_code == 401

    time.sleep(1)
    assert (walk.opened.folder / "website").stat().st_ino == built
