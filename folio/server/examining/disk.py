"""Room on the disks: against what is kept in reserve, the largest upload, and a backup of all."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir
from time import monotonic

from django.conf import settings

from folio.installation import database_path
from folio.media.journal import RESERVE
from folio.server.health import free, there

from .findings import Finding, Findings, fault, note, ok, size, warning

COUNT_SECONDS = 5.0  # for adding up the media
LEAST_FILES = 10_000  # that may still be made on a disk; each picture has some ten


def look() -> Findings:
    disks: dict[int, tuple[Path, list[str]]] = {}
    for name, folder in places():
        found = there(folder)
        disks.setdefault(found.stat().st_dev, (found, []))[1].append(name)
    for folder, names in disks.values():
        yield room(folder, in_words(names))
        yield from files(folder)
    yield backup()


def places() -> Iterator[tuple[str, Path]]:
    yield "the data folder", Path(settings.DATA_DIR)
    yield "uploads", Path(settings.FILE_UPLOAD_TEMP_DIR)
    if settings.MEDIA_BUCKET is None:
        yield "the media", Path(settings.MEDIA_ROOT)
    if (database := database_path()) is not None:
        yield "the database", database.parent
    yield "temporary files", Path(gettempdir())


def room(folder: Path, names: str) -> Finding:
    left = free(folder)
    disk = os.statvfs(folder)
    told = f"{size(left)} of {size(disk.f_blocks * disk.f_frsize)} are free on the disk of {names}"
    mend = "Delete media and empty what was removed, make the disk larger, or move the media to a bucket: `folio move`."
    if left < RESERVE:
        return fault(f"{told}: uploads are refused, and the database may be next.", mend)
    if left < 2 * settings.MAX_UPLOAD_SIZE + RESERVE:
        return warning(f"{told}: two uploads of FOLIO_MAX_UPLOAD_SIZE don't fit beside each other.", mend)
    return ok(f"{told}.")


def files(folder: Path) -> Findings:
    disk = os.statvfs(folder)
    if disk.f_files and disk.f_favail < LEAST_FILES:  # some file systems have no such bound, and say 0
        yield warning(
            f"The disk of {folder} has places for {disk.f_favail:,} more files, however much room is free (`df -i`).",
            "Remove files, or make a file system with more inodes.",
        )


def backup() -> Finding:
    """Return what a backup of all would take, and whether it would fit beside what it is of."""
    database, media = database_path(), Path(settings.MEDIA_ROOT)
    count = database.stat().st_size if database is not None and database.is_file() else 0
    is_complete = True
    if settings.MEDIA_BUCKET is None:
        sizes, is_complete = counted(media)
        count += sizes
    of = "all" if database is not None and settings.MEDIA_BUCKET is None else "what lies in the data folder"
    told = f"A backup of {of} takes {'' if is_complete else 'more than '}{size(count)}"
    left = free(there(Path(settings.DATA_DIR)))
    if count > left:
        return warning(
            f"{told}, and {size(left)} are free beside it.",
            "Write backups to another disk or into a bucket, which is safer anyway.",
        )
    if not count:
        return note("There is nothing to back up here yet.")
    return ok(f"{told}, and {size(left)} are free beside it.")


def counted(folder: Path) -> tuple[int, bool]:
    """Return the bytes of the files below a folder, and whether there was time to add all of them up."""
    end, count = monotonic() + COUNT_SECONDS, 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                count += os.lstat(os.path.join(path, name)).st_size
            except OSError:  # removed meanwhile
                continue
        if monotonic() > end:
            return count, False
    return count, True


def in_words(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
