"""A backup or a restore that is killed leaves what was there, or says what to do; the same command does the rest."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.environment import ROOT, environment, run_folio
from tests.live import beginning

from .archived import parts_of

pytestmark = pytest.mark.any_database  # it is about SQLite's file, and files
COUNT = 40
# Runs a command, which kills itself as if from outside at the moment at which a function is called for the nth time.
KILLED = """
import os, signal, sys
from importlib import import_module
from django.core.management import execute_from_command_line
import django
django.setup()
module, name, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
module = import_module(module)
function, calls = getattr(module, name), []
def dying(*arguments, **named):
    calls.append(1)
    if len(calls) == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return function(*arguments, **named)
setattr(module, name, dying)
execute_from_command_line(["folio", *sys.argv[4:]])
"""


def make(folder: Path, first: int = 0) -> Path:
    """Make an installation with files in it."""
    folder.mkdir(exist_ok=True)
    shutil.copy(Path(beginning("").folder.name) / "folio.sqlite3", folder)
    with closing(sqlite3.connect(folder / "folio.sqlite3")) as database, database:
        for number in range(first, first + COUNT):
            name, content = f"core_media/2026/01/02/{number}.txt", f"File {number}.".encode() * 1000
            path = folder / "media" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            database.execute(
                "INSERT INTO media_media (file, type, mime_type, name, alt, size, sha256, dominant_color, placeholder,"
                " created_at, updated_at) VALUES (?, 'document', 'text/plain', 'a', '', ?, '', '', '',"
                " '2026-01-02 03:04:05', '2026-01-02 03:04:05')",
                [name, len(content)],
            )
    return folder


def killed(folder: Path, where: str, number: int, *arguments: str) -> None:
    """Run a command that is killed at the nth call of a function."""
    module, _, name = where.rpartition(".")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, f"folio.server.backups.{module}", name, str(number), *arguments],
        env=environment(folder, PYTHONPATH=str(ROOT), DJANGO_SETTINGS_MODULE="folio.settings"),
        cwd=folder,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == -9, done.stderr


def media_of(folder: Path) -> dict[str, bytes]:
    root = folder / "media"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def names_in(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "folio.sqlite3")) as database:
        return {name for (name,) in database.execute("SELECT file FROM media_media")}


def folio(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_folio(*arguments, folder=folder)


def test_an_archive_that_was_killed_is_not_there(tmp_path: Path) -> None:
    folder, archive = make(tmp_path / "old"), tmp_path / "one.tar"

    killed(folder, "making.copy", COUNT // 2, "backup", str(archive))

    assert not archive.exists()
    result = folio(folder, "backup", str(archive))
    assert result.returncode == 0, result.stderr
    assert len(parts_of(archive)) == COUNT + 2
    assert not list((folder / "uploads").iterdir())  # what the killed one had there


def test_the_next_backup_in_a_folder_goes_on(tmp_path: Path) -> None:
    folder, store = make(tmp_path / "old"), tmp_path / "store"
    killed(folder, "making.copy", COUNT // 2, "backup", str(store))
    assert not (store / "backups").exists()
    there = {path.name for path in (store / "media").iterdir() if not path.name.endswith(".part")}
    assert there
    assert folio(folder, "backup", "--list", str(store)).stdout.count("\n") == 1

    result = folio(folder, "backup", str(store))

    assert result.returncode == 0, result.stderr
    [manifest] = [json.loads(path.read_text()) for path in (store / "backups").iterdir()]
    assert len(manifest["media"]) == COUNT
    assert manifest["new_files"] == COUNT - len(there)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    above = tmp_path_factory.mktemp("killed")
    assert folio(make(above / "old"), "backup", str(above / "one.tar")).returncode == 0
    return above / "one.tar"


@pytest.mark.parametrize("where", ["placing.add", "replacing.run_folio"])
def test_a_restore_that_is_killed_before_it_replaces_leaves_what_was_there(
    archive: Path, tmp_path: Path, where: str
) -> None:
    folder = make(tmp_path / "new", first=1000)
    before = media_of(folder)

    killed(folder, where, 10 if where == "placing.add" else 1, "restore", str(archive), "--replace")

    assert names_in(folder) == set(before)
    assert before.items() <= media_of(folder).items()
    assert folio(folder, "check").returncode == 0
    check_that_it_goes_on(folder, archive)


@pytest.mark.parametrize("where", ["restoring.swap", "restoring.settle", "restoring.put_marks"])
def test_a_restore_that_is_killed_while_it_replaces_says_what_to_do(archive: Path, tmp_path: Path, where: str) -> None:
    folder = make(tmp_path / "new", first=1000)

    killed(folder, where, 1, "restore", str(archive), "--replace")

    refused = folio(folder, "serve")
    assert refused.returncode == 1
    assert "was interrupted, so the installation in" in refused.stderr
    assert f"does the rest: folio restore {archive} --replace" in refused.stderr
    check_that_it_goes_on(folder, archive)


def check_that_it_goes_on(folder: Path, archive: Path) -> None:
    result = folio(folder, "restore", str(archive), "--replace")

    assert result.returncode == 0, result.stderr
    wanted = {
        name.removeprefix("media/"): content for name, content in parts_of(archive).items() if "core_media" in name
    }
    assert media_of(folder) == wanted
    assert names_in(folder) == set(wanted)
    assert not list(folder.glob("*restoring*"))
    assert folio(folder, "checkmedia", "--min-age", "0").returncode == 0
