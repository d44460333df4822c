"""What is kept of backups: when the server is to make one, and what came of the last ones."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

ONE = 1  # the id of the only schedule


class BackupSchedule(models.Model):
    """When the server makes a backup by itself, and where; an installation has one of these at the most."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONE)
    target = models.TextField()
    every = models.DurationField()
    keep = models.PositiveIntegerField()
    begins_at = models.DateTimeField(default=timezone.now)  # the first backup; the others follow from it
    due_at = models.DateTimeField(default=timezone.now)  # the next attempt
    failures = models.PositiveIntegerField(default=0)  # one after another
    by_environment = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(id=ONE), name="backup_schedule_one")]

    def __str__(self) -> str:
        return self.target

    def regular_after(self, now: datetime) -> datetime:
        """Return the first moment after `now` that is a whole number of intervals after the first backup."""
        passed = max(timedelta(0), now - self.begins_at) // self.every
        return self.begins_at + (passed + 1) * self.every


class Backup(models.Model):
    """An attempt at a backup and what came of it: `error` is empty where it was made."""

    target = models.TextField()
    name = models.TextField(default="")
    begun_at = models.DateTimeField()
    seconds = models.FloatField(default=0)
    files = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)  # bytes of all that is in it
    new_files = models.BigIntegerField(default=0)  # that the store did not have
    new_size = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    error = models.TextField(default="")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name or self.target
