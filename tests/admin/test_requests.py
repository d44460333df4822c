"""What the admin site answers to requests that none of its pages sends: a sentence, and never a failure."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Site

from folio.media.models import Media
from tests.factories import make_media, make_portfolio

JSON = "application/json"
UNREADABLE = {"detail": "The request could not be read. Load the page again."}


@pytest.fixture
def site(site_for: Callable[[User], Site], admin: User) -> Site:
    return site_for(admin)


@pytest.fixture
def media() -> Media:
    return make_media(name="Crane")


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"name": "\\ud800"}',
        '{"name": NaN}',
        '{"name": "x", "alt": 1e999}',
        '{"name": "x", "name": "y"}',
        b'\xef\xbb\xbf{"name": "x"}',
        b'{"name": "\xff"}',
        '{"name": ' + "9" * 5000 + "}",
        "[]",
    ],
    ids=["nested", "half a surrogate pair", "NaN", "infinite", "twice", "mark", "not UTF-8", "digits", "no object"],
)
def test_refuses_a_body_that_is_no_object(site: Site, media: Media, body: str | bytes) -> None:
    answer = site.post(f"/admin/media/media/{media.pk}/texts/", body, content_type=JSON)

    assert answer.status_code == 400
    assert answer.json() == UNREADABLE
    media.refresh_from_db()
    assert media.name == "Crane"


@pytest.mark.parametrize("name", [["a"], 5, True, {}, None])
def test_refuses_a_text_that_is_none(site: Site, media: Media, name: Any) -> None:
    answer = site.post(f"/admin/media/media/{media.pk}/texts/", json.dumps({"name": name}), content_type=JSON)

    assert answer.status_code == 400
    assert answer.json() == UNREADABLE
    media.refresh_from_db()
    assert media.name == "Crane"


@pytest.mark.parametrize(
    "query", ["employer__id__exact=abc", "tags__id__exact=99999999999999999999", "foo=1", "title__regex=("]
)
def test_moves_nothing_in_a_list_that_there_is_not(site: Site, query: str) -> None:
    first, second = make_portfolio(order=1), make_portfolio(order=2)
    body = {"id": second.pk, "before": first.pk}

    answer = site.post(f"/admin/portfolios/portfolio/reorder/?{query}", body, content_type=JSON)

    assert answer.status_code == 400
    assert answer.json() == UNREADABLE
    assert second.pk == type(second).objects.order_by("order").last().pk  # type: ignore[union-attr]


def test_moves_nothing_for_more_rows_than_a_page_shows(site: Site) -> None:
    first, second = make_portfolio(order=1), make_portfolio(order=2)
    body = {"id": second.pk, "before": first.pk, "shown": list(range(300_000))}

    answer = site.post("/admin/portfolios/portfolio/reorder/", body, content_type=JSON)

    assert answer.status_code == 400
    assert answer.json() == UNREADABLE


@pytest.mark.parametrize("day", ["junk", "2024-01-01", "9" * 30, "%00"])
def test_begins_a_portfolio_with_no_moment_that_its_address_gives(site: Site, day: str) -> None:
    assert site.get(f"/admin/portfolios/portfolio/add/?completed_at={day}").status_code == 200


@pytest.mark.parametrize("page", ["abc", "-1", "0", "99"])
def test_refuses_a_page_of_results_that_there_is_not(site: Site, page: str) -> None:
    assert site.get("/admin/search/", {"s": "port", "page": page}).status_code == 400
    assert site.get("/admin/search/", {"s": "port", "page": "1"}).status_code == 200
