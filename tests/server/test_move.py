"""A move to PostgreSQL and S3: everything arrives as it was, or nothing; whatever breaks it off, it goes on."""

import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.environment import ROOT, run_folio
from tests.live import create_database, drop_database, running_server, url_of
from tests.postgresql import PATIENCE, find_binaries, temporary_server
from tests.programs import found
from tests.s3 import CREDENTIALS, S3, running_s3

from .moved import HIGH, PERSIAN, PUBLIC, Content, answers_of, made, moving

pytestmark = pytest.mark.any_database  # it brings PostgreSQL along

NO_KEYS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    "AWS_CONFIG_FILE": "/nowhere",
}
SLOW = """
    CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
    CREATE TRIGGER slow BEFORE INSERT ON portfolios_portfolio FOR EACH ROW EXECUTE FUNCTION be_slow()
"""
ASLEEP = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    return made(tmp_path_factory.mktemp("moved"))


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    binaries = find_binaries()
    found(str(binaries) if binaries else None, "PostgreSQL", "postgresql-15")
    assert binaries is not None
    with temporary_server(binaries) as server:
        yield server.url


@pytest.fixture
def target(server_url: str) -> Iterator[str]:
    """Yield the URL of a new, empty database."""
    name = f"moved_{uuid4().hex}"
    create_database(server_url, name)
    yield url_of(server_url, name)
    drop_database(server_url, name)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with running_s3() as server:
        yield server


@pytest.fixture
def folder(content: Content, tmp_path: Path) -> Path:
    return content.copied(tmp_path / "old")


def move(folder: Path, *arguments: str, **variables: str) -> CompletedProcess[str]:
    return run_folio("move", *arguments, folder=folder, variables=variables)


def rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def is_empty(url: str) -> bool:
    tables = {name for (name,) in rows(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    return "portfolios_portfolio" not in tables or rows(url, "SELECT count(*) FROM portfolios_portfolio") == [(0,)]


def write(folder: Path, query: str, *parameters: Any) -> None:
    with closing(sqlite3.connect(folder / "folio.sqlite3")) as database, database:
        database.execute(query, parameters)


def wait_for(what: Callable[[], Any], why: str) -> Any:
    end = time.monotonic() + PATIENCE
    while not (seen := what()):
        assert time.monotonic() < end, why
        time.sleep(0.02)
    return seen


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# What arrives


def test_everything_is_answered_as_before(content: Content, folder: Path, target: str, tmp_path: Path) -> None:
    new = tmp_path / "new"

    result = move(folder, "--to", target, "--media", str(new / "media"), FOLIO_PUBLIC_READ="")

    assert result.returncode == 0, result.stderr
    assert "All 31 tables have the same rows" in result.stdout
    assert f"FOLIO_SECRET_KEY   the text in {folder / 'secret_key'}" in result.stdout
    assert "FOLIO_PUBLIC_READ  on" in result.stdout
    assert (folder / "secret_key").read_text() not in result.stdout
    assert not (folder / "moving").exists()
    assert files_of(new / "media") == files_of(folder / "media")
    secret = {"FOLIO_SECRET_KEY": (folder / "secret_key").read_text()}
    with running_server(new, DATABASE_URL=target, **secret, **PUBLIC) as server:
        after = answers_of(server, content.key)
        assert len(after) > 60
        assert after == content.answers
        assert PERSIAN in after["/api/portfolios/slug/odd/"]
        client = server.session(content.key)
        assert client.post("/api/tags/", json={"name": "Next"}).json()["id"] == content.next_tag
        again = client.post(
            "/api/portfolios/", json={"title": "?", "slug": "odd", "excerpt": "?"}, headers={"Idempotency-Key": "once"}
        )
        assert again.status_code == 409, again.text  # the key was used, for something else
        signed_in = server.session().get("/admin/", cookies=content.cookies, allow_redirects=False)
        assert signed_in.status_code == 200
        assert server.folio("checkmedia", "--min-age", "0").endswith("nothing is wrong.\n")
    assert rows(target, f"SELECT slug FROM portfolios_formerslug WHERE id = {HIGH}") == [("high",)]
    [(last,)] = rows(target, "SELECT last_value FROM portfolios_formerslug_id_seq")
    assert last == HIGH


def test_files_go_to_s3_and_come_back(content: Content, folder: Path, target: str, s3: S3, tmp_path: Path) -> None:
    there = move(folder, "--to", target, "--media", s3.url("whole"), **CREDENTIALS)
    assert there.returncode == 0, there.stderr
    assert f"FOLIO_MEDIA        {s3.url('whole')}" in there.stdout
    assert s3.names("whole") == sorted(files_of(folder / "media"))

    new = tmp_path / "new"
    new.mkdir()
    to = ("--to", f"sqlite:///{new}/folio.sqlite3", "--media", str(new / "media"))
    back = move(new, *to, DATABASE_URL=target, FOLIO_SECRET_KEY="any", **s3.variables("whole"))

    assert back.returncode == 0, back.stderr
    assert files_of(new / "media") == files_of(folder / "media")
    with (
        closing(sqlite3.connect(folder / "folio.sqlite3")) as old,
        closing(sqlite3.connect(new / "folio.sqlite3")) as other,
    ):
        for table in ("portfolios_portfolio", "django_admin_log", "media_removedfile", "media_formername"):
            query = f"SELECT * FROM {table} ORDER BY id"
            assert other.execute(query).fetchall() == old.execute(query).fetchall()
        assert old.execute("SELECT count(*) FROM media_removedfile").fetchone()[0] == 5


def test_moves_files_alone(folder: Path, tmp_path: Path) -> None:
    result = move(folder, "--media", str(tmp_path / "media"))

    assert result.returncode == 0, result.stderr
    assert "DATABASE_URL" not in result.stdout
    assert files_of(tmp_path / "media") == files_of(folder / "media")


def test_a_second_run_finds_that_all_is_there(folder: Path, target: str, tmp_path: Path) -> None:
    arguments = ("--to", target, "--media", str(tmp_path / "media"))
    assert move(folder, *arguments).returncode == 0

    again = move(folder, *arguments)

    assert again.returncode == 0, again.stderr
    count = len(files_of(folder / "media"))
    assert f"Files: {count}, " in again.stdout
    assert f"; {count} of them were there." in again.stdout


def test_the_commands_of_the_guide_are_ones_that_move(folder: Path, target: str, s3: S3) -> None:
    page = (ROOT / "docs" / "guides" / "move.md").read_text()
    commands = re.findall(r"^ *folio ((?:move|checkmedia --repair).*)$", page, flags=re.MULTILINE)
    places = {'"$TO"': target, '"$MEDIA"': s3.url("guide")}
    *steps, back = [[places.get(word, word) for word in command.split(" ")] for command in commands]
    assert [step[0] for step in steps] == ["checkmedia", "move", "move"]

    for step in steps:
        result = run_folio(*step, folder=folder, variables=CREDENTIALS)
        assert result.returncode == 0, result.stderr

    assert "Moved." in result.stdout
    assert back[:2] == ["move", "--to"]
    assert s3.names("guide") == sorted(files_of(folder / "media"))


# What breaks it off


def test_goes_on_where_it_was_killed_among_the_files(folder: Path, target: str, s3: S3) -> None:
    arguments = ("--to", target, "--media", s3.url("killed"))
    count = len(files_of(folder / "media"))
    with moving(folder, *arguments, **CREDENTIALS) as process:
        wait_for(lambda: len(s3.names("killed")) > 20, "Nothing was copied.")
        process.kill()
        assert process.wait(20) == -9
    there = len(s3.names("killed"))
    assert 20 < there < count
    assert is_empty(target)

    result = move(folder, *arguments, **CREDENTIALS)

    assert result.returncode == 0, result.stderr
    assert f"Files: {count}, " in result.stdout
    assert f"; {there} of them were there." in result.stdout
    assert s3.names("killed") == sorted(files_of(folder / "media"))
    assert not is_empty(target)


@pytest.fixture
def slow_target(folder: Path, target: str) -> str:
    """Return a database that was migrated, and stops in the middle of the rows."""
    assert run_folio("migrate", "--verbosity", "0", folder=folder, variables={"DATABASE_URL": target}).returncode == 0
    rows(target, SLOW)
    return target


def hurry(target: str) -> None:
    rows(target, "DROP TRIGGER slow ON portfolios_portfolio")


def test_nothing_is_kept_of_rows_in_the_middle_of_which_it_was_killed(folder: Path, slow_target: str) -> None:
    with moving(folder, "--to", slow_target) as process:
        [(pid,)] = wait_for(lambda: rows(slow_target, ASLEEP), "It did not come to the portfolios.")
        process.kill()
        assert process.wait(20) == -9
    rows(slow_target, f"SELECT pg_terminate_backend({pid}, 10000)")
    assert is_empty(slow_target)
    assert rows(slow_target, "SELECT count(*) FROM auth_user") == [(0,)]
    hurry(slow_target)

    result = move(folder, "--to", slow_target)

    assert result.returncode == 0, result.stderr
    assert "have the same rows" in result.stdout


def test_says_that_the_database_went_away(folder: Path, slow_target: str) -> None:
    with moving(folder, "--to", slow_target) as process:
        [(pid,)] = wait_for(lambda: rows(slow_target, ASLEEP), "It did not come to the portfolios.")
        rows(slow_target, f"SELECT pg_terminate_backend({pid}, 10000)")
        _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert b"terminating connection" in error
    assert b"Nothing of the rows was kept there. Go on with the same command." in error
    assert b"Traceback" not in error
    hurry(slow_target)

    assert move(folder, "--to", slow_target).returncode == 0


def test_goes_on_in_a_folder_in_which_a_file_was_half_written(folder: Path, tmp_path: Path) -> None:
    media = tmp_path / "media"
    name = next(iter(sorted(files_of(folder / "media"))))
    assert move(folder, "--media", str(media)).returncode == 0
    (folder / "moving").write_text(f'"{media}"')  # as it is while files are copied
    (media / name).unlink()
    (media / f"{name}.moving").write_bytes(b"half")

    result = move(folder, "--media", str(media))

    assert result.returncode == 0, result.stderr
    assert files_of(media) == files_of(folder / "media")


# What is refused


def test_refuses_while_a_server_runs_and_copies_files_ahead(content: Content, folder: Path, tmp_path: Path) -> None:
    media = str(tmp_path / "media")
    with running_server(folder, **PUBLIC) as server:
        refused = move(folder, "--media", media)
        assert refused.returncode == 1
        assert "Another program has the database" in refused.stderr
        assert "such as a running server" in refused.stderr
        assert not Path(media).exists()

        ahead = move(folder, "--media", media, "--ahead")
        assert ahead.returncode == 0, ahead.stderr
        count = len(files_of(folder / "media"))
        upload = {"file": ("late.txt", b"It came late.", "text/plain")}
        assert server.session(content.key).post("/api/media/", files=upload).status_code == 201

    result = move(folder, "--media", media)

    assert result.returncode == 0, result.stderr
    assert f"Files: {count + 1}, " in result.stdout
    assert f"; {count} of them were there." in result.stdout
    assert files_of(Path(media)) == files_of(folder / "media")


def test_refuses_a_database_that_is_served(folder: Path, target: str, tmp_path: Path) -> None:
    assert move(folder, "--to", target).returncode == 0
    new = tmp_path / "new"
    new.mkdir()
    with running_server(new, DATABASE_URL=target, FOLIO_SECRET_KEY="any", **PUBLIC):
        back = f"sqlite:///{tmp_path}/back.sqlite3"
        refused = move(new, "--to", back, DATABASE_URL=target, FOLIO_SECRET_KEY="any")

    assert refused.returncode == 1
    assert "Folio is connected to the database" in refused.stderr
    assert not (tmp_path / "back.sqlite3").exists()


@pytest.mark.parametrize(
    ("put", "named"),
    [
        ("INSERT INTO portfolios_tag (name, slug, updated_at) VALUES ('a', 'a', now())", "1 tag"),
        ("INSERT INTO auth_group (name) VALUES ('Guests')", "1 group"),
        ("CREATE TABLE invoices (id int)", "invoices"),
    ],
)
def test_refuses_a_database_that_is_not_empty(folder: Path, target: str, put: str, named: str) -> None:
    assert run_folio("migrate", "--verbosity", "0", folder=folder, variables={"DATABASE_URL": target}).returncode == 0
    rows(target, put)

    result = move(folder, "--to", target)

    assert result.returncode == 1
    assert "is not empty" in result.stderr
    assert named in result.stderr
    assert is_empty(target)


def test_refuses_a_place_that_is_not_empty(folder: Path, target: str, s3: S3, tmp_path: Path) -> None:
    (tmp_path / "core_media").mkdir()
    (tmp_path / "core_media" / "other.txt").write_text("Another's.")
    s3.client.put_object(Bucket="folio-media", Key="taken/core_media/other.txt", Body=b"Another's.")

    for place in (str(tmp_path), s3.url("taken")):
        result = move(folder, "--to", target, "--media", place, **CREDENTIALS)
        assert result.returncode == 1
        assert f"{place} is not empty: it holds files, such as core_media/other.txt." in result.stderr
    assert is_empty(target)
    assert s3.names("taken") == ["core_media/other.txt"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Say where to"),
        (("--to", "mysql://localhost/folio"), "--to must begin with sqlite:/// or postgres://."),
        (("--to", "postgres://ada:se#cret@localhost/folio"), "its host or port can't be read"),
        (("--to", "postgres://127.0.0.1:1/folio"), "The database folio at 127.0.0.1 failed: connection failed"),
        (("--to", "sqlite:////{folder}/folio.sqlite3"), "--to names the database that is to be moved"),
        (("--media", "{folder}/media"), "--media names the folder in which the files lie already"),
        (("--media", "s3://"), "--media is 's3://'; it must be the address of a bucket"),
        (("--media", "s3://bucket?endpoint=http://127.0.0.1:1", "--to", "sqlite:///x"), "Unable to locate credentials"),
        (("--ahead", "--to", "sqlite:///x"), "--ahead copies files alone"),
    ],
)
def test_says_what_is_wrong_with_the_target(folder: Path, arguments: tuple[str, ...], sentence: str) -> None:
    given = [each.replace("{folder}", str(folder)) for each in arguments]

    result = move(folder, *given, **NO_KEYS)

    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert "cret" not in result.stderr


WRONG = [  # a table, what is wrong in its row of that id, and how it is told
    ("portfolios_tag", 1, "name = 'a' || char(0)", "name: has the character U+0000 in it"),
    ("portfolios_tag", 2, "name = printf('%.*c', 300, 'x')", "name: has 300 characters; 100 are the most"),
    ("portfolios_employer", 1, "name = CAST(X'61FF' AS TEXT)", "name: can't be read"),
    ("portfolios_portfolio", 27, "completed_at = '2026-13-45 00:00:00'", "completed_at: can't be read"),
    ("portfolios_link", 1, "place = 3000000000", "place: is 3000000000; it must be from 0 to 2147483647"),
    ("portfolios_link", 2, "place = 'x'", "place: is 'x', which is not a whole number"),
    ("delivery_webhook", 1, """events = '["\\ud800"]'""", "events: has half of a surrogate pair"),
    ("portfolios_metaentry", 1, "portfolio_id = 'x'", "portfolio_id: is 'x', which is not a whole number"),
]


def test_names_the_values_that_postgresql_would_refuse(folder: Path, target: str) -> None:
    with closing(sqlite3.connect(folder / "folio.sqlite3")) as database, database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        for table, pk, wrong, _ in WRONG:
            database.execute(f"UPDATE {table} SET {wrong} WHERE id = {pk}")

    result = move(folder, "--to", target)

    assert result.returncode == 1
    for table, pk, _, sentence in WRONG:
        assert f"{table}, row {pk}, {sentence}" in result.stderr
    assert "Nothing was written." in result.stderr
    assert rows(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_names_the_row_that_refers_to_none(folder: Path, target: str) -> None:
    write(folder, "UPDATE portfolios_link SET portfolio_id = 999 WHERE id = 1")

    result = move(folder, "--to", target)

    assert result.returncode == 1
    assert "portfolios_link.portfolio_id contains a value '999'" in result.stderr
    assert rows(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_moves_no_rows_of_which_files_are_missing_unless_told_to(folder: Path, target: str, tmp_path: Path) -> None:
    media = str(tmp_path / "media")
    first, second = sorted((folder / "media").rglob("*.jpg"))[:2]
    first.unlink()
    original = next((folder / "media").rglob("china.jpg"))
    original.write_bytes(original.read_bytes() + b"!")

    refused = move(folder, "--to", target, "--media", media)
    assert refused.returncode == 1
    assert f"{first.relative_to(folder / 'media')}: is not there" in refused.stderr
    assert f"{original.relative_to(folder / 'media')}: has another content than was stored" in refused.stderr
    assert is_empty(target)

    result = move(folder, "--to", target, "--media", media, "--despite-faults")
    assert result.returncode == 0, result.stderr
    assert files_of(Path(media)) == files_of(folder / "media")
    assert second.exists()


def test_a_target_that_is_used_is_never_taken_for_moved(folder: Path, target: str) -> None:
    assert move(folder, "--to", target).returncode == 0
    rows(target, "UPDATE portfolios_tag SET name = 'Renamed there' WHERE id = 1")

    result = move(folder, "--to", target)

    assert result.returncode == 1
    assert "is not empty" in result.stderr
    assert "It is not what was moved either:\n  portfolios_tag: " in result.stderr


def test_files_that_no_row_knows_stay(folder: Path, tmp_path: Path) -> None:
    stray = folder / "media" / "core_media" / "stray.txt"
    stray.write_text("Nobody's.")

    assert move(folder, "--media", str(tmp_path / "media")).returncode == 0

    assert not (tmp_path / "media" / "core_media" / "stray.txt").exists()
    shutil.rmtree(tmp_path / "media")
