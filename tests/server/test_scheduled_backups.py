"""Backups that the server makes by itself: once when they are due, told of when they fail, and by nobody twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Site
from django.utils import timezone

from folio.outages import StorageAway
from folio.server.backups import Made, Refused
from folio.server.models import Backup, BackupSchedule
from folio.server.scheduled import due
from folio.server.scheduled.due import make_due
from folio.server.scheduled.maker import LEASE, Maker, ended_with
from folio.server.scheduled.records import KEPT, failed, last_made, record, standing
from folio.server.scheduled.schedule import apply_environment, forget, set_schedule
from folio.server.scheduled.standing import word_of
from folio.tasks.leases import leases
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


class Engine:
    """What makes backups, without making any."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        self.kept: list[int] = []
        self.problem: Exception | None = None

    def make(self, target: str) -> Made:
        if self.problem is not None:
            raise self.problem
        self.targets.append(target)
        return Made(f"made-{len(self.targets)}", datetime.now(UTC), 2.5, 7, 3_000_000, 2, 1_000, 188)

    def prune(self, target: str, keep: int) -> list[str]:
        self.kept.append(keep)
        return []


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    monkeypatch.setattr(due, "make", engine.make)
    monkeypatch.setattr(due, "prune", engine.prune)
    return engine


@pytest.fixture(autouse=True)
def unscheduled() -> Iterator[None]:
    yield
    forget()


def let_time_pass(time: timedelta) -> None:
    """Have all that is kept of backups be older by that time."""
    for schedule in BackupSchedule.objects.all():
        BackupSchedule.objects.update(begins_at=schedule.begins_at - time, due_at=schedule.due_at - time)
    for backup in Backup.objects.all():
        Backup.objects.filter(pk=backup.pk).update(begun_at=backup.begun_at - time)


def folio_backup(*arguments: str) -> str:
    out = StringIO()
    call_command("backup", *arguments, stdout=out)
    return out.getvalue()


