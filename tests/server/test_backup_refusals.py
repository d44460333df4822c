"""What is wrong with a backup is said in words before anything is changed, whatever someone has made of it."""

import hashlib
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import zstandard

from folio.server import backups
from folio.server.backups import Refused
from folio.server.backups.restoring import put_marks
from tests.environment import run_folio
from tests.live import beginning

from .archived import Parts, change, database_of, media_of, pack, parts_of, put_database, verify

pytestmark = pytest.mark.any_database  # the archive is of SQLite
NAME = "core_media/2026/01/02/a.txt"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of an installation with two files."""
    folder = tmp_path_factory.mktemp("archived")
    shutil.copy(Path(beginning("").folder.name) / "folio.sqlite3", folder)
    lay(folder, NAME, b"A file.")
    lay(folder, "core_media/2026/01/02/b.txt", b"Another one.")
    path = folder / "one.tar"
    done = run_folio("backup", str(path), "--with-secret-key", folder=folder, variables={"FOLIO_SECRET_KEY": "k" * 50})
    assert done.returncode == 0, done.stderr
    assert "The secret key is in it" in done.stdout
    return path


def lay(folder: Path, name: str, content: bytes) -> None:
    import sqlite3
    from contextlib import closing

    path = folder / "media" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    with closing(sqlite3.connect(folder / "folio.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO media_media (file, type, mime_type, name, alt, size, sha256, dominant_color, placeholder,"
            " created_at, updated_at) VALUES (?, 'document', 'text/plain', 'a', '', ?, ?, '', '',"
            " '2026-01-02 03:04:05', '2026-01-02 03:04:05')",
            [name, len(content), hashlib.sha256(content).hexdigest()],
        )


@pytest.fixture
def parts(archive: Path) -> Parts:
    return parts_of(archive)


def refused(path: Path) -> str:
    with pytest.raises(Refused) as caught:
        verify(path)
    return str(caught.value)


def test_an_archive_as_it_was_made_is_right(archive: Path, parts: Parts, tmp_path: Path) -> None:
    verify(archive)
    verify(pack(tmp_path / "again.tar", parts))  # so what follows is refused for what is changed in it
    assert list(parts) == [media_of(parts), "media/core_media/2026/01/02/b.txt", "database/folio.sqlite3.zst",
                           "secret_key", "manifest.json"]  # fmt: skip


def test_a_file_with_another_content_is_named(parts: Parts, tmp_path: Path) -> None:
    parts[f"media/{NAME}"] = b"A fake."
    assert f"media/{NAME} has another content than was stored, by its SHA-256" in refused(
        pack(tmp_path / "a.tar", parts)
    )


def test_a_file_of_another_size_is_named(parts: Parts, tmp_path: Path) -> None:
    parts[f"media/{NAME}"] = b"A longer file."
    assert f"media/{NAME} has 14 bytes, and should have 7" in refused(pack(tmp_path / "a.tar", parts))


@pytest.mark.parametrize("part", [f"media/{NAME}", "database/folio.sqlite3.zst", "secret_key"])
def test_a_part_that_is_missing_is_named(parts: Parts, tmp_path: Path, part: str) -> None:
    del parts[part]
    assert f"{part} is missing" in refused(pack(tmp_path / "a.tar", parts))


def test_an_archive_without_a_manifest_was_broken_off(parts: Parts, tmp_path: Path) -> None:
    del parts["manifest.json"]
    assert "it has no manifest, so it was broken off" in refused(pack(tmp_path / "a.tar", parts))


@pytest.mark.parametrize("part", ["media/core_media/2026/01/02/c.txt", "../../etc/passwd", "/etc/passwd", "more"])
def test_a_part_that_the_manifest_does_not_know_is_named(parts: Parts, tmp_path: Path, part: str) -> None:
    told = refused(pack(tmp_path / "a.tar", {part: b"more", **parts}))
    assert f"it holds {part!r}, of which its manifest knows nothing" in told


@pytest.mark.parametrize(
    "name",
    ["core_media/../../secret_key", "../secret_key", "/etc/passwd", "core_media//a", "core_media/./a", "other/a",
     "core_media/a\\..\\b", "core_media/a\0b", "core_media/", "core_media/" + "a" * 1000],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(parts: Parts, tmp_path: Path, name: str) -> None:
    change(parts, lambda manifest: manifest["media"][0].update(name=name))
    parts = {(f"media/{name}".replace("\0", "") if part == f"media/{NAME}" else part): parts[part] for part in parts}
    assert "which is no name of a media file" in refused(pack(tmp_path / "a.tar", parts))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_what_is_no_plain_file_is_refused(parts: Parts, tmp_path: Path, kind: bytes) -> None:
    del parts[f"media/{NAME}"]
    member = tarfile.TarInfo(f"media/{NAME}")
    member.type, member.linkname = kind, "/etc/passwd"
    assert "in it is no plain file" in refused(pack(tmp_path / "a.tar", parts, member))


def test_a_part_that_is_there_twice_is_refused(parts: Parts, tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar", parts, tarfile.TarInfo(f"media/{NAME}"))
    assert "twice" in refused(path)


@pytest.mark.parametrize("left", [0, 100, 600, 0.5, 0.9])
def test_an_archive_that_was_cut_off_is_refused(archive: Path, tmp_path: Path, left: float) -> None:
    content = archive.read_bytes()
    whole = content.rstrip(b"\0")
    size = int(len(whole) * left) if isinstance(left, float) else left
    path = tmp_path / "a.tar"
    path.write_bytes(whole[:size])
    assert "damaged" in refused(path)


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(b"Not an archive, whatever it is called. " * 100)
    assert "can't be read to its end" in refused(path)
    assert "There is no archive" in refused(tmp_path / "b.tar")


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (lambda manifest: manifest.update(format=2, folio="9.1.0"), "was made by Folio 9.1.0, in a format"),
        (
            lambda manifest: manifest["database"]["migrations"].update(media="9999_new"),
            "has media.9999_new, which",
        ),
        (lambda manifest: manifest.pop("media"), "its manifest can't be read"),
        (lambda manifest: manifest.update(more=1), "its manifest can't be read"),
        (lambda manifest: manifest.update(name="../a"), "its manifest is called '../a'"),
        (lambda manifest: manifest["media"][0].update(sha256="x" * 64), "its manifest can't be read"),
        (lambda manifest: manifest["media"][0].update(size=-1), "its manifest can't be read"),
        (lambda manifest: manifest["media"].append(manifest["media"][0]), "it names a file twice"),
        (
            lambda manifest: manifest["database"]["rows"].update(auth_user=7),
            "1 rows in auth_user, and its",
        ),
        (lambda manifest: manifest["database"]["migrations"].update(media="0001_initial"), "other migrations than its"),
    ],
)
def test_a_manifest_that_is_not_right_is_refused(
    parts: Parts, tmp_path: Path, how: Callable[[Any], object], told: str
) -> None:
    change(parts, how)
    assert told in refused(pack(tmp_path / "a.tar", parts))


def test_a_manifest_that_leaves_out_a_file_is_refused(parts: Parts, tmp_path: Path) -> None:
    change(parts, lambda manifest: manifest["media"].pop(0))
    del parts[f"media/{NAME}"]
    assert f"its database names {NAME}, and its manifest does not" in refused(pack(tmp_path / "a.tar", parts))


def test_a_database_that_is_none_is_refused(parts: Parts, tmp_path: Path) -> None:
    content = b"Not a database. " * 1000
    put_database(parts, content, zstandard.compress(content))
    assert "its database can't be read: file is not a database" in refused(pack(tmp_path / "a.tar", parts))


def test_a_database_with_faults_is_refused(parts: Parts, tmp_path: Path) -> None:
    content = bytearray(zstandard.ZstdDecompressor().decompressobj().decompress(parts[database_of(parts)]))
    for start in range(4096 * 2, len(content), 4096):
        content[start : start + 64] = b"\xff" * 64
    put_database(parts, bytes(content), zstandard.compress(bytes(content)))
    assert "its database " in refused(pack(tmp_path / "a.tar", parts))


@pytest.mark.parametrize("packed", [b"Not packed.", zstandard.compress(b"\0" * 50_000_000)])
def test_a_database_that_can_not_be_unpacked_is_refused(parts: Parts, tmp_path: Path, packed: bytes) -> None:
    put_database(parts, b"0123456789", packed)
    told = refused(pack(tmp_path / "a.tar", parts))
    assert "can't be unpacked" in told or "holds more than it should" in told


def test_an_archive_is_not_overwritten(archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(Refused, match="is there already, and is not overwritten"):
        backups.make(str(archive))
    assert archive.read_bytes() == before


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("{tmp}/nowhere/a.tar", "There is no folder"),
        ("{tmp}/file", "is a file. Name a folder"),
        ("{tmp}/full", "holds other things than backups of Folio's"),
        ("{data}", "is the data folder"),
        ("{media}/backups", "belongs to the installation itself"),
        ("s3://bucket/a.tar?endpoint=http://127.0.0.1:9", "an archive in a bucket"),
    ],
)
def test_a_target_that_can_not_be_is_refused(tmp_path: Path, settings: Any, target: str, told: str) -> None:
    (tmp_path / "file").write_text("a file")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("a letter")
    given = target.format(tmp=tmp_path, data=settings.DATA_DIR, media=settings.MEDIA_ROOT)
    with pytest.raises(Refused, match=told):
        backups.make(given)
    assert sorted(path.name for path in (tmp_path / "full").iterdir()) == ["letter"]


def test_an_archive_of_sqlite_is_not_for_postgresql(archive: Path, tmp_path: Path) -> None:
    url = "postgres://folio@127.0.0.1:9/folio"
    result = run_folio("restore", str(archive), folder=tmp_path, variables={"DATABASE_URL": url})

    assert result.returncode == 1
    assert "has a database of SQLite, and the one here is PostgreSQL" in result.stderr
    assert "Then `folio move --to` brings it here." in result.stderr


def test_a_restore_that_opens_reading_to_everyone_says_so(tmp_path: Path, settings: Any) -> None:
    settings.PUBLIC_READ_MARK, settings.VARIANTS_MARK = tmp_path / "public_read", tmp_path / "variants"
    source: Any = SimpleNamespace(manifest=SimpleNamespace(is_public=True, secret_key=None))
    told: list[str] = []

    put_marks(source, told.append)
    put_marks(source, told.append)  # as a restore that goes on

    assert settings.PUBLIC_READ_MARK.exists()
    assert [line.partition(",")[0] for line in told] == ["What is published can be read without a key now"]
    source.manifest.is_public = False
    put_marks(source, told.append)
    assert not settings.PUBLIC_READ_MARK.exists()
    assert len(told) == 1
