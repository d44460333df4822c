"""Requests with an `Idempotency-Key`."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from folio.media.models import Media
from folio.portfolios.models import Employer, Link, MetaEntry, Portfolio, Tag
from tests.conftest import Client
from tests.factories import draw, make_portfolio

KEY = "9b2f6c1e-1f0a-4a4e-9f0e-6d1f7d0c5a11"

TAG = {"name": "print"}
MODELS: dict[str, Any] = {
    "portfolios": Portfolio,
    "employers": Employer,
    "tags": Tag,
    "links": Link,
    "meta": MetaEntry,
    "media": Media,
}


def body_of(resource: str) -> dict[str, Any]:
    """Return a body that makes a row; each call gives another object with the same content."""
    owner = {"portfolio": (Portfolio.objects.first() or make_portfolio()).pk} if resource in {"links", "meta"} else {}
    bodies: dict[str, dict[str, Any]] = {
        "portfolios": {"title": "New", "slug": "new", "excerpt": "E.", "links": [{"name": "a"}]},
        "employers": {"name": "new"},
        "tags": {"name": "new"},
        "links": owner | {"name": "new"},
        "meta": owner | {"key": "new"},
        "media": {"file": SimpleUploadedFile("new.png", draw()), "alt": "A picture."},
    }
    return bodies[resource]


def post(client: Client, resource: str, body: Any = None, key: str = KEY, query: str = "") -> Any:
    format = "multipart" if resource == "media" else "json"
    body = body_of(resource) if body is None else body
    return client.post(f"/api/{resource}/{query}", body, format=format, headers={"Idempotency-Key": key})


def is_replayed(response: Any) -> bool:
    assert response.headers.get("Idempotency-Replayed", "true") == "true"
    return "Idempotency-Replayed" in response.headers
