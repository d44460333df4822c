"""What a backup is of: an older version's tables, files that go while it is made, and a server's own programs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import first_release
from tests.environment import run_folio
from tests.live import begin, postgresql_url, running_server

from .archived import parts_of
from .backed_up import AT_ONCE, elsewhere, folio

NAMES = [f"core_media/2026/01/02/{number}.txt" for number in range(8)]

# In the place of what copies files: at each of so many attempts, a file that has come just before goes, with its row,
# when the database was copied. At the last attempt somebody else tries to write.
VANISHING = """
import os, sys
from django.conf import settings
from django.db import connection
from folio.media.models import Media
from folio.server import backups
from folio.server.backups import making

copied, copy_files, attempts = making.copied, making.copy_files, []

def add():
    name = f"core_media/2026/01/02/new{len(attempts)}.txt"
    (settings.MEDIA_ROOT / name).write_text("A new file.")
    Media.objects.create(file=name, type="document", mime_type="text/plain", name="new.txt", size=11)

def vanish():
    media = Media.objects.order_by("id").last()
    os.unlink(settings.MEDIA_ROOT / media.file.name)
    media.delete()

def delete_beside():
    if connection.vendor == "sqlite":
        import sqlite3
        beside = sqlite3.connect(settings.DATABASES["default"]["NAME"], timeout=0.2)
    else:
        from folio.server.backups.databases import connect_itself
        beside = connect_itself()
        beside.execute("SET lock_timeout = '200ms'")
    try:
        beside.execute("SELECT count(*) FROM media_media")
        beside.execute("DELETE FROM media_media")
        return "deleted"
    except Exception as error:
        return type(error).__name__
    finally:
        beside.close()  # nothing is committed

def copy_database(folder, **options):
    if len(attempts) < {times}:
        add()
    return copied(folder, **options)

def copy(files, *rest):
    attempts.append(len(files))
    if len(attempts) <= {times}:
        vanish()
    elif len(attempts) == making.ATTEMPTS:
        print("beside:", delete_beside())
    try:
        return copy_files(files, *rest)
    finally:
        if {goes_on} and len(attempts) == 1:
            vanish()  # after it was copied