class TestWhatIsDue:
    def test_is_made_once_and_written_down(self, engine: Engine) -> None:
        schedule = set_schedule("/backups", DAY, 3)

        assert make_due()
        assert not make_due()

        assert (engine.targets, engine.kept) == (["/backups"], [3])
        made = Backup.objects.get()
        assert (made.name, made.files, made.size, made.new_files, made.new_size, made.rows, made.error) == (
            *("made-1", 7, 3_000_000, 2, 1_000, 188),
            "",
        )
        assert BackupSchedule.objects.get().due_at == schedule.begins_at + DAY

    def test_keeps_its_time_of_day(self, engine: Engine) -> None:
        schedule = set_schedule("/backups", DAY, 3)
        make_due()
        let_time_pass(3 * DAY + timedelta(hours=5))  # in which no server ran

        assert make_due()

        assert len(engine.targets) == 2
        now = timezone.now()
        due_at = BackupSchedule.objects.get().due_at
        assert now < due_at <= now + DAY
        assert (due_at - (schedule.begins_at - 3 * DAY - timedelta(hours=5))) % DAY == timedelta(0)

    def test_is_nothing_without_a_schedule(self, engine: Engine) -> None:
        assert not make_due()
        assert not Backup.objects.exists()

    @pytest.mark.parametrize(
        ("problem", "words"),
        [
            (Refused("The disk is full."), "The disk is full."),
            (StorageAway("The bucket does not answer."), "The bucket does not answer."),
            (ValueError("x" * 5_000), "ValueError: xxx"),
        ],
    )
    def test_is_tried_again_after_a_while_where_it_fails(self, engine: Engine, problem: Exception, words: str) -> None:
        set_schedule("/backups", DAY, 3)
        engine.problem = problem

        for wait in (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=1)):
            assert make_due()
            now = timezone.now()
            due_at = BackupSchedule.objects.get().due_at
            assert now < due_at <= now + wait
            assert due_at > now + wait - timedelta(minutes=1)
            assert not make_due()
            BackupSchedule.objects.update(due_at=now)

        last = Backup.objects.order_by("-pk")[0]
        assert last.error.startswith(words)
        assert len(last.error) <= 2_000
        assert standing() == "failed"
        engine.problem = None
        assert make_due()
        assert standing() == "ok"
        assert BackupSchedule.objects.get().failures == 0

    def test_is_tried_again_at_the_next_regular_time_at_the_latest(self, engine: Engine) -> None:
        schedule = set_schedule("/backups", timedelta(minutes=1), 3)
        engine.problem = Refused("No.")
        BackupSchedule.objects.update(failures=9)

        make_due()

        assert BackupSchedule.objects.get().due_at == schedule.begins_at + timedelta(minutes=1)

    def test_that_was_broken_off_is_due_as_before(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(target: str) -> Made:
            raise KeyboardInterrupt

        set_schedule("/backups", DAY, 3)
        with monkeypatch.context() as patch:
            patch.setattr(due, "make", interrupted)
            with pytest.raises(KeyboardInterrupt):
                make_due()

        assert not Backup.objects.exists()
        assert make_due()

    def test_counts_as_made_where_old_ones_can_t_be_removed(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def refuse(target: str, keep: int) -> list[str]:
            raise Refused("They are locked.")

        set_schedule("/backups", DAY, 3)
        monkeypatch.setattr(due, "prune", refuse)

        make_due()

        assert standing() == "ok"
        assert "Old backups could not be removed from /backups. They are locked." in caplog.text

    def test_is_left_to_whoever_is_at_it(self, engine: Engine) -> None:
        set_schedule("/backups", DAY, 3)
        held = leases()
        try:
            assert held.take(LEASE)
            Maker().run_once()
            assert engine.targets == []
            assert "is being made" in folio_backup("--schedule")
        finally:
            held.close()

        Maker().run_once()
        assert engine.targets == ["/backups"]

    def test_is_made_by_the_command_that_does_tasks(self, engine: Engine) -> None:
        set_schedule("/backups", DAY, 3)

        call_command("runtasks", stdout=StringIO())

        assert engine.targets == ["/backups"]

    def test_of_a_schedule_that_was_changed_meanwhile_is_due_at_once(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def make(target: str) -> Made:
            if target == "/backups":
                set_schedule("/elsewhere", DAY, 3)
            return engine.make(target)

        set_schedule("/backups", DAY, 3)
        monkeypatch.setattr(due, "make", make)

        assert make_due()
        assert make_due()
        assert not make_due()
        assert engine.targets == ["/backups", "/elsewhere"]

    def test_only_the_last_outcomes_are_kept(self, engine: Engine) -> None:
        schedule = set_schedule("/backups", DAY, 3)
        for _ in range(KEPT + 5):
            failed(schedule, timezone.now(), "No.", 0.1)

        assert Backup.objects.count() == KEPT

    def test_what_ended_a_process_is_told_in_words(self) -> None:
        assert ended_with(-9, "") == "The process that was making it was ended by SIGKILL. The system may know why."
        assert ended_with(1, "Trace\nMemoryError") == (
            "The process that was making it ended with the status 1. MemoryError"
        )


class TestStanding:
    NOW = 1_000_000.0
    HOUR = 3600.0

    @pytest.mark.any_database
    @pytest.mark.parametrize(
        ("row", "word"),
        [
            (None, "none"),
            ((HOUR, NOW - 10, None, None), "none"),  # the first is being made
            ((HOUR, NOW - 10, 0, NOW - 10), "ok"),
            ((HOUR, NOW - 9 * HOUR, 0, NOW - 2 * HOUR + 1), "ok"),
            ((HOUR, NOW - 9 * HOUR, 0, NOW - 2 * HOUR - 1), "late"),
            ((HOUR, NOW - 3 * HOUR, None, None), "late"),
            ((HOUR, NOW - 9 * HOUR, 1, NOW - 10), "failed"),
            (("3600", "999000.5", "1", None), "failed"),  # as libpq tells numbers
        ],
    )
    def test_is_told_in_a_word(self, row: Any, word: str) -> None:
        assert word_of(row, self.NOW) == word

    def test_is_of_the_database(self, engine: Engine) -> None:
        assert standing() == "none"
        set_schedule("/backups", timedelta(hours=1), 3)
        assert standing() == "none"
        make_due()
        assert standing() == "ok"
        let_time_pass(timedelta(minutes=119))
        assert standing() == "ok"
        let_time_pass(timedelta(minutes=2))
        assert standing() == "late"

    def test_is_not_mended_by_a_backup_elsewhere(self, engine: Engine) -> None:
        schedule = set_schedule("/backups", DAY, 3)
        failed(schedule, timezone.now(), "No.", 0.1)

        record("/elsewhere.tar", engine.make("/elsewhere.tar"))

        assert standing() == "failed"
        assert last_made("/backups") is None


class TestEnvironment:
    def test_schedules(self, settings: Any) -> None:
        settings.BACKUP, settings.BACKUP_EVERY, settings.BACKUP_KEEP = "/backups", timedelta(hours=6), 5

        apply_environment()
        first = BackupSchedule.objects.get()
        apply_environment()

        found = BackupSchedule.objects.get()
        assert (found.target, found.every, found.keep, found.by_environment) == (
            *("/backups", timedelta(hours=6), 5),
            True,
        )
        assert found.begins_at == first.begins_at
        for arguments in (["--stop"], ["/elsewhere", "--every", "24h"]):
            with pytest.raises(CommandError, match="FOLIO_BACKUP schedules the backups here"):
                folio_backup(*arguments)
        settings.BACKUP = ""
        apply_environment()
        assert not BackupSchedule.objects.exists()

    def test_that_says_nothing_leaves_what_a_command_has_scheduled(self, settings: Any) -> None:
        set_schedule("/backups", DAY, 3)

        apply_environment()

        assert BackupSchedule.objects.get().target == "/backups"

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"BACKUP": "/b/x.tar"}, "FOLIO_BACKUP: /b/x.tar is one file"),
            ({"BACKUP": "/b", "BACKUP_EVERY": timedelta(0)}, "FOLIO_BACKUP_EVERY is 0:00:00; it must be from a minute"),
            ({"BACKUP": "/b", "BACKUP_KEEP": 10_001}, "FOLIO_BACKUP_KEEP is 10001; it must be from 1 to 10,000"),
        ],
    )
    def test_that_can_t_be_meant_is_refused(self, settings: Any, values: dict[str, Any], words: str) -> None:
        for name, value in values.items():
            setattr(settings, name, value)

        with pytest.raises(Refused) as refused:
            apply_environment()

        assert str(refused.value).startswith(words)
        assert not BackupSchedule.objects.exists()


