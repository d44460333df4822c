"""Who changes what belongs to a portfolio locks the portfolio first.

A change of the whole portfolio locks it and then its rows. The other way round, the two would wait for each other until
PostgreSQL ends one of them.
"""

from typing import Any

import pytest
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.api.parsers import JSONParser
from folio.portfolios.models import Portfolio
from tests.conftest import Client
from tests.factories import make_employer, make_link, make_media, make_meta, make_portfolio, make_tag
from tests.forms import shown_values

CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("patch", "portfolios", {"links": [], "meta": []}),
    ("delete", "portfolios", {}),
    ("patch", "links", {"name": "other"}),
    ("delete", "links", {}),
    ("patch", "meta", {"key": "other"}),
    ("delete", "meta", {}),
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
    portfolio = make_portfolio()
    row = {"portfolios": portfolio, "links": make_link(portfolio), "meta": make_meta(portfolio)}[resource]

    with CaptureQueriesContext(connection) as captured:
        response = getattr(client, method)(f"/api/{resource}/{row.pk}/", body)

    assert response.status_code in {200, 204}
    first = next(query["sql"] for query in captured if locks(query["sql"]))
    assert first.startswith('SELECT "portfolios_portfolio"."id"')


SHOWN: list[tuple[str, str, dict[str, Any]]] = [
    ("patch", "media", {"alt": "other"}),
    ("patch", "tags", {"name": "other"}),
    ("put", "employers", {"name": "other"}),
    ("delete", "tags", {}),
    ("page", "media", {"alt": "other"}),
    ("page", "tags", {"name": "other"}),
    ("page", "employers", {"name": "other"}),
]


@pytest.mark.parametrize(("method", "resource", "body"), SHOWN)
def test_what_shows_a_row_is_locked_before_it(
    client: Client, site: Site, method: str, resource: str, body: dict[str, Any]
) -> None:
    """A change of what is shown is written into the portfolios too; on SQLite there is one writer anyway."""
    if connection.vendor == "sqlite":
        pytest.skip("There are no locks of rows.")
    rows: dict[str, Any] = {"media": make_media(), "tags": make_tag(), "employers": make_employer()}
    portfolio = make_portfolio(image=rows["media"], tags=[rows["tags"]], employer=rows["employers"])
    row = rows[resource]
    url = f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"
    shown = shown_values(site.get(url)) | body
    change = site.post if method == "page" else getattr(client, method)

    with CaptureQueriesContext(connection) as captured:
        response = change(url, shown) if method == "page" else change(f"/api/{resource}/{row.pk}/", body)

    assert response.status_code in {200, 204, 302}
    first = next(query["sql"] for query in captured if locks(query["sql"]))
    assert first.startswith('SELECT "portfolios_portfolio"."id"')
    assert Portfolio.objects.get(pk=portfolio.pk).shown_at > portfolio.updated_at
