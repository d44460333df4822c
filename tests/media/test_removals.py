"""What was replaced or deleted is served until its time comes, and is gone then: exactly, whatever happens between."""

from collections.abc import Iterable
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from folio.media import journal, removing
from folio.media.holding import PLACES, Held, hold, is_held
from folio.media.journal import recover
from folio.media.models import FormerName, Media, RemovedFile, Thumbnail
from folio.media.removals import at_once, shorten
from folio.media.removing import TASK
from folio.media.renewing import complete, image_decoders
from folio.media.replacing import replace_file
from folio.media.uploads import store_upload
from folio.tasks.models import State, Task
from folio.tasks.registry import kinds
from folio.tasks.runner import Runner
from tests.conftest import Client
from tests.factories import draw, make_image

from .stored import stored_files, upload

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/media/"
GRACE = timedelta(days=7)


@pytest.fixture(autouse=True)
def runner(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Who removes files, and leaves what else there may be to do."""
    monkeypatch.setattr("folio.tasks.runner.kinds", {TASK: kinds[TASK]})
    runner = Runner()
    yield runner
    runner.close_leases()


def let_time_pass() -> None:
    """Have the time of all that is kept come."""
    past = timezone.now() - timedelta(seconds=1)
    RemovedFile.objects.update(remove_at=past)
    tasks().update(due_at=past)


def tasks() -> Any:
    return Task.objects.filter(name=TASK)


def names_of(media: Media) -> set[str]:
    return {str(media.file), *(str(thumbnail.file) for thumbnail in media.thumbnails.all())}


def status(name: str) -> int:
    with closing(Site().get(f"/media/{name}")) as response:
        return response.status_code


def statuses(names: Iterable[str]) -> set[int]:
    return {status(name) for name in names}


# How long


def test_the_urls_of_a_deleted_media_answer_until_their_time_comes(
    client: Client, media_root: Path, runner: Runner
) -> None:
    media, other = make_image(), make_image("other.png")
    names = names_of(media)

    assert client.delete(f"{PATH}{media.pk}/").status_code == 204

    assert client.get(f"{PATH}{media.pk}/").status_code == 404
    assert statuses(names) == {200}
    assert set(RemovedFile.objects.values_list("name", flat=True)) == names
    left = {row.remove_at - timezone.now() for row in RemovedFile.objects.all()}
    assert all(GRACE - timedelta(minutes=1) < each <= GRACE for each in left)
    assert runner.run_due() == 0
    assert runner.next_due() == min(RemovedFile.objects.values_list("remove_at", flat=True))

    let_time_pass()
    assert runner.run_due() == 1

    assert statuses(names) == {404}
    assert set(stored_files(media_root)) == names_of(other)
    assert not RemovedFile.objects.exists()
    assert not tasks().exists()


def test_what_is_due_stays_while_a_backup_reads_the_files(client: Client, media_root: Path, runner: Runner) -> None:
    media, other = make_image(), make_image("other.png")
    names = names_of(media)
    assert client.delete(f"{PATH}{media.pk}/").status_code == 204
    let_time_pass()

    with hold(), hold():
        assert runner.run_due() == 1
        now = timezone.now()

        assert statuses(names) == {200}
        assert now < tasks().get().due_at <= now + timedelta(minutes=1)
        assert client.delete(f"{PATH}{other.pk}/?now=true").status_code == 204  # what nobody may see has to go
        assert set(stored_files(media_root)) == names

    tasks().update(due_at=timezone.now())
    assert runner.run_due() == 1
    assert statuses(names) == {404}
    assert not tasks().exists()


def test_so_many_hold_files_and_no_more() -> None:
    with ExitStack() as stack:
        for _ in PLACES:
            stack.enter_context(hold())
        with pytest.raises(Held), hold():
            pytest.fail("There was a place for one more.")

    assert not is_held()


def test_the_urls_of_a_replaced_file_answer_until_their_time_comes(client: Client, runner: Runner) -> None:
    media = make_image()
    old = names_of(media)
    file = SimpleUploadedFile("new.png", draw((300, 200)))

    assert client.put(f"{PATH}{media.pk}/file/", {"file": file}, format="multipart").status_code == 200

    media.refresh_from_db()
    new = names_of(Media.objects.get())
    assert not old & new
    assert statuses(old | new) == {200}
    let_time_pass()
    runner.run_due()
    assert (statuses(old), statuses(new)) == ({404}, {200})


def test_thumbnails_that_are_made_anew_leave_the_old_ones_for_a_while(runner: Runner) -> None:
    media = make_image()
    old = names_of(media)

    assert complete(media.pk, image_decoders(1), anew=True)

    new = names_of(Media.objects.get())
    assert old & new == {str(media.file)}
    assert statuses(old | new) == {200}
    let_time_pass()
    runner.run_due()
    assert statuses(new) == {200}
    assert statuses(old - new) == {404}


def test_each_file_has_a_time_of_its_own(media_root: Path, runner: Runner) -> None:
    first, second = upload(b"first words", "first.txt"), upload(b"second words", "second.txt")
    first.delete()
    let_time_pass()
    second.delete()

    assert runner.run_due() == 1

    assert stored_files(media_root) == [str(second.file)]
    [task] = tasks()
    assert (task.state, task.due_at) == (State.WAITING, RemovedFile.objects.get().remove_at)


def test_without_a_grace_files_go_with_the_commit(media_root: Path, settings: Any) -> None:
    settings.KEEP_REMOVED = timedelta(0)
    media = make_image()

    media.delete()

    assert stored_files(media_root) == []
    assert not RemovedFile.objects.exists()
    assert not tasks().exists()


@pytest.mark.parametrize(("grace", "is_due"), [(timedelta(0), True), (timedelta(hours=1), False)])
def test_a_grace_that_is_made_shorter_is_good_for_what_waits(
    grace: timedelta, is_due: bool, media_root: Path, settings: Any, runner: Runner
) -> None:
    upload(b"words", "a.txt").delete()
    settings.KEEP_REMOVED = grace

    shorten()  # as the next start of the server

    assert RemovedFile.objects.get().remove_at <= timezone.now() + grace
    assert runner.next_due() == RemovedFile.objects.get().remove_at
    runner.run_due()
    assert stored_files(media_root) == [] if is_due else [str(RemovedFile.objects.get())]


def test_a_grace_that_is_made_longer_is_good_for_what_is_removed_from_then_on(settings: Any) -> None:
    upload(b"words", "a.txt").delete()
    before = RemovedFile.objects.get().remove_at
    settings.KEEP_REMOVED = timedelta(days=30)

    shorten()

    assert RemovedFile.objects.get().remove_at == before


def test_a_start_takes_up_what_waits_without_a_task(media_root: Path, runner: Runner) -> None:
    upload(b"words", "a.txt").delete()
    let_time_pass()
    tasks().delete()

    shorten()
    runner.run_due()

    assert stored_files(media_root) == []


# At once


@pytest.mark.parametrize("path", ["?now=true", "?now=true&detach=true"])
def test_now_removes_a_media_with_all_that_it_ever_was(client: Client, media_root: Path, path: str) -> None:
    media, other = make_image(), upload(b"words", "other.txt")
    replace_file(media.pk, ContentFile(draw((200, 200)), name="new.png"))
    other.delete()
    assert RemovedFile.objects.filter(media_id=media.pk).count() == 5

    assert client.delete(f"{PATH}{media.pk}/{path}").status_code == 204

    assert stored_files(media_root) == [str(other.file)], "that of another media has its time"
    assert [row.name for row in RemovedFile.objects.all()] == [str(other.file)]


def test_now_removes_what_a_file_replaces(client: Client, media_root: Path) -> None:
    media = make_image()
    file = SimpleUploadedFile("new.png", draw((300, 200)))

    assert client.put(f"{PATH}{media.pk}/file/?now=true", {"file": file}, format="multipart").status_code == 200

    assert set(stored_files(media_root)) == names_of(Media.objects.get())
    assert not RemovedFile.objects.exists()


@pytest.mark.parametrize("value", ["yes", "2", "true&now=true"])
def test_now_is_a_strict_boolean(client: Client, value: str) -> None:
    media = upload(b"words", "a.txt")

    response = client.delete(f"{PATH}{media.pk}/?now={value}")

    assert response.status_code == 400
    assert list(response.json()) == ["now"]
    assert Media.objects.exists()


def test_now_false_keeps_the_grace(client: Client) -> None:
    media = upload(b"words", "a.txt")

    client.delete(f"{PATH}{media.pk}/?now=false")

    assert status(str(media.file)) == 200


def test_at_once_ends_with_its_block() -> None:
    with at_once(), at_once(False):
        upload(b"words", "a.txt").delete()
    media = upload(b"words", "b.txt")
    media.delete()

    assert [row.name for row in RemovedFile.objects.all()] == [str(media.file)]


# Whatever happens between


def test_a_deletion_that_is_rolled_back_leaves_all_as_it_was(media_root: Path, runner: Runner) -> None:
    media = make_image()
    for is_now in (True, False):
        with transaction.atomic(), at_once(is_now):
            Media.objects.get().delete()
            transaction.set_rollback(True)
    with transaction.atomic():
        with transaction.atomic():
            Media.objects.get().delete()
            transaction.set_rollback(True)
        Media.objects.update(alt="After it")

    assert not RemovedFile.objects.exists()
    assert not tasks().exists()
    assert runner.run_due() == 0
    assert set(stored_files(media_root)) == names_of(Media.objects.get()) == names_of(media)


def test_of_two_deletions_of_one_media_the_second_finds_none(client: Client, runner: Runner, media_root: Path) -> None:
    media = make_image()

    assert [client.delete(f"{PATH}{media.pk}/").status_code for _ in range(2)] == [204, 404]

    assert RemovedFile.objects.count() == 5
    let_time_pass()
    runner.run_due()
    assert stored_files(media_root) == []


def test_a_file_that_is_gone_already_is_no_failure(media_root: Path, runner: Runner) -> None:
    media = upload(b"words", "a.txt")
    media.delete()
    (media_root / str(media.file)).unlink()
    let_time_pass()

    assert runner.run_due() == 1
    assert not tasks().exists()
    assert not RemovedFile.objects.exists()


def test_what_a_restored_database_shows_again_is_not_removed(media_root: Path, runner: Runner) -> None:
    """A database from before the deletion, beside the list of what was removed after it, as rows that were put back."""
    media = upload(b"words", "a.txt")
    row = Media.objects.get()
    media.delete()
    row.save(force_insert=True)
    let_time_pass()

    runner.run_due()

    assert stored_files(media_root) == [str(row.file)]
    assert status(str(row.file)) == 200
    assert not RemovedFile.objects.exists()


def test_a_deletion_within_the_grace_can_be_undone_from_a_backup(media_root: Path, runner: Runner) -> None:
    """The rows of before come back, and their files are there: a backup of the database may be older than the files."""
    media = make_image()
    backup = [*Media.objects.all(), *Thumbnail.objects.all()]
    media.delete()
    for model in (Media, RemovedFile, Task):
        model._default_manager.all().delete()
    for row in backup:
        row.save(force_insert=True)
    recover()
    runner.run_due()

    assert statuses(names_of(Media.objects.get())) == {200}


def test_the_journal_leaves_what_is_kept(media_root: Path, settings: Any) -> None:
    """An entry that a dead process left names it still, as that of its upload does."""
    media = upload(b"words", "a.txt")
    media.delete()
    folder = Path(settings.JOURNAL_ROOT)
    folder.mkdir(exist_ok=True)
    (folder / "left.entry").write_text(f'"{media.file}"\n')

    assert recover() == 1

    assert stored_files(media_root) == [str(media.file)]


def test_no_other_file_gets_the_name_of_one_that_is_kept_or_was(runner: Runner) -> None:
    names = []
    for _ in range(3):
        media = upload(b"words", "a.txt")
        names.append(str(media.file))
        media.delete()
        let_time_pass()
        if len(names) == 2:
            runner.run_due()

    assert len(set(names)) == 3
    assert FormerName.objects.count() == 3


def test_a_file_that_can_not_be_removed_is_tried_again_and_holds_up_no_other(
    media_root: Path, runner: Runner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, other = upload(b"words", "stuck.txt"), upload(b"words", "other.txt")
    for media in (stuck, other):
        media.delete()
    let_time_pass()
    delete = FileSystemStorage.delete

    def refuse(storage: FileSystemStorage, name: str) -> None:
        if "stuck" in name:
            raise PermissionError(name)
        delete(storage, name)

    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "delete", refuse)
        assert runner.run_due() == 1

    assert stored_files(media_root) == [str(stuck.file)]
    task = tasks().get()
    assert (task.state, task.error) == (
        State.WAITING,
        "NotRemoved: Files that could not be removed: 1. The log says why.",
    )
    assert f"Could not remove {stuck.file}" in caplog.text
    let_time_pass()
    runner.run_due()
    assert stored_files(media_root) == []


def test_on_a_full_disk_deleting_goes_on_and_now_makes_room(
    client: Client, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = upload(b"words", "kept.txt"), upload(b"words", "gone.txt")
    monkeypatch.setattr(journal, "RESERVE", 2**63)

    assert client.delete(f"{PATH}{kept.pk}/").status_code == 204
    assert client.delete(f"{PATH}{gone.pk}/?now=true").status_code == 204

    assert stored_files(media_root) == [str(kept.file)]


def test_what_belongs_to_a_file_goes_with_it(
    media_root: Path, runner: Runner, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """As the variants of a picture, of which no row knows."""

    def variants(name: str) -> list[str]:
        return [f"{name}.variant"] if name.endswith(".png") else []

    monkeypatch.setattr(removing, "companions", [variants])
    first, second = make_image("first.png"), make_image("second.png")
    for media in (first, second):
        (media_root / f"{media.file}.variant").write_bytes(b"variant")
    first.delete()
    with at_once():
        second.delete()

    assert [name for name in stored_files(media_root) if name.endswith(".variant")] == [f"{first.file}.variant"]
    assert status(f"{first.file}.variant") == 200
    let_time_pass()
    runner.run_due()
    assert stored_files(media_root) == []


def test_many_files_go_in_one_attempt(media_root: Path, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("folio.media.removals.BATCH", 2)
    for number in range(5):
        store_upload(ContentFile(b"words", name=f"{number}.txt")).delete()
    let_time_pass()

    assert runner.run_due() == 1
    assert stored_files(media_root) == []


def test_what_a_grace_costs_a_deletion(client: Client, settings: Any) -> None:
    """For each file its name, and a look for the task that waits already."""
    costs = []
    for grace in (GRACE, GRACE, timedelta(0)):
        settings.KEEP_REMOVED = grace
        media = make_image()
        with CaptureQueriesContext(connection) as queries:
            client.delete(f"{PATH}{media.pk}/")
        costs.append(len(queries))

    assert costs[1] <= costs[2] + 10
