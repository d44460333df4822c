"""Backups: whether the server makes any, and how old the last one is."""

from datetime import timedelta

from django.db import Error
from django.utils import timezone

from folio.logs import masked
from folio.server.scheduled.records import current, last, last_made, standing

from .findings import Findings, fault, note, ok, size, warning

OLD = timedelta(days=7)  # of one that nobody has the server make
SCHEDULE = "folio backup TARGET --every 24h --keep 14"
GUIDE = "docs/guides/backup.md"


def look() -> Findings:
    try:
        yield from scheduled()
    except Error:  # of which the database's group tells
        yield note("The database can't be asked for the last backup.")


def scheduled() -> Findings:
    schedule = current()
    if schedule is None:
        yield from by_hand()
        return
    word, attempt, made = standing(), last(target=schedule.target), last_made(schedule.target)
    target = masked(schedule.target)
    when = f"the last that was made is {ago(timezone.now() - made.begun_at)} old" if made else "none was made yet"
    if word == "failed" and attempt is not None:
        yield fault(
            f"The last backup into {target} failed, and {when}: {attempt.error[:200]}",
            f"Mend what it says; it is tried again by itself. {GUIDE} has more.",
        )
    elif word == "late":
        yield fault(
            f"A backup into {target} should have been made, and {when}.",
            f"See that a server runs and that its log tells no failure; {GUIDE} has more.",
        )
    elif made is None:
        yield note(f"Backups are made into {target} from now on; none was made yet.")
    else:
        yield ok(f"Backups are made into {target}: {when}, and has {size(made.size)}.")


def by_hand() -> Findings:
    made = last_made()
    if made is None:
        yield warning("No backup was ever made.", f"{SCHEDULE} has the server make them: {GUIDE}.")
        return
    age = timezone.now() - made.begun_at
    told = f"The last backup was made by hand into {masked(made.target)}, and is {ago(age)} old"
    if age > OLD:
        yield warning(f"{told}.", f"{SCHEDULE} has the server make them: {GUIDE}.")
    else:
        yield ok(f"{told}.")


def ago(age: timedelta) -> str:
    """Return an age as people say it."""
    hours = age / timedelta(hours=1)
    if hours < 1:
        return f"{max(0, age // timedelta(minutes=1))} minutes"
    return f"{hours:.0f} hours" if hours < 48 else f"{age.days} days"
