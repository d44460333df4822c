"""`folio checkmedia` knows what is kept for a while, and finds what should be gone."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.utils import timezone

from folio.media import removing
from folio.media.holding import hold
from folio.media.models import RemovedFile
from folio.media.replacing import replace_file
from folio.media.sizes import human_readable_size
from tests.factories import make_image

from .checked import checkmedia, checkmedia_fails
from .stored import stored_files, upload

pytestmark = pytest.mark.django_db(transaction=True)


def be_late(hours: float) -> None:
    RemovedFile.objects.update(remove_at=timezone.now() - timedelta(hours=hours))


def test_what_is_kept_is_neither_left_over_nor_missing(media_root: Path) -> None:
    media = upload(b"x" * 1024, "a.txt")
    replace_file(media.pk, ContentFile(b"y" * 1024, name="b.txt"))
    make_image().delete()
    gone = upload(b"words", "gone.txt")
    gone.delete()
    (media_root / str(gone.file)).unlink()

    told = checkmedia("--min-age", "0", "--repair", "--delete-orphans").splitlines()

    names = RemovedFile.objects.exclude(name=str(gone.file)).values_list("name", flat=True)
    size = sum((media_root / name).stat().st_size for name in names)
    assert told == [
        f"Replaced and deleted files that are served until their time comes: 6, of {human_readable_size(size)}.",
        "Checked 1 media and 7 files: nothing is wrong.",
    ]
    assert len(stored_files(media_root)) == 7


def test_counts_what_goes_with_a_file(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "companions", [lambda name: [f"{name}.variant", f"{name}.unmade"]])
    media = upload(b"words", "a.txt")
    (media_root / f"{media.file}.variant").write_bytes(b"y" * 95)
    media.delete()

    assert "until their time comes: 1, of 100 bytes." in checkmedia()


def test_what_waits_for_the_end_of_a_backup_is_not_late(media_root: Path) -> None:
    upload(b"words", "a.txt").delete()
    be_late(5)

    with hold():
        assert "until their time comes: 1, of 5 bytes." in checkmedia("--repair")
    assert len(stored_files(media_root)) == 1

    assert "was to go at" in checkmedia_fails()[0]


def test_what_is_due_within_the_hour_may_still_go_by_itself(media_root: Path) -> None:
    upload(b"words", "a.txt").delete()
    be_late(0.5)

    assert "until their time comes: 1, of 5 bytes." in checkmedia()


def test_finds_what_should_be_gone_and_removes_it_where_it_is_told_to(media_root: Path) -> None:
    media = upload(b"words", "a.txt")
    media.delete()
    be_late(2)
    due = RemovedFile.objects.get().remove_at

    told, last = checkmedia_fails("--delete-orphans", "--min-age", "0")

    fault = f"  {media.file}: 5 bytes, was to go at {due:%Y-%m-%d %H:%M} UTC"
    head = "Files that should have been removed by now: --repair removes them (1)"
    assert told.splitlines() == [head, fault]
    assert last == "Checked 0 media and 1 files. Faults: 1, of them repaired: 0."
    assert stored_files(media_root) == [str(media.file)]

    assert checkmedia("--repair").splitlines() == [
        head,
        f"{fault} - repaired",
        "Checked 0 media and 1 files. Faults: 1, all of them repaired.",
    ]
    assert stored_files(media_root) == []
    assert not RemovedFile.objects.exists()


def test_says_what_can_not_be_removed(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media = upload(b"words", "a.txt")
    media.delete()
    be_late(2)

    def refuse(*arguments: Any) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "delete", refuse)
        _, last = checkmedia_fails("--repair")

    assert last == "Checked 0 media and 1 files. Faults: 1, of them repaired: 0."
    assert stored_files(media_root) == [str(media.file)]
