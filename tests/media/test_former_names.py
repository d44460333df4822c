"""A file's URL never serves other bytes, so that browsers may keep what they got for a year."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from folio.media.journal import recover
from folio.media.models import FormerName, Media
from folio.media.replacing import replace_file
from folio.media.uploads import store_upload
from tests.factories import draw, make_image, make_media

pytestmark = pytest.mark.django_db(transaction=True)


def upload(name: str, format: str = "PNG", color: str = "red") -> Media:
    return store_upload(ContentFile(draw((60, 40), format, color=color), name=name))


def names_of(media: Media) -> set[str]:
    return {str(media.file), *(str(thumbnail.file) for thumbnail in media.thumbnails.all())}


def delete(media: Media) -> None:
    media.delete()


def replace(media: Media) -> None:
    replace_file(media.pk, ContentFile(draw((50, 50)), name="other.png"))


@pytest.mark.parametrize("end", [delete, replace])
@pytest.mark.parametrize(("name", "format"), [("photo.png", "PNG"), ("photo.tif", "TIFF"), ("photo.jpg", "JPEG")])
def test_no_upload_gets_the_name_of_a_file_that_is_gone(
    end: Callable[[Media], None], name: str, format: str, media_root: Path
) -> None:
    media = upload("photo.png")
    former = names_of(media)
    end(media)

    new = names_of(upload(name, format, "blue"))

    assert not new & former
    if format == "JPEG":  # no name of these was anyone's
        assert any(path.endswith("/photo.jpg") for path in new)


def test_a_deletion_that_is_rolled_back_leaves_its_name_to_its_file(media_root: Path) -> None:
    media = upload("photo.png")

    with transaction.atomic():
        media.delete()
        transaction.set_rollback(True)

    assert not FormerName.objects.exists()


def test_a_name_is_kept_no_longer_than_it_could_be_given_again(media_root: Path) -> None:
    make_media(file="core_media/2020/02/03/old.txt").delete()
    assert not FormerName.objects.exists()

    upload("photo.png").delete()
    assert FormerName.objects.count() == 5

    FormerName.objects.update(removed_at=timezone.now() - timedelta(days=2, minutes=1))
    make_image("other.png").delete()
    recover()
    assert all("/other" in name or "other_" in name for name in FormerName.objects.values_list("name", flat=True))


def test_a_deletion_does_not_look_through_the_names_of_others(media_root: Path) -> None:
    media = upload("photo.png")

    with CaptureQueriesContext(connection) as captured:
        media.delete()

    assert not [query["sql"] for query in captured if query["sql"].startswith('DELETE FROM "media_formername"')]


def test_a_file_without_a_row_that_is_deleted_leaves_its_name_behind(media_root: Path) -> None:
    media = upload("photo.png")
    former = names_of(media)
    with_raw_sql(media)
    call_command("checkmedia", delete_orphans=True, min_age=timedelta(), verbosity=0)

    assert not names_of(upload("photo.png", color="blue")) & former


def with_raw_sql(media: Media) -> None:
    """Delete the rows as another program would."""
    thumbnails: Any = media.thumbnails.all()
    thumbnails._raw_delete("default")
    Media.objects.filter(pk=media.pk)._raw_delete("default")
