"""Servers of the version before go on beside a database that was migrated: what no migration may do is looked for."""

import re
from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from folio.postgresql.operations import AddCheckBesideUse, AddIndexBesideUse
from tests.environment import ROOT

from .expanding import faults

pytestmark = pytest.mark.any_database

# The last ones from before there was a rule.
BEFORE = {"access": 8, "delivery": 1, "media": 8, "portfolios": 10, "tasks": 1}


def number(name: str) -> int:
    return int(name.partition("_")[0])


def ruled() -> list[tuple[str, str]]:
    loader = MigrationLoader(None)
    return [(app, name) for app, name in loader.disk_migrations if is_ours(app) and number(name) > BEFORE.get(app, 0)]


def is_ours(app: str) -> bool:
    return (ROOT / "folio" / app / "migrations").is_dir()


def test_knows_every_app_with_migrations() -> None:
    apps = {path.parent.name for path in (ROOT / "folio").glob("*/migrations")}

    assert apps >= set(BEFORE)
    assert {app for app, _ in MigrationLoader(None).disk_migrations if is_ours(app)} == apps


@pytest.mark.parametrize(("app", "name"), ruled())
def test_every_new_migration_only_expands(app: str, name: str) -> None:
    loader = MigrationLoader(None)
    migration = loader.disk_migrations[app, name]
    releases = set(re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE))

    assert list(faults(migration, loader.project_state((app, name), at_end=False))) == []
    assert getattr(migration, "contracts", None) in {None, *releases}, "Only what a release has left may be removed."


def told(*operations: Any, contracts: str | None = None) -> list[str]:
    """Return what is wrong with a migration of these operations, on a table of notes."""
    state = ProjectState()
    fields: list[tuple[str, Any]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("text", models.CharField(max_length=20)),
        ("count", models.IntegerField(null=True)),
        ("size", models.IntegerField(db_default=0)),
    ]
    migrations.CreateModel("Note", fields).state_forwards("notes", state)
    migration = type("Migration", (migrations.Migration,), {"operations": list(operations), "contracts": contracts})
    return list(faults(migration("0002_more", "notes"), state))


INDEX = models.Index(fields=["text"], name="note_text")
CHECK = models.CheckConstraint(condition=models.Q(size__gte=0), name="note_size")


@pytest.mark.parametrize(
    "operation",
    [
        migrations.RemoveField("note", "text"),
        migrations.DeleteModel("Note"),
        migrations.AlterField("note", "count", models.IntegerField()),
        migrations.AlterField("note", "text", models.CharField(max_length=10)),
        migrations.AlterField("note", "size", models.IntegerField()),
        migrations.AddConstraint("note", models.UniqueConstraint(fields=["text"], name="note_text_once")),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_takes_away_waits_for_the_release_after(operation: Any) -> None:
    assert len(told(operation)) == 1
    assert told(operation, contracts="0.1.0") == []


@pytest.mark.parametrize(
    "operation",
    [
        migrations.RenameField("note", "text", "words"),
        migrations.RenameModel("Note", "Remark"),
        migrations.AlterModelTable("note", "remarks"),
        migrations.AddField("note", "kind", models.CharField(max_length=5, default="")),
        migrations.AddField("note", "code", models.IntegerField(null=True, unique=True)),
        migrations.AddField("note", "code", models.IntegerField(null=True, db_index=True)),
        migrations.AlterField("note", "text", models.CharField(max_length=20, db_index=True)),
        migrations.AlterField("note", "count", models.DateTimeField(null=True)),
        migrations.AddIndex("note", INDEX),
        migrations.AddConstraint("note", CHECK),
        migrations.AlterUniqueTogether("note", {("text", "size")}),
        migrations.RunSQL("DROP TABLE notes_note"),
        migrations.SeparateDatabaseAndState([migrations.AddIndex("note", INDEX)]),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_disturbs_servers_that_run_is_never_right(operation: Any) -> None:
    assert len(told(operation, contracts="0.1.0")) == 1


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("note", "kind", models.CharField(max_length=5, null=True)),
        migrations.AddField("note", "kind", models.CharField(max_length=5, db_default="")),
        migrations.AlterField("note", "text", models.TextField()),
        migrations.AlterField("note", "text", models.CharField(max_length=30)),
        migrations.AlterField("note", "text", models.CharField(max_length=20, null=True)),
        migrations.RunPython(migrations.RunPython.noop),
        migrations.RunSQL("COMMENT ON TABLE notes_note IS 'x'", hints={"expands": "A comment."}),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("note", "count")]),
        AddIndexBesideUse("note", INDEX),
        AddCheckBesideUse("note", CHECK),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_only_adds_is_right(operation: Any) -> None:
    assert told(operation) == []


def test_a_new_table_is_nobodys_yet() -> None:
    fields: list[tuple[str, Any]] = [("id", models.BigAutoField(primary_key=True)), ("text", models.TextField())]

    assert told(migrations.CreateModel("Page", fields), migrations.AddIndex("page", INDEX)) == []
