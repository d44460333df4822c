"""What people do to webhooks, as the API and the admin site record it: without addresses and secrets."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from folio.history.changes import NOT_TOLD, Changes

from ..models import Webhook, WebhookDelivery, new_nonce
from .addresses import masked
from .messages import body_of, new_message_id
from .outbox import send_again


def recordable(changes: Changes) -> Changes:
    """Return changes as the history may keep them: an address without what may be secret in it."""
    if "url" not in changes:
        return changes
    old, new = (masked(url) if url else url for url in changes["url"])
    return {**changes, "url": NOT_TOLD if old == new else (old, new)}


def renew_secret(webhook: Webhook) -> Changes:
    """Give a webhook, which is locked, another secret; what is sent from now on is signed with it."""
    webhook.nonce = new_nonce()
    webhook.save(update_fields=["nonce", "updated_at"])
    return {"secret": NOT_TOLD}


def sent_again(delivery: WebhookDelivery) -> Changes:
    """Have a message sent again; return it as the history of its webhook tells it.

    Raises ValueError, with a sentence for people, where that can't be.
    """
    send_again(delivery)
    return {"sent_again": (None, delivery.message_id)}


def send_test(webhook: Webhook) -> WebhookDelivery:
    """Have a message sent that names no entry; raise ValueError, with a sentence for people, where that can't be."""
    if not webhook.is_active:
        raise ValueError(_("The webhook is inactive. Activate it first."))
    now = timezone.now()
    try:
        with transaction.atomic():
            return WebhookDelivery.objects.create(
                webhook=webhook, message_id=new_message_id(), body=body_of({}, now), next_attempt_at=now
            )
    except IntegrityError:
        raise ValueError(
            _("Another message to this webhook waits, and one goes after the other. Send that one first.")
        ) from None
