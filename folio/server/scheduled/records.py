"""What the database keeps of backups: the schedule, what came of the last attempts, and how it stands by that."""

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from folio.server.models import Backup, BackupSchedule

from .standing import POSTGRESQL, SQLITE, word_of

logger = logging.getLogger(__name__)

KEPT = 50  # attempts of which the outcome is kept
ERROR_SIZE = 2_000  # characters that are kept of an error
# After an attempt that failed; or the next regular one, where that is sooner.
WAITS = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))


def current() -> BackupSchedule | None:
    return BackupSchedule.objects.first()


def record(target: str, made: Any, begun_at: datetime | None = None) -> None:
    """Write down that a backup was made."""
    note(
        Backup(
            target=target,
            name=made.name,
            begun_at=begun_at or timezone.now() - timedelta(seconds=made.seconds),
            seconds=made.seconds,
            files=made.files,
            size=made.bytes,
            new_files=made.new_files,
            new_size=made.new_bytes,
            rows=made.rows,
        )
    )


def failed(schedule: BackupSchedule, begun_at: datetime, error: str, seconds: float) -> None:
    """Write down why a backup could not be made, and have it tried again after a while."""
    error = " ".join(error.replace("\0", "").split())[:ERROR_SIZE] or "It failed without a word."
    now = timezone.now()
    again = min(now + WAITS[min(schedule.failures, len(WAITS) - 1)], schedule.regular_after(now))
    with transaction.atomic():
        note(Backup(target=schedule.target, begun_at=begun_at, seconds=seconds, error=error))
        put_off(schedule, again, failures=schedule.failures + 1)
    logger.error("The backup into %s failed; it is tried again at %s. %s", schedule.target, f"{again:%H:%M} UTC", error)


def put_off(schedule: BackupSchedule, due_at: datetime, failures: int) -> None:
    """Write down when the next attempt is due, unless another schedule was made meanwhile."""
    mine = BackupSchedule.objects.filter(target=schedule.target, begins_at=schedule.begins_at)
    mine.update(due_at=due_at, failures=failures)


def note(backup: Backup) -> None:
    with transaction.atomic():
        backup.save(force_insert=True)
        kept = Backup.objects.order_by("-pk").values_list("pk", flat=True)[:KEPT]
        Backup.objects.filter(pk__lt=min(kept)).delete()


def last(**wanted: str) -> Backup | None:
    return Backup.objects.filter(**wanted).order_by("-pk").first()


def last_made(target: str | None = None) -> Backup | None:
    """Return the last backup that was made, into the target where one is given."""
    return last(error="", **({} if target is None else {"target": target}))


def standing() -> str:
    """Return in a word how it stands: `ok`, `failed`, `late`, or `none`."""
    with connection.cursor() as cursor:
        cursor.execute(POSTGRESQL if connection.vendor == "postgresql" else SQLITE)
        return word_of(cursor.fetchone(), time.time())
