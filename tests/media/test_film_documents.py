"""The API and the public surface tell how large a film is, how long it plays, and where its picture lies."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from folio.media.admin.cards import card_of, clock
from folio.media.models import Media, Thumbnail
from folio.media.replacing import replace_file
from folio.media.uploads import store_upload
from folio.portfolios.models import Portfolio
from tests.factories import draw, make_media, make_meta, make_portfolio

from .checked import checkmedia
from .played import MP3, film, id3, track

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/media/"
KEYS = ["id", "type", "name", "size", "human_readable_size", "f", "alt", "mime_type", "sha256"]
KEYS += ["created_at", "updated_at"]
OF_FILMS = ["width", "height", "duration", "poster"]
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"


def make_film(**told: Any) -> Media:
    return store_upload(ContentFile(film(track(**told)), name="film.mp4"))


def make_poster(media: Media, size: int = 1080) -> str:
    name = f"core_media/2026/03/02/thumbnails/film_thumbnail_{size}x{size}.jpg"
    Thumbnail.objects.create(media=media, size=size, file=name)
    return f"http://testserver/media/{name}"


@pytest.fixture
def answer(client_for: Any, admin: Any) -> Any:
    return lambda media: client_for(admin).get(f"{PATH}{media.pk}/").json()


def test_a_film_tells_its_size_duration_and_poster_last(answer: Any) -> None:
    media = make_film()
    poster = make_poster(media)
    make_poster(media, 64)

    told = answer(media)

    assert list(told) == [*KEYS, *OF_FILMS]
    assert [told[name] for name in OF_FILMS] == [640, 360, 2.5, poster]


def test_what_is_not_known_of_a_film_is_null(answer: Any) -> None:
    told = answer(make_media(type="video", mime_type="video/mp4"))

    assert [told[name] for name in OF_FILMS] == [None] * 4


@pytest.mark.parametrize(("kind", "mime_type"), [("document", "application/pdf"), ("other", "application/illustrator")])
def test_a_pdf_has_the_keys_of_a_film(answer: Any, kind: str, mime_type: str) -> None:
    media = make_media(type=kind, mime_type=mime_type, width=595, height=842)
    poster = make_poster(media)

    told = answer(media)

    assert list(told) == [*KEYS, *OF_FILMS]
    assert [told[name] for name in OF_FILMS] == [595, 842, None, poster]


def test_a_sound_and_another_document_have_none_of_them(answer: Any) -> None:
    sound = store_upload(ContentFile(id3() + MP3 * 9, name="song.mp3"))
    text = store_upload(ContentFile(b"Hello, dear reader.\n", name="letter.txt"))

    assert [list(answer(media)) for media in (sound, text)] == [KEYS, KEYS]


def test_a_list_has_them_too(client_for: Any, admin: Any) -> None:
    make_film()

    (row,) = client_for(admin).get(PATH).json()["results"]

    assert list(row) == [*KEYS, *OF_FILMS]


def test_the_keys_of_an_answer_may_be_sent_back(client_for: Any, admin: Any) -> None:
    media = make_film()
    client = client_for(admin)
    told = client.get(f"{PATH}{media.pk}/").json()

    response = client.put(f"{PATH}{media.pk}/", {**told, "duration": 99, "name": "Reel"}, format="json")

    assert response.status_code == 200
    assert (response.json()["duration"], response.json()["name"]) == (2.5, "Reel")


# Visitors


@pytest.fixture
def public(settings: Any, client: Client) -> Any:
    settings.PUBLIC_READ = True

    def read(portfolio: Portfolio) -> Any:
        return client.get(f"/api/public/portfolios/{portfolio.slug}/").json()

    return read


def test_visitors_are_told_of_a_film(public: Any) -> None:
    media = make_film(pixel=(4, 3))
    poster = make_poster(media)
    portfolio = make_portfolio()
    make_meta(portfolio, value_file=media)

    file = public(portfolio)["meta"][0]["value_file"]

    assert [file[name] for name in OF_FILMS] == [853, 360, 2.5, poster]


def test_visitors_are_told_how_long_a_sound_plays(public: Any) -> None:
    portfolio = make_portfolio()
    make_meta(portfolio, value_file=store_upload(ContentFile(id3() + MP3 * 100, name="song.mp3")))

    file = public(portfolio)["meta"][0]["value_file"]

    assert [file[name] for name in OF_FILMS] == [None, None, 2.612, None]


@pytest.mark.parametrize("name", ["width", "height", "duration"])
def test_what_is_found_out_of_a_film_renews_what_shows_it(public: Any, name: str) -> None:
    media = make_film()
    portfolio = make_portfolio()
    make_meta(portfolio, value_file=media)
    before = public(portfolio)["updated_at"]

    Media.objects.filter(pk=media.pk).update(**{name: 7})

    assert public(portfolio)["updated_at"] > before
    assert public(portfolio)["meta"][0]["value_file"][name] == 7


# Stored before, and stored anew


def test_checkmedia_finds_out_about_older_films_and_sounds() -> None:
    make_film()
    store_upload(ContentFile(id3() + MP3 * 100, name="song.mp3"))
    store_upload(ContentFile(draw(), name="picture.png"))
    before = list(Media.objects.order_by("pk").values("width", "height", "duration"))
    Media.objects.exclude(type="image").update(width=None, height=None, duration=None)

    checkmedia("--repair")

    assert list(Media.objects.order_by("pk").values("width", "height", "duration")) == before
    assert [row["duration"] for row in before] == [2.5, 2.612, None]


def test_checkmedia_leaves_them_as_they_are_without_repair() -> None:
    make_film()
    Media.objects.update(width=None, height=None, duration=None)

    checkmedia()

    assert Media.objects.get().duration is None


def test_a_film_in_the_place_of_another_file_tells_its_own() -> None:
    media = store_upload(ContentFile(draw((640, 360)), name="picture.png"), alt="A reel")
    Media.objects.update(focal_x=0.1, focal_y=0.2)

    media = replace_file(media.pk, ContentFile(film(track(seconds=9), track(b"soun", id=2)), name="film.mp4"))

    assert (media.type, media.width, media.height, media.duration) == ("video", 640, 360, 2.5)
    assert (media.mode, media.focal_x, media.focal_y) == (None, None, None)
    media = replace_file(media.pk, ContentFile(draw(), name="picture.png"))
    assert (media.type, media.duration) == ("image", None)


def test_thumbnails_of_a_film_are_no_business_of_descriptions_that_do_not_know_its_size(public: Any) -> None:
    media = make_media(type="video", mime_type="video/mp4", file="core_media/2026/03/02/film.mp4")
    poster = make_poster(media)

    portfolio = make_portfolio(description=f"![Reel]({poster})")

    assert f'src="{poster}"' in public(portfolio)["description_html"]


# The library


def test_a_card_tells_how_large_a_film_is_and_how_long_it_plays() -> None:
    assert "640 × 360" in card_of(make_film())["facts"]
    assert "0:02" in card_of(make_film())["facts"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (7.2, "0:07"), (754, "12:34"), (3723, "1:02:03")], ids=str
)
def test_a_duration_is_told_as_players_do(seconds: float, text: str) -> None:
    assert clock(seconds) == text
