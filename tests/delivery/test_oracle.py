"""The public list answers whatever is asked as a few lines of plain Python over the same rows do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folio.portfolios.models import Employer, FormerSlug, Portfolio, PortfolioTag, Tag
from tests.contract.test_list_oracle import (
    MOMENTS,
    NUMBERS,
    SLUGS,
    TEXTS,
    boolean_condition,
    instant,
    moment_condition,
)
from tests.delivery.entries import PATH, ROW
from tests.factories import make_media

EXAMPLES = 20  # sets of rows
QUERIES = 15  # of each set
KINDS = 4  # of tags and of employers
PAST, LATER, FUTURE = MOMENTS[1], MOMENTS[4], MOMENTS[-1]
# Published for half of them; before, between and after its moments for the others.
SCHEDULES = [
    *[(None, None)] * 3,
    *((PAST, None), (None, FUTURE), (PAST, FUTURE)),
    *((FUTURE, None), (None, PAST), (PAST, LATER)),
]


@dataclass
class Condition:
    """A parameter as it is written, and which rows it lets through."""

    name: str
    value: str
    admits: Callable[[Any], bool]


@dataclass
class Row:
    """A portfolio as the oracle knows it; tags and employer by their slugs."""

    id: int
    title: str
    slug: str
    excerpt: str
    image: int | None
    order: int
    employer: str | None
    tags: list[str]
    is_active: bool
    publish_at: datetime | None
    unpublish_at: datetime | None
    completed_at: datetime | None
    created_at: datetime
    changed_at: datetime
    related_at: datetime | None

    @property
    def year(self) -> int | None:
        return self.completed_at.year if self.completed_at else None

    @property
    def is_published(self) -> bool:
        now = datetime.now(UTC)
        has_begun = self.publish_at is None or self.publish_at <= now
        return self.is_active and has_begun and (self.unpublish_at is None or self.unpublish_at > now)

    @property
    def updated_at(self) -> datetime:
        return max(self.changed_at, self.related_at or self.changed_at, self.publish_at or self.changed_at)

    @property
    def employer__name(self) -> str | None:
        return self.employer and f"Name of {self.employer}"

    client__name = employer__name


@st.composite
def some_rows(draw: Any) -> list[Row]:
    size = draw(st.integers(4, 12))
    slugs = draw(st.lists(SLUGS, min_size=size + 2 * KINDS, max_size=size + 2 * KINDS, unique=True))
    titles = draw(st.lists(TEXTS, min_size=size, max_size=size, unique=True))
    tags, employers = slugs[size : size + KINDS], slugs[size + KINDS :]
    moment = st.sampled_from(MOMENTS)
    return [
        Row(
            id=pk,
            title=title,
            slug=slug,
            excerpt=draw(TEXTS),
            image=draw(st.sampled_from([None, 1])),
            order=draw(st.sampled_from([*NUMBERS, 0, 0])),
            employer=draw(st.sampled_from([None, *employers])),
            tags=draw(st.lists(st.sampled_from(tags), unique=True)),
            is_active=draw(st.sampled_from([True, True, False])),
            **dict(zip(("publish_at", "unpublish_at"), draw(st.sampled_from(SCHEDULES)), strict=True)),
            completed_at=draw(st.none() | moment),
            created_at=draw(moment),
            changed_at=draw(moment),
            related_at=draw(st.none() | moment),
        )
        for pk, (title, slug) in enumerate(zip(titles, slugs, strict=False), start=1)
    ]


def store(rows: list[Row]) -> None:
    make_media(id=1, file="core_media/2026/03/02/cover.png")
    employers, tags = {}, {}
    for row in rows:
        if row.employer and row.employer not in employers:
            employers[row.employer] = Employer.objects.create(name=f"Name of {row.employer}", slug=row.employer)
        for slug in row.tags:
            if slug not in tags:
                tags[slug] = Tag.objects.create(name=f"Name of {slug}", slug=slug)
        portfolio = Portfolio.objects.create(
            id=row.id,
            title=row.title,
            slug=row.slug,
            excerpt=row.excerpt,
            image_id=row.image,
            order=row.order,
            employer=employers.get(row.employer or ""),
            is_active=row.is_active,
            publish_at=row.publish_at,
            unpublish_at=row.unpublish_at,
            completed_at=row.completed_at,
        )
        Portfolio.objects.filter(pk=row.id).update(
            created_at=row.created_at, updated_at=row.changed_at, related_updated_at=row.related_at
        )
        for place, slug in enumerate(row.tags):
            PortfolioTag.objects.create(portfolio=portfolio, tag=tags[slug], place=place)
        FormerSlug.objects.create(portfolio=portfolio, slug=f"former-{row.id}")


NAMES = ["id", "title", "slug", "order", "year", "client__name", "employer__name", "completed_at", "created_at"]
ORDERINGS = st.lists(
    st.sampled_from([f"{sign}{name}" for name in [*NAMES, "updated_at"] for sign in ("", "-")]), max_size=3
)


def in_order(rows: list[Row], ordering: list[str]) -> list[Row]:
    """Sort by each name from the last to the first, so that the first one has the last word."""
    rows = sorted(rows, key=lambda row: row.id)
    for term in reversed(ordering or ["order", "-created_at"]):
        name = term.removeprefix("-")
        present = [row for row in rows if getattr(row, name) is not None]
        absent = [row for row in rows if getattr(row, name) is None]
        present.sort(key=lambda row: getattr(row, name), reverse=term.startswith("-"))
        rows = present + absent
    return rows


def conditions(rows: list[Row]) -> list[st.SearchStrategy[Any]]:
    """Return every filter but `tag` and `slugs`, each with values that some of the rows may have."""
    tags = st.lists(st.sampled_from(some_tags(rows)), min_size=1, max_size=3)
    years = st.sampled_from([1, 1999, 2024, 2**70])
    employers = st.sampled_from(sorted({row.employer or "none" for row in rows}))
    return [
        tags.map(lambda any_of: Condition("tags_any", ", ".join(any_of), lambda row: bool({*any_of} & {*row.tags}))),
        employers.map(lambda slug: Condition("employer", slug, lambda row: row.employer == slug)),
        years.map(lambda year: Condition("year", str(year), lambda row: row.year == year)),
        moment_condition("completed_at", "completed_at"),
        boolean_condition("has_image", lambda row: row.image is not None),
        st.sampled_from(some_slugs(rows)).map(lambda slug: Condition("exclude", slug, lambda row: row.slug != slug)),
    ]


def some_tags(rows: list[Row]) -> list[str]:
    return sorted({tag for row in rows for tag in row.tags} | {"none"})


def some_slugs(rows: list[Row]) -> list[str]:
    return [*(row.slug for row in rows), *(f"former-{row.id}" for row in rows), "none"]


@st.composite
def queries(draw: Any, rows: list[Row]) -> tuple[list[tuple[str, str]], list[Row], dict[str, int]]:
    """Draw some parameters; return them, what they leave of the rows in which order, and which page is asked for."""
    chosen = draw(st.lists(st.one_of(conditions(rows)), max_size=2, unique_by=lambda condition: condition.name))
    all_of = draw(st.lists(st.sampled_from(some_tags(rows)), max_size=2))
    slugs = draw(st.none() | st.lists(st.sampled_from(some_slugs(rows)), min_size=1, max_size=8, unique=True))
    ordering = draw(ORDERINGS)
    query = [(condition.name, condition.value) for condition in chosen] + [("tag", slug) for slug in all_of]
    found = [row for row in rows if row.is_published and all(condition.admits(row) for condition in chosen)]
    found = in_order([row for row in found if {*all_of} <= {*row.tags}], ordering)
    if slugs is not None:
        query.append(("slugs", ",".join(slugs)))
        found = [row for row in found if row.slug in slugs]
        if not ordering:
            found.sort(key=lambda row: slugs.index(row.slug))
    if ordering:
        query.append(("ordering", ",".join(ordering)))
    page = draw(st.fixed_dictionaries({}, optional={"limit": st.integers(1, 13), "offset": st.integers(0, 13)}))
    return query, found, page


def shown(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "slug": row.slug,
        "title": row.title,
        "excerpt": row.excerpt,
        "completed_at": instant(row.completed_at),
        "year": row.year,
        "cover": row.image,
        "employer": row.employer,
        "tags": row.tags,
        "updated_at": instant(row.updated_at),
    }


def simplified(row: dict[str, Any]) -> dict[str, Any]:
    """Return a result with nothing but ids of pictures and slugs of tags and employer."""
    assert list(row)[: len(ROW)] == ROW
    return {
        **{name: row[name] for name in ROW if name != "url"},
        "cover": row["cover"] and row["cover"]["id"],
        "employer": row["employer"] and row["employer"]["slug"],
        "tags": [tag["slug"] for tag in row["tags"]],
    }


def beside(row: Row, rows: list[Row]) -> dict[str, str | None]:
    order = [other.slug for other in in_order([row for row in rows if row.is_published], [])]
    place = order.index(row.slug)
    return {
        "previous": order[place - 1] if place else None,
        "next": order[place + 1] if place + 1 < len(order) else None,
    }


def related(row: Row, rows: list[Row]) -> list[str]:
    others = in_order([other for other in rows if other.is_published and other.id != row.id], [])
    others.sort(
        key=lambda other: (
            -len({*other.tags} & {*row.tags}),
            row.employer is None or other.employer != row.employer,
        )
    )
    return [other.slug for other in others[:6]]


@given(data=st.data())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,  # a run depends on the commit alone
    database=None,
    # The client only reads, and the rows of each example are rolled back.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_answers_as_plain_python_does(visitor: Client, data: st.DataObject) -> None:
    rows = data.draw(some_rows())
    with transaction.atomic():
        store(rows)
        for _ in range(QUERIES):
            query, found, page = data.draw(queries(rows))
            parameters: dict[str, Any] = {"include": "neighbours,related", **page}
            for name, value in query:
                parameters[name] = [*parameters.get(name, ()), value]

            response = visitor.get(PATH, parameters)

            assert response.status_code == 200, response.json()
            answer = response.json()
            limit, offset = page.get("limit", 12), page.get("offset", 0)
            matches = found[offset : offset + limit]
            assert answer["count"] == len(found), query
            assert [simplified(row) for row in answer["results"]] == [shown(row) for row in matches], query
            for result, row in zip(answer["results"], matches, strict=True):
                sides = {side: other and other["slug"] for side, other in result["neighbours"].items()}
                assert sides == beside(row, rows)
                assert [other["slug"] for other in result["related"]] == related(row, rows)
            check_link(answer["next"], query, limit, offset + limit if offset + limit < len(found) else None)
            check_link(answer["previous"], query, limit, max(offset - limit, 0) if offset else None)
        for row in rows:
            check_alone(visitor, row)
        transaction.set_rollback(True)


def check_link(url: str | None, query: list[tuple[str, str]], limit: int, offset: int | None) -> None:
    """Assert that a page's address keeps the parameters and moves by whole pages."""
    assert (url is None) == (offset is None)
    if url is not None and offset is not None:
        wanted = [*query, ("include", "neighbours,related"), ("limit", str(limit))]
        wanted += [("offset", str(offset))] if offset else []
        assert sorted(parse_qsl(urlsplit(url).query)) == sorted(wanted)


def check_alone(visitor: Client, row: Row) -> None:
    """Assert that an entry is found by its slug and its former one, where it is published."""
    present = visitor.get(f"{PATH}{row.slug}/", {"include": "links"})
    former = visitor.get(f"{PATH}former-{row.id}/")
    if row.is_published:
        assert simplified(present.json()) == shown(row)
        assert (former.status_code, former.headers["Location"].startswith(PATH)) == (301, True)
        assert visitor.get(former.headers["Location"]).json()["id"] == row.id
    else:
        assert (present.status_code, former.status_code) == (404, 404)
