from collections.abc import Iterable
from datetime import datetime

from django.db import models
from django.db.models import Q


class State(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"  # or its worker has died: whether anyone is at it, its lease tells
    FAILED = "failed"


class TaskQuerySet(models.QuerySet["Task"]):
    def open(self, names: Iterable[str]) -> "TaskQuerySet":
        """Narrow to what is to be done by the functions of those names, in the order in which it falls due."""
        return self.filter(name__in=sorted(names)).exclude(state=State.FAILED).order_by("due_at", "pk")

    def due(self, names: Iterable[str], now: datetime) -> "TaskQuerySet":
        return self.open(names).filter(due_at__lte=now)


class Task(models.Model):
    """Something that the server does later, once: `name` says by which function, `payload` with what.

    A row is there for as long as it is not done. Of one key, one row waits at the most.
    """

    name = models.CharField(max_length=100)
    key = models.CharField(max_length=255, null=True)
    payload = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)  # begun since it was due, the running one included
    started_at = models.DateTimeField(null=True)  # the last attempt
    error = models.TextField(default="")  # of the last attempt
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(state=State.WAITING), name="task_key_waits_once"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="task_state_known"),
        ]
        indexes = [models.Index(fields=["due_at", "id"], name="task_due")]

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"
