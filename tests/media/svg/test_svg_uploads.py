"""Drawings through the one door, and what is stored, served and shown of them."""

import io
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from PIL import Image

from folio.media import variants
from folio.media.checking import check_media
from folio.media.documents import MEDIA_FIELDS
from folio.media.errors import UploadRefused
from folio.media.making import on_request
from folio.media.models import Media
from folio.media.renewing import complete, image_decoders
from folio.media.replacing import replace_file
from folio.media.uploads import store_once
from tests.factories import draw, make_portfolio
from tests.media.stored import Wrap, assert_nothing_is_left, content_of, temporary, upload

from .drawings import LOGOS, drawing, rewrite

pytestmark = pytest.mark.django_db

LOGO = drawing('<script>hit()</script><rect width="10" height="5" fill="#f60"/>')


def row_of(media: Media) -> dict[str, Any]:
    return Media.objects.filter(pk=media.pk).values(*MEDIA_FIELDS).get()


@pytest.mark.parametrize("wrap", [ContentFile, temporary])
@pytest.mark.parametrize("keep", [False, True], ids=["cleaned", "kept"])
def test_stores_what_is_rewritten_whatever_is_kept_of_others(keep: bool, wrap: Wrap, settings: Any) -> None:
    settings.KEEP_METADATA = keep

    media = upload(LOGO, "Our Logo.SVG")

    assert content_of(media) == rewrite(LOGO).content
    assert b"hit" not in content_of(media)
    assert (media.type, media.mime_type, media.mode) == ("image", "image/svg+xml", "RGBA")
    assert (media.width, media.height, media.is_animated, media.is_transparent) == (10, 10, False, True)
    assert (media.dominant_color, media.placeholder[:16]) == ("#ff6600", "data:image/webp;")
    assert media.size == len(content_of(media))
    assert str(media.file).endswith("/Our_Logo.svg")


@pytest.mark.parametrize("name", LOGOS)
def test_thumbnails_are_png_within_their_boxes(name: str) -> None:
    media = upload(LOGOS[name], "logo.svg")

    for thumbnail in media.thumbnails.all():
        image = Image.open(io.BytesIO(content_of(thumbnail)))
        assert str(thumbnail.file).endswith(f"logo_thumbnail_{thumbnail.size}x{thumbnail.size}.png")
        assert (image.format, image.mode) == ("PNG", "RGBA")
        assert max(image.size) == min(thumbnail.size, max(media.width or 0, media.height or 0))
        left, right = (image.getpixel((round(image.width * share), image.height // 2)) for share in (0.06, 0.94))
        assert left[2] > 200 > 60 > left[1], (name, left)  # type: ignore[index]
        assert right[1] > 200 > 60 > right[2], (name, right)  # type: ignore[index]


def test_says_how_to_go_on_where_svg_is_off(settings: Any, media_root: Path) -> None:
    settings.ALLOW_SVG = False

    with pytest.raises(UploadRefused, match=r"SVG is not accepted here: FOLIO_ALLOW_SVG is off\. Send .*as PNG"):
        upload(LOGO, "logo.svg")

    assert_nothing_is_left(media_root)


def test_what_is_stored_is_worked_with_where_svg_is_off_since(settings: Any) -> None:
    media = upload(LOGO, "logo.svg")
    settings.ALLOW_SVG = False
    media.thumbnails.get(size=64).delete()

    assert complete(media.pk, image_decoders(1))

    assert media.thumbnails.count() == 4


def test_a_refusal_names_the_reason(media_root: Path) -> None:
    with pytest.raises(UploadRefused, match="An SVG with a DOCTYPE is not accepted"):
        upload(b"<!DOCTYPE svg>" + LOGO, "logo.svg")

    assert_nothing_is_left(media_root)


@pytest.mark.parametrize("content", [LOGO, rewrite(LOGO).content], ids=["as-it-was-sent", "as-it-is-stored"])
def test_is_stored_once(content: bytes) -> None:
    media = upload(LOGO, "logo.svg")

    assert store_once(ContentFile(content, name="again.svg")) == (media, False)


def test_takes_the_place_of_a_picture_and_gives_it_back() -> None:
    media = upload(draw(), "logo.png")

    assert replace_file(media.pk, ContentFile(LOGO, name="logo.svg")).mime_type == "image/svg+xml"
    assert replace_file(media.pk, ContentFile(draw(), name="logo.png")).mime_type == "image/png"


def test_nothing_is_wrong_with_it_and_thumbnails_are_made_anew() -> None:
    media = upload(LOGO, "logo.svg")
    assert check_media(media.pk) == []
    media.thumbnails.get(size=64).file.delete()

    assert [fault.repaired for fault in check_media(media.pk, image_decoders(1))] == [True]
    assert check_media(media.pk) == []
    assert complete(media.pk, image_decoders(1), anew=True)


def test_is_served_inline_and_loads_nothing(client: Client) -> None:
    media = upload(LOGO, "logo.svg")

    with closing(client.get(f"/media/{media.file}")) as response:
        assert b"".join(response) == content_of(media)

    assert response["Content-Type"] == "image/svg+xml"
    assert "attachment" not in response.get("Content-Disposition", "")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == (
        "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    )


# What visitors read


@pytest.mark.parametrize("public", [True, False], ids=["originals", "no-originals"])
def test_visitors_get_the_drawing_itself_where_originals_are_public(public: bool, settings: Any) -> None:
    settings.PUBLIC_ORIGINALS = public
    row = row_of(upload(drawing(root='width="4000" height="3000"'), "logo.svg"))

    assert variants.src(row, "thumbnail.png", str) == (row["file"] if public else "thumbnail.png")
    assert variants.sources(row, str) == []


@pytest.mark.django_db(transaction=True)
def test_the_picture_beside_a_link_is_drawn_as_large_as_it_is_shown(settings: Any) -> None:
    settings.PUBLIC_READ = True
    media = upload(drawing('<rect x="4" width="2" height="10" fill="#00f"/>'), "logo.svg")
    make_portfolio(image=media)
    wanted = list(variants.variants_of(row_of(media)))

    assert [variant.extension for variant in wanted] == ["jpg"]
    assert on_request(wanted[0].name) == wanted[0].name
    with media.file.storage.open(wanted[0].name) as file, Image.open(file) as image:
        assert image.size == (1200, 630)
        assert image.getpixel((470, 315)) == pytest.approx((255, 255, 255), abs=9)
        assert image.getpixel((490, 315)) == pytest.approx((0, 0, 255), abs=9)
    assert on_request(wanted[0].name.replace("share_500x500.jpg", "320.png")) is None
