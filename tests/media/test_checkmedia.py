"""`folio checkmedia` finds rows without files, files without rows, wrong sizes and digests, and repairs what it can."""

from __future__ import annotations  # ContentFile[bytes] means something to type checkers only

import hashlib
import os
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, default_storage
from django.core.management import CommandError, call_command

from folio.media.checking import Kind, StoredFile, check_files
from folio.media.models import Media, Thumbnail
from folio.media.renewing import measure
from folio.media.uploads import store_upload
from tests.environment import run_folio
from tests.factories import draw, make_image, make_media
from tests.live import begin

from .checked import assert_all_is_well, checkmedia, checkmedia_fails, make_large, path_of, stored_files

pytestmark = pytest.mark.django_db(transaction=True)  # files go once a transaction is committed

STRAY = "core_media/2026/03/02/stray.jpg"
STRAY_THUMBNAIL = "core_media/2026/03/02/thumbnails/stray_thumbnail_64x64.jpg"


def make_text() -> Media:
    return store_upload(ContentFile(b"Hello, dear reader.\n", name="letter.txt"))


def put(root: Path, name: str, content: bytes = b"content", age: timedelta = timedelta(hours=2)) -> Path:
    """Put a file into the storage behind the program's back."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    moment = time.time() - age.total_seconds()
    os.utime(path, (moment, moment))
    return path


def test_finds_nothing_wrong_where_nothing_is(media_root: Path) -> None:
    make_image()
    make_large()
    make_text()

    assert checkmedia().splitlines()[-1] == "Checked 3 media and 11 files: nothing is wrong."


def test_finds_nothing_wrong_where_nothing_was_uploaded_yet(media_root: Path) -> None:
    assert checkmedia() == "Checked 0 media and 0 files: nothing is wrong.\n"


def test_changes_nothing_without_being_told(media_root: Path) -> None:
    media = make_large()
    path_of(media.thumbnails.get(size=64)).unlink()
    Media.objects.update(size=1)
    put(media_root, STRAY)
    put(media_root, STRAY_THUMBNAIL)
    before = list(Media.objects.values()), list(Thumbnail.objects.values()), stored_files(media_root)

    checkmedia_fails()

    assert (list(Media.objects.values()), list(Thumbnail.objects.values()), stored_files(media_root)) == before


# Rows without files


@pytest.mark.parametrize("arguments", [[], ["--repair"], ["--repair", "--delete-orphans"]])
def test_reports_a_media_without_its_file_and_keeps_it(arguments: list[str]) -> None:
    gone, kept = make_image("gone.png"), make_image("kept.png")
    path_of(gone).unlink()

    report, summary = checkmedia_fails(*arguments)

    assert f"{Kind.NO_FILE} (1)\n  media {gone.pk}, {gone.file.name}: is not there\n" in report
    assert "kept.png" not in report
    assert summary == "Checked 2 media and 9 files. Faults: 1, of them repaired: 0."
    assert set(Media.objects.all()) == {gone, kept}
    assert gone.thumbnails.count() == 4


def test_reports_rows_that_name_no_file_of_the_storage() -> None:
    for name in ("", "../../etc/passwd", "core_media"):
        make_media(type="other", mime_type="application/json", file=name)

    report, _ = checkmedia_fails()

    assert f"{Kind.NO_FILE} (3)" in report


def test_reports_thumbnails_that_can_t_be_made_for_want_of_an_original() -> None:
    media = make_image()
    path_of(media).unlink()
    media.thumbnails.filter(size=64).delete()

    report, summary = checkmedia_fails("--repair")

    assert f"media {media.pk}, 64x64: does not exist" in report
    assert summary.endswith("Faults: 2, of them repaired: 0.")


# Files without rows


def test_reports_files_without_a_row(media_root: Path) -> None:
    make_image()
    put(media_root, STRAY, bytes(2048))
    put(media_root, STRAY_THUMBNAIL)

    report, summary = checkmedia_fails()

    assert f"{Kind.FILE_LEFT} (1)\n  {STRAY}: 2 KB\n" in report
    assert f"{Kind.THUMBNAIL_LEFT} (1)\n  {STRAY_THUMBNAIL}: 7 bytes\n" in report
    assert summary == "Checked 1 media and 7 files. Faults: 2, of them repaired: 0."


def test_repairs_thumbnails_without_a_row_and_leaves_originals(media_root: Path) -> None:
    media = make_image()
    put(media_root, STRAY)
    put(media_root, STRAY_THUMBNAIL)

    report, summary = checkmedia_fails("--repair")

    assert f"{STRAY_THUMBNAIL}: 7 bytes - repaired" in report
    assert summary.endswith("Faults: 2, of them repaired: 1.")
    assert (media_root / STRAY).exists()
    assert not (media_root / STRAY_THUMBNAIL).exists()
    assert path_of(media).exists()


@pytest.mark.parametrize("arguments", [["--delete-orphans"], ["--repair", "--delete-orphans"]])
def test_deletes_originals_without_a_row_where_told(media_root: Path, arguments: list[str]) -> None:
    make_image()
    put(media_root, STRAY)
    put(media_root, STRAY_THUMBNAIL)

    assert checkmedia(*arguments).endswith("Checked 1 media and 7 files. Faults: 2, all of them repaired.\n")
    assert_all_is_well(media_root)


def test_does_not_take_an_original_for_a_thumbnail_by_its_name(media_root: Path) -> None:
    name = "core_media/2026/03/02/stray_thumbnail_64x64.jpg"
    put(media_root, name)

    checkmedia_fails("--repair")

    assert (media_root / name).exists()


def test_leaves_files_alone_that_an_upload_may_just_have_written(media_root: Path) -> None:
    path = put(media_root, STRAY, age=timedelta(minutes=55))

    checkmedia("--repair", "--delete-orphans")
    assert path.exists()
    checkmedia("--delete-orphans", "--min-age", "50")
    assert not path.exists()


def test_leaves_files_alone_that_are_not_in_folio_s_folder(media_root: Path) -> None:
    path = put(media_root, "lost+found/important.jpg")

    checkmedia("--repair", "--delete-orphans")

    assert path.exists()


def test_reports_files_whose_names_are_no_text(media_root: Path) -> None:
    make_image()
    path = os.fsencode(media_root / "core_media") + b"/\xff\xfe.jpg"
    try:
        Path(os.fsdecode(path)).write_bytes(b"content")
    except OSError:
        pytest.skip("This file system takes names in UTF-8 only")

    report, _ = checkmedia_fails("--min-age", "0")

    assert r"core_media/\udcff\udcfe.jpg: 7 bytes" in report


def test_a_row_that_comes_while_files_are_looked_at_keeps_its_file(
    media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(media_root, STRAY)
    get_modified_time = default_storage.get_modified_time

    def commit_meanwhile(name: str) -> Any:
        make_media(file=STRAY)
        return get_modified_time(name)

    monkeypatch.setattr(default_storage, "get_modified_time", commit_meanwhile)

    assert check_files([StoredFile(default_storage, STRAY)], delete_originals=True) == []
    assert (media_root / STRAY).exists()


# Sizes and digests


def test_tells_how_many_digests_are_not_known_yet() -> None:
    make_text()
    Media.objects.update(sha256="")

    assert checkmedia().splitlines() == [
        "The digests of 1 media are not known yet; --repair fills in those it can.",
        "Checked 1 media and 1 files: nothing is wrong.",
    ]
    assert Media.objects.get().sha256 == ""


def test_fills_in_a_digest_that_is_not_known_yet() -> None:
    make_text()
    Media.objects.update(sha256="")

    checkmedia("--repair")

    assert Media.objects.get().sha256 == hashlib.sha256(b"Hello, dear reader.\n").hexdigest()


def test_corrects_a_size_where_the_digest_is_right() -> None:
    media = make_text()
    Media.objects.update(size=19)

    report, _ = checkmedia_fails()
    assert f"{Kind.WRONG_SIZE} (1)\n  media {media.pk}, {media.file.name}: has 20 bytes, in the database 19\n" in report

    checkmedia("--repair")
    assert Media.objects.get().size == 20
    assert "nothing is wrong" in checkmedia()


def test_reports_a_file_of_another_content_and_keeps_its_digest() -> None:
    media = make_text()
    path_of(media).write_bytes(b"Hello, dear hacker.\n")
    before = Media.objects.values().get()

    report, _ = checkmedia_fails("--repair", "--delete-orphans")

    assert f"{Kind.CHANGED} (1)\n  media {media.pk}, {media.file.name}: has another content" in report
    assert Media.objects.values().get() == before
    assert path_of(media).read_bytes() == b"Hello, dear hacker.\n"


def test_reports_a_file_that_was_cut_off_before_its_digest_was_known() -> None:
    media = make_text()
    Media.objects.update(sha256="")
    os.truncate(path_of(media), 7)

    report, _ = checkmedia_fails("--repair")

    assert f"{Kind.CHANGED} (1)\n  media {media.pk}, {media.file.name}: has 7 bytes, in the database 20\n" in report
    assert Media.objects.get().sha256 == ""
    assert Media.objects.get().size == 20


def test_makes_no_thumbnails_of_a_file_of_another_content() -> None:
    media = make_image()
    path_of(media).write_bytes(draw((50, 20)))
    media.thumbnails.get(size=64).delete()

    report, summary = checkmedia_fails("--repair")

    assert f"media {media.pk}, 64x64: does not exist" in report
    assert summary.endswith("Faults: 2, of them repaired: 0.")
    assert media.thumbnails.count() == 3


# Another storage


class Elsewhere(Storage):
    """A storage whose files have no paths on this machine."""

    def __init__(self) -> None:
        self.local = FileSystemStorage()
        for name in ("delete", "exists", "get_modified_time", "listdir", "save", "size"):
            setattr(self, name, getattr(self.local, name))

    def _open(self, name: str, mode: str) -> ContentFile[bytes]:
        with self.local.open(name, mode) as file:
            return ContentFile(file.read())


def test_works_on_a_storage_that_is_no_folder(settings: Any) -> None:
    elsewhere = {"BACKEND": f"{__name__}.{Elsewhere.__name__}"}
    settings.STORAGES = {**settings.STORAGES, "default": elsewhere}
    media, gone = make_large(), make_image()
    default_storage.save(STRAY, ContentFile(b"content"))
    default_storage.delete(str(media.thumbnails.get(size=512).file))
    default_storage.delete(str(gone.file))

    report, summary = checkmedia_fails("--repair", "--delete-orphans", "--min-age", "0")

    assert f"{Kind.NO_FILE} (1)\n  media {gone.pk}, {gone.file.name}: is not there\n" in report
    assert summary == "Checked 2 media and 10 files. Faults: 3, of them repaired: 2."
    assert not default_storage.exists(STRAY)
    assert default_storage.exists(str(media.thumbnails.get(size=512).file))


# The command


def test_ends_with_the_status_1_where_anything_is_wrong(tmp_path: Path) -> None:
    begin(tmp_path)
    put(tmp_path / "media", STRAY)

    done = run_folio("checkmedia", folder=tmp_path)

    assert done.returncode == 1
    assert done.stdout == f"{Kind.FILE_LEFT} (1)\n  {STRAY}: 7 bytes\n"
    assert done.stderr == "CommandError: Checked 0 media and 1 files. Faults: 1, of them repaired: 0.\n"
    assert run_folio("checkmedia", "--delete-orphans", folder=tmp_path).returncode == 0


def test_tells_what_it_has_found_when_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make_image("first.png"), make_image("second.png")
    path_of(first).unlink()

    def interrupt(media: Media) -> Any:
        if media == second:
            raise KeyboardInterrupt
        return measure(media)

    monkeypatch.setattr("folio.media.checking.measure", interrupt)
    stdout = StringIO()

    with pytest.raises(CommandError, match="Interrupted") as caught:
        call_command("checkmedia", stdout=stdout, no_color=True)

    assert caught.value.returncode == 130
    assert f"media {first.pk}, {first.file.name}: is not there" in stdout.getvalue()


@pytest.mark.parametrize("minutes", ["-1", "x", "1.5", "", "²", "9" * 8])
def test_refuses_a_least_age_that_is_no_number_of_minutes(minutes: str) -> None:
    with pytest.raises(CommandError, match="is no number of minutes from 0 to 9999999"):
        checkmedia(f"--min-age={minutes}")
