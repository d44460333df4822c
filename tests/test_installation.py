"""What an installation keeps in its data folder: who may read it, and what is said where it can't be used."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import SimpleLazyObject

from folio import installation
from folio.installation import begin, begin_database, close_to_others, make_secret_key, refuse_folder, refuse_unusable
from tests.environment import settings_of
from tests.limited import can_limit, run_limited

GROUP = 31_337  # which need not have a name


@pytest.fixture
def folder(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The data folder of an installation on SQLite that has not begun."""
    folder = tmp_path / "data"
    settings.DATA_DIR = folder
    settings.SECRET_KEY = SimpleLazyObject(lambda: installation.secret_key(folder))
    settings.ATTEMPTS_PATH = folder / "attempts.sqlite3"
    settings.FILE_UPLOAD_TEMP_DIR = folder / "uploads"
    settings.JOURNAL_ROOT = folder / "journal"
    settings.MEDIA_ROOT = folder / "media"
    settings.MEDIA_GROUP = None
    monkeypatch.setattr(installation, "database_path", lambda: folder / "folio.sqlite3")  # the tests' own stays
    return folder


@pytest.fixture
def old(folder: Path) -> Path:
    """The same as older releases left it, under the usual umask."""
    for name in ("media/core_media/2026", "uploads", "journal"):
        (folder / name).mkdir(parents=True)
    for name in (
        "folio.sqlite3",
        "folio.sqlite3-wal",
        "folio.sqlite3-shm",
        "attempts.sqlite3",
        "journal/lock",
        "uploads/a.upload.txt",
        "media/core_media/2026/sign.png",
    ):
        (folder / name).write_text("kept")
    (folder / "secret_key").write_text("k" * 64)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def modes(folder: Path) -> dict[str, int]:
    """Return the permissions of a folder and all that is in it."""
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}


def open_to_others(folder: Path) -> dict[str, int]:
    return {name: mode for name, mode in modes(folder).items() if mode & 0o077}


class TestBeginning:
    def test_makes_folders_database_and_key_for_the_owner_alone_whatever_the_umask(self, folder: Path) -> None:
        before = os.umask(0)
        try:
            begin()
            begin_database()
        finally:
            os.umask(before)

        assert set(modes(folder)) == {".", "folio.sqlite3", "journal", "media", "secret_key", "uploads"}
        assert open_to_others(folder) == {}
        assert close_to_others() == []

    def test_keeps_the_key_that_is_there_and_uses_the_one_that_it_makes(self, folder: Path, settings: Any) -> None:
        passing = str(settings.SECRET_KEY)

        begin()

        made = (folder / "secret_key").read_text()
        assert settings.SECRET_KEY == made != passing
        assert settings_of(folder)["SECRET_KEY"] == made
        begin()
        assert (folder / "secret_key").read_text() == made

    def test_agrees_with_others_that_begin_at_once_on_one_key(self, tmp_path: Path) -> None:
        for round_number in range(20):
            folder = tmp_path / str(round_number)
            folder.mkdir()
            barrier = Barrier(8, timeout=60)

            def start(folder: Path = folder, barrier: Barrier = barrier) -> str:
                barrier.wait()
                return make_secret_key(folder)

            with ThreadPoolExecutor(8) as pool:
                keys = {future.result() for future in [pool.submit(start) for _ in range(8)]}

            assert keys == {(folder / "secret_key").read_text()}
            assert [path.name for path in folder.iterdir()] == ["secret_key"]

    def test_says_which_folder_is_a_file(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "uploads").touch()

        with pytest.raises(ImproperlyConfigured, match=f"{folder}/uploads can't be made or used: File exists"):
            begin()


