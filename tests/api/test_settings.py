"""The environment decides, and nothing else does."""

import grp
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from folio.checks import nearest, variables_are_known
from folio.installation import make_secret_key
from tests.environment import ROOT, SETTINGS, settings_of, variables_read


def test_the_secret_key_is_the_one_that_was_made(tmp_path: Path) -> None:
    made = make_secret_key(tmp_path)
    first = settings_of(tmp_path)["SECRET_KEY"]
    second = settings_of(tmp_path)["SECRET_KEY"]

    assert first == second == made == (tmp_path / "secret_key").read_text()
    assert len(first) >= 50


def test_each_installation_has_a_secret_key_of_its_own(tmp_path: Path) -> None:
    assert settings_of(tmp_path / "a")["SECRET_KEY"] != settings_of(tmp_path / "b")["SECRET_KEY"]


def test_a_secret_key_of_the_environment_wins_and_none_is_made(tmp_path: Path) -> None:
    assert settings_of(tmp_path, FOLIO_SECRET_KEY="given")["SECRET_KEY"] == "given"
    assert not (tmp_path / "secret_key").exists()


def test_an_empty_secret_key_counts_as_none(tmp_path: Path) -> None:
    assert settings_of(tmp_path, FOLIO_SECRET_KEY="")["SECRET_KEY"] == make_secret_key(tmp_path)


def test_reading_the_settings_makes_nothing(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "a" / "b")

    assert len(settings["SECRET_KEY"]) >= 50
    assert list(tmp_path.iterdir()) == []
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

    assert database["ENGINE"] == "folio.postgresql"
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
        ("FOLIO_KEEP_METADATA", "some", "it must be none, rights or all"),
        ("FOLIO_LOG_LEVEL", "loud", "it must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("FOLIO_MEDIA_GROUP", "no-such-group", "there is no such group on this machine"),
        ("FOLIO_PUBLIC_URL", "api.example.com", "it must be an absolute URL"),
        ("FOLIO_MEDIA", "https://bucket.example.com", "it must be the address of a bucket"),
        ("FOLIO_MEDIA", "s3://bucket/a//b", "a prefix is of letters, digits"),
        ("FOLIO_MEDIA", "s3://bucket?acl=public", "it may have endpoint, region and addressing"),
        ("FOLIO_MEDIA", "s3://bucket?endpoint=minio:9000", "endpoint must be an http or https address"),
        ("FOLIO_MEDIA", "s3://bucket?addressing=dns", "addressing must be path or virtual"),
        ("FOLIO_MEDIA_URL", "/files/", "it must be an absolute address"),
        ("FOLIO_MEDIA_URL", "cdn.example.com/media", "it must be an absolute address"),
        ("FOLIO_MEDIA_URL", "ftp://cdn.example.com/", "it must be an absolute address"),
        ("FOLIO_MEDIA_URL", "https://cdn.example.com/?key=1", "it must be an absolute address"),
        ("FOLIO_MEDIA_URL", "https://me:secret@cdn.example.com/", "it must be an absolute address"),
        ("FOLIO_MEDIA_SIGNED", "soon", "it must be a number and a unit, d, h, m or s, such as 1h, or 0"),
        ("FOLIO_MEDIA_SIGNED", "5s", "it must be from 1m to 7d"),
        ("FOLIO_MEDIA_SIGNED", "8d", "it must be from 1m to 7d"),
        ("FOLIO_MEDIA_SIGNED", "1h", "FOLIO_MEDIA names none"),
        ("FOLIO_STORAGE_SECONDS", "0", "it must be a whole number such as 15"),
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


def test_the_program_for_films_is_named_or_none(tmp_path: Path) -> None:
    assert settings_of(tmp_path)["FFMPEG"] == "ffmpeg"
    assert settings_of(tmp_path, FOLIO_FFMPEG="/opt/ffmpeg ")["FFMPEG"] == "/opt/ffmpeg"
    assert settings_of(tmp_path, FOLIO_FFMPEG="")["FFMPEG"] == ""


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("", "rights"),
        ("none", "none"),
        ("rights", "rights"),
        (" ALL ", "all"),
        *((word, "rights") for word in ("false", "0", "no", "off")),
        *((word, "all") for word in ("true", "1", "yes", "on")),
    ],
)
def test_what_is_kept_of_files_is_told_in_a_word(tmp_path: Path, value: str, kept: str) -> None:
    assert settings_of(tmp_path, FOLIO_KEEP_METADATA=value)["KEEP_METADATA"] == kept


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


@pytest.mark.parametrize("value", ["$ecret", "$$", "a$b"])
def test_a_value_may_begin_with_a_dollar(tmp_path: Path, value: str) -> None:
    assert settings_of(tmp_path, FOLIO_SECRET_KEY=value)["SECRET_KEY"] == value


