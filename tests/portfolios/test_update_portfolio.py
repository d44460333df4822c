from datetime import UTC, datetime
from typing import Any

import pytest

from folio.portfolios.models import Portfolio
from tests import shapes
from tests.conftest import Client
from tests.factories import (
    make_employer,
    make_link,
    make_media,
    make_meta,
    make_portfolio,
    make_tag,
)

REQUIRED = {"title": "New title", "slug": "new-slug", "excerpt": "A new excerpt."}
NO_ID = 999_999
METHODS = pytest.mark.parametrize("method", ["put", "patch"])


@pytest.fixture
def portfolio(db: None) -> Portfolio:
    """A portfolio in which nothing is absent."""
    portfolio = make_portfolio(
        description="A long text.",
        image=make_media(),
        images=[make_media(), make_media(), make_media()],
        order=7,
        employer=make_employer(),
        tags=[make_tag(), make_tag(), make_tag()],
        is_active=False,
        completed_at=datetime(2024, 12, 12, tzinfo=UTC),
    )
    make_link(portfolio, image=make_media())
    make_meta(portfolio, value_file=make_media())
    return portfolio


def send(client: Client, method: str, portfolio: Portfolio, **fields: Any) -> Any:
    body = {**REQUIRED, **fields} if method == "put" else fields
    return getattr(client, method)(f"/api/portfolios/{portfolio.pk}/", body)


def read(client: Client, portfolio: Portfolio) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/api/portfolios/{portfolio.pk}/").json()
    return answer


def without(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in names}


def test_put_changes_what_it_gives_and_keeps_what_it_leaves_out(client: Client, portfolio: Portfolio) -> None:
    before = read(client, portfolio)

    response = send(client, "put", portfolio)

    answer = response.json()
    assert response.status_code == 200
    assert list(answer) == shapes.PORTFOLIO
    assert {name: answer[name] for name in REQUIRED} == REQUIRED
    assert without(answer, *REQUIRED, "updated_at") == without(before, *REQUIRED, "updated_at")
    assert answer == read(client, portfolio)


@pytest.mark.parametrize("field", ["title", "slug", "excerpt"])
def test_put_requires_title_slug_and_excerpt(client: Client, portfolio: Portfolio, field: str) -> None:
    response = client.put(f"/api/portfolios/{portfolio.pk}/", without(REQUIRED, field))

    assert response.status_code == 400
    assert response.json() == {field: ["This field is required."]}


@pytest.mark.parametrize(
    ("field", "value"), [("title", "Another"), ("slug", "another"), ("excerpt", "Another."), ("order", -3)]
)
def test_patch_changes_one_field_alone(client: Client, portfolio: Portfolio, field: str, value: Any) -> None:
    before = read(client, portfolio)

    response = send(client, "patch", portfolio, **{field: value})

    assert response.status_code == 200
    assert response.json()[field] == value
    assert without(response.json(), field, "updated_at") == without(before, field, "updated_at")
    assert response.json() == read(client, portfolio)


def test_patch_of_nothing_changes_nothing(client: Client, portfolio: Portfolio) -> None:
    before = read(client, portfolio)

    response = send(client, "patch", portfolio)

    assert response.status_code == 200
    assert without(response.json(), "updated_at") == without(before, "updated_at")


@METHODS
def test_changes_every_field(client: Client, portfolio: Portfolio, method: str) -> None:
    image, gallery, employer, tag = make_media(), [make_media(), make_media()], make_employer(), make_tag()

    answer = send(
        client,
        method,
        portfolio,
        description="Other.",
        image=image.pk,
        images=[media.pk for media in gallery],
        order=1,
        employer=employer.pk,
        tags=[tag.pk],
        is_active=True,
        completed_at="2025-01-01T01:00:00+02:00",
    ).json()

    assert (answer["description"], answer["order"], answer["is_active"]) == ("Other.", 1, True)
    assert answer["completed_at"] == "2024-12-31T23:00:00Z"
    assert (answer["image_data"]["id"], answer["employer_data"]["id"]) == (image.pk, employer.pk)
    assert [media["id"] for media in answer["images_data"]] == [media.pk for media in gallery]
    assert [tag["id"] for tag in answer["tags_data"]] == [tag.pk]
    assert answer == read(client, portfolio)


@METHODS
@pytest.mark.parametrize(
    ("field", "shown_as"),
    [
        ("description", "description"),
        ("image", "image_data"),
        ("employer", "employer_data"),
        ("completed_at", "completed_at"),
    ],
)
def test_null_takes_a_value_away(client: Client, portfolio: Portfolio, method: str, field: str, shown_as: str) -> None:
    answer = send(client, method, portfolio, **{field: None}).json()

    assert answer[shown_as] is None
    assert read(client, portfolio)[shown_as] is None


@METHODS
def test_an_empty_description_is_not_null(client: Client, portfolio: Portfolio, method: str) -> None:
    assert send(client, method, portfolio, description="").json()["description"] == ""


