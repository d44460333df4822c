"""Whom to tell when what is published changes, and what was told to them."""

import secrets
from typing import Any

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Event(models.TextChoices):
    """What may have become of a portfolio, as visitors see it."""

    PUBLISHED = "published", _("Published")
    CHANGED = "changed", _("Changed")
    UNPUBLISHED = "unpublished", _("Unpublished")


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")


def every_event() -> list[str]:
    return list(Event.values)


def events_in_words(events: list[str]) -> str:
    """Return the events of a webhook for people; there may be some of a newer version."""
    if set(events) >= set(Event.values):
        return gettext("All changes")
    return ", ".join(str(Event(event).label) if event in Event.values else event for event in events)


def told_sending(pair: tuple[Any, Any]) -> str:
    """Say in words what the history keeps of a message that someone had sent again: its `webhook-id`."""
    return gettext("The message %(id)s was sent again.") % {"id": pair[1]}


def new_nonce() -> str:
    return secrets.token_hex(16)


class Webhook(models.Model):
    """An address of a website's, or of whoever builds one, that is told what has changed.

    Its secret is derived from the installation's and the nonce: who reads the database alone can sign nothing. What the
    server notes of it meanwhile is in `Telling`: whoever saves a webhook as it was read undoes nothing of that.
    """

    url = models.CharField(max_length=2000)
    nonce = models.CharField(max_length=32, default=new_nonce, editable=False)
    events = models.JSONField(default=every_event)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    untold = {"nonce", "updated_at"}  # which no form of it shows
    in_words = {"events": events_in_words}
    deeds = {"sent_again": told_sending}  # what the history tells that is no field

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"webhook {self.pk}"  # its URL is a secret


class Telling(models.Model):
    """What a webhook that is active is still to be told of; there is one for as long as it is active."""

    webhook = models.OneToOneField(Webhook, on_delete=models.CASCADE, primary_key=True, related_name="telling")
    # Since its last message was put together: for the id of each portfolio, as a text, its slug and its event.
    changes = models.JSONField(default=dict)
    is_too_much = models.BooleanField(default=False)  # to be named one by one: the whole manifest may have changed
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"telling of {self.webhook_id}"


class WebhookDelivery(models.Model):
    """One message to a webhook, kept with its answer for 30 days; at most one of a webhook waits."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=64, unique=True)  # the header `webhook-id`
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveIntegerField(default=0)  # begun since it was due, or was to be sent again
    attempted_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)  # while it waits
    status = models.PositiveIntegerField(null=True)  # of the last answer, if there was one
    answer = models.TextField(default="")  # the first 2 KB of its body, as text
    error = models.TextField(default="")  # why there was none
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "webhook deliveries"
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=DeliveryState.values), name="webhook_delivery_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state=DeliveryState.WAITING, next_attempt_at__isnull=False)
                | models.Q(~models.Q(state=DeliveryState.WAITING), next_attempt_at__isnull=True),
                name="webhook_delivery_waits_for_its_moment",
            ),
            models.UniqueConstraint(
                fields=["webhook"],
                condition=models.Q(state=DeliveryState.WAITING),
                name="webhook_has_one_delivery_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.message_id


class ToldPortfolio(models.Model):
    """A portfolio that was published when what is published was last compared, and what it was like then.

    There are none while no webhook is active. Until a new webhook's baseline is complete, a digest may be empty.
    """

    portfolio_id = models.BigIntegerField(primary_key=True)
    slug = models.TextField()
    digest = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.slug
