"""The list of portfolios answers whatever is asked as a few lines of plain Python over the same rows do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folio.api.folding import fold
from folio.portfolios.models import Employer, Portfolio, PortfolioTag, Tag
from tests.conftest import Client
from tests.factories import make_media

PATH = "/api/portfolios/"
EXAMPLES = 25  # sets of rows
QUERIES = 20  # of each set
TEHRAN = timezone(timedelta(hours=3, minutes=30))
MOMENTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1999, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC),
    datetime(2024, 3, 9, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2024, 3, 10, tzinfo=UTC),
    datetime(2024, 3, 10, 20, 30, tzinfo=UTC),  # in Tehran, the next day
    datetime(2024, 3, 10, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2024, 3, 11, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]
# Letters of several scripts and cases, wildcards of LIKE, and what else has a meaning somewhere. The Turkish dotless i
# is left out: whether it is a case of `i` depends on whom one asks.
LETTERS = "aAzZéÉßẞsSσΣςяЯİiﬁیسن网🎨01249"
WORDS = st.text(LETTERS + "%_\\'\".-,+&", min_size=1, max_size=4)
TEXTS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
SLUGS = st.text(LETTERS.replace("🎨", "") + "-_", min_size=1, max_size=5)
CASES: list[Callable[[str], str]] = [str, str.upper, str.lower, str.swapcase, str.title, str.casefold]
NUMBERS = [-(2**31), -1, 0, 1, 2**31 - 1]


@dataclass
class Row:
    """A portfolio as the oracle knows it."""

    id: int
    title: str
    slug: str
    excerpt: str
    description: str | None
    image: int | None
    order: int
    employer: tuple[int, str] | None
    tags: list[int]
    is_active: bool
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def year(self) -> int | None:
        return self.completed_at.year if self.completed_at else None

    @property
    def employer__name(self) -> str | None:
        return self.employer[1] if self.employer else None

    @property
    def client__name(self) -> str | None:
        return self.employer__name

    @property
    def searched(self) -> list[str]:
        return [self.title, self.slug, self.excerpt, str(self.year or ""), self.employer__name or ""]


@dataclass
class Condition:
    """A parameter as it is written, and which rows it lets through."""

    name: str
    value: str
    admits: Callable[[Row], bool]


def instant(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


@st.composite
def some_rows(draw: Any) -> list[Row]:
    size = draw(st.integers(6, 14))
    ids = sorted(draw(st.sets(st.integers(1, 40), min_size=size, max_size=size)))
    titles = draw(st.lists(TEXTS, min_size=size, max_size=size, unique=True))
    slugs = draw(st.lists(SLUGS, min_size=size, max_size=size, unique=True))
    employers = list(enumerate(draw(st.lists(TEXTS, min_size=3, max_size=3, unique=True)), start=1))
    moment = st.sampled_from(MOMENTS)
    return [
        Row(
            id=pk,
            title=title,
            slug=slug,
            excerpt=draw(st.lists(TEXTS, min_size=1, max_size=2).map("\n".join)),
            description=draw(st.sampled_from([None, "", "A text."])),
            image=draw(st.sampled_from([None, 1])),
            order=draw(st.sampled_from([*NUMBERS, 0, 0])),
            employer=draw(st.sampled_from([None, *employers])),
            tags=draw(st.lists(st.integers(1, 3), unique=True)),
            is_active=draw(st.booleans()),
            completed_at=draw(st.none() | moment),
            created_at=draw(moment),
            updated_at=draw(moment),
        )
        for pk, title, slug in zip(ids, titles, slugs, strict=True)
    ]


def store(rows: list[Row]) -> None:
    make_media(id=1, file="core_media/2026/03/02/cover.png")
    Employer.objects.bulk_create(
        Employer(id=pk, name=name) for pk, name in {row.employer for row in rows if row.employer}
    )
    Tag.objects.bulk_create(Tag(id=pk, name=f"tag {pk}") for pk in (1, 2, 3))
    portfolios = [
        Portfolio(
            id=row.id,
            title=row.title,
            slug=row.slug,
            excerpt=row.excerpt,
            description=row.description,
            image_id=row.image,
            order=row.order,
            employer_id=row.employer and row.employer[0],
            is_active=row.is_active,
            completed_at=row.completed_at,
        )
        for row in rows
    ]
    Portfolio.objects.bulk_create(portfolios)
    for portfolio, row in zip(portfolios, rows, strict=True):
        portfolio.created_at, portfolio.updated_at = row.created_at, row.updated_at
    Portfolio.objects.bulk_update(portfolios, ["created_at", "updated_at"])
    PortfolioTag.objects.bulk_create(
        PortfolioTag(portfolio_id=row.id, tag_id=tag, place=place) for row in rows for place, tag in enumerate(row.tags)
    )


def written(moment: datetime) -> st.SearchStrategy[str]:
    """Return the ways to write a moment."""
    ways = [instant(moment) or "", moment.replace(tzinfo=None).isoformat()]
    if 1 < moment.year < 9999:
        ways.append(moment.astimezone(TEHRAN).isoformat())
        ways.append(moment.astimezone(TEHRAN).isoformat().replace("+", " "))  # as a `+` arrives that wasn't encoded
    return st.sampled_from(ways)


def boolean_condition(name: str, holds: Callable[[Row], bool]) -> st.SearchStrategy[Condition]:
    words = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}
    return st.sampled_from(list(words)).map(lambda word: Condition(name, word, lambda row: holds(row) == words[word]))


@st.composite
def moment_condition(draw: Any, prefix: str, field: str) -> Condition:
    side = draw(st.sampled_from(["from", "to"]))
    moment = draw(st.sampled_from(MOMENTS))
    bare = draw(st.booleans())

    def admits(row: Row) -> bool:
        value = getattr(row, field)
        if value is None:
            return False
        one, other = (value.date(), moment.date()) if bare else (value, moment)
        return bool(one >= other if side == "from" else one <= other)

    return Condition(f"{prefix}_{side}", moment.date().isoformat() if bare else draw(written(moment)), admits)


@st.composite
def bound_condition(draw: Any, field: str, numbers: st.SearchStrategy[int]) -> Condition:
    side = draw(st.sampled_from(["min", "max"]))
    number = draw(numbers)
    return Condition(
        f"{field}_{side}",
        str(number),
        lambda row: getattr(row, field) >= number if side == "min" else getattr(row, field) <= number,
    )


def day_condition(name: str, field: str) -> st.SearchStrategy[Condition]:
    days: list[date] = [moment.date() for moment in MOMENTS]
    return st.sampled_from(days).map(
        lambda day: Condition(name, day.isoformat(), lambda row: getattr(row, field).date() == day)
    )


@st.composite
def search_condition(draw: Any, rows: list[Row]) -> Condition:
    """Search for words of the rows, or parts of them, in another letter case, or for any others."""
    known = sorted({word for row in rows for text in row.searched for word in text.split()})
    words = []
    for _ in range(draw(st.integers(1, 3))):
        word = draw(st.sampled_from(known) | WORDS if known else WORDS)
        start = draw(st.integers(0, len(word) - 1))
        end = draw(st.integers(start + 1, len(word)))
        words.append(draw(st.sampled_from(CASES))(word[start:end]))

    folded = fold(" ".join(words)).split()

    def admits(row: Row) -> bool:
        return bool(folded) and all(any(word in fold(text) for text in row.searched) for word in folded)

    return Condition("search", "  ".join(words), admits)


def conditions(rows: list[Row]) -> list[st.SearchStrategy[Condition]]:
    """Return every filter but `search`, each with values that some of the rows may have."""
    ids = st.integers(0, 4)
    slugs = st.sampled_from([*(row.slug for row in rows), "none", "%"])
    return [
        bound_condition("id", st.sampled_from([*(row.id for row in rows), 0, 20, 2**70])),
        bound_condition("order", st.sampled_from([*NUMBERS, 2**40])),
        day_condition("created_date", "created_at"),
        day_condition("updated_date", "updated_at"),
        moment_condition("created", "created_at"),
        moment_condition("updated", "updated_at"),
        moment_condition("completed_at", "completed_at"),
        boolean_condition("has_image", lambda row: row.image is not None),
        boolean_condition("has_description", lambda row: bool(row.description)),
        boolean_condition("has_employer", lambda row: row.employer is not None),
        boolean_condition("is_active", lambda row: row.is_active),
        ids.map(lambda pk: Condition("employer_id", str(pk), lambda row: bool(row.employer and row.employer[0] == pk))),
        ids.map(lambda pk: Condition("tag_id", str(pk), lambda row: pk in row.tags)),
        st.lists(ids, min_size=1, max_size=3).map(
            lambda pks: Condition("tags_in", ", ".join(map(str, pks)), lambda row: not set(pks).isdisjoint(row.tags))
        ),
        slugs.map(lambda slug: Condition("slug", slug, lambda row: row.slug == slug)),
    ]


NAMES = [
    *("id", "title", "slug", "order", "year", "is_active", "client__name", "employer__name"),
    *("completed_at", "created_at", "updated_at"),
]
ORDERINGS = st.lists(st.sampled_from([f"{sign}{name}" for name in NAMES for sign in ("", "-")]), max_size=3)


@st.composite
def queries(draw: Any, rows: list[Row]) -> tuple[list[Condition], list[str], dict[str, int]]:
    """Draw some filters, an ordering and a page."""
    chosen = draw(st.lists(st.one_of(conditions(rows)), max_size=2, unique_by=lambda condition: condition.name))
    if draw(st.booleans()):
        chosen.append(draw(search_condition(rows)))
    page = draw(st.fixed_dictionaries({}, optional={"limit": st.integers(1, 13), "offset": st.integers(0, 13)}))
    return chosen, draw(ORDERINGS), page


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


def shown(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "slug": row.slug,
        "excerpt": row.excerpt,
        "order": row.order,
        "image_data": row.image,
        "employer_data": row.employer,
        "tags_data": row.tags,
        "links_data": [],
        "is_active": row.is_active,
        "completed_at": instant(row.completed_at),
        "created_at": instant(row.created_at),
        "updated_at": instant(row.updated_at),
    }


def simplified(answer: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the answer with ids in place of what the oracle knows only by its id."""
    image, employer = answer["image_data"], answer["employer_data"]
    return {
        **answer,
        "image_data": image and image["id"],
        "employer_data": employer and (employer["id"], employer["name"]),
        "tags_data": [tag["id"] for tag in answer["tags_data"]],
    }


