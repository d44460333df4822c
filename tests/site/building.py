"""The ready site as its owner builds and serves it: by Node, into a folder of its own."""

import base64
import hmac
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.environment import ROOT
from tests.postgresql import free_port

SITE = ROOT / "site"
TOOLS = SITE / "node_modules"
ADDRESS = "https://studio.example"
PATIENCE = 120  # seconds, on a machine that does much else
SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four.").decode()
BODY = b'{"type": "portfolios.changed", "data": {"portfolios": null, "manifest": true}}'
BUILT = re.compile(r"(\d+) of (\d+) pages built, (\d+) removed")


@dataclass
class Build:
    """A site in a folder: what it is built from, and where it lies."""

    folder: Path
    api: str
    variables: dict[str, str] = field(default_factory=dict)
    program: Path = SITE

    @property
    def output(self) -> Path:
        return self.folder / "site"

    @property
    def environment(self) -> dict[str, str]:
        others = {name: value for name, value in os.environ.items() if not name.startswith(("SITE_", "API_URL"))}
        return {
            **others,
            "API_URL": self.api,
            "SITE_URL": ADDRESS,
            "SITE_OUTPUT": str(self.output),
            "SITE_CACHE": str(self.folder / "cache"),
            **self.variables,
        }

    def try_to_run(self, *flags: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["node", str(self.program / "build.js"), *flags],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def run(self, *flags: str) -> tuple[int, int, int]:
        """Build, and return how many pages were built, how many there are, and how many were removed."""
        done = self.try_to_run(*flags)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        assert not done.stderr, done.stderr
        found = BUILT.search(done.stdout)
        assert found, done.stdout
        built, pages, removed = map(int, found.groups())
        return built, pages, removed

    def files(self) -> dict[str, bytes]:
        """Return all files by their paths."""
        return {
            str(path.relative_to(self.output)): path.read_bytes() for path in self.output.rglob("*") if path.is_file()
        }

    def moments(self) -> dict[str, int]:
        """Return when each page was written last."""
        return {
            str(path.relative_to(self.output)): path.stat().st_mtime_ns
            for path in self.output.rglob("*")
            if path.is_file() and "assets" not in path.parts
        }

    def text(self, path: str) -> str:
        return (self.output / path).read_text(encoding="utf-8")


@dataclass
class Served:
    """A site that is served, by `make site` or as it does."""

    url: str
    log: Path
    process: "subprocess.Popen[bytes]"

    def get(self, path: str, **options: object) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(self.url + path, timeout=30, **options)  # type: ignore[arg-type]

    def builders(self) -> list[int]:
        """Return the processes that build for the one that serves."""
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def wait_for(self, words: str, times: int = 1) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.log.read_text().count(words) < times:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)


@contextmanager
def served(build: Build, port: int | None = None, **variables: str) -> Iterator[Served]:
    """Build and serve a site until the block ends; it asks for changes only where SITE_POLL_SECONDS says so."""
    port = port or free_port()
    log = build.folder / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["node", str(build.program / "serve.js")],
            env={**build.environment, "SITE_PORT": str(port), "SITE_POLL_SECONDS": "0", **variables},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    found = Served(f"http://127.0.0.1:{port}", log, process)
    try:
        found.wait_for("The site is at")
        yield found
    finally:
        process.terminate()
        process.wait(20)


def signed(body: bytes = BODY, *, secret: str = SECRET, age: int = 0) -> dict[str, str]:
    """Return the headers by which the Standard Webhooks specification says who sent a message, and when."""
    moment = str(int(time.time()) - age)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = hmac.digest(key, f"msg_1.{moment}.".encode() + body, "sha256")
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": moment,
        "webhook-signature": f"v1a,AAAA v1,{base64.b64encode(signature).decode()}",
    }


def post(site: Served, headers: dict[str, str], body: bytes = BODY) -> int:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{site.url}/hooks/folio", data=body, headers=headers, timeout=30).status_code
