"""Rows that are written on conditions, and how each is changed."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.http import http_date

from folio.portfolios.models import Link
from tests.conftest import Client
from tests.factories import draw, make_employer, make_link, make_media, make_meta, make_portfolio, make_tag

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


def write(client: Client, method: str, resource: str, pk: int, **headers: str) -> Any:
    body = CHANGES[resource] | ({"portfolio": Link.objects.get().portfolio_id} if resource == "links" else {})
    if resource == "meta":
        body["portfolio"] = client.get(f"/api/meta/{pk}/").json()["portfolio"]
    return getattr(client, method)(f"/api/{resource}/{pk}/", None if method == "delete" else body, headers=headers)


def upload(content: bytes = b"", name: str = "new.png") -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, content or draw())}
