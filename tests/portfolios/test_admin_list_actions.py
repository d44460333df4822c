"""What is done to the rows of the admin site's list of portfolios: shown and hidden, deleted, duplicated and moved."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.media.models import Media
from folio.portfolios.models import Link, MetaEntry, Portfolio
from tests.conftest import Client
from tests.factories import make_employer, make_link, make_media, make_meta, make_portfolio, make_tag

from .listed import LIST, LONG_AGO, listed, make_many

REORDER = f"{LIST}reorder/"


def send(site: Site, path: str, body: Any) -> Any:
    return site.post(path, json.dumps(body), content_type="application/json")


def act(site: Site, action: str, *portfolios: Portfolio, **more: Any) -> Any:
    sent = {"action": action, "_selected_action": [portfolio.pk for portfolio in portfolios], **more}
    return site.post(LIST, sent, follow=True)


def age() -> None:
    Portfolio.objects.update(updated_at=LONG_AGO)


def touched() -> list[int]:
    return list(Portfolio.objects.exclude(updated_at=LONG_AGO).order_by("pk").values_list("pk", flat=True))


# The switch


@pytest.mark.parametrize("is_active", [True, False])
def test_switches_a_portfolio_at_once(site: Site, is_active: bool) -> None:
    portfolio, other = make_portfolio(is_active=not is_active), make_portfolio(is_active=not is_active)
    age()

    answer = send(site, f"{LIST}{portfolio.pk}/state/", {"publish": is_active})

    assert (answer.status_code, answer.json()["state"]) == (200, "published" if is_active else "draft")
    portfolio.refresh_from_db()
    other.refresh_from_db()
    assert (portfolio.is_active, other.is_active) == (is_active, not is_active)
    assert touched() == [portfolio.pk]
    assert LogEntry.objects.get().object_id == str(portfolio.pk)


def test_leaves_alone_what_is_so_already(site: Site) -> None:
    portfolio = make_portfolio(is_active=True)
    age()

    assert send(site, f"{LIST}{portfolio.pk}/state/", {"publish": True}).status_code == 200

    assert not touched()
    assert not LogEntry.objects.exists()


def test_refuses_the_switch_to_those_who_may_not_publish(drafter: Site, viewer: Site) -> None:
    portfolio = make_portfolio(is_active=False)

    for reader in (drafter, viewer):
        answer = send(reader, f"{LIST}{portfolio.pk}/state/", {"publish": True})
        assert (answer.status_code, answer.json()) == (
            403,
            {"detail": "You may not publish portfolios, or make them drafts."},
        )

    assert not Portfolio.objects.get().is_active


@pytest.mark.parametrize("body", [{}, {"publish": "true"}, {"publish": None}, {"publish": True, "at_once": 1}, [], "x"])
def test_refuses_a_switch_without_a_boolean(site: Site, body: Any) -> None:
    portfolio = make_portfolio()

    answer = send(site, f"{LIST}{portfolio.pk}/state/", body)

    assert answer.status_code == 400
    assert answer.json()["detail"] == "The request could not be read. Load the page again."


def test_says_so_where_the_portfolio_is_gone(site: Site) -> None:
    answer = send(site, f"{LIST}999999/state/", {"publish": True})

    assert answer.status_code == 404
    assert "was deleted meanwhile" in answer.json()["detail"]


def test_takes_changes_by_post_with_a_token_only(site: Site, editor: User) -> None:
    portfolio = make_portfolio()
    strict = Site(enforce_csrf_checks=True)
    strict.force_login(editor)

    for path in (f"{LIST}{portfolio.pk}/state/", REORDER, f"{LIST}{portfolio.pk}/duplicate/"):
        assert site.get(path).status_code == 405
        assert send(strict, path, {"publish": False}).status_code == 403
        assert send(Site(), path, {"publish": False}).status_code == 302

    assert Portfolio.objects.get().is_active


# Several at once


def test_publishes_several_and_counts_those_that_were_hidden(site: Site) -> None:
    hidden, other = make_portfolio(is_active=False), make_portfolio(is_active=False)
    shown, left = make_portfolio(), make_portfolio(is_active=False)
    age()

    page = act(site, "publish", hidden, other, shown)

    assert "2 portfolios were published." in page.content.decode()
    assert set(Portfolio.objects.filter(is_active=False)) == {left}
    assert touched() == [hidden.pk, other.pk]
    assert LogEntry.objects.count() == 2


def test_publishes_no_entry_that_it_does_not_tell_of(site: Site) -> None:
    portfolio = make_portfolio(is_active=False)

    def add_one(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        """Let someone add an entry once it is known which are published."""
        if sql.startswith("UPDATE") and Portfolio.objects.count() == 1:
            make_portfolio(is_active=False)
        return execute(sql, *args)

    with connection.execute_wrapper(add_one):
        act(site, "publish", portfolio, select_across="1")

    assert list(Portfolio.objects.filter(is_active=True)) == [portfolio]
    assert LogEntry.objects.count() == 1


def test_makes_one_a_draft_in_the_singular(site: Site) -> None:
    portfolio = make_portfolio()

    assert "1 portfolio is a draft now." in act(site, "make_drafts", portfolio).content.decode()
    assert "All of these were drafts already." in act(site, "make_drafts", portfolio).content.decode()


def test_publishes_many_in_a_constant_number_of_queries(site: Site) -> None:
    def queries() -> int:
        Portfolio.objects.update(is_active=False)
        with CaptureQueriesContext(connection) as captured:
            sent = {"action": "publish", "_selected_action": [Portfolio.objects.latest("pk").pk], "select_across": "1"}
            site.post(LIST, sent)
        assert not Portfolio.objects.filter(is_active=False).exists()
        return len(captured)

    make_portfolio(is_active=False)
    make_portfolio(is_active=False)
    site.get(LIST)
    few = queries()
    make_many(100)

    assert queries() == few


@pytest.mark.parametrize("action", ["publish", "publish_now", "make_drafts", "delete_selected"])
def test_refuses_actions_to_those_who_draft(drafter: Site, action: str) -> None:
    portfolio = make_portfolio(is_active=action != "publish")

    act(drafter, action, portfolio, post="yes")

    assert Portfolio.objects.get().is_active == (action != "publish")


def test_says_what_goes_with_a_portfolio_and_what_stays(site: Site) -> None:
    portfolio = make_portfolio(image=make_media(), tags=[make_tag()])
    make_link(portfolio)
    make_meta(portfolio)

    for page in (site.get(f"{LIST}{portfolio.pk}/delete/"), act(site, "delete_selected", portfolio)):
        text = page.content.decode()
        assert "links and meta go with it" in text
        assert "stay in the media library" in text

    act(site, "delete_selected", portfolio, post="yes")
    assert not any(model.objects.exists() for model in (Portfolio, Link, MetaEntry))
    assert Media.objects.count() == 1


# Duplicates


def test_duplicates_one_with_all_that_belongs_to_it(site: Site, client: Client) -> None:
    image = make_media()
    portfolio = make_portfolio(
        title="Harbour",
        slug="harbour",
        description="Two\nlines",
        image=image,
        employer=make_employer(),
        images=[make_media(), image],
        tags=[make_tag(), make_tag()],
        completed_at=LONG_AGO,
        order=7,
    )
    make_link(portfolio, name="b", place=0, image=image)
    make_link(portfolio, name="a", place=1)
    make_meta(portfolio, key="notes", value_file=make_media(type="document"))

    answer = site.post(f"{LIST}{portfolio.pk}/duplicate/")

    copy = Portfolio.objects.get(slug="harbour-copy")
    assert answer.headers["Location"] == f"{LIST}{copy.pk}/change/"
    one, two = (client.get(f"/api/portfolios/{pk}/").json() for pk in (portfolio.pk, copy.pk))
    assert (two.pop("title"), two.pop("slug"), two.pop("is_active")) == ("Harbour (copy)", "harbour-copy", False)
    for read in (one, two):
        for name in ("id", "created_at", "updated_at"):
            read.pop(name)
        for row in (*read["links_data"], *read["meta"]):
            row.pop("id")
    assert two == {name: value for name, value in one.items() if name in two}
    assert set(one) - set(two) == {"title", "slug", "is_active"}
    assert portfolio.links.count() == 2


def test_finds_a_title_and_a_slug_that_are_free(site: Site) -> None:
    portfolio = make_portfolio(title="é" * 200, slug="s" * 200)
    make_portfolio(title="é" * 193 + " (copy)", slug="other")

    for _ in range(2):
        assert site.post(f"{LIST}{portfolio.pk}/duplicate/").status_code == 302

    names = set(Portfolio.objects.filter(is_active=False).values_list("title", "slug"))
    assert names == {
        ("é" * 191 + " (copy 2)", "s" * 193 + "-copy-2"),
        ("é" * 191 + " (copy 3)", "s" * 193 + "-copy-3"),
    }


def test_duplicates_by_the_action_too_but_one_at_a_time(site: Site) -> None:
    portfolio, other = make_portfolio(), make_portfolio()

    assert "Select one portfolio to duplicate" in act(site, "duplicate_one", portfolio, other).content.decode()
    assert Portfolio.objects.count() == 2
    assert "This is a copy" in act(site, "duplicate_one", portfolio).content.decode()
    assert Portfolio.objects.count() == 3


def test_lets_those_who_draft_duplicate_and_go_on(drafter: Site, viewer: Site) -> None:
    portfolio = make_portfolio()

    assert drafter.post(f"{LIST}{portfolio.pk}/duplicate/", follow=True).status_code == 200
    assert viewer.post(f"{LIST}{portfolio.pk}/duplicate/").status_code == 403
    assert Portfolio.objects.filter(is_active=False).count() == 1


def test_says_so_where_what_is_duplicated_is_gone(site: Site) -> None:
    page = site.post(f"{LIST}999999/duplicate/", follow=True)

    assert "was deleted meanwhile" in page.content.decode()


# Moving


def test_moves_a_row_and_tells_its_place(site: Site) -> None:
    one, two, three = (make_portfolio(order=order) for order in (1, 2, 3))
    age()

    answer = send(site, REORDER, {"id": three.pk, "before": one.pk, "shown": [one.pk, two.pk]})

    told = {"place": 1, "page": 1, "orders": {str(three.pk): 0, str(one.pk): 1, str(two.pk): 2}}
    assert (answer.status_code, answer.json()) == (200, told)
    assert list(Portfolio.objects.all()) == [three, one, two]
    assert touched() == [three.pk]
    assert LogEntry.objects.get().object_id == str(three.pk)


def test_records_the_rows_that_make_room(site: Site) -> None:
    moved, neighbour, _ = (make_portfolio(order=order) for order in (1, 0, 0))

    send(site, REORDER, {"id": moved.pk, "before": neighbour.pk})

    told = {entry.object_id: json.loads(entry.change_message) for entry in LogEntry.objects.all()}
    assert told == {
        str(row.pk): [{"changed": {"fields": ["Order"], "values": {"order": pair}}}]
        for row, pair in ((moved, [1, 0]), (neighbour, [0, 1]))
    }


def test_moves_a_row_to_a_place_among_those_that_the_filters_leave(site: Site) -> None:
    shown = [make_portfolio(title=f"s{order}", order=order) for order in (1, 3, 5)]
    make_portfolio(title="hidden", order=2, is_active=False)

    answer = send(site, f"{REORDER}?state=published", {"id": shown[2].pk, "place": 2})

    assert answer.json()["place"] == 2
    assert listed(site, state="published") == ["s1", "s5", "s3"]


@pytest.mark.parametrize(("place", "titles"), [(1, "cab"), (3, "abc"), (99, "abc"), (0, "cab")])
def test_moves_a_row_to_any_place(site: Site, place: int, titles: str) -> None:
    rows = [make_portfolio(title=title, order=order) for order, title in enumerate("abc")]

    answer = send(site, REORDER, {"id": rows[2].pk, "place": place})

    assert answer.status_code == 200
    assert "".join(listed(site)) == titles
    assert answer.json()["place"] == titles.index("c") + 1


@pytest.mark.parametrize(
    "body", [{}, {"id": 1}, {"id": 1, "before": 2, "after": 3}, {"id": 1, "before": "2"}, {"id": True, "after": 2}, []]
)
def test_refuses_a_move_that_makes_no_sense(site: Site, body: Any) -> None:
    assert send(site, REORDER, body).status_code == 400


def test_says_so_where_a_neighbour_is_gone(site: Site) -> None:
    portfolio = make_portfolio()

    answer = send(site, REORDER, {"id": portfolio.pk, "before": 999_999})

    assert answer.status_code == 404
    assert "was deleted meanwhile" in answer.json()["detail"]


@pytest.mark.parametrize("target", [{"place": 1}, {"before": 0}])
def test_says_so_where_the_portfolio_that_is_moved_is_gone(site: Site, target: dict[str, int]) -> None:
    answer = send(site, REORDER, {"id": 999_999, **target})

    assert answer.status_code == 404
    assert "was deleted meanwhile" in answer.json()["detail"]


def test_refuses_moves_to_those_who_may_not_change_all(drafter: Site, viewer: Site) -> None:
    one, two = make_portfolio(order=1, is_active=False), make_portfolio(order=2, is_active=False)

    for reader in (drafter, viewer):
        answer = send(reader, REORDER, {"id": two.pk, "before": one.pk})
        assert (answer.status_code, answer.json()["detail"]) == (403, "You may not change the order of portfolios.")

    assert list(Portfolio.objects.all()) == [one, two]


def test_keeps_the_minus_before_an_order_from_right_to_left(site: Site) -> None:
    make_portfolio(order=-2)

    page = site.get(LIST, headers={"Accept-Language": "fa"}).content.decode()

    assert '<span dir="ltr">-2</span>' in page
