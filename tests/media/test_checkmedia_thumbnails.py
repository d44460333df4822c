"""`folio checkmedia` finds thumbnails that are missing or wrong, and makes them anew."""

import hashlib
import os
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from folio.media.checking import Kind, check_media
from folio.media.decoding import DecodersBusy
from folio.media.models import Media, Thumbnail
from folio.media.renewing import complete, image_decoders, measure
from folio.media.standing_in import placeholder
from folio.media.uploads import store_upload
from tests.factories import draw, make_image, make_media

from .checked import assert_all_is_well, checkmedia, checkmedia_fails, make_large, path_of
from .described_images import (
    VIVID,
    cicp,
    described_avif,
    described_png,
    four_fields,
    furthest,
    gama,
    in_srgb,
    nclx,
    seen,
    srgb,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("_removed_at_once"),
]  # files go once a transaction is committed


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF"])
def test_finds_the_thumbnails_of_every_upload_right(format: str) -> None:
    for size in ((1500, 1000), (7, 900), (1, 1), (641, 479)):
        store_upload(ContentFile(draw(size, format), name=f"picture.{format.lower()}"))

    assert "Checked 4 media and 20 files: nothing is wrong." in checkmedia()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF"])
@pytest.mark.parametrize("size", [(1500, 1000), (3, 900)])
def test_finds_a_thumbnail_of_another_picture(format: str, size: tuple[int, int]) -> None:
    media = store_upload(ContentFile(draw(size, format), name=f"picture.{format.lower()}"))
    for number, thumbnail in enumerate(media.thumbnails.order_by("size")[:3]):
        with Image.open(path_of(thumbnail)) as image:
            shown = image.size, image.format
        Image.new("RGB", shown[0], (0, 0, 80 * number)).save(path_of(thumbnail), shown[1])

    assert [(fault.box, fault.reason) for fault in check_media(media.pk)] == [
        (box, "shows another picture") for box in (64, 128, 512)
    ]
    assert checkmedia("--repair").endswith("Faults: 3, all of them repaired.\n")
    assert check_media(media.pk) == []


def unlike_their_placeholders() -> Iterator[Image.Image]:
    """Yield pictures of which a placeholder, or a small thumbnail, tells little."""
    lines = Image.new("L", (900, 21), 255)
    lines.paste(0, (0, 7, 900, 9))
    yield lines
    yield lines.transpose(Image.Transpose.ROTATE_90)
    dots = Image.new("RGBA", (1200, 800))
    dots.putdata([(255, 0, 0, 255 * (number % 2)) for number in range(1200 * 800)])
    yield dots
    yield Image.effect_noise((700, 500), 200)
    yield Image.effect_noise((700, 500), 200).convert("I;16")
    corners = Image.new("RGB", (3, 3), (255, 255, 0))
    corners.putpixel((1, 1), (0, 0, 255))
    yield corners
    yield Image.new("RGBA", (30, 1), (200, 30, 30, 90))


@pytest.mark.parametrize("format", ["PNG", "GIF", "TIFF"])
def test_finds_the_thumbnails_of_odd_pictures_right(format: str) -> None:
    for image in unlike_their_placeholders():
        file = BytesIO()
        (image.convert("RGBA") if format == "GIF" else image).save(file, format)
        media = store_upload(ContentFile(file.getvalue(), name="odd.bin"))

        assert check_media(media.pk) == []


