from typing import Any

import pytest

from folio.portfolios.models import Employer, Portfolio
from tests import shapes
from tests.conftest import Client
from tests.factories import make_employer, make_image, make_media, make_portfolio

PATH = "/api/employers/"
NO_ID = 999_999


def names(client: Client, **parameters: Any) -> list[str]:
    response = client.get(PATH, parameters)
    assert response.status_code == 200, response.json()
    return [row["name"] for row in response.json()["results"]]


def test_create_answers_what_was_made(client: Client) -> None:
    image = make_image()

    response = client.post(PATH, {"name": "digikala", "description": "some store", "image": image.pk})

    answer = response.json()
    employer = Employer.objects.get()
    assert response.status_code == 201
    assert response.headers["Location"] == f"http://testserver/api/employers/{employer.pk}/"
    assert list(answer) == shapes.SLUGGED_EMPLOYER
    assert (answer["id"], answer["name"], answer["description"]) == (employer.pk, "digikala", "some store")
    assert list(answer["image_data"]) == shapes.IMAGE
    assert answer["image_data"]["id"] == image.pk
    assert client.get(response.headers["Location"]).json() == answer


def test_create_needs_no_more_than_a_name(client: Client) -> None:
    answer = client.post(PATH, {"name": "digikala"}).json()

    assert answer == {
        "id": answer["id"],
        "name": "digikala",
        "image_data": None,
        "description": None,
        "slug": "digikala",
    }


def test_keeps_an_empty_description_apart_from_none(client: Client) -> None:
    assert client.post(PATH, {"name": "a", "description": ""}).json()["description"] == ""
    assert client.post(PATH, {"name": "b", "description": None}).json()["description"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " "),
        ("name", None),
        ("name", "x" * 201),
        ("name", "a\0b"),
        ("description", []),
        ("image", NO_ID),
        ("image", "x"),
        ("image", 2**70),
        ("image", {"id": 1}),
        ("nmae", "x"),
    ],
)
def test_create_refuses_what_breaks_a_rule(client: Client, field: str, value: Any) -> None:
    response = client.post(PATH, {"name": "digikala", field: value})

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert not Employer.objects.exists()


def test_create_requires_a_name(client: Client) -> None:
    assert client.post(PATH, {}).json() == {"name": ["This field is required."]}


def test_takes_a_name_of_200_characters(client: Client) -> None:
    assert client.post(PATH, {"name": "ж" * 200}).status_code == 201


def test_refuses_a_name_that_is_taken(client: Client) -> None:
    taken, other = make_employer(name="digikala"), make_employer()

    for response in (
        client.post(PATH, {"name": "digikala"}),
        client.put(f"{PATH}{other.pk}/", {"name": "digikala"}),
        client.patch(f"{PATH}{other.pk}/", {"name": "digikala"}),
    ):
        assert response.status_code == 400
        assert response.json() == {"name": ["employer with this name already exists."]}
    assert client.patch(f"{PATH}{taken.pk}/", {"name": "digikala"}).status_code == 200


def test_refuses_media_that_is_no_image(client: Client) -> None:
    response = client.post(PATH, {"name": "digikala", "image": make_media(type="document").pk})

    assert response.status_code == 400
    assert list(response.json()) == ["image"]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_update_keeps_what_it_leaves_out(client: Client, method: str) -> None:
    employer = make_employer(description="some store", image=make_media())
    before = client.get(f"{PATH}{employer.pk}/").json()

    response = getattr(client, method)(f"{PATH}{employer.pk}/", {"name": "renamed"})

    assert response.status_code == 200
    assert response.json() == {**before, "name": "renamed"}
    assert client.get(f"{PATH}{employer.pk}/").json() == response.json()


@pytest.mark.parametrize("method", ["put", "patch"])
def test_update_takes_values_away_with_null(client: Client, method: str) -> None:
    employer = make_employer(name="digikala", description="some store", image=make_media())

    response = getattr(client, method)(
        f"{PATH}{employer.pk}/", {"name": "digikala", "description": None, "image": None}
    )

    assert response.json() == {
        "id": employer.pk,
        "name": "digikala",
        "image_data": None,
        "description": None,
        "slug": "digikala",
    }


