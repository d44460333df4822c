"""Pictures in object storage: thumbnails, pictures of pages, variants, made when they are asked for and ahead."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client as Site
from django.utils import timezone
from PIL import Image

from folio.media import making
from folio.media.ahead import is_all_made, make_variants
from folio.media.making import failures, postponed
from folio.media.replacing import replace_file
from folio.media.s3 import ObjectStorage
from folio.media.uploads import store_upload
from folio.media.variant_files import variant_names
from folio.media.variants import existing, sources, variants_of
from folio.portfolios.models import Portfolio
from tests.factories import draw
from tests.s3 import S3

from .paged import pdf
from .varied import get, name_of, public_image, row_of, upload_image

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _settings(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.PUBLIC_READ = True
    settings.IMAGE_WIDTHS = [20, 100]
    settings.IMAGE_FORMATS = ["webp"]
    monkeypatch.setattr(postponed, "add", lambda name: None)
    yield
    failures.clear()


@pytest.fixture(autouse=True)
def storage(in_bucket: ObjectStorage) -> ObjectStorage:
    return in_bucket


@pytest.fixture
def asked(storage: ObjectStorage) -> Iterator[list[str]]:
    """What is asked of the bucket."""
    names: list[str] = []

    def note(model: Any, **named: Any) -> None:
        names.append(model.name)

    events = storage.connection.meta.client.meta.events
    events.register("before-call.s3", note)
    yield names
    events.unregister("before-call.s3", note)


def image_of(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def run(command: str, *arguments: str) -> str:
    stdout = StringIO()
    call_command(command, *arguments, stdout=stdout, stderr=StringIO(), no_color=True)
    return stdout.getvalue()


def test_a_variant_is_made_when_it_is_asked_for_and_stays(storage: ObjectStorage, asked: list[str]) -> None:
    name = name_of(public_image(), "webp", 100)
    assert not storage.exists(name)

    first = get(Site(), name)
    asked.clear()
    second = get(Site(), name)

    assert (first.status_code, second.status_code) == (200, 200)
    assert image_of(first.body).size == (100, 67)
    assert second.body == first.body
    assert asked == ["GetObject"], "a file is served by one request"
    assert storage.head(name)["ContentType"] == "image/webp"


@pytest.mark.parametrize(
    ("headers", "status", "requests"),
    [
        ({"Range": "bytes=0-9"}, 206, ["GetObject"]),
        ({"Range": "bytes=0-9", "If-Range": "ETAG"}, 206, ["GetObject"]),
        ({"If-None-Match": "ETAG"}, 304, ["HeadObject"]),
        ({"If-Range": '"other"', "Range": "bytes=0-9"}, 200, ["GetObject", "HeadObject", "GetObject"]),
    ],
)
def test_a_file_costs_few_requests(
    headers: dict[str, str], status: int, requests: list[str], storage: ObjectStorage, asked: list[str]
) -> None:
    name = str(upload_image().file)
    etag = storage.head(name)["ETag"]
    asked.clear()

    answer = get(Site(), name, **{key: value.replace("ETAG", etag) for key, value in headers.items()})

    assert answer.status_code == status
    assert asked == requests


def test_another_machine_that_makes_the_same_is_no_harm(storage: ObjectStorage) -> None:
    media = public_image()
    name = name_of(media, "webp", 100)
    storage._save(name, ContentFile(b"the other one's"))

    assert making.store(name, b"ours")

    with storage.open(name) as file:
        assert file.read() == b"the other one's"
    assert variant_names(str(media.file)) == [name]


def test_a_variant_of_what_is_deleted_meanwhile_does_not_stay(storage: ObjectStorage, settings: Any, s3: S3) -> None:
    settings.KEEP_REMOVED = timedelta(0)
    media = public_image()
    name = name_of(media, "webp", 100)
    Portfolio.objects.update(image=None)
    media.delete()

    assert not making.store(name, b"too late")

    assert s3.names(storage.location) == []


def test_makevariants_makes_all_and_then_none(storage: ObjectStorage, asked: list[str]) -> None:
    media = public_image()

    assert "completed: 1" in run("makevariants", "--processes", "1")
    made = variant_names(str(media.file))
    asked.clear()
    run("makevariants", "--processes", "1")

    assert set(made) == {each.name for each in variants_of(row_of(media))}
    assert set(asked) == {"ListObjectsV2"}, "no question for each variant"
    assert len(asked) <= 4


def test_what_is_published_is_made_ahead(storage: ObjectStorage, settings: Any) -> None:
    media = public_image()

    while make_variants({"since": 0}) is not None:
        pass

    assert len(existing(list(variants_of(row_of(media))))) == len(list(variants_of(row_of(media))))
    assert is_all_made()
    settings.MEDIA_BUCKET = None
    assert not is_all_made(), "what was made in a bucket is not on the disk"


def test_makethumbnails_makes_what_is_missing(storage: ObjectStorage) -> None:
    media = upload_image()
    lost = media.thumbnails.get(size=128)
    storage.delete(str(lost.file))

    run("makethumbnails", "--processes", "1")

    again = media.thumbnails.get(size=128)
    assert again.file.name != lost.file.name
    with again.file.open() as file:
        assert image_of(file.read()).size == (128, 85)


def test_replaced_its_variants_are_others_and_the_old_ones_go(storage: ObjectStorage, settings: Any) -> None:
    settings.KEEP_REMOVED = timedelta(0)
    media = public_image()
    run("makevariants", "--processes", "1")
    old = str(media.file)

    replaced = replace_file(media.pk, ContentFile(draw((900, 600), "JPEG"), name="new.jpg"))
    answer = get(Site(), name_of(replaced, "webp", 100))

    assert answer.status_code == 200
    assert not storage.exists(old)
    assert variant_names(old) == []


def test_a_left_thumbnail_stands_in_by_one_list(storage: ObjectStorage, asked: list[str]) -> None:
    media = public_image()
    name = name_of(media, "webp", 100)
    Portfolio.objects.update(image=None)
    media.delete()
    asked.clear()

    answer = get(Site(), name)

    assert answer.status_code == 302
    assert "_thumbnail_128x128" in answer.headers["Location"]
    assert asked.count("ListObjectsV2") == 1
    assert len(asked) <= 3


def test_a_file_of_a_day_ago_is_as_old(storage: ObjectStorage) -> None:
    media = upload_image()

    assert storage.get_modified_time(str(media.file)) <= timezone.now() + timedelta(minutes=5)
    assert storage.get_modified_time(str(media.file)).tzinfo is not None


def test_a_pdf_gets_its_picture(storage: ObjectStorage) -> None:
    media = store_upload(ContentFile(pdf(), name="plan.pdf"))

    assert sorted(media.thumbnails.values_list("size", flat=True))
    for thumbnail in media.thumbnails.all():
        with thumbnail.file.open() as file:
            assert image_of(file.read()).format == "JPEG"


def test_what_is_named_by_an_address_is_not_asked_for_by_each_answer(
    storage: ObjectStorage, settings: Any, asked: list[str]
) -> None:
    """What lacks a variant asks each time, by one list; what has all does not ask again."""
    settings.FILES_URL = settings.MEDIA_URL = "https://cdn.example.com/"
    row = row_of(public_image())

    def named() -> int:
        asked.clear()
        found = sources(row, default_storage.url)
        return sum(len(each.srcset.split(", ")) for each in found)

    assert (named(), asked) == (0, ["ListObjectsV2"])
    run("makevariants", "--processes", "1")
    assert (named(), asked) == (4, ["ListObjectsV2"])
    assert (named(), asked) == (4, [])
