"""Variants made before they are asked for: by the command, and by the server after something was published."""

import os
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from PIL import Image

from folio.media import ahead
from folio.media.ahead import complete, make_ahead, make_all_ahead, make_variants
from folio.media.decoding import Decoders, DecodersBusy
from folio.media.making import claimed, failures, store, upload_decoders
from folio.media.models import Media
from folio.media.opening import UnreadableImage
from folio.media.replacing import replace_file
from folio.media.variants import Variant
from folio.portfolios.models import Portfolio
from folio.tasks.models import Task
from tests.factories import draw, make_portfolio

from .varied import name_of, public_image, publish, upload_image, variants_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> Iterator[None]:
    settings.PUBLIC_READ = True
    settings.IMAGE_WIDTHS = [20, 100]
    settings.IMAGE_FORMATS = ["avif", "webp"]
    yield
    failures.clear()


ALL = sorted(
    f"photo.jpg_v2_{each}"
    for each in (
        *(f"{width}.{extension}" for width in (20, 100) for extension in ("avif", "webp", "jpg")),
        "share_500x500.jpg",
    )
)


def makevariants(*arguments: str) -> str:
    """Run the command in this process; return what it printed."""
    stdout = StringIO()
    call_command("makevariants", "--processes", "1", *arguments, stdout=stdout, stderr=StringIO(), no_color=True)
    return stdout.getvalue()


def makevariants_fails(*arguments: str) -> tuple[str, str, int]:
    """Run the command where it fails; return what it printed on standard error, its last word and its status."""
    stderr = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("makevariants", "--processes", "1", *arguments, stdout=StringIO(), stderr=stderr, no_color=True)
    return stderr.getvalue(), str(caught.value), caught.value.returncode


def pool() -> Decoders:
    return upload_decoders()


# The command


def test_makes_the_variants_that_visitors_may_ask_for(media_root: Path) -> None:
    public_image()
    upload_image(name="hidden.jpg")

    assert makevariants() == "Images: 1, of them completed: 1.\n"

    assert variants_in(media_root) == ALL
    for path in media_root.rglob("*_v2_100.*"):
        with Image.open(path) as image:
            image.load()
            assert image.size == (100, 67)


def test_makes_what_is_missing_alone(media_root: Path) -> None:
    media = public_image()
    makevariants()
    kept, lost = media_root / name_of(media, "avif", 20), media_root / name_of(media, "avif", 100)
    before = kept.stat().st_mtime_ns
    lost.unlink()

    assert makevariants("--missing") == "Images: 1, of them completed: 1.\n"
    assert makevariants() == "Images: 1, of them completed: 0.\n"

    assert variants_in(media_root) == ALL
    assert kept.stat().st_mtime_ns == before


def test_makes_the_same_bytes_as_a_request(media_root: Path, settings: Any) -> None:
    from django.test import Client

    from .varied import get

    settings.IMAGE_WIDTHS = [100, 700, 1200]
    public_image((2000, 1500))
    makevariants()
    made = {path: path.read_bytes() for path in media_root.rglob("*_v2_*")}
    for path in made:
        path.unlink()

    for path in made:
        get(Client(), str(path.relative_to(media_root)))

    assert len(made) == 10
    assert {path: path.read_bytes() for path in made} == made


def test_makes_all_anew_and_deletes_what_others_took_the_place_of(media_root: Path) -> None:
    media = public_image()
    makevariants()
    damaged = media_root / name_of(media, "avif", 20)
    right = damaged.read_bytes()
    damaged.write_bytes(b"stale")
    former = Variant(str(media.file), "avif", 20, version=9).name
    unset = name_of(media, "avif", 50)
    for name in (former, unset):
        store(name, b"a picture")
    with transaction.atomic():
        Media.objects.update(focal_x=0.25)

    assert makevariants("--all") == "Images: 1, of them made anew: 1.\n"

    assert damaged.read_bytes() == right
    now = [*ALL, "photo.jpg_v2_50.avif", "photo.jpg_v2_share_250x500.jpg"]
    assert variants_in(media_root) == sorted(set(now) - {"photo.jpg_v2_share_500x500.jpg"})
    assert not (media_root / former).exists()


def test_says_that_there_is_nothing_to_make_without_widths(settings: Any) -> None:
    settings.IMAGE_WIDTHS = []

    assert makevariants_fails()[1:] == ("There is nothing to make: FOLIO_IMAGE_WIDTHS is empty.", 1)