def test_put_requires_a_name(client: Client) -> None:
    employer = make_employer(description="before")

    response = client.put(f"{PATH}{employer.pk}/", {"description": "after"})

    assert response.status_code == 400
    assert response.json() == {"name": ["This field is required."]}
    assert Employer.objects.get().description == "before"


def test_takes_back_what_was_read_and_changes_nothing(client: Client) -> None:
    employer = make_employer(description="some store", image=make_media())
    before = client.get(f"{PATH}{employer.pk}/").json()

    response = client.put(f"{PATH}{employer.pk}/", before)

    assert response.status_code == 200
    assert response.json() == before


def test_shows_a_change_in_its_portfolios(client: Client) -> None:
    employer = make_employer()
    portfolio = make_portfolio(employer=employer)

    answer = client.patch(f"{PATH}{employer.pk}/", {"name": "renamed"}).json()

    assert client.get(f"/api/portfolios/{portfolio.pk}/").json()["employer_data"] == {
        name: value for name, value in answer.items() if name != "slug"
    }


def test_delete_removes_an_employer_that_no_portfolio_names(client: Client) -> None:
    employer, image = make_employer(image=make_media()), make_media()
    kept = make_employer(image=image)

    response = client.delete(f"{PATH}{employer.pk}/")

    assert response.status_code == 204
    assert response.content == b""
    assert list(Employer.objects.all()) == [kept]
    assert client.get(f"/api/media/{employer.image_id}/").status_code == 200


def test_delete_names_the_portfolios_of_an_employer_in_use(client: Client) -> None:
    employer = make_employer()
    first, second = make_portfolio(employer=employer), make_portfolio(employer=employer, is_active=False)
    make_portfolio(employer=make_employer())

    response = client.delete(f"{PATH}{employer.pk}/")

    answer = response.json()
    assert response.status_code == 409
    assert list(answer) == ["detail", "used_by"]
    assert answer["used_by"] == [
        {"resource": "portfolios", "id": first.pk, "field": "employer"},
        {"resource": "portfolios", "id": second.pk, "field": "employer"},
    ]
    assert [list(use) for use in answer["used_by"]] == [["resource", "id", "field"]] * 2
    assert Employer.objects.filter(pk=employer.pk).exists()
    assert Portfolio.objects.filter(employer=employer).count() == 2


def test_delete_goes_through_once_it_is_taken_off(client: Client) -> None:
    employer = make_employer()
    portfolio = make_portfolio(employer=employer)

    client.patch(f"/api/portfolios/{portfolio.pk}/", {"employer": None})

    assert client.delete(f"{PATH}{employer.pk}/").status_code == 204


def test_list_tells_with_from_without_an_image(client: Client) -> None:
    make_employer(name="image", image=make_media())
    make_employer(name="none")

    assert names(client, has_image="true") == ["image"]
    assert names(client, has_image="0") == ["none"]


def test_list_tells_with_from_without_a_description(client: Client) -> None:
    make_employer(name="text", description="A text.")
    make_employer(name="blank", description="")
    make_employer(name="none")

    assert names(client, has_description="1") == ["text"]
    assert names(client, has_description="False") == ["blank", "none"]


def test_list_is_ordered_by_name_unless_asked(client: Client) -> None:
    for name in ("b", "É", "a", "Z", "я"):
        make_employer(name=name)

    assert names(client) == ["Z", "a", "b", "É", "я"]


def test_list_orders_by_its_plain_fields_with_nulls_last(client: Client) -> None:
    make_employer(name="c", description="x")
    make_employer(name="a")
    make_employer(name="b", description="")

    assert names(client, ordering="name") == ["a", "b", "c"]
    assert names(client, ordering="-name") == ["c", "b", "a"]
    assert names(client, ordering="id") == ["c", "a", "b"]
    assert names(client, ordering="-id") == ["b", "a", "c"]
    assert names(client, ordering="description") == ["b", "c", "a"]
    assert names(client, ordering="-description") == ["c", "b", "a"]


def test_list_searches_the_name_alone(client: Client) -> None:
    make_employer(name="École Яндекс")
    make_employer(name="other", description="école")

    assert names(client, search="ÉCOLE яндекс") == ["École Яндекс"]
    assert names(client, search="école other") == []
