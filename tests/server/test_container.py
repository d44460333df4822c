"""The image: the Dockerfile's own steps and command are carried out, without an engine."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers import DOCKERFILE, FETCHING, Container, running_container, stages
from tests.environment import ROOT
from tests.live import START, photograph
from tests.programs import found

pytestmark = [pytest.mark.any_database, pytest.mark.timeout(900)]  # SQLite, which the image has by itself
UPLOAD = """
import http.client, json, sys
body = b'--b\\r\\nContent-Disposition: form-data; name="file"; filename="a.jpg"\\r\\n\\r\\n' + sys.stdin.buffer.read()
connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=60)
headers = {"Authorization": "Token " + sys.argv[1], "Content-Type": "multipart/form-data; boundary=b"}
connection.request("POST", "/api/media/", body + b"\\r\\n--b--\\r\\n", headers)
answer = connection.getresponse()
print(json.dumps([answer.status, json.loads(answer.read())]))
"""


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with running_container(tmp_path_factory.mktemp("container")) as container:
        end = time.monotonic() + START
        while not container.is_healthy():
            assert time.monotonic() < end, container.log.read_text()
            time.sleep(0.2)
        yield container


def test_the_wheel_is_served_and_healthy(container: Container) -> None:
    told = container.run("python", "-c", "import folio, sys; print(folio.__file__, sys.prefix)")

    assert told.stdout.decode().startswith("/opt/folio/lib/"), told.stderr.decode()
    assert container.is_healthy()
    ready = container.run(
        "python", "-c", "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/readyz').read())"
    )
    assert b'"status":"ready"' in ready.stdout, ready.stderr.decode()


def test_it_is_the_first_process_of_a_user_without_privileges(container: Container) -> None:
    status = Path(f"/proc/{container.pid}/status").read_text()

    assert re.search(r"^NSpid:\s+\d+\s+1$", status, re.MULTILINE)
    assert re.search(r"^Uid:\s+10001\s+10001\s+10001\s+10001$", status, re.MULTILINE)
    assert re.search(r"^Groups:\s*$", status, re.MULTILINE)
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        assert re.search(rf"^{kind}:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)


def test_nothing_but_the_data_and_tmp_can_be_written_even_by_root(container: Container) -> None:
    for place in ("/opt/folio/x", "/etc/x", "/usr/local/x", "/x", "/var/tmp/x", "/backups/x"):
        refused = container.run("touch", place, as_root=True)
        assert b"Read-only file system" in refused.stderr, place
    for place in ("/data/x", "/tmp/x"):
        assert container.run("touch", place).returncode == 0, place


def test_pictures_are_taken_in_decoded_and_kept_in_the_volume(container: Container) -> None:
    key = container.run("folio", "createtoken", "ada", "--admin").stdout.decode().strip()
    told = container.run("python", "-c", UPLOAD, key, given=photograph("china.jpg"))
    status, media = json.loads(told.stdout or b"[0, 0]")

    assert status == 201, told.stderr.decode() + container.log.read_text()
    assert "_thumbnail_" in json.dumps(media)
    assert "served uncompressed" not in container.log.read_text(), "its static files could be made"


def test_the_check_of_health_fails_where_nothing_answers(container: Container) -> None:
    check = container.stage.said["HEALTHCHECK"]
    command = json.loads(check[check.index("CMD ") + 4 :])
    elsewhere = [part.replace("8000", "8001") for part in command]

    assert container.run(*elsewhere).returncode != 0


def test_a_stop_ends_with_0(container: Container) -> None:
    """The last one here: it ends the container that the others share."""
    assert container.stage.said["STOPSIGNAL"] == "SIGTERM"
    os.kill(container.pid, signal.SIGTERM)

    assert container.process.wait(60) == 0, container.log.read_text()


def test_hadolint_finds_no_fault() -> None:
    program = Path(sys.executable).with_name("hadolint")
    command = [found(str(program) if program.exists() else None, "hadolint", "hadolint"), str(DOCKERFILE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr


def test_each_package_of_python_is_installed_by_its_hash_and_nothing_else_is_fetched() -> None:
    steps = [step for stage in stages(DOCKERFILE.read_text()) for name, step in stage.steps if name == "RUN"]
    installing = [step for step in steps if "pip" in step and " install " in step]

    assert all("--require-hashes" in step or "--no-index" in step for step in installing)
    assert len([step for step in steps if any(each in step for each in FETCHING)]) == len(FETCHING)
    assert not re.search(r"curl|wget|git |ADD ", DOCKERFILE.read_text())


def test_what_is_sent_to_the_engine_is_what_the_dockerfile_copies() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!").removesuffix("/*.txt") for line in ignored if line.startswith("!")}
    copied = {
        source.strip("/")
        for stage in stages(DOCKERFILE.read_text())
        for name, value in stage.steps
        if name == "COPY" and not value.startswith("--from=")
        for source in value.split()[:-1]
    }

    assert "*" in ignored
    assert let_in == copied
