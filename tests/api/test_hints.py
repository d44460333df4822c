"""What an error suggests for an unknown name: by meaning first, then by letters, and only what the address has."""

from typing import Any

import pytest

from folio.api.hints import OTHER_WORDS
from folio.api.parameters import nearest
from folio.delivery.filters import PortfolioFilterSet as PublicFilterSet
from folio.media.serializers import UploadSerializer
from folio.media.views import MediaViewSet
from folio.portfolios.documents import INCLUDED
from folio.portfolios.views import EmployerViewSet, LinkViewSet, MetaEntryViewSet, PortfolioViewSet, TagViewSet
from tests.conftest import Client

LISTS: list[Any] = [
    PortfolioViewSet,
    EmployerViewSet,
    TagViewSet,
    LinkViewSet,
    MetaEntryViewSet,
    MediaViewSet,
]


def message_for(client: Client, path: str, name: str) -> str:
    response = client.get(path, {name: "1"})
    assert response.status_code == 400
    assert list(response.json()) == [name]
    (message,) = response.json()[name]
    return str(message)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("year", "completed_at_from or completed_at_to"),
        ("tag", "tag_id"),
        ("tags", "tag_id or tags_in"),
        ("q", "search"),
        ("page", "offset"),
        ("page_size", "limit"),
        ("perPage", "limit"),
        ("per-page", "limit"),
        ("sort", "ordering"),
        ("order", "ordering"),
        ("client", "employer_id"),
        ("employer", "employer_id"),
        ("published", "is_active"),
        ("image", "has_image"),
        ("tag[]", "tag_id"),
        ("has_imag", "has_image"),
    ],
)
def test_a_parameter_of_portfolios_is_suggested_by_its_meaning(client: Client, name: str, meant: str) -> None:
    message = message_for(client, "/api/portfolios/", name)

    assert message.startswith(f"Unknown parameter. Did you mean {meant}? Allowed: limit, offset, ")


@pytest.mark.parametrize("view", LISTS)
def test_nothing_is_suggested_that_the_list_does_not_have(view: Any) -> None:
    parameters = view.filterset_class.base_filters

    for word in {word for words in OTHER_WORDS.values() for word in words.split()}:
        question = nearest(word, parameters)
        suggested = question.removeprefix(" Did you mean ").removesuffix("?").split(" or ") if question else []
        assert set(suggested) <= set(parameters), word


def test_what_another_list_has_is_not_suggested_here(client: Client) -> None:
    assert message_for(client, "/api/tags/", "year").startswith("Unknown parameter. Allowed: ")
    assert message_for(client, "/api/media/", "tag").startswith("Unknown parameter. Allowed: ")
    assert "Did you mean portfolio_id?" in message_for(client, "/api/tags/", "portfolio")
    assert "Did you mean created_from or created_to?" in message_for(client, "/api/media/", "date")


@pytest.mark.parametrize(("name", "meant"), [("date", "completed_at or created_at"), ("client", "employer__name")])
def test_a_name_to_order_by_is_suggested_by_its_meaning(client: Client, name: str, meant: str) -> None:
    response = client.get("/api/portfolios/", {"ordering": f"-{name}"})

    assert response.status_code == 400
    assert f"Can't order by '-{name}'. Did you mean {meant}?" in response.json()["ordering"][0]


@pytest.mark.parametrize(
    ("path", "name", "meant"),
    [
        ("/api/portfolios/", "client", "employer"),
        ("/api/portfolios/", "cover", "image"),
        ("/api/portfolios/", "gallery", "images"),
        ("/api/portfolios/", "published", "is_active"),
        ("/api/portfolios/", "publish_date", "publish_at"),
        ("/api/portfolios/", "published_at", "publish_at or completed_at"),
        ("/api/portfolios/", "scheduledAt", "publish_at"),
        ("/api/portfolios/", "schedule", "publish_at or unpublish_at"),
        ("/api/portfolios/", "expires_at", "unpublish_at"),
        ("/api/portfolios/", "unpublish_date", "unpublish_at"),
        ("/api/portfolios/", "publishat", "publish_at"),
        ("/api/tags/", "title", "name"),
        ("/api/links/", "href", "url"),
    ],
)
def test_a_field_of_a_body_is_suggested_by_its_meaning(client: Client, path: str, name: str, meant: str) -> None:
    response = client.post(path, {name: "x"})

    assert response.status_code == 400
    assert response.json()[name][0].startswith(f"Unknown field. Did you mean {meant}? Allowed: ")


def test_every_name_that_has_other_words_exists() -> None:
    known: set[Any] = {"codes", "expires_at", *INCLUDED, *UploadSerializer().fields, *PublicFilterSet.base_filters}
    for view in LISTS:
        filters = view.filterset_class.base_filters
        known |= {*filters, *filters["ordering"].paths}
        known |= set() if view is MediaViewSet else {*view.serializer_class().fields}

    assert set(OTHER_WORDS) <= known
