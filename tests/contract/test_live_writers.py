"""Concurrent writers on a real server: one of those that want the same wins, and no write is lost."""

from typing import Any

import pytest
import requests

from tests.live import Server, Session

from .made import create, key_of, portfolio, together, unique


@pytest.mark.parametrize("same", [["slug"], ["title"], ["title", "slug"]], ids="+".join)
def test_one_of_many_that_create_the_same_wins(api: Session, server: Server, same: list[str]) -> None:
    shared = {name: unique("race") for name in same}

    def post(number: int) -> requests.Response:
        return server.session(str(api.headers["Authorization"]).removeprefix("Token ")).post(
            "/api/portfolios/", json=portfolio(**shared)
        )

    responses = together(8, post)

    assert sorted(response.status_code for response in responses) == [201, *[400] * 7]
    for response in responses:
        if response.status_code == 400:
            assert set(response.json()) <= set(same)
            assert response.json()
    field = same[-1]
    listed = api.get("/api/portfolios/", params={"search": shared[field]}).json()
    assert listed["count"] == 1


@pytest.mark.parametrize("path", ["/api/tags/", "/api/employers/"])
def test_one_of_many_that_create_the_same_name_wins(api: Session, path: str) -> None:
    name = unique("race")

    responses = together(8, lambda number: Session(api.url, key_of(api)).post(path, json={"name": name}))

    assert sorted(response.status_code for response in responses) == [201, *[400] * 7]
    assert {tuple(response.json()) for response in responses if response.status_code == 400} == {("name",)}


def test_no_write_is_lost_and_none_fails(api: Session) -> None:
    made = create(api, "/api/portfolios/", **portfolio())
    tags = [create(api, "/api/tags/", name=unique("tag"))["id"] for _ in range(2)]
    employer = create(api, "/api/employers/", name=unique("employer"))["id"]
    path = f"/api/portfolios/{made['id']}/"
    rounds = 6
    final = unique("final")
    fields: list[dict[str, Any]] = [
        {"title": final},
        {"slug": final},
        {"excerpt": final},
        {"description": final},
        {"order": 77},
        {"completed_at": "2025-01-02T03:04:05Z", "employer": employer},
        {"tags": tags},
        {"meta": [{"key": "final", "value_text": final}]},
    ]

    def write(number: int) -> list[int]:
        session = Session(api.url, key_of(api))
        statuses = []
        for _ in range(rounds):
            if number < len(fields):
                statuses.append(session.patch(path, json=fields[number]).status_code)
            elif number == len(fields):
                statuses.append(session.post("/api/links/", json={"portfolio": made["id"], "name": "link"}).status_code)
            else:
                statuses.append(session.post("/api/portfolios/", json=portfolio(excerpt=f"Of {final}")).status_code)
        return statuses

    statuses = together(len(fields) + 3, write)

    assert statuses == [*[[200] * rounds] * len(fields), *[[201] * rounds] * 3]
    now = api.get(path).json()
    assert [now[name] for name in ("title", "slug", "excerpt", "description")] == [final] * 4
    assert (now["order"], now["completed_at"]) == (77, "2025-01-02T03:04:05Z")
    assert now["employer_data"]["id"] == employer
    assert [tag["id"] for tag in now["tags_data"]] == tags
    assert [(entry["key"], entry["value_text"]) for entry in now["meta"]] == [("final", final)]
    assert len(now["links_data"]) == rounds
    assert api.get("/api/portfolios/", params={"search": f"of {final}"}).json()["count"] == 2 * rounds


def test_each_writer_is_answered_with_its_own_write(api: Session) -> None:
    tags = [create(api, "/api/tags/", name=unique("tag"))["id"] for _ in range(4)]
    path = f"/api/portfolios/{create(api, '/api/portfolios/', **portfolio())['id']}/"

    def write(number: int) -> list[Any]:
        session, body = Session(api.url, key_of(api)), {"order": number, "tags": tags[:number]}
        return [session.patch(path, json=body).json() for _ in range(10)]

    for number, documents in enumerate(together(4, write)):
        for document in documents:
            assert document["order"] == number
            assert [tag["id"] for tag in document["tags_data"]] == tags[:number]


def test_the_same_bytes_uploaded_together_are_stored_once(api: Session) -> None:
    for _ in range(3):
        content = unique("words").encode()

        def send(number: int, content: bytes = content) -> tuple[int, int]:
            file = {"file": (f"{number}.txt", content)}
            response = api.post("/api/media/?deduplicate=true", files=file)
            return response.status_code, response.json()["id"]

        answers = together(8, send)

        assert sorted(status for status, _ in answers) == [200] * 7 + [201]
        assert len({pk for _, pk in answers}) == 1
