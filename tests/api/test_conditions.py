"""Conditions of writes: which requests take none, and what is asked before a condition and after it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Client
from tests.contract.routes import Route, api_routes
from tests.contract.test_lock_order import locks
from tests.factories import make_employer, make_portfolio, make_tag, make_user

from .conditions import AFTER, DATED, EVERY, MAKERS, OTHER_TAG, upload, write

# Requests that take none


def takes(route: Route, header: str) -> bool:
    if route.path == "/api/media/<int:pk>/file/":
        return True
    if route.path == "/api/webhooks/<int:pk>/" and route.method != "GET":
        return header == "If-Match"
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
    if connection.vendor == "postgresql":  # a media's file is read first, to lock the portfolios that name it
        assert any(locks(sql) for sql in inside[:-1])
        assert not locks(inside[-1])
