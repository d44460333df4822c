"""What portfolios have that the filters leave, beside what counting them one by one gives."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from folio.delivery import facets, shelf
from folio.portfolios.models import Employer, Portfolio, PortfolioTag, State, Tag
from tests.factories import make_employer, make_media, make_portfolio, make_tag

FACETS = "/api/public/facets/"
SEED = 7


@pytest.fixture(autouse=True)
def open_to_all(db: None, settings: Any) -> None:
    settings.PUBLIC_READ = True


@pytest.fixture
def public() -> Client:
    return Client()


def found(public: Client, **query: Any) -> Any:
    answer = public.get(f"{FACETS}?{urlencode(query, doseq=True)}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def counts(rows: list[dict[str, Any]], key: str = "slug") -> dict[Any, int]:
    return {row[key]: row["count"] for row in rows}


# Shape and order


def test_tells_tags_employers_and_years_with_how_many_have_them(public: Client) -> None:
    bakery, print_ = make_employer(name="Bakery", slug="bakery"), make_tag(name="Print", slug="print")
    make_portfolio(employer=bakery, tags=[print_], completed_at=datetime(2024, 12, 31, 23, 59, tzinfo=UTC))
    make_portfolio(tags=[print_, make_tag(name="Web", slug="web")])

    assert found(public) == {
        "count": 2,
        "tags": [{"slug": "print", "name": "Print", "count": 2}, {"slug": "web", "name": "Web", "count": 1}],
        "employers": [{"slug": "bakery", "name": "Bakery", "count": 1}],
        "years": [{"year": 2024, "count": 1}],
    }


def test_of_nothing_there_is_nothing(public: Client) -> None:
    nothing: dict[str, Any] = {"count": 0, "tags": [], "employers": [], "years": []}

    assert found(public) == nothing
    make_portfolio(is_active=False, tags=[make_tag()], employer=make_employer())
    assert found(public) == nothing
    assert found(public, search="nowhere") == nothing


def test_what_most_have_comes_first_and_then_by_name_or_the_newest_year(public: Client) -> None:
    for year, names in ((2020, "ba"), (2021, "a"), (2022, "cé"), (2022, "a")):
        tags = [Tag.objects.filter(name=name).first() or make_tag(name=name) for name in names]
        make_portfolio(
            tags=tags, completed_at=datetime(year, 5, 1, tzinfo=UTC), employer=make_employer(name=f"{year}{names}")
        )

    answer = found(public)

    assert [row["name"] for row in answer["tags"]] == ["a", "b", "c", "é"]
    assert [row["name"] for row in answer["employers"]] == ["2020ba", "2021a", "2022a", "2022cé"]
    assert [row["year"] for row in answer["years"]] == [2022, 2021, 2020]


def test_at_most_a_hundred_of_each(public: Client) -> None:
    tags = Tag.objects.bulk_create(Tag(name=f"tag {number:03}") for number in range(130))
    make_portfolio(tags=tags)

    names = [row["name"] for row in found(public)["tags"]]

    assert names == [f"tag {number:03}" for number in range(100)]
    assert len(found(public, limit=3)["tags"]) == 3
    assert len(found(public, limit=1000)["tags"]) == 100
    assert public.get(f"{FACETS}?limit=0").status_code == 400


@pytest.mark.parametrize("name", ["offset", "ordering", "include", "fields", "is_active", "tags_in", "preview"])
def test_what_chooses_nothing_is_no_parameter(public: Client, name: str) -> None:
    answer = public.get(f"{FACETS}?{name}=1")

    assert answer.status_code == 400
    assert list(answer.json()) == [name]


# What is ignored


@pytest.fixture
def shop() -> None:
    """Three employers, years and tags in every combination, once each."""
    employers = [make_employer(slug=f"e{number}") for number in range(3)]
    tags = [make_tag(slug=f"t{number}") for number in range(3)]
    for employer in employers:
        for year in (2020, 2021, 2022):
            for tag in tags:
                make_portfolio(employer=employer, tags=[tag], completed_at=datetime(year, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, (27, 9, 9, 9)),
        ({"employer": "e1"}, (9, 3, 9, 3)),
        ({"year": 2021}, (9, 3, 3, 9)),
        ({"tags_any": "t0"}, (9, 9, 3, 3)),
        ({"tags_any": "t0,t1"}, (18, 9, 6, 6)),
        ({"employer": "e1", "year": 2021}, (3, 1, 3, 3)),
        ({"employer": "e1", "year": 2021, "tags_any": "t0"}, (1, 1, 1, 1)),
    ],
    ids=["nothing", "employer", "year", "a tag", "two tags", "employer and year", "all three"],
)
def test_each_ignores_its_own_parameter_as_shops_do(
    public: Client, shop: None, query: dict[str, Any], expected: tuple[int, ...]
) -> None:
    answer = found(public, **query)

    of_others = (counts(answer["tags"]), counts(answer["employers"]), counts(answer["years"], "year"))
    assert answer["count"] == expected[0]
    assert [set(values.values()) for values in of_others] == [{number} for number in expected[1:]]
    assert [len(values) for values in of_others] == [3, 3, 3]


def test_a_tag_that_is_asked_for_is_ignored_by_none(public: Client, shop: None) -> None:
    answer = found(public, tag="t0")

    assert counts(answer["tags"]) == {"t0": 9}
    assert set(counts(answer["employers"]).values()) == {3}


def test_the_count_of_a_choice_is_what_the_list_has_with_it(public: Client, shop: None) -> None:
    def listed(**query: Any) -> int:
        return int(public.get(f"/api/public/portfolios/?{urlencode(query)}").json()["count"])

    query = {"year": 2021, "employer": "e1"}
    answer = found(public, **query)

    assert answer["count"] == listed(**query)
    for row in answer["tags"]:
        assert row["count"] == listed(**query, tags_any=row["slug"])
    for row in answer["employers"]:
        assert row["count"] == listed(**{**query, "employer": row["slug"]})
    for row in answer["years"]:
        assert row["count"] == listed(**{**query, "year": row["year"]})


# By the oracle


@pytest.fixture
def world() -> None:
    """A few hundred portfolios of all kinds, some of them hidden, for one reason or another."""
    chance = random.Random(SEED)
    now, day = timezone.now(), timedelta(days=1)
    schedules: list[dict[str, Any]] = [*[{}] * 5, {"publish_at": now - day}, {"unpublish_at": now + day}]
    schedules += [{"publish_at": now + day}, {"publish_at": now - 2 * day, "unpublish_at": now - day}]
    employers = Employer.objects.bulk_create(Employer(name=f"employer {number}") for number in range(12))
    tags = Tag.objects.bulk_create(Tag(name=f"tag {number}") for number in range(20))
    image = make_media()
    portfolios = Portfolio.objects.bulk_create(
        Portfolio(
            title=f"{chance.choice(['harbour', 'museum'])} {number}",
            slug=f"slug-{number}",
            excerpt="x",
            image=chance.choice([None, image]),
            employer=chance.choice([None, *employers]),
            is_active=chance.random() < 0.8,
            **chance.choice(schedules),
            completed_at=chance.choice([None, datetime(chance.randrange(1999, 2026), 12, 31, 23, tzinfo=UTC)]),
        )
        for number in range(300)
    )
    PortfolioTag.objects.bulk_create(
        PortfolioTag(portfolio=portfolio, tag=tag, place=place)
        for portfolio in portfolios
        for place, tag in enumerate(chance.sample(tags, chance.randrange(4)))
    )


Keep = Callable[[Portfolio, set[str]], bool]
FILTERS: dict[str, tuple[Any, Keep]] = {
    "search": ("museum", lambda row, tags: "museum" in row.title),
    "tag": (["tag-1"], lambda row, tags: "tag-1" in tags),
    "tags_any": ("tag-2,tag-3,none", lambda row, tags: bool(tags & {"tag-2", "tag-3"})),
    "employer": ("employer-3", lambda row, tags: row.employer is not None and row.employer.slug == "employer-3"),
    "year": (2003, lambda row, tags: row.completed_at is not None and row.completed_at.year == 2003),
    "completed_at_from": (
        "2005-01-01",
        lambda row, tags: row.completed_at is not None and row.completed_at.year >= 2005,
    ),
    "has_image": ("true", lambda row, tags: row.image_id is not None),
    "slugs": (
        "slug-1,slug-2,slug-3,slug-4,slug-5,none",
        lambda row, tags: row.slug in {f"slug-{n}" for n in range(1, 6)},
    ),
    "exclude": ("slug-7", lambda row, tags: row.slug != "slug-7"),
}
OWN = {"tags": "tags_any", "employers": "employer", "years": "year"}


def values_of(row: Portfolio, tags: set[str], facet: str) -> list[Any]:
    if facet == "tags":
        return [*tags]
    if facet == "employers":
        return [row.employer.slug] if row.employer else []
    return [row.completed_at.year] if row.completed_at else []


@pytest.mark.parametrize("few", [5_000, 10, 0, None], ids=["named", "some of both", "looked for", "held"])
def test_any_filters_together_are_counted_as_one_by_one(
    public: Client, world: None, monkeypatch: pytest.MonkeyPatch, few: int | None
) -> None:
    if few is None:
        held = shelf.read()
        monkeypatch.setattr(facets, "shelf", lambda snapshot: held)
    monkeypatch.setattr(facets, "FEW", few)
    every = Portfolio.objects.select_related("employer").prefetch_related("tags")
    rows = [row for row in every if row.state_at(timezone.now()) == State.PUBLISHED]
    tagged = {row.pk: {tag.slug for tag in row.tags.all()} for row in rows}
    chance = random.Random(SEED)
    for _ in range(40):
        names = chance.sample(list(FILTERS), chance.randrange(4))
        answer = found(public, **{name: FILTERS[name][0] for name in names})
        left = [row for row in rows if all(FILTERS[name][1](row, tagged[row.pk]) for name in names)]
        assert answer["count"] == len(left), names
        for facet, own in OWN.items():
            others = [name for name in names if name != own]
            kept = [row for row in rows if all(FILTERS[name][1](row, tagged[row.pk]) for name in others)]
            expected = Counter(value for row in kept for value in values_of(row, tagged[row.pk], facet))
            assert counts(answer[facet], "year" if facet == "years" else "slug") == expected, (facet, names)


@pytest.mark.parametrize("hidden", [0.1, 0.9, 1.0])
def test_however_many_are_hidden_they_are_not_counted(public: Client, world: None, hidden: float) -> None:
    ids = list(Portfolio.objects.values_list("pk", flat=True))
    Portfolio.objects.filter(pk__in=ids[: int(len(ids) * hidden)]).update(is_active=False)
    shown = {"is_active": True, "publish_at": None, "unpublish_at": None}
    Portfolio.objects.filter(pk__in=ids[int(len(ids) * hidden) :]).update(**shown)
    expected = Counter(PortfolioTag.objects.filter(portfolio__is_active=True).values_list("tag__slug", flat=True))

    assert counts(found(public)["tags"]) == expected


# Cost


def test_a_constant_number_of_queries(public: Client, world: None) -> None:
    def cost(**query: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            found(public, **query)
        return len(captured)

    every = {name: value for name, (value, _) in FILTERS.items()}
    many = cost()
    of_all = cost(**every)
    Portfolio.objects.exclude(slug="slug-1").delete()

    assert many == cost() <= 10
    assert of_all <= 10
    assert cost(**every) <= 10


def test_a_hundred_thousand_values_are_bounded(public: Client) -> None:
    """In the database; what comes out of it is a hundred rows."""
    portfolio = make_portfolio()
    tags = Tag.objects.bulk_create(Tag(name=f"tag {number}", slug=f"tag-{number}") for number in range(3_000))
    PortfolioTag.objects.bulk_create(PortfolioTag(portfolio=portfolio, tag=tag) for tag in tags)

    answer = found(public)

    assert len(answer["tags"]) == 100
    assert {row["count"] for row in answer["tags"]} == {1}
