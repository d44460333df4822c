"""Conditions and keys of writes that meet: many clients on a real server with two workers, which all want the same."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.factories import draw
from tests.live import Server, Session

from .made import together, unique

MANY = 8
ROUNDS = 3


def new(api: Session, resource: str) -> int:
    """Make a row and return its id."""
    name = unique("row")
    bodies: dict[str, Callable[[], dict[str, Any]]] = {
        "portfolios": lambda: {"title": name, "slug": name, "excerpt": "E."},
        "tags": lambda: {"name": name},
        "employers": lambda: {"name": name},
        "links": lambda: {"portfolio": new(api, "portfolios"), "name": name},
        "meta": lambda: {"portfolio": new(api, "portfolios"), "key": name},
    }
    if resource == "media":
        response = api.post("/api/media/", files={"file": (f"{name}.txt", name.encode())})
    else:
        response = api.post(f"/api/{resource}/", json=bodies[resource]())
    assert response.status_code == 201, response.text
    pk: int = response.json()["id"]
    return pk


FIELDS = {
    "portfolios": "title",
    "tags": "name",
    "employers": "name",
    "links": "name",
    "meta": "key",
    "media": "name",
}


@pytest.mark.parametrize("resource", FIELDS)
def test_of_many_changes_with_the_same_tag_one_is_carried_out(api: Session, server: Server, resource: str) -> None:
    for _ in range(ROUNDS):
        path = f"/api/{resource}/{new(api, resource)}/"
        seen = api.get(path).headers["ETag"]

        def change(number: int, path: str = path, seen: str = seen) -> tuple[int, str, str]:
            body = {FIELDS[resource]: unique(f"by {number}")}
            response = server.session(server.key).patch(path, json=body, headers={"If-Match": seen})
            return response.status_code, response.headers["ETag"], body[FIELDS[resource]]

        answers = together(MANY, change)

        assert Counter(status for status, _, _ in answers) == {200: 1, 412: MANY - 1}
        [winner] = [(etag, name) for status, etag, name in answers if status == 200]
        assert {etag for _, etag, _ in answers} == {winner[0]}, "the others are told what there is now"
        found = api.get(path, headers={"Accept-Encoding": "identity"})
        assert (found.headers["ETag"], found.json()[FIELDS[resource]]) == winner


def test_of_a_change_and_deletions_with_the_same_tag_one_is_carried_out(api: Session, server: Server) -> None:
    for _ in range(ROUNDS):
        path = f"/api/portfolios/{new(api, 'portfolios')}/"
        headers = {"If-Match": api.get(path).headers["ETag"]}

        def change(number: int, path: str = path, headers: dict[str, str] = headers) -> int:
            session = server.session(server.key)
            if number % 2:
                return session.delete(path, headers=headers).status_code
            return session.patch(path, json={"order": number + 1}, headers=headers).status_code

        statuses = Counter(together(MANY, change))

        assert statuses[200] + statuses[204] == 1
        assert set(statuses) <= ({200, 412} if statuses[200] else {204, 404})


def test_of_a_portfolio_and_its_links_one_is_changed(api: Session, server: Server) -> None:
    link = new(api, "links")
    portfolio = api.get(f"/api/links/{link}/").json()["portfolio"]
    seen = api.get(f"/api/portfolios/{portfolio}/").headers["ETag"]

    def change(number: int) -> int:
        session = server.session(server.key)
        if number % 2:
            return session.patch(f"/api/links/{link}/", json={"name": f"by {number}"}).status_code
        body = {"links": [{"id": link, "name": f"by {number}"}]}
        return session.patch(f"/api/portfolios/{portfolio}/", json=body, headers={"If-Match": seen}).status_code

    statuses = together(MANY, change)

    assert set(statuses[1::2]) == {200}
    assert Counter(statuses[::2])[200] <= 1, "who came after another change was told"


@pytest.mark.parametrize("resource", ["portfolios", "tags", "media"])
def test_what_many_send_with_the_same_key_is_made_once(api: Session, server: Server, resource: str) -> None:
    for _ in range(ROUNDS):
        name = unique("once")
        request: dict[str, Any] = {"json": {"title": name, "slug": name, "excerpt": "E."}}
        if resource == "tags":
            request = {"json": {"name": name}}
        if resource == "media":
            request = {"files": {"file": (f"{name}.png", draw((800, 600)))}, "data": {"name": name}}

        def send(number: int, request: dict[str, Any] = request, name: str = name) -> Any:
            session = server.session(server.key)
            return session.post(f"/api/{resource}/", **request, headers={"Idempotency-Key": name})

        answers = together(MANY, send)

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert len({answer.headers["ETag"] for answer in answers}) == 1
        assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == MANY - 1
        assert api.get(f"/api/{resource}/?search={name}").json()["count"] == 1


def test_a_refusal_that_many_ask_for_with_the_same_key_is_one(api: Session, server: Server) -> None:
    name = unique("there")
    api.post("/api/tags/", json={"name": name})

    def send(number: int) -> Any:
        session = server.session(server.key)
        return session.post("/api/tags/", json={"name": name}, headers={"Idempotency-Key": name})

    answers = together(MANY, send)

    assert {answer.status_code for answer in answers} == {400}
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == MANY - 1


def test_of_many_bodies_with_the_same_key_one_is_made(api: Session, server: Server) -> None:
    name = unique("one")

    def send(number: int) -> int:
        session = server.session(server.key)
        headers = {"Idempotency-Key": name}
        return session.post("/api/tags/", json={"name": f"{name} {number}"}, headers=headers).status_code

    assert Counter(together(MANY, send)) == {201: 1, 409: MANY - 1}
    assert api.get(f"/api/tags/?search={name}").json()["count"] == 1


@pytest.mark.parametrize("resource", ["tags", "employers"])
def test_of_many_that_want_one_slug_the_others_are_told_so(api: Session, server: Server, resource: str) -> None:
    slug, word = unique("slug"), unique("word").replace("_", " ")

    def post(number: int) -> tuple[int, Any]:
        body = {"name": unique(f"by {number}"), "slug": slug}
        response = server.session(server.key).post(f"/api/{resource}/", json=body)
        return response.status_code, response.json()

    answers = together(MANY, post)

    assert Counter(status for status, _ in answers) == {201: 1, 400: MANY - 1}
    assert [list(answer) for status, answer in answers if status == 400] == [["slug"]] * (MANY - 1)

    def post_alike(number: int) -> Any:
        response = server.session(server.key).post(f"/api/{resource}/", json={"name": f"{word}{'!' * number}"})
        assert response.status_code in {201, 409}, response.text  # one that lost three times is told so
        return response.json().get("slug")

    slugs = [slug for slug in together(MANY, post_alike) if slug]
    assert len(set(slugs)) == len(slugs) > 1


def test_of_many_captions_of_one_gallery_none_is_lost(api: Session, server: Server) -> None:
    files = [api.post("/api/media/", files={"file": (f"{number}.png", draw())}).json()["id"] for number in range(MANY)]
    path = f"/api/portfolios/{new(api, 'portfolios')}/"
    api.patch(path, json={"images": files})

    def patch(number: int) -> int:
        body = {"captions": {str(files[number]): f"of {number}"}}
        return server.session(server.key).patch(path, json=body).status_code

    assert together(MANY, patch) == [200] * MANY
    found = api.get(f"{path}?include=captions").json()["captions"]
    assert found == {str(pk): f"of {number}" for number, pk in enumerate(files)}
