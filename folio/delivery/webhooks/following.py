"""Webhooks come and go: what that means for what they are told."""

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from ..models import Telling, Webhook
from .comparing import begin_baseline
from .outbox import drop


@transaction.atomic
def follow(webhook: Webhook) -> None:
    """Have a webhook told what changes from now on, if it is active, and of nothing any more if it is not."""
    if not webhook.is_active:
        if Telling.objects.filter(pk=webhook.pk).delete()[0]:
            drop(webhook)
        return
    is_first = not Telling.objects.exists()
    _, is_new = Telling.objects.get_or_create(webhook=webhook)
    if is_new and is_first:  # what was told before there was none is not up to date
        begin_baseline()


def follow_saved(sender: Any, instance: Webhook, raw: bool = False, **kwargs: Any) -> None:
    """A receiver of `post_save`."""
    if not raw:
        follow(instance)


def lock_deleted(sender: Any, instance: Webhook, **kwargs: Any) -> None:
    """A receiver of `pre_delete`: whoever tells a webhook has locked it before what belongs to it, too."""
    Webhook.objects.select_for_update().filter(pk=instance.pk).first()


def follow_unnoticed() -> None:
    """Follow those that were changed in a way of which Django tells nobody."""
    has_telling = Exists(Telling.objects.filter(pk=OuterRef("pk")))
    for webhook in Webhook.objects.filter(Q(has_telling, is_active=False) | Q(~has_telling, is_active=True)):
        with transaction.atomic():
            present = Webhook.objects.select_for_update().filter(pk=webhook.pk).first()
            if present is not None:
                follow(present)
