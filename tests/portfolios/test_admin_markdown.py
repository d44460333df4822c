"""What the form's box for a description asks the server for."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client as Site

from folio.media.models import Thumbnail
from folio.media.uploads import store_upload
from folio.portfolios.markdown import rendered
from tests.factories import draw, make_image, make_media, make_portfolio, make_user

PATH = "/admin/portfolios/portfolio/markdown/"
ADD = "/admin/portfolios/portfolio/add/"


def ask(site: Site, body: Any) -> Any:
    return site.post(PATH, json.dumps(body), content_type="application/json")


def test_renders_a_text(site: Site) -> None:
    image = make_image()

    answer = ask(site, {"text": f"# Hi\n![a]({image.file.url})<script>"})

    assert answer.status_code == 200
    assert answer.json() == {"html": rendered(f"# Hi\n![a]({image.file.url})<script>", "http://testserver")}
    assert (
        f'<img src="http://testserver{image.file.url}" width="40" height="30" loading="lazy" alt="a">'
        in (answer.json()["html"])
    )


@pytest.mark.parametrize("codes", [[], [4202], [4101, 4102]])
def test_refuses_those_who_write_no_entries(site_for: Callable[[User], Site], codes: list[int]) -> None:
    site = site_for(make_user(is_staff=True, codes=codes))

    assert ask(site, {"text": "a"}).status_code == 403


def test_answers_those_who_draft(drafter: Site) -> None:
    assert ask(drafter, {"text": "a"}).json() == {"html": "<p>a</p>\n"}


def test_refuses_strangers_and_visits(client: Any, site: Site) -> None:
    assert Site().post(PATH, "{}", content_type="application/json").status_code == 302
    assert site.get(PATH).status_code == 405


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "a",
        {"text": None},
        {"text": 1},
        {"text": "a", "media": 1},
        {"media": "1"},
        {"media": -1},
        {"media": 2**64},
    ],
)
def test_refuses_what_it_can_not_read(site: Site, body: Any) -> None:
    answer = ask(site, body)

    assert answer.status_code == 400
    assert list(answer.json()) == ["detail"]


def test_gives_the_mark_of_a_picture(site: Site) -> None:
    image = make_image("a (1).png", alt="A [crane] *at* night")
    largest = Thumbnail.objects.filter(media=image).order_by("-size")[0]

    text = ask(site, {"media": image.pk}).json()["text"]

    assert text.startswith("![A \\[crane\\] \\*at\\* night](/media/core_media/")
    html = rendered(text, "https://api.example.com")
    assert f'src="https://api.example.com{largest.file.url}"' in html.replace("%28", "(").replace("%29", ")")
    assert 'width="40" height="30" loading="lazy" alt="A [crane] *at* night"' in html


def test_the_mark_is_of_a_thumbnail_never_of_a_large_original(site: Site) -> None:
    image = store_upload(ContentFile(draw((2000, 1000)), name="large.png"))

    html = rendered(ask(site, {"media": image.pk}).json()["text"], "")

    assert 'width="1080" height="540"' in html


def test_refuses_pictures_that_are_not_there(site: Site) -> None:
    film = make_media(type="video")

    for pk in (film.pk, 987_654):
        answer = ask(site, {"media": pk})
        assert answer.status_code == 404
        assert answer.json() == {"detail": "This picture is not there any more. Choose another one."}


def test_tells_nothing_of_the_library_to_those_who_may_not_see_it(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4201]))

    assert ask(site, {"media": make_image().pk}).status_code == 403
    page = site.get(ADD).content.decode()
    assert 'data-mark="link"' in page
    assert 'data-mark="picture"' not in page


def test_the_form_has_the_box_with_its_text(site: Site) -> None:
    portfolio = make_portfolio(description="a <b>\n</textarea>")

    page = site.get(f"/admin/portfolios/portfolio/{portfolio.pk}/change/").content.decode()

    assert "a &lt;b&gt;\n&lt;/textarea&gt;</textarea>" in page
    assert page.count('role="toolbar"') == 1
    assert 'data-mark="picture"' in page
    assert "folio/portfolios/markdown.js" in page


def test_the_preview_of_an_entry_shows_its_text_rendered(site: Site) -> None:
    portfolio = make_portfolio(description="# Idea\n\n*one*\ntwo\n\n<script>alert(1)</script>")

    page = site.get(f"/admin/portfolios/portfolio/{portfolio.pk}/preview/").content.decode()

    assert '<div class="description"><h2>Idea</h2>\n<p><em>one</em><br>\ntwo</p>\n<p>&lt;script&gt;' in page
    as_json = site.get(f"/admin/portfolios/portfolio/{portfolio.pk}/preview/?as=json").content.decode()
    assert "# Idea\\n\\n*one*" in as_json
