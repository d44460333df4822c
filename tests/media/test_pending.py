"""The journal of files in a bucket: they and their rows live and die together."""

from __future__ import annotations  # ContentFile[bytes] means something to type checkers only

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.test import Client as Site
from django.utils import timezone

from folio.claims import claim_number
from folio.media import making, pending, removing, storing
from folio.media.journal import operation, recover
from folio.media.models import FOLDER, FormerName, Media, PendingFile, RemovedFile
from folio.media.removals import at_once, remove_due, shorten
from folio.media.renewing import complete, image_decoders
from folio.media.replacing import replace_file
from folio.media.s3 import ObjectStorage
from folio.media.storing import store, with_files
from folio.media.uploads import examine, store_once, store_upload
from folio.media.variants import Variant
from folio.outages import StorageAway
from folio.tasks.models import Task
from tests.conftest import Client
from tests.factories import draw

from .buckets import Stored, bucket, named, on_record, waiting

__all__ = ["bucket"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bucket")]

DEAD = 12_345  # an owner that nobody holds the lock of
SECRET = "core_media/2026/03/02/secret.png"


class Broken(Exception):
    pass


def fail(*args: Any, **kwargs: Any) -> None:
    raise Broken


def upload(name: str = "photo.png", **given: Any) -> Media:
    return store_upload(ContentFile(draw(), name=name), **given)


def path_today(name: str) -> str:
    return f"{FOLDER}/{timezone.now():%Y/%m/%d}/{name}"


def check(bucket: Stored) -> None:
    """See to it that there is no row without its file, no file without a row, and nothing on record."""
    names = set(bucket.names())
    assert named() <= names
    assert names - named() <= waiting()
    assert on_record() == set()
    call_command("checkmedia", "--min-age", "0", verbosity=0, stdout=StringIO())


def pass_late(bucket: Stored) -> None:
    """Have the time pass after which nothing is waited for any more, twice: what fails first is tried again."""
    for _ in range(2):
        RemovedFile.objects.update(remove_at=timezone.now())
        remove_due({})
    assert waiting() == set()
    assert set(bucket.names()) == named()


def at_each_put(monkeypatch: pytest.MonkeyPatch, act: Callable[[str], object]) -> None:
    """Have something done after each put."""
    put = ObjectStorage._save

    def put_and_act(storage: ObjectStorage, name: str, content: Any) -> str:
        result = put(storage, name, content)
        act(name)
        return result

    monkeypatch.setattr(ObjectStorage, "_save", put_and_act)
    monkeypatch.setattr(storing, "AT_A_TIME", 1)  # what is done may ask the test's own database


# Uploads


def test_puts_the_files_of_an_upload_and_leaves_nothing_on_record(bucket: Stored) -> None:
    media = upload()

    assert len(bucket.names()) == 5
    assert str(media.file) == path_today("photo.png")
    assert waiting() == set()
    check(bucket)


def test_has_each_name_on_record_with_a_living_owner_and_no_transaction_open_while_it_is_put(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    def note(name: str) -> None:
        owner = PendingFile.objects.get(name=name).owner
        take, _ = claim_number(owner or 0)
        seen.append((connection.in_atomic_block, take()))

    at_each_put(monkeypatch, note)

    upload()

    assert seen == [(False, False)] * 5


def test_puts_the_files_before_the_transaction_of_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    at_each_put(monkeypatch, lambda name: rows.append(Media.objects.count()))

    upload(log=lambda *_: rows.append(Media.objects.count()))

    assert rows == [0, 0, 0, 0, 0, 1]


def test_refuses_to_put_files_within_a_transaction(bucket: Stored) -> None:
    with transaction.atomic(), pytest.raises(transaction.TransactionManagementError, match="before the transaction"):
        upload()

    assert bucket.names() == []


def test_removes_the_files_of_an_upload_that_fails(bucket: Stored) -> None:
    with pytest.raises(Broken):
        upload(log=fail)

    assert not Media.objects.exists()
    assert bucket.names() == []
    assert len(waiting()) == 5  # looked for once more, when nothing can be on its way any more
    check(bucket)
    pass_late(bucket)


def test_removes_the_files_of_an_upload_that_an_outer_transaction_rolls_back(bucket: Stored) -> None:
    with closing(examine(ContentFile(draw(), name="photo.png"))) as given, operation():
        examined = with_files(given)
        with transaction.atomic():
            store(examined)
            transaction.set_rollback(True)
        assert len(bucket.names()) == 5

    assert bucket.names() == []
    check(bucket)


def test_a_transaction_that_runs_again_takes_the_same_files(bucket: Stored) -> None:
    with closing(examine(ContentFile(draw(), name="photo.png"))) as given, operation():
        examined = with_files(given)
        with transaction.atomic():
            store(examined)
            transaction.set_rollback(True)
        examined.media.pk = None
        with transaction.atomic():
            store(examined)

    assert len(bucket.names()) == 5
    assert waiting() == set()
    check(bucket)


def test_the_admin_site_puts_files_before_its_transaction_and_removes_what_it_rolls_back(
    admin: User, site_for: Callable[[User], Site], bucket: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    from folio.media.admin import MediaAdmin

    site = site_for(admin)
    site.raise_request_exception = False
    sent = {"name": "", "alt": ""}

    stored = site.post("/admin/media/media/add/", {"file": SimpleUploadedFile("photo.png", draw()), **sent})
    monkeypatch.setattr(MediaAdmin, "log_addition", fail)
    failed = site.post("/admin/media/media/add/", {"file": SimpleUploadedFile("other.png", draw()), **sent})

    assert (stored.status_code, failed.status_code) == (302, 500)
    assert Media.objects.count() == 1
    assert len(bucket.names()) == 5
    check(bucket)


def test_stores_the_same_bytes_once_and_leaves_nothing_of_the_second(
    bucket: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = draw()
    others: list[Media] = []

    def store_another(name: str) -> None:  # by someone else, while this one's are put
        if not others and name.endswith("/photo.png"):
            others.append(store_upload(ContentFile(content, name="other.png")))

    at_each_put(monkeypatch, store_another)

    media, is_new = store_once(ContentFile(content, name="photo.png"))

    assert (media.pk, is_new) == (others[0].pk, False)
    assert set(bucket.names()) == named()
    check(bucket)


# Names


def test_gives_no_name_that_is_on_record_or_a_row_s_or_was_one(bucket: Stored) -> None:
    now = timezone.now()
    PendingFile.objects.create(name=path_today("a.png"), owner=DEAD)
    RemovedFile.objects.create(name=path_today("b.png"), media_id=1, remove_at=now + timedelta(days=1))
    FormerName.objects.create(name=path_today("c.png"))
    first = upload("d.png")

    names = [str(upload(f"{letter}.png").file) for letter in "abcd"]

    assert not {path_today(f"{letter}.png") for letter in "abcd"} & set(names)
    assert all(name.startswith(path_today(letter + "_")) for name, letter in zip(names, "abcd", strict=True))
    assert str(first.file) == path_today("d.png")


def test_leaves_another_program_s_file_alone_whose_name_an_upload_wanted(bucket: Stored) -> None:
    bucket.put(path_today("photo.png"), b"another's")

    media = upload()
    with pytest.raises(Broken):
        upload(log=fail)

    assert str(media.file).startswith(path_today("photo_"))
    assert bucket.content(path_today("photo.png")) == b"another's"
    assert on_record() == set()


# Owners that are dead, or taken for it


def test_removes_what_a_dead_owner_has_put_and_looks_for_it_once_more(bucket: Stored) -> None:
    PendingFile.objects.create(name=SECRET, owner=DEAD)
    PendingFile.objects.create(name="core_media/2026/03/02/never-put.png", owner=DEAD)
    bucket.put(SECRET)

    assert recover() == 1

    assert bucket.names() == []
    check(bucket)
    bucket.put(SECRET)  # it was on its way
    pass_late(bucket)
    assert recover() == 0


def test_leaves_a_living_owner_alone(bucket: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    at_each_put(monkeypatch, lambda name: counts.append(recover()))

    upload()

    assert counts == [0] * 5
    assert len(bucket.names()) == 5
    check(bucket)


def test_checkmedia_does_not_take_what_is_on_record_for_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    at_each_put(
        monkeypatch,
        lambda name: call_command("checkmedia", "--min-age", "0", "--delete-orphans", verbosity=0, stdout=StringIO()),
    )

    upload()

    assert Media.objects.count() == 1


def condemn_each(name: str) -> None:
    [owner] = PendingFile.objects.values_list("owner", flat=True).distinct()
    pending.condemn(owner)


def test_writes_no_row_of_files_that_were_given_to_removal(bucket: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    at_each_put(monkeypatch, lambda name: condemn_each(name) if name.endswith("1080.png") else None)

    with pytest.raises(OperationalError, match="are being removed"):
        upload()

    assert not Media.objects.exists()
    check(bucket)
    pass_late(bucket)


def test_answers_503_where_its_owner_was_taken_for_dead(
    client: Client, bucket: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_each_put(monkeypatch, lambda name: condemn_each(name) if name.endswith("1080.png") else None)

    response = client.post("/api/media/", {"file": SimpleUploadedFile("photo.png", draw())}, format="multipart")

    assert response.status_code == 503
    assert "Nothing was changed" in response.json()["detail"]
    assert not Media.objects.exists()
    check(bucket)


def test_a_task_looks_for_dead_owners_for_as_long_as_anything_is_on_record(bucket: Stored) -> None:
    upload()
    assert Task.objects.filter(name=pending.TASK).count() == 1
    PendingFile.objects.create(name=SECRET, owner=DEAD)
    bucket.put(SECRET)

    assert pending.recover_again({}) is None

    assert SECRET not in bucket.names()
    check(bucket)


def test_what_the_database_could_not_be_asked_for_is_settled_later(
    bucket: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(pending, "condemn", away)
        with pytest.raises(Broken):
            upload(log=fail)
    assert len(bucket.names()) == 5
    assert recover() == 0  # its owner lives

    upload("next.png")

    assert len(bucket.names()) == 5
    check(bucket)


# Deletions and replacements


def test_keeps_what_is_deleted_for_its_time(bucket: Stored) -> None:
    upload().delete()

    assert len(bucket.names()) == 5
    check(bucket)
    RemovedFile.objects.update(remove_at=timezone.now())
    remove_due({})
    assert (bucket.names(), waiting()) == ([], set())


def test_removes_what_is_deleted_at_once_after_the_commit_and_looks_for_it_again(bucket: Stored) -> None:
    media = upload()
    with transaction.atomic(), at_once():
        media.delete()
        assert len(bucket.names()) == 5

    assert bucket.names() == []
    assert set(RemovedFile.objects.values_list("media_id", flat=True)) == {pending.GONE}
    shorten()
    assert min(RemovedFile.objects.values_list("remove_at", flat=True)) > timezone.now()
    pass_late(bucket)


def test_a_deletion_that_is_rolled_back_removes_nothing(bucket: Stored) -> None:
    media = upload()
    with transaction.atomic(), at_once():
        with transaction.atomic():
            media.delete()
            transaction.set_rollback(True)
        upload_of_another = Media.objects.count()

    assert upload_of_another == 1
    assert len(bucket.names()) == 5
    check(bucket)


def test_with_a_short_grace_looks_for_what_it_has_removed_once_more(bucket: Stored, settings: Any) -> None:
    settings.KEEP_REMOVED = timedelta(seconds=1)
    upload().delete()
    RemovedFile.objects.update(remove_at=timezone.now())

    remove_due({})

    assert bucket.names() == []
    bucket.put(SECRET)
    RemovedFile.objects.filter(pk=RemovedFile.objects.earliest("pk").pk).update(name=SECRET)
    pass_late(bucket)


def test_replaces_a_file(bucket: Stored) -> None:
    media = upload()
    old = named()

    replace_file(media.pk, ContentFile(draw(), name="photo.png"))

    assert len(bucket.names()) == 10
    assert not named() & old
    assert waiting() == old
    check(bucket)


def test_a_replacement_that_fails_leaves_the_old_file(bucket: Stored) -> None:
    media = upload()
    old = named()

    with pytest.raises(Broken):
        replace_file(media.pk, ContentFile(draw(), name="photo.png"), log=fail)

    assert (named(), set(bucket.names())) == (old, old)
    check(bucket)


def test_makes_thumbnails_anew(bucket: Stored) -> None:
    media = upload()
    old = named()

    assert complete(media.pk, image_decoders(1), anew=True)

    assert len(named() & old) == 1
    assert len(bucket.names()) == 9
    check(bucket)


def test_removes_thumbnails_of_a_media_that_was_deleted_meanwhile(
    bucket: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = upload()

    def delete(name: str) -> None:
        with at_once():
            Media.objects.all().delete()

    at_each_put(monkeypatch, delete)

    assert not complete(media.pk, image_decoders(1), anew=True)

    assert bucket.names() == []
    check(bucket)
    pass_late(bucket)


# Variants


def test_a_variant_is_put_without_a_word_to_the_database(
    bucket: Stored, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = upload()
    name = Variant(str(media.file), "webp", 320).name

    with django_assert_num_queries(1) as asked:  # whether its media is still there
        assert making.store(name, b"picture")

    assert asked.captured_queries[0]["sql"].lstrip("(").startswith("SELECT")
    assert bucket.content(name) == b"picture"
    assert making.store(name, b"another")  # as two may have made one
    assert bucket.content(name) == b"picture"
    assert making.store(name, b"another", anew=True)
    assert bucket.content(name) == b"another"


def test_a_variant_that_comes_after_its_media_went_goes(bucket: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    media = upload()
    with at_once():
        media.delete()
    RemovedFile.objects.all().delete()

    assert not making.store(Variant(str(media.file), "webp", 320).name, b"picture")

    assert bucket.names() == []


def test_a_variant_whose_maker_died_as_its_media_went_is_found_in_time(bucket: Stored) -> None:
    media = upload()
    with at_once():
        media.delete()
    name = Variant(str(media.file), "webp", 320).name
    bucket.put(name)

    pass_late(bucket)

    assert name not in bucket.names()


# A storage that fails


def test_answers_503_where_the_bucket_fails_and_leaves_nothing(
    client: Client, bucket: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(name: str) -> None:
        if "_512x512" in name:
            raise StorageAway("away")

    at_each_put(monkeypatch, break_off)

    response = client.post("/api/media/", {"file": SimpleUploadedFile("photo.png", draw())}, format="multipart")

    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert not Media.objects.exists()
    assert bucket.names() == []
    check(bucket)


def test_what_can_not_be_removed_is_removed_by_the_task(bucket: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    media = upload()

    def away(*args: Any) -> None:
        raise StorageAway("away")

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStorage, "delete", away)
        with at_once():
            media.delete()
        with pytest.raises(Broken):
            upload(log=fail)
        check(bucket)
        assert len(bucket.names()) == 10

    assert Task.objects.filter(name=removing.TASK).exists()
    pass_late(bucket)
    assert bucket.names() == []


def test_gives_up_where_the_first_of_many_can_not_be_removed(bucket: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def away(storage: ObjectStorage, name: str) -> None:
        tried.append(name)
        raise StorageAway("away")

    monkeypatch.setattr(ObjectStorage, "delete", away)

    with pytest.raises(Broken):
        upload(log=fail)

    assert len(tried) == 1
    assert default_storage.exists(tried[0])