def test_goes_on_after_an_image_that_can_not_be_decoded(media_root: Path) -> None:
    damaged, good = public_image(name="damaged.jpg"), public_image()
    (media_root / str(damaged.file)).write_bytes(b"<html>not found</html>")

    lines, message, status = makevariants_fails()

    assert [line.split(":")[0] for line in lines.splitlines()] == [f"media {damaged.pk}"]
    assert (message, status) == ("Images: 2, of them completed: 1, failed: 1.", 1)
    assert variants_in(media_root) == ALL
    assert good


def test_says_how_to_go_on_when_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    public_image(name="one.jpg")
    second = public_image(name="two.jpg")

    def interrupt(pk: int, *args: Any, **kwargs: Any) -> bool:
        if pk == second.pk:
            raise KeyboardInterrupt
        return True

    monkeypatch.setattr("folio.media.management.commands.makevariants.complete", interrupt)

    assert makevariants_fails()[1:] == (f"Interrupted. Go on with: folio makevariants --from {second.pk}", 130)


def test_leaves_what_a_request_makes_just_now_to_it(media_root: Path) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("There a claim is a connection's, and this test has but one.")
    media = public_image()
    with claimed(name_of(media, "avif", 100), 0) as is_mine:
        assert is_mine
        makevariants()

    assert variants_in(media_root) == [name for name in ALL if name != "photo.jpg_v2_100.avif"]


# By the server


def tasks() -> list[str]:
    return [task.name for task in Task.objects.filter(name=ahead.TASK)]


def since(seconds: float = 60) -> dict[str, Any]:
    return {"since": timezone.now().timestamp() - seconds}


def test_what_is_published_has_its_variants_made_a_while_after(media_root: Path) -> None:
    public_image()

    task = Task.objects.get(name=ahead.TASK)
    assert task.due_at <= timezone.now() + timedelta(seconds=ahead.GATHERED)
    assert make_variants(task.payload) is None
    assert variants_in(media_root) == ALL


def test_changes_of_one_time_are_one_task(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)

    for number in range(3):
        public_image(name=f"{number}.jpg")

    assert tasks() == [ahead.TASK]


def test_a_transaction_that_is_rolled_back_leaves_no_task() -> None:
    with transaction.atomic():
        with transaction.atomic():
            make_portfolio()
            transaction.set_rollback(True)
        assert tasks() == []
        make_portfolio()
        assert tasks() == [ahead.TASK]
        transaction.set_rollback(True)

    assert tasks() == []


def test_a_server_that_starts_makes_what_is_missing(media_root: Path, settings: Any) -> None:
    settings.PUBLIC_READ = False
    old = public_image()
    Portfolio.objects.update(updated_at=timezone.now() - timedelta(days=900))
    Media.objects.update(updated_at=timezone.now() - timedelta(days=900))
    make_all_ahead()
    assert tasks() == []

    settings.PUBLIC_READ = True
    make_all_ahead()
    make_all_ahead()

    [task] = Task.objects.filter(name=ahead.TASK)
    assert make_variants(task.payload) is None
    assert variants_in(media_root) == ALL
    assert old


def started() -> list[str]:
    """Have a server look for what is missing, make it, and return what tasks there were."""
    make_all_ahead()
    found = tasks()
    for task in Task.objects.filter(name=ahead.TASK):
        assert make_variants(task.payload) is None
    Task.objects.all().delete()
    return found


def test_a_second_start_looks_at_nothing(media_root: Path, settings: Any) -> None:
    settings.PUBLIC_READ = True
    public_image()
    Task.objects.all().delete()

    assert [started(), started()] == [[ahead.TASK], []]
    assert settings.VARIANTS_MARK.stat().st_mode & 0o077 == 0

    settings.IMAGE_FORMATS = ["webp"]
    assert [started(), started()] == [[ahead.TASK], []]


@pytest.mark.parametrize("way", ["start", "write"])
def test_what_came_while_nobody_read_is_looked_for(media_root: Path, settings: Any, way: str) -> None:
    settings.PUBLIC_READ = True
    assert started() == [ahead.TASK]
    settings.PUBLIC_READ = False
    if way == "start":
        make_all_ahead()
    else:
        public_image()  # by a command, say, which was told of no public reading
    settings.PUBLIC_READ = True

    assert started() == [ahead.TASK]


