"""How messages are sent, and what becomes of them."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from folio.delivery.models import DeliveryState, Telling, Webhook, WebhookDelivery
from folio.delivery.webhooks import secret_of, send_again
from folio.delivery.webhooks.teller import SENDERS, Teller
from tests.clock import Clock
from tests.factories import make_portfolio

from .endpoints import Endpoint, run
from .endpoints import endpoint as running_endpoint

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., Webhook]
Tell = Callable[[], None]
WAITS = (10, 60, 300, 1_800, 7_200, 28_800)


def ids(endpoint: Endpoint) -> list[str]:
    return [each.id for each in endpoint.received]


def test_tries_again_and_again_and_then_no_more(
    endpoint: Endpoint,
    make_webhook: Make,
    tell: Tell,
    clock: Clock,
    teller: Teller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    webhook = make_webhook()
    endpoint.answer = 503
    make_portfolio()
    tell()

    for count, seconds in enumerate(WAITS, 1):
        assert len(endpoint.received) == count
        clock.move(seconds=seconds - 1)
        run(teller)
        assert len(endpoint.received) == count
        clock.move(seconds=1)
        run(teller)
    clock.move(days=2)
    run(teller)

    assert len(endpoint.received) == 7
    assert len({each.id for each in endpoint.received}) == 1
    assert len({each.body for each in endpoint.received}) == 1
    assert len({each.headers["webhook-timestamp"] for each in endpoint.received}) == 7
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.status) == (DeliveryState.FAILED, 7, 503)
    assert delivery.error == "The answer had the status 503, not one from 200 to 299."
    assert "secret-part" not in caplog.text
    assert f"webhook {webhook.pk} (http://127.0.0.1:{endpoint.port}/…)" in caplog.text


def test_a_message_that_is_tried_again_is_signed_anew(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock, teller: Teller
) -> None:
    webhook = make_webhook()
    endpoint.answer = 500
    make_portfolio()
    tell()
    clock.move(seconds=10)
    run(teller)

    first, second = endpoint.received
    assert first.verify(secret_of(webhook)) == second.verify(secret_of(webhook))
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_keeps_the_answer(endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock) -> None:
    make_webhook()
    endpoint.body = b"Build <b>queued</b>\0" + b"." * 5_000
    make_portfolio()
    tell()

    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status, delivery.attempts) == (DeliveryState.DELIVERED, 204, 1)
    assert delivery.attempted_at == clock.now
    assert delivery.next_attempt_at is None
    endpoint.answer = 200
    make_portfolio()
    tell()
    answer = WebhookDelivery.objects.latest("pk").answer
    assert answer.startswith("Build <b>queued</b>.")
    assert len(answer) == 2047


def test_says_why_there_was_no_answer(make_webhook: Make, endpoint: Endpoint, tell: Tell, settings: Any) -> None:
    make_webhook()
    settings.WEBHOOK_PRIVATE = []
    make_portfolio()
    tell()

    delivery = WebhookDelivery.objects.get()
    assert "private network" in delivery.error
    assert (delivery.state, delivery.status, delivery.answer) == (DeliveryState.WAITING, None, "")


def test_what_changes_meanwhile_goes_into_the_next(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock, teller: Teller
) -> None:
    make_webhook()
    endpoint.answer = 500
    make_portfolio(slug="first")
    tell()
    make_portfolio(slug="second")
    tell()
    make_portfolio(slug="third")
    tell()
    assert WebhookDelivery.objects.count() == 1

    endpoint.answer = 204
    clock.move(seconds=60)
    run(teller)
    run(teller)

    messages = list({each.id: each.events for each in endpoint.received}.values())
    assert messages == [{"first": "published"}, {"second": "published", "third": "published"}]


def test_what_changed_meanwhile_is_sent_after_a_failure_too(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock, teller: Teller
) -> None:
    make_webhook()
    endpoint.answer = 500
    make_portfolio(slug="first")
    tell()
    make_portfolio(slug="second")
    tell()

    for seconds in WAITS:
        clock.move(seconds=seconds)
        run(teller)
    run(teller)

    assert endpoint.received[-1].events == {"second": "published"}


def test_the_database_lets_one_message_of_a_webhook_wait(make_webhook: Make, clock: Clock) -> None:
    fields = {"webhook": make_webhook(), "body": "{}", "next_attempt_at": clock.now}
    WebhookDelivery.objects.create(message_id="a", **fields)
    with pytest.raises(IntegrityError):
        WebhookDelivery.objects.create(message_id="b", **fields)


@pytest.mark.parametrize("how", ["saved", "updated", "deleted"])
def test_nothing_is_sent_to_a_webhook_that_is_inactive_or_gone(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock, teller: Teller, how: str
) -> None:
    webhook = make_webhook()
    endpoint.answer = 500
    make_portfolio()
    tell()
    if how == "saved":
        webhook.is_active = False
        webhook.save()
    elif how == "updated":
        Webhook.objects.filter(pk=webhook.pk).update(is_active=False)
    else:
        webhook.delete()
    make_portfolio()
    clock.move(days=1)
    run(teller)
    tell()

    assert len(endpoint.received) == 1
    assert not Telling.objects.exists()
    states = set(WebhookDelivery.objects.values_list("state", "error"))
    assert states == (
        set() if how == "deleted" else {(DeliveryState.FAILED, "The webhook was made inactive before it was sent.")}
    )


def test_each_webhook_is_told_whatever_others_answer(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock, teller: Teller
) -> None:
    with running_endpoint() as other:
        make_webhook()
        make_webhook(url=other.url)
        other.answer = 500
        make_portfolio()
        tell()

        assert len(endpoint.received) == len(other.received) == 1
        assert endpoint.received[0].id != other.received[0].id
        with pytest.raises(Exception, match="No matching signature"):
            endpoint.received[0].verify(secret_of(Webhook.objects.get(url=other.url)))


def test_slow_endpoints_hold_up_no_one(endpoint: Endpoint, make_webhook: Make, clock: Clock, teller: Teller) -> None:
    is_over = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        is_over.wait(30)

    with running_endpoint() as slow:
        slow.answer = answer
        for _ in range(5):
            make_webhook(url=slow.url)
        make_webhook()
        make_portfolio(slug="first")
        teller.step()
        clock.move(seconds=10)
        try:
            teller.step()
            endpoint.wait_for(1)
            slow.wait_for(5)
            make_portfolio(slug="second")
            teller.step()
            clock.move(seconds=10)
            teller.step()

            assert endpoint.wait_for(2)[1].events == {"second": "published"}
            assert len(slow.received) == 5
        finally:
            is_over.set()
        run(teller)


def test_makes_so_many_attempts_at_once_and_no_more(
    endpoint: Endpoint, make_webhook: Make, clock: Clock, teller: Teller
) -> None:
    is_over = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        is_over.wait(30)
        handler.send_response(204)
        handler.end_headers()

    endpoint.answer = answer
    for _ in range(SENDERS + 3):
        make_webhook()
    make_portfolio()
    teller.step()
    clock.move(seconds=10)
    teller.step()
    endpoint.wait_for(SENDERS)
    assert len(teller.sending) == SENDERS
    is_over.set()
    run(teller)

    assert len(set(ids(endpoint))) == len(endpoint.received) == SENDERS + 3


def test_what_was_being_sent_when_a_server_died_is_sent_by_the_next(
    endpoint: Endpoint, make_webhook: Make, clock: Clock, teller: Teller
) -> None:
    make_webhook()
    teller.step()
    make_portfolio(slug="new")
    teller.step()
    clock.move(seconds=10)
    teller.step()  # and what comes of it, nobody writes down
    endpoint.wait_for(1)

    another = Teller()
    clock.move(seconds=29)
    run(another)
    assert len(endpoint.received) == 1
    clock.move(seconds=1)
    run(another)

    first, second = endpoint.received
    assert first.id == second.id
    assert WebhookDelivery.objects.get().state == DeliveryState.DELIVERED


def test_what_was_gathered_when_a_server_died_is_sent_by_the_next(
    endpoint: Endpoint, make_webhook: Make, clock: Clock, teller: Teller
) -> None:
    make_webhook()
    teller.step()
    make_portfolio(slug="new")
    teller.step()

    another = Teller()
    another.step()
    clock.move(seconds=10)
    run(another)

    assert endpoint.received[0].events == {"new": "published"}


def test_servers_that_die_over_a_message_do_not_try_for_ever(
    endpoint: Endpoint, make_webhook: Make, clock: Clock
) -> None:
    make_webhook()
    Teller().step()
    make_portfolio()
    dying = Teller()
    dying.step()
    clock.move(seconds=10)
    for count in range(1, 8):
        dying.step()
        endpoint.wait_for(count)
        clock.move(seconds=30)
        dying = Teller()
    run(dying)

    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 7)
    assert delivery.error == "The server ended while it was sent."
    assert len(endpoint.received) == 7


def test_two_servers_send_a_message_once(endpoint: Endpoint, make_webhook: Make, clock: Clock, teller: Teller) -> None:
    other = Teller()
    for _ in range(4):
        make_webhook()
    teller.step()
    other.step()
    make_portfolio()
    teller.step()
    other.step()
    clock.move(seconds=10)
    teller.step()
    other.step()
    run(teller)
    run(other)

    assert len(endpoint.received) == len(set(ids(endpoint))) == 4


def test_what_came_of_several_is_written_down_at_once(
    endpoint: Endpoint, make_webhook: Make, clock: Clock, teller: Teller
) -> None:
    for _ in range(10):
        make_webhook()
    teller.step()
    make_portfolio()
    teller.step()
    clock.move(seconds=10)
    teller.step()
    endpoint.wait_for(10)
    while teller.outcomes.qsize() < 10:
        threading.Event().wait(0.01)

    with CaptureQueriesContext(connection) as queries:
        teller.settle()
    assert sum("COMMIT" in query["sql"] or "RELEASE" in query["sql"] for query in queries) <= 1


# Sent again


def delivered(endpoint: Endpoint, make_webhook: Make, tell: Tell) -> WebhookDelivery:
    make_webhook()
    make_portfolio()
    tell()
    return WebhookDelivery.objects.get()


@pytest.mark.parametrize("status", [204, 500])
def test_a_message_is_sent_again(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock, teller: Teller, status: int
) -> None:
    endpoint.answer = status
    delivery = delivered(endpoint, make_webhook, tell)
    clock.move(seconds=1)

    send_again(delivery)
    run(teller)

    first, second = endpoint.received
    assert (first.id, first.body) == (second.id, second.body)
    delivery.refresh_from_db()
    assert (delivery.attempts, delivery.attempted_at) == (1, clock.now)


def test_a_message_is_not_sent_again_before_another_one_that_waits(
    endpoint: Endpoint, make_webhook: Make, tell: Tell
) -> None:
    delivery = delivered(endpoint, make_webhook, tell)
    endpoint.answer = 500
    make_portfolio()
    tell()

    with pytest.raises(ValueError, match="Another message to this webhook waits"):
        send_again(delivery)
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.DELIVERED


def test_a_message_is_not_sent_again_to_an_inactive_webhook(endpoint: Endpoint, make_webhook: Make, tell: Tell) -> None:
    delivery = delivered(endpoint, make_webhook, tell)
    Webhook.objects.update(is_active=False)

    with pytest.raises(ValueError, match="inactive"):
        send_again(delivery)


def test_a_message_that_is_gone_is_not_sent_again(endpoint: Endpoint, make_webhook: Make, tell: Tell) -> None:
    delivery = delivered(endpoint, make_webhook, tell)
    WebhookDelivery.objects.all().delete()

    with pytest.raises(ValueError, match="not kept any more"):
        send_again(delivery)


# Kept


def test_messages_are_kept_for_30_days(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock, teller: Teller
) -> None:
    delivered(endpoint, make_webhook, tell)
    clock.move(days=30)
    run(teller)
    assert WebhookDelivery.objects.exists()

    clock.move(hours=1)
    run(teller)
    assert not WebhookDelivery.objects.exists()


def test_a_message_that_waits_is_not_forgotten(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock, settings: Any
) -> None:
    endpoint.answer = 500
    delivered(endpoint, make_webhook, tell)
    clock.move(days=40)
    with CaptureQueriesContext(connection) as queries:
        Teller().step()

    assert not [query for query in queries if query["sql"].startswith("DELETE")]
    assert WebhookDelivery.objects.exists()


# Secrets


def test_a_secret_follows_from_the_installation_and_the_row(make_webhook: Make, settings: Any) -> None:
    webhook, other = make_webhook(), make_webhook()
    secret = secret_of(webhook)

    assert secret.startswith("whsec_")
    assert secret == secret_of(Webhook.objects.get(pk=webhook.pk))
    assert secret != secret_of(other)
    assert webhook.nonce not in secret
    settings.SECRET_KEY = "another installation's"
    assert secret != secret_of(webhook)
