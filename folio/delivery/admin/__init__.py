"""Webhooks in the admin site, for admins: who is told of changes, and what came of it."""

from folio.portfolios.admin.home import cards

from .deliveries import WebhookDeliveryAdmin
from .home import card
from .webhooks import WebhookAdmin

cards.append(card)

__all__ = ["WebhookAdmin", "WebhookDeliveryAdmin"]
