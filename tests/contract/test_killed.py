"""Processes that are killed at any moment: after the next start, every row has its file, and every file a row."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests

from folio.tasks.runner import SECONDS_VARIABLE
from tests.environment import ROOT, environment
from tests.factories import draw
from tests.live import Server, Session, new_database, running_server

SEED = 20260302
ROUNDS, MIN_ROUNDS, TIME = 8, 3, 25  # at most so many starts, and no further one after so many seconds
# How long what is removed stays; with a second of it, tasks are killed as well.
GRACES: list[dict[str, str]] = [
    {"FOLIO_KEEP_REMOVED": "1s", SECONDS_VARIABLE: "0.1"},
    {"FOLIO_KEEP_REMOVED": "0"},
]
INTERRUPTED_AT = 40  # the step of an upload, about half of them
GONE = 20  # seconds after which what was removed must be gone
WRITERS = 6
TEXT = b"some words\n" * 10_000  # large enough for a temporary file


# At any step


def test_a_process_that_is_killed_at_any_step_leaves_nothing_undecided(tmp_path: Path) -> None:
    program = f"import django; django.setup(); from {__name__} import die_at_steps; die_at_steps()"
    with new_database() as database:
        result = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=environment(tmp_path, DJANGO_SETTINGS_MODULE="folio.settings", **database),
            capture_output=True,
            text=True,
            timeout=240,
        )

    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert all(steps > 10 for steps in found["steps"].values()), found["steps"]
    assert found["left"] > 20  # entries, before the next start
    assert found["kept"] == {"rows without file": [], "files without row": []}
    assert (found["rows without file"], found["files without row"], found["entries"]) == ([], [], [])


def die_at_steps() -> None:
    """Do each change again and again, killed a few steps later each time; then recover, and print what is found."""
    from django.core.files.base import ContentFile
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from folio.media import uploads
    from folio.media.journal import recover
    from folio.media.models import RemovedFile
    from folio.media.removals import remove_due, shorten

    call_command("migrate", verbosity=0)
    decoded, _ = uploads.prepare(ContentFile(draw()))
    uploads.prepare = lambda file: (decoded, file)  # a forked process would start decoders of its own
    connection.close()

    def start() -> None:
        recover()
        shorten()

    strides = random.Random(SEED)  # each step would take a minute
    steps: dict[str, int] = {}
    left = 0
    for change, before in changes().items():
        steps[change.__name__] = 0
        status = -1
        while status:
            steps[change.__name__] += strides.randint(2, 8)
            for make in (start, *before):
                fork(make)
            status = fork(change, die_at=steps[change.__name__])
            left += len(entries_left())
    recover()
    kept = compare()
    RemovedFile.objects.update(remove_at=timezone.now())
    remove_due({})
    json.dump({"steps": steps, "left": left, **compare(), "entries": entries_left(), "kept": kept}, sys.stdout)


Task = Callable[[], Any]


def changes(dies: Callable[[int], None] | None = None) -> dict[Task, list[Task]]:
    """Return what processes are to die over, each with what is done before, so that there is something to change."""
    from django.core.files.base import ContentFile
    from django.utils import timezone

    from folio.media.journal import recover
    from folio.media.models import Media, RemovedFile
    from folio.media.removals import at_once, shorten
    from folio.media.replacing import replace_file
    from folio.media.uploads import store_upload
    from folio.tasks.runner import Runner
    from tests.factories import make_image

    def upload() -> None:
        store_upload(ContentFile(draw(), name="photo.png"))

    def replace() -> None:
        replace_file(Media.objects.latest("pk").pk, ContentFile(draw(), name="photo.png"))

    def delete() -> None:
        Media.objects.latest("pk").delete()

    def delete_now() -> None:
        with at_once():
            delete()

    def clean_up() -> None:
        recover()

    def remove() -> None:
        RemovedFile.objects.update(remove_at=timezone.now())
        shorten()
        Runner().run_due()

    def interrupted() -> None:
        (dies or kill_at)(INTERRUPTED_AT)
        upload()

    return {
        upload: [],
        replace: [make_image],
        delete: [make_image],
        delete_now: [make_image],
        clean_up: [interrupted],
        remove: [make_image, delete],
    }


def entries_left() -> list[str]:
    from django.conf import settings

    return [path.name for path in Path(settings.JOURNAL_ROOT).glob("*.entry")]


def compare() -> dict[str, list[str]]:
    from django.conf import settings

    from folio.media.models import Media, RemovedFile, Thumbnail

    rows = {*Media.objects.values_list("file", flat=True), *Thumbnail.objects.values_list("file", flat=True)}
    rows |= set(RemovedFile.objects.values_list("name", flat=True))
    root = Path(settings.MEDIA_ROOT)
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    return {"rows without file": sorted(rows - files), "files without row": sorted(files - rows)}


def fork(task: Callable[[], Any], die_at: int = 0, *, dies: Callable[[int], None] | None = None) -> int:
    """Do a task in a process of its own and return its exit status: 0 if it came to its end, 9 if it was killed."""
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in {0, -signal.SIGKILL}, status
        return abs(status)
    try:
        (dies or kill_at)(die_at)
        task()
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def kill_at(step: int) -> None:
    """Have this process killed at that of its steps, counted from 1: a touch of its files, a word with the database."""
    from django.conf import settings
    from django.db import connection

    steps = count(1)

    def die() -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        is_ours = bool(arguments) and str(arguments[0]).startswith(str(settings.DATA_DIR))
        if event == "fcntl.flock" or (is_ours and event in {"open", "os.rename", "os.remove", "os.mkdir", "os.chmod"}):
            die()

    def surround(execute: Any, *arguments: Any) -> Any:
        die()
        result = execute(*arguments)
        die()
        return result

    def stop_before_and_after(owner: Any, name: str) -> None:
        function = getattr(owner, name)
        setattr(owner, name, lambda *arguments: surround(function, *arguments))

    connection.ensure_connection()
    sys.addaudithook(watch)
    connection.execute_wrappers.append(surround)
    stop_before_and_after(connection, "_commit")
    stop_before_and_after(os, "write")
    stop_before_and_after(os, "fsync")


# A whole server


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_killed_server_leaves_no_row_without_file_and_no_file_without_row(tmp_path: Path) -> None:
    moments = random.Random(SEED)
    end = time.monotonic() + TIME
    stored: set[int] = set()
    with new_database() as database:
        for number in range(ROUNDS):
            grace = GRACES[number % len(GRACES)]
            with running_server(tmp_path, "--workers", "2", **grace, **database) as server:
                stored = check(server, stored)
                if number >= MIN_ROUNDS and time.monotonic() > end:
                    break
                stored = disturb(server, stored, moments)
        with running_server(tmp_path, **GRACES[0], **database) as server:
            check(server, stored)


def disturb(server: Server, stored: set[int], moments: random.Random) -> set[int]:
    """Upload, replace and delete from many threads until the server is killed; return the ids that must still exist."""
    is_over = Event()
    rows = [sorted(stored)[place::WRITERS] for place in range(WRITERS)]
    seeds = [moments.random() for _ in range(WRITERS)]

    def write(place: int) -> list[int]:
        session, choices, own = server.session(server.key), random.Random(seeds[place]), rows[place]
        while not is_over.is_set():
            try:
                own = change(session, choices, own)
            except requests.RequestException:
                break
        return own

    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, place) for place in range(WRITERS)]
        time.sleep(moments.uniform(0.3, 2))
        kill(server.process)
        is_over.set()
        return {pk for writer in writers for pk in writer.result()}


def change(session: Session, choices: random.Random, own: list[int]) -> list[int]:
    """Make one change; return the ids that must exist whatever becomes of the next one."""
    file = ("photo.png", draw((300, 200))) if choices.random() < 0.6 else ("notes.txt", TEXT)
    what = choices.choice(["upload", "upload", "replace", "delete"]) if own else "upload"
    if what == "upload":
        response = session.post("/api/media/", files={"file": file})
        return [*own, response.json()["id"]] if response.status_code == 201 else own
    pk = choices.choice(own)
    if what == "replace":
        session.put(f"/api/media/{pk}/file/", files={"file": file})
        return own
    own.remove(pk)  # whether it is there once the server died as it was asked is anyone's guess
    session.delete(f"/api/media/{pk}/")
    return own


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process with all that it has started."""
    for pid in [process.pid, *descendants(process.pid)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(20)


def descendants(pid: int) -> list[int]:
    output = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [(int(child), int(parent)) for child, parent in map(str.split, output.splitlines())]
    found = [pid]
    for ancestor in found:
        found += [child for child, parent in pairs if parent == ancestor]
    return found[1:]


def check(server: Server, stored: set[int]) -> set[int]:
    """Compare rows and files after a start; return the ids of the rows."""
    rows = list(all_media(server.session(server.key)))
    files = [url for row in rows for url in (row["f"], *(thumbnail["f"] for thumbnail in row.get("thumbnails", ())))]
    named = {unquote(urlsplit(url).path).removeprefix("/media/") for url in files}
    root = server.folder / "media"
    end = time.monotonic() + GONE
    while (present := sizes_in(root)).keys() - named and time.monotonic() < end:
        time.sleep(0.1)

    assert sorted(named - present.keys()) == [], "rows without their file"
    assert sorted(present.keys() - named) == [], "files without a row"
    assert stored <= {row["id"] for row in rows}, "an upload that was answered is gone"
    for row in rows:
        assert present[unquote(urlsplit(row["f"]).path).removeprefix("/media/")] == row["size"]
        assert len(row.get("thumbnails", ())) == (4 if row["type"] == "image" else 0)
    assert list((server.folder / "uploads").iterdir()) == []
    assert list((server.folder / "journal").glob("*.entry")) == []
    return {row["id"] for row in rows}


def sizes_in(root: Path) -> dict[str, int]:
    """Return the files below a folder with their bytes; one may go while it is looked at."""
    sizes = {}
    for path in root.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file():
                sizes[str(path.relative_to(root))] = path.stat().st_size
    return sizes


def all_media(session: Session) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while True:
        page = session.get(f"/api/media/?limit=100&ordering=created_at&offset={len(rows)}").json()
        rows += page["results"]
        if page["next"] is None:
            return rows
