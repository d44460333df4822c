"""From when on and up to when visitors may read a portfolio, in the managing API."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from folio.history import told
from folio.portfolios.duplicating import duplicate
from folio.portfolios.models import Portfolio
from folio.snapshots.etags import digest_of, etag_of
from tests import shapes
from tests.clock import Clock
from tests.conftest import Client
from tests.factories import make_media, make_portfolio

LIST = "/api/portfolios/"
WITH = "?include=schedule"
SCHEDULE = ["publish_at", "unpublish_at"]
BEGIN, END = "2031-03-01T08:30:00Z", "2031-04-01T00:00:00Z"
NEW = {"title": "New", "slug": "new", "excerpt": "x"}


def path_of(portfolio: Portfolio) -> str:
    return f"{LIST}{portfolio.pk}/"


def tag_of(answer: Any) -> str:
    """Return the tag that a read's answer would have: the front gives it."""
    return etag_of(digest_of(answer.content))


def told_of(answer: Any) -> tuple[str | None, str | None]:
    assert answer.status_code in {200, 201}, answer.content
    return answer.json()["publish_at"], answer.json()["unpublish_at"]


@pytest.fixture
def portfolio(db: None) -> Portfolio:
    return make_portfolio(
        publish_at=datetime(2031, 3, 1, 8, 30, tzinfo=UTC), unpublish_at=datetime(2031, 4, 1, tzinfo=UTC)
    )


# What is told


def test_is_told_last_where_it_is_asked_for(client: Client, portfolio: Portfolio) -> None:
    path = path_of(portfolio)
    answers: list[Any] = [
        client.get(f"{path}{WITH}"),
        client.get(f"{LIST}slug/{portfolio.slug}/{WITH}"),
        client.patch(f"{path}{WITH}", {"order": 1}),
        client.put(f"{path}{WITH}", client.get(path).json()),
        client.post(f"{LIST}{WITH}", {**NEW, "publish_at": BEGIN, "unpublish_at": END}),
    ]

    for answer in answers:
        assert list(answer.json()) == [*shapes.PORTFOLIO, *SCHEDULE]
        assert told_of(answer) == (BEGIN, END)
    for row in client.get(f"{LIST}{WITH}").json()["results"]:
        assert list(row) == [*shapes.PORTFOLIO_ROW, *SCHEDULE]
        assert (row["publish_at"], row["unpublish_at"]) == (BEGIN, END)


@pytest.mark.parametrize("asked", ["schedule,captions", "captions,schedule", " captions , schedule,captions"])
def test_comes_before_captions_however_they_are_asked_for(client: Client, portfolio: Portfolio, asked: str) -> None:
    answers = [
        client.get(path_of(portfolio), {"include": asked}),
        client.patch(f"{path_of(portfolio)}?include={asked}", {"order": 1}),
    ]

    for answer in answers:
        assert list(answer.json()) == [*shapes.PORTFOLIO, *SCHEDULE, "captions"]
    [row] = client.get(LIST, {"include": asked}).json()["results"]
    assert list(row) == [*shapes.PORTFOLIO_ROW, *SCHEDULE, "captions"]


def test_is_in_no_answer_that_did_not_ask_for_it(client: Client, portfolio: Portfolio) -> None:
    for _ in range(2):
        for query, more in ((WITH, SCHEDULE), ("?include=captions", ["captions"]), ("", [])):
            assert list(client.get(f"{path_of(portfolio)}{query}").json()) == [*shapes.PORTFOLIO, *more]
            [row] = client.get(f"{LIST}{query}").json()["results"]
            assert list(row) == [*shapes.PORTFOLIO_ROW, *more]
    assert list(client.patch(path_of(portfolio), {"publish_at": None}).json()) == shapes.PORTFOLIO
    assert list(client.post(LIST, {**NEW, "publish_at": BEGIN}).json()) == shapes.PORTFOLIO


def test_is_null_where_there_is_none(client: Client, db: None) -> None:
    portfolio = make_portfolio()

    assert told_of(client.get(f"{path_of(portfolio)}{WITH}")) == (None, None)
    assert told_of(client.post(f"{LIST}{WITH}", NEW)) == (None, None)


def test_costs_one_query_however_many_portfolios(client: Client) -> None:
    make_portfolio(images=[make_media()])

    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{LIST}?limit=50{query}").status_code == 200
        return len(captured)

    one, plain = queries("&include=schedule"), queries("")
    for _ in range(20):
        make_portfolio(images=[make_media()])

    assert queries("&include=schedule") == one == plain + 1


