"""Those who may draft but not publish, as an attacker would send their requests."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client as Site

from folio.history.changes import log
from folio.media.models import Thumbnail
from folio.portfolios import publishing
from folio.portfolios.models import Portfolio
from tests.conftest import Client
from tests.factories import make_link, make_media, make_portfolio, make_tag, make_user
from tests.forms import entry, errors, shown_values

LIST = "/admin/portfolios/portfolio/"


def make_drafter(*codes: int) -> User:
    user = make_user(is_staff=True, codes=codes)
    user.user_permissions.add(Permission.objects.get(codename="draft_portfolio"))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def site(site_for: Callable[[User], Site]) -> Site:
    return site_for(make_drafter())


def change_url(portfolio: Portfolio) -> str:
    return f"{LIST}{portfolio.pk}/change/"


def test_adds_an_entry_that_is_not_active_whatever_is_sent(site: Site) -> None:
    page = site.get(f"{LIST}add/")

    answer = site.post(f"{LIST}add/", entry(is_active="on"))

    assert "is_active" not in page.context["adminform"].form.fields
    assert "until someone who may publish publishes it" in page.content.decode()
    assert answer.status_code == 302, errors(answer)
    assert not Portfolio.objects.get().is_active


def test_changes_an_entry_that_is_not_active_and_cannot_publish_it(site: Site) -> None:
    portfolio = make_portfolio(is_active=False)
    url = change_url(portfolio)

    answer = site.post(url, {**shown_values(site.get(url)), "title": "Changed", "is_active": "on"})

    assert answer.status_code == 302, errors(answer)
    portfolio.refresh_from_db()
    assert (portfolio.title, portfolio.is_active) == ("Changed", False)


def test_leaves_the_order_as_it_is_whatever_is_sent(site: Site) -> None:
    portfolio = make_portfolio(is_active=False, order=3)
    url = change_url(portfolio)
    page = site.get(url)

    changed = site.post(url, {**shown_values(page), "title": "Changed", "order": "-5"})
    added = site.post(f"{LIST}add/", entry(order="-5"))

    assert "order" not in page.context["adminform"].form.fields
    assert (changed.status_code, added.status_code) == (302, 302), errors(added)
    assert set(Portfolio.objects.values_list("title", "order")) == {("Changed", 3), ("Harbour", 0)}


@pytest.mark.parametrize("changes", [{"title": "Changed"}, {"is_active": ""}], ids=["changed", "hidden"])
def test_may_only_look_at_an_active_entry(site: Site, changes: dict[str, str]) -> None:
    portfolio = make_portfolio(title="Live")

    page = site.get(change_url(portfolio))
    answer = site.post(change_url(portfolio), entry(**changes))

    assert page.status_code == 200
    assert not page.context["has_change_permission"]
    assert answer.status_code == 403
    portfolio.refresh_from_db()
    assert (portfolio.title, portfolio.is_active) == ("Live", True)


def test_shows_pictures_in_their_order_to_those_who_may_only_look(site: Site) -> None:
    media = [make_media(name=f"{name}.png", alt=f"Seen {name}") for name in ("first", "second", "third")]
    portfolio = make_portfolio(
        image=make_media(name="cover.png"), images=media, tags=[make_tag(name="b"), make_tag(name="a")]
    )
    for each in (*media, portfolio.image):
        Thumbnail.objects.create(media=each, size=512, file=f"thumbnails/{each.name}.webp")
    make_link(portfolio, name="press")

    html = site.get(change_url(portfolio)).content.decode()

    places = [html.index(name) for name in ("cover.png.webp", "first.png.webp", "second.png.webp", "third.png.webp")]
    assert places == sorted(places)
    assert 'alt="Seen first"' in html
    assert "b, a" in html
    assert "press" in html
    assert "field-place" not in html


def test_gives_back_what_was_typed_in_an_entry_that_is_published_meanwhile(site: Site) -> None:
    portfolio = make_portfolio(is_active=False, title="Draft")
    make_link(portfolio, name="press")
    sent = {**shown_values(site.get(change_url(portfolio))), "title": "Changed", "links-0-name": "typed"}
    Portfolio.objects.update(is_active=True)
    publisher = make_user("paula", first_name="Paula", last_name="Roe")
    log(publisher, portfolio, CHANGE, {"is_active": (False, True)})
    log(make_user("eve"), portfolio, CHANGE, {"order": (0, 1)})

    page = site.post(change_url(portfolio), sent)
    again = site.post(change_url(portfolio), {**shown_values(page), "title": "Changed again"})

    for answer, title in ((page, "Changed"), (again, "Changed again")):
        assert answer.status_code == 200
        html = answer.content.decode()
        assert "Nothing was saved, because Paula Roe (paula) has published this meanwhile." in html
        assert f'value="{title}"' in html
        assert 'value="typed"' in html
        assert not any(f'name="{button}"' in html for button in ("_save", "_continue", "_preview"))
    portfolio.refresh_from_db()
    assert (portfolio.title, portfolio.is_active, portfolio.links.get().name) == ("Draft", True, "press")
    assert LogEntry.objects.count() == 2


def test_deletes_nothing(site: Site) -> None:
    portfolio = make_portfolio(is_active=False)

    assert site.post(f"{LIST}{portfolio.pk}/delete/", {"post": "yes"}).status_code == 403
    site.post(LIST, {"action": "delete_selected", "_selected_action": [portfolio.pk], "post": "yes"})

    assert Portfolio.objects.exists()


def test_finds_the_way_to_the_portfolios(site: Site) -> None:
    assert LIST in site.get("/admin/").content.decode()
    assert site.get(LIST).status_code == 200


def test_opens_nothing_in_the_api(db: None, client_for: Callable[..., Client]) -> None:
    client = client_for(make_drafter())
    portfolio = make_portfolio(is_active=False)
    url = f"/api/portfolios/{portfolio.pk}/"

    assert client.get("/api/portfolios/").status_code == 403
    assert client.post("/api/portfolios/", {"title": "a", "slug": "a", "excerpt": "a"}).status_code == 403
    assert client.patch(url, {"title": "Changed"}).status_code == 403
    assert Portfolio.objects.get().title == portfolio.title


@pytest.mark.parametrize(
    ("codes", "drafts", "expected"),
    [
        ([], False, {}),
        ([4202], False, {"view"}),
        ([4201], False, {"add", "publish new"}),
        ([4204], False, {"view", "change", "change active", "publish", "publish new"}),
        ([], True, {"view", "add", "change"}),
        ([4201], True, {"view", "add", "change", "publish new"}),
        ([4204], True, {"view", "add", "change", "change active", "publish", "publish new"}),
    ],
)
def test_adds_to_what_other_permissions_allow(db: None, codes: list[int], drafts: bool, expected: set[str]) -> None:
    user = make_drafter(*codes) if drafts else make_user(is_staff=True, codes=codes)
    active, hidden = make_portfolio(), make_portfolio(is_active=False)

    allowed = {
        "view": publishing.may_view(user),
        "add": publishing.may_add(user),
        "change": publishing.may_change(user) and publishing.may_change(user, hidden),
        "change active": publishing.may_change(user, active),
        "publish": publishing.may_publish(user),
        "publish new": publishing.may_publish(user, is_new=True),
    }

    assert {name for name, is_allowed in allowed.items() if is_allowed} == set(expected)


def test_lets_those_who_only_add_publish_what_they_add(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4201]))

    answer = site.post(f"{LIST}add/", entry(is_active="on"))

    assert answer.status_code == 302, errors(answer)
    assert Portfolio.objects.get().is_active
