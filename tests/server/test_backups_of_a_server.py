"""A running server makes the backups that are due: ended with it or killed, and the next one goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from benchmarks.restored import installation
from tests.environment import ROOT, environment, run_folio
from tests.live import Server, running_server, workers_of

PATIENCE = 120  # seconds, on a machine that does much else
SOON = {"FOLIO_TASKS_SECONDS": "0.1"}
HOLDER = "from folio.media.holding import hold\nwith hold():\n    print('held', flush=True); input()"
LOOK = "from folio.media.holding import is_held; print(is_held())"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("backed-up"), "--workers", "2", **SOON) as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store into which a backup waits as long as the mark is there, as if old ones were being removed."""
    (tmp_path / "store" / "pruning").mkdir(parents=True)
    (tmp_path / "store" / "folio-backups").write_text("Backups of a Folio.\n")
    return tmp_path / "store"


def wait_for(what: Callable[[], Any], why: str) -> Any:
    end = time.monotonic() + PATIENCE
    while not (seen := what()):
        assert time.monotonic() < end, why
        time.sleep(0.05)
    return seen


def made_in(store: Path) -> list[Path]:
    return list((store / "backups").glob("*.json"))


def at_work(store: Path) -> list[Path]:
    return list((store / "running").glob("*"))


def word(server: Server) -> str:
    parts: dict[str, str] = server.session().get("/readyz").json()["parts"]
    return parts["backup"]


def test_what_is_scheduled_is_made_once_and_told(server: Server, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert word(server) == "none"

    server.folio("backup", str(store), "--every", "24h", "--keep", "2")

    wait_for(lambda: word(server) == "ok", "No backup was made.")
    time.sleep(2)  # for another worker to make one too
    assert len(made_in(store)) == 1
    assert at_work(store) == []
    assert "state  ok" in server.folio("backup", "--schedule")
    server.folio("backup", "--stop")
    wait_for(lambda: word(server) == "none", "The schedule did not end.")
    with installation(tmp_path / "copy") as variables:
        copy: Any = {"folder": tmp_path / "copy", "variables": variables}
        assert "what is restored here does not" in run_folio("restore", str(store), **copy).stdout
        assert "No backups are scheduled." in run_folio("backup", "--schedule", **copy).stdout


def test_what_fails_is_told_and_does_not_keep_requests_away(server: Server, tmp_path: Path) -> None:
    store = tmp_path / "store"
    server.folio("backup", str(store), "--every", "24h")
    wait_for(lambda: made_in(store), "No backup was made.")
    wait_for(lambda: word(server) == "ok", "It was not told.")
    code = (
        "from folio.server.models import BackupSchedule as S; from django.utils.timezone import now; "
        f"S.objects.update(target={str(server.log)!r}, due_at=now())"  # which is a file
    )
    server.folio("shell", "--verbosity", "0", "-c", code)

    wait_for(lambda: word(server) == "failed", "It was not told.")

    answer = server.session().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert "is a file" in server.folio("backup", "--schedule")
    assert "is a file" not in answer.text
    assert "is a file" in server.log.read_text()
    server.folio("backup", "--stop")


def test_a_killed_worker_s_backup_is_made_by_another_one(server: Server, store: Path) -> None:
    mark = store / "pruning" / "somebody"
    mark.touch()
    server.folio("backup", str(store), "--every", "24h")
    [first] = wait_for(lambda: at_work(store), "No backup was begun.")

    for worker in workers_of(server):
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)

    wait_for(lambda: first not in at_work(store), "What made the backup outlived its worker.")
    mark.unlink()
    wait_for(lambda: made_in(store), "Nobody went on with it.")
    wait_for(lambda: word(server) == "ok", "It was not told.")
    assert len(made_in(store)) == 1
    server.folio("backup", "--stop")


def test_a_stop_ends_it_and_the_next_server_makes_it(tmp_path: Path, store: Path) -> None:
    folder = tmp_path / "installation"
    folder.mkdir()
    mark = store / "pruning" / "somebody"
    mark.touch()
    variables = {**SOON, "FOLIO_BACKUP": str(store), "FOLIO_BACKUP_EVERY": "12h", "FOLIO_BACKUP_KEEP": "3"}
    with running_server(folder, **variables) as server:
        wait_for(lambda: at_work(store), "No backup was begun.")
        requests = server.session(server.key)
        assert requests.post("/api/tags/", json={"name": "Meanwhile"}).status_code == 201
        server.process.terminate()

        assert server.process.wait(PATIENCE) == 0

        assert at_work(store) == []  # it ended by itself, and removed its mark
        assert made_in(store) == []
        assert "by FOLIO_BACKUP" in server.folio("backup", "--schedule")
        mark.unlink()
        restart = [sys.executable, "-m", "folio", "serve", "--port", server.url.rpartition(":")[2]]
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with subprocess.Popen(
            restart,
            cwd=folder,
            env=environment(folder, PYTHONPATH=path, **server.variables),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as again:
            try:
                wait_for(lambda: made_in(store), "The next server did not make it.")
            finally:
                again.terminate()


def test_files_are_held_on_account_of_all_processes_and_not_beyond_a_death(server: Server) -> None:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(
        [sys.executable, "-m", "folio", "shell", "--verbosity", "0", "-c", HOLDER],
        cwd=server.folder,
        env=environment(server.folder, PYTHONPATH=path, **server.variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout
        try:
            assert holder.stdout.readline() == "held\n"
            assert server.folio("shell", "--verbosity", "0", "-c", LOOK) == "True\n"
        finally:
            holder.kill()
            holder.wait(PATIENCE)
    wait_for(lambda: server.folio("shell", "--verbosity", "0", "-c", LOOK) == "False\n", "A dead process holds files.")