class TestWhatCannotBeUsed:
    def test_a_file_in_the_folders_place(self, tmp_path: Path) -> None:
        (tmp_path / "data").touch()

        with pytest.raises(ImproperlyConfigured, match=r"data is a file; it must be a folder\. FOLIO_DATA_DIR names"):
            refuse_folder(tmp_path / "data")
        with pytest.raises(ImproperlyConfigured, match=r"a/b can't be made: .*/data is a file\. FOLIO_DATA_DIR names"):
            refuse_folder(tmp_path / "data" / "a" / "b")

    @pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
    def test_a_key_file_without_a_key(self, folder: Path, content: bytes) -> None:
        folder.mkdir()
        (folder / "secret_key").write_bytes(content)

        with pytest.raises(ImproperlyConfigured, match=f"The secret key in {folder}/secret_key is .*FOLIO_SECRET_KEY"):
            refuse_unusable()

    def test_a_key_that_is_a_folder(self, folder: Path) -> None:
        (folder / "secret_key").mkdir(parents=True)

        with pytest.raises(ImproperlyConfigured, match=f"{folder}/secret_key can't be read: Is a directory"):
            refuse_unusable()

    def test_a_group_that_the_server_is_not_in(
        self, folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.MEDIA_GROUP = GROUP
        monkeypatch.setattr(os, "geteuid", lambda: 1)

        with pytest.raises(ImproperlyConfigured, match=f"FOLIO_MEDIA_GROUP is {GROUP}, but .* is no member"):
            refuse_unusable()


class TestAnOldInstallation:
    def test_is_closed_at_the_start_and_that_is_told_once(self, old: Path) -> None:
        [line] = close_to_others()

        assert line.startswith(f"Closed {len(modes(old))} files and folders in {old} to other users of this machine.")
        assert open_to_others(old) == {}
        assert close_to_others() == []

    def test_keeps_what_the_owner_may(self, old: Path) -> None:
        (old / "media" / "core_media" / "2026" / "sign.png").chmod(0o444)

        close_to_others()

        assert modes(old)["media/core_media/2026/sign.png"] == 0o400
        assert modes(old)["media"] == 0o700

    def test_is_walked_through_until_all_of_it_is_closed(self, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(path: Any, mode: int) -> None:
            raise PermissionError

        with monkeypatch.context() as patch:
            patch.setattr(os, "chmod", refuse)
            [line] = close_to_others()
        assert line.startswith("Warning: the permissions of ")
        assert "can't be set by" in line

        close_to_others()

        assert open_to_others(old) == {}

    def test_follows_no_link_out_of_the_media(self, old: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir(mode=0o755)
        (old / "media" / "link").symlink_to(tmp_path / "elsewhere")

        close_to_others()

        assert modes(tmp_path / "elsewhere")["."] == 0o755

    def test_in_a_folder_of_others_closes_what_is_its_own(self, old: Path) -> None:
        (old / "website").mkdir(mode=0o755)

        lines = close_to_others()

        assert open_to_others(old) == {".": 0o755, "website": 0o755}
        assert any("holds other folders than Folio's, such as website" in line for line in lines)

    def test_its_own_static_files_are_no_others(self, old: Path) -> None:
        """A server that was started before has made them, and a group may be named only then."""
        (old / "static").mkdir(mode=0o755)

        lines = close_to_others()

        assert not any("holds other folders" in line for line in lines)
        assert modes(old)["."] == 0o700

    def test_of_another_owner_is_a_warning(self, tmp_path: Path) -> None:
        if os.geteuid() != 0 or not can_limit():
            pytest.skip("Only root can give a folder away.")
        folder = tmp_path / "data"
        folder.mkdir()
        os.chown(folder, 65_534, 65_534)
        folder.chmod(0o777)

        done = run_limited("migrate", "--verbosity", "0", folder=folder, current=tmp_path)

        assert done.returncode == 0, done.stderr
        assert f"Warning: the permissions of {folder} can't be set by root" in done.stderr


class TestAGroupForTheMedia:
    @pytest.fixture(autouse=True)
    def group(self, settings: Any, folder: Path) -> int:
        """A group that this process may give files to: any, for root."""
        settings.MEDIA_GROUP = GROUP if os.geteuid() == 0 else os.getgroups()[0]
        return int(settings.MEDIA_GROUP)

    def test_reads_the_media_and_goes_through_the_data_folder(self, old: Path, group: int) -> None:
        close_to_others()

        assert open_to_others(old) == {
            ".": 0o710,
            "media": 0o2750,
            "media/core_media": 0o2750,
            "media/core_media/2026": 0o2750,
            "media/core_media/2026/sign.png": 0o640,
        }
        assert {path.stat().st_gid for path in (old, *(old / "media").rglob("*"))} == {group}
        assert close_to_others() == []

    def test_reads_what_is_stored_later(self, folder: Path, group: int, settings: Any) -> None:
        begin()
        close_to_others()
        settings.FILE_UPLOAD_PERMISSIONS = 0o640
        received = folder / "uploads" / "a.upload"
        received.touch(mode=0o600)
        (folder / "media" / "2026").mkdir(mode=0o750)

        received.rename(folder / "media" / "2026" / "a.png")

        for name in ("media/2026", "media/2026/a.png"):
            assert (folder / name).stat().st_gid == group
        assert modes(folder)["uploads"] == 0o2700

    def test_that_is_named_no_more_reads_nothing_any_more(self, old: Path, settings: Any) -> None:
        close_to_others()
        settings.MEDIA_GROUP = None

        close_to_others()

        assert open_to_others(old) == {}
