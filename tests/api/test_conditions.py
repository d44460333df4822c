"""Conditions of writes: who has not seen what there is now changes nothing of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.http import http_date

from folio.api.handler import Handler
from folio.media.models import Media
from folio.portfolios.models import Link, Portfolio
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront
from tests.conftest import Client
from tests.contract.routes import Route, api_routes
from tests.contract.test_lock_order import locks
from tests.factories import (
    draw,
    make_employer,
    make_image,
    make_key,
    make_link,
    make_media,
    make_meta,
    make_portfolio,
    make_tag,
    make_user,
)
from tests.wsgi import Answer, ask

MAKERS: dict[str, Callable[[], Any]] = {
    "portfolios": lambda: make_portfolio(image=make_media(), tags=[make_tag()]),
    "employers": lambda: make_employer(image=make_media()),
    "tags": make_tag,
    "links": lambda: make_link(make_portfolio()),
    "meta": lambda: make_meta(make_portfolio(), value_file=make_media()),
    "media": make_media,
}
CHANGES: dict[str, dict[str, Any]] = {
    "portfolios": {"title": "Other", "slug": "other", "excerpt": "Other."},
    "employers": {"name": "other"},
    "tags": {"name": "other"},
    "links": {"name": "other"},
    "meta": {"key": "other"},
    "media": {"name": "other"},
}
DATED = ("portfolios", "media")
EVERY = pytest.mark.parametrize("resource", MAKERS)
MOMENT = datetime(2026, 3, 2, 10, 41, 7, tzinfo=UTC)
BEFORE, AFTER = http_date(MOMENT.timestamp() - 1), http_date(MOMENT.timestamp() + 3)
OTHER_TAG = '"0123456789abcdef0123456789abcdef"'


@pytest.fixture
def read(editor: User) -> Callable[[str], Answer]:
    """Return a function that reads a path as a server would answer, through the cache in front of Django."""
    key = make_key(editor)
    front = SnapshotFront(Handler(), None, SnapshotCache(1_000_000))

    def read(path: str, **headers: str) -> Answer:
        return ask(front, "GET", path, headers={"Authorization": f"Token {key}", "Host": "testserver", **headers})

    return read


def write(client: Client, method: str, resource: str, pk: int, **headers: str) -> Any:
    body = CHANGES[resource] | ({"portfolio": Link.objects.get().portfolio_id} if resource == "links" else {})
    if resource == "meta":
        body["portfolio"] = client.get(f"/api/meta/{pk}/").json()["portfolio"]
    return getattr(client, method)(f"/api/{resource}/{pk}/", None if method == "delete" else body, headers=headers)


def upload(content: bytes = b"", name: str = "new.png") -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, content or draw())}


def let_be_changed_at(moment: datetime) -> None:
    for model in (Portfolio, Media):
        model.objects.update(updated_at=moment)


# ETags of writes


@EVERY
def test_a_new_row_is_answered_with_the_tag_of_a_read(client: Client, read: Any, resource: str) -> None:
    body = CHANGES[resource] | ({"portfolio": make_portfolio().pk} if resource in {"links", "meta"} else {})
    is_upload = resource == "media"

    response = client.post(
        f"/api/{resource}/", upload() if is_upload else body, format="multipart" if is_upload else None
    )

    assert response.status_code == 201
    found = read(f"/api/{resource}/{response.json()['id']}/")
    assert response.headers["ETag"] == found.headers["ETag"]
    assert response.content == found.content
    assert response.headers.get("Last-Modified") == found.headers.get("Last-Modified")


@EVERY
@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_changed_row_is_answered_with_the_tag_of_a_read(
    client: Client, read: Any, resource: str, method: str
) -> None:
    pk = MAKERS[resource]().pk

    response = write(client, method, resource, pk)

    assert response.status_code == 200
    assert response.headers["ETag"] == read(f"/api/{resource}/{pk}/").headers["ETag"]


def test_a_full_portfolio_has_one_tag_whichever_way_it_is_told(client: Client, read: Any) -> None:
    media = [make_image().pk for _ in range(3)]
    body = CHANGES["portfolios"] | {
        "image": media[0],
        "images": media,
        "description": "Ünïcode – “quoted” \u2028",
        "employer": make_employer(image=make_image()).pk,
        "tags": [make_tag(image=make_image()).pk, make_tag().pk],
        "links": [{"name": "a", "image": media[0]}, {"name": "b", "url": "https://example.com"}],
        "meta": [{"key": "k", "value_file": media[1]}],
        "completed_at": "2024-12-12T08:30:00.5+02:00",
    }

    response = client.post("/api/portfolios/", body)

    pk, slug = response.json()["id"], response.json()["slug"]
    tags = {read(path).headers["ETag"] for path in (f"/api/portfolios/{pk}/", f"/api/portfolios/slug/{slug}/")}
    assert tags == {response.headers["ETag"]}


def test_another_file_is_answered_with_the_tag_of_the_media(client: Client, read: Any) -> None:
    media = make_image()

    response = client.put(f"/api/media/{media.pk}/file/", upload(draw((70, 50))), format="multipart")

    assert response.headers["ETag"] == read(f"/api/media/{media.pk}/").headers["ETag"]
    assert "Last-Modified" in response.headers


def test_the_same_bytes_are_answered_with_the_tag_of_what_has_them(client: Client, read: Any) -> None:
    media = make_image()

    response = client.post("/api/media/?deduplicate=true", upload(), format="multipart")

    assert (response.status_code, response.json()["id"]) == (200, media.pk)
    assert response.headers["ETag"] == read(f"/api/media/{media.pk}/").headers["ETag"]


def test_a_deletion_and_a_refusal_have_no_tag(client: Client) -> None:
    tag = make_tag()

    assert "ETag" not in client.patch(f"/api/tags/{tag.pk}/", {"name": ""}).headers
    assert "ETag" not in client.delete(f"/api/tags/{tag.pk}/").headers


# If-Match


@EVERY
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_write_whose_tag_matches_is_carried_out(client: Client, read: Any, resource: str, method: str) -> None:
    pk = MAKERS[resource]().pk
    etag = read(f"/api/{resource}/{pk}/").headers["ETag"]

    response = write(client, method, resource, pk, **{"If-Match": etag})

    assert response.status_code == (204 if method == "delete" else 200), response.json()


@pytest.mark.parametrize(
    "condition",
    ["*", " * ", f"{OTHER_TAG}, {{0}}", f",{{0}} ,{OTHER_TAG},", 'W/"x", {0}', '{1}-gzip"', '{1}-br"', '{1}-zstd"'],
)
def test_any_of_the_tags_matches(client: Client, read: Any, condition: str) -> None:
    tag = make_tag()
    etag = read(f"/api/tags/{tag.pk}/").headers["ETag"]

    response = write(client, "patch", "tags", tag.pk, **{"If-Match": condition.format(etag, etag[:-1])})

    assert response.status_code == 200, response.json()


def test_the_tag_of_a_compressed_read_is_good_for_a_write(client: Client, read: Any) -> None:
    portfolio = make_portfolio(description="Long. " * 200)
    etags = []
    for encoding in ("gzip", "br", "zstd"):
        found = read(f"/api/portfolios/{portfolio.pk}/", **{"Accept-Encoding": encoding})
        assert found.headers["Content-Encoding"] == encoding
        etags.append(found.headers["ETag"])

        assert write(client, "patch", "portfolios", portfolio.pk, **{"If-Match": etags[-1]}).status_code == 200

    assert len({etag.rpartition("-")[0] for etag in etags}) == 3, "each write left another one"


@EVERY
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_write_whose_tag_does_not_match_changes_nothing(
    client: Client, read: Any, resource: str, method: str
) -> None:
    pk = MAKERS[resource]().pk
    before = read(f"/api/{resource}/{pk}/")

    response = write(client, method, resource, pk, **{"If-Match": OTHER_TAG})

    assert response.status_code == 412
    assert list(response.json()) == ["detail"]
    assert "If-Match" in response.json()["detail"]
    assert response.headers["ETag"] == before.headers["ETag"]
    after = read(f"/api/{resource}/{pk}/")
    assert (after.content, after.headers) == (before.content, before.headers)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("condition", ["W/{0}", 'W/"x"', '"*"', '""', '{1}-zip"', '"x,y"'])
def test_a_weak_tag_and_another_one_match_never(client: Client, read: Any, condition: str) -> None:
    tag = make_tag()
    etag = read(f"/api/tags/{tag.pk}/").headers["ETag"]

    response = write(client, "patch", "tags", tag.pk, **{"If-Match": condition.format(etag, etag[:-1])})

    assert response.status_code == 412


@EVERY
def test_the_tag_of_before_a_change_matches_no_more(client: Client, read: Any, resource: str) -> None:
    pk = MAKERS[resource]().pk
    seen = read(f"/api/{resource}/{pk}/").headers["ETag"]
    changed = write(client, "patch", resource, pk, **{"If-Match": seen})

    late = write(client, "put", resource, pk, **{"If-Match": seen})

    assert (changed.status_code, late.status_code) == (200, 412)
    assert late.headers["ETag"] == changed.headers["ETag"]
    assert write(client, "put", resource, pk, **{"If-Match": late.headers["ETag"]}).status_code == 200


def test_a_change_of_what_belongs_to_a_portfolio_is_one_of_the_portfolio(client: Client, read: Any) -> None:
    portfolio = make_portfolio()
    link = make_link(portfolio)
    seen = read(f"/api/portfolios/{portfolio.pk}/").headers["ETag"]
    client.patch(f"/api/links/{link.pk}/", {"name": "other"})

    assert write(client, "patch", "portfolios", portfolio.pk, **{"If-Match": seen}).status_code == 412


def test_another_file_needs_the_tag_of_the_media(client: Client, read: Any, media_root: Path) -> None:
    media = make_image()
    path, files = f"/api/media/{media.pk}/", sorted(media_root.rglob("*.*"))
    seen = read(path).headers["ETag"]

    def replace(condition: str) -> Any:
        headers = {"If-Match": condition}
        return client.put(f"{path}file/", upload(draw((70, 50))), format="multipart", headers=headers)

    refused = replace(OTHER_TAG)
    assert (refused.status_code, refused.headers["ETag"]) == (412, seen)
    assert read(path).headers["ETag"] == seen
    assert sorted(media_root.rglob("*.*")) == files
    assert replace(seen).status_code == 200
    assert replace(seen).status_code == 412


def test_a_media_that_is_taken_off_its_users_needs_its_tag(client: Client) -> None:
    media = make_media()
    portfolio = make_portfolio(image=media)

    response = client.delete(f"/api/media/{media.pk}/?detach=true", headers={"If-Match": OTHER_TAG})

    assert response.status_code == 412
    portfolio.refresh_from_db()
    assert portfolio.image_id == media.pk


@pytest.mark.parametrize(
    "condition",
    ["", " ", ",", "5f2b", '"5f2b', '5f2b"', '"a" "b"', '"a", *', "*, *", 'w/"a"', 'W/ "a"', '"a",b', '"\x01"'],
)
def test_what_is_no_list_of_tags_is_a_400_that_names_it(client: Client, condition: str) -> None:
    tag = make_tag(name="print")

    response = client.patch(f"/api/tags/{tag.pk}/", {"name": "other"}, headers={"If-Match": condition})

    assert response.status_code == 400
    assert list(response.json()) == ["If-Match"]
    assert client.get(f"/api/tags/{tag.pk}/").json()["name"] == "print"


def test_a_list_of_tags_is_read_in_one_go(client: Client) -> None:
    """Were it tried again from each of its places, this would take minutes."""
    condition = '"a",' * 20_000 + '"'

    assert client.patch(f"/api/tags/{make_tag().pk}/", {}, headers={"If-Match": condition}).status_code == 400
    assert client.patch(f"/api/tags/{make_tag().pk}/", {}, headers={"If-Match": " ," * 40_000}).status_code == 400


# If-Unmodified-Since


@pytest.mark.parametrize("resource", DATED)
@pytest.mark.parametrize(
    ("microsecond", "told"), [(0, MOMENT), (1, MOMENT + timedelta(seconds=1)), (999_999, MOMENT + timedelta(seconds=1))]
)
def test_last_modified_is_rounded_up(
    client: Client, read: Any, resource: str, microsecond: int, told: datetime
) -> None:
    row = MAKERS[resource]()
    let_be_changed_at(MOMENT.replace(microsecond=microsecond))

    assert read(f"/api/{resource}/{row.pk}/").headers["Last-Modified"] == http_date(told.timestamp())


def test_last_modified_is_told_by_slug_and_where_nothing_is_new(read: Any) -> None:
    portfolio = make_portfolio()
    let_be_changed_at(MOMENT)

    for path in (f"/api/portfolios/slug/{portfolio.slug}/", f"/api/portfolios/{portfolio.pk}/"):
        etag = read(path).headers["ETag"]
        for found in (read(path), read(path, **{"If-None-Match": etag})):
            assert found.headers["Last-Modified"] == "Mon, 02 Mar 2026 10:41:07 GMT"


@pytest.mark.parametrize("resource", sorted(MAKERS.keys() - set(DATED)))
def test_others_and_lists_tell_no_last_modified(read: Any, resource: str) -> None:
    pk = MAKERS[resource]().pk

    for path in (f"/api/{resource}/{pk}/", f"/api/{resource}/", "/api/portfolios/", "/api/media/"):
        assert "Last-Modified" not in read(path).headers


@pytest.mark.parametrize("resource", DATED)
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_write_since_which_nothing_was_changed_is_carried_out(
    client: Client, read: Any, resource: str, method: str
) -> None:
    row = MAKERS[resource]()
    let_be_changed_at(MOMENT.replace(microsecond=500_000))
    told = read(f"/api/{resource}/{row.pk}/").headers["Last-Modified"]

    response = write(client, method, resource, row.pk, **{"If-Unmodified-Since": told})

    assert response.status_code == (204 if method == "delete" else 200)


@pytest.mark.parametrize("resource", DATED)
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("date", [BEFORE, http_date(MOMENT.timestamp())])
def test_a_write_since_which_it_was_changed_changes_nothing(
    client: Client, read: Any, resource: str, method: str, date: str
) -> None:
    row = MAKERS[resource]()
    let_be_changed_at(MOMENT.replace(microsecond=1))
    before = read(f"/api/{resource}/{row.pk}/")

    response = write(client, method, resource, row.pk, **{"If-Unmodified-Since": date})

    assert response.status_code == 412
    assert "If-Unmodified-Since" in response.json()["detail"]
    assert {name: response.headers[name] for name in ("ETag", "Last-Modified")} == {
        name: before.headers[name] for name in ("ETag", "Last-Modified")
    }
    assert read(f"/api/{resource}/{row.pk}/").content == before.content


def test_another_file_may_have_a_date_as_its_condition(client: Client) -> None:
    media = make_image()
    let_be_changed_at(MOMENT)

    for date, status in ((BEFORE, 412), (http_date(MOMENT.timestamp()), 200)):
        headers = {"If-Unmodified-Since": date}
        response = client.put(f"/api/media/{media.pk}/file/", upload(), format="multipart", headers=headers)
        assert response.status_code == status


@pytest.mark.parametrize("date", ["Monday, 02-Mar-26 10:41:07 GMT", "Mon Mar  2 10:41:07 2026"])
def test_old_ways_to_write_a_date_are_read(client: Client, date: str) -> None:
    portfolio = make_portfolio()
    let_be_changed_at(MOMENT)

    assert write(client, "patch", "portfolios", portfolio.pk, **{"If-Unmodified-Since": date}).status_code == 200


@pytest.mark.parametrize(
    "date", ["", "yesterday", "2026-03-02T10:41:07Z", "Tue, 31 Feb 2026 10:41:07 GMT", "1772448067"]
)
def test_what_is_no_date_is_a_400_that_names_it(client: Client, date: str) -> None:
    portfolio = make_portfolio()

    response = write(client, "patch", "portfolios", portfolio.pk, **{"If-Unmodified-Since": date})

    assert response.status_code == 400
    assert list(response.json()) == ["If-Unmodified-Since"]


@pytest.mark.parametrize("date", [BEFORE, "yesterday"])
def test_a_tag_is_asked_for_rather_than_a_date(client: Client, date: str) -> None:
    portfolio = make_portfolio()

    headers = {"If-Match": "*", "If-Unmodified-Since": date}
    assert write(client, "patch", "portfolios", portfolio.pk, **headers).status_code == 200
    headers = {"If-Match": OTHER_TAG, "If-Unmodified-Since": AFTER}
    assert write(client, "patch", "portfolios", portfolio.pk, **headers).status_code == 412


# Requests that take none


def takes(route: Route, header: str) -> bool:
    if route.path == "/api/media/<int:pk>/file/":
        return True
    resource = route.path.split("/")[2]
    is_write = route.method in {"PUT", "PATCH", "DELETE"} and resource in MAKERS
    return is_write and (header == "If-Match" or resource in DATED)


@pytest.mark.parametrize(("header", "value"), [("If-Match", "*"), ("If-Unmodified-Since", AFTER)])
def test_every_other_request_with_a_condition_is_a_400_that_names_it(
    client_for: Callable[..., Client], admin: User, read: Any, header: str, value: str
) -> None:
    client = client_for(admin)
    routes = [route for route in api_routes() if not takes(route, header)]
    assert len(routes) > 20
    for route in routes:
        path = route.path.replace("<int:pk>", "1").replace("<str:slug>", "slug")
        answers = [getattr(client, route.method.lower())(path, headers={header: value})]
        answers += [client.head(path, headers={header: value})] if route.method == "GET" else []
        for response in answers:
            assert response.status_code == 400, route
        assert list(answers[0].json()) == [header], route
        assert header in answers[0].json()[header][0]


def test_a_read_that_is_in_memory_is_refused_too(read: Any) -> None:
    path = f"/api/tags/{make_tag().pk}/"
    assert read(path).status_code == 200

    assert read(path, **{"If-Match": "*"}).status_code == 400
    assert read(path).status_code == 200


# What is asked first


def test_who_may_is_asked_before_any_condition(db: None, client_for: Callable[..., Client]) -> None:
    tag = make_tag()
    reader = client_for(make_user(is_staff=True, codes=[4223]))

    for condition in ("*", OTHER_TAG, "garbage"):
        headers = {"If-Match": condition}
        assert Client().patch(f"/api/tags/{tag.pk}/", {}, headers=headers).status_code == 401
        refused = reader.patch(f"/api/tags/{tag.pk}/", {"name": "x"}, headers=headers)
        assert refused.status_code == 403
        assert "ETag" not in refused.headers


@pytest.mark.parametrize("condition", ["*", OTHER_TAG])
def test_what_is_not_there_is_a_404(client: Client, condition: str) -> None:
    headers = {"If-Match": condition}

    assert client.patch("/api/tags/9/", {"name": "x"}, headers=headers).status_code == 404
    assert client.delete("/api/tags/9/", headers=headers).status_code == 404
    assert client.put("/api/media/9/file/", upload(), format="multipart", headers=headers).status_code == 404


def test_a_condition_is_judged_before_the_body(client: Client) -> None:
    tag = make_tag()

    response = client.patch(f"/api/tags/{tag.pk}/", {"nmae": "x"}, headers={"If-Match": OTHER_TAG})

    assert response.status_code == 412


def test_what_uses_a_row_is_told_only_to_who_has_seen_it(client: Client) -> None:
    employer = make_employer()
    make_portfolio(employer=employer)

    assert client.delete(f"/api/employers/{employer.pk}/", headers={"If-Match": OTHER_TAG}).status_code == 412
    assert client.delete(f"/api/employers/{employer.pk}/", headers={"If-Match": "*"}).status_code == 409


@EVERY
@pytest.mark.parametrize("method", ["patch", "delete"])
def test_the_row_is_locked_before_its_condition_is_judged(client: Client, resource: str, method: str) -> None:
    pk = MAKERS[resource]().pk
    table = "metaentry" if resource == "meta" else resource.removesuffix("s")

    with CaptureQueriesContext(connection) as captured:
        assert write(client, method, resource, pk, **{"If-Match": OTHER_TAG}).status_code == 412

    queries = [query["sql"] for query in captured]
    begun = next(number for number, sql in enumerate(queries) if sql.startswith("SAVEPOINT"))
    inside = [sql for sql in queries[begun:] if sql.startswith("SELECT") and f'_{table}"."id"' in sql]
    assert len(inside) >= 2, "once to lock the row, once to read its document"
    if connection.vendor == "postgresql":
        assert locks(inside[0])
        assert not locks(inside[-1])
