"""`folio doctor`: what it writes, its exit status, and that nothing keeps it from its end."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from folio import __version__
from folio.server.examining.examination import TOO_LONG, Group, looked_at
from folio.server.examining.findings import FAULTY, FINE, WARNED, Finding, State, fault, note, ok, status_of, warning
from tests.environment import run_folio
from tests.live import Server, begin, new_database, postgresql_url, running_server
from tests.postgresql import free_port

GROUPS = [
    *("Settings", "Database", "Storage", "Disk", "Permissions", "Programs"),
    *("Server", "Proxy", "Clock", "Work", "Backups"),
]
PUBLIC = {"FOLIO_SECRET_KEY": "a-secret-key-of-the-tests-that-is-long-enough-for-whoever-looks"}


def examined(folder: Path, *flags: str, **variables: str) -> tuple[int, dict[str, Any]]:
    """Return the exit status, and what was written as JSON."""
    nobody = f"http://127.0.0.1:{free_port()}"
    done = run_folio("doctor", "--json", *(flags or ("--url", nobody)), folder=folder, variables=variables)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def of(document: dict[str, Any], group: str, *states: str) -> list[str]:
    wanted = states or tuple(State)
    return [each["text"] for each in document["findings"] if each["group"] == group and each["state"] in wanted]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running_server(tmp_path_factory.mktemp("examined"), **PUBLIC) as server:
        yield server


def test_looks_at_a_running_server_and_changes_nothing(server: Server) -> None:
    before = contents(server.folder)

    done = run_folio("doctor", "--url", server.url, folder=server.folder, variables=server.variables)

    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("  ")][:-1] == GROUPS
    assert f"  ok       Folio {__version__} runs at {server.url}" in done.stdout
    assert "  ok       It is ready, as /readyz says." in lines
    assert "  note     No proxy is on the way: requests come to Folio itself, on this machine." in lines
    assert "  ok       The clock agrees with that of the server." in lines
    assert "  ok       No task failed, and none is late." in lines
    assert contents(server.folder) == before
    assert PUBLIC["FOLIO_SECRET_KEY"] not in done.stdout
    on_postgresql = {"fsync", "full_page_writes"} if postgresql_url() else set()  # as the tests' own server has them
    wrong = [line.split()[1] for line in lines if line.startswith(("  warning", "  fault"))]
    assert set(wrong) == {"FOLIO_PUBLIC_URL", "No", *on_postgresql}  # no backup was ever made
    assert done.returncode == WARNED
    assert lines[-1] == f"{len(lines) - len(GROUPS) - 1} findings: 0 faults and {len(wrong)} warnings.".replace(
        "1 warnings", "1 warning"
    )


def contents(folder: Path) -> set[str]:
    """Return the names of what lies in a folder, but for what SQLite and the server themselves come and go with."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if "static" not in path.parts}
    return {name for name in found if not name.endswith(("-wal", "-shm", "server.log"))}


def test_where_nothing_is_it_says_so_and_makes_nothing(tmp_path: Path) -> None:
    if postgresql_url():
        pytest.skip("There, the database is the server's.")
    status, document = examined(tmp_path)

    assert status == FAULTY
    assert document["status"] == "faults"
    assert of(document, "Database", "fault")[0] == (
        f"There is no installation here: {tmp_path / 'folio.sqlite3'} does not exist."
    )
    assert os.listdir(tmp_path) == []


def test_goes_on_while_the_database_is_away_and_tells_no_password(tmp_path: Path) -> None:
    url = f"postgres://folio:hunter2hunter2@127.0.0.1:{free_port()}/folio"

    status, document = examined(tmp_path, DATABASE_URL=url, FOLIO_REDIS_URL="redis://:p4ssw0rd@127.0.0.1:1/0")

    assert status == FAULTY
    assert {each["group"] for each in document["findings"]} == set(GROUPS)
    [away] = of(document, "Database", "fault")
    assert away.startswith("The database folio at 127.0.0.1 does not answer: ")
    assert of(document, "Work") == ["The database can't be asked, so no tasks and webhooks were looked at."]
    [redis] = [text for text in of(document, "Programs", "warning") if "Redis" in text]
    assert redis.startswith("The Redis that FOLIO_REDIS_URL names can't be reached")
    assert "hunter2" not in json.dumps(document)
    assert "p4ssw0rd" not in json.dumps(document)


