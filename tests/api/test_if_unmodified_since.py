"""`Last-Modified` tells when a row was changed, and `If-Unmodified-Since` asks that it was not since."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils.http import http_date

from folio.media.models import Media
from folio.portfolios.models import Portfolio
from tests.conftest import Client
from tests.factories import make_image, make_portfolio

from .conditions import AFTER, BEFORE, DATED, MAKERS, MOMENT, OTHER_TAG, upload, write


def let_be_changed_at(moment: datetime) -> None:
    for model in (Portfolio, Media):
        model.objects.update(updated_at=moment)


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
