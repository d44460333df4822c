"""What is due is folded by the next write, as far as that stays quick, and by a task."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folio.portfolios.models import Portfolio, Tag
from folio.portfolios.searching import due
from folio.portfolios.searching.due import due_now, fold_all, is_anything_due
from folio.portfolios.searching.stores import store
from folio.tasks.models import Task
from folio.tasks.runner import Runner
from tests.conftest import Client
from tests.factories import make_portfolio, make_tag

from .found import found, sql

pytestmark = pytest.mark.django_db


def test_a_write_folds_what_it_writes(client: Client) -> None:
    body: dict[str, Any] = {
        "title": "Needle",
        "slug": "needle",
        "excerpt": "x",
        "tags": [make_tag().pk for _ in range(40)],
        "meta": [{"key": f"k{number}", "value_text": "v"} for number in range(40)],
    }

    assert client.post("/api/portfolios/", body, format="json").status_code == 201

    assert not due_now()
    assert found("needle") == ["needle"]


def test_a_write_that_fails_leaves_nothing(client: Client) -> None:
    make_portfolio(slug="taken")
    before = due_now()

    assert client.post("/api/portfolios/", {"title": "a", "slug": "taken", "excerpt": "x"}).status_code == 400

    assert due_now() == before


def test_a_text_that_cannot_be_folded_keeps_nobody_from_writing(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(ids: list[int]) -> None:
        sql("SELECT no_such_column FROM portfolios_portfolio")

    monkeypatch.setattr(due, "put", fail)

    assert client.post("/api/portfolios/", {"title": "Needle", "slug": "n", "excerpt": "x"}).status_code == 201

    assert found("needle") == ["n"]
    assert "could not be folded" in caplog.text


def test_a_write_folds_some_of_what_others_wrote(client: Client) -> None:
    for _ in range(due.FEW + 5):
        make_portfolio()

    client.post("/api/tags/", {"name": "new"})

    assert len(due_now().ids) == 5


def test_a_renamed_tag_of_many_is_left_to_a_task(client: Client) -> None:
    tag = make_tag(name="before")
    for number in range(due.FEW + 1):
        make_portfolio(slug=f"p{number}", tags=[tag])
    fold_all()

    assert client.patch(f"/api/tags/{tag.pk}/", {"name": "after"}).status_code == 200

    assert len(due_now().ids) == due.FEW + 1
    assert len(found("after")) == due.FEW + 1
    assert found("before") == []
    runner = Runner()
    runner.run_due()
    runner.close_leases()
    assert not due_now()
    assert not Task.objects.exists()
    assert len(found("after")) == due.FEW + 1
    assert found("before") == []


def test_many_are_folded_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "BATCH", 3)
    monkeypatch.setattr(due.fold_some, "__defaults__", (3,))
    monkeypatch.setattr(due, "TELLING", 0)
    tag = make_tag(name="shared")
    for number in range(10):
        make_portfolio(slug=f"p{number}", tags=[tag])
    left: list[int] = []

    fold_all(left.append)
    Tag.objects.update(name="renamed")
    fold_all(left.append)

    assert len(left) > 7
    assert left.count(0) >= 2
    assert not is_anything_due()
    assert len(found("renamed")) == 10


def test_how_many_are_left_is_counted_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due.fold_some, "__defaults__", (1,))
    monkeypatch.setattr(due, "TELLING", 3_600)
    for _ in range(10):
        make_portfolio()
    left: list[int] = []

    fold_all(left.append)

    assert len(left) == 2
    assert left[-1] == 0


def test_whoever_finds_another_one_folding_leaves_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(store()), "take_turn", lambda self: False)

    assert client.post("/api/portfolios/", {"title": "Needle", "slug": "n", "excerpt": "x"}).status_code == 201

    assert found("needle") == ["n"]
    assert is_anything_due()


def test_a_write_during_the_folding_stays_due(monkeypatch: pytest.MonkeyPatch) -> None:
    make_portfolio(slug="match", title="before")
    plain = due.put

    def put_and_write(ids: list[int]) -> None:
        plain(ids)
        sql("UPDATE portfolios_portfolio SET title = 'after'")

    monkeypatch.setattr(due, "put", put_and_write)
    due.fold_some()

    assert is_anything_due()
    assert found("after") == ["match"]
    assert found("before") == []


def test_searches_read_any_number_that_are_due_in_bounded_parts() -> None:
    Portfolio.objects.bulk_create(
        Portfolio(title=f"Title {number}", slug=f"s{number}", excerpt="needle") for number in range(1200)
    )

    with CaptureQueriesContext(connection) as captured:
        assert len(found("needle")) == 1200

    assert max(len(str(query["sql"])) for query in captured.captured_queries) < 60_000
    assert len(captured) < 15


def test_a_search_asks_a_bounded_number_of_queries() -> None:
    make_portfolio(title="Harbour museum")
    fold_all()

    def queries(text: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            found(text)
        return len(captured)

    assert queries("harbour") == queries("har mus") + 1 == 4
    assert queries("harbour museum") == 4
    assert queries(" ".join(f"nothing{number}" for number in range(32))) == queries("harbuor museum") == 7


def test_searches_write_nothing() -> None:
    make_portfolio(title="Harbour")

    with CaptureQueriesContext(connection) as captured:
        found("harbour")
        found("harbuor")

    assert {str(query["sql"]).split()[0] for query in captured.captured_queries} <= {"SELECT", "WITH"}
    assert is_anything_due()
