"""`Idempotency-Key`: what is sent again is answered with what was answered first, and made once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from folio.access.models import KeptAnswer, Token
from folio.media.models import Media
from tests.conftest import Client
from tests.contract.routes import api_routes
from tests.factories import draw, make_image, make_tag

from .keyed import KEY, MODELS, TAG, body_of, is_replayed, post

EVERY = pytest.mark.parametrize("resource", MODELS)

# Sent again


@EVERY
def test_what_is_sent_again_is_answered_as_it_was_first_and_made_once(client: Client, resource: str) -> None:
    first = post(client, resource)
    count, entries = MODELS[resource].objects.count(), LogEntry.objects.count()

    again = [post(client, resource) for _ in range(2)]

    assert first.status_code == 201, first.json()
    assert not is_replayed(first)
    for response in again:
        assert is_replayed(response)
        assert (response.status_code, response.content) == (201, first.content)
        for name in ("Location", "ETag", "Content-Type", "Last-Modified"):
            assert response.headers.get(name) == first.headers.get(name)
    assert (MODELS[resource].objects.count(), LogEntry.objects.count()) == (count, entries)


@EVERY
def test_what_was_deleted_since_is_answered_as_it_was_first(client: Client, media_root: Path, resource: str) -> None:
    first = post(client, resource)
    assert client.delete(f"/api/{resource}/{first.json()['id']}/").status_code == 204

    again = post(client, resource)

    assert (again.status_code, again.content, is_replayed(again)) == (201, first.content, True)
    assert not MODELS[resource].objects.filter(pk=first.json()["id"]).exists()


def test_the_same_body_may_be_written_otherwise(client: Client) -> None:
    def send(body: str) -> Any:
        headers = {"Idempotency-Key": KEY}
        return client.post("/api/employers/", body.encode(), content_type="application/json", headers=headers)

    first = send('{"name": "Ünï", "description": null}')

    again = send('{ "description" : null,\n "name": "\\u00dcn\\u00ef"}')

    assert (again.content, is_replayed(again)) == (first.content, True)


def test_a_large_answer_is_given_again_byte_by_byte(client: Client) -> None:
    body = body_of("portfolios") | {"links": [{"name": f"ł {n}", "description": "x" * n} for n in range(500)]}

    first, again = post(client, "portfolios", body), post(client, "portfolios", body)

    assert (first.status_code, again.content, is_replayed(again)) == (201, first.content, True)


def test_the_same_file_may_have_another_name(client: Client) -> None:
    first = post(client, "media", {"file": SimpleUploadedFile("a.png", draw()), "alt": "x"})

    again = post(client, "media", {"alt": "x", "file": SimpleUploadedFile("b.png", draw())})

    assert (again.content, is_replayed(again)) == (first.content, True)
    assert Media.objects.count() == 1


def test_a_media_that_was_there_is_answered_again(client: Client) -> None:
    media = make_image()
    first = post(client, "media", query="?deduplicate=true")
    client.delete(f"/api/media/{media.pk}/")

    again = post(client, "media", query="?deduplicate=true")

    assert (first.status_code, first.json()["id"]) == (200, media.pk)
    assert (again.status_code, again.content, is_replayed(again)) == (200, first.content, True)


# Another request


@pytest.mark.parametrize(
    ("resource", "body", "query"),
    [
        ("tags", {"name": "other"}, ""),
        ("tags", {"name": "new", "image": None}, ""),
        ("tags", [], ""),
        ("employers", {"name": "new"}, ""),
        ("portfolios", None, ""),
    ],
)
def test_another_request_with_the_key_is_a_409(client: Client, resource: str, body: Any, query: str) -> None:
    post(client, "tags")
    count = MODELS[resource].objects.count()

    response = post(client, resource, body, query=query)

    assert (response.status_code, list(response.json()), is_replayed(response)) == (409, ["detail"], False)
    assert "Idempotency-Key" in response.json()["detail"]
    assert "Retry-After" not in response.headers
    assert MODELS[resource].objects.count() == count
    assert is_replayed(post(client, "tags")), "the first one is still kept"


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ({"file": draw((41, 30)), "alt": "A picture."}, ""),
        ({"file": draw(), "alt": "Another one."}, ""),
        ({"file": draw()}, ""),
        ({"file": draw(), "alt": "A picture.", "name": "x"}, ""),
        ({"file": draw(), "alt": "A picture."}, "?deduplicate=true"),
    ],
)
def test_another_upload_with_the_key_is_a_409(client: Client, body: dict[str, Any], query: str) -> None:
    post(client, "media")

    response = post(client, "media", body | {"file": SimpleUploadedFile("new.png", body["file"])}, query=query)

    assert response.status_code == 409
    assert Media.objects.count() == 1


def test_another_key_is_another_request(client: Client) -> None:
    assert post(client, "tags", TAG).status_code == 201

    assert post(client, "tags", TAG, key=KEY.upper()).status_code == 400, "there is such a tag by now"
    assert KeptAnswer.objects.count() == 2


def test_the_keys_of_another_api_key_are_its_own(client_for: Callable[..., Client], editor: User) -> None:
    one, other = client_for(editor), client_for(editor)
    post(one, "tags", TAG)

    response = post(other, "tags", {"name": "web"})

    assert (response.status_code, is_replayed(response)) == (201, False)


# Which keys, and where


@pytest.mark.parametrize("key", ["x", "x" * 255, '"quoted"', "!#~,;=\\", "a:b/c?d"])
def test_a_key_is_any_visible_ascii(client: Client, key: str) -> None:
    first, again = post(client, "tags", TAG, key=key), post(client, "tags", TAG, key=key)

    assert (first.status_code, again.status_code, is_replayed(again)) == (201, 201, True)


OTHER_KEYS = ["", " ", "a b", "ünï", "a\tb", "\x7f", "a\x00"]


@pytest.mark.parametrize(
    ("resource", "key"), [*((resource, "x" * 256) for resource in MODELS), *(("tags", key) for key in OTHER_KEYS)]
)
def test_another_key_is_a_400_that_names_it(client: Client, resource: str, key: str) -> None:
    body, count = body_of(resource), MODELS[resource].objects.count()

    response = post(client, resource, body, key=key)

    assert (response.status_code, list(response.json())) == (400, ["Idempotency-Key"])
    assert "255" in response.json()["Idempotency-Key"][0]
    assert MODELS[resource].objects.count() == count


def test_where_keys_are_told_it_is_a_400_that_names_it(client_for: Callable[..., Client], admin: User) -> None:
    client = client_for(admin)
    routes = [route for route in api_routes() if route.path.startswith("/api/auth/")]
    assert len(routes) >= 6
    for route in routes:
        path = route.path.replace("<int:pk>", str(Token.objects.get().pk))
        body = {"username": "ada", "password": "x", "name": "x"}
        given = {} if route.method == "GET" else {"data": body}
        response = getattr(client, route.method.lower())(path, **given, headers={"Idempotency-Key": KEY})
        assert (response.status_code, list(response.json())) == (400, ["Idempotency-Key"]), route
    assert Token.objects.count() == 1
    assert not KeptAnswer.objects.exists()


def test_what_may_be_repeated_anyway_takes_no_notice_of_it(client: Client) -> None:
    path, headers = f"/api/tags/{make_tag().pk}/", {"Idempotency-Key": KEY}

    answers = [
        client.get("/api/tags/", headers=headers),
        client.get(path, headers=headers),
        *(client.patch(path, {"name": name}, headers=headers) for name in ("a", "b")),
        client.put(path, {"name": "c"}, headers=headers),
        client.delete(path, headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 204]
    assert not any(is_replayed(answer) for answer in answers)
    assert not KeptAnswer.objects.exists()
