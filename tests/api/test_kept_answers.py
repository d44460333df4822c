"""Which answers are kept for their `Idempotency-Key`, for how long, how many, and whose they are."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from folio.access import models
from folio.access.models import KeptAnswer, Token
from folio.access.uses import Uses
from folio.api import idempotency
from folio.portfolios.models import Portfolio, Tag
from tests.conftest import Client
from tests.factories import make_media, make_tag, make_user, permissions

from .keyed import KEY, TAG, body_of, is_replayed, post

DAY = timedelta(hours=24)


def let_pass(time: timedelta) -> None:
    for row in KeptAnswer.objects.all():
        KeptAnswer.objects.filter(pk=row.pk).update(created_at=row.created_at - time)


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
    [
        ("ANSWERS_OF_A_TOKEN", 2, True),
        ("SIZE_OF_A_TOKEN", 60, True),
        ("ANSWERS", 2, False),
        ("ANSWERS_SIZE", 60, False),
    ],
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
