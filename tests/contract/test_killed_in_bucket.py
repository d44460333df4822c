"""Processes that are killed at any moment, with the media in a bucket: the same promises, on any machine.

Every row has its file, and every file a row, be it that of a file which is to go.
"""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_killed import SEED, Task, changes, fork
from tests.environment import ROOT, environment
from tests.factories import draw
from tests.live import begin, new_database
from tests.s3 import S3, running_s3

CHANGES = ["upload", "replace", "delete", "delete_now", "clean_up", "remove", "make_variant", "make_thumbnails_anew"]


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with running_s3() as server:
        yield server


@pytest.mark.parametrize("change", CHANGES)
def test_a_process_that_is_killed_at_any_step_leaves_nothing_undecided(change: str, s3: S3, tmp_path: Path) -> None:
    program = f"import django; django.setup(); from {__name__} import die_at_steps; die_at_steps()"
    with new_database() as database:
        if not database:
            begin(tmp_path)
        result = subprocess.run(
            [sys.executable, "-c", program, s3.endpoint, change],
            cwd=ROOT,
            env=environment(tmp_path, DJANGO_SETTINGS_MODULE="folio.settings", **database, **s3.variables(change)),
            capture_output=True,
            text=True,
            timeout=270,
        )

    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["steps"] > 10
    assert found["recovered"] == {"rows without file": [], "files nobody knows": [], "on record": []}
    assert found["late"] == {"rows without file": [], "files nobody knows": [], "on record": []}
    assert found["waiting"] == []


def die_at_steps() -> None:
    """Do a change again and again, killed a few steps later each time; then recover, and print what is found."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage
    from django.db import connection
    from django.utils import timezone

    from folio.media import uploads
    from folio.media.journal import recover
    from folio.media.models import RemovedFile
    from folio.media.removals import remove_due
    from folio.tasks.models import Task as Written

    def begin_anew() -> None:
        """Do what the last one that died has left, else each would have more to do than the one before."""
        recover()
        for _ in range(2):  # what is to go goes, and is looked for once more
            RemovedFile.objects.update(remove_at=timezone.now())
            remove_due({})
        Written.objects.all().delete()

    server, prefix = S3(sys.argv[1], None), sys.argv[2]  # type: ignore[arg-type]
    decoded, _ = uploads.prepare(ContentFile(draw()))
    uploads.prepare = lambda file: (decoded, file)  # a forked process would start decoders of its own
    _ = default_storage.connection  # type: ignore[attr-defined]  # made once, and not by each process: that takes long
    strides = random.Random(SEED)
    every = {**changes(kill_at), **more_changes()}
    [change] = [each for each in every if each.__name__ == prefix]
    status, step = -1, 0
    while status:
        step += strides.randint(3, 9) + step // 8  # of hundreds, each would take minutes
        connection.close()
        for make in (begin_anew, *every[change]):
            fork(make, dies=kill_at)
        status = fork(change, die_at=step, dies=kill_at)
    recover()
    recovered = compare(server, prefix)
    begin_anew()
    late, waiting = compare(server, prefix), list(RemovedFile.objects.values_list("name", flat=True))
    json.dump({"steps": step, "recovered": recovered, "late": late, "waiting": waiting}, sys.stdout)


def more_changes() -> dict[Task, list[Task]]:
    from folio.media.making import store
    from folio.media.models import Media
    from folio.media.variants import Variant
    from tests.factories import make_image

    def make_variant() -> None:
        media = Media.objects.latest("pk")
        for width in (320, 640):
            store(Variant(str(media.file), "webp", width).name, b"picture")

    def make_thumbnails_anew() -> None:
        from folio.media import renewing, uploads
        from folio.media.renewing import renew

        renewing.decode = lambda media, pool: uploads.prepare(None)[0]  # type: ignore[arg-type]
        renew(Media.objects.latest("pk"), [64, 512], None)  # type: ignore[arg-type]

    return {make_variant: [make_image], make_thumbnails_anew: [make_image]}


def compare(server: S3, prefix: str) -> dict[str, list[str]]:
    from folio.media.models import Media, PendingFile, RemovedFile, Thumbnail
    from folio.media.variants import parse

    rows = {*Media.objects.values_list("file", flat=True), *Thumbnail.objects.values_list("file", flat=True)}
    known = rows | set(RemovedFile.objects.values_list("name", flat=True))
    files = set(server.names(prefix))
    of_nobody = {name for name in files - known if not ((variant := parse(name)) and variant.file in known)}
    return {
        "rows without file": sorted(rows - files),
        "files nobody knows": sorted(of_nobody),
        "on record": sorted(PendingFile.objects.values_list("name", flat=True)),
    }


def kill_at(step: int) -> None:
    """Have this process killed at that of its steps, counted from 1: a word with the database, or with the bucket."""
    from botocore.httpsession import URLLib3Session
    from django.db import connection

    from folio.postgresql.claims import PostgreSQLClaims

    steps = count(1)

    def die() -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def surround(execute: Callable[..., Any], *arguments: Any) -> Any:
        die()
        result = execute(*arguments)
        die()
        return result

    def stop_before_and_after(owner: Any, name: str) -> None:
        function = getattr(owner, name)
        setattr(owner, name, lambda *arguments: surround(function, *arguments))

    connection.ensure_connection()
    connection.execute_wrappers.append(surround)
    stop_before_and_after(connection, "_commit")
    stop_before_and_after(URLLib3Session, "send")
    stop_before_and_after(PostgreSQLClaims, "ask")
