import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command
from django.db import OperationalError
from PIL import Image

from folio.media import renewing
from folio.media.decoding import Decoders
from folio.media.models import Media, Thumbnail
from folio.media.renewing import complete, image_decoders
from folio.media.uploads import store_upload
from tests.environment import ROOT, environment, run_folio
from tests.factories import draw, make_image
from tests.live import begin

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("_removed_at_once"),
]  # files go once a transaction is committed

BOXES = [64, 128, 512, 1080]


def make_large(name: str = "large.jpg", color: Any = None) -> Media:
    """Store an image that is larger than every box."""
    return store_upload(ContentFile(draw((1500, 1000), "JPEG", color=color), name=name))


def makethumbnails(*arguments: str) -> str:
    """Run the command in this process; return what it printed."""
    stdout = StringIO()
    call_command("makethumbnails", "--processes", "1", *arguments, stdout=stdout, stderr=StringIO(), no_color=True)
    return stdout.getvalue()


def makethumbnails_fails(*arguments: str) -> tuple[str, str, int]:
    """Run the command where it fails; return what it printed on standard error, its last word and its status."""
    stderr = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("makethumbnails", "--processes", "1", *arguments, stdout=StringIO(), stderr=stderr, no_color=True)
    return stderr.getvalue(), str(caught.value), caught.value.returncode


def path_of(row: Media | Thumbnail) -> Path:
    return Path(row.file.path)


def state(media: Media) -> tuple[list[Any], list[bytes]]:
    """Return a media's thumbnails: their rows, and their files."""
    rows = list(media.thumbnails.order_by("size"))
    return [(row.pk, row.size, row.file.name) for row in rows], [path_of(row).read_bytes() for row in rows]


def files_and_rows(root: Path) -> tuple[set[str], set[str]]:
    media, thumbnails = Media.objects.values_list("file", flat=True), Thumbnail.objects.values_list("file", flat=True)
    stored = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    return stored, {*media, *thumbnails}


def assert_every_file_has_its_row(root: Path) -> None:
    stored, named = files_and_rows(root)
    assert stored == named


def assert_is_complete(media: Media) -> None:
    assert [thumbnail.size for thumbnail in media.thumbnails.order_by("size")] == BOXES
    for thumbnail in media.thumbnails.all():
        with Image.open(path_of(thumbnail)) as image:
            assert max(image.size) == min(thumbnail.size, max(media.width or 0, media.height or 0))
            image.load()


# What is missing


def test_makes_nothing_where_nothing_is_missing() -> None:
    media = make_large()
    before = state(media)

    assert makethumbnails() == "Images: 1, of them completed: 0.\n"
    assert state(media) == before


def test_leaves_what_is_no_image_alone() -> None:
    store_upload(ContentFile(b"Hello, dear reader.\n", name="letter.txt"))

    assert makethumbnails("--all") == "Images: 0, of them made anew: 0.\n"
    assert not Thumbnail.objects.exists()


@pytest.mark.parametrize("arguments", [[], ["--missing"]])
@pytest.mark.parametrize("with_row", [True, False])
def test_makes_those_that_are_missing(arguments: list[str], with_row: bool, media_root: Path) -> None:
    media, other = make_large(), make_large("other.jpg")
    lost = media.thumbnails.get(size=512)
    kept, of_other = list(media.thumbnails.exclude(size=512).values()), state(other)
    if with_row:
        path_of(lost).unlink()
    else:
        lost.delete()

    assert makethumbnails(*arguments) == "Images: 2, of them completed: 1.\n"

    assert_is_complete(media)
    assert list(media.thumbnails.exclude(size=512).values()) == kept
    assert media.thumbnails.get(size=512).file.name != lost.file.name  # browsers may keep what that name served
    assert state(other) == of_other
    assert_every_file_has_its_row(media_root)


def test_makes_what_an_upload_would_have_made() -> None:
    media = make_large()
    before = media.mime_type, media.dominant_color, media.placeholder, media.sha256, state(media)[1]
    media.thumbnails.all().delete()
    Media.objects.update(dominant_color="", placeholder="", sha256="")

    makethumbnails()

    media.refresh_from_db()
    assert (media.mime_type, media.dominant_color, media.placeholder, media.sha256, state(media)[1]) == before
    assert "" not in before


@pytest.mark.parametrize("field", ["dominant_color", "sha256"])
def test_fills_in_what_is_not_known_yet_and_leaves_the_thumbnails(field: str) -> None:
    media = make_large()
    before = state(media)
    Media.objects.update(**{field: ""})

    assert makethumbnails() == "Images: 1, of them completed: 1.\n"

    assert Media.objects.values_list(field, flat=True).get() == getattr(media, field)
    assert state(media) == before


