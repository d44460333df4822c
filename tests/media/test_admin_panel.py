"""The panel of a picture in the admin site: what it shows to whom, and what is saved from it at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.media.models import Media
from tests.conftest import Client
from tests.factories import make_image, make_link, make_media, make_portfolio, make_user

pytestmark = pytest.mark.django_db


def panel(site: Site, media: Media, here: str = "") -> Any:
    return site.get(f"/admin/media/media/{media.pk}/panel/", {"here": here})


def html(site: Site, media: Media, here: str = "") -> str:
    answer = panel(site, media, here)
    assert answer.status_code == 200, answer.content
    shown: str = answer.json()["html"]
    return shown


def save(site: Site, media: Media, **body: Any) -> Any:
    return site.post(f"/admin/media/media/{media.pk}/texts/", body, content_type="application/json")


def form_of(portfolio: Any) -> str:
    return f"/admin/portfolios/portfolio/{portfolio.pk}/change/"


# What it shows


def test_shows_the_largest_thumbnail_never_the_original_and_texts_as_text(site: Site) -> None:
    media = make_image("crane.png", alt='"><script>alert(1)</script>')
    Media.objects.update(focal_x=0.25, focal_y=0.5)

    shown = html(site, media)

    assert "crane_thumbnail_1080x1080.png" in shown
    assert media.file.url + '"' not in shown
    assert "<script>alert" not in shown
    assert 'data-x="0.25" data-y="0.5"' in shown
    assert 'role="slider"' in shown


def test_writes_numbers_for_scripts_in_persian_too(site: Site) -> None:
    media = make_image()
    Media.objects.update(focal_x=0.25, focal_y=None)

    shown = site.get(f"/admin/media/media/{media.pk}/panel/", headers={"Accept-Language": "fa"}).json()["html"]

    assert 'data-x="0.25" data-y=""' in shown


def test_names_the_other_places_that_show_it_but_not_the_one_that_it_opens_in(site: Site) -> None:
    media = make_image()
    here, other = (
        make_portfolio(images=[media], image=media),
        make_portfolio(title="Elsewhere", images=[media], image=media),
    )
    make_link(other, name="Press", image=media)

    shown = html(site, media, form_of(here))

    assert "Also shown in 2 other places." in shown
    assert "Elsewhere" in shown
    assert here.title not in shown
    assert "Shown in no other place." in html(site, make_image("alone.png"), form_of(here))
    assert "Shown in 3 places." in html(site, media, "/admin/media/media/")


def test_shows_values_but_takes_none_from_those_who_may_not_change_media(site_for: Callable[[User], Site]) -> None:
    media = make_image(alt="A crane")
    Media.objects.update(focal_x=0.25, focal_y=0.5)

    shown = html(site_for(make_user(is_staff=True, codes=[4102])), media)

    assert "A crane" in shown
    assert "You may not change media." in shown
    assert 'data-x="0.25"' in shown
    assert 'role="slider"' not in shown
    assert 'data-part="alt"' not in shown
    assert 'data-part="centre"' not in shown


def test_tells_nothing_of_a_picture_to_those_who_may_not_see_the_library(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4204]))
    media = make_image("secret.png", alt="Secret")

    shown = html(site, media)

    assert "You may not see the media library" in shown
    assert "ecret" not in shown
    assert 'data-part="caption"' in shown
    media.pk += 1000
    assert html(site, media) == shown  # not even whether there is one
    assert panel(Site(), media).status_code == 302


def test_is_of_images_alone(site: Site) -> None:
    answer = panel(site, make_media(type="document"))

    assert (answer.status_code, answer.json()["detail"]) == (400, "This media was deleted meanwhile.")
    assert site.post(f"/admin/media/media/{make_image().pk}/panel/").status_code == 405


def test_costs_the_same_however_often_it_is_shown(site: Site) -> None:
    def queries(media: Media) -> int:
        with CaptureQueriesContext(connection) as captured:
            html(site, media)
        return len(captured)

    once, often = make_image(), make_image("often.png")
    make_portfolio(images=[once])
    for _ in range(12):
        make_portfolio(images=[often])
    queries(once)

    assert queries(often) == queries(once) <= 14


# What is saved at once


def test_saves_a_focal_point_and_notes_who_did(site: Site, editor: User) -> None:
    media = make_image()

    answer = save(site, media, focal_x=0.25, focal_y=1)

    assert answer.json() == {"name": media.name, "alt": media.alt, "focal_x": 0.25, "focal_y": 1.0}
    media.refresh_from_db()
    assert (media.focal_x, media.focal_y) == (0.25, 1.0)
    entry = LogEntry.objects.get()
    assert entry.user == editor
    assert '"focal_x":[null,0.25]' in entry.change_message
    assert save(site, media, focal_x=None, focal_y=None).json()["focal_x"] is None
    media.refresh_from_db()
    assert (media.focal_x, media.focal_y) == (None, None)


@pytest.mark.parametrize(
    ("x", "status"),
    [(-0.01, 400), (1.01, 400), (1e400, 400), ("0.5", 400), (True, 400), ([0.5], 400), (0, 200), (0.123456789, 200)],
    ids=["left of it", "right of it", "infinite", "text", "yes", "list", "edge", "exact"],
)
def test_takes_numbers_from_0_to_1(site: Site, x: Any, status: int) -> None:
    media = make_image()

    assert save(site, media, focal_x=x, focal_y=0.5).status_code == status

    media.refresh_from_db()
    assert (media.focal_x == x) is (status == 200)


def test_gives_no_other_file_a_focal_point(site: Site) -> None:
    notes = make_media(type="document")

    answer = save(site, notes, focal_x=0.5, focal_y=0.5)

    assert (answer.status_code, answer.json()["detail"]) == (400, "Only an image has a focal point.")
    assert save(site, notes, alt="Notes").status_code == 200


def test_moves_nothing_for_those_who_may_not_change(site_for: Callable[[User], Site]) -> None:
    media = make_image()

    assert (
        save(site_for(make_user(is_staff=True, codes=[4102, 4204])), media, focal_x=0.1, focal_y=0.1).status_code == 403
    )

    media.refresh_from_db()
    assert media.focal_x is None


# Two people at one picture


def test_tells_who_was_faster_and_saves_over_it_what_is_sent_again(site: Site, client: Client) -> None:
    media = make_image(alt="Before")
    client.patch(f"/api/media/{media.pk}/", {"alt": "Theirs"})

    answer = save(site, media, alt="Mine", was={"alt": "Before"})

    assert answer.status_code == 409
    assert answer.json()["stored"] == {"alt": "Theirs"}
    assert answer.json()["detail"].startswith("eda has changed this to “Theirs” meanwhile.")
    media.refresh_from_db()
    assert media.alt == "Theirs"
    assert save(site, media, alt="Mine", was=answer.json()["stored"]).status_code == 200
    media.refresh_from_db()
    assert media.alt == "Mine"


def test_leaves_a_focal_point_where_someone_else_has_put_it_meanwhile(site: Site) -> None:
    media = make_image()
    Media.objects.update(focal_x=0.9, focal_y=0.9)

    answer = save(site, media, focal_x=0.1, focal_y=0.1, was={"focal_x": None, "focal_y": None})

    assert answer.status_code == 409
    assert answer.json()["stored"] == {"focal_x": 0.9, "focal_y": 0.9}
    assert answer.json()["detail"] == "someone has moved the focal point meanwhile: it is where they put it."
    media.refresh_from_db()
    assert media.focal_x == 0.9


def test_does_not_mind_what_others_have_changed_besides(site: Site) -> None:
    media = make_image(alt="Before")
    Media.objects.update(name="theirs.png", focal_x=0.9)

    assert save(site, media, alt="Mine", was={"alt": "Before"}).status_code == 200
    assert save(site, media, alt="Mine", was={"alt": "Long before"}).status_code == 200  # as it is already

    media.refresh_from_db()
    assert (media.name, media.alt, media.focal_x) == ("theirs.png", "Mine", 0.9)


def test_knows_a_text_again_whose_lines_a_box_has_joined(site: Site) -> None:
    media = make_image(alt="One\r\ntwo")

    assert save(site, media, alt="Mine", was={"alt": "One\ntwo"}).status_code == 200


@pytest.mark.parametrize("was", [[], "x", 5, None])
def test_refuses_what_no_page_sends(site: Site, was: Any) -> None:
    assert save(site, make_image(), alt="Mine", was=was).status_code == 400
