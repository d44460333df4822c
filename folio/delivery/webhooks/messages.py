"""What a message says, and how it is signed: by the specification of Standard Webhooks."""

import base64
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.utils.crypto import salted_hmac
from standardwebhooks.webhooks import Webhook as Signer

from folio import __version__

from ..models import Event, Webhook

TYPE = "portfolios.changed"
MOST = 1_000  # portfolios that a message names; of more, it says that the whole manifest may have changed
Changes = dict[str, tuple[str, str]]  # by the ids of portfolios, as texts: their slugs and events


def secret_of(webhook: Webhook) -> str:
    """Return the secret that a webhook's messages are signed with: the installation's and the row's nonce make it."""
    key = salted_hmac("folio.delivery.webhooks", webhook.nonce, algorithm="sha256").digest()
    return f"whsec_{base64.b64encode(key).decode()}"


def new_message_id() -> str:
    return f"msg_{secrets.token_hex(16)}"


def headers_of(webhook: Webhook, message_id: str, body: str, now: datetime) -> dict[str, str]:
    """Return what a message is sent with; its moment, which is signed too, is that of the attempt."""
    now = now.astimezone(UTC)
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Folio/{__version__}",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Signer(secret_of(webhook)).sign(message_id, now, body),
    }


def merged(before: str | None, event: str) -> str | None:
    """Return what has become of a portfolio by two events, the first of which nobody was told; None for nothing."""
    if before is None or before == event:
        return event
    match before, event:
        case Event.PUBLISHED, Event.UNPUBLISHED:
            return None
        case Event.PUBLISHED, Event.CHANGED:
            return Event.PUBLISHED.value
        case Event.UNPUBLISHED, _:
            return Event.CHANGED.value
    return event


def gather(changes: Mapping[str, Any], news: Mapping[int, tuple[str, str]]) -> Changes:
    """Return the changes that there were, with newer ones added to them."""
    gathered: Changes = {pk: (slug, event) for pk, (slug, event) in changes.items()}
    for pk, (slug, event) in news.items():
        _, before = gathered.pop(str(pk), ("", None))
        became = merged(before, event)
        if became is not None:
            gathered[str(pk)] = (slug, became)
    return gathered


def body_of(changes: Changes | None, now: datetime) -> str:
    """Return the body of a message; without the changes it sends its reader to the manifest."""
    moment = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    portfolios = None if changes is None else [{"id": int(pk), "slug": s, "event": e} for pk, (s, e) in changes.items()]
    data = {"portfolios": portfolios, "manifest": changes is None}
    return msgspec.json.encode({"type": TYPE, "timestamp": moment, "data": data}).decode()
