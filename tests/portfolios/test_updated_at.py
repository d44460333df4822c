"""A portfolio's `updated_at` tells of every change of its own, through whichever endpoint, and of no one else's."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from folio.portfolios.models import Link, MetaEntry, Portfolio, Tag
from tests.conftest import Client
from tests.factories import make_link, make_media, make_meta, make_portfolio, make_tag

OLD = datetime(2001, 1, 1, tzinfo=UTC)
BODY = {"title": "Title", "slug": "slug", "excerpt": "An excerpt."}


@dataclass
class Scene:
    """A portfolio with one of everything, and another one that no one means."""

    client: Client
    portfolio: Portfolio
    other: Portfolio
    link: Link
    entry: MetaEntry
    tag: Tag

    def renewed(self) -> list[bool]:
        """Tell of the portfolio and of the other one whether it was renewed."""
        self.portfolio.refresh_from_db()
        self.other.refresh_from_db()
        return [self.portfolio.updated_at > OLD, self.other.updated_at > OLD]

    def patch(self, **fields: Any) -> Any:
        return self.client.patch(f"/api/portfolios/{self.portfolio.pk}/", fields)


@pytest.fixture
def scene(client: Client) -> Scene:
    tag = make_tag()
    portfolio = make_portfolio(images=[make_media(), make_media()], tags=[tag, make_tag()])
    other = make_portfolio(images=[make_media()], tags=[make_tag()])
    make_link(other)
    make_meta(other)
    link, entry = make_link(portfolio), make_meta(portfolio)
    Portfolio.objects.update(created_at=OLD, updated_at=OLD)
    return Scene(client, portfolio, other, link, entry, tag)


CHANGES: dict[str, Callable[[Scene], Any]] = {
    "PUT of the portfolio": lambda on: on.client.put(f"/api/portfolios/{on.portfolio.pk}/", BODY),
    "PATCH of the portfolio": lambda on: on.patch(order=5),
    "gallery": lambda on: on.patch(images=[make_media().pk]),
    "gallery's order": lambda on: on.patch(
        images=list(on.portfolio.images.order_by("-pk").values_list("pk", flat=True))
    ),
    "tags": lambda on: on.patch(tags=[]),
    "nested links": lambda on: on.patch(links=[{"id": on.link.pk, "name": "other"}]),
    "nested meta": lambda on: on.patch(meta=[{"id": on.entry.pk, "key": "other"}]),
    "link made": lambda on: on.client.post("/api/links/", {"portfolio": on.portfolio.pk, "name": "new"}),
    "link changed": lambda on: on.client.patch(f"/api/links/{on.link.pk}/", {"name": "other"}),
    "link replaced": lambda on: on.client.put(
        f"/api/links/{on.link.pk}/", {"portfolio": on.portfolio.pk, "name": "other"}
    ),
    "link deleted": lambda on: on.client.delete(f"/api/links/{on.link.pk}/"),
    "meta made": lambda on: on.client.post("/api/meta/", {"portfolio": on.portfolio.pk, "key": "new"}),
    "meta changed": lambda on: on.client.patch(f"/api/meta/{on.entry.pk}/", {"value_text": "other"}),
    "meta replaced": lambda on: on.client.put(
        f"/api/meta/{on.entry.pk}/", {"portfolio": on.portfolio.pk, "key": "other"}
    ),
    "meta deleted": lambda on: on.client.delete(f"/api/meta/{on.entry.pk}/"),
    "tag deleted": lambda on: on.client.delete(f"/api/tags/{on.tag.pk}/"),
}

MOVES: dict[str, Callable[[Scene], Any]] = {
    "link": lambda on: on.client.patch(f"/api/links/{on.link.pk}/", {"portfolio": on.other.pk}),
    "meta": lambda on: on.client.patch(f"/api/meta/{on.entry.pk}/", {"portfolio": on.other.pk}),
}

NO_CHANGES: dict[str, Callable[[Scene], Any]] = {
    "list": lambda on: on.client.get("/api/portfolios/"),
    "retrieve": lambda on: on.client.get(f"/api/portfolios/{on.portfolio.pk}/"),
    "retrieve by slug": lambda on: on.client.get(f"/api/portfolios/slug/{on.portfolio.slug}/"),
    "refused PATCH": lambda on: on.patch(order="x", links=[]),
    "refused link": lambda on: on.client.post("/api/links/", {"portfolio": on.portfolio.pk, "name": ""}),
    "refused change of a link": lambda on: on.client.patch(f"/api/links/{on.link.pk}/", {"url": "x"}),
    "refused move of a meta": lambda on: on.client.patch(f"/api/meta/{on.entry.pk}/", {"portfolio": 999_999}),
    "tag made": lambda on: on.client.post("/api/tags/", {"name": "new"}),
    "tag renamed": lambda on: on.client.patch(f"/api/tags/{on.tag.pk}/", {"name": "renamed"}),
    "alt text of an image": lambda on: on.client.patch(
        f"/api/media/{on.portfolio.images.all()[0].pk}/", {"alt": "new"}
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_is_renewed_by_a_change_of_that_portfolio_alone(scene: Scene, change: Callable[[Scene], Any]) -> None:
    response = change(scene)

    assert response.status_code in {200, 201, 204}
    assert scene.renewed() == [True, False]


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_is_renewed_on_both_sides_of_a_move(scene: Scene, move: Callable[[Scene], Any]) -> None:
    response = move(scene)

    assert response.status_code == 200
    assert scene.renewed() == [True, True]


@pytest.mark.parametrize("request_", NO_CHANGES.values(), ids=NO_CHANGES)
def test_stays_where_nothing_changes(scene: Scene, request_: Callable[[Scene], Any]) -> None:
    response = request_(scene)

    assert response.status_code in {200, 201, 400}
    assert scene.renewed() == [False, False]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_created_at_stays(scene: Scene, change: Callable[[Scene], Any]) -> None:
    change(scene)

    assert Portfolio.objects.get(pk=scene.portfolio.pk).created_at == OLD


def test_a_deleted_tag_renews_every_portfolio_that_had_it(scene: Scene) -> None:
    third = make_portfolio(tags=[scene.tag])
    Portfolio.objects.update(updated_at=OLD)

    scene.client.delete(f"/api/tags/{scene.tag.pk}/")

    assert scene.renewed() == [True, False]
    assert Portfolio.objects.get(pk=third.pk).updated_at > OLD


@pytest.mark.parametrize("change", [CHANGES[name] for name in ("PATCH of the portfolio", "gallery", "nested links")])
def test_the_answer_shows_the_renewed_moment(scene: Scene, change: Callable[[Scene], Any]) -> None:
    answer = change(scene).json()

    assert answer == scene.client.get(f"/api/portfolios/{scene.portfolio.pk}/").json()
    assert not answer["updated_at"].startswith("2001")