def check_page_url(url: str | None, query: dict[str, str], limit: int, offset: int | None) -> None:
    """Check that a page's URL keeps the query and leads to `offset`; there is no such page where that is None."""
    if offset is None:
        assert url is None
        return
    assert url is not None
    assert url.startswith(f"http://testserver{PATH}?")
    page = {"limit": str(limit), **({"offset": str(offset)} if offset else {})}
    assert dict(parse_qsl(urlsplit(url).query)) == {**query, **page}


@given(data=st.data())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,  # a run depends on the commit alone
    database=None,
    # The client only reads, and the rows of each example are rolled back.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_answers_as_plain_python_does(client: Client, data: st.DataObject) -> None:
    rows = data.draw(some_rows())
    with transaction.atomic():
        store(rows)
        for _ in range(QUERIES):
            chosen, ordering, page = data.draw(queries(rows))
            query = {condition.name: condition.value for condition in chosen}
            if ordering:
                query["ordering"] = ",".join(ordering)

            parameters: dict[str, Any] = {**query, **page}
            response = client.get(PATH, parameters)

            assert response.status_code == 200, response.json()
            answer = response.json()
            matches = in_order([row for row in rows if all(c.admits(row) for c in chosen)], ordering)
            limit, offset = page.get("limit", 10), page.get("offset", 0)
            assert answer["count"] == len(matches), query
            assert [simplified(row) for row in answer["results"]] == [
                shown(row) for row in matches[offset : offset + limit]
            ], query
            check_page_url(answer["next"], query, limit, offset + limit if offset + limit < len(matches) else None)
            check_page_url(answer["previous"], query, limit, max(offset - limit, 0) if offset else None)
        transaction.set_rollback(True)