class TestCommand:
    def test_schedules_tells_and_stops(self, engine: Engine, tmp_path: Path) -> None:
        store = tmp_path / "store"

        said = folio_backup(str(store), "--every", "24h", "--keep", "14")

        assert f"backs up into {store}, every 24 hours, the first time at once." in said
        assert "It keeps the last 14." in said
        assert store.is_dir()
        assert "begins when a server runs" in folio_backup("--schedule")
        make_due()
        told = folio_backup("--schedule")
        assert f"into   {store}\nevery  24 hours\nkeeps  the last 14\nnext   " in told
        assert "state  ok\n" in told
        assert "made-1, 188 rows, 7 media files, 2.86 MB, of which 1000 bytes were new, in 2.5 seconds" in told
        assert "The server makes no more backups by itself." in folio_backup("--stop")
        assert folio_backup("--stop") == "Nothing was scheduled.\n"
        assert "No backups are scheduled." in folio_backup("--schedule")

    def test_tells_what_failed(self, engine: Engine) -> None:
        set_schedule("/backups", timedelta(hours=36), 1)
        engine.problem = Refused("The disk is full.")
        make_due()

        told = folio_backup("--schedule")

        assert "every  36 hours\nkeeps  the last one\n" in told
        assert "state  failed\n" in told
        assert "UTC: The disk is full.\n" in told
        assert "last   none was made yet" in told

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--every", "5"], "--every is '5'; it must be a number and a unit, m, h or d, such as 24h"),
            (["--every", "0h"], "--every is '0h'; it must be"),
            (["--every", "9999d"], "from a minute to a year"),
            (
                ["--every", "24h", "--keep", "0"],
                "--keep is '0'; it must be a whole number from 1 to 10,000, such as 14",
            ),
            (["--every", "24h", "--keep", "all"], "--keep is 'all'"),
            (["--keep", "-1"], "--keep is '-1'"),
            (["--every", "24h", "--with-secret-key"], "leave --with-secret-key out"),
            (["--every", "24h", "--stop"], "--every goes with TARGET and --keep alone"),
            (["--stop"], "--schedule and --stop stand alone"),
        ],
    )
    def test_refuses_what_can_t_be_meant(self, tmp_path: Path, arguments: list[str], words: str) -> None:
        with pytest.raises(CommandError) as refused:
            folio_backup(str(tmp_path / "store"), *arguments)

        assert words in str(refused.value)
        assert not BackupSchedule.objects.exists()
        assert not (tmp_path / "store").exists()

    def test_refuses_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        for name in ("backup.tar", "backup.tar.gz", "file"):
            for flags in (["--every", "24h"], ["--keep", "3"]):
                with pytest.raises(CommandError, match="is one file, and would be in the way of the second backup"):
                    folio_backup(str(tmp_path / name), *flags)
        assert not BackupSchedule.objects.exists()

    def test_refuses_a_folder_of_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "holiday.jpg").write_text("")

        with pytest.raises(CommandError, match="holds other things than backups"):
            folio_backup(str(tmp_path), "--every", "24h")

        assert not BackupSchedule.objects.exists()

    @pytest.mark.parametrize("flags", [[], ["--every", "24h"], ["--list"]])
    def test_asks_where_to(self, flags: list[str]) -> None:
        with pytest.raises(CommandError, match="Say where to: folio backup TARGET"):
            folio_backup(*flags)


