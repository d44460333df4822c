"""The environment decides, and nothing else does."""

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.core.exceptions import ImproperlyConfigured

from folio.settings import secret_key
from tests.environment import ROOT, SETTINGS, run_folio, settings_of, variables_read


def test_the_secret_key_is_made_once(tmp_path: Path) -> None:
    first = settings_of(tmp_path)["SECRET_KEY"]
    second = settings_of(tmp_path)["SECRET_KEY"]

    assert first == second == (tmp_path / "secret_key").read_text()
    assert len(first) >= 50


def test_each_installation_has_a_secret_key_of_its_own(tmp_path: Path) -> None:
    assert settings_of(tmp_path / "a")["SECRET_KEY"] != settings_of(tmp_path / "b")["SECRET_KEY"]


def test_the_secret_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    settings_of(tmp_path)

    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_concurrent_starts_agree_on_one_secret_key(tmp_path: Path) -> None:
    for round_number in range(20):
        folder = tmp_path / str(round_number)
        folder.mkdir()
        barrier = Barrier(8)

        def start(folder: Path = folder, barrier: Barrier = barrier) -> str:
            barrier.wait()
            return secret_key(folder)

        with ThreadPoolExecutor(8) as pool:
            keys = {future.result() for future in [pool.submit(start) for _ in range(8)]}

        assert keys == {(folder / "secret_key").read_text()}
        assert [path.name for path in folder.iterdir()] == ["secret_key"]


def test_a_secret_key_of_the_environment_wins_and_none_is_made(tmp_path: Path) -> None:
    assert settings_of(tmp_path, FOLIO_SECRET_KEY="given")["SECRET_KEY"] == "given"
    assert not (tmp_path / "secret_key").exists()


def test_an_empty_secret_key_counts_as_none(tmp_path: Path) -> None:
    assert settings_of(tmp_path, FOLIO_SECRET_KEY="")["SECRET_KEY"] == (tmp_path / "secret_key").read_text()


def test_the_data_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()
    assert settings["MEDIA_ROOT"] == tmp_path / "a" / "b" / "media"


def test_the_data_folder_is_data_in_the_current_folder_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert settings_of(Path("data"))["DATA_DIR"] == tmp_path / "data"


def test_the_database_is_sqlite_in_the_data_folder_by_default(tmp_path: Path) -> None:
    database = settings_of(tmp_path)["DATABASES"]["default"]

    assert database["ENGINE"] == "folio.sqlite"
    assert database["NAME"] == str(tmp_path / "folio.sqlite3")
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]


def test_a_sqlite_url_names_another_file(tmp_path: Path) -> None:
    database = settings_of(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/other.sqlite3")["DATABASES"]["default"]

    assert database["ENGINE"] == "folio.sqlite"
    assert database["NAME"] == f"{tmp_path}/other.sqlite3"
    assert database["OPTIONS"]["timeout"] == 30


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_postgres_url_names_a_server(tmp_path: Path, scheme: str) -> None:
    url = f"{scheme}://folio:p%40ss@db.example:5433/portfolio"

    database = settings_of(tmp_path, DATABASE_URL=url)["DATABASES"]["default"]

    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["USER"], database["PASSWORD"]) == ("folio", "p@ss")
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example", 5433, "portfolio")
    assert "transaction_mode" not in database.get("OPTIONS", {})


def test_hosts_are_separated_by_commas(tmp_path: Path) -> None:
    assert settings_of(tmp_path, FOLIO_ALLOWED_HOSTS="a.example,b.example")["ALLOWED_HOSTS"] == [
        "a.example",
        "b.example",
    ]


def test_only_this_machine_is_a_host_by_default(tmp_path: Path) -> None:
    assert settings_of(tmp_path)["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]


@pytest.mark.parametrize(("value", "debug"), [("1", True), ("true", True), ("on", True), ("0", False), ("off", False)])
def test_debug_is_a_boolean(tmp_path: Path, value: str, debug: bool) -> None:
    assert settings_of(tmp_path, FOLIO_DEBUG=value)["DEBUG"] is debug


def test_debug_is_off_by_default(tmp_path: Path) -> None:
    assert settings_of(tmp_path)["DEBUG"] is False


def test_the_defaults_trust_no_origin_and_need_no_https(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)

    assert not settings["PUBLIC_URL"]
    assert not {"CSRF_TRUSTED_ORIGINS", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS"} & set(settings)
    assert "SECURE_PROXY_SSL_HEADER" not in settings


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("FOLIO_TOKEN_DAYS", "many", "it must be a whole number such as 30"),
        ("FOLIO_MAX_BODY_SIZE", "-1", "it must be a whole number such as 2621440"),
        ("FOLIO_DECODERS", "0", "it must be a whole number such as 2"),
        ("FOLIO_DEBUG", "maybe", "it must be true or false"),
        ("FOLIO_PUBLIC_URL", "api.example.com", "it must be an absolute URL"),
        ("DATABASE_URL", "mysql://localhost/folio", "must begin with sqlite:/// or postgres://"),
        ("DATABASE_URL", "nonsense", "must begin with sqlite:/// or postgres://"),
        ("DATABASE_URL", "postgres://one,two/folio", "names several servers; it must name one"),
        ("DATABASE_URL", "postgres:///folio?host=one,two", "names several servers; it must name one"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_at_the_start(
    tmp_path: Path, variable: str, value: str, reason: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{variable}.*{re.escape(reason)}"):
        settings_of(tmp_path, **{variable: value})


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("FOLIO_TOKEN_DAYS", "TOKEN_DAYS"),
        ("FOLIO_MAX_UPLOAD_SIZE", "MAX_UPLOAD_SIZE"),
        ("FOLIO_MAX_IMAGE_PIXELS", "MAX_IMAGE_PIXELS"),
        ("FOLIO_MAX_BODY_SIZE", "DATA_UPLOAD_MAX_MEMORY_SIZE"),
        ("FOLIO_DECODERS", "DECODERS"),
        ("FOLIO_DECODER_MEMORY", "DECODER_MEMORY"),
        ("FOLIO_DECODER_SECONDS", "DECODER_SECONDS"),
    ],
)
def test_a_limit_is_a_number_of_the_environment(tmp_path: Path, variable: str, setting: str) -> None:
    assert settings_of(tmp_path, **{variable: "7"})[setting] == 7


def test_every_variable_of_the_contract_is_read() -> None:
    assert variables_read() >= {
        "FOLIO_DATA_DIR",
        "DATABASE_URL",
        "FOLIO_PUBLIC_URL",
        "FOLIO_SECRET_KEY",
        "FOLIO_ALLOWED_HOSTS",
        "FOLIO_DEBUG",
    }


def test_every_variable_that_is_read_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()

    assert sorted(name for name in variables_read() if f"`{name}`" not in page) == []


def test_the_settings_read_the_environment_in_one_way_only() -> None:
    source = SETTINGS.read_text()

    assert "os.environ" not in source
    assert "getenv" not in source


def test_the_program_runs_from_any_folder(tmp_path: Path) -> None:
    current = tmp_path / "elsewhere"
    current.mkdir()

    result = run_folio("check", folder=tmp_path / "data", current=current)

    assert result.returncode == 0, result.stderr
    assert (tmp_path / "data" / "secret_key").exists()
    assert list(current.iterdir()) == []
