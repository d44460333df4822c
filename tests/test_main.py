from pathlib import Path

import pytest

import folio

from .environment import run_folio

pytestmark = pytest.mark.database_free


def test_tells_its_version(tmp_path: Path) -> None:
    assert run_folio("--version", folder=tmp_path).stdout == f"Folio {folio.__version__}\n"


def test_a_database_without_tables_is_told_in_a_sentence(tmp_path: Path) -> None:
    done = run_folio("createtoken", "ada", folder=tmp_path)

    assert done.returncode == 1
    assert "folio migrate" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_wrong_setting_is_told_in_a_sentence(tmp_path: Path) -> None:
    done = run_folio("check", folder=tmp_path, variables={"FOLIO_TOKEN_DAYS": "many"})

    assert done.returncode == 1
    assert done.stderr == "FOLIO_TOKEN_DAYS is 'many'; it must be a whole number such as 30.\n"


def test_a_traceback_is_there_for_whoever_asks(tmp_path: Path) -> None:
    assert "Traceback" in run_folio("createtoken", "ada", "--traceback", folder=tmp_path).stderr
