"""The admin site lists, searches, sorts and filters portfolios as the API does."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from tests.factories import make_employer, make_image, make_portfolio, make_tag

from .entries import LIST, LONG_AGO


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("STRASSE", ["Straße"]),
        ("trust harbour", ["Crane"]),
        ("2024", ["Crane"]),
        ("bridge-slug", ["Bridge"]),
        ("crane bridge", []),
        ("   ", ["Bridge", "Crane", "Straße"]),
        ("", ["Bridge", "Crane", "Straße"]),
        ('"crane', []),
        ("%", []),
        ("crane " * 400, ["Crane"]),
    ],
)
def test_searches_as_the_api_does(site: Site, text: str, found: list[str]) -> None:
    make_portfolio(title="Straße", order=2)
    make_portfolio(
        title="Crane", order=1, employer=make_employer(name="Harbour Trust"), completed_at="2024-05-01T00:00Z"
    )
    make_portfolio(title="Bridge", order=0, slug="bridge-slug")

    page = site.get(LIST, {"q": text})

    assert [portfolio.title for portfolio in page.context["cl"].result_list] == found


def test_lists_the_cover_title_employer_and_dates(site: Site) -> None:
    make_portfolio(
        title="Crane", image=make_image("cover.png"), employer=make_employer(name="Trust"), completed_at=LONG_AGO
    )

    page = site.get(LIST).content.decode()

    for shown in ("cover_thumbnail_64x64.png", "Crane", "Trust", "Jan. 1, 2020"):
        assert shown in page


def test_lists_any_number_of_rows_with_the_same_queries(site: Site) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert site.get(LIST).status_code == 200
        return len(captured)

    def fill(count: int) -> None:
        for _ in range(count):
            make_portfolio(image=make_image(), employer=make_employer(), tags=[make_tag()])

    fill(1)
    site.get(LIST)
    at_one = queries()
    fill(49)

    assert queries() == at_one
    assert at_one < 15


@pytest.mark.parametrize(("column", "nulls"), [("2", "employer"), ("6", "completed_at")])
@pytest.mark.parametrize("sign", ["", "-"])
def test_sorts_absent_values_last_in_both_directions(site: Site, column: str, nulls: str, sign: str) -> None:
    absent = make_portfolio(order=0)
    make_portfolio(order=1, employer=make_employer(name="A"), completed_at=LONG_AGO)
    make_portfolio(order=2, employer=make_employer(name="B"), completed_at=LONG_AGO + timedelta(days=1))

    listed = [portfolio.order for portfolio in site.get(LIST, {"o": f"{sign}{column}"}).context["cl"].result_list]

    assert getattr(absent, nulls) is None
    assert listed == ([2, 1, 0] if sign else [1, 2, 0])


def test_filters_by_state_employer_and_tag(site: Site) -> None:
    tag, employer = make_tag(), make_employer()
    wanted = make_portfolio(employer=employer, tags=[make_tag(), tag])
    make_portfolio(employer=employer, tags=[tag], is_active=False)
    make_portfolio(tags=[tag])
    make_portfolio(employer=employer)

    query: dict[str, Any] = {"state": "published", "employer__id__exact": employer.pk, "tags__id__exact": tag.pk}
    page = site.get(LIST, query)

    assert [portfolio.pk for portfolio in page.context["cl"].result_list] == [wanted.pk]


@pytest.mark.parametrize("field", ["employer", "tags"])
def test_offers_what_can_be_chosen(site: Site, field: str) -> None:
    make_tag(name="Kranbau")
    make_tag(name="Brücke")
    make_employer(name="Kranbau")
    make_employer(name="Brückenbau")
    query = {"app_label": "portfolios", "model_name": "portfolio", "field_name": field}

    offered = site.get("/admin/autocomplete/", {**query, "term": "kRAN"}).json()["results"]

    assert [row["text"] for row in offered] == ["Kranbau"]
    assert site.get("/admin/autocomplete/", {**query, "term": "a\0b"}).status_code == 200
