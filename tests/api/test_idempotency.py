"""`Idempotency-Key`: what is sent again is answered with what was answered first, and made once."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Semaphore
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from folio.access import models
from folio.access.models import KeptAnswer, Token
from folio.access.uses import Uses
from folio.api import idempotency
from folio.api.claims import claim
from folio.media.models import Media
from folio.portfolios.models import Employer, Link, MetaEntry, Portfolio, Tag
from tests.conftest import Client
from tests.contract.routes import api_routes
from tests.factories import draw, make_image, make_media, make_portfolio, make_tag, make_user, permissions

KEY = "9b2f6c1e-1f0a-4a4e-9f0e-6d1f7d0c5a11"
DAY = timedelta(hours=24)
TAG = {"name": "print"}
MODELS: dict[str, Any] = {
    "portfolios": Portfolio,
    "employers": Employer,
    "tags": Tag,
    "links": Link,
    "meta": MetaEntry,
    "media": Media,
}
EVERY = pytest.mark.parametrize("resource", MODELS)


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


def let_pass(time: timedelta) -> None:
    for row in KeptAnswer.objects.all():
        KeptAnswer.objects.filter(pk=row.pk).update(created_at=row.created_at - time)


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


# What is kept


def test_a_refusal_is_kept_too(client: Client) -> None:
    tag = make_tag(name="print")
    first = post(client, "tags", TAG)
    tag.delete()

    again = post(client, "tags", TAG)

    assert (first.status_code, is_replayed(first)) == (400, False)
    assert (again.status_code, again.content, is_replayed(again)) == (400, first.content, True)
    assert post(client, "tags", {"name": "other"}).status_code == 409
    assert not Tag.objects.exists()


def test_a_refused_upload_is_kept_too(client: Client) -> None:
    first = post(client, "media", {"file": SimpleUploadedFile("a.html", b"<script></script>")})

    again = post(client, "media", {"file": SimpleUploadedFile("a.html", b"<script></script>")})

    assert (first.status_code, again.status_code, is_replayed(again)) == (400, 400, True)
    assert again.content == first.content


def test_who_may_not_leaves_nothing(client_for: Callable[..., Client], staff: User) -> None:
    client = client_for(staff)
    assert post(client, "tags", TAG).status_code == 403
    assert post(Client(), "tags", TAG).status_code == 401
    assert not KeptAnswer.objects.exists()

    staff.user_permissions.add(*permissions("portfolios.add_tag"))

    assert post(client, "tags", TAG).status_code == 201


def test_the_codes_are_checked_anew(db: None, client_for: Callable[..., Client]) -> None:
    member = make_user(is_staff=True, codes=[4221])
    client = client_for(member)
    post(client, "tags", TAG)

    member.user_permissions.clear()

    assert post(client, "tags", TAG).status_code == 403
    Token.objects.all().delete()
    assert post(client, "tags", TAG).status_code == 401


def test_what_could_not_be_read_is_not_kept(client: Client, settings: Any) -> None:
    def send(body: bytes, content_type: str = "application/json") -> int:
        headers = {"Idempotency-Key": KEY}
        return int(client.post("/api/tags/", body, content_type=content_type, headers=headers).status_code)

    assert send(b'{"name": ') == 400
    assert send(b"name=print", "application/x-www-form-urlencoded") == 415
    assert send(b'{"a":' * 900 + b"1" + b"}" * 900) == 400
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert send(b'{"name": "print"}') == 413
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert post(client, "tags", TAG, query="?x=1").status_code == 400

    assert post(client, "tags", TAG).status_code == 201


def test_an_upload_that_is_too_large_is_not_kept(client: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_SIZE = 10
    assert post(client, "media").status_code == 413
    settings.MAX_UPLOAD_SIZE = 10_000

    assert post(client, "media").status_code == 201


@pytest.mark.parametrize(("error", "status"), [(OSError("gone"), 500), (OperationalError("gone"), 503)])
def test_a_failure_is_not_kept(client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(Tag, "save", fail)
        assert post(client, "tags", TAG).status_code == status

    response = post(client, "tags", TAG)

    assert (response.status_code, is_replayed(response)) == (201, False)


# Together or not at all


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("resource", ["portfolios", "links", "media"])
def test_the_answer_is_committed_with_what_it_tells_of(client: Client, resource: str) -> None:
    body = body_of(resource)
    with CaptureQueriesContext(connection) as captured:
        assert post(client, resource, body).status_code == 201

    queries = [query["sql"] for query in captured]
    begin, end = (number for number, sql in enumerate(queries) if sql.startswith(("BEGIN", "COMMIT")))
    made, kept = (
        next(number for number, sql in enumerate(queries) if sql.startswith(f'INSERT INTO "{table}"'))
        for table in (MODELS[resource]._meta.db_table, KeptAnswer._meta.db_table)
    )
    assert begin < made < kept < end


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("resource", ["portfolios", "links", "media"])
def test_nothing_is_made_whose_answer_can_not_be_kept(
    client: Client, media_root: Path, monkeypatch: pytest.MonkeyPatch, resource: str
) -> None:
    body = body_of(resource)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError("gone")

    with monkeypatch.context() as broken:
        broken.setattr("folio.api.idempotency.zlib.compress", fail)
        assert post(client, resource, body).status_code == 500

    assert not MODELS[resource].objects.exists()
    assert not LogEntry.objects.exists()
    assert not [path for path in media_root.rglob("*") if path.is_file()]
    assert post(client, resource).status_code == 201


def test_an_answer_that_another_request_has_kept_meanwhile_is_given(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a claim was lost with the connection that it was made on."""
    monkeypatch.setattr(idempotency, "claim", lambda work: (lambda: True, lambda: None))
    monkeypatch.setattr(idempotency.Keeper, "refuse_too_many", lambda keeper: post_meanwhile())
    others: list[Any] = []

    def post_meanwhile() -> None:
        if not others:
            others.append(None)
            others[0] = post(client, "tags", TAG)

    response = post(client, "tags", TAG)

    assert (response.status_code, is_replayed(response)) == (201, True)
    assert response.content == others[0].content
    assert Tag.objects.count() == 1