def test_does_not_decode_an_image_for_its_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    make_large()
    Media.objects.update(sha256="")
    monkeypatch.setattr(Decoders, "decode", None)

    assert makethumbnails() == "Images: 1, of them completed: 1.\n"


def test_goes_on_where_it_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        make_image(f"picture{number}.png")
    Thumbnail.objects.all().delete()
    first, second, third, fourth = Media.objects.order_by("pk")

    def interrupt(pk: int, *args: Any, **kwargs: Any) -> bool:
        if pk == third.pk:
            raise KeyboardInterrupt
        return complete(pk, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr("folio.media.management.commands.makethumbnails.complete", interrupt)
        _, message, status = makethumbnails_fails()

    assert (message, status) == (f"Interrupted. Go on with: folio makethumbnails --from {third.pk}", 130)
    assert makethumbnails() == "Images: 4, of them completed: 2.\n"
    for media in (first, second, third, fourth):
        assert_is_complete(media)


# All of them


def test_makes_all_anew_under_new_names(media_root: Path) -> None:
    media = make_large()
    original = path_of(media).read_bytes(), path_of(media).stat().st_mtime_ns
    names, contents = state(media)
    for thumbnail in media.thumbnails.all():
        path_of(thumbnail).write_bytes(b"stale")

    assert makethumbnails("--all") == "Images: 1, of them made anew: 1.\n"

    new_names, new_contents = state(media)
    assert new_contents == contents
    assert not {name for _, _, name in names} & {name for _, _, name in new_names}
    assert (path_of(media).read_bytes(), path_of(media).stat().st_mtime_ns) == original
    assert_every_file_has_its_row(media_root)


def test_begins_with_the_id_that_was_asked() -> None:
    first, second, third = (make_image(f"picture{number}.png") for number in range(3))
    before = state(first)

    assert makethumbnails("--all", "--from", str(second.pk)) == "Images: 2, of them made anew: 2.\n"

    assert state(first) == before
    assert_is_complete(third)


def test_says_how_to_go_on_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    _, second = make_image("one.png"), make_image("two.png")

    def interrupt(pk: int, *args: Any, **kwargs: Any) -> bool:
        if pk == second.pk:
            raise KeyboardInterrupt
        return True

    monkeypatch.setattr("folio.media.management.commands.makethumbnails.complete", interrupt)

    _, message, _ = makethumbnails_fails("--all")

    assert message == f"Interrupted. Go on with: folio makethumbnails --all --from {second.pk}"


# What goes wrong


def test_goes_on_after_an_image_that_has_no_file_or_can_t_be_decoded(media_root: Path) -> None:
    gone, damaged, good = make_image("gone.png"), make_image("damaged.png"), make_image("good.png")
    path_of(gone).unlink()
    path_of(damaged).write_bytes(b"<html>not found</html>")
    before = state(gone), state(damaged)

    lines, message, status = makethumbnails_fails("--all")

    assert [line.split(":")[0] for line in lines.splitlines()] == [f"media {gone.pk}", f"media {damaged.pk}"]
    assert (message, status) == ("Images: 3, of them made anew: 1, failed: 2.", 1)
    assert (state(gone), state(damaged)) == before
    assert_is_complete(good)


def test_leaves_nothing_behind_where_a_file_can_t_be_written(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media = make_large()
    before = state(media)
    save: Any = vars(FileSystemStorage)["_save"]

    def fill_up(storage: FileSystemStorage, name: str, content: Any) -> str:
        if "512x512" in name:
            raise OSError(28, "No space left on device")
        saved: str = save(storage, name, content)
        return saved

    monkeypatch.setattr(FileSystemStorage, "_save", fill_up)

    lines, _, _ = makethumbnails_fails("--all")

    assert "No space left on device" in lines
    assert state(media) == before
    assert_every_file_has_its_row(media_root)


def test_leaves_nothing_behind_where_the_rows_can_t_be_written(
    media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = make_large()
    before = state(media)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the disk is full")

    monkeypatch.setattr(renewing, "fill_in", fail)

    with pytest.raises(OperationalError):
        makethumbnails("--all")

    assert state(media) == before
    assert_every_file_has_its_row(media_root)


# While the server runs


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Give a list for the functions that are to be called while an image is being decoded."""
    actions: list[Any] = []
    decode = Decoders.decode

    def decode_slowly(pool: Decoders, *args: Any) -> Any:
        image = decode(pool, *args)
        while actions:
            actions.pop()()
        return image

    monkeypatch.setattr(Decoders, "decode", decode_slowly)
    yield actions
    assert actions == []


def test_skips_a_media_that_is_deleted_meanwhile(media_root: Path, meanwhile: list[Any]) -> None:
    media = make_large()
    meanwhile.append(Media.objects.get(pk=media.pk).delete)

    assert makethumbnails("--all") == "Images: 1, of them made anew: 0.\n"
    assert files_and_rows(media_root) == (set(), set())


def test_skips_a_media_whose_file_is_replaced_meanwhile(media_root: Path, meanwhile: list[Any]) -> None:
    media, new = make_large(), make_large("new.jpg", color=(0, 0, 200))

    def replace() -> None:
        Thumbnail.objects.filter(media=media).delete()
        Thumbnail.objects.filter(media=new).update(media=media)
        Media.objects.filter(pk=new.pk).update(file="core_media/moved.jpg")
        Media.objects.filter(pk=media.pk).update(file=str(new.file), sha256=new.sha256)

    meanwhile.append(replace)
    shown = state(new)

    assert complete(media.pk, image_decoders(1), anew=True) is False
    assert state(media) == shown


def test_shows_old_thumbnails_until_the_new_ones_are_there(media_root: Path, meanwhile: list[Any]) -> None:
    media = make_large()
    before = state(media)
    seen = []
    meanwhile.append(lambda: seen.append(state(media)))

    makethumbnails("--all")

    assert seen == [before]
    assert state(media) != before


def test_skips_a_row_that_is_gone_when_its_turn_comes() -> None:
    assert complete(10**9, image_decoders(1), anew=True) is False


# Several processes

FILL = """
from io import BytesIO
from django.core.files.base import ContentFile
from folio.media.uploads import store_upload
from PIL import Image

for number in range(16):
    file = BytesIO()
    Image.effect_noise((1200, 900), number).save(file, "JPEG")
    store_upload(ContentFile(file.getvalue(), name="photo.jpg"))
"""


def test_several_processes_end_at_ctrl_c_and_go_on_in_the_next_run(tmp_path: Path) -> None:
    begin(tmp_path)
    assert run_folio("shell", "--command", FILL, folder=tmp_path).returncode == 0
    for path in (tmp_path / "media").rglob("*_thumbnail_*"):
        path.unlink()
    process = subprocess.Popen(
        [sys.executable, "-m", "folio", "makethumbnails", "--processes", "3"],
        cwd=tmp_path,
        env=environment(tmp_path, PYTHONPATH=str(ROOT)),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where the tests run in a background
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not any((tmp_path / "media").rglob("*_thumbnail_1080x1080*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)

    assert process.returncode == 130
    assert error.startswith("CommandError: Interrupted. Go on with: folio makethumbnails --from ")
    assert error.count("\n") == 1
    done = run_folio("makethumbnails", "--processes", "3", folder=tmp_path)
    completed = int(done.stdout.removeprefix("Images: 16, of them completed: ").removesuffix(".\n"))
    assert 0 < completed < 16
    assert done.stderr == ""  # no progress bar: this is no terminal
    assert run_folio("checkmedia", folder=tmp_path).stdout == "Checked 16 media and 80 files: nothing is wrong.\n"


# The command


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("command", "bars"), [("makethumbnails", ["Images"]), ("checkmedia", ["Media", "Files"])])
def test_shows_its_progress_in_a_terminal_only(
    command: str, bars: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"processes": 1} if command == "makethumbnails" else {}
    terminal = Terminal()
    make_image()

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        call_command(command, stdout=StringIO(), **options)
    call_command(command, stdout=StringIO(), **options)

    assert [bar for bar in bars if f"{bar}: " not in terminal.getvalue()] == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--all", "--missing"], "not allowed with argument"),
        (["--processes=0"], "is no number of processes from 1 to 64"),
        (["--processes=65"], "is no number of processes from 1 to 64"),
        (["--processes=two"], "is no number of processes from 1 to 64"),
        (["--processes=²"], "is no number of processes from 1 to 64"),
        (["--from=-1"], "is no id"),
        (["--from=x"], "is no id"),
        (["--from=99999999999999999999"], "is no id"),
    ],
)
def test_refuses_arguments_that_mean_nothing(arguments: list[str], message: str) -> None:
    assert message in makethumbnails_fails(*arguments)[1]
