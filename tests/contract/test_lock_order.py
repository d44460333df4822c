"""Who changes what belongs to a portfolio locks the portfolio first.

A change of the whole portfolio locks it and then its rows. The other way round, the two would wait for each other until
PostgreSQL ends one of them.
"""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folio.api.parsers import JSONParser
from tests.conftest import Client
from tests.factories import make_link, make_meta, make_portfolio, make_tag

CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("patch", "portfolios", {"links": [], "meta": []}),
    ("delete", "portfolios", {}),
    ("patch", "links", {"name": "other"}),
    ("delete", "links", {}),
    ("patch", "meta", {"key": "other"}),
    ("delete", "meta", {}),
    ("delete", "tags", {}),
]


def locks(statement: str) -> bool:
    """Tell whether a statement locks rows; on SQLite, whether it would on PostgreSQL."""
    if connection.vendor == "sqlite":
        return statement.startswith('SELECT "portfolios_')
    return statement.startswith(("UPDATE", "DELETE")) or " FOR UPDATE" in statement


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_a_body_is_read_before_anyone_has_to_wait(client: Client, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come slowly, and SQLite has one writer at a time."""
    path = "/api/tags/" if method == "post" else f"/api/tags/{make_tag().pk}/"
    within: list[int] = []
    parse = JSONParser.parse

    def noted(*args: Any) -> Any:
        within.append(len(connection.savepoint_ids))
        return parse(*args)

    monkeypatch.setattr(JSONParser, "parse", noted)
    before = len(connection.savepoint_ids)

    assert getattr(client, method)(path, {"name": "new"}).status_code in {200, 201}
    assert within == [before]


@pytest.mark.parametrize(("method", "resource", "body"), CHANGES)
def test_the_portfolio_is_locked_before_what_belongs_to_it(
    client: Client, method: str, resource: str, body: dict[str, Any]
) -> None:
    tag = make_tag()
    portfolio = make_portfolio(tags=[tag])
    row = {"portfolios": portfolio, "links": make_link(portfolio), "meta": make_meta(portfolio), "tags": tag}[resource]

    with CaptureQueriesContext(connection) as captured:
        response = getattr(client, method)(f"/api/{resource}/{row.pk}/", body)

    assert response.status_code in {200, 204}
    first = next(query["sql"] for query in captured if locks(query["sql"]))
    assert first.startswith('SELECT "portfolios_portfolio"."id"')