# What is taken


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_field_that_is_left_out_keeps_its_value(client: Client, portfolio: Portfolio, method: str) -> None:
    required = {"title": portfolio.title, "slug": portfolio.slug, "excerpt": "x"}

    def change(**fields: Any) -> tuple[str | None, str | None]:
        return told_of(getattr(client, method)(f"{path_of(portfolio)}{WITH}", {**required, **fields}))

    assert change() == (BEGIN, END)
    assert change(publish_at="2031-03-02T00:00:00Z") == ("2031-03-02T00:00:00Z", END)
    assert change(publish_at=None) == (None, END)
    assert change(unpublish_at=None) == (None, None)
    assert change(unpublish_at=END, publish_at=BEGIN) == (BEGIN, END)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("2031-03-01", "2031-03-01T00:00:00Z"),
        ("2031-03-01T08:30:00", "2031-03-01T08:30:00Z"),
        ("2031-03-01T08:30:00+03:30", "2031-03-01T05:00:00Z"),
        ("2031-03-01T08:30:00.000001Z", "2031-03-01T08:30:00.000001Z"),
        ("1999-01-01", "1999-01-01T00:00:00Z"),  # long ago is published at once
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        (None, None),
    ],
)
@pytest.mark.parametrize("name", SCHEDULE)
def test_takes_a_datetime_a_date_or_null(client: Client, db: None, name: str, sent: str | None, told: str) -> None:
    answer = client.patch(f"{path_of(make_portfolio())}{WITH}", {name: sent})

    assert answer.json()[name] == told


@pytest.mark.parametrize(
    "value",
    ["", "soon", 5, True, [], {}, "2031-02-30", "0000-01-01", "10000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00"],
)
@pytest.mark.parametrize("name", SCHEDULE)
def test_refuses_what_is_no_moment(client: Client, portfolio: Portfolio, name: str, value: Any) -> None:
    response = client.patch(path_of(portfolio), {name: value})

    reason = "Enter a date or datetime such as 2024-12-12 or 2024-12-12T08:30:00Z."
    assert (response.status_code, response.json()) == (400, {name: [reason]})


@pytest.mark.parametrize("end", [BEGIN, "2031-03-01T08:29:59.999999Z", "2031-03-01"])
def test_refuses_an_end_that_is_not_after_the_beginning(client: Client, portfolio: Portfolio, end: str) -> None:
    refused = {
        "unpublish_at": [f"This is not after publish_at, {BEGIN}. Enter a later moment, or null for no end."],
    }
    schedule = {"publish_at": BEGIN, "unpublish_at": end}
    required = {"title": portfolio.title, "slug": portfolio.slug, "excerpt": "x"}

    for response in (
        client.post(LIST, {**NEW, **schedule}),
        client.patch(path_of(portfolio), schedule),
        client.put(path_of(portfolio), {**required, **schedule}),
        client.patch(path_of(portfolio), {"unpublish_at": end}),  # which clashes with what is stored
        client.put(path_of(portfolio), {**required, "unpublish_at": end}),
    ):
        assert (response.status_code, response.json()) == (400, refused)
    assert told_of(client.get(f"{path_of(portfolio)}{WITH}")) == (BEGIN, END)
    assert Portfolio.objects.count() == 1


@pytest.mark.parametrize("begin", [END, "2031-04-01T00:00:00.000001Z", "2032-01-01"])
def test_refuses_a_beginning_that_is_not_before_the_stored_end(
    client: Client, portfolio: Portfolio, begin: str
) -> None:
    response = client.patch(path_of(portfolio), {"publish_at": begin})

    reason = f"This is not before unpublish_at, {END}. Enter an earlier moment, or send unpublish_at too."
    assert (response.status_code, response.json()) == (400, {"publish_at": [reason]})
    sent_too = client.patch(f"{path_of(portfolio)}{WITH}", {"publish_at": begin, "unpublish_at": None})
    assert sent_too.status_code == 200


def test_the_shortest_time_is_a_microsecond(client: Client, portfolio: Portfolio) -> None:
    end = "2031-03-01T08:30:00.000001Z"

    assert told_of(client.patch(f"{path_of(portfolio)}{WITH}", {"unpublish_at": end})) == (BEGIN, end)


def test_the_database_refuses_the_same(portfolio: Portfolio) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Portfolio.objects.filter(pk=portfolio.pk).update(unpublish_at=portfolio.publish_at)


def test_another_mistake_is_told_beside_one_of_a_moment(client: Client, db: None) -> None:
    response = client.post(LIST, {**NEW, "title": "", "publish_at": "soon"})

    assert list(response.json()) == ["title", "publish_at"]