class TestHome:
    @pytest.fixture
    def admin(self) -> Site:
        site = Site()
        site.force_login(make_user("ada", is_staff=True, is_superuser=True))
        return site

    def page(self, site: Site) -> str:
        return site.get("/admin/").content.decode()

    def test_says_that_none_are_made(self, admin: Site) -> None:
        assert "The server makes no backups by itself." in self.page(admin)

    def test_shows_the_last_one(self, admin: Site, engine: Engine) -> None:
        set_schedule("/backups", DAY, 3)
        assert "The first backup is being made." in self.page(admin)
        make_due()

        page = self.page(admin)

        assert "made-1" in page
        assert "2.9\xa0MB, 1000\xa0bytes of it new, in 2 s" in page
        assert "/backups" in page
        assert "The last backup failed" not in page

    def test_shows_what_failed_beside_the_last_one_that_was_made(self, admin: Site, engine: Engine) -> None:
        set_schedule("/backups", DAY, 3)
        make_due()
        engine.problem = Refused("The disk <b> is full.")
        BackupSchedule.objects.update(due_at=timezone.now())
        make_due()

        page = self.page(admin)

        assert "The last backup failed" in page
        assert "The disk &lt;b&gt; is full." in page
        assert "made-1" in page

    def test_shows_that_one_is_late(self, admin: Site, engine: Engine) -> None:
        set_schedule("/backups", DAY, 3)
        let_time_pass(3 * DAY)

        assert "The next backup is late" in self.page(admin)

    def test_tells_others_nothing(self, engine: Engine) -> None:
        set_schedule("/backups", DAY, 3)
        make_due()
        site = Site()
        site.force_login(make_user("bob", is_staff=True, codes=[4202, 4203]))

        assert "ackup" not in self.page(site)
