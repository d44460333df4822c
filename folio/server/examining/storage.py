"""Where the files lie: a small one is put there, read and removed."""

import os
from pathlib import Path
from secrets import token_bytes, token_hex
from time import perf_counter
from typing import Any

from django.conf import settings

from folio.installation import user_name
from folio.server.health import there

from .findings import Finding, Findings, fault, ms, note, ok, warning

SIZE = 64 * 1024  # bytes of the file that is tried
SLOW = 1.0  # seconds that it may take


def look() -> Findings:
    folders = [Path(settings.FILE_UPLOAD_TEMP_DIR), Path(settings.JOURNAL_ROOT)]
    if settings.MEDIA_BUCKET is None:
        folders.insert(0, Path(settings.MEDIA_ROOT))
    for folder in folders:
        yield tried(folder) if folder.is_dir() else missing(folder)
    if settings.MEDIA_BUCKET is None:
        yield from one_disk()
    else:
        yield from bucket()


def missing(folder: Path) -> Finding:
    above = there(folder)
    if os.access(above, os.W_OK | os.X_OK):
        return note(f"{folder} is not there; `folio serve` makes it when it starts.")
    return fault(f"{folder} is not there, and {user_name()} can't make it.", f"Give {above} to the user of the server.")


def tried(folder: Path) -> Finding:
    """Write, read and remove a small file."""
    path, content = folder / f".folio-doctor-{token_hex(8)}", token_bytes(SIZE)
    started = perf_counter()
    try:
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            is_same = path.read_bytes() == content
        finally:
            path.unlink(missing_ok=True)
    except OSError as error:
        return fault(
            f"A file can't be written in {folder} by {user_name()}: {error.strerror}.",
            "See who owns the folder, whether the disk is full, and whether it was mounted read-only (`mount`).",
        )
    took = perf_counter() - started
    if not is_same:
        return fault(f"A file in {folder} was read otherwise than it was written.", "See the disk's health: `dmesg`.")
    if took > SLOW:
        return note(f"A file of 64 KB in {folder} took {ms(took)}: see what keeps the disk busy (`iostat -x 5`).")
    return ok(f"A file in {folder} is written, read and removed in {ms(took)}.")


def one_disk() -> Findings:
    places = [there(Path(folder)) for folder in (settings.FILE_UPLOAD_TEMP_DIR, settings.MEDIA_ROOT)]
    if len({place.stat().st_dev for place in places}) > 1:
        yield warning(
            "Uploads and media lie on two disks: each file that is complete is copied from one to the other.",
            f"Have {settings.MEDIA_ROOT} and {settings.FILE_UPLOAD_TEMP_DIR} on one, the data folder's.",
        )


def bucket() -> Findings:
    from folio.media.promises import broken_promises  # whose library is there where a bucket is

    bucket: Any = settings.MEDIA_BUCKET
    started = perf_counter()
    found = list(broken_promises())
    for promise in found:
        yield fault(promise, "See docs/guides/object-storage.md for what Folio needs of a bucket and its keys.")
    if not found:
        place = f"s3://{bucket.name}" + (f"/{bucket.prefix}" if bucket.prefix else "")
        yield ok(
            f"{place} keeps what Folio needs of it; a file was put, read and removed in {ms(perf_counter() - started)}."
        )
