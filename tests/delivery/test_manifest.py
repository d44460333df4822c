"""`/api/public/manifest/`: what is published, with digests that change exactly when an entry's answer does."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import DatabaseError, connection, models, transaction
from django.test import Client

from folio import snapshots
from folio.delivery import manifest
from folio.delivery.manifest import digests, told
from folio.delivery.parts import parts_of
from folio.media.models import Media, MediaType, Thumbnail
from folio.portfolios.models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag, Tag
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.looks import Looks
from tests.clock import Clock
from tests.delivery.entries import PATH, ask, errors, make_full, queries
from tests.delivery.fronts import Front
from tests.factories import make_media, make_portfolio, make_tag
from tests.snapshots.stage import StillWatch

MANIFEST = "/api/public/manifest/"
ITSELF = "description,gallery,links,meta,share_image"
BASE = "http://testserver"


def listed(visitor: Client, **query: Any) -> dict[str, str]:
    """Return the digests by slug, in the manifest's order."""
    return {row["slug"]: row["digest"] for row in ask(visitor, MANIFEST, **query)["results"]}


def etag(slug: str) -> str:
    """Return the ETag of an entry by itself without what follows from others, as the front would tell it."""
    front = Front()
    return front.ask(f"{PATH}{slug}/?include={ITSELF}").headers["ETag"].strip('"')


def test_lists_all_that_is_published_in_the_default_order(visitor: Client) -> None:
    for place, slug in ((2, "last"), (0, "first"), (1, "between")):
        make_portfolio(slug=slug, order=place)
    make_portfolio(slug="draft", is_active=False, order=-1)

    answer = ask(visitor, MANIFEST)

    assert (answer["count"], answer["next"], answer["previous"]) == (3, None, None)
    assert [row["slug"] for row in answer["results"]] == ["first", "between", "last"]
    assert {tuple(row) for row in answer["results"]} == {("id", "slug", "digest")}
    assert answer["results"][0]["id"] == Portfolio.objects.get(slug="first").pk


def test_pages(visitor: Client) -> None:
    for place in range(5):
        make_portfolio(slug=f"p{place}", order=place)

    first = ask(visitor, MANIFEST, limit=2)
    second = visitor.get(first["next"]).json()
    last = visitor.get(second["next"]).json()

    assert first["next"] == f"{BASE}{MANIFEST}?limit=2&offset=2"
    assert [row["slug"] for page in (first, second, last) for row in page["results"]] == [f"p{n}" for n in range(5)]
    assert last["next"] is None
    assert ask(visitor, MANIFEST, limit=5000)["results"] == ask(visitor, MANIFEST)["results"]


