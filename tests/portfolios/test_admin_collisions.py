"""Two people who edit one entry in the admin site."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.test import Client as Site

from folio.history.changes import log
from folio.portfolios.models import Link, MetaEntry, Portfolio
from tests.conftest import Client
from tests.factories import make_employer, make_link, make_media, make_meta, make_portfolio, make_tag, make_user
from tests.forms import errors, rows, shown_values


def address(portfolio: Portfolio) -> str:
    return f"/admin/portfolios/portfolio/{portfolio.pk}/change/"


def opened(site: Site, portfolio: Portfolio) -> dict[str, Any]:
    """Return what the form holds, as it is sent back untouched."""
    return shown_values(site.get(address(portfolio)))


def sides(page: Any) -> dict[str, tuple[str, str]]:
    return {side.label: (side.old, side.new) for side in page.context["sides"]}


def test_saves_nothing_where_someone_else_has_saved_meanwhile(site: Site, client: Client, editor: User) -> None:
    portfolio = make_portfolio(title="Before", order=1)
    mine = {**opened(site, portfolio), "title": "Mine"}
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"title": "Theirs", "order": 2})

    page = site.post(address(portfolio), mine)

    assert page.status_code == 200
    portfolio.refresh_from_db()
    assert (portfolio.title, portfolio.order) == ("Theirs", 2)
    shown = page.content.decode()
    assert "Nothing was saved, because eda has changed this meanwhile." in shown
    assert {label: [*map(str, pair)] for label, pair in sides(page).items()}.keys() == {"Title", "Order"}
    assert "Theirs" in sides(page)["Title"][0]
    assert "Mine" in sides(page)["Title"][1]
    assert page.context["adminform"].form["title"].value() == "Mine"
    assert LogEntry.objects.count() == 1


def test_names_nobody_where_nothing_was_recorded_since_the_form_was_opened(site: Site, editor: User) -> None:
    portfolio = make_portfolio(title="Before")
    log(editor, portfolio, CHANGE, {"title": ("First", "Before")})
    mine = {**opened(site, portfolio), "title": "Mine"}
    Portfolio.objects.update(title="Theirs")

    page = site.post(address(portfolio), mine)

    assert "Nothing was saved, because someone has changed this meanwhile." in page.content.decode()
    assert page.context["collision"].last is None


def test_names_who_has_moved_another_entry_that_this_one_made_room_for(
    site: Site, site_for: Callable[[User], Site], editor: User
) -> None:
    moved, portfolio, _ = (make_portfolio(order=order) for order in (1, 0, 0))
    log(editor, portfolio, CHANGE, {"title": ("First", "Before")})
    mine = {**opened(site, portfolio), "title": "Mine"}
    mover = site_for(make_user("mona", is_staff=True, is_superuser=True))
    body = json.dumps({"id": moved.pk, "before": portfolio.pk})
    mover.post("/admin/portfolios/portfolio/reorder/", body, content_type="application/json")

    page = site.post(address(portfolio), mine)

    assert "because mona has changed this meanwhile" in page.content.decode()


def test_saves_over_it_what_is_sent_again(site: Site, client: Client) -> None:
    portfolio = make_portfolio(title="Before")
    mine = {**opened(site, portfolio), "title": "Mine"}
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"title": "Theirs"})
    page = site.post(address(portfolio), mine)

    answer = site.post(address(portfolio), shown_values(page))

    assert answer.status_code == 302, errors(answer)
    portfolio.refresh_from_db()
    assert portfolio.title == "Mine"


def test_tells_again_where_it_has_changed_once_more(site: Site, client: Client) -> None:
    portfolio = make_portfolio(title="Before")
    mine = {**opened(site, portfolio), "title": "Mine"}
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"title": "Theirs"})
    again = shown_values(site.post(address(portfolio), mine))
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"order": 5})

    page = site.post(address(portfolio), again)

    assert page.status_code == 200
    portfolio.refresh_from_db()
    assert portfolio.title == "Theirs"


@pytest.mark.parametrize("version", [None, "", "x", "0" * 32, "\0", "é" * 5000])
def test_takes_a_version_that_can_not_be_as_a_collision(site: Site, version: str | None) -> None:
    portfolio = make_portfolio(title="Before")
    sent = {**opened(site, portfolio), "title": "Mine", "_version": version}
    if version is None:
        del sent["_version"]

    page = site.post(address(portfolio), sent)

    assert page.status_code == 200
    assert "Nothing was saved, because someone has changed this meanwhile." in page.content.decode()
    assert Portfolio.objects.get().title == "Before"


def test_lets_one_save_several_times(site: Site) -> None:
    portfolio = make_portfolio()

    for title in ("One", "Two"):
        assert site.post(address(portfolio), {**opened(site, portfolio), "title": title}).status_code == 302

    assert Portfolio.objects.get().title == "Two"


@pytest.mark.parametrize("name", ["images", "tags", "links", "meta"])
def test_notices_a_change_of_each_list(site: Site, client: Client, name: str) -> None:
    portfolio = make_portfolio(images=[make_media()], tags=[make_tag()])
    make_link(portfolio)
    make_meta(portfolio)
    mine = opened(site, portfolio)
    theirs = {
        "images": [make_media().pk],
        "tags": [],
        "links": [{"name": "theirs"}],
        "meta": [{"key": "theirs"}],
    }
    assert client.patch(f"/api/portfolios/{portfolio.pk}/", {name: theirs[name]}).status_code == 200
    saved = client.get(f"/api/portfolios/{portfolio.pk}/").json()

    page = site.post(address(portfolio), {**mine, "title": "Mine"})

    assert page.status_code == 200
    assert client.get(f"/api/portfolios/{portfolio.pk}/").json() == saved
    assert "Title" in sides(page)


def test_keeps_what_was_typed_in_rows_that_are_gone(site: Site, client: Client) -> None:
    portfolio = make_portfolio()
    gone, kept = make_link(portfolio, name="gone", place=0), make_link(portfolio, name="kept", place=1)
    mine = {**opened(site, portfolio), "links-0-name": "typed", "links-1-url": "https://mine.example/"}
    client.delete(f"/api/links/{gone.pk}/")
    client.post("/api/links/", {"portfolio": portfolio.pk, "name": "theirs"})

    page = site.post(address(portfolio), mine)

    assert page.status_code == 200
    old, new = sides(page)["Links"]
    assert "theirs" in old
    assert "typed" in new
    assert "typed" not in old
    assert site.post(address(portfolio), shown_values(page)).status_code == 302
    links = list(Link.objects.order_by("place"))
    assert sorted(link.name for link in links) == ["kept", "typed"]
    assert Link.objects.get(pk=kept.pk).url == "https://mine.example/"


def test_shows_rows_that_both_have_changed(site: Site, client: Client) -> None:
    portfolio = make_portfolio()
    link = make_link(portfolio, name="before")
    mine = {**opened(site, portfolio), "links-0-name": "mine"}
    client.patch(f"/api/links/{link.pk}/", {"name": "theirs"})

    old, new = sides(site.post(address(portfolio), mine))["Links"]

    assert ("theirs" in old, "mine" in old, "theirs" in new, "mine" in new) == (True, False, False, True)


LISTS = {"images": "Gallery", "tags": "Tags", "links": "Links", "meta": "Meta"}


def portfolio_with_lists() -> Portfolio:
    """Make a portfolio that has "one" and "two" in each list, in this order."""
    names = ("one", "two")
    portfolio = make_portfolio(
        images=[make_media(name=name) for name in names], tags=[make_tag(name=name) for name in names]
    )
    for place, name in enumerate(names):
        make_link(portfolio, name=name, place=place)
        make_meta(portfolio, key=name, place=place)
    return portfolio


@pytest.mark.parametrize("name", LISTS)
def test_shows_a_list_that_the_other_has_put_in_another_order(site: Site, client: Client, name: str) -> None:
    portfolio = portfolio_with_lists()
    mine = {**opened(site, portfolio), "title": "Mine"}
    stored = client.get(f"/api/portfolios/{portfolio.pk}/").json()
    rows = reversed(stored["meta" if name == "meta" else f"{name}_data"])
    theirs = [{"id": row["id"]} if name in {"links", "meta"} else row["id"] for row in rows]
    assert client.patch(f"/api/portfolios/{portfolio.pk}/", {name: theirs}).status_code == 200

    page = site.post(address(portfolio), mine)

    old, _ = sides(page)[LISTS[name]]
    assert old.index("two") < old.index("one")
    assert site.post(address(portfolio), shown_values(page)).status_code == 302
    saved = client.get(f"/api/portfolios/{portfolio.pk}/").json()
    assert [row["id"] for row in saved["meta" if name == "meta" else f"{name}_data"]] == [
        row["id"] for row in reversed(stored["meta" if name == "meta" else f"{name}_data"])
    ]


@pytest.mark.parametrize("name", LISTS)
def test_shows_a_list_that_was_put_in_another_order_here(site: Site, client: Client, name: str) -> None:
    portfolio = portfolio_with_lists()
    shown = opened(site, portfolio)
    if name in {"links", "meta"}:
        mine = {**shown, f"{name}-0-place": "1", f"{name}-1-place": "0"}
    else:
        mine = {**shown, name: shown[name][::-1]}
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"title": "Theirs"})

    old, new = sides(site.post(address(portfolio), mine))[LISTS[name]]

    assert (old.index("one") < old.index("two"), new.index("two") < new.index("one")) == (True, True)


THEIRS: dict[str, Callable[[], Any]] = {
    "title": lambda: "Theirs",
    "slug": lambda: "theirs",
    "excerpt": lambda: "Theirs",
    "description": lambda: "Theirs",
    "image": lambda: make_media().pk,
    "images": lambda: [make_media().pk],
    "employer": lambda: make_employer().pk,
    "tags": lambda: [make_tag().pk],
    "completed_at": lambda: "2026-02-03T04:05:06Z",
    "is_active": lambda: False,
    "order": lambda: 7,
    "links": lambda: [{"name": "theirs", "url": "https://theirs.example/"}],
    "meta": lambda: [{"key": "theirs", "value_text": "Text"}],
}


@pytest.mark.parametrize("name", THEIRS)
def test_never_reverts_what_was_not_touched(site: Site, client: Client, name: str) -> None:
    portfolio = portfolio_with_lists()
    Portfolio.objects.update(
        excerpt=" Two\r\nlines ",
        image=make_media(),
        employer=make_employer(),
        completed_at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    )
    url = f"/api/portfolios/{portfolio.pk}/"
    mine = {**opened(site, portfolio), **({"slug": "mine"} if name == "title" else {"title": "Mine"})}
    assert client.patch(url, {name: THEIRS[name]()}).status_code == 200
    stored = client.get(url).json()

    page = site.post(address(portfolio), mine)
    answer = site.post(address(portfolio), shown_values(page))

    assert answer.status_code == 302, errors(answer)
    saved = client.get(url).json()
    renewed = {"title", "slug", "excerpt", "updated_at"} - {name}
    assert {key: value for key, value in saved.items() if key not in renewed} == {
        key: value for key, value in stored.items() if key not in renewed
    }
    assert "Mine" in {saved["title"], saved["slug"].capitalize()}
    assert saved["excerpt"] == ("Theirs" if name == "excerpt" else "Two\nlines")


def test_follows_what_was_written_past_the_site_and_says_who_changed_what(site: Site) -> None:
    portfolio = make_portfolio(title="Before", slug="before", excerpt="Before", order=1)
    mine = {**opened(site, portfolio), "title": "Mine", "slug": "mine"}
    Portfolio.objects.update(title="Theirs", excerpt="Theirs")

    page = site.post(address(portfolio), mine)

    assert {side.label: side.by for side in page.context["sides"]} == {
        "Title": "both",
        "Slug": "you",
        "Excerpt": "someone else",
    }
    form = page.context["adminform"].form
    assert [form[name].value() for name in ("title", "slug", "excerpt", "order")] == ["Mine", "mine", "Theirs", "1"]


def test_keeps_a_list_in_which_both_have_changed_something(site: Site, client: Client) -> None:
    portfolio = portfolio_with_lists()
    mine = {**opened(site, portfolio), "meta-1-value_text": "mine"}
    client.patch(f"/api/meta/{MetaEntry.objects.get(key='one').pk}/", {"value_text": "theirs"})

    page = site.post(address(portfolio), mine)

    assert [side.by for side in page.context["sides"]] == ["both"]
    assert site.post(address(portfolio), shown_values(page)).status_code == 302
    assert MetaEntry.objects.get(key="two").value_text == "mine"


@pytest.mark.parametrize(
    "sent", ["", "x", "[]", "\0", "{}", '{"digests": {"title": 1}}', '{"digests": {"title": "é"}}']
)
def test_takes_what_is_not_known_of_the_opened_form_as_typed(site: Site, client: Client, sent: str) -> None:
    portfolio = make_portfolio(title="Before", excerpt="Before")
    mine = {**opened(site, portfolio), "title": "Mine", "_opened": sent}
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"excerpt": "Theirs"})

    page = site.post(address(portfolio), mine)

    assert {"Title", "Excerpt"} <= sides(page).keys()
    assert page.context["adminform"].form["title"].value() == "Mine"
    assert Portfolio.objects.get().title == "Before"


def test_forgets_rows_that_both_have_removed(site: Site, client: Client) -> None:
    portfolio = make_portfolio()
    entry = make_meta(portfolio)
    mine = {**opened(site, portfolio), "meta-0-DELETE": "on"}
    client.delete(f"/api/meta/{entry.pk}/")

    page = site.post(address(portfolio), mine)

    assert site.post(address(portfolio), shown_values(page)).status_code == 302
    assert not MetaEntry.objects.exists()


@pytest.mark.parametrize("count", ["", "x", "-1", "²", "9" * 5000, str(2**64)])
def test_refuses_counts_of_rows_that_can_not_be(site: Site, client: Client, count: str) -> None:
    portfolio = make_portfolio()
    link = make_link(portfolio)
    mine = {**opened(site, portfolio), "links-TOTAL_FORMS": count}
    client.delete(f"/api/links/{link.pk}/")

    assert site.post(address(portfolio), mine).status_code == 200


@pytest.mark.parametrize("pk", ["9" * 5000, str(2**64)])
def test_takes_a_row_whose_id_no_row_can_have_for_a_new_one(site: Site, pk: str) -> None:
    portfolio = make_portfolio()
    make_link(portfolio, name="before")
    mine = {**opened(site, portfolio), "links-0-id": pk, "links-0-name": "after"}

    assert site.post(address(portfolio), mine).status_code == 302
    assert Link.objects.filter(name="after").exists()


def test_keeps_what_was_typed_in_an_entry_that_is_gone(site: Site, client: Client) -> None:
    portfolio = make_portfolio(title="Before", slug="before")
    make_link(portfolio, name="site")
    mine = {**opened(site, portfolio), "title": "Mine"}
    client.delete(f"/api/portfolios/{portfolio.pk}/")

    page = site.post(address(portfolio), mine)

    assert page.status_code == 200
    assert "This was deleted by eda meanwhile. Nothing is lost: save to make it anew." in page.content.decode()
    assert not Portfolio.objects.exists()
    assert 'action="/admin/portfolios/portfolio/add/"' in page.content.decode()
    assert site.post("/admin/portfolios/portfolio/add/", shown_values(page)).status_code == 302
    made = Portfolio.objects.get()
    assert (made.title, made.slug, made.links.get().name) == ("Mine", "before", "site")


def test_leads_home_from_an_entry_that_is_gone_those_who_may_not_add(
    site_for: Callable[[User], Site], client: Client
) -> None:
    site = site_for(make_user(is_staff=True, codes=[4202, 4204]))
    portfolio = make_portfolio()
    mine = opened(site, portfolio)
    client.delete(f"/api/portfolios/{portfolio.pk}/")

    assert site.post(address(portfolio), mine).status_code == 302
    assert not Portfolio.objects.exists()


def test_escapes_what_both_have_typed(site: Site, client: Client) -> None:
    portfolio = make_portfolio()
    mine = {**opened(site, portfolio), "title": "<script>mine</script>", **rows("links")}
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"title": "<script>theirs</script>"})

    shown = site.post(address(portfolio), mine).content.decode()

    assert "&lt;script&gt;mine" in shown
    assert "&lt;script&gt;theirs" in shown
    assert "<script>mine" not in shown
    assert "<script>theirs" not in shown


def test_says_nothing_of_collisions_where_the_form_is_wrong(site: Site) -> None:
    portfolio = make_portfolio()

    page = site.post(address(portfolio), {**opened(site, portfolio), "title": ""})

    assert page.context["collision"] is None
    assert "title" in errors(page)
    assert site.post(address(portfolio), {**shown_values(page), "title": "Mine"}).status_code == 302
