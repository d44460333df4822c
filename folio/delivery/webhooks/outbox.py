"""The messages that wait to be sent, and what became of those that were."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import DeliveryState, WebhookDelivery


def send_again(delivery: WebhookDelivery) -> None:
    """Have a message sent once more, at once and with as many attempts as at first, under the same `webhook-id`.

    Raises ValueError, with a sentence for people, where that can't be.
    """
    if not delivery.webhook.is_active:
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
