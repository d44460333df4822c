"""What is found of backups."""

from datetime import timedelta

import pytest
from django.utils import timezone

from folio.server.examining import backups
from folio.server.examining.findings import told
from folio.server.models import Backup, BackupSchedule

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def found() -> list[tuple[str, str]]:
    return [(each.state.value, each.text) for each in map(told, backups.look())]


def make_backup(target: str = "/backups", age: timedelta = HOUR, error: str = "") -> Backup:
    return Backup.objects.create(target=target, begun_at=timezone.now() - age, size=5 * 1024**2, error=error)


def make_schedule(age: timedelta = HOUR) -> BackupSchedule:
    return BackupSchedule.objects.create(
        target="/backups", every=24 * HOUR, keep=14, begins_at=timezone.now() - age, due_at=timezone.now()
    )


def test_none_at_all_is_a_warning_that_says_how_to_have_some() -> None:
    [finding] = backups.look()

    assert tuple(finding) == (
        "warning",
        "No backup was ever made.",
        "folio backup TARGET --every 24h --keep 14 has the server make them: docs/guides/backup.md.",
    )


def test_one_by_hand_grows_old() -> None:
    backup = make_backup(age=3 * HOUR)
    assert found() == [("ok", "The last backup was made by hand into /backups, and is 3 hours old.")]

    backup.begun_at -= timedelta(days=10)
    backup.save()
    assert found() == [("warning", "The last backup was made by hand into /backups, and is 10 days old.")]


def test_those_of_the_server_are_fine_while_they_are_made() -> None:
    make_schedule()
    assert found() == [("note", "Backups are made into /backups from now on; none was made yet.")]

    make_backup(age=timedelta(minutes=5))
    assert found() == [
        ("ok", "Backups are made into /backups: the last that was made is 5 minutes old, and has 5.0 MB.")
    ]


def test_one_that_failed_is_a_fault_with_its_reason() -> None:
    make_schedule()
    make_backup(age=30 * HOUR)
    make_backup(error="No space left on device")

    assert found() == [
        (
            "fault",
            "The last backup into /backups failed, and the last that was made is 30 hours old: No space left on device",
        )
    ]


def test_one_that_is_late_is_a_fault() -> None:
    make_schedule(age=timedelta(days=9))
    make_backup(age=timedelta(days=3))

    assert found() == [
        ("fault", "A backup into /backups should have been made, and the last that was made is 3 days old.")
    ]
