"""The admin site's list of portfolios: what it shows, and how it is narrowed."""

import re

import pytest
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.media.models import Media
from folio.portfolios.models import Portfolio
from folio.portfolios.searching.due import fold_all
from tests.factories import make_employer, make_image, make_media, make_portfolio, make_tag

from .listed import LIST, LONG_AGO, listed, make_many

# What it shows


def test_shows_a_row_by_thumbnails_that_load_lazily(site: Site) -> None:
    make_portfolio(
        title="Crane", slug="crane-slug", image=make_image("cover.png"), employer=make_employer(name="Trust")
    )

    page = site.get(LIST).content.decode()

    for shown in (
        "cover_thumbnail_64x64.png",
        "cover_thumbnail_128x128.png 2x",
        'loading="lazy"',
        "crane-slug",
        "Trust",
    ):
        assert shown in page
    assert "cover.png" not in page


def test_shows_three_tags_in_their_order_and_counts_the_others(site: Site) -> None:
    make_portfolio(tags=[make_tag(name=name) for name in ("zinc", "art", "paper", "map", "night")])

    page = site.get(LIST).content.decode()

    assert [page.index(f">{name}<") for name in ("zinc", "art", "paper")] == sorted(
        page.index(f">{name}<") for name in ("zinc", "art", "paper")
    )
    assert ">map<" not in page
    assert ">+2<" in page
    assert 'title="map, night"' in page


def test_escapes_what_people_wrote(site: Site) -> None:
    script = "<script>alert(1)</script>"
    make_portfolio(title=script, employer=make_employer(name=script), tags=[make_tag(name=script)])

    assert script not in site.get(LIST).content.decode()


def test_offers_only_what_its_reader_may_do(site: Site, drafter: Site, viewer: Site) -> None:
    make_portfolio()

    marks = {"folio-handle": 'class="folio-handle"', "switch": 'role="switch"', "duplicate": "data-duplicate"}
    found = {
        name: {mark for mark, text in marks.items() if text in reader.get(LIST).content.decode()}
        for name, reader in {"site": site, "drafter": drafter, "viewer": viewer}.items()
    }

    assert found == {"site": set(marks), "drafter": {"duplicate"}, "viewer": set()}


@pytest.mark.parametrize("query", [{}, {"o": "2"}, {"_popup": "1"}])
def test_gives_each_column_its_heading(site: Site, drafter: Site, viewer: Site, query: dict[str, str]) -> None:
    make_portfolio()
    marks = {"action-toggle": "action-select", "column-named": "field-title", "column-menu": "field-menu"}

    for reader in (site, drafter, viewer):
        page = reader.get(LIST, query).content.decode()

        heading, row = (page.split(tag)[1].split("</tr>")[0] for tag in ("<thead>", '<tr class="data-row">'))
        columns, cells = (re.findall(r"<t[hd] .*?</t[hd]>", part, re.DOTALL) for part in (heading, row))
        assert len(columns) == len(cells)
        for mark, cell in marks.items():
            assert [mark in text for text in columns] == [cell in text for text in cells]


@pytest.mark.parametrize("query", [{"o": "2"}, {"q": "Title"}])
def test_lets_rows_be_moved_in_their_own_order_only(site: Site, query: dict[str, str]) -> None:
    make_portfolio()

    page = site.get(LIST, query).content.decode()

    assert 'class="folio-handle"' not in page
    assert "Show that order" in page
    assert 'class="folio-handle"' in site.get(LIST, {"state": "published"}).content.decode()


def test_takes_the_same_queries_for_10_and_5000(site: Site) -> None:
    asked: list[dict[str, str]] = [{}, {"state": "published", "has_image": "true"}, {"q": "many"}, {"year": "2001"}]

    def queries(query: dict[str, str]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert site.get(LIST, query).status_code == 200
        return len(captured)

    def all_queries() -> list[int]:
        fold_all()  # what was made past Folio
        return [queries(query) for query in asked]

    make_many(10)
    site.get(LIST)
    at_ten = all_queries()
    Portfolio.objects.all().delete()
    Media.objects.all().delete()
    make_many(5000)

    assert all_queries() == at_ten
    assert max(at_ten) <= 13


# Filters


def test_filters_by_state_image_and_year(site: Site) -> None:
    make_portfolio(title="a", order=1, image=make_media(), completed_at=LONG_AGO)
    make_portfolio(title="b", order=2, is_active=False, completed_at=LONG_AGO.replace(year=2021))
    make_portfolio(title="c", order=3)

    assert listed(site, state="published") == ["a", "c"]
    assert listed(site, state="draft") == ["b"]
    assert listed(site, has_image="true") == ["a"]
    assert listed(site, has_image="false") == ["b", "c"]
    assert listed(site, year="2021") == ["b"]
    assert listed(site, year="none") == ["c"]
    assert listed(site, year="2021", state="published") == []


@pytest.mark.parametrize("name", ["state", "has_image", "year"])
def test_a_value_that_a_filter_does_not_know_finds_nothing(site: Site, name: str) -> None:
    make_portfolio()

    assert listed(site, **{name: "zzz"}) == []
    assert len(listed(site, **{name: ""})) == 1


def test_filters_by_tag_without_showing_a_row_twice(site: Site) -> None:
    web, print_ = make_tag(name="web"), make_tag(name="print")
    make_portfolio(title="a", order=1, tags=[web, print_])
    make_portfolio(title="b", order=2, tags=[print_])
    make_portfolio(title="c", order=3)

    with CaptureQueriesContext(connection) as captured:
        assert listed(site, tags__id__exact=print_.pk) == ["a", "b"]

    assert listed(site, tags__id__exact=web.pk) == ["a"]
    assert not any("DISTINCT" in query["sql"] and "year" not in query["sql"][:60] for query in captured)


def test_offers_the_years_there_are(site: Site) -> None:
    for year in (2019, 2021, 2021):
        make_portfolio(completed_at=LONG_AGO.replace(year=year))

    specs = site.get(LIST).context["cl"].filter_specs
    (spec,) = [spec for spec in specs if getattr(spec, "parameter_name", "") == "year"]

    assert [value for value, _ in spec.lookup_choices] == ["2021", "2019", "none"]


@pytest.mark.parametrize(
    "query",
    [
        {"year": "abc"},
        {"year": "99999"},
        {"tags__id__exact": "x"},
        {"tags__id__exact": "9" * 30},
        {"employer__id__exact": "x"},
        {"state": "perhaps"},
        {"p": "x"},
    ],
)
def test_survives_a_filter_that_makes_no_sense(site: Site, query: dict[str, str]) -> None:
    make_portfolio(completed_at=LONG_AGO)

    assert site.get(LIST, query, follow=True).status_code == 200
