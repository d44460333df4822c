"""A database that a newer version has migrated: refused by whatever begins, and gone on with by what runs."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from folio.server.migrating import newer, refuse_newer
from tests.environment import run_folio
from tests.live import running_server
from tests.writers import Database

UNKNOWN = "0999_of_a_later_version"


@pytest.fixture
def later(db: None) -> None:
    MigrationRecorder(connection).record_applied("portfolios", UNKNOWN)


@pytest.mark.django_db
def test_a_database_of_this_version_is_not_newer() -> None:
    assert newer() is None


@pytest.mark.usefixtures("later")
def test_names_the_newest_migration_that_is_not_known() -> None:
    MigrationRecorder(connection).record_applied("media", "0998_before")
    MigrationRecorder(connection).migration_qs.filter(name="0998_before").update(applied="2026-01-01T00:00Z")

    with pytest.raises(ImproperlyConfigured, match=rf"newer than Folio .*: portfolios\.{UNKNOWN} was applied .* UTC"):
        refuse_newer()


@pytest.mark.django_db
def test_what_another_program_has_applied_is_its_own_matter() -> None:
    MigrationRecorder(connection).record_applied("auth", UNKNOWN)
    MigrationRecorder(connection).record_applied("another_program", UNKNOWN)

    assert newer() is None


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("command", ["migrate", "runtasks", "reindex"])
def test_commands_refuse_it(command: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=UNKNOWN):
        call_command(command, skip_checks=False)
    with pytest.raises(ImproperlyConfigured, match=UNKNOWN):
        call_command("check")


def test_a_server_that_runs_goes_on_and_one_that_begins_does_not(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        Database(server).execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('media', %s, '2026-11-30 12:00:00')", UNKNOWN
        )

        answer = server.session(server.key).post("/api/tags/", json={"name": "still"})
        second = run_folio("serve", "--port", "1", folder=tmp_path, variables=server.variables)

    assert answer.status_code == 201, answer.text
    assert second.returncode == 1
    assert f"media.{UNKNOWN} was applied to it at 2026-11-30 12:00:00 UTC" in second.stderr
    assert "Traceback" not in second.stderr
