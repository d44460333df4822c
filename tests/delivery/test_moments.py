"""Scheduled moments change every public answer with no write, also what lies in memory."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folio.portfolios.models import Portfolio, State
from folio.portfolios.moments import next_moment
from folio.snapshots.looks import Looks
from tests.clock import Clock
from tests.delivery.fronts import Front
from tests.factories import make_employer, make_portfolio, make_tag
from tests.snapshots.stage import StillWatch

pytestmark = pytest.mark.django_db(transaction=True)
PATHS = (
    "portfolios/",
    "portfolios/?search=moment",
    "portfolios/?include=neighbours,related",
    "facets/",
    "tags/",
    "employers/",
)


@pytest.fixture
def front(settings: Any) -> Front:
    settings.PUBLIC_READ = True
    return Front(Looks(StillWatch()))  # type: ignore[arg-type]


def slugs(front: Front) -> list[str]:
    return [row["slug"] for row in front.ask("portfolios/?ordering=id").json()["results"]]


def filled(clock: Clock) -> None:
    make_portfolio(slug="always", title="Moment always")
    shared: dict[str, Any] = {"employer": make_employer(), "tags": [make_tag()]}
    make_portfolio(slug="later", title="Moment later", publish_at=clock.after(minutes=5), **shared)
    make_portfolio(slug="once", title="Moment once", unpublish_at=clock.after(minutes=10), **shared)
    make_portfolio(
        slug="between", title="Moment between", publish_at=clock.after(minutes=5), unpublish_at=clock.after(minutes=10)
    )


def test_portfolios_come_and_go_at_their_moments(front: Front, clock: Clock) -> None:
    filled(clock)

    assert slugs(front) == ["always", "once"]
    clock.move(minutes=5, microseconds=-1)
    assert slugs(front) == ["always", "once"]
    clock.move(microseconds=1)
    assert slugs(front) == ["always", "later", "once", "between"]
    clock.move(minutes=5)
    assert slugs(front) == ["always", "later"]


@pytest.mark.parametrize("path", [*PATHS, "portfolios/later/", "portfolios/once/"])
def test_no_answer_outlives_a_moment(front: Front, clock: Clock, path: str) -> None:
    """What is kept, and what is kept of what it is made of, is as what is computed anew."""
    filled(clock)
    for _ in range(2):
        before = [front.ask(path).content for _ in range(4)][-1]
        clock.move(minutes=5)
        now = front.ask(path).content
        assert now == Front().ask(path).content
        assert now != before or path == "portfolios/once/"


def test_what_is_kept_is_kept_up_to_the_moment(front: Front, clock: Clock) -> None:
    filled(clock)
    front.ask("portfolios/")

    clock.move(minutes=4, seconds=59)
    with CaptureQueriesContext(connection) as captured:
        front.ask("portfolios/")

    assert not captured.captured_queries


def test_no_cache_on_the_way_keeps_an_answer_past_it(front: Front, clock: Clock) -> None:
    filled(clock)

    assert front.ask("portfolios/").headers["Cache-Control"].endswith("s-maxage=60, stale-while-revalidate=240")
    clock.move(minutes=4, seconds=30)
    for path in ("portfolios/", "facets/", "portfolios/always/"):
        assert front.ask(path).headers["Cache-Control"] == "public, max-age=0, s-maxage=30"
    clock.move(seconds=28)
    assert front.ask("portfolios/later/").status_code == 404
    assert front.ask("portfolios/later/").headers["Cache-Control"] == "public, s-maxage=2"


def test_a_moment_that_passes_while_an_answer_is_computed_is_not_missed(
    front: Front, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snapshot was found before the moment; by the time the moments are asked for, it has passed."""
    filled(clock)
    looks: Any = front.front.looks
    hold = looks.hold

    def slow_hold(*args: Any) -> float:
        monkeypatch.setattr(looks, "hold", hold)
        clock.move(minutes=5)
        return float(hold(*args))

    monkeypatch.setattr(looks, "hold", slow_hold)
    first = front.ask("portfolios/?ordering=id").json()

    assert [row["slug"] for row in first["results"]] == ["always", "later", "once", "between"]
    clock.move(minutes=5)
    assert slugs(front) == ["always", "later"]


@pytest.mark.parametrize(
    "schedule",
    [{"publish_at": datetime.min.replace(tzinfo=UTC)}, {"unpublish_at": datetime.max.replace(tzinfo=UTC)}],
    ids=["the first", "the last"],
)
def test_the_first_and_the_last_moment_that_there_are(front: Front, clock: Clock, schedule: dict[str, Any]) -> None:
    make_portfolio(slug="always", **schedule)

    for _ in range(2):
        answer = front.ask("portfolios/always/")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=0, s-maxage=60, stale-while-revalidate=600"


def test_the_moment_of_a_draft_is_told_by_nothing(front: Front, clock: Clock) -> None:
    make_portfolio(publish_at=clock.after(seconds=10), is_active=False)

    assert front.ask("portfolios/").headers["Cache-Control"].startswith("public, max-age=0, s-maxage=60, ")


def test_the_public_updated_at_is_never_before_it_was_published(front: Front, clock: Clock) -> None:
    portfolio = make_portfolio(slug="later", publish_at=clock.after(minutes=5))
    clock.move(minutes=6)

    told = front.ask("portfolios/later/").json()["updated_at"]

    portfolio.refresh_from_db()
    assert portfolio.publish_at is not None
    assert told == portfolio.publish_at.isoformat().replace("+00:00", "Z")
    assert portfolio.updated_at < portfolio.publish_at


def test_states_are_the_same_by_row_and_by_query(clock: Clock) -> None:
    filled(clock)
    make_portfolio(slug="draft", is_active=False, publish_at=clock.after(minutes=1))

    for _ in range(3):
        published = set(Portfolio.objects.published().values_list("slug", flat=True))
        assert published == set(Portfolio.objects.only_published().values_list("slug", flat=True))
        unpublished = set(Portfolio.objects.unpublished().values_list("slug", flat=True))
        for row in Portfolio.objects.with_state():
            told: Any = row
            assert told.state == row.state_at(clock.now)
            assert (told.state == State.PUBLISHED) == (row.slug in published) == (row.slug not in unpublished)
        clock.move(minutes=5)


def test_the_next_moment(clock: Clock) -> None:
    assert next_moment(clock.now.timestamp()) == float("inf")
    filled(clock)

    assert next_moment(clock.now.timestamp()) == clock.after(minutes=5).timestamp()
    assert next_moment(clock.after(minutes=5).timestamp()) == clock.after(minutes=10).timestamp()
    assert next_moment(clock.after(minutes=10).timestamp()) == float("inf")
