"""What a release installs can be listed, and looked up among known vulnerabilities, by one command each."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from folio import __version__
from tests.environment import ROOT

pytestmark = pytest.mark.any_database
BIN = Path(sys.executable).parent
PACKAGE = re.compile(r"^([\w.-]+)==([\w.+!-]+).*?(?=^[\w.-]+==|\Z)", re.MULTILINE | re.DOTALL)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def pinned(name: str) -> dict[tuple[str, str], set[str]]:
    """Return the hashes of each package and version that a file of requirements pins."""
    text = (ROOT / "requirements" / name).read_text()
    return {(found[1], found[2]): set(HASH.findall(found[0])) for found in PACKAGE.finditer(text)}


def make(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", "-o", ".venv/.installed-dev", f"BIN={BIN}", *arguments],
        cwd=ROOT,
        env={**os.environ, "NO_PROXY": "127.0.0.1", **variables},
        capture_output=True,
        text=True,
        timeout=250,
    )


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    done = make("sbom", f"SBOM={path}")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def hashes_of(component: dict[str, Any]) -> set[str]:
    return {one["content"] for each in component["externalReferences"] for one in each.get("hashes", [])}


def test_the_list_has_each_package_with_its_version_and_hashes(listed: dict[str, Any]) -> None:
    found = {(each["name"], each["version"]): hashes_of(each) for each in listed["components"]}

    assert found == pinned("extras.txt")
    assert all(found.values())
    assert set(pinned("run.txt")) <= set(found)


def test_the_list_is_of_this_version_in_the_format_of_cyclonedx(listed: dict[str, Any]) -> None:
    assert listed["bomFormat"] == "CycloneDX"
    assert listed["metadata"]["component"]["version"] == __version__
    assert listed["metadata"]["component"]["licenses"][0]["expression"].startswith("MIT AND ")  # and its fonts'


def test_the_list_has_the_licence_of_whatever_is_installed(listed: dict[str, Any]) -> None:
    elsewhere = {"async-timeout", "colorama"}  # other versions of Python, other systems

    assert {each["name"] for each in listed["components"] if not each.get("licenses")} <= elsewhere


def test_the_list_says_what_needs_what(listed: dict[str, Any]) -> None:
    names = {each["bom-ref"]: each["name"] for each in listed["components"]}
    needs = {
        names.get(each["ref"], "folio"): {names[on] for on in each["dependsOn"]} for each in listed["dependencies"]
    }

    assert {"django", "granian", "boto3", "redis", "sentry-sdk"} <= needs["folio"]
    assert {"asgiref", "sqlparse"} <= needs["django"]
    assert "psycopg-binary" in needs["psycopg"]


@contextmanager
def knowing(vulnerable: str) -> Iterator[tuple[str, set[str]]]:
    """Run what answers as OSV does, and knows a vulnerability of one package; yield its URL and what it was asked."""
    asked: set[str] = set()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = query["package"]["name"]
            asked.add(name)
            known = {"id": "GHSA-made-up", "summary": "Made up", "affected": []} if name == vulnerable else None
            body = json.dumps({"vulns": [known]} if known else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def npm(tmp_path: Path) -> Path:
    """Lay a program named npm that notes what it was asked, and finds nothing."""
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path / "asked"}\n')
    program.chmod(0o755)
    return program


def audit(npm: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(npm.parent), os.environ["PATH"]])
    return make("audit", "AUDIT=osv", f"AUDIT_FLAGS=--osv-url {url}", *arguments, PATH=path)


def test_an_audit_asks_about_everything_that_is_pinned(npm: Path, tmp_path: Path) -> None:
    with knowing("") as (url, asked):
        done = audit(npm, url)

    elsewhere = {"async-timeout", "colorama"}
    assert done.returncode == 0, done.stderr
    assert asked | elsewhere >= {name for name, _ in pinned("extras.txt")} | {name for name, _ in pinned("dev.txt")}
    assert (tmp_path / "asked").read_text().splitlines() == ["audit --prefix site", "audit --prefix tests/clients"]


def test_an_audit_fails_by_a_known_vulnerability_and_names_it(npm: Path) -> None:
    with knowing("django") as (url, _):
        done = audit(npm, url, "AUDITED=run")

    assert done.returncode != 0
    assert re.search(r"^django .*GHSA-made-up", done.stdout, flags=re.MULTILINE)


def test_an_audit_that_reaches_nobody_fails(npm: Path) -> None:
    with knowing("") as (url, _):
        pass

    assert audit(npm, url, "AUDITED=run").returncode != 0
