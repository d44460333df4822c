"""What any program writes to the database is found by the next search, and folded by the server soon after."""

import time
from typing import Any

import pytest

from tests.live import Server, Session
from tests.writers import Database

from .made import create, portfolio, unique


def found(api: Session, text: str) -> list[int]:
    return [row["id"] for row in api.get("/api/portfolios/", params={"search": text}).json()["results"]]


def statements(pk: int, employer: int, word: str) -> dict[str, str]:
    """Return SQL of other programs that makes a portfolio found by the word."""
    return {
        "title": f"UPDATE portfolios_portfolio SET title = '{word} x' WHERE id = {pk}",
        "employer": f"UPDATE portfolios_employer SET name = '{word}' WHERE id = {employer}",
        "date": f"UPDATE portfolios_portfolio SET excerpt = '{word}', completed_at = NULL WHERE id = {pk}",
    }


@pytest.mark.parametrize("what", ["title", "employer", "date"])
def test_a_bare_programs_write_is_found_at_once(api: Session, server: Server, what: str) -> None:
    word = unique("bare").replace("-", "")
    employer = create(api, "/api/employers/", name=unique("employer"))["id"]
    made: Any = create(api, "/api/portfolios/", **portfolio(employer=employer))
    assert found(api, word) == []

    Database(server).execute(statements(made["id"], employer, f"É{word}")[what])

    assert found(api, f"e{word}") == [made["id"]]
    end = time.monotonic() + 30
    while Database(server).execute("SELECT COUNT(*) FROM portfolios_search_due") != [(0,)]:
        assert time.monotonic() < end, "nobody folds what is due"
        time.sleep(0.2)
    assert found(api, f"É{word}".lower()) == [made["id"]]

    Database(server).execute(
        f"UPDATE portfolios_portfolio SET title = 'gone {word[4:]}', employer_id = NULL, excerpt = 'x' "
        f"WHERE id = {made['id']}"
    )

    assert found(api, f"e{word}") == []


def test_a_bare_programs_insert_and_delete_are_known_at_once(api: Session, server: Server) -> None:
    word = unique("bare").replace("-", "")
    Database(server).execute(
        'INSERT INTO portfolios_portfolio (title, slug, excerpt, "order", is_active, created_at, updated_at) '
        f"VALUES ('{word}', '{word}', 'x', 0, true, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')"
    )

    assert len(found(api, word)) == 1

    Database(server).execute(f"DELETE FROM portfolios_portfolio WHERE slug = '{word}'")

    assert found(api, word) == []
    assert api.get("/api/portfolios/", params={"search": word}).json()["count"] == 0