# While the first is at work


@contextmanager
def at_work(key: str = KEY) -> Iterator[Event]:
    """Hold the claim of a request in another thread, and so on another connection, until the event or the end."""
    is_held, is_over = Event(), Event()
    take, free = claim(f"Idempotency-Key {Token.objects.get().pk} {key}")

    def work() -> None:
        try:
            assert take()
            is_held.set()
            is_over.wait(20)
            free()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        try:
            assert is_held.wait(20)
            yield is_over
        finally:
            is_over.set()
            future.result()


def test_a_second_request_waits_and_is_then_a_409_with_retry_after(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert idempotency.WAIT == 10
    monkeypatch.setattr(idempotency, "WAIT", 0.3)
    with at_work():
        started = time.monotonic()
        response = post(client, "tags", TAG)

    assert 0.3 <= time.monotonic() - started < 5
    assert (response.status_code, list(response.json())) == (409, ["detail"])
    assert int(response.headers["Retry-After"]) >= 1
    assert not Tag.objects.exists()
    assert post(client, "tags", TAG).status_code == 201, "that it waited in vain is not kept"


def test_those_who_wait_leave_threads_for_others(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Semaphore(1)
    monkeypatch.setattr(idempotency, "places", lambda: places)
    monkeypatch.setattr(idempotency, "WAIT", 0)
    with at_work():
        assert post(client, "tags", TAG).status_code == 409, "it had the place, and gave it back"
        with idempotency.place_to_wait():
            monkeypatch.setattr(idempotency, "WAIT", 10)
            started = time.monotonic()
            response = post(client, "tags", TAG)
        assert time.monotonic() - started < 5
        assert places.acquire(blocking=False)

    assert response.status_code == 409
    assert int(response.headers["Retry-After"]) >= 1
    assert post(client, "tags", TAG).status_code == 201


def test_a_second_request_is_answered_as_soon_as_the_first_one_has_ended(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_work() as is_over:
        monkeypatch.setattr("folio.api.idempotency.time.sleep", lambda seconds: is_over.set())
        response = post(client, "tags", TAG)

    assert response.status_code == 201


def test_a_request_with_another_key_waits_for_nobody(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "WAIT", 0)
    with at_work(key="another"):
        assert post(client, "tags", TAG).status_code == 201


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


# For how long, and how many


def test_it_is_kept_for_24_hours(client: Client) -> None:
    post(client, "tags", TAG)
    let_pass(DAY - timedelta(minutes=1))
    assert is_replayed(post(client, "tags", TAG))

    let_pass(timedelta(minutes=1))
    response = post(client, "tags", {"name": "web"})

    assert (response.status_code, is_replayed(response)) == (201, False)
    assert is_replayed(post(client, "tags", {"name": "web"}))
    assert KeptAnswer.objects.count() == 1


def test_what_is_outdated_goes_with_the_next_that_is_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "BATCH", 3)
    for number in range(5):
        post(client, "tags", {"name": f"old {number}"}, key=f"old-{number}")
    let_pass(DAY)
    post(client, "tags", {"name": "first"}, key="first")
    assert KeptAnswer.objects.count() == 3, "two old ones are left"

    post(client, "tags", {"name": "second"}, key="second")

    assert set(KeptAnswer.objects.values_list("key", flat=True)) == {"first", "second"}


def test_what_is_outdated_goes_with_the_hour_in_which_keys_are_used(client: Client) -> None:
    post(client, "tags", TAG)
    uses, token = Uses(), Token.objects.get()
    uses.note(token)
    uses.write()
    assert KeptAnswer.objects.count() == 1

    let_pass(DAY)
    uses.write()
    assert KeptAnswer.objects.count() == 1, "where nothing else is written, it writes nothing"
    uses.note(token, timezone.now() + timedelta(hours=1))
    uses.write()
    assert not KeptAnswer.objects.exists()


def test_nothing_is_cleaned_up_where_there_is_nothing(client: Client) -> None:
    post(client, "tags", TAG)

    with CaptureQueriesContext(connection) as captured:
        post(client, "tags", {"name": "web"}, key="another")
        post(client, "tags", TAG)

    assert not [query["sql"] for query in captured if query["sql"].startswith("DELETE")]


@pytest.mark.parametrize(
    ("bound", "value", "is_own"),
    [("ANSWERS_OF_A_TOKEN", 2, True), ("ANSWERS", 2, False), ("ANSWERS_SIZE", 60, False)],
)
def test_no_more_are_kept_than_there_is_room_for(
    client: Client,
    client_for: Callable[..., Client],
    editor: User,
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    value: int,
    is_own: bool,
) -> None:
    other = client_for(editor)
    for number in range(2):
        assert post(client, "tags", {"name": f"tag {number}"}, key=f"key-{number}").status_code == 201
    monkeypatch.setattr(models, bound, value)
    let_pass(timedelta(hours=23))

    response = post(client, "tags", {"name": "one more"}, key="one-more")

    assert (response.status_code, list(response.json())) == (429, ["detail"])
    assert 3500 < int(response.headers["Retry-After"]) <= 3600
    assert not Tag.objects.filter(name="one more").exists()
    assert is_replayed(post(client, "tags", {"name": "tag 0"}, key="key-0")), "none is dropped before its time"
    assert client.post("/api/tags/", {"name": "without"}).status_code == 201
    assert post(other, "tags", {"name": "other"}).status_code == (201 if is_own else 429)
    let_pass(timedelta(hours=1))
    assert post(client, "tags", {"name": "one more"}, key="one-more").status_code == 201


def test_an_answer_that_is_too_large_is_refused_with_all_that_it_tells_of(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "LARGEST", 300)
    body = body_of("portfolios") | {"description": "".join(map(str, range(2000)))}

    first, again = post(client, "portfolios", body), post(client, "portfolios", body)

    assert (first.status_code, list(first.json())) == (400, ["detail"])
    assert "Idempotency-Key" in first.json()["detail"]
    assert (again.content, is_replayed(again)) == (first.content, True)
    assert not Portfolio.objects.exists()
    assert client.post("/api/portfolios/", body).status_code == 201


def test_what_is_kept_is_small(client: Client) -> None:
    media = [make_media().pk for _ in range(30)]
    response = post(client, "portfolios", body_of("portfolios") | {"images": media})

    kept = KeptAnswer.objects.get()
    assert kept.size == len(kept.body) < len(response.content) / 4
    assert json.dumps(kept.headers).count("http") == 1


# Whose


@pytest.mark.parametrize("way", ["api", "token", "tokens", "user"])
def test_what_is_kept_goes_with_its_api_key(client_for: Callable[..., Client], editor: User, way: str) -> None:
    one, other = client_for(editor), client_for(make_user(is_superuser=True))
    for client, name in ((one, "a"), (other, "b")):
        post(client, "tags", {"name": name})
    token = Token.objects.get(user=editor)

    if way == "api":
        assert client_for(editor).delete(f"/api/auth/tokens/{token.pk}/").status_code == 204
    else:
        {"token": token, "tokens": Token.objects.filter(user=editor), "user": editor}[way].delete()

    assert [row.token.user_id != editor.pk for row in KeptAnswer.objects.all()] == [True]
