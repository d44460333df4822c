"""The `folio` command: what it says, where it looks, and that asking it leaves nothing behind."""

import platform
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import django
import psycopg
import pytest
from django.core.management import get_commands

import folio
from folio.__main__ import Folio

from .environment import run_folio
from .limited import can_limit, run_limited
from .live import new_database, postgresql_url


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """An empty folder that can't be written."""
    if not can_limit():
        pytest.skip("Permissions bind nobody here.")
    folder = tmp_path / "empty"
    folder.mkdir(mode=0o555)
    yield folder
    folder.chmod(0o755)


def in_one_sentence(done: object, *words: str) -> str:
    """Assert that a command failed with no more than a sentence or two, which holds these words; return them."""
    text = str(done.stderr)  # type: ignore[attr-defined]
    assert done.returncode == 1  # type: ignore[attr-defined]
    assert "Traceback" not in text
    assert text.count("\n") == 1
    for word in words:
        assert word in text
    return text


@pytest.mark.parametrize("flag", ["version", "--version"])
def test_tells_its_versions_in_a_line(tmp_path: Path, flag: str) -> None:
    begin = f"Folio {folio.__version__} (Python {platform.python_version()}, Django {django.get_version()}, "

    here = run_folio(flag, folder=tmp_path, variables={"DATABASE_URL": ""})
    there = run_folio(flag, folder=tmp_path, variables={"DATABASE_URL": "postgres://folio:hunter2@127.0.0.1:1/folio"})

    assert here.stdout == f"{begin}SQLite {sqlite3.sqlite_version})\n"
    assert there.stdout == f"{begin}PostgreSQL by psycopg {psycopg.__version__})\n"
    assert list(tmp_path.iterdir()) == []


def test_tells_its_versions_though_the_environment_is_wrong(tmp_path: Path) -> None:
    wrong = {"FOLIO_TOKEN_DAYS": "many", "DATABASE_URL": "mysql://127.0.0.1/folio"}

    done = run_folio("version", folder=tmp_path, variables=wrong)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(", DATABASE_URL names no database)\n")


def test_help_begins_with_folios_own_commands_in_words(tmp_path: Path) -> None:
    text = run_folio("help", folder=tmp_path).stdout

    own = [name for name, app in get_commands().items() if app.startswith("folio")]
    assert set(own) >= {"serve", "createtoken", "version", "migrate"}
    for name in own:
        assert f"\n  {name} " in text
    assert "Migrate, then serve the API" in text
    assert "\n  createsuperuser  Make an admin" in text
    for name in ("startproject", "runserver", "makemigrations", "generateschema"):
        assert name not in text


def test_help_has_all_of_djangos_for_whoever_asks() -> None:
    text = Folio(["folio", "help", "--all"]).main_help_text()

    assert "makemigrations" in text
    assert "createtoken" in text


def test_asking_writes_nothing(empty: Path) -> None:
    assert run_limited("help", folder=empty, current=empty).returncode == 0
    done = run_limited("check", folder=empty, current=empty)

    in_one_sentence(done, f"The data folder {empty} can't be written", "FOLIO_DATA_DIR")
    assert list(empty.iterdir()) == []


def test_asking_makes_no_folder_where_one_could_be_made(tmp_path: Path) -> None:
    assert run_folio("check", "--deploy", folder=tmp_path / "data", current=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["data", ""], ids=["without a folder", "in an empty folder"])
def test_a_command_without_an_installation_says_where_it_looked_and_makes_none(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name

    done = run_folio("createtoken", "ada", "--admin", folder=folder, current=tmp_path)

    in_one_sentence(done, "There is no installation here", str(folder / "folio.sqlite3"), "FOLIO_DATA_DIR names")
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_tables_is_told_in_a_sentence(tmp_path: Path) -> None:
    with new_database(is_empty=True) as database:
        if not database:
            (tmp_path / "folio.sqlite3").touch()
        done = run_folio("createtoken", "ada", folder=tmp_path, variables=database)

    in_one_sentence(done, "folio migrate", "DATABASE_URL" if database else "FOLIO_DATA_DIR")
    assert done.stdout == ""


def test_a_server_that_is_not_there_is_told_without_its_password(tmp_path: Path) -> None:
    url = "postgres://folio:hunter2@127.0.0.1:1/portfolio"

    done = run_folio("createtoken", "ada", folder=tmp_path, variables={"DATABASE_URL": url})

    assert done.returncode == 1
    assert "The database portfolio at 127.0.0.1, which DATABASE_URL names" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def test_a_file_that_is_no_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    if postgresql_url():
        pytest.skip("There, the file is not asked.")
    (tmp_path / "folio.sqlite3").write_text("This is a text, and no database of any kind. " * 10)
    (tmp_path / "folio.sqlite3").chmod(0o600)

    in_one_sentence(run_folio("migrate", folder=tmp_path), str(tmp_path / "folio.sqlite3"), "not a database")


def test_a_wrong_setting_is_told_in_a_sentence(tmp_path: Path) -> None:
    done = run_folio("check", folder=tmp_path, variables={"FOLIO_TOKEN_DAYS": "many"})

    assert done.returncode == 1
    assert done.stderr == "FOLIO_TOKEN_DAYS is 'many'; it must be a whole number such as 30.\n"


def test_a_traceback_is_there_for_whoever_asks(tmp_path: Path) -> None:
    assert "Traceback" in run_folio("createtoken", "ada", "--traceback", folder=tmp_path).stderr


def test_an_unreadable_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    if not can_limit():
        pytest.skip("Permissions bind nobody here.")
    (tmp_path / "folio.sqlite3").touch(mode=0o000)

    done = run_limited("createtoken", "ada", folder=tmp_path, current=tmp_path)

    in_one_sentence(done, str(tmp_path / "folio.sqlite3"), "can't be used by", "FOLIO_DATA_DIR")


def test_a_data_folder_that_cannot_be_made_stops_the_server_in_a_sentence(empty: Path) -> None:
    done = run_limited("serve", folder=empty / "data", current=empty)

    in_one_sentence(done, f"The data folder {empty / 'data'} can't be made", "FOLIO_DATA_DIR")
