"""The backup that is due, made: in the process that is there for it, or by `folio runtasks`."""

import logging
import time

from django.db import Error, transaction
from django.utils import timezone

from folio.outages import StorageAway
from folio.server.backups import Refused, make, prune
from folio.server.models import BackupSchedule

from .records import current, failed, put_off, record

logger = logging.getLogger(__name__)


def make_due() -> bool:
    """Make the backup that is due, remove the oldest of more than are to be kept, and write down what came of it.

    Return whether one was tried. To be called by whoever holds the lease (`maker.LEASE`). What fails is written down
    and tried again after a while; a signal goes through, and then the backup is due as before.
    """
    schedule = current()
    now = timezone.now()
    if schedule is None or schedule.due_at > now:
        return False
    began = time.monotonic()
    try:
        made = make(schedule.target)
    except Exception as error:
        failed(schedule, now, why(error), time.monotonic() - began)
        return True
    with transaction.atomic():
        record(schedule.target, made, begun_at=now)
        put_off(schedule, schedule.regular_after(timezone.now()), failures=0)
    logger.info("Backup %s was made in %.0f seconds.", made.name, made.seconds)
    remove_old(schedule)
    return True


def remove_old(schedule: BackupSchedule) -> None:
    """Remove what is not kept any more; what can't be removed now goes after the next backup."""
    try:
        prune(schedule.target, schedule.keep)
    except Exception as error:
        logger.error("Old backups could not be removed from %s. %s", schedule.target, why(error))


def why(error: Exception) -> str:
    if isinstance(error, Refused | StorageAway):
        return str(error)
    if isinstance(error, Error):
        return f"The database failed: {error}"
    logger.error("A backup failed.", exc_info=error)
    return f"{type(error).__name__}: {error}"
