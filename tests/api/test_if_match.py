"""Writes are answered with the tag of what there is now, and `If-Match` asks for the one of what was seen."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from tests.conftest import Client
from tests.factories import draw, make_employer, make_image, make_link, make_media, make_portfolio, make_tag

from .conditions import CHANGES, EVERY, MAKERS, OTHER_TAG, upload, write

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
    for answer in (before, after):
        answer.headers.pop("RateLimit")  # which counts
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