def test_a_page_holds_a_thousand_at_the_most(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert manifest.MAX_LIMIT == 1000
    reading = Mock(return_value={})
    monkeypatch.setattr(manifest, "told", reading)
    Portfolio.objects.bulk_create(
        Portfolio(title=f"Title {n}", slug=f"s{n}", excerpt="Text") for n in range(manifest.MAX_LIMIT + 1)
    )

    for query in ({}, {"limit": 1001}, {"limit": 1000}):
        assert ask(visitor, MANIFEST, **query)["next"] == f"{BASE}{MANIFEST}?limit=1000&offset=1000"

    assert [len(call.args[0]) for call in reading.call_args_list] == [1000, 1000, 1000]


def test_other_parameters_are_refused(visitor: Client) -> None:
    assert errors(visitor, MANIFEST, "limt=1") == {
        "limt": ["Unknown parameter. Did you mean limit? Allowed: limit, offset."]
    }
    for query in ("ordering=id", "limit=0", "limit=x", "offset=-1", "limit=1&limit=2", "fields=slug", "search=a"):
        assert list(errors(visitor, MANIFEST, query)) == [query.partition("=")[0]]


def test_a_digest_is_in_the_etag_of_the_entry_by_itself(visitor: Client) -> None:
    for portfolio in (make_full(2, slug="full", description="A *text*."), make_portfolio(slug="bare")):
        assert listed(visitor)[portfolio.slug] == etag(portfolio.slug)


def test_what_follows_from_others_changes_no_digest(visitor: Client) -> None:
    tag = make_tag()
    make_portfolio(slug="a", tags=[tag], order=1)
    before = listed(visitor)

    make_portfolio(slug="b", tags=[tag], order=0)

    assert listed(visitor)["a"] == before["a"]
    assert list(listed(visitor)) == ["b", "a"]


def test_a_digest_is_of_the_host_that_was_asked(visitor: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["one.example", "other.example"]
    make_full(slug="full")
    rows = [Front().ask("manifest/", headers={"Host": host}).json()["results"] for host in settings.ALLOWED_HOSTS]

    assert rows[0][0]["digest"] != rows[1][0]["digest"]


def others_of(field: "models.Field[Any, Any]", value: Any) -> Iterator[Any]:
    """Yield other values than one that a column may have."""
    if isinstance(field, models.BooleanField):
        yield not value
    elif isinstance(field, (models.IntegerField, models.FloatField)):
        yield 0 if value else 1
    elif isinstance(field, models.DateTimeField):
        yield (value or datetime.fromisoformat("2020-02-02T00:00:00+00:00")) - timedelta(days=400)
    elif field.name == "type":
        yield MediaType.VIDEO
    else:
        yield f"{value or ''}x"
    if field.null and value is not None:
        yield None


TABLES = (Portfolio, Employer, Tag, PortfolioTag, PortfolioImage, Link, MetaEntry, Media, Thumbnail)


def put(model: type[models.Model], field: "models.Field[Any, Any]", pk: int, value: Any) -> bool:
    """Write a value as any program could; tell whether the table takes it."""
    with suppress(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        prepared = field.get_db_prep_save(value, connection)
        cursor.execute(
            f'UPDATE "{model._meta.db_table}" SET "{field.column}" = %s WHERE id = %s',
            [prepared, pk],
        )
        return True
    return False


@pytest.mark.parametrize("model", TABLES)
def test_whatever_is_written_by_bare_sql_is_told_exactly(visitor: Client, model: Any) -> None:
    """A digest changes when the entry's answer does, and only then, whichever column was written."""
    full = make_full(2, slug="full", description="![](/media/core_media/2026/03/02/row.png) text")
    make_full(1, slug="other")
    pdf = make_media(type=MediaType.DOCUMENT, mime_type="application/pdf", width=100, height=100)
    Thumbnail.objects.create(media=pdf, size=1080, file="core_media/poster.jpg")
    MetaEntry.objects.filter(portfolio=full, place=1).update(value_file=pdf)

    def state() -> dict[str, str]:
        found = listed(visitor)
        assert found == {slug: etag(slug) for slug in found}
        return found

    before = state()
    assert set(before) == {"full", "other"}
    told = 0
    for field in model._meta.concrete_fields:
        if field.primary_key or field.generated:
            continue
        for pk, value in list(model.objects.order_by("pk").values_list("pk", field.attname)[:3]):
            if isinstance(field, models.ForeignKey):
                related: Any = field.related_model
                others: Any = list(related.objects.exclude(pk=value).values_list("pk", flat=True)[:1])
            else:
                others = others_of(field, value)
            for other in others:
                if put(model, field, pk, other):
                    told += state() != before
                    put(model, field, pk, value)
    assert told
    assert state() == before


@pytest.mark.django_db(transaction=True)
def test_entries_come_and_go_at_their_moments(clock: Clock, settings: Any) -> None:
    """With no write; what is kept of the time before is not told again, and a moment that passed is not forgotten."""
    settings.PUBLIC_READ = True
    front = Front(Looks(StillWatch()))  # type: ignore[arg-type]
    make_portfolio(slug="always", order=0)
    make_portfolio(slug="later", order=1, publish_at=clock.after(minutes=5), unpublish_at=clock.after(minutes=10))

    def slugs() -> list[str]:
        answer = front.ask("manifest/")
        assert front.ask("manifest/", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        return [row["slug"] for row in answer.json()["results"]]

    assert slugs() == ["always"]
    clock.move(minutes=5)
    assert slugs() == ["always", "later"]
    clock.move(minutes=5)
    assert slugs() == ["always"]


def test_a_moment_to_come_ends_what_caches_keep(clock: Clock, visitor: Client) -> None:
    make_portfolio(publish_at=clock.after(seconds=30))

    assert Front().ask("manifest/").headers["Cache-Control"] == "public, max-age=0, s-maxage=30"


def test_a_page_costs_as_much_for_fifty_as_for_one(visitor: Client) -> None:
    make_full(1)
    one = queries(visitor, MANIFEST)
    for _ in range(49):
        make_full(2)

    assert queries(visitor, MANIFEST) == one <= 16


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> SnapshotCache:
    """A cache of documents of the test's own, and as if the test's transaction were none."""
    cache = SnapshotCache(10_000_000)
    monkeypatch.setattr(snapshots, "documents", cache)
    monkeypatch.setattr(snapshots, "usable", lambda snapshot: snapshot)
    return cache


def test_a_digest_is_made_once_in_a_snapshot(
    visitor: Client, cache: SnapshotCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [make_full(1).pk for _ in range(3)]
    reading = Mock(wraps=parts_of)
    monkeypatch.setattr(manifest, "parts_of", reading)

    first = digests(ids[:2], BASE, 1)
    again = digests([*reversed(ids)], BASE, 1)
    other = digests(ids[:1], "http://other", 1)
    later = digests(ids[:1], BASE, 2)

    assert [call.args[0] for call in reading.call_args_list] == [ids[:2], ids[2:], ids[:1], ids[:1]]
    assert list(again) == ids[::-1]
    assert {pk: again[pk] for pk in first} == first
    assert later[ids[0]] == first[ids[0]] != other[ids[0]]


def test_what_is_kept_is_small_and_drives_out_no_part(visitor: Client, cache: SnapshotCache) -> None:
    ids = [make_full(5).pk for _ in range(3)]

    told(ids, BASE, 1)

    assert set(cache.entries) == {(manifest.Told, BASE, pk) for pk in ids}
    assert cache.size < 1000 * len(ids)


def test_no_more_than_a_batch_is_read_at_once(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [make_full(1).pk for _ in range(5)]
    reading = Mock(wraps=parts_of)
    monkeypatch.setattr(manifest, "BATCH", 2)
    monkeypatch.setattr(manifest, "parts_of", reading)

    assert list(digests(ids, BASE, None)) == ids
    assert [len(call.args[0]) for call in reading.call_args_list] == [2, 2, 1]


def test_knows_the_published_alone(visitor: Client) -> None:
    hidden = make_full(1, is_active=False)
    shown = make_full(1)

    assert list(digests([hidden.pk, shown.pk, 999_999], BASE, None)) == [shown.pk]