def test_takes_no_thumbnail_for_wrong_whose_original_can_t_be_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    media = make_large()
    Media.objects.update(placeholder=make_image().placeholder)

    def refuse(*args: Any) -> None:
        raise DecodersBusy

    monkeypatch.setattr("folio.media.checking.decode", refuse)

    assert check_media(media.pk) == []


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_finds_the_thumbnails_of_turned_photographs_right(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = BytesIO()
    Image.new("RGB", (1300, 700)).save(file, "JPEG", exif=exif)
    media = store_upload(ContentFile(file.getvalue(), name="turned.jpg"))

    assert check_media(media.pk) == []


# Missing or wrong


def without_row(thumbnail: Thumbnail) -> None:
    Thumbnail.objects.filter(pk=thumbnail.pk).delete()


def without_file(thumbnail: Thumbnail) -> None:
    path_of(thumbnail).unlink()


def of_no_bytes(thumbnail: Thumbnail) -> None:
    path_of(thumbnail).write_bytes(b"")


def cut_off(thumbnail: Thumbnail) -> None:
    os.truncate(path_of(thumbnail), path_of(thumbnail).stat().st_size // 2)


def of_no_image(thumbnail: Thumbnail) -> None:
    path_of(thumbnail).write_bytes(b"<html>not found</html>")


def of_another_size(thumbnail: Thumbnail) -> None:
    path_of(thumbnail).write_bytes(draw((100, 100), "JPEG"))


SPOILS: list[tuple[Callable[[Thumbnail], None], str]] = [
    (without_row, "does not exist"),
    (without_file, "is not there"),
    (of_no_bytes, "can't be read"),
    (cut_off, "can't be read"),
    (of_no_image, "can't be read"),
    (of_another_size, "is 100 × 100 pixels, not 512 × 341"),
]


@pytest.mark.parametrize(("spoil", "reason"), SPOILS)
def test_reports_a_thumbnail_that_is_missing_or_wrong(spoil: Callable[[Thumbnail], None], reason: str) -> None:
    media = make_large()
    thumbnail = media.thumbnails.get(size=512)
    spoil(thumbnail)
    path = "" if spoil is without_row else f", {thumbnail.file.name}"

    report, summary = checkmedia_fails()

    assert report == f"{Kind.THUMBNAIL} (1)\n  media {media.pk}, 512x512{path}: {reason}\n"
    assert summary.endswith("Faults: 1, of them repaired: 0.")


@pytest.mark.parametrize("spoil", [spoil for spoil, _ in SPOILS])
def test_makes_a_thumbnail_anew_and_leaves_the_others(spoil: Callable[[Thumbnail], None], media_root: Path) -> None:
    media = make_large()
    original = path_of(media).read_bytes()
    others = list(media.thumbnails.exclude(size=512).values())
    old = media.thumbnails.get(size=512)
    spoil(old)

    report = checkmedia("--repair")

    assert " - repaired\n" in report
    new = media.thumbnails.get(size=512)
    assert new.file.name != old.file.name  # what lay at that URL may be kept by browsers for a year
    with Image.open(path_of(new)) as image:
        assert image.size == (512, 341)
    assert list(media.thumbnails.exclude(size=512).values()) == others
    assert path_of(media).read_bytes() == original
    assert_all_is_well(media_root)


def test_reports_thumbnails_of_an_original_that_can_t_be_decoded(media_root: Path) -> None:
    damaged = draw((200, 100), "JPEG")[:300]
    (media_root / "core_media").mkdir(parents=True)
    (media_root / "core_media" / "old.jpg").write_bytes(damaged)
    digest = hashlib.sha256(damaged).hexdigest()
    make_media(file="core_media/old.jpg", mime_type="image/jpeg", size=300, width=200, height=100, sha256=digest)

    report, summary = checkmedia_fails("--repair")

    assert report.count("does not exist; can't be made anew: The file is damaged, ") == 4
    assert summary.endswith("Faults: 4, of them repaired: 0.")
    assert not Thumbnail.objects.exists()


def test_reports_nothing_of_a_media_that_is_deleted_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    media = make_image()

    def delete_meanwhile(media: Media) -> Any:
        Media.objects.get(pk=media.pk).delete()
        return measure(media)

    monkeypatch.setattr("folio.media.checking.measure", delete_meanwhile)

    assert check_media(media.pk, image_decoders(1)) == []


def test_looks_again_at_a_media_that_is_changed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    media = make_image()
    moved = path_of(media).with_name("moved.png")

    def move_meanwhile(media: Media) -> Any:
        if not moved.exists():
            path_of(media).rename(moved)
            Media.objects.update(file=str(Path(str(media.file)).with_name("moved.png")))
        return measure(media)

    monkeypatch.setattr("folio.media.checking.measure", move_meanwhile)

    assert check_media(media.pk) == []


# Made before there were descriptions of colours


@pytest.mark.parametrize(
    "content",
    [
        described_avif(VIVID, nclx(12, 13)).getvalue(),
        described_png(VIVID, cicp(9, 18)).getvalue(),
        described_png(VIVID, gama(1)).getvalue(),
    ],
    ids=["p3", "hlg", "linear"],
)
def test_finds_the_thumbnails_of_described_colours_right(content: bytes) -> None:
    media = store_upload(ContentFile(content, name="picture.bin"))

    assert check_media(media.pk) == []


def test_takes_paler_colours_of_a_former_release_for_right_until_all_are_made_anew() -> None:
    """What stands in for a picture was as pale as its thumbnails, so nothing tells that they are another picture's."""
    media = store_upload(ContentFile(described_png(VIVID, cicp(12, 13), size=(128, 96)).getvalue(), name="picture.png"))
    right = media.dominant_color, media.placeholder
    pale = four_fields(VIVID, (128, 96))
    for thumbnail in media.thumbnails.all():
        with Image.open(path_of(thumbnail)) as image:
            size = image.size
        pale.resize(size).save(path_of(thumbnail), "PNG")
    Media.objects.update(dominant_color="#969696", placeholder=placeholder(pale))

    assert check_media(media.pk) == []

    complete(media.pk, image_decoders(1), anew=True)
    media.refresh_from_db()
    assert (media.dominant_color, media.placeholder) == right
    for thumbnail in media.thumbnails.all():
        assert furthest(seen(path_of(thumbnail).read_bytes()), in_srgb(VIVID, 12, srgb)) <= 2
    assert check_media(media.pk) == []


def test_repairs_a_thumbnail_without_its_picture_s_colours() -> None:
    media = store_upload(ContentFile(described_png(VIVID, cicp(12, 8)).getvalue(), name="picture.png"))
    for thumbnail in media.thumbnails.all():
        with Image.open(path_of(thumbnail)) as image:
            size = image.size
        four_fields(VIVID).resize(size).save(path_of(thumbnail), "PNG")

    assert [fault.reason for fault in check_media(media.pk)] == ["shows another picture"] * 4
    assert "all of them repaired" in checkmedia("--repair")
    assert check_media(media.pk) == []
