"""Searches that find many: met on a walk through the order, of which nobody may notice anything but the time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from folio.portfolios.models import Portfolio
from folio.portfolios.searching import due, statements, walking
from tests.clock import Clock
from tests.conftest import Client as ManagingClient
from tests.delivery.entries import ask, listed
from tests.factories import make_portfolio

pytestmark = pytest.mark.django_db
MANAGING = "/api/portfolios/"
NEVER, ALWAYS = 0, 1_000_000  # of STEPS: whether a walk is thought to be the shorter way
BOUNDS = ("STEPS", "WALKED", "AT_ONCE", "INDEXED", "FEW")


@pytest.fixture(
    params=[
        (NEVER, 20_000, 100, 2_000, 20_000),
        (ALWAYS, 20_000, 100, 2_000, 20_000),
        (ALWAYS, 20_000, 2, 0, 20_000),
        (ALWAYS, 4, 2, 2_000, 20_000),
        (ALWAYS, 4, 2, 0, 20_000),
        (ALWAYS, 3, 3, 0, 20_000),
        (ALWAYS, 20_000, 100, 2_000, 2),
        (NEVER, 20_000, 100, 2_000, 2),
        (ALWAYS, 2, 1, 2_000, 2),
    ]
)
def bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are sorted; met on a walk by the database, or by Python; on one that ends too early; few or many."""
    for name, value in zip(BOUNDS, request.param, strict=True):
        monkeypatch.setattr(walking, name, value)


@pytest.fixture
def lamps(bounds: None) -> list[str]:
    """Seven of which visitors read five, behind others and among them, each with the word in its excerpt."""
    now = timezone.now()
    for order in range(7):
        make_portfolio(slug=f"other-{order}", order=order)
    make_portfolio(slug="draft", order=0, excerpt="A lamp.", is_active=False)
    make_portfolio(slug="later", order=3, excerpt="A lamp.", publish_at=now + timedelta(hours=1))
    make_portfolio(slug="ended", order=4, excerpt="A lamp.", unpublish_at=now - timedelta(hours=1))
    slugs = []
    for order in (6, 2, 4, 0, 8):
        slugs.append(make_portfolio(slug=f"lamp-{order}", order=order, excerpt="A lamp.").slug)
    due.fold_all()
    return sorted(slugs)


def pages(page: Callable[..., list[str]]) -> list[str]:
    return [slug for offset in range(0, 12, 2) for slug in page(limit=2, offset=offset)]


def test_visitors_find_the_same_in_the_same_order(visitor: Client, lamps: list[str]) -> None:
    assert listed(visitor, search="lamp") == lamps
    assert ask(visitor, search="lamp", limit=1)["count"] == 5
    assert pages(lambda **window: listed(visitor, search="lamp", **window)) == lamps


def test_the_best_of_many_comes_first(visitor: Client, lamps: list[str]) -> None:
    make_portfolio(slug="titled", order=9, title="Lamp")
    assert listed(visitor, search="lamp") == ["titled", *lamps]

    due.fold_all()
    assert listed(visitor, search="lamp") == ["titled", *lamps]


def test_what_is_due_counts_among_many(visitor: Client, lamps: list[str]) -> None:
    Portfolio.objects.filter(slug=lamps[0]).update(excerpt="A chair.")
    assert listed(visitor, search="lamp") == lamps[1:]


def test_what_is_found_follows_the_clock(visitor: Client, lamps: list[str], clock: Clock) -> None:
    assert listed(visitor, search="lamp") == lamps

    clock.move(minutes=120)

    assert sorted(listed(visitor, search="lamp")) == sorted([*lamps, "later"])
    assert ask(visitor, search="lamp", limit=1)["count"] == 6


def test_many_drafts_alone_are_nothing(visitor: Client, lamps: list[str]) -> None:
    Portfolio.objects.filter(excerpt="A lamp.").update(is_active=False)
    assert ask(visitor, search="lamp")["count"] == 0


def test_who_manages_finds_the_same_in_the_same_order(client: ManagingClient, lamps: list[str]) -> None:
    def page(**parameters: Any) -> list[str]:
        answer = client.get(MANAGING, {"search": "amp", **parameters}).json()
        assert answer["count"] == 8
        return [row["slug"] for row in answer["results"]]

    order = ["lamp-0", "draft", "lamp-2", "later", "lamp-4", "ended", "lamp-6", "lamp-8"]
    assert sorted(page(limit=100)) == sorted(order)
    assert page(limit=100) == list(
        Portfolio.objects.filter(excerpt="A lamp.").order_by(*statements.DEFAULT_ORDER).values_list("slug", flat=True)
    )
    assert pages(page) == page(limit=100)
    assert page(limit=100, ordering="-slug") == sorted(order, reverse=True)
