"""No answer costs more queries for showing more rows.

Counted through the client, with all that a request needs: the key, its permission, the count, and for writes the
savepoint that stands for their transaction, and one query for their entry in the history.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folio.media.models import Media, Thumbnail
from folio.portfolios.models import Portfolio, Tag
from folio.portfolios.searching.due import fold_all
from tests.conftest import Client
from tests.factories import make_employer, make_link, make_media, make_meta, make_portfolio, make_tag

SIZES = (1, 50)
FOLDING = 8  # of a write that changes what portfolios are found by: what is due, its texts, the index in three, done,
# and a savepoint
numbers = count(1)


@pytest.fixture(autouse=True)
def known_content_types(db: None) -> None:
    """Have the content types of the history known already, as they are after a process's first writes."""
    ContentType.objects.get_for_models(Portfolio, Tag)


def make_picture() -> Media:
    """Make an image's row with those of its thumbnails."""
    media = make_media()
    Thumbnail.objects.bulk_create(
        Thumbnail(media=media, size=size, file=f"core_media/{media.pk}_{size}.png") for size in (64, 128, 512, 1080)
    )
    return media


def make_full(size: int) -> Portfolio:
    """Make a portfolio with everything, and `size` of what there can be several of."""
    portfolio = make_portfolio(
        image=make_picture(),
        employer=make_employer(image=make_picture()),
        description="Long.",
        images=[make_picture() for _ in range(size)],
        tags=[make_tag(image=make_picture()) for _ in range(size)],
    )
    for place in range(size):
        make_link(portfolio, image=make_picture(), place=place)
        make_meta(portfolio, value_file=make_picture(), place=place)
    return portfolio


def queries(request: Callable[[], Any]) -> int:
    """Return how many queries a request costs that succeeds, where all that was written before is folded."""
    fold_all()
    with CaptureQueriesContext(connection) as captured:
        response = request()
    assert response.status_code in {200, 201, 204}, response.json()
    return len(captured)


def new_body(size: int) -> dict[str, Any]:
    """Return the body of a portfolio with `size` of each thing."""
    number = next(numbers)
    return {
        "title": f"New {number}",
        "slug": f"new-{number}",
        "excerpt": "An excerpt.",
        "image": make_picture().pk,
        "employer": make_employer(image=make_picture()).pk,
        "images": [make_picture().pk for _ in range(size)],
        "tags": [make_tag(image=make_picture()).pk for _ in range(size)],
        "links": [{"name": "site", "image": make_picture().pk} for _ in range(size)],
        "meta": [{"key": f"key {place}", "value_file": make_picture().pk} for place in range(size)],
    }


def small_body() -> dict[str, Any]:
    """Return the body of a portfolio as most are made: a cover and two images, an employer, two tags."""
    number = next(numbers)
    return {
        "title": f"Small {number}",
        "slug": f"small-{number}",
        "excerpt": "An excerpt.",
        "image": make_picture().pk,
        "employer": make_employer().pk,
        "images": [make_picture().pk for _ in range(2)],
        "tags": [make_tag().pk for _ in range(2)],
    }


def changed_body(portfolio: Portfolio, size: int) -> dict[str, Any]:
    """Return a body that of each list keeps, changes, removes and makes `size`; `portfolio` has three times as many."""
    links = list(portfolio.links.values_list("pk", flat=True))
    meta = list(portfolio.meta.values_list("pk", flat=True))
    body = new_body(size)
    body["links"] += [{"id": pk} for pk in links[:size]]
    body["links"] += [{"id": pk, "name": "other", "image": make_picture().pk} for pk in links[size : 2 * size]]
    body["meta"] += [{"id": pk, "value_file": make_picture().pk} for pk in meta[:size]]
    body["meta"] += [{"id": pk, "key": f"other {pk}"} for pk in meta[size : 2 * size]]
    return body


def test_a_list_of_portfolios(client: Client) -> None:
    make_full(1)
    one = queries(lambda: client.get("/api/portfolios/?limit=50"))
    for _ in range(49):
        make_full(2)

    fifty = queries(lambda: client.get("/api/portfolios/?limit=50"))

    assert len(client.get("/api/portfolios/?limit=50").json()["results"]) == 50
    assert fifty == one
    assert fifty <= 9


def test_a_list_with_every_filter(client: Client) -> None:
    portfolio = make_full(1)
    tag = portfolio.tags.get().pk
    query = (
        f"search=title&ordering=-year,employer__name&tags_in={tag}&tag_id={tag}&has_image=1&has_employer=1"
        "&has_description=1&created_from=2001-01-01"
    )

    assert queries(lambda: client.get(f"/api/portfolios/?{query}")) <= 11


