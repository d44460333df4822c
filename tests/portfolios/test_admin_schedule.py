"""When an entry is published, as its form asks for it and tells it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client as Site

from folio.portfolios.models import Portfolio, State
from tests.clock import Clock
from tests.conftest import Client
from tests.factories import make_portfolio, make_user
from tests.forms import entry, errors, shown_values

LIST = "/admin/portfolios/portfolio/"
ADD = f"{LIST}add/"
BERLIN = "Europe/Berlin"
NINE = datetime(2126, 12, 4, 8, tzinfo=UTC)  # at nine in Berlin


def at(name: str, day: str, hour: str = "", zone: str = BERLIN) -> dict[str, str]:
    return {f"{name}_0": day, f"{name}_1": hour, f"{name}_2": zone}


def change_url(portfolio: Portfolio) -> str:
    return f"{LIST}{portfolio.pk}/change/"


def save(site: Site, portfolio: Portfolio, **changes: str) -> Any:
    """Send the form as it was shown, but for some changes; an empty text takes a tick away."""
    sent = {**shown_values(site.get(change_url(portfolio))), **changes}
    if sent.get("is_active") == "":
        del sent["is_active"]
    return site.post(change_url(portfolio), sent, follow=True)


def told(page: Any) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def test_takes_moments_in_the_zone_of_who_types_them(site: Site) -> None:
    begin, end = at("publish_at", "2126-12-04", "09:00"), at("unpublish_at", "2127-01-01")

    page = site.post(ADD, entry(is_active="on", **begin, **end), follow=True)

    portfolio = Portfolio.objects.get()
    assert portfolio.publish_at == NINE
    assert portfolio.unpublish_at == datetime(2126, 12, 31, 23, tzinfo=UTC)
    assert any(
        "<strong>Scheduled:</strong> Will be published on <time" in words and "Will end on <time" in words
        for words in told(page)
    )
    assert any("Public reading is off" in words for words in told(page)), "an end was set"


def test_keeps_what_nobody_touched_to_the_last_digit(site: Site) -> None:
    twice = datetime(2026, 10, 25, 1, 30, 0, 17, tzinfo=UTC)  # the second half past two of that night in Berlin
    portfolio = make_portfolio(publish_at=twice, unpublish_at=NINE + timedelta(microseconds=3))

    begin, end = at("publish_at", "2026-10-25", "02:30"), at("unpublish_at", "2126-12-04", "09:00")
    page = save(site, portfolio, title="Changed", **begin, **end)

    portfolio.refresh_from_db()
    assert (portfolio.title, portfolio.publish_at) == ("Changed", twice)
    assert portfolio.unpublish_at == NINE + timedelta(microseconds=3)
    assert LogEntry.objects.get().change_message.count("publish_at") == 0
    assert len(told(page)) == 1


def test_works_without_scripts_in_utc_and_says_so(site: Site) -> None:
    portfolio = make_portfolio(publish_at=NINE)

    page = site.get(change_url(portfolio)).content.decode()
    save(site, portfolio, **at("unpublish_at", "2126-12-05", "10:00", zone=""))

    assert "Will be published on <time" in page
    assert "Wednesday, 4 December 2126, 08:00 (UTC)" in page
    assert page.count("In UTC.") == 2
    portfolio.refresh_from_db()
    assert portfolio.publish_at == NINE
    assert portfolio.unpublish_at == datetime(2126, 12, 5, 10, tzinfo=UTC)


def test_takes_a_moment_away(site: Site) -> None:
    portfolio = make_portfolio(publish_at=NINE)

    page = save(site, portfolio, **at("publish_at", ""))

    portfolio.refresh_from_db()
    assert portfolio.publish_at is None
    assert "<strong>Published:</strong> Websites show it." in told(page)[1]


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        (
            {**at("publish_at", "2126-12-04", "09:00"), **at("unpublish_at", "2126-12-04", "09:00")},
            "unpublish_at",
            "It has to end after it is published: enter a moment after",
        ),
        (at("publish_at", "2026-03-29", "02:30"), "publish_at", "Enter 03:30, say."),
        (at("publish_at", "", "09:00"), "publish_at", "enter its date too"),
        (at("unpublish_at", "soon"), "unpublish_at", "Enter a date such as 2026-12-04."),
        (at("publish_at", "2126-12-04", "09:00", "Mars/Base"), "publish_at", "in UTC, as they are asked now"),
    ],
)
def test_names_the_field_and_what_would_be_right(
    site: Site, changes: dict[str, str], field: str, sentence: str
) -> None:
    page = site.post(ADD, entry(is_active="on", **changes))

    assert list(errors(page)) == [field]
    assert sentence in errors(page)[field][0]
    label = {"publish_at": "Publish on", "unpublish_at": "End on"}[field]
    assert f'<a href="#id_{field}_0">{label}</a>:' in page.content.decode()
    assert not Portfolio.objects.exists()


def test_a_form_with_an_error_tells_the_state_that_is_stored(site: Site) -> None:
    portfolio = make_portfolio(is_active=False)

    page = save(site, portfolio, title="", is_active="on", **at("publish_at", "2126-12-04", "09:00"))

    html = page.content.decode()
    assert 'folio-state-draft">Draft</span>' in html.split('data-part="words"')[0]
    assert f'value="{BERLIN}"' in html
    assert 'value="09:00"' in html


def test_says_that_a_draft_is_not_published_at_its_moment(site: Site) -> None:
    page = site.get(change_url(make_portfolio(is_active=False, publish_at=NINE))).content.decode()

    assert "It will not be published on <time" in page
    assert "as long as “Publish” is off." in page


@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        ({"is_active": False}, ["Draft", "Websites do not show it"]),
        ({"publish_at": NINE}, ["Scheduled", "Will be published on "]),
        ({}, ["Published", "Websites show it."]),
        ({"unpublish_at": NINE}, ["Published", "Websites show it.", "Will end on "]),
        ({"unpublish_at": datetime(2020, 1, 1, tzinfo=UTC)}, ["Ended", "Ended on ", "do not show it any more."]),
    ],
)
def test_tells_the_state_in_words(site: Site, viewer: Site, fields: dict[str, Any], sentences: list[str]) -> None:
    portfolio = make_portfolio(**fields)

    for reader in (site, viewer):
        html = reader.get(change_url(portfolio)).content.decode()
        said = html.split('class="folio-standing"')[1].split("</div>")[0].split("<template")[0].split("data-part", 1)[1]
        for sentence in sentences:
            assert sentence in said


# Who drafts


def test_who_drafts_is_asked_for_no_schedule_and_sets_none(drafter: Site) -> None:
    portfolio = make_portfolio(is_active=False, unpublish_at=NINE)
    sent = {"title": "Changed", "is_active": "on", **at("publish_at", "2126-01-01"), **at("unpublish_at", "2127-01-01")}

    page = drafter.get(change_url(portfolio))
    save(drafter, portfolio, **sent)
    added = drafter.post(ADD, entry(**{**sent, "title": "New"}))

    assert not {"publish_at", "unpublish_at", "is_active"} & set(page.context["adminform"].form.fields)
    assert "until someone who may publish publishes it" in page.content.decode()
    portfolio.refresh_from_db()
    assert (portfolio.title, portfolio.state_at(NINE)) == ("Changed", State.DRAFT)
    assert (portfolio.publish_at, portfolio.unpublish_at) == (None, NINE)
    assert added.status_code == 302, errors(added)
    new = Portfolio.objects.get(title="New")
    assert (new.is_active, new.publish_at, new.unpublish_at) == (False, None, None)


@pytest.mark.parametrize("fields", [{"publish_at": NINE}, {"unpublish_at": datetime(2020, 1, 1, tzinfo=UTC)}])
def test_who_drafts_changes_neither_what_is_scheduled_nor_what_has_ended(
    drafter: Site, fields: dict[str, datetime]
) -> None:
    portfolio = make_portfolio(title="Theirs", **fields)

    assert not drafter.get(change_url(portfolio)).context["has_change_permission"]
    assert drafter.post(change_url(portfolio), entry(title="Mine")).status_code == 403
    assert Portfolio.objects.get().title == "Theirs"


def test_who_drafts_is_told_that_an_entry_was_scheduled_meanwhile(drafter: Site, client: Client) -> None:
    portfolio = make_portfolio(is_active=False)
    sent = {**shown_values(drafter.get(change_url(portfolio))), "title": "Typed"}
    Portfolio.objects.update(is_active=True, publish_at=NINE)

    page = drafter.post(change_url(portfolio), sent).content.decode()

    assert "Nothing was saved, because someone has scheduled this meanwhile." in page
    assert 'value="Typed"' in page


def test_who_only_adds_may_schedule_what_they_add(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4201]))

    answer = site.post(ADD, entry(is_active="on", **at("publish_at", "2126-12-04", "09:00")))

    assert answer.status_code == 302, errors(answer)
    assert Portfolio.objects.get().publish_at == NINE


# Who still reads what is taken back


@pytest.mark.parametrize(
    ("fields", "changes", "is_told"),
    [
        ({}, {"is_active": ""}, True),
        ({"publish_at": NINE}, {"is_active": ""}, True),
        ({}, at("unpublish_at", "2126-12-04"), True),
        ({}, at("unpublish_at", "2020-12-04"), True),
        ({}, at("publish_at", "2126-12-04"), True),
        ({"is_active": False}, at("unpublish_at", "2126-12-04"), False),
        ({"is_active": False}, {"is_active": "on"}, False),
        ({"unpublish_at": NINE}, {"title": "Changed"}, False),
        ({"unpublish_at": NINE}, at("unpublish_at", ""), False),
    ],
)
def test_who_takes_an_entry_back_is_told_who_still_reads_it(
    site: Site, fields: dict[str, Any], changes: dict[str, str], is_told: bool
) -> None:
    page = save(site, make_portfolio(**fields), **changes)

    assert any("Public reading is off" in words for words in told(page)) is is_told


# The history


def test_the_history_tells_of_moments(site: Site) -> None:
    portfolio = make_portfolio()

    save(site, portfolio, **at("publish_at", "2126-12-04", "09:00"))

    page = site.get(f"{LIST}{portfolio.pk}/history/").content.decode()
    assert "Publish on" in page
    assert "Wednesday, 4 December 2126, 08:00 (UTC)" in page


def test_restoring_brings_a_schedule_back_for_those_who_publish(site: Site, drafter: Site, clock: Clock) -> None:
    portfolio = make_portfolio()
    save(site, portfolio, **at("publish_at", "2126-12-04", "09:00"))
    save(site, portfolio, is_active="", title="Changed", **at("publish_at", ""))
    first = LogEntry.objects.order_by("pk").first()
    assert first is not None
    url = f"{LIST}{portfolio.pk}/history/{first.pk}/restore/"

    assert drafter.post(url).status_code == 302
    portfolio.refresh_from_db()
    assert (portfolio.title.startswith("Title"), portfolio.publish_at, portfolio.is_active) == (True, None, False)
    assert "Publish on" in site.get(url).content.decode()
    assert site.post(url).status_code == 302

    portfolio.refresh_from_db()
    assert (portfolio.publish_at, portfolio.state_at(clock.now)) == (NINE, State.SCHEDULED)


def test_restoring_names_an_end_that_would_not_come_after_its_beginning(site: Site) -> None:
    portfolio = make_portfolio()
    save(site, portfolio, **at("publish_at", "2126-12-04", "09:00"))
    first = LogEntry.objects.get()
    Portfolio.objects.update(publish_at=None, unpublish_at=datetime(2100, 1, 1, tzinfo=UTC))  # past the history

    page = site.get(f"{LIST}{portfolio.pk}/history/{first.pk}/restore/")

    (problem,) = page.context["problems"]
    assert (str(problem.label), str(problem.shown)) == ("End on", "It has to end after it is published.")


def test_someone_elses_schedule_is_shown_and_followed(site: Site) -> None:
    portfolio = make_portfolio()
    mine = {**shown_values(site.get(change_url(portfolio))), "title": "Mine"}
    Portfolio.objects.update(publish_at=NINE)

    page = site.post(change_url(portfolio), mine)
    site.post(change_url(portfolio), shown_values(page))

    labels = [side.label for side in page.context["sides"]]
    assert set(labels) == {"Title", "Publish on"}
    portfolio.refresh_from_db()
    assert (portfolio.title, portfolio.publish_at) == ("Mine", NINE)


def test_a_copy_is_a_draft_without_moments(site: Site) -> None:
    portfolio = make_portfolio(publish_at=NINE)

    site.post(f"{LIST}{portfolio.pk}/duplicate/")

    copy = Portfolio.objects.latest("pk")
    assert (copy.is_active, copy.publish_at) == (False, None)
