"""What people do to webhooks, as the API and the admin site record it: without addresses and secrets."""

from folio.history.changes import NOT_TOLD, Changes

from .models import Webhook, new_nonce
from .webhooks import masked


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