def test_of_an_image_whose_file_is_missing_one_line_tells(
    media_root: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.PUBLIC_READ = True
    lost, _ = public_image(name="lost.jpg"), public_image()
    Task.objects.all().delete()
    (media_root / str(lost.file)).unlink()

    started()

    assert caplog.messages == [f"Could not make the variants of {lost.file}: there is no such file."]
    assert len(variants_in(media_root)) == len(ALL), "of the other one"


def test_what_could_not_be_made_is_tried_by_the_next_start(
    media_root: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PUBLIC_READ = True
    public_image()
    Task.objects.all().delete()

    def fail(*args: Any, **kwargs: Any) -> tuple[int, int]:
        raise OSError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(ahead, "make_claimed", fail)
        started()

    assert started() == [ahead.TASK]
    failures.clear()


def test_images_that_lack_nothing_are_read_many_at_once(media_root: Path, django_assert_max_num_queries: Any) -> None:
    for number in range(6):
        public_image(name=f"{number}.jpg")
    assert make_variants({"since": 5.0}) is None

    with django_assert_max_num_queries(4):
        assert make_variants({"since": 5.0}) is None


def test_a_portion_of_many_ends_in_time_and_goes_on_behind(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        public_image(name=f"{number}.jpg")
    pks = list(Media.objects.order_by("pk").values_list("pk", flat=True))
    monkeypatch.setattr(ahead, "PORTION_SECONDS", -1)

    portions = 1
    while make_variants({"since": 5.0}) is not None:
        portions += 1
        assert portions < 100, "each portion gets further"

    assert portions > len(pks)
    assert not any(complete(pk, upload_decoders()) for pk in pks), "all were made"


def test_a_portion_begins_where_the_last_one_ended(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        public_image(name=f"{number}.jpg")
    looked: list[int] = []
    monkeypatch.setattr(ahead, "row_of", lambda pk, images: looked.append(pk))
    first, second, third = Media.objects.order_by("pk").values_list("pk", flat=True)
    ahead.reached[5.0] = second

    assert make_variants({"since": 5.0}) is None
    assert make_variants({"since": 5.0}) is None

    assert looked == [second, third, first, second, third]


@pytest.mark.parametrize("off", [{"PUBLIC_READ": False}, {"IMAGE_WIDTHS": []}])
def test_nothing_is_written_down_where_nothing_is_made(off: dict[str, Any], settings: Any) -> None:
    for name, value in off.items():
        setattr(settings, name, value)

    public_image()
    make_ahead()

    assert tasks() == []


def test_makes_none_of_what_is_not_public(media_root: Path) -> None:
    upload_image()
    make_portfolio(image=upload_image(name="hidden.jpg"), is_active=False)

    assert make_variants(since()) is None
    assert variants_in(media_root) == []


def test_makes_those_of_what_has_changed_alone(media_root: Path) -> None:
    old = public_image(name="old.jpg")
    Portfolio.objects.update(updated_at=timezone.now() - timedelta(days=1))
    Media.objects.filter(pk=old.pk).update(updated_at=timezone.now() - timedelta(days=1))
    public_image()

    assert make_variants(since()) is None
    assert variants_in(media_root) == ALL


def test_makes_those_of_an_old_picture_that_is_published(media_root: Path) -> None:
    media = upload_image()
    Media.objects.update(updated_at=timezone.now() - timedelta(days=1))
    publish(media)

    make_variants(since())

    assert variants_in(media_root) == ALL


def test_makes_those_of_a_file_that_is_replaced(media_root: Path, settings: Any) -> None:
    settings.KEEP_REMOVED = timedelta(0)
    media = public_image()
    Portfolio.objects.update(updated_at=timezone.now() - timedelta(days=1))
    make_variants(since())

    replaced = replace_file(media.pk, ContentFile(draw((30, 20)), name="other.png"))
    make_variants(since())

    start = os.path.basename(str(replaced.file))
    assert {name.split("_v2_")[0] for name in variants_in(media_root)} == {start}


def test_waits_while_a_decoder_is_at_work(media_root: Path) -> None:
    public_image()
    taken = pool().free.get()
    try:
        again = make_variants(since())
    finally:
        pool().free.put(taken)

    assert again is not None
    assert again > timezone.now()
    assert variants_in(media_root) == []


def test_waits_where_another_one_was_faster(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public_image()

    def render(*args: Any) -> Any:
        raise DecodersBusy

    monkeypatch.setattr(Decoders, "render", render)

    assert make_variants(since()) is not None


def test_lets_other_tasks_have_their_turn(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public_image()
    monkeypatch.setattr(ahead, "PORTION_SECONDS", -1.0)

    again = make_variants(since())

    assert again is not None
    assert again <= timezone.now()


def test_goes_on_after_what_can_not_be_made(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public_image()
    asked = []

    def render(*args: Any) -> Any:
        asked.append(args)
        raise UnreadableImage("It takes too long.")

    monkeypatch.setattr(Decoders, "render", render)

    assert make_variants(since()) is None
    assert make_variants(since()) is None
    assert len(asked) == len(ALL)  # and no second time for a while


def test_a_media_that_is_deleted_meanwhile_is_left_out(media_root: Path) -> None:
    media = public_image()
    Portfolio.objects.all().delete()

    assert complete(media.pk, pool()) is False
    assert variants_in(media_root) == []
