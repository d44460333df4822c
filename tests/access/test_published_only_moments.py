"""A key for what is published reads by the clock, though nobody writes: also what lies in memory."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folio.snapshots.looks import Looks
from tests.clock import Clock
from tests.delivery.fronts import Front
from tests.factories import make_employer, make_key, make_portfolio, make_tag
from tests.snapshots.stage import StillWatch
from tests.wsgi import Answer

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/api/portfolios/"
PATHS = (
    LIST,
    f"{LIST}?limit=1",
    f"{LIST}?ordering=-id&include=schedule",
    f"{LIST}?search=moment",
    f"{LIST}?has_employer=true",
    f"{LIST}slug/later/",
    f"{LIST}slug/once/?include=schedule,captions",
)
Ask = Callable[..., Answer]


@pytest.fixture
def front() -> Front:
    return Front(Looks(StillWatch()))  # type: ignore[arg-type]


@pytest.fixture
def website(front: Front, admin: User) -> Ask:
    """Return a function that asks as a website does, with a key for what is published."""
    return asking(front, make_key(admin, published_only=True))


@pytest.fixture
def colleague(front: Front, editor: User) -> Ask:
    return asking(front, make_key(editor))


def asking(front: Front, key: str) -> Ask:
    return lambda path, **headers: front.ask(path, headers={"Authorization": f"Token {key}", **headers})


def anew(path: str, admin: User) -> Answer:
    """Return what is answered where nothing is kept."""
    return asking(Front(), make_key(admin, published_only=True))(path)


def filled(clock: Clock) -> dict[str, int]:
    """Return the ids of one that is always published, and of three that come and go after five and ten minutes."""
    shared: dict[str, Any] = {"employer": make_employer(), "tags": [make_tag()]}
    moments = {
        "always": {},
        "later": {"publish_at": clock.after(minutes=5), **shared},
        "once": {"unpublish_at": clock.after(minutes=10), **shared},
        "between": {"publish_at": clock.after(minutes=5), "unpublish_at": clock.after(minutes=10)},
    }
    return {slug: make_portfolio(slug=slug, title=f"Moment {slug}", **given).pk for slug, given in moments.items()}


def slugs(answer: Answer) -> list[str]:
    body = answer.json()
    assert body["count"] == len(body["results"])
    return [row["slug"] for row in body["results"]]


def test_lists_and_counts_change_at_the_moments(website: Ask, colleague: Ask, clock: Clock) -> None:
    filled(clock)
    path = f"{LIST}?ordering=id"

    assert slugs(website(path)) == ["always", "once"]
    clock.move(minutes=5, microseconds=-1)
    assert slugs(website(path)) == ["always", "once"]
    clock.move(microseconds=1)
    assert slugs(website(path)) == ["always", "later", "once", "between"]
    clock.move(minutes=5)
    assert slugs(website(path)) == ["always", "later"]
    assert slugs(colleague(path)) == ["always", "later", "once", "between"]


def test_details_come_and_go_with_their_tags(website: Ask, colleague: Ask, clock: Clock) -> None:
    ids = filled(clock)
    path = f"{LIST}{ids['between']}/"
    seen = colleague(path)
    assert seen.status_code == 200

    def status(**headers: str) -> int:
        answers = [website(path, **headers) for _ in range(2)]
        assert answers[0].status_code == answers[1].status_code
        assert all(("ETag" in answer.headers) == (answer.status_code != 404) for answer in answers)
        return answers[0].status_code

    known = {"If-None-Match": seen.headers["ETag"]}
    assert (status(), status(**known)) == (404, 404), "nor by the tag of one who may see it"
    clock.move(minutes=5)
    assert (status(), status(**known)) == (200, 304)
    clock.move(minutes=5)
    assert (status(), status(**known)) == (404, 404)


def test_the_tag_of_a_list_is_another_one_after_a_moment(website: Ask, clock: Clock) -> None:
    filled(clock)
    before = website(LIST).headers["ETag"]
    assert website(LIST, **{"If-None-Match": before}).status_code == 304

    clock.move(minutes=5)

    after = website(LIST, **{"If-None-Match": before})
    assert after.status_code == 200
    assert after.headers["ETag"] != before
    assert website(LIST, **{"If-None-Match": after.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_outlives_a_moment(website: Ask, colleague: Ask, admin: User, clock: Clock, path: str) -> None:
    """Whichever key asked first: counts, statements and documents are kept for all of them."""
    filled(clock)
    for _ in range(3):
        for _ in range(3):
            told = website(path)
            colleague(path)
        fresh = anew(path, admin)
        assert (told.status_code, told.content) == (fresh.status_code, fresh.content)
        clock.move(minutes=5)


def test_what_is_kept_is_kept_up_to_the_moment(website: Ask, clock: Clock) -> None:
    clock.move(seconds=3600 - clock.now.timestamp() % 3600)  # when a key's use is to be noted again
    filled(clock)
    website(LIST)

    clock.move(minutes=4, seconds=59)
    with CaptureQueriesContext(connection) as captured:
        website(LIST)

    assert not captured.captured_queries


def test_what_others_are_told_knows_no_moment(colleague: Ask, clock: Clock) -> None:
    clock.move(seconds=3600 - clock.now.timestamp() % 3600)
    filled(clock)
    before = colleague(LIST)

    clock.move(minutes=30)
    with CaptureQueriesContext(connection) as captured:
        after = colleague(LIST)

    assert not captured.captured_queries
    assert after.content == before.content


def test_a_moment_that_passes_while_a_list_is_read_is_not_missed(
    website: Ask, front: Front, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(clock)
    looks: Any = front.front.looks
    hold = looks.hold

    def slow_hold(*args: Any) -> float:
        monkeypatch.setattr(looks, "hold", hold)
        clock.move(minutes=5)
        return float(hold(*args))

    monkeypatch.setattr(looks, "hold", slow_hold)

    assert slugs(website(f"{LIST}?ordering=id")) == ["always", "later", "once", "between"]
    assert slugs(website(f"{LIST}?ordering=id")) == ["always", "later", "once", "between"]
    clock.move(minutes=5)
    assert slugs(website(f"{LIST}?ordering=id")) == ["always", "later"]
