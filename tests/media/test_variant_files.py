"""Variants go with their media's file, and never stay half-written, whoever dies when."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import Client as Site
from django.utils import timezone

from folio.media import journal, making
from folio.media.journal import recover
from folio.media.making import store
from folio.media.models import Media, RemovedFile
from folio.media.removals import remove_due
from folio.media.replacing import replace_file
from folio.media.variant_files import variant_names
from folio.media.variants import Variant, share_image
from tests.environment import ROOT, environment
from tests.factories import draw
from tests.live import new_database

from .varied import get, name_of, public_image, row_of, upload_image, variants_in

pytestmark = pytest.mark.django_db(transaction=True)


def make_variants(media: Media) -> list[str]:
    """Put some variants of an image into the storage; return their names."""
    shared = share_image(row_of(media))
    assert shared
    names = [name_of(media, "avif", 320), name_of(media, "webp", 320), shared.name]
    old = Variant(str(media.file), "avif", 320, version=9).name
    for name in [*names, old]:
        assert store(name, b"a picture")
    return sorted([*names, old])


@pytest.fixture(autouse=True)
def _at_once(settings: Any) -> None:
    settings.KEEP_REMOVED = timedelta(0)


def test_finds_the_variants_of_a_file_of_every_version(media_root: Path) -> None:
    media, other = upload_image(), upload_image(name="photo.jpeg")
    names = make_variants(media)
    make_variants(other)

    assert variant_names(str(media.file)) == names
    assert variant_names("core_media/1999/01/01/none.jpg") == []


def test_a_deleted_media_takes_its_variants_along(media_root: Path) -> None:
    media, other = upload_image(), upload_image(name="photo.jpeg")
    make_variants(media)
    kept = make_variants(other)

    media.delete()

    assert variant_names(str(media.file)) == []
    assert variant_names(str(other.file)) == kept


def test_many_deleted_media_take_their_variants_along(media_root: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        make_variants(upload_image(name=name))

    Media.objects.all().delete()

    assert not [path for path in media_root.rglob("*") if path.is_file()]


def test_a_replaced_file_takes_its_variants_along(media_root: Path) -> None:
    media = upload_image()
    make_variants(media)

    replaced = replace_file(media.pk, ContentFile(draw(), name="other.png"))

    assert variants_in(media_root) == []
    assert default_storage.exists(str(replaced.file))


def test_variants_are_kept_as_long_as_their_file(media_root: Path, settings: Any) -> None:
    settings.KEEP_REMOVED = timedelta(days=7)
    media = upload_image()
    names = make_variants(media)

    media.delete()
    assert variant_names(str(media.file)) == names
    assert store(name_of(media, "webp", 640), b"a picture")  # begun before
    RemovedFile.objects.update(remove_at=timezone.now())
    remove_due({})

    assert not [path for path in media_root.rglob("*") if path.is_file()]


def test_sends_to_a_thumbnail_of_what_was_replaced_while_that_is_kept(settings: Any) -> None:
    settings.KEEP_REMOVED, settings.PUBLIC_READ = timedelta(days=7), True
    media = public_image()
    name, thumbnail = name_of(media, "avif", 320), str(media.thumbnails.get(size=512).file)

    replace_file(media.pk, ContentFile(draw(), name="other.png"))
    response = get(Site(), name)

    assert (response.status_code, response.headers["Location"]) == (302, f"/media/{thumbnail}")
    RemovedFile.objects.update(remove_at=timezone.now())
    remove_due({})
    assert get(Site(), name).status_code == 404


def test_keeps_the_variants_of_what_is_not_deleted_in_the_end(media_root: Path) -> None:
    media = upload_image()
    names = make_variants(media)

    with transaction.atomic():
        Media.objects.filter(pk=media.pk).delete()
        transaction.set_rollback(True)
    recover()

    assert variant_names(str(media.file)) == names


def test_a_variant_whose_media_goes_while_it_is_made_goes_too(
    media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = upload_image()
    name = name_of(media, "avif", 320)

    def delete_and_persist(*args: Any) -> None:
        monkeypatch.undo()
        Media.objects.filter(pk=media.pk)._raw_delete("default")
        journal.persist(*args)

    monkeypatch.setattr(making, "persist", delete_and_persist)
    media.thumbnails.all().delete()

    assert not store(name, b"a picture")
    assert variants_in(media_root) == []


def test_a_variant_that_can_not_be_written_leaves_nothing(
    media_root: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = upload_image()

    def fail(*args: Any) -> None:
        raise OSError("The disk is broken.")

    monkeypatch.setattr(default_storage, "save", fail)
    with pytest.raises(OSError, match="broken"):
        store(name_of(media, "avif", 320), b"a picture")

    assert variants_in(media_root) == []
    assert not list(Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.upload*"))
    assert not list(Path(settings.JOURNAL_ROOT).glob("*.entry"))


def test_never_puts_a_second_file_beside_one_that_is_there(media_root: Path) -> None:
    media = upload_image()
    name = name_of(media, "avif", 320)

    assert store(name, b"first")
    assert store(name, b"second")

    assert variants_in(media_root) == ["photo.jpg_v2_320.avif"]
    assert (media_root / name).read_bytes() == b"first"


# Killed


def test_a_process_that_is_killed_at_any_step_leaves_no_half_of_a_variant(tmp_path: Path) -> None:
    program = f"import django; django.setup(); from {__name__} import die_at_steps; die_at_steps()"
    with new_database() as database:
        result = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=environment(tmp_path, DJANGO_SETTINGS_MODULE="folio.settings", FOLIO_KEEP_REMOVED="0", **database),
            capture_output=True,
            text=True,
            timeout=240,
        )

    assert result.returncode == 0, result.stderr


def die_at_steps() -> None:
    """Make a variant, and delete its media, killed a few steps later each time; then recover, and look."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from folio.media import uploads
    from folio.media.decoding import decoders
    from tests.contract.test_killed import fork

    call_command("migrate", verbosity=0)
    decoded, _ = uploads.prepare(ContentFile(draw()))
    uploads.prepare = lambda file: (decoded, file)  # a forked process would start decoders of its own
    decoders(settings.DECODERS, settings.DECODER_MEMORY, settings.DECODER_SECONDS).close()
    connection.close()
    content = b"a picture" * 100_000

    def upload() -> None:
        make_variants(uploads.store_upload(ContentFile(draw(), name="photo.png")))

    def make() -> None:
        store(Variant(str(Media.objects.latest("pk").file), "webp", 640).name, content)

    def delete() -> None:
        Media.objects.latest("pk").delete()

    root = Path(settings.MEDIA_ROOT)
    for change in (make, delete):
        steps, status = 0, -1
        while status:
            steps += 7
            fork(upload)
            status = fork(change, die_at=steps)
            fork(recover)
            files = {str(path.relative_to(root)): path.stat().st_size for path in root.rglob("*") if path.is_file()}
            whole = {str(name) for name in Media.objects.values_list("file", flat=True)}
            connection.close()
            for name, size in files.items():
                if "_v2_" in name:
                    assert size in (9, len(content)), (change, steps, name)
                    original = name.replace("thumbnails/", "").rpartition("_v2_")[0]
                    assert original in whole, (change, steps, name)
            left = [*Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*"), *Path(settings.JOURNAL_ROOT).glob("*.entry")]
            assert not left, (change, steps, left)
        assert steps > 30, change