def test_an_empty_place_is_the_default_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    settings = settings_of(Path(), FOLIO_DATA_DIR="", DATABASE_URL="")

    assert settings["DATA_DIR"] == tmp_path / "data"
    assert settings["DATABASES"]["default"]["NAME"] == str(tmp_path / "data" / "folio.sqlite3")


@pytest.mark.parametrize("value", ["debug", "Debug", " DEBUG "])
def test_the_log_level_is_read_in_any_case(tmp_path: Path, value: str) -> None:
    assert settings_of(tmp_path, FOLIO_LOG_LEVEL=value)["LOGGING"]["root"]["level"] == "DEBUG"


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("https://api.example.com", "api.example.com"),
        ("https://ada@api.example.com:8443/folio?x#y", "api.example.com"),
        ("api.example.com/", "api.example.com"),
        ("api.example.com:8000", "api.example.com"),
        ("api.example.com.", "api.example.com"),
        ("*.example.com", ".example.com"),
        ("::1", "[::1]"),
        ("[::1]:8000", "[::1]"),
        ("http://[::1]:8000/", "[::1]"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("a b", "api.example.com"),
        ("localhost,https://api.example.com", "api.example.com"),
    ],
)
def test_what_is_no_host_is_refused_with_what_would_be_right(tmp_path: Path, value: str, right: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        settings_of(tmp_path, FOLIO_ALLOWED_HOSTS=value)

    assert str(caught.value).startswith(f"FOLIO_ALLOWED_HOSTS names {value.rpartition(',')[2]!r}; ")
    assert str(caught.value).endswith(f"such as {right}.")


def test_hosts_may_be_domains_addresses_and_all(tmp_path: Path) -> None:
    value = ".example.com, a_b.example,10.0.0.1,[2001:db8::1],*,API.example.com,"

    assert settings_of(tmp_path, FOLIO_ALLOWED_HOSTS=value)["ALLOWED_HOSTS"] == [
        ".example.com",
        "a_b.example",
        "10.0.0.1",
        "[2001:db8::1]",
        "*",
        "API.example.com",
    ]


def test_a_group_is_a_name_or_a_number(tmp_path: Path) -> None:
    group = grp.getgrgid(os.getgid())

    assert settings_of(tmp_path)["MEDIA_GROUP"] is None
    assert settings_of(tmp_path, FOLIO_MEDIA_GROUP=group.gr_name)["MEDIA_GROUP"] == group.gr_gid
    assert settings_of(tmp_path, FOLIO_MEDIA_GROUP="31337")["MEDIA_GROUP"] == 31337


def test_media_are_for_their_owner_or_their_group(tmp_path: Path) -> None:
    for variables, file, folder in (({}, 0o600, 0o700), ({"FOLIO_MEDIA_GROUP": "31337"}, 0o640, 0o2750)):
        settings = settings_of(tmp_path, **variables)
        assert settings["FILE_UPLOAD_PERMISSIONS"] == file
        assert settings["FILE_UPLOAD_DIRECTORY_PERMISSIONS"] == folder


def test_a_variable_that_is_no_setting_is_a_warning_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLIO_LOG_LEVL", "INFO")
    monkeypatch.setenv("folio_debug", "1")

    assert [message.msg for message in variables_are_known()] == [
        "There is no setting FOLIO_LOG_LEVL. Did you mean FOLIO_LOG_LEVEL?",
        "There is no setting folio_debug. Did you mean FOLIO_DEBUG?",
    ]
    assert nearest("FOLIO_XYZ_QQQQQQQQ") == ""


def test_every_variable_that_is_read_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert settings_of(tmp_path)["VARIABLES"] == variables_read()
    for name in (*variables_read(), "FOLIO_WORKER_THREADS", "FOLIO_USES_SECONDS"):
        monkeypatch.setenv(name, "1")
    assert variables_are_known() == []


def test_keys_in_the_address_of_a_bucket_are_refused_and_not_told(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="AWS_ACCESS_KEY_ID") as caught:
        settings_of(tmp_path, FOLIO_MEDIA="s3://key:secret@bucket")

    assert "secret@" not in str(caught.value)


def test_files_lie_in_a_bucket_and_are_named_by_an_address(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        FOLIO_MEDIA="s3://bucket/a/b?endpoint=http://127.0.0.1:9000&region=eu-central-1&addressing=path",
        FOLIO_MEDIA_URL="https://cdn.example.com/media",
        FOLIO_MEDIA_SIGNED="1h",
    )

    assert settings["STORAGES"]["default"]["BACKEND"] == "folio.media.s3.ObjectStorage"
    assert settings["MEDIA_BUCKET"] == ("bucket", "a/b", "http://127.0.0.1:9000", "eu-central-1", "path")
    assert settings["MEDIA_URL"] == settings["FILES_URL"] == "https://cdn.example.com/media/"
    assert settings["MEDIA_SIGNED"] == timedelta(hours=1)
    assert settings_of(tmp_path)["MEDIA_URL"] == "media/"
