"""What the home page tells admins of websites that are to be told of changes: what waits, and what failed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from ..models import DeliveryState, Webhook
from ..webhooks import masked
from .webhooks import last_of, with_last
from .words import outcome

SHOWN = 5  # webhooks
UNTOLD = {DeliveryState.WAITING, DeliveryState.FAILED}


def card(request: HttpRequest) -> dict[str, Any] | None:
    """Return the card of webhooks, in one query; nothing for those who may not see them, and where none is active."""
    pages: Any = admin.site._registry[Webhook]
    if not pages.is_admin(request):
        return None
    rows: list[Any] = list(with_last(Webhook.objects.filter(is_active=True).select_related("telling")))
    if not rows:
        return None
    found = [line(row) for row in rows if row.last_state in UNTOLD or gathers(row)]
    return {
        "template": "folio/delivery/home_card.html",
        "rows": sorted(found, key=lambda row: not row["failed"])[:SHOWN],
        "more": reverse("admin:delivery_webhook_changelist") if len(found) > SHOWN else "",
    }


def gathers(webhook: Webhook) -> bool:
    """Tell whether there is something that the webhook was not told yet."""
    telling = getattr(webhook, "telling", None)  # of an active one
    return telling is not None and bool(telling.changes or telling.is_too_much)


def line(webhook: Any) -> dict[str, Any]:
    has_failed = webhook.last_state == DeliveryState.FAILED
    is_tried_again = webhook.last_state == DeliveryState.WAITING and webhook.last_attempts
    return {
        "address": masked(webhook.url),
        "words": outcome(last_of(webhook)),
        "gathers": gathers(webhook),
        "failed": bool(has_failed or is_tried_again),
        "url": reverse("admin:delivery_webhook_change", args=[webhook.pk]),
    }
