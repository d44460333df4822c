"""Webhooks and deliveries as tests make them; nothing is sent by it."""

from itertools import count
from typing import Any

from django.utils import timezone

from folio.delivery.models import DeliveryState, Webhook, WebhookDelivery

URL = "https://1.1.1.1/hooks/a-secret-path"  # an address that needs no look-up
OTHER = "https://1.0.0.1/hooks/another-one"
MASKED, OTHER_MASKED = "https://1.1.1.1/…", "https://1.0.0.1/…"
BODY = (
    '{"type":"portfolios.changed","timestamp":"2026-11-30T04:00:00.000Z",'
    '"data":{"portfolios":[{"id":7,"slug":"harbour","event":"published"}],"manifest":false}}'
)
numbers = count(1)


def make_webhook(**fields: Any) -> Webhook:
    return Webhook.objects.create(**{"url": URL, **fields})


def make_delivery(webhook: Webhook, **fields: Any) -> WebhookDelivery:
    """Make a message that was delivered, unless something else is said."""
    given = {
        "message_id": f"msg_{next(numbers)}",
        "body": BODY,
        "state": DeliveryState.DELIVERED,
        "attempts": 1,
        "attempted_at": timezone.now(),
        "status": 200,
        **fields,
    }
    if given["state"] == DeliveryState.WAITING:
        given.setdefault("next_attempt_at", timezone.now())
    return WebhookDelivery.objects.create(webhook=webhook, **given)
