"""Pictures of what is published by the clock: made ahead from the moment on, and served by nobody's wish before it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from folio.media import ahead
from folio.media.ahead import GATHERED, Upcoming, make_variants
from folio.media.making import failures, postponed
from folio.media.models import Media
from folio.portfolios.models import Portfolio
from folio.portfolios.moments import next_publication
from folio.tasks.models import Task
from folio.tasks.registry import lookouts
from folio.tasks.runner import Runner
from tests.clock import Clock
from tests.factories import make_employer, make_portfolio, make_tag

from .varied import get, name_of, upload_image, variants_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _settings(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.PUBLIC_READ = True
    settings.IMAGE_WIDTHS = [100]
    settings.IMAGE_FORMATS = ["webp"]
    monkeypatch.setattr(postponed, "add", lambda name: None)
    yield
    failures.clear()


@pytest.fixture
def upcoming() -> Upcoming:
    """What a process that has just started knows of what is to come."""
    return Upcoming(next_publication)


def scheduled(moment: datetime, **fields: Any) -> Media:
    """Store an image that a portfolio shows from a moment on; all of it was written long ago, its tasks are done."""
    media = upload_image(size=(150, 100))
    make_portfolio(image=media, publish_at=moment, **fields)
    long_ago = timezone.now() - timedelta(days=9)
    Media.objects.update(updated_at=long_ago)
    Portfolio.objects.update(updated_at=long_ago)
    Task.objects.all().delete()
    return media


def dues() -> list[datetime]:
    return list(Task.objects.order_by("due_at").values_list("due_at", flat=True))


def made(root: Path) -> list[str]:
    """Return the images of which there are variants, a name for each."""
    names = (name.partition("_v2_") for name in variants_in(root))
    return [start for start, _, end in names if end == "100.webp"]


def do_what_is_due(clock: Clock) -> int:
    """Do the tasks as a server does; return how many there were."""
    tasks = list(Task.objects.filter(name=ahead.TASK, due_at__lte=clock.now))
    for task in tasks:
        assert make_variants(task.payload) is None
        task.delete()
    return len(tasks)


def test_variants_are_refused_before_the_moment_and_served_after_it(clock: Clock, media_root: Path) -> None:
    media = scheduled(clock.after(minutes=5), unpublish_at=clock.after(minutes=10))
    site, name = Site(), name_of(media, "webp", 100)

    clock.move(minutes=5, microseconds=-1)
    assert get(site, name).status_code == 404
    assert variants_in(media_root) == []
    clock.move(microseconds=1)
    assert get(site, name).status_code == 200
    clock.move(minutes=5)
    assert get(site, name_of(media, "jpg", 100)).status_code == 404


def test_variants_are_made_a_while_after_the_moment(clock: Clock, upcoming: Upcoming, media_root: Path) -> None:
    scheduled(clock.after(minutes=5))

    upcoming.look()
    [due] = dues()
    assert clock.after(minutes=5) < due <= clock.after(minutes=5, seconds=GATHERED)
    clock.move(minutes=5, microseconds=-1)
    upcoming.look()
    assert (do_what_is_due(clock), variants_in(media_root)) == (0, [])
    clock.move(seconds=GATHERED)
    upcoming.look()

    assert do_what_is_due(clock) == 1
    assert variants_in(media_root) == [f"photo.jpg_v2_{each}" for each in ("100.jpg", "100.webp", "share_500x500.jpg")]
    upcoming.look()
    assert dues() == []


@pytest.mark.parametrize("shown_by", ["employer", "tags"])
def test_so_are_those_of_an_employer_and_of_tags(
    clock: Clock, upcoming: Upcoming, media_root: Path, shown_by: str
) -> None:
    media = upload_image(size=(150, 100))
    shown: dict[str, Any] = (
        {"employer": make_employer(image=media)} if shown_by == "employer" else {"tags": [make_tag(image=media)]}
    )
    for row in [*shown.get("tags", ()), *([shown["employer"]] if "employer" in shown else ())]:
        type(row).objects.update(updated_at=timezone.now() - timedelta(days=9))
    scheduled(clock.after(minutes=5), **shown)
    upcoming.look()
    clock.move(minutes=6)

    assert do_what_is_due(clock) == 1
    assert len(made(media_root)) == 2


def test_one_task_waits_however_many_moments_are_to_come(clock: Clock, upcoming: Upcoming) -> None:
    for minutes in (5, 10, 15, 20):
        scheduled(clock.after(minutes=minutes))

    for _ in range(3):
        upcoming.look()
        Upcoming(next_publication).look()  # another worker

    assert len(dues()) == 1
    for _ in range(4):
        clock.move(minutes=5, seconds=GATHERED)
        upcoming.look()
        assert do_what_is_due(clock) == 1
        upcoming.look()
    assert dues() == []


def test_moments_of_one_time_are_one_task(clock: Clock, upcoming: Upcoming, media_root: Path) -> None:
    clock.move(seconds=GATHERED - clock.now.timestamp() % GATHERED)
    scheduled(clock.after(seconds=100))
    scheduled(clock.after(seconds=100, microseconds=5))
    scheduled(clock.after(seconds=100 + GATHERED, microseconds=-1))
    upcoming.look()
    clock.move(seconds=100 + GATHERED)
    upcoming.look()

    assert do_what_is_due(clock) == 1
    upcoming.look()
    assert len(made(media_root)) == 3
    assert dues() == []


def test_a_moment_that_passes_while_a_task_takes_long_is_not_missed(
    clock: Clock, upcoming: Upcoming, media_root: Path
) -> None:
    for seconds in (100, 130, 190):
        scheduled(clock.after(seconds=seconds))
    upcoming.look()
    clock.move(seconds=125)
    upcoming.look()
    assert do_what_is_due(clock) == 1
    clock.move(seconds=300)  # for which the thread was at it

    upcoming.look()

    assert do_what_is_due(clock) == 2
    assert len(made(media_root)) == 3


def test_an_earlier_moment_that_comes_later_has_its_task(clock: Clock, upcoming: Upcoming, media_root: Path) -> None:
    scheduled(clock.after(minutes=10))
    upcoming.look()
    media = upload_image(size=(150, 100), name="soon.jpg")
    make_portfolio(image=media, publish_at=clock.after(minutes=5))
    Task.objects.exclude(key__contains=str(ahead.slot_of(clock.after(minutes=10)))).delete()

    upcoming.look()

    assert len(dues()) == 2
    clock.move(minutes=6)
    do_what_is_due(clock)
    assert made(media_root) == ["soon.jpg"]


def test_drafts_and_what_is_past_have_none(clock: Clock, upcoming: Upcoming) -> None:
    scheduled(clock.after(minutes=5), is_active=False)
    scheduled(clock.after(minutes=-5))
    scheduled(clock.after(minutes=-9), unpublish_at=clock.after(minutes=5))

    upcoming.look()

    assert dues() == []


@pytest.mark.parametrize("off", [{"PUBLIC_READ": False}, {"IMAGE_WIDTHS": []}])
def test_nothing_is_looked_for_where_nothing_is_made(
    clock: Clock, upcoming: Upcoming, settings: Any, off: dict[str, Any]
) -> None:
    scheduled(clock.after(minutes=5))
    for name, value in off.items():
        setattr(settings, name, value)

    with CaptureQueriesContext(connection) as captured:
        upcoming.look()

    assert not captured.captured_queries


def test_what_changes_nothing_writes_nothing(clock: Clock, upcoming: Upcoming) -> None:
    """A look is taken after each commit, and a commit empties every worker's memory."""
    scheduled(clock.after(minutes=5))
    upcoming.look()

    for look in (upcoming.look, Upcoming(next_publication).look):
        with CaptureQueriesContext(connection) as captured:
            look()
        assert all(query["sql"].startswith("SELECT") for query in captured.captured_queries)
        assert len(captured) <= 2


def test_a_clock_that_is_set_back_keeps_nothing_from_being_made(
    clock: Clock, upcoming: Upcoming, media_root: Path
) -> None:
    upcoming.look()
    clock.move(hours=-1)
    scheduled(clock.after(minutes=5))
    upcoming.look()
    clock.move(minutes=6)

    assert do_what_is_due(clock) == 1
    assert made(media_root) == ["photo.jpg"]


def test_whoever_does_tasks_looks_for_moments(clock: Clock, media_root: Path) -> None:
    """As it is put together in a server: looked for after a commit, done once it is due."""
    assert any(getattr(look, "__func__", None) is Upcoming.look for look in lookouts)
    scheduled(clock.after(minutes=5))
    runner = Runner()
    try:
        runner.run_due()
        assert runner.next_due() == dues()[0]
        clock.move(minutes=6)
        runner.run_due()
    finally:
        runner.close_leases()

    assert made(media_root) == ["photo.jpg"]
    assert dues() == []