making.copied, making.copy_files = copy_database, copy
backups.make({target!r}, tell=print)
print("attempts:", attempts)
print("after:", delete_beside())
"""


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """The folder and variables of an installation that has eight files."""
    folder = tmp_path / "old"
    with elsewhere(folder, "folder", None, FOLIO_KEEP_REMOVED="0") as variables:
        if "DATABASE_URL" in variables:
            folio(folder, variables, "migrate", "--verbosity", "0")
        else:
            begin(folder)
        for name in NAMES:
            path = folder / "media" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"This is {name}.")
        code = (
            "from folio.media.models import Media; Media.objects.bulk_create(Media(file=name, type='document', "
            f"mime_type='text/plain', name='a.txt', size=32) for name in {NAMES!r})"
        )
        folio(folder, variables, "shell", "--verbosity", "0", "-c", code)
        yield folder, variables


def backed_up_while_files_vanish(
    installation: tuple[Path, dict[str, str]], target: Path, times: int, *, goes_on: bool = False
) -> tuple[list[str], Any]:
    """Return what was said, and the manifest of the archive, which is whole."""
    code = VANISHING
    for name, value in {"{times}": str(times), "{goes_on}": str(goes_on), "{target!r}": repr(str(target))}.items():
        code = code.replace(name, value)
    said = folio(*installation, "shell", "--verbosity", "0", "-c", code).splitlines()
    assert "Verified " in folio(*installation, "restore", str(target), "--verify")
    return said, json.loads(parts_of(target)["manifest.json"])


def test_a_file_that_vanishes_has_the_database_copied_again(
    installation: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    said, manifest = backed_up_while_files_vanish(installation, tmp_path / "a.tar", 1)

    assert said == ["attempts: [9, 8]", "after: deleted"]
    assert sorted(file["name"] for file in manifest["media"]) == NAMES
    assert manifest["database"]["rows"]["media_media"] == 8
    assert manifest["faults"] == manifest["left"] == []


def test_one_that_goes_after_it_was_copied_is_left_in_the_archive_alone(
    installation: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    said, manifest = backed_up_while_files_vanish(installation, tmp_path / "a.tar", 1, goes_on=True)

    assert said == ["attempts: [9, 7]", "after: deleted"]
    assert sorted(file["name"] for file in manifest["media"]) == NAMES[:-1]
    assert manifest["left"] == NAMES[-1:]
    assert manifest["faults"] == []


def test_at_the_last_attempt_nobody_writes_until_the_files_are_copied(
    installation: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    said, manifest = backed_up_while_files_vanish(installation, tmp_path / "a.tar", 4)

    kept = "LockNotAvailable" if postgresql_url() else "OperationalError"
    assert said == [f"beside: {kept}", "attempts: [9, 9, 9, 9, 8]", "after: deleted"]
    assert sorted(file["name"] for file in manifest["media"]) == NAMES
    assert manifest["faults"] == []


def test_what_the_first_release_had_is_restored_and_migrated(tmp_path: Path) -> None:
    archive, new = tmp_path / "first.tar", tmp_path / "new"
    with elsewhere(tmp_path / "old", "folder", None) as variables:
        first_release.begin(tmp_path / "old", variables)
        code = f"from folio.server import backups; backups.make({str(archive)!r}, tell=print)"
        assert folio(tmp_path / "old", variables, "shell", "--verbosity", "0", "-c", code) == ""
    manifest = json.loads(parts_of(archive)["manifest.json"])
    assert manifest["database"]["migrations"]["portfolios"] == "0002_index_filters_in_default_order"
    assert "server_backupschedule" not in manifest["database"]["rows"]
    assert len(manifest["media"]) == 1 + len(first_release.SIZES)

    with elsewhere(new, "folder", None, **AT_ONCE) as variables:
        assert "Restored " in folio(new, variables, "restore", str(archive))

        assert folio(new, variables, "checkmedia", "--min-age", "0").endswith("nothing is wrong.\n")
        with running_server(new, **variables) as server:
            client = server.session(first_release.KEY)
            [media] = client.get("/api/media/").json()["results"]
            assert media["f"].endswith(f"/media/{first_release.PICTURE}")
            assert client.get(f"/media/{first_release.PICTURE}").content == (
                (tmp_path / "old" / "media" / first_release.PICTURE).read_bytes()
            )
            found = client.get("/api/portfolios/?ordering=id").json()["results"]
            assert {each["slug"] for each in found} == {"sign", "loaf"}
            [sign] = [each for each in found if each["slug"] == "sign"]
            assert sign["title"] == "A sign"
            assert [each["slug"] for each in client.get("/api/portfolios/?search=loaf").json()["results"]] == ["loaf"]
            given = {"username": "ada", "password": first_release.PASSWORD}
            assert client.post("/api/auth/token/", json=given).status_code == 201


# PostgreSQL's programs

on_postgresql = pytest.mark.skipif(not postgresql_url(), reason="SQLite is copied by itself")


def path_with(folder: Path, **programs: str) -> str:
    """Return a PATH that has Python, and programs that say no more than their versions."""
    folder.mkdir()
    for name, version in programs.items():
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return str(folder)


def refused(folder: Path, variables: dict[str, str], *arguments: str) -> str:
    result = run_folio(*arguments, folder=folder, variables=variables)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    return result.stderr


@on_postgresql
def test_programs_that_can_t_copy_a_server_are_refused(
    installation: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    folder, variables = installation
    archive, good = tmp_path / "good.tar", tmp_path / "a.tar"
    folio(folder, variables, "backup", str(archive))
    none = {**variables, "PATH": path_with(tmp_path / "none")}
    old = {**variables, "PATH": path_with(tmp_path / "programs", pg_dump="9.6.24")}
    pooled = {**variables, "FOLIO_PGBOUNCER": "on"}

    missing = refused(folder, none, "backup", str(good))
    assert "pg_dump is not installed, which copies of PostgreSQL need." in missing
    assert "apt-get install postgresql-client-" in missing
    assert "pg_restore is not installed" in refused(folder, none, "restore", str(archive), "--verify")
    assert "pg_restore is not installed" in refused(folder, none, "restore", str(archive), "--replace")

    older = refused(folder, old, "backup", str(good))
    assert f"{tmp_path / 'programs' / 'pg_dump'} is of PostgreSQL 9, the server of " in older
    assert "an older one can't copy it" in older

    assert "pg_dump can't work through pgbouncer" in refused(folder, pooled, "backup", str(good))
    assert "pg_restore can't work through pgbouncer" in refused(folder, pooled, "restore", str(archive), "--replace")
    assert "FOLIO_PGBOUNCER=off" in refused(folder, pooled, "backup", str(tmp_path / "store"))

    assert not list(tmp_path.glob("*a.tar*"))
    assert not list((tmp_path / "store").glob("backups/*"))
    assert "Verified " in folio(folder, variables, "restore", str(archive), "--verify")
