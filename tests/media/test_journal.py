import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.core.signals import request_finished
from django.db import OperationalError, connection, transaction
from django.test import Client as Site

from folio.media import journal
from folio.media.journal import claim, operation, record, recover, settle
from folio.media.models import Media
from folio.media.storing import removed_on_failure, write
from folio.media.uploads import store_upload
from tests.factories import draw, make_image

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_removed_at_once")]

NAME = "core_media/2026/03/02/photo.png"


class Broken(Exception):
    pass


@pytest.fixture
def folder(settings: Any) -> Path:
    return Path(settings.JOURNAL_ROOT)


def files_of(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.entry"))


def leave_entry(folder: Path, *names: str) -> Path:
    """Make an entry as a process leaves it that is killed."""
    folder.mkdir(exist_ok=True)
    path = folder / f"left{len(entries(folder))}.entry"
    path.write_text("".join(f"{json.dumps(name)}\n" for name in names))
    return path


def store(name: str, content: bytes = b"content") -> None:
    assert default_storage.save(name, ContentFile(content)) == name


# While the process lives


def test_has_every_name_on_record_before_its_file_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save, seen = FileSystemStorage._save, []  # type: ignore[attr-defined]

    def note(storage: FileSystemStorage, name: str, content: Any) -> str:
        [entry] = entries(folder)
        seen.append(name in entry.read_text())
        return save(storage, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", note)

    make_image()

    assert seen == [True] * 5
    assert entries(folder) == []


def test_has_the_original_on_the_disk_before_the_commit(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[int] = set()
    commits = []
    fsync, commit = os.fsync, connection.commit

    def note(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def check() -> None:
        [original] = media_root.rglob("picture.png")
        assert {original.stat().st_ino, original.parent.stat().st_ino} <= synced
        commits.append(original)
        commit()

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(connection, "commit", check)

    make_image()

    assert commits


def test_has_the_files_of_deleted_rows_on_record_before_the_commit(folder: Path, media_root: Path) -> None:
    media = make_image()

    with transaction.atomic():
        media.delete()
        [entry] = entries(folder)
        names = {json.loads(line) for line in entry.read_text().splitlines()}

    assert len(names) == 5
    assert files_of(media_root) == []
    assert entries(folder) == []


def test_removes_the_files_of_an_upload_that_an_outer_transaction_rolls_back(folder: Path, media_root: Path) -> None:
    kept = make_image("kept.png")
    with transaction.atomic():
        make_image("gone.png")
        kept.delete()
        transaction.set_rollback(True)

    assert len(files_of(media_root)) == 10
    request_finished.send(None)

    assert len(files_of(media_root)) == 5
    assert all("kept" in name for name in files_of(media_root))
    assert entries(folder) == []


def test_removes_what_was_rolled_back_with_the_next_change_of_files(folder: Path, media_root: Path) -> None:
    with transaction.atomic():
        make_image("gone.png")
        transaction.set_rollback(True)

    make_image("kept.png")

    assert len(files_of(media_root)) == 5
    assert entries(folder) == []


def test_removes_the_files_of_an_inner_transaction_that_is_rolled_back(folder: Path, media_root: Path) -> None:
    with transaction.atomic():
        with transaction.atomic():
            make_image("gone.png")
            transaction.set_rollback(True)
        make_image("kept.png")
    request_finished.send(None)

    assert len(files_of(media_root)) == 5
    assert all("kept" in name for name in files_of(media_root))
    assert entries(folder) == []


def test_leaves_a_running_transaction_alone(folder: Path, media_root: Path) -> None:
    with transaction.atomic():
        make_image()
        settle()

        assert recover() == 0
        assert len(files_of(media_root)) == 5
        assert len(entries(folder)) == 1

    assert len(files_of(media_root)) == 5
    assert entries(folder) == []


def test_removes_what_a_request_of_the_admin_site_stored_and_rolled_back(
    admin: User, site_for: Callable[[User], Site], folder: Path, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from folio.media.admin import MediaAdmin

    def fail(*args: Any, **kwargs: Any) -> None:
        raise Broken

    monkeypatch.setattr(MediaAdmin, "log_addition", fail)
    site = site_for(admin)
    site.raise_request_exception = False

    response = site.post("/admin/media/media/add/", {"file": SimpleUploadedFile("photo.png", draw())})

    assert response.status_code == 500
    assert not Media.objects.exists()
    assert files_of(media_root) == []
    assert entries(folder) == []


def test_writes_files_before_the_transaction_in_an_operation(folder: Path, media_root: Path) -> None:
    media = make_image()
    first = str(media.file)

    with removed_on_failure(default_storage) as written:
        name = write(default_storage, NAME, ContentFile(b"content"), written)
        assert name in entries(folder)[0].read_text()
        with transaction.atomic():
            record(first)
            media.file = name
            media.save()
        assert NAME in files_of(media_root)

    assert NAME in files_of(media_root)
    assert first not in files_of(media_root)
    assert len(files_of(media_root)) == 5
    assert entries(folder) == []


def test_removes_what_an_operation_wrote_that_fails_before_its_transaction(folder: Path, media_root: Path) -> None:
    def change() -> None:
        with removed_on_failure(default_storage) as written:
            write(default_storage, NAME, ContentFile(b"content"), written)
            raise Broken

    with pytest.raises(Broken):
        change()

    assert files_of(media_root) == []
    assert entries(folder) == []


def test_takes_no_name_outside_of_operations_and_transactions() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        claim(default_storage, NAME)
    with pytest.raises(transaction.TransactionManagementError):
        record(NAME)


def test_looks_again_later_where_the_database_could_not_be_asked(
    folder: Path, media_root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(names: Any) -> Any:
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "unreferred", fail)
        kept = make_image("kept.png")
        with transaction.atomic():
            make_image("gone.png")
            transaction.set_rollback(True)
        request_finished.send(None)
        assert len(files_of(media_root)) == 10
        assert "Could not ask the database which files are used" in caplog.text

    request_finished.send(None)

    assert len(files_of(media_root)) == 5
    assert default_storage.exists(str(kept.file))
    assert entries(folder) == []


# After its death


def test_removes_what_dead_processes_left_undecided(folder: Path, media_root: Path) -> None:
    media = make_image()
    store(NAME)
    store("core_media/2026/03/02/other.png")
    leave_entry(folder, NAME, str(media.file), "core_media/2026/03/02/never_written.png")
    leave_entry(folder, *media.thumbnails.values_list("file", flat=True))

    assert recover() == 2

    assert len(files_of(media_root)) == 6  # what nobody has put on record is not touched
    assert not default_storage.exists(NAME)
    assert entries(folder) == []
    assert recover() == 0


def test_reads_an_entry_whose_writer_was_killed_as_it_wrote(folder: Path) -> None:
    store(NAME)
    store("core_media/2026/03/02/other.png")
    path = leave_entry(folder, NAME)
    path.write_text(path.read_text() + '"core_media/2026/03/02/oth')
    leave_entry(folder)

    assert recover() == 2

    assert not default_storage.exists(NAME)
    assert default_storage.exists("core_media/2026/03/02/other.png")


def test_leaves_to_a_living_process_what_is_its_own(folder: Path) -> None:
    store(NAME)
    path = leave_entry(folder, NAME)

    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert recover() == 0
        assert default_storage.exists(NAME)

    assert recover() == 1
    assert not default_storage.exists(NAME)


def test_does_nothing_twice_that_another_process_has_just_worked_off(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its names may be taken anew by now, and their rows not yet be committed."""
    store(NAME)
    path = leave_entry(folder, NAME)
    flock = fcntl.flock

    def lock_late(descriptor: int, flags: int) -> None:
        if flags & fcntl.LOCK_NB:
            path.unlink()
        flock(descriptor, flags)

    monkeypatch.setattr(fcntl, "flock", lock_late)

    assert recover() == 0

    assert default_storage.exists(NAME)


def test_keeps_an_entry_until_its_last_file_is_removed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = "core_media/2026/03/02/other.png"
    store(NAME)
    store(other)
    leave_entry(folder, NAME, other)
    delete = FileSystemStorage.delete

    def fail_once(storage: FileSystemStorage, name: str) -> None:
        if name == other:
            raise PermissionError("not yours")
        delete(storage, name)

    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "delete", fail_once)
        recover()

    assert "not yours" in caplog.text
    assert (default_storage.exists(NAME), default_storage.exists(other)) == (False, True)
    assert len(entries(folder)) == 1

    recover()

    assert not default_storage.exists(other)
    assert entries(folder) == []


def test_keeps_all_where_the_database_can_t_be_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(names: Any) -> Any:
        raise OperationalError("gone")

    store(NAME)
    leave_entry(folder, NAME)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "unreferred", fail)
        with pytest.raises(OperationalError):
            recover()

    assert default_storage.exists(NAME)
    assert recover() == 1
    assert not default_storage.exists(NAME)


def test_asks_for_many_names_at_once(folder: Path, django_assert_max_num_queries: Any) -> None:
    media = make_image()
    leave_entry(folder, str(media.file), *(f"core_media/2026/03/02/{number}.png" for number in range(1200)))

    with django_assert_max_num_queries(10):
        assert recover() == 1

    assert default_storage.exists(str(media.file))


# Names


def test_takes_no_name_that_is_undecided(folder: Path, settings: Any) -> None:
    """On a storage that overwrites, too: else what an interrupted deletion removes would be another's file."""
    default = {**settings.STORAGES["default"], "OPTIONS": {"allow_overwrite": True}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    leave_entry(folder, NAME)

    with operation():
        names = [claim(default_storage, NAME) for _ in range(3)]
        assert len({NAME, *names}) == 4
        assert all(name.startswith("core_media/2026/03/02/photo_") for name in names)
    recover()
    with operation():
        assert claim(default_storage, NAME) == NAME


def test_records_the_other_name_that_a_storage_chose(folder: Path, media_root: Path) -> None:
    """As where another program puts a file there between the choice of the name and the writing."""
    foreign = ContentFile(b"foreign")
    save = FileSystemStorage.save

    class Raced(FileSystemStorage):
        def save(self, name: Any, content: Any, max_length: Any = None) -> str:
            if not self.exists(name):
                save(self, name, foreign)
            return save(self, name, content, max_length)

    with removed_on_failure(default_storage) as written:
        name = write(Raced(), NAME, ContentFile(b"ours"), written)
        assert name != NAME
        assert name in files_of(media_root)
        assert json.dumps(name) in entries(folder)[0].read_text()

    assert name not in files_of(media_root)  # no row was written that refers to it


# Uploads that are still being received


def test_removes_the_temporary_files_of_dead_processes(settings: Any, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    (tmp_path / "tmp1.upload.png").write_bytes(b"half")
    (tmp_path / "tmp2.upload").write_bytes(b"half")
    (tmp_path / "notes.txt").write_bytes(b"someone's")
    handler = journal.UploadHandler()
    handler.new_file("file", "photo.png", "image/png", 100)
    living = Path(handler.file.temporary_file_path())

    assert recover() == 2

    assert sorted(path.name for path in tmp_path.glob("*.*")) == sorted(["notes.txt", living.name])
    handler.file.close()
    assert not living.exists()


def test_receives_large_uploads_on_the_disk_of_the_media_and_locked(
    client: Any, settings: Any, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[TemporaryUploadedFile] = []
    recovered: list[int] = []

    def look(file: Any, **fields: Any) -> Media:
        received.append(file)
        recovered.append(recover())
        return store_upload(file, **fields)

    monkeypatch.setattr("folio.media.serializers.store_upload", look)
    content = b"some words\n" * 20_000

    response = client.post("/api/media/", {"file": SimpleUploadedFile("notes.txt", content)}, format="multipart")

    assert response.status_code == 201
    assert Path(received[0].temporary_file_path()).parent == settings.FILE_UPLOAD_TEMP_DIR
    assert recovered == [0]
    [stored] = media_root.rglob("*.txt")
    assert stored.read_bytes() == content
    assert list(settings.FILE_UPLOAD_TEMP_DIR.iterdir()) == []


def test_stops_receiving_at_what_no_request_may_have(settings: Any, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    settings.MAX_UPLOAD_SIZE = 100_000
    handler = journal.UploadHandler()
    handler.new_file("file", "photo.png", "image/png", 100)
    handler.receive_data_chunk(b"x" * 100_000, 0)

    with pytest.raises(RequestDataTooBig, match="larger than 100000 bytes, the most that is accepted"):
        handler.receive_data_chunk(b"x" * 100_000, 100_000)

    assert os.stat(handler.file.temporary_file_path()).st_size <= 100_000
    handler.file.close()
