"""What each webhook is to be told of, the messages that wait to be sent, and what became of those that were.

One message to a webhook is under way; what changes meanwhile goes into the next. Whoever sends one notes first that an
attempt begins, and for so long no one else begins another: should its server die, the next one does.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import DeliveryState, Telling, Webhook, WebhookDelivery
from .addresses import masked
from .connections import SECONDS, Answer
from .messages import MOST, body_of, gather, new_message_id

logger = logging.getLogger(__name__)

# Between an attempt that failed and the next one; after the last of them a message is kept as failed.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 5 * 60, 30 * 60, 2 * 3600, 8 * 3600))
MOST_ATTEMPTS = len(WAITS) + 1
UNDER_WAY = timedelta(seconds=3 * SECONDS)  # after which an attempt whose end nobody noted is made again
KEPT = timedelta(days=30)


class Outcome(NamedTuple):
    """How an attempt ended: with an answer, or why there is none."""

    delivery: int
    attempt: int
    answer: Answer | None
    error: str = ""


# How attempts of this process ended since it began, for whoever watches the server; noted by one thread.
tally = {"delivered": 0, "failed": 0}


def locked(webhooks: Collection[int] | None = None) -> list[Webhook]:
    """Return the webhooks that are told anything, of those named; nobody else changes them until the transaction ends.

    They come before all that belongs to them: whoever deletes one begins with it, too.
    """
    rows = Webhook.objects.filter(is_active=True, telling__isnull=False).order_by("pk")
    if webhooks is not None:
        rows = rows.filter(pk__in=webhooks)
    return list(rows.select_for_update(of=("self",), no_key=True))


def gather_for(webhook: Webhook, news: Mapping[int, tuple[str, str]]) -> None:
    """Add to what a webhook is still to be told of."""
    telling = Telling.objects.get(pk=webhook.pk)
    if telling.is_too_much:
        return
    changes = gather(telling.changes, news)
    if len(changes) > MOST:  # what it is not told of anyway was kept only for what might follow
        changes = {pk: change for pk, change in changes.items() if change[1] in webhook.events}
    telling.is_too_much = len(changes) > MOST
    telling.changes = {} if telling.is_too_much else changes
    telling.save()


def put_together(webhook: Webhook, now: datetime) -> None:
    """Have what a webhook is to be told of wait as a message, unless another one does."""
    telling = Telling.objects.filter(pk=webhook.pk).exclude(changes={}, is_too_much=False).first()
    if telling is None or webhook.deliveries.filter(state=DeliveryState.WAITING).exists():
        return
    changes = {pk: (slug, event) for pk, (slug, event) in telling.changes.items() if event in webhook.events}
    if changes or telling.is_too_much:
        body = body_of(None if telling.is_too_much else changes, now)
        WebhookDelivery.objects.create(webhook=webhook, message_id=new_message_id(), body=body, next_attempt_at=now)
    telling.changes, telling.is_too_much = {}, False
    telling.save()


def due(now: datetime) -> "Sequence[int]":
    """Return the webhooks to which a message is due."""
    rows = WebhookDelivery.objects.filter(
        state=DeliveryState.WAITING, next_attempt_at__lte=now, webhook__is_active=True
    )
    return list(rows.order_by("next_attempt_at", "pk").values_list("webhook_id", flat=True))


def next_due() -> datetime | None:
    """Return when the next attempt is due."""
    rows = WebhookDelivery.objects.filter(state=DeliveryState.WAITING, webhook__is_active=True)
    return rows.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()


@transaction.atomic
def begin(webhooks: Collection[int], now: datetime) -> list[WebhookDelivery]:
    """Note that attempts at what is due to these webhooks begin now; return those that no one else is at."""
    rows = WebhookDelivery.objects.filter(
        state=DeliveryState.WAITING, next_attempt_at__lte=now, webhook__is_active=True, webhook__in=webhooks
    )
    begun = []
    for delivery in rows.select_for_update(of=("self",), skip_locked=True).select_related("webhook").order_by("pk"):
        if delivery.attempts >= MOST_ATTEMPTS:  # its server died over the last of them
            fail(delivery, "The server ended while it was sent.")
            continue
        delivery.attempts, delivery.attempted_at = delivery.attempts + 1, now
        delivery.next_attempt_at = now + UNDER_WAY
        delivery.save(update_fields=["attempts", "attempted_at", "next_attempt_at"])
        begun.append(delivery)
    return begun


@transaction.atomic
def settle(outcomes: Iterable[Outcome]) -> None:
    """Write down how attempts ended, and have what changed meanwhile wait as the next message."""
    now = timezone.now()
    by_id = {each.delivery: each for each in outcomes}
    webhooks = WebhookDelivery.objects.filter(pk__in=by_id).values_list("webhook_id", flat=True)
    told = {webhook.pk: webhook for webhook in locked(list(webhooks))}
    rows = WebhookDelivery.objects.filter(pk__in=by_id, state=DeliveryState.WAITING).select_related("webhook")
    for delivery in rows.select_for_update(of=("self",)).order_by("pk"):
        if delivery.attempts != by_id[delivery.pk].attempt:  # another one has begun since, or it is to be sent again
            continue
        end(delivery, by_id[delivery.pk], now)
        answer = by_id[delivery.pk].answer
        tally["delivered" if answer is not None and answer.is_good else "failed"] += 1
        if delivery.state != DeliveryState.WAITING and delivery.webhook_id in told:
            put_together(told[delivery.webhook_id], now)


def end(delivery: WebhookDelivery, outcome: Outcome, now: datetime) -> None:
    answer = outcome.answer
    delivery.status, delivery.answer = (answer.status, answer.text) if answer else (None, "")
    if answer is not None and answer.is_good:
        delivery.state, delivery.next_attempt_at, delivery.error = DeliveryState.DELIVERED, None, ""
        delivery.save()
        return
    error = outcome.error or f"The answer had the status {delivery.status}, not one from 200 to 299."
    if delivery.attempts >= MOST_ATTEMPTS:
        fail(delivery, error)
        return
    delivery.error, delivery.next_attempt_at = error, now + WAITS[delivery.attempts - 1]
    delivery.save()
    logger.warning(
        "Attempt %d of %d to tell %s failed; the next is due at %s. %s",
        delivery.attempts,
        MOST_ATTEMPTS,
        named(delivery.webhook),
        f"{delivery.next_attempt_at:%Y-%m-%d %H:%M:%S} UTC",
        error,
    )


def fail(delivery: WebhookDelivery, error: str) -> None:
    """Keep a message as one that could not be sent."""
    delivery.state, delivery.next_attempt_at, delivery.error = DeliveryState.FAILED, None, error
    delivery.save()
    logger.error("The last of %d attempts to tell %s failed. %s", MOST_ATTEMPTS, named(delivery.webhook), error)


def named(webhook: Webhook) -> str:
    return f"webhook {webhook.pk} ({masked(webhook.url)})"


def drop(webhook: Webhook) -> None:
    """Send nothing of what waits for a webhook that is not active any more."""
    webhook.deliveries.filter(state=DeliveryState.WAITING).update(
        state=DeliveryState.FAILED, next_attempt_at=None, error="The webhook was made inactive before it was sent."
    )


def forget_old(now: datetime) -> None:
    """Delete what was sent, or could not be, longer ago than it is kept; nothing is written where there is nothing."""
    limit = now - KEPT
    old = WebhookDelivery.objects.exclude(state=DeliveryState.WAITING).filter(
        Q(attempted_at__lt=limit) | Q(attempted_at=None, created_at__lt=limit)
    )
    if old.exists():
        old.delete()


def send_again(delivery: WebhookDelivery) -> None:
    """Have a message sent once more, at once and with as many attempts as at first, under the same `webhook-id`.

    Raises ValueError, with a sentence for people, where that can't be.
    """
    if not Webhook.objects.filter(pk=delivery.webhook_id, is_active=True).exists():
        raise ValueError(_("The webhook is inactive. Activate it first."))
    try:
        with transaction.atomic():
            count = WebhookDelivery.objects.filter(pk=delivery.pk).update(
                state=DeliveryState.WAITING, attempts=0, next_attempt_at=timezone.now()
            )
    except IntegrityError:
        raise ValueError(
            _("Another message to this webhook waits, and one goes after the other. Send that one first.")
        ) from None
    if not count:
        raise ValueError(_("This message is not kept any more."))
