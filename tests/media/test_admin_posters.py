"""Films and PDFs in the library and the pickers: their picture, and the mark that tells what they are."""

import re
from typing import Any

from django.test import Client as Site

from folio.media.models import Media
from tests.factories import make_image, make_meta, make_portfolio

from .filmed import film, find_ffmpeg
from .library import LIST
from .paged import encrypted, pdf
from .stored import upload


def card_of(site: Site, media: Media, url: str = LIST) -> str:
    """Return what the library, or another page, shows of a media."""
    html = site.get(url).content.decode()
    found = re.search(rf'<li class="folio-card" data-id="{media.pk}".*?</li>', html, re.DOTALL)
    assert found
    return found[0]


def thumbnail(media: Media, size: int = 512) -> str:
    return str(media.thumbnails.get(size=size).file.url)


def mark_in(html: str) -> str | None:
    """Return the words of the mark on a picture."""
    found = re.search(r'<span class="folio-mark">(.*?)</bdi></span>', html, re.DOTALL)
    return re.sub(r"<[^>]*>", " ", found[1]).strip() if found else None


def test_the_library_shows_the_first_page_of_a_pdf_whole_and_says_what_it_is(site: Site) -> None:
    media = upload(pdf(), "brochure.pdf")

    card = card_of(site, media)

    assert f'src="{thumbnail(media)}"' in card
    assert "folio-page" in card
    assert (mark_in(card) or "").split() == ["Document", "PDF"]


def test_the_library_shows_a_frame_of_a_film_with_a_play_sign_and_its_duration(site: Site, settings: Any) -> None:
    settings.FFMPEG = find_ffmpeg()
    media = upload(film("mp4", seconds=2), "film.mp4")

    card = card_of(site, media)

    assert f'src="{thumbnail(media)}"' in card
    assert "folio-page" not in card
    assert (mark_in(card) or "").split() == ["Video", "play_arrow", "0:02"]


def test_what_has_no_picture_is_shown_by_a_sign_its_extension_and_its_duration(site: Site) -> None:
    moving, locked = upload(film("mp4", seconds=2), "film.mp4"), upload(encrypted(), "brochure.pdf")

    assert re.search(r"movie</span><span[^>]*>MP4 · 0:02<", card_of(site, moving))
    assert re.search(r"description</span><span[^>]*>PDF<", card_of(site, locked))


def test_an_image_has_no_mark(site: Site) -> None:
    assert mark_in(card_of(site, make_image())) is None


def test_a_media_s_page_shows_its_picture_and_no_colour_mode_of_what_has_none(site: Site, settings: Any) -> None:
    settings.FFMPEG = find_ffmpeg()
    media = upload(film("mp4", seconds=2), "film.mp4")

    html = site.get(f"{LIST}{media.pk}/change/").content.decode()

    assert thumbnail(media) in html
    assert "Colour mode" not in html
    assert re.search(r"<dt>Duration</dt><dd><span[^>]*>0:02<", html)
    assert "Colour mode" in site.get(f"{LIST}{make_image().pk}/change/").content.decode()


def test_the_picker_shows_the_picture_of_a_file_that_is_chosen_and_of_those_to_choose_from(site: Site) -> None:
    media = upload(pdf(), "brochure.pdf")
    entry = make_meta(make_portfolio(), value_file=media)

    page = site.get(f"/admin/portfolios/metaentry/{entry.pk}/change/").content.decode()
    options = site.get(f"{LIST}pick/?type=document").json()["html"]

    assert f'src="{thumbnail(media, 128)}"' in page
    assert f'src="{thumbnail(media)}"' in options
    assert "folio-mark" in page
    assert "folio-mark" in options
