"""When the server makes backups by itself, and into which store: what a command or the environment says of it.

It is one row of the database, which all machines share: `folio backup TARGET --every 24h --keep 14` writes it, or
FOLIO_BACKUP as a server begins. docs/decisions/0068-scheduled-backups.md has the reasons.
"""

import re
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from folio.server.models import ONE, BackupSchedule
from folio.server.refusing import Refused

from .records import current

EVERY, KEEP = "24h", "14"  # where one of them is not said
LEAST, LONGEST = timedelta(minutes=1), timedelta(days=366)  # between two backups
MOST_KEPT = 10_000
DURATION = re.compile(r"([0-9]{1,6})(m|h|d)")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
FILES = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".zip")  # what names one file


def interval(text: str) -> timedelta:
    """Return the time that a text such as `24h`, `30m` or `7d` is; raise Refused for others."""
    match = DURATION.fullmatch(text.strip().lower())
    found = timedelta(**{UNITS[match[2]]: int(match[1])}) if match else None
    if found is None or not LEAST <= found <= LONGEST:
        raise Refused(
            f"--every is {text!r}; it must be a number and a unit, m, h or d, such as {EVERY}, from a minute to a year."
        )
    return found


def number_to_keep(text: str) -> int:
    """Return how many backups are to be kept; raise Refused for what is no such number."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST_KEPT):
        raise Refused(f"--keep is {text!r}; it must be a whole number from 1 to {MOST_KEPT:,}, such as {KEEP}.")
    return int(text)


def place(target: str) -> str:
    """Return a store as any process would find it; raise Refused for a target that can hold but one backup."""
    if target.lower().endswith(FILES) or Path(target).is_file():
        raise Refused(
            f"{target} is one file, and would be in the way of the second backup. What is made again and again goes "
            "into a folder or to s3://bucket/prefix, where a backup takes no more room than what is new."
        )
    return target if "://" in target else str(Path(target).expanduser().absolute())


def set_schedule(target: str, every: timedelta, keep: int, *, by_environment: bool = False) -> BackupSchedule:
    """Have backups made from now on, the first one at once, in the place of whatever was scheduled."""
    now = timezone.now()
    values = {
        "target": target,
        "every": every,
        "keep": keep,
        "begins_at": now,
        "due_at": now,
        "failures": 0,
        "by_environment": by_environment,
    }
    return BackupSchedule.objects.update_or_create(id=ONE, defaults=values)[0]


def forget() -> bool:
    """Have no more backups made by the server; tell whether any were to be made.

    To be called after a restore as well: the copy that somebody tries would else write into the store of the
    installation that it is a copy of, and remove old backups there.
    """
    deleted, _ = BackupSchedule.objects.all().delete()
    return bool(deleted)


def apply_environment() -> None:
    """Have the schedule be what the environment says, where it says one; raise Refused for what can't be meant.

    What a command has scheduled stays where the environment says nothing. The store is not looked at: one that is away
    for a while must not keep a server from beginning.
    """
    found = current()
    if not settings.BACKUP:
        if found is not None and found.by_environment:
            forget()
        return
    every, keep = settings.BACKUP_EVERY, settings.BACKUP_KEEP
    if not LEAST <= every <= LONGEST:
        raise Refused(f"FOLIO_BACKUP_EVERY is {every}; it must be from a minute to a year, such as {EVERY}.")
    if keep > MOST_KEPT:
        raise Refused(f"FOLIO_BACKUP_KEEP is {keep}; it must be from 1 to {MOST_KEPT:,}, such as {KEEP}.")
    try:
        target = place(settings.BACKUP)
    except Refused as error:
        raise Refused(f"FOLIO_BACKUP: {error}") from None
    if found is None or (found.target, found.every, found.keep, found.by_environment) != (target, every, keep, True):
        set_schedule(target, every, keep, by_environment=True)
