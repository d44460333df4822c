"""PDFs and films have a picture, as images have: made as they come, checked, made anew, and gone with them."""

from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.test import Client
from PIL import Image

from folio.media.checking import check_media
from folio.media.decoding import decoders
from folio.media.documents import MEDIA_FIELDS
from folio.media.models import Media
from folio.media.replacing import replace_file
from folio.media.uploads import store_upload
from folio.media.variants import plan_of, share_image, variants_of
from tests.factories import draw, make_key, make_user

from .checked import assert_all_is_well, checkmedia, checkmedia_fails, path_of
from .filmed import film, find_ffmpeg
from .paged import encrypted, pdf
from .stored import content_of, stored_files, temporary, upload

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_removed_at_once")]

BOXES = [64, 128, 512, 1080]


@pytest.fixture
def _with_ffmpeg(settings: Any) -> None:
    settings.FFMPEG = find_ffmpeg()


def makethumbnails(*arguments: str) -> str:
    stdout = StringIO()
    call_command("makethumbnails", "--processes", "1", *arguments, stdout=stdout, stderr=StringIO(), no_color=True)
    return stdout.getvalue()


def pictures_of(media: Media) -> dict[int, Image.Image]:
    return {row.size: Image.open(BytesIO(content_of(row))) for row in media.thumbnails.order_by("size")}


def without_picture(media: Media) -> Media:
    """Make a media as it was stored before PDFs and films had pictures."""
    media.thumbnails.all().delete()
    Media.objects.update(width=None, height=None, dominant_color="", placeholder="")
    media.refresh_from_db()
    return media


# As they come


def test_a_pdf_is_stored_with_its_first_page_in_four_sizes(media_root: Path) -> None:
    media = upload(pdf(), "brochure.pdf")

    assert (media.type, media.mime_type, media.mode) == ("document", "application/pdf", None)
    assert (media.width, media.height, media.dominant_color) == (816, 1056, "#ffffff")
    assert {box: (image.format, max(image.size)) for box, image in pictures_of(media).items()} == {
        box: ("JPEG", box) for box in BOXES
    }
    folder = str(path_of(media).parent.relative_to(media_root))
    assert f"{folder}/thumbnails/brochure_thumbnail_1080x1080.jpg" in stored_files(media_root)
    assert content_of(media) == pdf()
    assert_all_is_well(media_root)


@pytest.mark.usefixtures("_with_ffmpeg")
@pytest.mark.parametrize("extension", ["mp4", "mov", "mkv", "webm", "ogv"])
def test_a_film_is_stored_with_a_frame_in_four_sizes(extension: str, media_root: Path) -> None:
    media = upload(film(extension), f"film.{extension}")

    assert media.type == "video"
    assert {box: image.format for box, image in pictures_of(media).items()} == dict.fromkeys(BOXES, "JPEG")
    assert pictures_of(media)[1080].size == (320, 180)
    assert media.placeholder
    assert_all_is_well(media_root)


def test_an_upload_in_a_temporary_file_has_a_picture_too() -> None:
    media = store_upload(temporary(pdf(), "brochure.pdf"))

    assert media.thumbnails.count() == 4


def test_a_film_is_stored_without_a_picture_where_ffmpeg_is_not_installed(settings: Any) -> None:
    content = film()
    for settings.FFMPEG in ("", "no-such-program", "/no/such/program"):
        media = upload(content, "film.mp4")

        assert media.type == "video"
        assert not media.thumbnails.exists()


@pytest.mark.parametrize("content", [encrypted(), pdf()[:60]], ids=["encrypted", "damaged"])
def test_a_pdf_that_cannot_be_shown_is_stored_all_the_same(content: bytes, media_root: Path) -> None:
    media = upload(content, "brochure.pdf")

    assert (media.type, media.width, media.dominant_color) == ("document", None, "")
    assert not media.thumbnails.exists()
    assert_all_is_well(media_root)