@METHODS
@pytest.mark.parametrize(("field", "shown_as"), [("images", "images_data"), ("tags", "tags_data")])
@pytest.mark.parametrize("places", [[2, 0, 1], [1], [], [2, 1, 0]])
def test_arranges_gallery_and_tags_anew(
    client: Client, portfolio: Portfolio, method: str, field: str, shown_as: str, places: list[int]
) -> None:
    before = [row["id"] for row in read(client, portfolio)[shown_as]]
    wanted = [before[place] for place in places]

    answer = send(client, method, portfolio, **{field: wanted}).json()

    assert [row["id"] for row in answer[shown_as]] == wanted
    assert [row["id"] for row in read(client, portfolio)[shown_as]] == wanted


def test_adds_to_the_gallery_between_what_is_there(client: Client, portfolio: Portfolio) -> None:
    first, second, third = (media["id"] for media in read(client, portfolio)["images_data"])
    new = make_media()

    answer = send(client, "patch", portfolio, images=[third, new.pk, first]).json()

    assert [media["id"] for media in answer["images_data"]] == [third, new.pk, first]
    assert second not in [media["id"] for media in answer["images_data"]]


@METHODS
def test_takes_back_what_was_read_and_changes_nothing(client: Client, portfolio: Portfolio, method: str) -> None:
    before = read(client, portfolio)

    response = getattr(client, method)(f"/api/portfolios/{portfolio.pk}/", before)

    assert response.status_code == 200
    assert without(response.json(), "updated_at") == without(before, "updated_at")
    assert without(read(client, portfolio), "updated_at") == without(before, "updated_at")


def test_takes_its_own_title_and_slug(client: Client, portfolio: Portfolio) -> None:
    response = send(client, "patch", portfolio, title=portfolio.title, slug=portfolio.slug)

    assert response.status_code == 200


@METHODS
@pytest.mark.parametrize("field", ["title", "slug"])
def test_refuses_a_title_or_slug_that_is_taken(client: Client, portfolio: Portfolio, method: str, field: str) -> None:
    other = make_portfolio()

    response = send(client, method, portfolio, **{field: getattr(other, field)})

    assert response.status_code == 400
    assert response.json() == {field: [f"portfolio with this {field} already exists."]}


@METHODS
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", None),
        ("title", "x" * 201),
        ("slug", "a b"),
        ("slug", "x" * 201),
        ("excerpt", " "),
        ("excerpt", "x" * 1001),
        ("description", []),
        ("image", NO_ID),
        ("images", [NO_ID]),
        ("images", None),
        ("order", 2**31),
        ("order", None),
        ("employer", NO_ID),
        ("tags", [NO_ID]),
        ("tags", "1"),
        ("is_active", None),
        ("completed_at", "9999-12-31T23:59:59-01:00"),
        ("completed_at", ""),
        ("year", 2024),
        ("nonsense", 1),
    ],
)
def test_refuses_what_breaks_a_rule_and_changes_nothing(
    client: Client, portfolio: Portfolio, method: str, field: str, value: Any
) -> None:
    before = read(client, portfolio)

    response = send(client, method, portfolio, **{field: value})

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert read(client, portfolio) == before


@METHODS
@pytest.mark.parametrize("field", ["images", "tags"])
def test_refuses_an_id_that_is_repeated(client: Client, portfolio: Portfolio, method: str, field: str) -> None:
    shown_as = f"{field}_data"
    before = [row["id"] for row in read(client, portfolio)[shown_as]]

    response = send(client, method, portfolio, **{field: [before[0], before[0]]})

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert [row["id"] for row in read(client, portfolio)[shown_as]] == before


@METHODS
def test_refuses_media_that_is_no_image(client: Client, portfolio: Portfolio, method: str) -> None:
    video = make_media(type="video")

    response = send(client, method, portfolio, image=video.pk, images=[video.pk])

    assert response.status_code == 400
    assert set(response.json()) == {"image", "images"}


@METHODS
def test_ignores_what_only_the_server_says(client: Client, portfolio: Portfolio, method: str) -> None:
    before = read(client, portfolio)

    answer = send(
        client, method, portfolio, id=NO_ID, created_at="2001-01-01", updated_at="2001-01-01", image_data=None
    ).json()

    assert answer["id"] == before["id"]
    assert answer["created_at"] == before["created_at"]
    assert answer["image_data"] == before["image_data"]
    assert answer["updated_at"] > before["updated_at"]


@METHODS
def test_leaves_other_portfolios_alone(client: Client, portfolio: Portfolio, method: str) -> None:
    other = make_portfolio(images=[make_media()], tags=[make_tag()])
    make_link(other)
    before = read(client, other)

    send(client, method, portfolio, images=[], tags=[], links=[], meta=[], order=1)

    assert read(client, other) == before


@METHODS
@pytest.mark.parametrize("pk", [NO_ID, 2**63, 10**30])
def test_answers_404_for_an_unknown_id(client: Client, method: str, pk: int) -> None:
    response = getattr(client, method)(f"/api/portfolios/{pk}/", REQUIRED)

    assert response.status_code == 404
    assert response.json() == {"detail": f"There is no portfolio with the id {pk}."}
    assert not Portfolio.objects.exists()


@METHODS
def test_refuses_parameters(client: Client, portfolio: Portfolio, method: str) -> None:
    response = getattr(client, method)(f"/api/portfolios/{portfolio.pk}/?dry_run=1", REQUIRED)

    assert response.status_code == 400
    assert list(response.json()) == ["dry_run"]
    assert not Portfolio.objects.filter(title=REQUIRED["title"]).exists()
