"""What is found of folders, disks and permissions, each provoked on a real folder."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from folio.media.journal import RESERVE
from folio.server.examining import disk, permissions, storage
from folio.server.examining.findings import Finding

pytestmark = pytest.mark.any_database


@pytest.fixture(autouse=True)
def installation(settings: Any, tmp_path: Path) -> Path:
    """A data folder as `folio serve` makes it."""
    data = tmp_path / "data"
    for name in ("media", "uploads", "journal", "static"):
        (data / name).mkdir(parents=True, mode=0o700)
    data.chmod(0o700)
    secret = data / "secret_key"
    secret.write_text("secret")
    secret.chmod(0o600)
    settings.DATA_DIR, settings.MEDIA_ROOT = data, data / "media"
    settings.JOURNAL_ROOT, settings.FILE_UPLOAD_TEMP_DIR = data / "journal", data / "uploads"
    settings.ATTEMPTS_PATH = data / "attempts.sqlite3"
    return data


def wrong(found: Any) -> list[tuple[str, str]]:
    return [(each.state.value, each.text) for each in found if each.state in {"warning", "fault"}]


class TestStorage:
    def test_a_file_is_written_read_and_removed(self, installation: Path) -> None:
        found = list(storage.look())

        assert wrong(found) == []
        assert [each.text.rpartition(" in ")[0] for each in found] == [
            f"A file in {installation / name} is written, read and removed" for name in ("media", "uploads", "journal")
        ]
        assert [list((installation / name).iterdir()) for name in ("media", "uploads", "journal")] == [[], [], []]

    def test_a_folder_that_takes_no_file_is_a_fault(self, installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write = os.open

        def refuse(path: Any, *arguments: Any) -> int:
            if str(path).startswith(str(installation / "media")):
                raise OSError(30, "Read-only file system")
            return write(path, *arguments)

        monkeypatch.setattr(os, "open", refuse)

        [(state, text)] = wrong(storage.look())
        assert state == "fault"
        assert text.startswith(f"A file can't be written in {installation / 'media'} by ")
        assert text.endswith(": Read-only file system.")

    def test_a_folder_that_is_yet_to_be_made_is_none(self, installation: Path) -> None:
        shutil.rmtree(installation / "media")

        found = list(storage.look())

        assert found[0] == Finding(
            found[0].state.NOTE, f"{installation / 'media'} is not there; `folio serve` makes it when it starts."
        )
        assert not (installation / "media").exists()

    def test_uploads_on_another_disk_are_a_warning(self, settings: Any) -> None:
        elsewhere = Path("/dev/shm")
        if not elsewhere.is_dir() or elsewhere.stat().st_dev == Path(settings.DATA_DIR).stat().st_dev:
            pytest.skip("There is no second disk.")
        settings.FILE_UPLOAD_TEMP_DIR = elsewhere

        assert [text.partition(":")[0] for _, text in wrong(storage.look())] == ["Uploads and media lie on two disks"]


class TestDisk:
    def room(self, monkeypatch: pytest.MonkeyPatch, left: int, files: int = 10**6) -> None:
        told = SimpleNamespace(
            f_bavail=left // 4096, f_frsize=4096, f_blocks=10**8, f_files=10**7, f_favail=files, f_bfree=left // 4096
        )
        monkeypatch.setattr(os, "statvfs", lambda path: told)

    def test_tells_what_is_free(self) -> None:
        found = list(disk.look())

        assert wrong(found) == []
        assert " are free on the disk of the data folder, uploads" in found[0].text

    def test_a_full_disk_is_a_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room(monkeypatch, RESERVE - 4096)

        assert {state for state, text in wrong(disk.look()) if "uploads are refused" in text} == {"fault"}

    def test_no_room_for_two_uploads_is_a_warning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room(monkeypatch, 150 * 1024**2)

        assert "150.0 MB of" in wrong(disk.look())[0][1]
        assert "two uploads of FOLIO_MAX_UPLOAD_SIZE don't fit beside each other." in wrong(disk.look())[0][1]

    def test_no_room_for_a_backup_is_a_warning(self, installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (installation / "media" / "film.mp4").touch()
        os.truncate(installation / "media" / "film.mp4", 3 * 1024**3)  # which takes no room
        self.room(monkeypatch, 2 * 1024**3)

        assert ("warning", "A backup of all takes 3.0 GB, and 2.0 GB are free beside it.") in [
            (state, text.replace("what lies in the data folder", "all")) for state, text in wrong(disk.look())
        ]

    def test_no_places_for_files_are_a_warning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room(monkeypatch, 10**12, files=99)

        assert "has places for 99 more files" in wrong(disk.look())[0][1]


class TestPermissions:
    def test_all_is_closed(self) -> None:
        assert wrong(permissions.look()) == []

    def test_a_secret_key_that_others_may_read_is_a_fault(self, installation: Path) -> None:
        (installation / "secret_key").chmod(0o644)

        [found] = [each for each in permissions.look() if each.state == "fault"]
        assert found.text == f"{installation / 'secret_key'} is open to other users of this machine."
        assert found.mend.startswith(f"chmod 600 {installation / 'secret_key'}.")

    def test_a_data_folder_that_others_may_read_is_a_warning(self, installation: Path) -> None:
        installation.chmod(0o755)

        assert wrong(permissions.look()) == [("warning", f"{installation} is open to other users of this machine.")]

    def test_what_a_command_of_root_has_left_is_a_fault(self, installation: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("Only root can give a folder away.")
        for path in (installation, *installation.rglob("*")):
            os.chown(path, 65_534, -1)
        (installation / "media" / "a").touch()
        (installation / "media" / "b").touch()

        [(state, text)] = wrong(permissions.look())
        assert state == "fault"
        assert text.startswith(f"{installation / 'media' / 'a'} and 1 more is not nobody's, but root's: ")

    def test_what_its_owner_can_not_read_is_a_fault(self, installation: Path) -> None:
        (installation / "media" / "a.jpg").touch(mode=0o000)

        [(state, text)] = wrong(permissions.look())
        assert state == "fault"
        assert text.startswith(f"{installation / 'media' / 'a.jpg'} can't be read by ")

    def test_media_that_the_proxys_group_can_not_read_are_a_fault(self, installation: Path, settings: Any) -> None:
        settings.MEDIA_GROUP = os.getegid()
        installation.chmod(0o710)

        assert wrong(permissions.look()) == [
            (
                "fault",
                (
                    f"{installation / 'media'} is closed to the group {os.getegid()}, which FOLIO_MEDIA_GROUP names: "
                    "it can't read the media."
                ),
            )
        ]

        (installation / "media").chmod(0o2750)
        assert wrong(permissions.look()) == []
