"""`folio checkmedia` of media in a bucket: each kind of fault is found by lists and checksums, and repaired alike."""

import pytest
from django.core.files.base import ContentFile

from folio.media import bucket as asked
from folio.media.checking import Kind
from folio.media.models import Media
from folio.media.uploads import store_upload
from tests.factories import make_image

from .buckets import Stored, bucket  # noqa: F401 - a fixture
from .checked import checkmedia, checkmedia_fails

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bucket")]


def make_text() -> Media:
    return store_upload(ContentFile(b"Hello, dear reader.\n", name="letter.txt"))


def test_nothing_is_read_where_the_checksums_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    make_text()

    def read(*arguments: object) -> None:
        raise AssertionError("A file was read.")

    monkeypatch.setattr(asked, "read", read)

    assert checkmedia().splitlines()[-1] == "Checked 1 media and 1 files: nothing is wrong."


def test_other_bytes_of_the_same_length_are_found(bucket: Stored) -> None:  # noqa: F811
    media = make_text()
    bucket.put(str(media.file), b"HELLO, dear reader.\n")

    output = checkmedia_fails()[0]

    assert Kind.CHANGED in output
    assert str(media.file) in output


def test_a_file_that_is_missing_is_found(bucket: Stored) -> None:  # noqa: F811
    media = make_text()
    media.file.storage.delete(str(media.file))

    assert Kind.NO_FILE in checkmedia_fails()[0]
    assert Media.objects.filter(pk=media.pk).exists()


def test_a_wrong_size_in_the_database_is_corrected() -> None:
    media = make_text()
    Media.objects.filter(pk=media.pk).update(size=1)

    assert Kind.WRONG_SIZE in checkmedia_fails()[0]
    checkmedia("--repair")

    media.refresh_from_db()
    assert media.size == 20
    assert checkmedia().splitlines()[-1].endswith("nothing is wrong.")


def test_thumbnails_that_are_missing_or_damaged_are_made_anew(bucket: Stored) -> None:  # noqa: F811
    media = make_image()
    missing, damaged, *_ = media.thumbnails.order_by("size")
    media.file.storage.delete(str(missing.file))
    bucket.put(str(damaged.file), b"no picture")

    assert Kind.THUMBNAIL in checkmedia_fails()[0]
    checkmedia("--repair")

    assert checkmedia().splitlines()[-1].endswith("nothing is wrong.")


def test_files_without_rows_are_found_by_pages_of_the_list_and_deleted(bucket: Stored) -> None:  # noqa: F811
    media = make_text()
    strays = [f"core_media/2026/03/02/stray-{number}.txt" for number in range(3)]
    for name in strays:
        bucket.put(name)

    output = checkmedia_fails("--min-age", "0")[0]
    assert all(name in output for name in strays)
    checkmedia("--min-age", "0", "--delete-orphans")

    assert bucket.names() == [str(media.file)]
