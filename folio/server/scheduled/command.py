"""What `folio backup` has for backups that the server makes by itself: to schedule them, to end that, to look."""

from argparse import ArgumentParser
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error
from django.utils import timezone

from folio.media.sizes import human_readable_size
from folio.server.models import BackupSchedule
from folio.server.refusing import Refused
from folio.tasks.leases import leases

from .maker import LEASE
from .records import current, last, last_made, record, standing
from .schedule import EVERY, KEEP, forget, interval, number_to_keep, place, set_schedule


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--every",
        metavar="TIME",
        help=f"have the running server make one so often from now on, such as {EVERY}, the first one at once",
    )
    parser.add_argument(
        "--keep",
        metavar="NUMBER",
        help=f"remove the oldest of more backups than these; with --every, {KEEP} unless it is said",
    )
    parser.add_argument(
        "--schedule", action="store_true", help="only show what is scheduled, and how the last one went"
    )
    parser.add_argument("--stop", action="store_true", help="have the server make no more of them")


def is_about_schedule(options: dict[str, Any]) -> bool:
    return options["every"] is not None or options["schedule"] or options["stop"]


def change(target: str | None, options: dict[str, Any]) -> list[str]:
    """Do what was asked of the schedule, and return what is to be said; raise Refused for what can't be meant."""
    if options["every"] is not None:
        if options["schedule"] or options["stop"] or options["is_to_list"]:
            raise Refused("--every goes with TARGET and --keep alone.")
        if options["with_secret_key"]:
            raise Refused(
                "Backups that the server makes by itself are without the secret key: leave --with-secret-key out, and "
                "keep the key in another place, once."
            )
        if target is None:
            raise Refused("Say where to: folio backup TARGET --every 24h, with a folder or s3://bucket/prefix.")
        return scheduled(target, options["every"], options["keep"])
    if target is not None or options["keep"] is not None or (options["schedule"] and options["stop"]):
        raise Refused("--schedule and --stop stand alone.")
    return told() if options["schedule"] else stopped()


def scheduled(target: str, every: str, keep: str | None) -> list[str]:
    from folio.server.backups.stores import store_at

    found, number, where = interval(every), number_to_keep(KEEP if keep is None else keep), place(target)
    refuse_environment()
    store = store_at(where, is_to_begin=True)  # it is there, and can be written
    schedule = set_schedule(where, found, number)
    how_often, kept = in_words(schedule.every), last_ones(schedule.keep)
    return [
        f"From now on the server backs up into {schedule.target}, every {how_often}, the first time at once.",
        f"It keeps {kept}.",
        *filter(None, [store.warning]),
        "`folio backup --schedule` tells how it went; so do the admin site's home page and /readyz.",
    ]


def stopped() -> list[str]:
    refuse_environment()
    if not forget():
        return ["Nothing was scheduled."]
    return ["The server makes no more backups by itself. Those that there are stay."]


def refuse_environment() -> None:
    found = current()
    if settings.BACKUP or (found is not None and found.by_environment):
        raise Refused(
            "FOLIO_BACKUP schedules the backups here, in the environment of the servers. Change it there, or take it "
            "off, and restart them."
        )


def told() -> list[str]:
    """Return what is scheduled, and how the last backup went."""
    schedule = current()
    target = schedule.target if schedule is not None else None
    lines = ["No backups are scheduled."]
    if schedule is not None:
        by = ", by FOLIO_BACKUP" if schedule.by_environment else ""
        lines = [
            f"into   {schedule.target}{by}",
            f"every  {in_words(schedule.every)}",
            f"keeps  {last_ones(schedule.keep)}",
            f"next   {next_of(schedule)}",
            f"state  {standing()}",
        ]
        failure = last(target=schedule.target)
        if failure is not None and failure.error:
            lines.append(f"failed {moment(failure.begun_at)}: {failure.error}")
    made = last_made(target)
    if made is None:
        return [*lines, "last   none was made yet"]
    size, new = human_readable_size(made.size), human_readable_size(made.new_size)
    contents = f"{made.rows:,} rows, {made.files:,} media files, {size}, of which {new} were new"
    return [*lines, f"last   {moment(made.begun_at)}: {made.name}, {contents}, in {made.seconds:.1f} seconds"]


def next_of(schedule: BackupSchedule) -> str:
    lease = leases()
    try:
        is_free = lease.take(LEASE)
    finally:
        lease.close()
    if not is_free:
        return "is being made"
    if schedule.due_at <= timezone.now():
        return f"is due since {moment(schedule.due_at)}, and begins when a server runs"
    return moment(schedule.due_at)


def moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def in_words(time: timedelta) -> str:
    minutes = round(time.total_seconds() / 60)
    for size, unit in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0 and (minutes >= 2 * size or size < 24 * 60):
            count = minutes // size
            return unit if count == 1 else f"{count} {unit}s"
    raise AssertionError(time)


def last_ones(number: int) -> str:
    return "the last one" if number == 1 else f"the last {number:,}"


def note_made(target: str, made: Any) -> None:
    """Write down that a backup was made by hand; it is there though a database may not let itself be written."""
    with suppress(Error):
        record(target if "://" in target else str(Path(target).absolute()), made)
