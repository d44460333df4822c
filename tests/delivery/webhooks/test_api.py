"""`/api/webhooks/`: admins say who is told, and see what came of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folio.delivery.models import DeliveryState, Webhook, WebhookDelivery
from folio.delivery.webhooks import entered, secret_of
from folio.snapshots import KEEP
from tests.conftest import Client
from tests.factories import make_user

from .hooks import MASKED, OTHER, OTHER_MASKED, URL, make_delivery, make_webhook

WEBHOOKS = "/api/webhooks/"
EVENTS = ["published", "changed", "unpublished"]
PRIVATE = (
    "This address leads into a private network, where nothing is sent. Whoever runs the server can allow it with the "
    "setting FOLIO_WEBHOOK_PRIVATE."
)
KEYS = ["id", "url", "events", "is_active", "created_at", "updated_at"]


@pytest.fixture
def client(client_for: Callable[..., Client], admin: User) -> Client:
    return client_for(admin)


def path(webhook: Webhook) -> str:
    return f"{WEBHOOKS}{webhook.pk}/"


# What is told


def test_makes_a_webhook_and_tells_its_secret_once(client: Client) -> None:
    response = client.post(WEBHOOKS, {"url": URL})

    webhook = Webhook.objects.get()
    answer = response.json()
    assert response.status_code == 201
    assert list(answer) == [*KEYS, "secret"]
    assert answer["secret"] == secret_of(webhook)
    assert (answer["url"], answer["events"], answer["is_active"]) == (MASKED, EVENTS, True)
    assert webhook.url == URL
    assert response.headers["Location"] == f"http://testserver{path(webhook)}"
    assert response.headers["Cache-Control"] == "no-store"
    told = [client.get(path(webhook)), client.get(WEBHOOKS), client.patch(path(webhook), {"is_active": False})]
    assert not any("secret" in str(each.content) for each in told)


def test_lists_them_masked(client: Client) -> None:
    first, second = make_webhook(), make_webhook(url=OTHER, events=["changed"], is_active=False)

    page = client.get(WEBHOOKS).json()

    assert [list(row) for row in page["results"]] == [KEYS, KEYS]
    assert [(row["id"], row["url"]) for row in page["results"]] == [(first.pk, MASKED), (second.pk, OTHER_MASKED)]
    assert (page["results"][1]["events"], page["results"][1]["is_active"]) == (["changed"], False)
    assert "a-secret-path" not in json.dumps(page)
    assert page["count"] == 2


def test_pages(client: Client) -> None:
    for _ in range(3):
        make_webhook()

    page = client.get(WEBHOOKS, {"limit": 2}).json()

    assert (page["count"], len(page["results"]), page["previous"]) == (3, 2, None)
    assert page["next"] == "http://testserver/api/webhooks/?limit=2&offset=2"


def test_nobody_keeps_what_is_told(client: Client) -> None:
    webhook = make_webhook()

    for address in (WEBHOOKS, path(webhook), f"{path(webhook)}deliveries/"):
        response = client.get(address)
        assert response.headers["Cache-Control"] == "no-store"
        assert KEEP not in response.headers


# What is taken


def test_changes_what_it_is_given(client: Client) -> None:
    webhook = make_webhook()

    response = client.patch(path(webhook), {"events": ["unpublished", "published"], "is_active": False})

    webhook.refresh_from_db()
    assert response.status_code == 200
    assert response.json()["events"] == webhook.events == ["published", "unpublished"]
    assert (webhook.url, webhook.is_active) == (URL, False)


def test_takes_back_what_was_read(client: Client) -> None:
    webhook = make_webhook(events=["changed"])

    response = client.put(path(webhook), client.get(path(webhook)).json())

    webhook.refresh_from_db()
    assert response.status_code == 200
    assert (webhook.url, webhook.events) == (URL, ["changed"])
    assert not LogEntry.objects.exists()


def test_a_put_without_an_address_is_refused_and_leaves_out_the_rest(client: Client) -> None:
    webhook = make_webhook(events=["changed"])

    assert client.put(path(webhook), {"events": EVENTS}).json() == {"url": ["This field is required."]}
    assert client.put(path(webhook), {"url": OTHER}).json()["url"] == OTHER_MASKED
    webhook.refresh_from_db()
    assert (webhook.url, webhook.events) == (OTHER, ["changed"])


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({}, {"url": ["This field is required."]}),
        ({"url": None}, {"url": ["This field may not be null."]}),
        ({"url": ""}, {"url": ["This field may not be blank."]}),
        ({"url": "ftp://1.1.1.1/"}, {"url": ["An address begins with https:// or http://."]}),
        (
            {"url": "https://me:pw@1.1.1.1/"},
            {"url": ["An address with a user name or a password in it is not taken; leave out what is before @."]},
        ),
        (
            {"url": "http://127.0.0.1/"},
            {"url": [PRIVATE]},
        ),
        (
            {"url": "https://1.0.0.1/…"},
            {"url": ["This is an address as it is shown, without its path. Enter the whole of it."]},
        ),
        ({"url": f"https://1.1.1.1/{'a' * 2000}"}, {"url": ["An address has at most 2000 characters."]}),
        ({"events": "changed"}, {"events": ["Enter a list of events, not a text."]}),
        ({"events": []}, {"events": ["Enter at least one event. Allowed: published, changed, unpublished."]}),
        (
            {"events": ["changed", "chnged", 7, {}]},
            {"events": ['There is no event "chnged", 7, {}. Allowed: published, changed, unpublished.']},
        ),
        ({"events": ["changed", "changed"]}, {"events": ['Give each event once; "changed" is repeated.']}),
        ({"events": None}, {"events": ["This field may not be null."]}),
        ({"is_active": "perhaps"}, {"is_active": ["Must be a valid boolean."]}),
        (
            {"secret": "whsec_mine"},
            {"secret": ["Unknown field. Allowed: url, events, is_active."]},
        ),
    ],
)
def test_says_what_is_wrong(client: Client, fields: dict[str, Any], errors: dict[str, Any]) -> None:
    body = fields if "url" in fields or not fields else {"url": URL, **fields}

    made = client.post(WEBHOOKS, body)
    changed = client.patch(path(make_webhook()), fields)

    assert (made.status_code, made.json()) == (400, errors)
    assert changed.status_code == (400 if fields else 200)
    assert Webhook.objects.count() == 1


def test_looks_a_name_up_before_anything_is_held(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []

    def check(text: str) -> str:
        held.append(len(connection.savepoint_ids) > savepoints)
        return text

    savepoints = len(connection.savepoint_ids)
    monkeypatch.setattr(entered, "check_url", check)

    assert client.post(WEBHOOKS, {"url": URL}).status_code == 201
    assert client.patch(path(Webhook.objects.get()), {"url": OTHER}).status_code == 200
    assert held == [False, False]


def test_takes_no_idempotency_key(client: Client) -> None:
    webhook = make_webhook()
    delivery = make_delivery(webhook)

    for address in (WEBHOOKS, f"{path(webhook)}secret/", f"{WEBHOOKS}deliveries/{delivery.pk}/send/"):
        response = client.post(address, {}, HTTP_IDEMPOTENCY_KEY="once")
        assert response.status_code == 400
        assert list(response.json()) == ["Idempotency-Key"]


# Conditions


def test_is_told_unless_it_is_known(client: Client) -> None:
    webhook = make_webhook()

    for address in (path(webhook), WEBHOOKS, f"{path(webhook)}deliveries/"):
        etag = client.get(address).headers["ETag"]
        again = client.get(address, HTTP_IF_NONE_MATCH=etag)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
        assert client.get(address, HTTP_IF_NONE_MATCH='"other"').status_code == 200


def test_changes_nothing_that_the_client_has_not_seen(client: Client) -> None:
    webhook = make_webhook()
    etag = client.get(path(webhook)).headers["ETag"]

    changed = client.patch(path(webhook), {"is_active": False}, HTTP_IF_MATCH=etag)
    late = client.patch(path(webhook), {"is_active": True}, HTTP_IF_MATCH=etag)

    assert (changed.status_code, late.status_code) == (200, 412)
    assert late.headers["ETag"] == changed.headers["ETag"] == client.get(path(webhook)).headers["ETag"]
    assert client.delete(path(webhook), HTTP_IF_MATCH=etag).status_code == 412
    assert client.delete(path(webhook), HTTP_IF_MATCH=late.headers["ETag"]).status_code == 204


def test_what_makes_one_tells_the_tag_of_a_plain_read(client: Client) -> None:
    made = client.post(WEBHOOKS, {"url": URL})
    renewed = client.post(f"{path(Webhook.objects.get())}secret/")

    assert renewed.headers["ETag"] == client.get(path(Webhook.objects.get())).headers["ETag"] != made.headers["ETag"]


def test_takes_no_other_condition(client: Client) -> None:
    webhook = make_webhook()
    since: Any = {"HTTP_IF_UNMODIFIED_SINCE": "Sun, 06 Nov 2044 08:49:37 GMT"}

    assert client.patch(path(webhook), {}, **since).status_code == 400
    assert client.post(f"{path(webhook)}secret/", {}, HTTP_IF_MATCH="*").status_code == 400


# The secret


def test_renews_the_secret(client: Client) -> None:
    webhook = make_webhook()
    former = secret_of(webhook)

    response = client.post(f"{path(webhook)}secret/")

    webhook.refresh_from_db()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json()["secret"] == secret_of(webhook) != former


@pytest.mark.parametrize("body", [{"secret": "whsec_mine"}, [], "x"])
def test_renews_nothing_where_something_is_sent_along(client: Client, body: Any) -> None:
    webhook = make_webhook()
    former = secret_of(webhook)

    response = client.post(f"{path(webhook)}secret/", body)

    assert response.status_code == 400
    webhook.refresh_from_db()
    assert secret_of(webhook) == former


# Deliveries


def test_tells_what_was_sent_and_what_came_of_it(client: Client) -> None:
    webhook = make_webhook()
    make_delivery(make_webhook(url=OTHER))
    hostile = '<script>alert(1)</script>\u202e\x07"'
    first = make_delivery(webhook, state=DeliveryState.FAILED, attempts=7, status=500, answer=hostile)
    last = make_delivery(webhook, state=DeliveryState.WAITING, attempts=0, attempted_at=None, status=None)

    page = client.get(f"{path(webhook)}deliveries/").json()

    assert [row["id"] for row in page["results"]] == [last.pk, first.pk]
    assert list(page["results"][0]) == [
        *("id", "message_id", "state", "attempts", "attempted_at", "next_attempt_at"),
        *("status", "answer", "error", "created_at"),
    ]
    assert (page["count"], page["results"][0]["state"], page["results"][0]["status"]) == (2, "waiting", None)
    assert (page["results"][1]["state"], page["results"][1]["answer"]) == ("failed", hostile)


def test_deliveries_of_a_webhook_that_is_not_there(client: Client) -> None:
    for pk in (999, 2**70):
        response = client.get(f"{WEBHOOKS}{pk}/deliveries/")
        assert (response.status_code, response.json()) == (404, {"detail": f"There is no webhook with the id {pk}."})


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.FAILED])
def test_sends_again(client: Client, state: str) -> None:
    delivery = make_delivery(make_webhook(), state=state, attempts=7)

    response = client.post(f"{WEBHOOKS}deliveries/{delivery.pk}/send/")

    delivery.refresh_from_db()
    assert response.status_code == 200
    assert (response.json()["state"], response.json()["message_id"]) == ("waiting", delivery.message_id)
    assert (delivery.state, delivery.attempts) == (DeliveryState.WAITING, 0)
    entry = LogEntry.objects.get(object_id=str(delivery.webhook_id))
    assert json.loads(entry.change_message)[0]["changed"]["values"] == {"sent_again": [None, delivery.message_id]}
    assert json.loads(entry.change_message)[0]["by"]["token"]


def test_sends_nothing_while_something_else_waits_or_the_webhook_rests(client: Client) -> None:
    busy, resting = make_webhook(), make_webhook(is_active=False)
    make_delivery(busy, state=DeliveryState.WAITING)

    for webhook, reason in ((busy, "Another message"), (resting, "inactive")):
        delivery = make_delivery(webhook)
        response = client.post(f"{WEBHOOKS}deliveries/{delivery.pk}/send/")
        assert response.status_code == 409
        assert reason in response.json()["detail"]
        delivery.refresh_from_db()
        assert delivery.state == DeliveryState.DELIVERED


def test_a_page_costs_the_same_for_any_number(client: Client) -> None:
    webhook = make_webhook()

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address, {"limit": 100}).status_code == 200
        return len(captured)

    make_delivery(webhook)
    few = [queries(WEBHOOKS), queries(f"{path(webhook)}deliveries/")]
    for _ in range(50):
        make_delivery(make_webhook())
        make_delivery(webhook)
    assert [queries(WEBHOOKS), queries(f"{path(webhook)}deliveries/")] == few


# The end, and the history


def test_deletes_with_all_that_was_told(client: Client) -> None:
    webhook = make_webhook()
    make_delivery(webhook)

    assert client.delete(path(webhook)).status_code == 204

    assert not Webhook.objects.exists()
    assert not WebhookDelivery.objects.exists()
    assert client.delete(path(webhook)).status_code == 404


def test_the_history_tells_what_was_done_without_address_and_secret(client: Client) -> None:
    secrets = [client.post(WEBHOOKS, {"url": URL}).json()["secret"]]
    webhook = Webhook.objects.get()
    client.patch(path(webhook), {"url": OTHER, "events": ["changed"]})
    client.patch(path(webhook), {"url": f"{OTHER}/elsewhere"})
    secrets.append(client.post(f"{path(webhook)}secret/").json()["secret"])
    client.delete(path(webhook))

    told = list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    added, changed, moved, renewed, deleted = (json.loads(message)[0] for message in told)
    assert added["added"]["values"]["url"] == ["", MASKED]
    assert changed["changed"]["values"] == {"url": [MASKED, OTHER_MASKED], "events": [EVENTS, ["changed"]]}
    assert moved["changed"] == {"fields": ["Url"], "values": {}}
    assert renewed["changed"] == {"fields": ["Secret"], "values": {}}
    assert "deleted" in deleted
    assert all(message["by"] == {"token": "test"} for message in (added, changed, moved, renewed, deleted))
    for secret in (*secrets, "a-secret-path", "another-one", "elsewhere"):
        assert not any(secret in message for message in told)


# Who may


@pytest.mark.parametrize("method", ["get", "post"])
def test_lets_in_admins_with_a_whole_key_alone(client_for: Callable[..., Client], admin: User, method: str) -> None:
    everything = make_user(is_staff=True, codes=[])
    clients = {
        "Only admins may manage webhooks.": client_for(everything),
        "This key is narrowed to some permission codes; only one that is not may manage webhooks.": client_for(
            admin, codes=[4201]
        ),
        "This key reads what is published, and nothing else; only one that is not may manage webhooks.": client_for(
            admin, published_only=True
        ),
    }

    for sentence, client in clients.items():
        response = getattr(client, method)(WEBHOOKS)
        assert (response.status_code, response.json()) == (403, {"detail": sentence})
