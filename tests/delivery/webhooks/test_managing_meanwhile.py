"""What admins do to webhooks while these are told something, and what strangers answer, on their way through it all."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from threading import Event

import pytest
from django.contrib.auth.models import User
from django.test import Client as Site
from standardwebhooks.webhooks import Webhook as Signer

from folio.delivery.models import DeliveryState, Telling, Webhook, WebhookDelivery
from folio.delivery.webhooks import secret_of
from folio.delivery.webhooks.teller import Teller
from tests.clock import Clock
from tests.conftest import Client
from tests.factories import make_portfolio
from tests.forms import shown_values

from .endpoints import PATIENCE, Endpoint, Received
from .running import run

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., Webhook]
Tell = Callable[[], None]
While = Callable[..., None]


@pytest.fixture
def client(client_for: Callable[..., Client], admin: User) -> Client:
    return client_for(admin)


@pytest.fixture
def site(site_for: Callable[[User], Site], admin: User) -> Site:
    return site_for(admin)


@pytest.fixture
def while_told(endpoint: Endpoint, teller: Teller, clock: Clock) -> Callable[..., None]:
    """Return a function that has something done between a message's arrival and its answer."""

    def while_told(action: Callable[[], object], status: int = 204) -> None:
        is_done = Event()

        def answer(handler: BaseHTTPRequestHandler) -> None:
            is_done.wait(PATIENCE)
            handler.send_response(status)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        endpoint.answer = answer
        before = len(endpoint.received)
        teller.step()
        clock.move(seconds=10)
        teller.step()
        endpoint.wait_for(before + 1)
        try:
            action()
        finally:
            is_done.set()
        run(teller)
        endpoint.answer = 204

    return while_told


@pytest.mark.parametrize("way", ["API", "admin site"])
@pytest.mark.parametrize("status", [204, 500])
def test_one_that_is_deleted_while_it_is_told_is_gone(
    make_webhook: Make, while_told: While, tell: Tell, client: Client, site: Site, way: str, status: int
) -> None:
    webhook, other = make_webhook(), make_webhook()

    def delete() -> None:
        if way == "API":
            assert client.delete(f"/api/webhooks/{webhook.pk}/").status_code == 204
        else:
            address = f"/admin/delivery/webhook/{webhook.pk}/delete/"
            assert site.post(address, {"post": "yes"}).status_code == 302

    make_portfolio()
    while_told(delete, status)

    assert list(Webhook.objects.all()) == [other]
    assert set(WebhookDelivery.objects.values_list("webhook", flat=True)) == {other.pk}
    assert list(Telling.objects.values_list("pk", flat=True)) == [other.pk]
    make_portfolio()
    tell()


def test_a_secret_that_is_renewed_while_it_is_told_signs_what_follows(
    endpoint: Endpoint, make_webhook: Make, while_told: While, tell: Tell, client: Client
) -> None:
    webhook = make_webhook()
    former = secret_of(webhook)
    make_portfolio()
    while_told(lambda: client.post(f"/api/webhooks/{webhook.pk}/secret/"))
    make_portfolio()
    tell()

    webhook.refresh_from_db()
    first, second = endpoint.received
    assert first.headers["webhook-signature"] == signature(first, former)
    assert second.headers["webhook-signature"] == signature(second, secret_of(webhook))
    assert secret_of(webhook) != former


def signature(message: Received, secret: str) -> str:
    """Return the signature of a message, whatever the test's clock says."""
    moment = datetime.fromtimestamp(int(message.headers["webhook-timestamp"]), UTC)
    return Signer(secret).sign(message.id, moment, message.body.decode())


def test_one_that_is_changed_while_it_is_told_keeps_what_is_still_to_be_told(
    endpoint: Endpoint, make_webhook: Make, while_told: While, tell: Tell, client: Client, site: Site
) -> None:
    webhook = make_webhook()
    form = shown_values(site.get(f"/admin/delivery/webhook/{webhook.pk}/change/"))

    def change() -> None:
        make_portfolio(slug="second")
        sent = {**form, "new_url": f"{endpoint.url}/elsewhere"}
        assert site.post(f"/admin/delivery/webhook/{webhook.pk}/change/", sent).status_code == 302
        assert client.patch(f"/api/webhooks/{webhook.pk}/", {"events": ["published"]}).status_code == 200

    make_portfolio(slug="first")
    while_told(change)
    tell()

    assert [each.events for each in endpoint.received] == [{"first": "published"}, {"second": "published"}]
    assert endpoint.received[1].path.endswith("/elsewhere")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00\x80" * 700,
        "<script>alert(1)</script>\u202e\u2066\x1b[31m\x00".encode() * 80,
        "é".encode("latin-1") * 5_000,
        ("x" * 2047 + "😀" * 9).encode(),  # cut within a character
        b"\x1f\x8b\x08\x00nothing that unzips",
    ],
    ids=["no UTF-8", "HTML", "Latin-1", "cut", "compressed"],
)
def test_whatever_is_answered_is_told_and_shown(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, client: Client, site: Site, body: bytes
) -> None:
    webhook = make_webhook()
    endpoint.answer, endpoint.body = 500, body
    make_portfolio()
    tell()

    delivery = WebhookDelivery.objects.get()
    [told] = client.get(f"/api/webhooks/{webhook.pk}/deliveries/").json()["results"]
    page = site.get(f"/admin/delivery/webhookdelivery/{delivery.pk}/change/")
    assert (told["state"], told["status"], told["answer"]) == ("waiting", 500, delivery.answer)
    assert len(delivery.answer.encode()) <= 3 * 2048
    json.dumps(told["answer"], ensure_ascii=False).encode()
    assert page.status_code == 200
    for wrong in ("<script>alert", "\u202e", "\x1b", "\x00"):
        assert wrong not in page.content.decode()


def test_a_test_arrives_and_names_nothing(endpoint: Endpoint, make_webhook: Make, teller: Teller, site: Site) -> None:
    webhook = make_webhook()
    run(teller)

    site.post(f"/admin/delivery/webhook/{webhook.pk}/test/")
    run(teller)

    [request] = endpoint.received
    assert request.verify(secret_of(webhook))["data"] == {"portfolios": [], "manifest": False}
    assert WebhookDelivery.objects.get().state == DeliveryState.DELIVERED


def test_what_is_sent_again_arrives_under_its_name(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, teller: Teller, client: Client
) -> None:
    make_webhook()
    make_portfolio()
    tell()

    client.post(f"/api/webhooks/deliveries/{WebhookDelivery.objects.get().pk}/send/")
    run(teller)

    first, second = endpoint.received
    assert (first.id, first.body) == (second.id, second.body)