@pytest.mark.parametrize("by", ["id", "slug"])
def test_a_portfolio_by_itself(client: Client, by: str) -> None:
    few, many = (
        f"/api/portfolios/{portfolio.pk}/" if by == "id" else f"/api/portfolios/slug/{portfolio.slug}/"
        for portfolio in map(make_full, SIZES)
    )

    assert queries(lambda: client.get(few)) == queries(lambda: client.get(many)) <= (9 if by == "id" else 10)


def test_a_new_portfolio(client: Client) -> None:
    few, many = (new_body(size) for size in SIZES)

    cost = queries(lambda: client.post("/api/portfolios/", few))

    assert cost == queries(lambda: client.post("/api/portfolios/", many)) <= 21 + FOLDING
    answer = client.get("/api/portfolios/?ordering=-id&limit=1").json()["results"][0]
    assert (len(answer["tags_data"]), len(answer["links_data"])) == (50, 50)


def test_a_new_portfolio_without_lists_of_its_own(client: Client) -> None:
    body = small_body()

    assert queries(lambda: client.post("/api/portfolios/", body)) <= 19 + FOLDING


def test_a_new_portfolio_with_an_idempotency_key(client: Client) -> None:
    """A look for what was answered, a count of what is kept, a row; the claim is on a connection of its own."""
    few, many, plain = (new_body(size) for size in (*SIZES, 1))

    def post(body: dict[str, Any], number: int) -> Any:
        return client.post("/api/portfolios/", body, headers={"Idempotency-Key": f"key-{number}"})

    cost = queries(lambda: post(few, 1))

    assert cost == queries(lambda: post(many, 2)) <= 25 + FOLDING
    assert cost - queries(lambda: client.post("/api/portfolios/", plain)) == 3
    assert queries(lambda: post(many, 2)) == 3, "the key, its permissions, and what was answered"


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_changed_portfolio(client: Client, method: str) -> None:
    few, many = (make_full(3 * size) for size in SIZES)
    change = getattr(client, method)
    of_few, of_many = changed_body(few, 1), changed_body(many, 50)

    cost = queries(lambda: change(f"/api/portfolios/{few.pk}/", of_few))

    assert cost == queries(lambda: change(f"/api/portfolios/{many.pk}/", of_many)) <= 35 + FOLDING
    assert (many.links.count(), many.meta.count(), many.tags.count()) == (150, 150, 50)


def test_a_change_of_one_field_of_a_portfolio(client: Client) -> None:
    few, many = (make_full(size) for size in SIZES)

    cost = queries(lambda: client.patch(f"/api/portfolios/{few.pk}/", {"order": 1}))

    assert cost == queries(lambda: client.patch(f"/api/portfolios/{many.pk}/", {"order": 1})) <= 15


def test_a_change_with_a_condition(client: Client) -> None:
    """It reads the portfolio once more, before the change: as many queries as a read by itself, but for who may."""
    few, many = (make_full(size) for size in SIZES)

    def change(portfolio: Portfolio) -> Any:
        path, met = f"/api/portfolios/{portfolio.pk}/", {"If-Match": "*"}
        return client.patch(path, {"order": portfolio.order + 1}, headers=met)

    cost = queries(lambda: change(few))

    assert cost == queries(lambda: change(many)) <= 25
    assert cost - queries(lambda: client.patch(f"/api/portfolios/{few.pk}/", {"order": 5})) <= 8


def test_a_deleted_portfolio(client: Client) -> None:
    few, many = (make_full(size) for size in SIZES)

    cost = queries(lambda: client.delete(f"/api/portfolios/{few.pk}/"))

    assert cost == queries(lambda: client.delete(f"/api/portfolios/{many.pk}/")) <= 12 + FOLDING


def test_a_deleted_tag(client: Client) -> None:
    few, many = make_tag(), make_tag()
    for size, tag in zip(SIZES, (few, many), strict=True):
        for _ in range(size):
            make_portfolio(tags=[tag])

    cost = queries(lambda: client.delete(f"/api/tags/{few.pk}/"))

    # One less where so many portfolios had it that the write leaves the tag itself to others.
    assert cost - queries(lambda: client.delete(f"/api/tags/{many.pk}/")) in {0, 1}
    assert cost <= 12 + FOLDING
    assert not Tag.objects.exists()


MAKERS: dict[str, Callable[[], Any]] = {
    "employers": lambda: make_employer(image=make_picture()),
    "tags": lambda: make_tag(image=make_picture()),
    "links": lambda: make_link(make_portfolio(), image=make_picture()),
    "meta": lambda: make_meta(make_portfolio(), value_file=make_picture()),
    "media": make_picture,
}


@pytest.mark.parametrize("resource", MAKERS)
def test_a_list_of_another_resource(client: Client, resource: str) -> None:
    path = f"/api/{resource}/?limit=50"
    MAKERS[resource]()
    one = queries(lambda: client.get(path))
    for _ in range(49):
        MAKERS[resource]()

    fifty = queries(lambda: client.get(path))

    assert len(client.get(path).json()["results"]) == 50
    assert fifty == one
    assert fifty <= 7