def test_a_pdf_that_finds_no_decoder_free_is_stored_all_the_same(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("folio.media.depicting.POSTER_SECONDS", 0.01)
    settings.DECODERS, settings.DECODER_SECONDS = 1, 7
    pool = decoders(1, settings.DECODER_MEMORY, 7)
    taken = pool.free.get()
    key = make_key(make_user(is_superuser=True))

    response = client.post(
        "/api/media/",
        {"file": ContentFile(pdf(), name="brochure.pdf")},
        headers={"Authorization": f"Token {key}"},
        format="multipart",
    )

    pool.free.put(taken)
    assert response.status_code == 201
    media = Media.objects.get()
    assert not media.thumbnails.exists()
    monkeypatch.undo()
    assert makethumbnails() == "Images: 1, of them completed: 1.\n"
    assert media.thumbnails.count() == 4


def test_a_pdf_has_no_variants_and_the_api_lists_no_thumbnails_of_it(client: Client, settings: Any) -> None:
    settings.PUBLIC_READ = True
    media = upload(pdf(), "brochure.pdf")
    row = Media.objects.values(*MEDIA_FIELDS).get()
    key = make_key(make_user(is_superuser=True))

    answer = client.get(f"/api/media/{media.pk}/", headers={"Authorization": f"Token {key}"}).json()

    assert (plan_of(row), share_image(row), list(variants_of(row))) == ([], None, [])
    assert not {"thumbnails", "mode", "dominant_color", "placeholder", "focal_x", "is_animated"} & set(answer)


# Afterwards


def test_what_goes_takes_its_picture_along(media_root: Path) -> None:
    upload(pdf(), "brochure.pdf").delete()

    assert stored_files(media_root) == []


def test_another_file_brings_another_picture(media_root: Path) -> None:
    media = upload(draw((816, 1056)), "a.png")
    Media.objects.update(focal_x=0.2, focal_y=0.3)

    media = replace_file(media.pk, ContentFile(pdf(page="/Rotate 180"), name="b.pdf"))

    assert (media.type, media.width, media.focal_x, media.focal_y) == ("document", 816, None, None)
    assert pictures_of(media)[1080].getpixel((820, 1070))[0] > 200  # type: ignore[index]
    media = replace_file(media.pk, ContentFile(b"Some words.\n", name="c.txt"))
    assert (media.width, media.placeholder, media.thumbnails.count()) == (None, "", 0)
    assert len(stored_files(media_root)) == 1


def test_makethumbnails_makes_the_pictures_of_what_was_stored_before(settings: Any) -> None:
    settings.FFMPEG = ""
    page, moving = upload(pdf(), "brochure.pdf"), upload(film(), "film.mp4")
    upload(b"Some words.\n", "words.txt")
    without_picture(page)

    assert makethumbnails() == "Images: 2, of them completed: 1.\n"
    page.refresh_from_db()
    assert (page.width, page.height, page.dominant_color) == (816, 1056, "#ffffff")
    settings.FFMPEG = find_ffmpeg()
    assert makethumbnails() == "Images: 2, of them completed: 1.\n"
    assert makethumbnails() == "Images: 2, of them completed: 0.\n"
    assert [page.thumbnails.count(), moving.thumbnails.count()] == [4, 4]


def test_makethumbnails_does_not_fail_for_what_cannot_be_shown() -> None:
    upload(encrypted(), "brochure.pdf")

    assert makethumbnails("--all") == "Images: 1, of them made anew: 0.\n"


def test_checkmedia_finds_a_picture_that_is_missing_or_wrong_and_makes_it_anew(media_root: Path) -> None:
    media = upload(pdf(b"0 0 0 rg 0 0 612 400 re f"), "brochure.pdf")
    rows = list(media.thumbnails.order_by("size"))
    path_of(rows[0]).unlink()
    path_of(rows[1]).write_bytes(b"no picture")
    Image.new("RGB", (396, 512), "green").save(path_of(rows[2]), "JPEG")
    Image.new("RGB", (900, 1200), "white").save(path_of(rows[3]), "JPEG")

    assert [(fault.box, fault.reason) for fault in check_media(media.pk)] == [
        (64, "is not there"),
        (128, "can't be read"),
        (512, "shows another picture"),
        (1080, "is 900 × 1200 pixels, not 810 × 1080"),
    ]
    assert checkmedia("--repair").endswith("Faults: 4, all of them repaired.\n")
    assert_all_is_well(media_root)


def test_checkmedia_says_where_a_film_s_picture_cannot_be_made_anew(settings: Any) -> None:
    settings.FFMPEG = find_ffmpeg()
    media = upload(film(), "film.mp4")
    media.thumbnails.filter(size=64).delete()
    settings.FFMPEG = ""

    told, last = checkmedia_fails("--repair")

    assert "64x64: does not exist; can't be made anew: no picture can be made of it" in told
    assert last.endswith("Faults: 1, of them repaired: 0.")
    settings.FFMPEG = find_ffmpeg()
    assert checkmedia("--repair").endswith("Faults: 1, all of them repaired.\n")


def test_a_media_without_a_picture_is_no_fault() -> None:
    upload(encrypted(), "brochure.pdf")

    assert "nothing is wrong" in checkmedia()
