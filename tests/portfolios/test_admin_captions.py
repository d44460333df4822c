"""Captions and the cover in the portfolio's form: saved with it, lost by nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client as Site

from folio.media.models import Media
from folio.portfolios.models import Portfolio, PortfolioImage
from tests.conftest import Client
from tests.factories import make_image, make_portfolio, make_user
from tests.forms import entry, errors, shown_values

LIST = "/admin/portfolios/portfolio/"


def address(portfolio: Portfolio) -> str:
    return f"{LIST}{portfolio.pk}/change/"


def opened(site: Site, portfolio: Portfolio) -> dict[str, Any]:
    """Return what the form holds, as it is sent back untouched."""
    return shown_values(site.get(address(portfolio)))


def captions_of(portfolio: Portfolio) -> dict[str, str | None]:
    return dict(portfolio.gallery.values_list("media__name", "caption"))


def sides(page: Any) -> dict[str, tuple[str, str]]:
    return {side.label: (str(side.old), str(side.new)) for side in page.context["sides"]}


@pytest.fixture
def one(db: None) -> Media:
    return make_image("one.png")


@pytest.fixture
def two(db: None) -> Media:
    return make_image("two.png")


@pytest.fixture
def portfolio(one: Media, two: Media) -> Portfolio:
    """A portfolio whose gallery has "one" with a caption and "two" without."""
    portfolio = make_portfolio(images=[one, two])
    PortfolioImage.objects.filter(media=one).update(caption="The quay")
    return portfolio


def test_shows_captions_and_keeps_them_when_nothing_is_touched(site: Site, portfolio: Portfolio, one: Media) -> None:
    shown = site.get(address(portfolio)).content.decode()

    assert f'name="gallery-{one.pk}" value="The quay"' in shown
    assert site.post(address(portfolio), opened(site, portfolio)).status_code == 302
    assert captions_of(portfolio) == {"one.png": "The quay", "two.png": None}
    assert not LogEntry.objects.exists()


def test_saves_captions_with_the_form(site: Site, portfolio: Portfolio, one: Media, two: Media) -> None:
    before = Portfolio.objects.get().updated_at
    sent = {**opened(site, portfolio), f"gallery-{one.pk}": "", f"gallery-{two.pk}": " Two\r\nlines "}

    assert site.post(address(portfolio), sent).status_code == 302

    assert captions_of(portfolio) == {"one.png": None, "two.png": "Two\nlines"}
    assert Portfolio.objects.get().updated_at > before


def test_saves_those_of_a_new_entry_in_the_order_of_its_pictures(site: Site, one: Media, two: Media) -> None:
    sent = entry(images=[two.pk, one.pk], image=two.pk, gallery="", **{f"gallery-{one.pk}": "The quay"})

    answer = site.post(f"{LIST}add/", sent)

    assert answer.status_code == 302, errors(answer)
    made = Portfolio.objects.get()
    assert list(made.gallery.values_list("media", "caption")) == [(two.pk, None), (one.pk, "The quay")]
    assert made.image == two


def test_moves_a_caption_with_its_picture_and_drops_that_of_one_that_leaves(
    site: Site, portfolio: Portfolio, one: Media, two: Media
) -> None:
    assert site.post(address(portfolio), {**opened(site, portfolio), "images": [two.pk, one.pk]}).status_code == 302
    assert list(portfolio.gallery.values_list("media", "caption")) == [(two.pk, None), (one.pk, "The quay")]

    assert site.post(address(portfolio), {**opened(site, portfolio), "images": [two.pk]}).status_code == 302
    assert captions_of(portfolio) == {"two.png": None}

    site.post(address(portfolio), {**opened(site, portfolio), "images": [two.pk, one.pk]})
    assert captions_of(portfolio) == {"one.png": None, "two.png": None}


def test_keeps_captions_where_a_form_knows_none(site: Site, portfolio: Portfolio, one: Media, two: Media) -> None:
    """One that was opened before the server was renewed, say."""
    sent = {name: value for name, value in opened(site, portfolio).items() if not name.startswith("gallery")}

    assert site.post(address(portfolio), {**sent, "images": [two.pk, one.pk]}).status_code == 302

    assert captions_of(portfolio) == {"one.png": "The quay", "two.png": None}


@pytest.mark.parametrize(
    "name", ["gallery-x", "gallery--1", "gallery-", f"gallery-{'9' * 200}", "gallery-٣", "gallery-999"]
)
def test_ignores_captions_of_what_is_not_in_the_gallery(site: Site, portfolio: Portfolio, name: str) -> None:
    assert site.post(address(portfolio), {**opened(site, portfolio), name: "Nowhere"}).status_code == 302

    assert captions_of(portfolio) == {"one.png": "The quay", "two.png": None}


@pytest.mark.parametrize(("text", "said"), [("x" * 1001, "1001 characters, of at most 1000"), ("a\0b", "Null")])
def test_refuses_a_caption_that_will_not_do_and_gives_it_back(
    site: Site, portfolio: Portfolio, two: Media, text: str, said: str
) -> None:
    page = site.post(address(portfolio), {**opened(site, portfolio), f"gallery-{two.pk}": text})

    assert page.status_code == 200
    assert said in errors(page)["gallery"][0]
    assert [problem["label"] for problem in page.context["problems"]] == ["Captions"]
    assert "The quay" in page.content.decode()
    assert captions_of(portfolio) == {"one.png": "The quay", "two.png": None}


def test_escapes_a_caption(site: Site, portfolio: Portfolio) -> None:
    PortfolioImage.objects.update(caption='"><script>alert(1)</script>')

    assert "<script>alert" not in site.get(address(portfolio)).content.decode()


def test_shows_captions_and_missing_alt_texts_to_those_who_may_only_look(
    site_for: Callable[[User], Site], portfolio: Portfolio
) -> None:
    Media.objects.filter(name="one.png").update(alt="A quay")

    shown = site_for(make_user(is_staff=True, codes=[4202])).get(address(portfolio)).content.decode()

    assert "The quay" in shown
    assert shown.count("No alt text") == 1
    assert 'name="gallery' not in shown


def test_lets_those_who_draft_write_captions_until_the_entry_is_published(
    site_for: Callable[[User], Site], portfolio: Portfolio, two: Media
) -> None:
    drafter = make_user(is_staff=True)
    drafter.user_permissions.add(Permission.objects.get(codename="draft_portfolio"))
    site = site_for(drafter)
    Portfolio.objects.update(is_active=False)
    sent = {**opened(site, portfolio), f"gallery-{two.pk}": "Drafted"}
    assert site.post(address(portfolio), sent).status_code == 302
    assert captions_of(portfolio)["two.png"] == "Drafted"

    sent = {**opened(site, portfolio), f"gallery-{two.pk}": "Too late"}
    Portfolio.objects.update(is_active=True)
    page = site.post(address(portfolio), sent)

    assert 'value="Too late"' in page.content.decode()
    assert captions_of(portfolio)["two.png"] == "Drafted"


# History


def test_tells_in_the_history_whose_caption_has_become_what(site: Site, portfolio: Portfolio, two: Media) -> None:
    site.post(address(portfolio), {**opened(site, portfolio), f"gallery-{two.pk}": "The crane"})

    (told,) = site.get(f"{LIST}{portfolio.pk}/history/").context["entries"]

    (difference,) = told.differences
    assert difference.label == "Captions"
    assert "The crane" in difference.shown
    assert "two.png" in difference.shown
    assert "The quay" not in difference.shown


def test_restores_the_captions_of_pictures_that_are_still_there(
    site: Site, client: Client, portfolio: Portfolio, one: Media, two: Media
) -> None:
    url, gone = f"/api/portfolios/{portfolio.pk}/", make_image("gone.png")
    client.patch(url, {"images": [one.pk, two.pk, gone.pk], "captions": {one.pk: "Once", gone.pk: "Gone"}})
    entry = LogEntry.objects.latest("pk")
    new = make_image("new.png")
    client.patch(url, {"images": [new.pk, two.pk, one.pk], "captions": {one.pk: "Now", two.pk: "Since", new.pk: "New"}})
    restore = f"{LIST}{portfolio.pk}/history/{entry.pk}/restore/"

    page = site.get(restore)
    assert [difference.label for difference in page.context["differences"]] == ["Captions"]
    assert site.post(restore).status_code == 302

    assert list(portfolio.gallery.values_list("media__name", "caption")) == [
        ("new.png", "New"),
        ("two.png", "Since"),
        ("one.png", "Once"),
    ]
    assert '"caption":"Once"' in LogEntry.objects.latest("pk").change_message
    assert site.post(restore).status_code == 400  # nothing is left to be restored


# Two people at one entry


def test_never_reverts_captions_that_were_not_touched(site: Site, portfolio: Portfolio, two: Media) -> None:
    mine = {**opened(site, portfolio), "title": "Mine"}
    theirs = {**opened(site, portfolio), f"gallery-{two.pk}": "Theirs"}
    assert site.post(address(portfolio), theirs).status_code == 302

    page = site.post(address(portfolio), mine)

    assert page.status_code == 200
    old, new = sides(page)["Captions"]
    assert ("Theirs" in old, new) == (True, "The form below has it now.")
    assert 'value="Theirs"' in page.content.decode()
    assert site.post(address(portfolio), shown_values(page)).status_code == 302
    assert captions_of(portfolio) == {"one.png": "The quay", "two.png": "Theirs"}
    assert Portfolio.objects.get().title == "Mine"


def test_shows_both_where_both_have_written_captions(site: Site, portfolio: Portfolio, two: Media) -> None:
    mine = {**opened(site, portfolio), f"gallery-{two.pk}": "Mine"}
    site.post(address(portfolio), {**opened(site, portfolio), f"gallery-{two.pk}": "Theirs"})

    page = site.post(address(portfolio), mine)

    old, new = sides(page)["Captions"]
    assert ("Theirs" in old, "Mine" in old, "Theirs" in new, "Mine" in new) == (True, False, False, True)
    assert [side.by for side in page.context["sides"]] == ["both"]
    assert captions_of(portfolio)["two.png"] == "Theirs"
    assert site.post(address(portfolio), shown_values(page)).status_code == 302
    assert captions_of(portfolio)["two.png"] == "Mine"


def test_keeps_a_caption_that_was_typed_where_the_gallery_has_another_order_now(
    site: Site, client: Client, portfolio: Portfolio, one: Media, two: Media
) -> None:
    mine = {**opened(site, portfolio), f"gallery-{two.pk}": "Mine"}
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"images": [two.pk, one.pk]})

    page = site.post(address(portfolio), mine)
    assert site.post(address(portfolio), shown_values(page)).status_code == 302

    assert list(portfolio.gallery.values_list("media", "caption")) == [(two.pk, "Mine"), (one.pk, "The quay")]


def test_makes_an_entry_that_is_gone_anew_with_its_captions(site: Site, client: Client, portfolio: Portfolio) -> None:
    mine = opened(site, portfolio)
    client.delete(f"/api/portfolios/{portfolio.pk}/")

    page = site.post(address(portfolio), mine)

    assert site.post(f"{LIST}add/", shown_values(page)).status_code == 302
    assert captions_of(Portfolio.objects.get()) == {"one.png": "The quay", "two.png": None}


def test_alt_texts_and_focal_points_that_are_saved_meanwhile_are_no_collision(
    site: Site, portfolio: Portfolio, one: Media
) -> None:
    sent = {**opened(site, portfolio), "title": "Mine"}
    texts = f"/admin/media/media/{one.pk}/texts/"
    body = {"alt": "A quay", "focal_x": 0.2, "focal_y": 0.8}
    assert site.post(texts, body, content_type="application/json").status_code == 200
    Portfolio.objects.update(related_updated_at="2026-01-02T03:04:05Z")

    assert site.post(address(portfolio), sent).status_code == 302
    assert Portfolio.objects.get().title == "Mine"


# What the scripts need


def test_offers_a_star_for_the_cover_and_says_whether_the_entry_is_new(site: Site, portfolio: Portfolio) -> None:
    new, old = (site.get(url).content.decode() for url in (f"{LIST}add/", address(portfolio)))

    assert (" data-of-new" in new, " data-of-new" in old) == (True, False)
    for page in (new, old):
        assert 'data-cover="image"' in page
        assert 'data-captions="gallery"' in page
    assert old.count('class="folio-star"') == 3  # two pictures, and the one that others are made of
