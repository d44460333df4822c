"""Draft, scheduled, published, ended: in the list of portfolios, on the home page and in the preview."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.portfolios.models import Portfolio, State
from tests.clock import Clock
from tests.factories import make_portfolio

from .listed import LIST, listed


@pytest.fixture
def four(db: None, clock: Clock) -> dict[str, Portfolio]:
    """An entry in each state, called by it."""
    return {
        "draft": make_portfolio(title="draft", order=1, is_active=False),
        "scheduled": make_portfolio(title="scheduled", order=2, publish_at=clock.after(hours=1)),
        "published": make_portfolio(title="published", order=3, unpublish_at=clock.after(hours=2)),
        "ended": make_portfolio(title="ended", order=4, unpublish_at=clock.after(hours=-1)),
    }


def row(site: Site, portfolio: Portfolio) -> str:
    return site.get(LIST).content.decode().split(f'data-id="{portfolio.pk}"')[1].split("</tbody>")[0]


def act(site: Site, action: str, *portfolios: Portfolio, **query: str) -> list[str]:
    """Carry out an action, and return what is told of it."""
    sent = {"action": action, "_selected_action": [portfolio.pk for portfolio in portfolios]}
    site.post(LIST, sent, query_params=query)
    return [str(message) for message in site.get(LIST).context["messages"]]


def switch(site: Site, portfolio: Portfolio, **body: Any) -> Any:
    answer = site.post(f"{LIST}{portfolio.pk}/state/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def states(clock: Clock) -> dict[str, State]:
    return {portfolio.title: portfolio.state_at(clock.now) for portfolio in Portfolio.objects.all()}


# The list


def test_shows_each_state_in_words_with_its_moment(
    site: Site, viewer: Site, four: dict[str, Portfolio], clock: Clock
) -> None:
    for reader in (site, viewer):
        rows = {state: row(reader, portfolio) for state, portfolio in four.items()}

        for state, html in rows.items():
            assert f'folio-state-{state}">{state.capitalize()}</span>' in html
            assert f'data-state="{state}"' in html
        for state, word in {"scheduled": "on <time", "published": "until <time", "ended": "on <time"}.items():
            assert word in rows[state]
            assert " UTC</time>" in rows[state]
        assert "<time" not in rows["draft"].split("field-completed")[0]


def test_the_switch_is_on_for_what_is_or_will_be_published(site: Site, four: dict[str, Portfolio]) -> None:
    found = {state for state, portfolio in four.items() if 'aria-checked="true"' in row(site, portfolio)}

    assert found == {"scheduled", "published"}


@pytest.mark.parametrize("state", State.values)
def test_filters_by_state(site: Site, four: dict[str, Portfolio], state: str) -> None:
    assert listed(site, state=state) == [state]


def test_what_is_filtered_and_shown_follows_the_clock(site: Site, four: dict[str, Portfolio], clock: Clock) -> None:
    clock.move(hours=1)
    assert listed(site, state="published") == ["scheduled", "published"]
    clock.move(hours=1)

    assert listed(site, state="scheduled") == []
    assert listed(site, state="published") == ["scheduled"]
    assert listed(site, state="ended") == ["published", "ended"]


def test_sorts_by_state_in_the_order_of_an_entrys_life(site: Site, four: dict[str, Portfolio]) -> None:
    columns = site.get(LIST).context["cl"].list_display
    column = columns.index("state")

    assert listed(site, o=str(column)) == ["draft", "scheduled", "published", "ended"]
    assert listed(site, o=f"-{column}") == ["ended", "published", "scheduled", "draft"]


@pytest.mark.parametrize(
    ("query", "renewed"),
    [
        ("is_active=true", "state=published"),
        ("is_active=false&q=dra", "q=dra&state=draft"),
        ("is_active=true&state=ended", "state=ended"),
        ("is_active=&q=dra", "q=dra"),
        ("is_active=perhaps&q=dra", "q=dra"),
    ],
)
def test_old_links_lead_to_the_states(site: Site, query: str, renewed: str) -> None:
    answer = site.get(f"{LIST}?{query}")

    assert (answer.status_code, answer.headers["Location"]) == (302, f"{LIST}?{renewed}")


# The actions


def test_publishing_takes_a_past_end_away_and_lets_what_is_scheduled_wait(
    site: Site, four: dict[str, Portfolio], clock: Clock
) -> None:
    said = act(site, "publish", *four.values())

    assert said == [
        "2 portfolios were published.",
        "1 portfolio had ended: its end is taken away.",
        "1 portfolio is scheduled and waits; “Publish selected portfolios now” does not.",
    ]
    assert states(clock) == {
        "draft": State.PUBLISHED,
        "scheduled": State.SCHEDULED,
        "published": State.PUBLISHED,
        "ended": State.PUBLISHED,
    }
    four["published"].refresh_from_db()
    assert four["published"].unpublish_at == clock.after(hours=2)
    assert {entry.object_repr for entry in LogEntry.objects.all()} == {"draft", "ended"}
    assert "unpublish_at" in LogEntry.objects.get(object_repr="ended").change_message


def test_publishing_now_does_not_wait(site: Site, four: dict[str, Portfolio], clock: Clock) -> None:
    said = act(site, "publish_now", *four.values())

    assert said == ["3 portfolios were published.", "1 portfolio had ended: its end is taken away."]
    assert set(states(clock).values()) == {State.PUBLISHED}
    four["scheduled"].refresh_from_db()
    assert four["scheduled"].publish_at is None


@pytest.mark.parametrize("query", [{}, {"state": "draft"}])
def test_a_draft_with_a_moment_to_come_is_scheduled(site: Site, clock: Clock, query: dict[str, str]) -> None:
    portfolio = make_portfolio(title="a", is_active=False, publish_at=clock.after(days=1))

    assert act(site, "publish", portfolio, **query) == [
        "1 portfolio is scheduled and waits; “Publish selected portfolios now” does not."
    ]
    assert states(clock) == {"a": State.SCHEDULED}


def test_what_is_published_already_is_left_alone(site: Site, clock: Clock) -> None:
    portfolio = make_portfolio(unpublish_at=clock.after(days=1))

    for action in ("publish", "publish_now"):
        assert act(site, action, portfolio) == ["All of these were published already."]

    portfolio.refresh_from_db()
    assert portfolio.unpublish_at == clock.after(days=1)
    assert not LogEntry.objects.exists()


def test_drafts_keep_their_moments(site: Site, four: dict[str, Portfolio], clock: Clock) -> None:
    said = act(site, "make_drafts", *four.values())

    assert said[0] == "3 portfolios are drafts now."
    assert "Public reading is off" in said[1]
    assert set(states(clock).values()) == {State.DRAFT}
    four["scheduled"].refresh_from_db()
    assert four["scheduled"].publish_at == clock.after(hours=1)


# The switch


@pytest.mark.parametrize(
    ("state", "body", "expected", "is_freed"),
    [
        ("draft", {"publish": True}, "published", False),
        ("scheduled", {"publish": True}, "scheduled", False),
        ("scheduled", {"publish": True, "at_once": True}, "published", False),
        ("scheduled", {"publish": False}, "draft", False),
        ("ended", {"publish": True}, "published", True),
        ("published", {"publish": False}, "draft", False),
    ],
)
def test_the_switch_tells_what_came_of_it(
    site: Site, four: dict[str, Portfolio], state: str, body: dict[str, bool], expected: str, is_freed: bool
) -> None:
    answer = switch(site, four[state], **body)

    assert (answer["state"], answer["freed"]) == (expected, is_freed)
    assert f"folio-state-{expected}" in answer["html"]
    assert (answer["moment"] is not None) == (expected == "scheduled")
    assert ("told" in answer) == (not body["publish"])
    assert states_of(four[state]) == expected


def states_of(portfolio: Portfolio) -> str:
    found: Any = Portfolio.objects.filter(pk=portfolio.pk).with_state()
    return str(found.get().state)


def test_many_are_published_in_a_constant_number_of_queries(site: Site, clock: Clock) -> None:
    def queries(count: int) -> int:
        rows = [make_portfolio(unpublish_at=clock.after(hours=-1)) for _ in range(count)]
        rows += [make_portfolio(is_active=False) for _ in range(count)]
        with CaptureQueriesContext(connection) as captured:
            act(site, "publish_now", *rows)
        return len(captured)

    queries(1)

    assert queries(1) == queries(20)


# The home page, and the preview


def test_the_home_page_counts_by_state(
    site_for: Callable[[User], Site], editor: User, four: dict[str, Portfolio]
) -> None:
    counts = site_for(editor).get("/admin/").context["counts"][:4]

    assert [(count["title"], count["number"], count["url"].partition("?")[2]) for count in counts] == [
        ("Published portfolios", 1, "state=published"),
        ("Scheduled portfolios", 1, "state=scheduled"),
        ("Ended portfolios", 1, "state=ended"),
        ("Draft portfolios", 1, "state=draft"),
    ]


@pytest.mark.parametrize("state", State.values)
@pytest.mark.parametrize("view", ["", "?as=json"])
def test_the_preview_tells_the_state(site: Site, four: dict[str, Portfolio], state: str, view: str) -> None:
    page = site.get(f"{LIST}{four[state].pk}/preview/{view}").content.decode()

    assert f'folio-state-{state}">{state.capitalize()}</span>' in page
    assert ("data-moment" in page) == (state != "draft")


def test_publishing_what_is_due_anyway_changes_nothing_of_it(site: Site, clock: Clock) -> None:
    portfolio = make_portfolio(publish_at=clock.after(seconds=1))
    clock.now += timedelta(seconds=1)

    switch(site, portfolio, publish=True, at_once=True)

    portfolio.refresh_from_db()
    assert portfolio.publish_at == clock.now