def test_a_portfolio_with_a_clash_from_elsewhere_can_be_changed_otherwise(client: Client, portfolio: Portfolio) -> None:
    """What is not sent is not judged: whoever changes the order need not know of moments."""
    assert client.patch(path_of(portfolio), {"order": 3}).status_code == 200
    assert told_of(client.get(f"{path_of(portfolio)}{WITH}")) == (BEGIN, END)


# What was read can be sent back, and conditions


def test_what_was_read_can_be_sent_back(client: Client, portfolio: Portfolio) -> None:
    for query in (WITH, f"{WITH},captions"):
        read = client.get(f"{path_of(portfolio)}{query}").json()

        again = client.put(f"{path_of(portfolio)}{query}", read).json()

        assert {**again, "updated_at": ""} == {**read, "updated_at": ""}


def test_a_change_moves_updated_at_and_with_it_the_tag_of_a_plain_read(client: Client, portfolio: Portfolio) -> None:
    before = client.get(path_of(portfolio))

    written = client.patch(path_of(portfolio), {"publish_at": None})

    after = client.get(path_of(portfolio))
    assert after.json()["updated_at"] > before.json()["updated_at"]
    assert tag_of(before) != tag_of(after) == written.headers["ETag"]


@pytest.mark.parametrize("query", [WITH, "?include=captions", f"{WITH},captions"])
def test_a_condition_holds_by_the_tag_of_the_plain_form_or_of_the_one_that_is_asked_for(
    client: Client, portfolio: Portfolio, query: str
) -> None:
    path = f"{path_of(portfolio)}{query}"
    plain, included = (tag_of(client.get(url)) for url in (path_of(portfolio), path))
    assert plain != included
    refused = client.patch(path_of(portfolio), {"order": 1}, headers={"If-Match": included})
    assert refused.status_code == 412, "which asks for the other form"
    assert refused.headers["ETag"] == plain

    written = client.patch(path, {"unpublish_at": None}, headers={"If-Match": included})
    assert written.status_code == 200
    assert written.headers["ETag"] == tag_of(client.get(path_of(portfolio)))
    assert client.patch(path, {"order": 1}, headers={"If-Match": included}).status_code == 412
    assert client.patch(path, {"order": 1}, headers={"If-Match": written.headers["ETag"]}).status_code == 200


def test_a_request_that_is_sent_again_is_answered_as_before(client: Client, db: None) -> None:
    def post(query: str = WITH, **fields: Any) -> Any:
        return client.post(f"{LIST}{query}", {**NEW, **fields}, headers={"Idempotency-Key": "once"})

    first = post(publish_at="2031-03-01")

    again = post(publish_at="2031-03-01")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert post(publish_at="2031-03-02").status_code == 409
    assert post("", publish_at="2031-03-01").status_code == 409, "which asks for the other form"
    assert Portfolio.objects.count() == 1


# What follows


def test_the_managing_answers_know_no_moments(client: Client, portfolio: Portfolio, clock: Clock) -> None:
    """Who may list sees all, whatever the clock says."""
    make_portfolio(slug="ended", unpublish_at=clock.after(minutes=-5))
    make_portfolio(slug="later", publish_at=clock.after(minutes=5))
    before = client.get(LIST).json()

    clock.move(minutes=10)

    assert client.get(LIST).json() == before
    assert before["count"] == 3


def test_a_copy_has_no_schedule(portfolio: Portfolio) -> None:
    copy = duplicate(portfolio.pk)

    assert (copy.publish_at, copy.unpublish_at, copy.is_active) == (None, None, False)


def test_the_history_tells_it_in_words(client: Client, portfolio: Portfolio) -> None:
    client.patch(path_of(portfolio), {"publish_at": "2031-02-01", "unpublish_at": None})
    client.patch(path_of(portfolio), {"publish_at": "2031-02-01T00:00:00Z"})
    made = client.post(LIST, {**NEW, "publish_at": BEGIN}).json()["id"]

    [changed] = told(LogEntry.objects.filter(object_id=str(portfolio.pk)), portfolio)
    assert len(changed.differences) == 2, "and what changes nothing is not recorded"
    begin, end = (str(difference.shown) for difference in changed.differences)
    assert "Saturday, 1 March 2031, 08:30 (UTC)" in begin
    assert "Saturday, 1 February 2031, 00:00 (UTC)" in begin
    assert "Tuesday, 1 April 2031, 00:00 (UTC)" in end
    assert "empty" in end
    new = Portfolio.objects.get(pk=made)
    [added] = told(LogEntry.objects.filter(object_id=str(made)), new)
    assert any("Saturday, 1 March 2031, 08:30 (UTC)" in str(difference.shown) for difference in added.differences)