@pytest.mark.any_database
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_settings_that_can_not_be_read_are_a_fault(flags: tuple[str, ...], tmp_path: Path) -> None:
    done = run_folio("doctor", *flags, folder=tmp_path, variables={"FOLIO_DECODERS": "many"})

    assert done.returncode == FAULTY
    assert done.stderr == ""
    assert "FOLIO_DECODERS is 'many'; it must be a whole number such as 2." in done.stdout
    if flags:
        assert json.loads(done.stdout)["status"] == "faults"


@pytest.mark.any_database
@pytest.mark.parametrize("url", ["here", "ftp://a", "http://", "http://a:99999", "http://u:p@a", "http://a/?b"])
def test_an_address_that_is_none_is_refused(url: str, tmp_path: Path) -> None:
    done = run_folio("doctor", "--url", url, folder=tmp_path)

    assert done.returncode == 2
    assert f"{url!r} is no address of a server, such as https://api.example.com" in done.stderr


def test_names_what_of_the_settings_is_unsafe(tmp_path: Path) -> None:
    with new_database() as database:
        if not database:
            begin(tmp_path)
        status, document = examined(
            tmp_path,
            **database,
            FOLIO_DEBUG="on",
            FOLIO_ALLOWED_HOSTS="*",
            FOLIO_SECRET_KEY="hush-hush",  # which is shown nowhere
            FOLIO_PUBLIC_URL="http://api.example.com",
            FOLIO_ACESS_LOG="on",
            FOLIO_FFMPEG="/nowhere/ffmpeg",
            FOLIO_METRICS_HOST="0.0.0.0",
            FOLIO_METRICS_PORT="9464",
        )

    assert status == FAULTY
    assert of(document, "Settings", "fault") == [
        "FOLIO_DEBUG is on: errors show the program's inside to whoever meets one."
    ]
    assert [text.split(":")[0] for text in of(document, "Settings", "warning")][:3] == [
        "FOLIO_PUBLIC_URL is http",
        "FOLIO_ALLOWED_HOSTS lets requests come for any host, which addresses in answers then name.",
        "FOLIO_SECRET_KEY is short",
    ]
    assert "There is no setting FOLIO_ACESS_LOG. Did you mean FOLIO_ACCESS_LOG? (folio.W003)" in of(
        document, "Settings"
    )
    [metrics] = [text for text in of(document, "Settings", "warning") if "(folio.W013)" in text]
    assert metrics.startswith("Metrics are for everybody who reaches 0.0.0.0, port 9464: ")
    assert "FOLIO_FFMPEG names /nowhere/ffmpeg, which is not there." in of(document, "Programs", "warning")


@pytest.mark.any_database
class TestExamination:
    def test_the_status_is_that_of_the_worst(self) -> None:
        assert status_of([ok("a"), note("b")]) == FINE == 0
        assert status_of([ok("a"), warning("b", "c")]) == WARNED == 1
        assert status_of([warning("b", "c"), fault("d", "e"), ok("a")]) == FAULTY == 2

    def test_what_hangs_has_an_end_and_keeps_nothing_waiting(self) -> None:
        never = threading.Event()

        def hangs() -> Any:
            yield ok("first")
            never.wait()

        found = dict(looked_at([Group("A", hangs, 0.2), Group("B", lambda: iter([ok("second")]), 60)]))
        never.set()

        assert found["A"] == [ok("first"), Finding(State.FAULT, "There was no answer within 0 seconds.", TOO_LONG)]
        assert found["B"] == [ok("second")]

    def test_what_fails_is_told_in_a_line_without_secrets(self, settings: Any) -> None:
        def fails() -> Any:
            yield ok("first")
            raise ValueError(f"a\nb {settings.SECRET_KEY} folio_{'a' * 43}")

        [(_, found)] = looked_at([Group("A", fails, 60)])

        assert found[0] == ok("first")
        assert found[1].text == "This could not be looked at: ValueError: a b *** folio_***"
