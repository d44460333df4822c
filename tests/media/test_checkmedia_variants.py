"""`folio checkmedia` knows variants: whose they are by their names, and whether a browser could show them."""

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from folio.media.ahead import complete
from folio.media.making import upload_decoders
from folio.media.models import Media
from folio.media.variants import Variant
from folio.portfolios.models import Portfolio
from tests.factories import draw

from .checked import checkmedia, checkmedia_fails
from .varied import name_of, public_image, variants_in

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = ("--min-age", "0")


@pytest.fixture
def media(settings: Any) -> Media:
    """An image with all its variants."""
    settings.IMAGE_WIDTHS = [20, 100]
    settings.IMAGE_FORMATS = ["avif", "webp"]
    media = public_image()
    assert complete(media.pk, upload_decoders())
    return media


def test_finds_nothing_wrong_with_variants_that_are_right(media: Media) -> None:
    assert checkmedia(*AT_ONCE) == "Checked 1 media and 12 files: nothing is wrong.\n"


def test_leaves_variants_that_are_no_longer_listed(media: Media, settings: Any) -> None:
    settings.IMAGE_WIDTHS = [640]
    with transaction.atomic():
        Media.objects.update(focal_x=0.1)

    assert "nothing is wrong" in checkmedia(*AT_ONCE, "--repair")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"half a picture", "can't be read"),
        (draw((100, 67), "PNG"), "is PNG"),
        (draw((100, 66), "WEBP"), "is 100 × 66 pixels, not 100 × 67"),
        (draw((100, 67), "WEBP")[:-20], "can't be read"),
    ],
)
def test_finds_and_deletes_variants_that_are_damaged(
    content: bytes, reason: str, media: Media, media_root: Path
) -> None:
    name = name_of(media, "webp", 100)
    (media_root / name).write_bytes(content)

    told, last = checkmedia_fails(*AT_ONCE)
    assert told.splitlines() == [
        "Variants that are damaged: --repair deletes them; they are made again when they are asked for (1)",
        f"  {name}: {reason}",
    ]
    assert last == "Checked 1 media and 12 files. Faults: 1, of them repaired: 0."

    assert f"{reason} - repaired" in checkmedia(*AT_ONCE, "--repair")
    assert not (media_root / name).exists()
    assert "nothing is wrong" in checkmedia(*AT_ONCE)


def test_finds_a_picture_for_networks_of_another_size(media: Media, media_root: Path) -> None:
    name = Variant(str(media.file), "jpg", focal=(500, 500)).name
    (media_root / name).write_bytes(draw((1200, 600), "JPEG"))

    assert f"{name}: is 1200 × 600 pixels, not 1200 × 630" in checkmedia_fails(*AT_ONCE)[0]


@pytest.mark.parametrize("file", ["gone.jpg", "x_thumbnail_64x64.jpg"])
def test_finds_and_deletes_variants_of_files_that_are_gone(file: str, media: Media, media_root: Path) -> None:
    left = str(media.file).replace("photo.jpg", f"thumbnails/{file}_v2_20.avif")
    (media_root / left).write_bytes(b"a picture")

    told, _ = checkmedia_fails(*AT_ONCE)
    assert told.splitlines() == [
        "Variants of files that are gone: --repair deletes them (1)",
        f"  {left}: 9 bytes",
    ]
    assert "nothing is wrong" in checkmedia()  # it is young, and may belong to what goes on

    assert "repaired" in checkmedia(*AT_ONCE, "--repair")
    assert len(variants_in(media_root)) == 7
    assert not (media_root / left).exists()


def test_variants_of_what_was_replaced_stay_as_long_as_it(media: Media, media_root: Path) -> None:
    before = variants_in(media_root)
    Portfolio.objects.all().delete()
    media.delete()

    told = checkmedia(*AT_ONCE, "--repair")

    assert "nothing is wrong" in told
    assert "Replaced and deleted files that are served until their time comes: 5" in told
    assert variants_in(media_root) == before
