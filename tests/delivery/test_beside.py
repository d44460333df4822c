"""The entries beside one, and those that are like it."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from folio import snapshots
from folio.delivery import beside
from folio.delivery.beside import Likes, add, most, neighbours
from folio.portfolios.models import Portfolio
from folio.snapshots.caches import SnapshotCache
from tests.delivery.entries import PATH, ask
from tests.factories import make_employer, make_portfolio, make_tag


def sides(visitor: Client, slug: str) -> list[str | None]:
    found = ask(visitor, f"{PATH}{slug}/", fields="neighbours")["neighbours"]
    return [found[side] and found[side]["slug"] for side in ("previous", "next")]


def related(visitor: Client, slug: str) -> list[str]:
    return [other["slug"] for other in ask(visitor, f"{PATH}{slug}/", fields="related")["related"]]


def test_those_beside_one_follow_the_editors_order(visitor: Client) -> None:
    for slug, order in (("c", 3), ("a", 1), ("b", 2)):
        make_portfolio(slug=slug, order=order)

    assert sides(visitor, "a") == [None, "b"]
    assert sides(visitor, "b") == ["a", "c"]
    assert sides(visitor, "c") == ["b", None]


def test_of_one_order_the_newer_comes_first_and_of_one_moment_the_older_id(visitor: Client) -> None:
    first, second, third = (make_portfolio(slug=slug) for slug in "abc")
    Portfolio.objects.update(created_at=first.created_at)
    Portfolio.objects.filter(pk=second.pk).update(created_at=third.created_at)

    assert sides(visitor, "b") == [None, "a"]
    assert sides(visitor, "a") == ["b", "c"]


def test_what_is_hidden_is_passed_over(visitor: Client) -> None:
    for order, slug in enumerate("abc"):
        make_portfolio(slug=slug, order=order, is_active=slug != "b")

    assert sides(visitor, "a") == [None, "c"]
    assert related(visitor, "a") == ["c"]


def test_most_tags_in_common_come_first_then_the_employer_then_the_order(visitor: Client) -> None:
    one, two, three = (make_tag() for _ in range(3))
    employer = make_employer()
    make_portfolio(slug="self", order=4, tags=[one, two], employer=employer)
    make_portfolio(slug="nothing", order=0)
    make_portfolio(slug="other-tag", order=1, tags=[three])
    make_portfolio(slug="one-tag", order=2, tags=[two])
    make_portfolio(slug="one-tag-and-employer", order=3, tags=[one, three], employer=employer)
    make_portfolio(slug="employer", order=5, employer=employer)
    make_portfolio(slug="both-tags", order=6, tags=[two, one, three])

    assert related(visitor, "self") == [
        "both-tags",
        "one-tag-and-employer",
        "one-tag",
        "employer",
        "nothing",
        "other-tag",
    ]


def test_six_are_the_most(visitor: Client) -> None:
    tag = make_tag()
    for order in range(9):
        make_portfolio(slug=f"s{order}", order=order, tags=[tag])

    assert related(visitor, "s0") == ["s1", "s2", "s3", "s4", "s5", "s6"]
    assert related(visitor, "s8") == ["s0", "s1", "s2", "s3", "s4", "s5"]


def test_an_entry_with_many_tags_finds_those_with_most_of_them(visitor: Client) -> None:
    tags = [make_tag() for _ in range(40)]
    make_portfolio(slug="self", tags=tags)
    for count in (3, 40, 17):
        make_portfolio(slug=f"has-{count}", tags=tags[:count])

    assert related(visitor, "self") == ["has-40", "has-17", "has-3"]


@pytest.mark.parametrize("sets", [[], [0b101], [0b111, 0b110, 0b100], [0b1] * 9 + [0b10] * 8])
def test_members_are_counted_in_binary(sets: Iterable[int]) -> None:
    counts: list[int] = []
    for members in sets:
        add(counts, members)

    for place in range(3):
        told = sum((digit >> place & 1) << power for power, digit in enumerate(counts))
        assert told == sum(members >> place & 1 for members in sets)
    best = max(sum(members >> place & 1 for members in sets) for place in range(3))
    assert most(counts, 0b111) == sum(
        1 << place for place in range(3) if sum(members >> place & 1 for members in sets) == best
    )


def test_those_beside_one_are_found_by_looks_into_the_index(visitor: Client) -> None:
    """Were they found by a walk, a page of a table of 100,000 would take seconds."""
    neighbours.read([make_portfolio().pk])
    written = neighbours.written[1]
    values = [1 if is_value else place for is_value, place in written.places]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {written.sql}", values)
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {written.sql}", values)
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())

    assert len(re.findall("portfolio_(is_active|default_order)", plan)) == 6, plan
    assert len(re.findall(r"order\"? ?[=<>]", plan)) == 6, plan
    assert not [word for word in ("SCAN", "Sort", "TEMP B-TREE", "Seq Scan") if word in plan], plan


def test_what_was_asked_of_tags_is_kept_while_nothing_changes(visitor: Client, monkeypatch: Any) -> None:
    tag = make_tag()
    one, other = make_portfolio(tags=[tag]), make_portfolio(tags=[tag])
    monkeypatch.setattr(snapshots, "documents", SnapshotCache(1_000_000))
    Likes([tag.pk], [None], 7)

    monkeypatch.setattr(beside, "portfolios_of_tags", None)
    monkeypatch.setattr(beside, "all_ids", None)

    assert Likes([tag.pk], [None], 7).first(one.pk, [tag.pk], None) == [other.pk]
