"""The admin site makes and changes whole portfolios, with their places, for those who may."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Site

from folio.portfolios.models import Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag
from tests.conftest import Client
from tests.factories import (
    make_employer,
    make_image,
    make_link,
    make_media,
    make_meta,
    make_portfolio,
    make_tag,
    make_user,
)
from tests.forms import entry, errors, rows

from .entries import ADD, LIST, LONG_AGO, age, change, gallery, is_touched, links, meta


def placed_tags(portfolio: Portfolio) -> list[int]:
    return list(PortfolioTag.objects.filter(portfolio=portfolio).values_list("tag", flat=True))


# A complete entry


def test_makes_a_complete_entry_that_the_api_reads_in_its_order(site: Site, client: Client) -> None:
    first, second, notes = make_image("a.png"), make_image("b.png"), make_media(type="document", name="notes.pdf")
    print_, web, employer = make_tag(name="print"), make_tag(name="web"), make_employer(name="Harbour Trust")
    sent = entry(
        description="One.\r\n\r\nTwo.",
        image=first.pk,
        employer=employer.pk,
        is_active="on",
        completed_at_0="2024-12-12",
        completed_at_1="08:30:00",
    )
    sent |= {"images": [second.pk, first.pk], "tags": [web.pk, print_.pk]}
    sent |= rows(
        "links",
        {"name": "press", "url": "https://example.org/", "description": "", "image": second.pk, "place": 1},
        {"name": "site", "url": "", "description": "Live", "image": "", "place": 0},
    )
    sent |= rows(
        "meta",
        {"key": "notes", "value_text": "", "value_file": notes.pk, "place": ""},
        {"key": "camera", "value_text": "X100", "value_file": "", "place": ""},
    )

    answer = site.post(ADD, sent)

    assert answer.status_code == 302, errors(answer)
    read = client.get("/api/portfolios/slug/harbour/").json()
    assert (read["title"], read["excerpt"], read["order"], read["is_active"]) == ("Harbour", "An excerpt.", 0, True)
    assert read["description"] == "One.\n\nTwo."
    assert read["completed_at"] == "2024-12-12T08:30:00Z"
    assert (read["image_data"]["id"], read["employer_data"]["name"]) == (first.pk, "Harbour Trust")
    assert [image["id"] for image in read["images_data"]] == [second.pk, first.pk]
    assert [tag["name"] for tag in read["tags_data"]] == ["web", "print"]
    assert [(link["name"], link["url"], link["description"]) for link in read["links_data"]] == [
        ("site", None, "Live"),
        ("press", "https://example.org/", None),
    ]
    assert read["links_data"][1]["image_data"]["id"] == second.pk
    assert [(item["key"], item["value_text"]) for item in read["meta"]] == [("notes", None), ("camera", "X100")]
    assert read["meta"][0]["value_file"]["id"] == notes.pk


def test_shows_what_it_saved(site: Site) -> None:
    image = make_image("cover.png", alt="A crane")
    portfolio = make_portfolio(description="Long text", image=image, images=[image], tags=[make_tag(name="web")])
    make_link(portfolio, name="press")
    make_meta(portfolio, key="camera")

    page = site.get(f"{LIST}{portfolio.pk}/change/").content.decode()

    for shown in (portfolio.title, portfolio.slug, "Long text", "cover.png", "A crane", "web", "press", "camera"):
        assert shown in page
    assert "cover_thumbnail_" in page


def test_keeps_a_portfolio_that_is_saved_unchanged(site: Site, client: Client) -> None:
    image = make_image()
    portfolio = make_portfolio(
        description=None, image=image, images=[image, make_image()], tags=[make_tag()], completed_at=LONG_AGO, order=-3
    )
    make_link(portfolio, url=None, description="One.\nTwo.")
    make_meta(portfolio, value_text=None, value_file=image)
    url = f"/api/portfolios/{portfolio.pk}/"
    before = client.get(url).json()

    answer = change(site, portfolio)

    assert answer.status_code == 302, errors(answer)
    after = client.get(url).json()
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after == before


def test_takes_a_date_alone_as_its_midnight(site: Site) -> None:
    site.post(ADD, entry(completed_at_0="2024-12-12", completed_at_1=""))

    assert Portfolio.objects.get().completed_at == datetime(2024, 12, 12, tzinfo=UTC)


def test_takes_empty_boxes_as_null(site: Site) -> None:
    site.post(ADD, entry(description="", employer="", image="", completed_at_0="", completed_at_1=""))

    portfolio = Portfolio.objects.get()
    assert (portfolio.description, portfolio.employer, portfolio.image) == (None, None, None)
    assert portfolio.completed_at is None


# Places


def test_puts_a_new_row_without_a_place_last(site: Site) -> None:
    portfolio = make_portfolio()
    make_link(portfolio, name="a", place=0)
    make_link(portfolio, name="b", place=1)

    change(site, portfolio, **rows("links", {"name": "new", "place": ""}, shown=2))

    assert links(portfolio) == ["a", "b", "new"]


def test_puts_a_new_row_at_the_place_that_was_entered(site: Site) -> None:
    portfolio = make_portfolio()
    make_link(portfolio, name="a", place=0)
    make_link(portfolio, name="b", place=1)

    change(site, portfolio, **rows("links", {"name": "new", "place": 1}, shown=2))

    assert links(portfolio) == ["a", "new", "b"]


@pytest.mark.parametrize(
    "order", ["", "a", "ba", "cab", "abcd", "dcba"], ids=["emptied", "shorter", "fewer", "moved", "longer", "new order"]
)
def test_keeps_the_gallery_and_the_tags_in_the_order_sent(site: Site, order: str) -> None:
    images = {name: make_media() for name in "abcd"}
    tags = {name: make_tag() for name in "abcd"}
    portfolio = make_portfolio(images=[images[name] for name in "abc"], tags=[tags[name] for name in "abc"])

    answer = change(site, portfolio, images=[images[name].pk for name in order], tags=[tags[name].pk for name in order])

    assert answer.status_code == 302, errors(answer)
    assert gallery(portfolio) == [images[name].pk for name in order]
    assert placed_tags(portfolio) == [tags[name].pk for name in order]


@pytest.mark.parametrize(
    ("places", "order"),
    [
        ({0: 2}, "bcad"),
        ({3: 1}, "adbc"),
        ({0: 3, 1: 2, 2: 1, 3: 0}, "dcba"),
        ({1: ""}, "acdb"),
        ({0: 99}, "bcda"),
    ],
    ids=["down", "up", "reversed", "emptied", "too far"],
)
def test_moves_rows_to_the_places_that_were_entered(site: Site, places: dict[int, Any], order: str) -> None:
    portfolio = make_portfolio()
    for place, name in enumerate("abcd"):
        make_link(portfolio, name=name, place=place)

    change(site, portfolio, **{f"links-{number}-place": place for number, place in places.items()})

    assert "".join(links(portfolio)) == order
    assert list(portfolio.links.values_list("place", flat=True)) == [0, 1, 2, 3]


def test_keeps_the_ids_of_links_and_meta_that_stay(site: Site) -> None:
    portfolio = make_portfolio()
    first, second = make_link(portfolio, place=0), make_link(portfolio, place=1)
    entry_ = make_meta(portfolio, key="camera")

    change(site, portfolio, **{"links-0-place": 1, "links-1-place": 0, "meta-0-value_text": "X200"})

    assert list(portfolio.links.values_list("pk", flat=True)) == [second.pk, first.pk]
    entry_.refresh_from_db()
    assert entry_.value_text == "X200"


@pytest.mark.parametrize(
    ("prefix", "changes"),
    [
        ("gallery", {"images": []}),
        ("placed_tags", {"tags": []}),
        ("links", {"links-0-DELETE": "on"}),
        ("meta", {"meta-0-DELETE": "on"}),
    ],
)
def test_removes_a_row_and_renews_updated_at(site: Site, prefix: str, changes: dict[str, Any]) -> None:
    portfolio = make_portfolio(images=[make_media()], tags=[make_tag()])
    make_link(portfolio)
    make_meta(portfolio)
    age(portfolio)

    answer = change(site, portfolio, **changes)

    assert answer.status_code == 302, errors(answer)
    assert getattr(portfolio, prefix).count() == 0
    assert PortfolioImage.objects.count() + PortfolioTag.objects.count() + Link.objects.count() == (
        3 if prefix == "meta" else 2
    )
    assert is_touched(portfolio)


# Who may


def test_asks_for_the_portfolios_permission_alone(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4201, 4202, 4204, 4205]))
    image = make_media()
    sent = entry(images=[image.pk], **rows("links", {"name": "site"}), **rows("meta", {"key": "a"}))

    assert site.post(ADD, sent).status_code == 302
    portfolio = Portfolio.objects.get()
    assert (gallery(portfolio), links(portfolio), list(meta(portfolio).values())) == ([image.pk], ["site"], ["a"])
    assert change(site, portfolio, **{"links-0-DELETE": "on"}).status_code == 302
    assert links(portfolio) == []
    assert site.post(f"{LIST}{portfolio.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Portfolio.objects.exists()
    assert not MetaEntry.objects.exists()


def test_lets_those_who_may_only_look_do_no_more(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4202]))
    portfolio = make_portfolio(images=[make_media()])
    url = f"{LIST}{portfolio.pk}/change/"

    page = site.get(url)

    assert page.status_code == 200
    assert not page.context["has_change_permission"]
    assert not page.context["inline_admin_formsets"][0].has_change_permission
    assert site.post(url, entry(images=[])).status_code == 403
    assert site.get(ADD).status_code == 403
    assert site.post(f"{LIST}{portfolio.pk}/delete/", {"post": "yes"}).status_code == 403
    assert PortfolioImage.objects.count() == 1


@pytest.mark.parametrize("model", ["portfolio", "employer", "tag", "link", "metaentry"])
def test_shuts_out_staff_without_the_permission(site_for: Callable[[User], Site], staff: User, model: str) -> None:
    assert site_for(staff).get(f"/admin/portfolios/{model}/").status_code == 403


def test_sends_those_who_are_not_staff_to_the_sign_in(site_for: Callable[[User], Site], stranger: User) -> None:
    answer = site_for(stranger).get(LIST)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/admin/login/?next={LIST}")
