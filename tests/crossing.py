"""A portfolio that comes and goes by the clock while it is read, and what its readers may be told.

The readers' clock is the server's: both run on one machine. What began after a moment shows what it changed, what ended
before it does not, and what was on its way may show either.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from threading import Lock
from typing import Any, NamedTuple
from uuid import uuid4

from .live import Session
from .writers import Writers

FRESH = re.compile(r"s-maxage=(\d+)(?:, stale-while-revalidate=(\d+))?")


class Schedule(NamedTuple):
    """The moments that were set last, in seconds since the epoch, and how often any were."""

    number: int
    begin: float
    end: float

    def is_published(self, moment: float) -> bool:
        return self.begin <= moment < self.end

    def next_moment(self, after: float) -> float:
        return min((moment for moment in (self.begin, self.end) if moment > after), default=inf)


ALWAYS = Schedule(0, -inf, inf)


@dataclass
class Crossing:
    """A portfolio of its own, with a tag that no other has."""

    pk: int
    slug: str
    turn: Lock = field(default_factory=Lock)
    asked: int = 0
    settled: Schedule = ALWAYS

    @property
    def public_paths(self) -> list[str]:
        """Return what visitors read of it."""
        root = "/api/public"
        return [
            f"{root}/portfolios/{self.slug}/",
            f"{root}/portfolios/?slugs={self.slug}",
            f"{root}/portfolios/?tag={self.slug}&include=neighbours,related",
            f"{root}/tags/{self.slug}/",
            f"{root}/facets/?tag={self.slug}",
        ]

    @property
    def paths(self) -> list[str]:
        """Return what a key for what is published reads of it."""
        root = "/api/portfolios"
        return [
            f"{root}/{self.pk}/",
            f"{root}/slug/{self.slug}/?include=schedule",
            f"{root}/?slug={self.slug}",
            f"{root}/?search={self.slug}&include=schedule,captions",
        ]

    def set(self, write: Callable[[int, datetime, datetime], object], begin: float, end: float) -> None:
        """Have new moments written; one at a time."""
        with self.turn:
            self.asked += 1
            first, last = (datetime.fromtimestamp(moment, UTC) for moment in (begin, end))
            write(self.pk, first, last)
            self.settled = Schedule(self.asked, first.timestamp(), last.timestamp())

    def problem(self, known: Schedule, since: float, until: float, told: "Told") -> str | None:
        """Return what is wrong with an answer that was on its way between two moments; None where it is right.

        `known` is what was settled before. While it is being changed, anything is right.
        """
        if self.asked != known.number:
            return None
        passed = known.next_moment(since)
        if passed <= until:
            return None
        if told.is_there != known.is_published(since):
            kind = "published" if known.is_published(since) else "not published"
            last = max((moment for moment in (known.begin, known.end) if moment <= since), default=-inf)
            return f"showed {told}, but it was {kind}, and had been for {since - last:.6f} seconds"
        if since + told.seconds > passed:
            return f"may be kept for {told.seconds} seconds, which is beyond the next moment in {passed - since:.6f}"
        return None


class Told(NamedTuple):
    """What an answer says: whether the portfolio is there, and for how long others may keep that."""

    is_there: bool
    seconds: int

    @classmethod
    def of(cls, status: int, headers: Any, document: Any, known: bool = False) -> "Told":
        """Read an answer; `known` is what the one said that a `304` names."""
        found = FRESH.search(headers.get("Cache-Control", ""))
        seconds = sum(int(part or 0) for part in found.groups()) if found else 0
        if status == 304:
            return cls(known, seconds)
        assert status in {200, 404}, (status, document)
        if status == 200 and "count" in document:
            assert document["count"] == len(document.get("results", [None] * document["count"]))
            return cls(document["count"] == 1, seconds)
        return cls(status == 200, seconds)


def make_crossing(api: Session) -> Crossing:
    """Make the portfolio through the API."""
    slug = f"crossing-{uuid4().hex[:8]}"
    tag = api.post("/api/tags/", json={"name": slug})
    body = {"title": slug, "slug": slug, "excerpt": slug, "tags": [tag.json()["id"]]}
    made = api.post("/api/portfolios/", json=body)
    assert made.status_code == 201, made.text
    return Crossing(made.json()["id"], slug)


def by_api(writers: Writers, pk: int, begin: datetime, end: datetime) -> None:
    body = {"publish_at": begin.isoformat(), "unpublish_at": end.isoformat()}
    answer = writers.api.patch(f"/api/portfolios/{pk}/", json=body)
    assert answer.status_code == 200, answer.text


def by_saving(writers: Writers, pk: int, begin: datetime, end: datetime) -> None:
    moments = f"row.publish_at, row.unpublish_at = {begin!r}, {end!r}"
    writers.orm.run(f"import datetime\nrow = Portfolio.objects.get(pk={pk})\n{moments}\nrow.save()")


def by_queryset_update(writers: Writers, pk: int, begin: datetime, end: datetime) -> None:
    moments = f"publish_at={begin!r}, unpublish_at={end!r}"
    writers.orm.run(f"import datetime\nPortfolio.objects.filter(pk={pk}).update({moments})")


def by_sql(writers: Writers, pk: int, begin: datetime, end: datetime) -> None:
    statement = "UPDATE portfolios_portfolio SET publish_at = %s, unpublish_at = %s WHERE id = %s"
    moments = (str(moment.replace(tzinfo=None if writers.database.url is None else UTC)) for moment in (begin, end))
    writers.database.execute(statement, *moments, pk)


WAYS: dict[str, Callable[[Writers, int, datetime, datetime], None]] = {
    "api": by_api,
    "save": by_saving,
    "QuerySet.update": by_queryset_update,
    "SQL": by_sql,
}
