"""What admins are told of webhooks, and of what was sent to them."""

from collections.abc import Iterable
from typing import Annotated, Literal

from folio.api.documents import CHOICE, Document, Id, Moment, about

from ..models import Webhook as WebhookModel
from ..models import WebhookDelivery
from .addresses import masked
from .messages import secret_of

WEBHOOK_FIELDS = ("id", "url", "events", "is_active", "created_at", "updated_at")
DELIVERY_FIELDS = (
    "id",
    "message_id",
    "state",
    "attempts",
    "attempted_at",
    "next_attempt_at",
    "status",
    "answer",
    "error",
    "created_at",
)


class Webhook(Document):
    """An address that is told what has changed of what is published; its path, which may be a secret, is masked."""

    id: Id
    url: Annotated[str, about("Where it is told, masked. Sent back as it was read, it leaves the address as it is.")]
    events: Annotated[
        list[Annotated[Literal["published", "changed", "unpublished"], CHOICE]], about("Of what it is told.")
    ]
    is_active: Annotated[bool, about("Whether it is told anything.")]
    created_at: Annotated[Moment, about("When it was made.")]
    updated_at: Annotated[Moment, about("When it was last changed by someone; being told changes nothing.")]

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, "Webhook"]:
        rows = WebhookModel.objects.filter(pk__in=list(ids)).values(*WEBHOOK_FIELDS)
        return {row["id"]: cls(**{**row, "url": masked(row["url"])}) for row in rows}


class NewWebhook(Webhook):
    """A webhook with its secret, this once."""

    secret: Annotated[str, about("By which the receiver checks signatures, as Standard Webhooks has it.")]

    @classmethod
    def of(cls, webhook: WebhookModel) -> "NewWebhook":
        told = {name: getattr(webhook, name) for name in WEBHOOK_FIELDS}
        return cls(**{**told, "url": masked(webhook.url)}, secret=secret_of(webhook))

    def plain(self) -> Document:
        return Webhook(**{name: getattr(self, name) for name in WEBHOOK_FIELDS})


class Delivery(Document):
    """A message to a webhook, and what came of it."""

    id: Id
    message_id: Annotated[str, about("Its `webhook-id`, the same in each attempt.")]
    state: Annotated[Literal["waiting", "delivered", "failed"], CHOICE, about("Waiting includes what is tried again.")]
    attempts: Annotated[int, about("How often it was tried.")]
    attempted_at: Annotated[Moment | None, about("When it was last tried; null where it was not yet.")]
    next_attempt_at: Annotated[Moment | None, about("When it is tried next; null where it is not.")]
    status: Annotated[int | None, about("The last answer's; null where none came.")]
    answer: Annotated[str, about("The first 2 KB of the last answer, as text. Whoever is told may write anything.")]
    error: Annotated[str, about("Why no answer came; empty where one did.")]
    created_at: Annotated[Moment, about("When it was put together.")]

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, "Delivery"]:
        rows = WebhookDelivery.objects.filter(pk__in=list(ids)).values(*DELIVERY_FIELDS)
        return {row["id"]: cls(**row) for row in rows}
