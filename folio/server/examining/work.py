"""What the server does later: what failed, and what nobody does."""

from datetime import timedelta

from django.db import Error
from django.utils import timezone

from folio.delivery.models import DeliveryState, Webhook
from folio.tasks.models import State as TaskState
from folio.tasks.models import Task

from .findings import Findings, note, ok, warning

LATE = timedelta(minutes=10)  # after which what is due should have been done
SHOWN = 5


def look() -> Findings:
    try:
        yield from tasks()
        yield from webhooks()
    except Error:  # of which the database's group tells
        yield note("The database can't be asked, so no tasks and webhooks were looked at.")


def tasks() -> Findings:
    failed = Task.objects.filter(state=TaskState.FAILED)
    names = sorted(set(failed.values_list("name", flat=True)))
    for name in names[:SHOWN]:
        last = failed.filter(name=name).order_by("-started_at").first()
        assert last is not None
        # Its last line alone: what is above it is for developers.
        reason = (last.error.strip().splitlines() or [""])[-1]
        yield warning(
            f"The task {name} failed {failed.filter(name=name).count()} times; the last time: {reason[:200]}",
            "The log says more. Mend what it says, then run `folio runtasks --retry`.",
        )
    late = Task.objects.exclude(state=TaskState.FAILED).filter(due_at__lt=timezone.now() - LATE).count()
    if late:
        yield warning(
            f"{late} tasks have been due for more than {LATE.seconds // 60} minutes.",
            "See that a server of this version runs; `folio runtasks` does what is due.",
        )
    if not names and not late:
        yield ok("No task failed, and none is late.")


def webhooks() -> Findings:
    active = list(Webhook.objects.filter(is_active=True).order_by("pk"))
    failing = []
    for webhook in active:
        last = webhook.deliveries.order_by("-pk").first()
        if last is not None and (
            last.state == DeliveryState.FAILED or (last.state == DeliveryState.WAITING and last.attempts > 1)
        ):
            failing.append((webhook.pk, last))
    for pk, last in failing[:SHOWN]:
        why = f"was answered {last.status}" if last.status else f"had no answer: {last.error[:200]}"
        yield warning(
            f"Webhook {pk} is not told of changes: its last message {why}",
            f"See /admin/delivery/webhook/{pk}/change/, mend its address, and send it again.",
        )
    if active and not failing:
        yield ok(f"{len(active)} webhooks are told of changes." if len(active) > 1 else "1 webhook is told of changes.")
    elif not active:
        yield note("There is no webhook.")
