"""Who may read the files: nobody else the secrets, the proxy the media, and the server all of them."""

import os
import pwd
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from django.conf import settings

from folio.installation import database_path, others_in, user_name

from .findings import Finding, Findings, fault, note, ok, warning

MOST = 2_000  # files and folders that are looked at
CLOSE = "Start `folio serve`, or run `folio migrate`, as the user who owns them: it closes them."
ENTER, READ = 0o010, 0o050  # what the group of FOLIO_MEDIA_GROUP needs of the data folder, and of the media's


def look() -> Findings:
    folder = Path(settings.DATA_DIR)
    try:
        owner = folder.stat().st_uid
    except OSError as error:
        yield fault(f"The data folder {folder} can't be looked at: {error.strerror}.", "See FOLIO_DATA_DIR.")
        return
    if os.geteuid() not in {owner, 0}:
        yield warning(
            f"This runs as {user_name()}, and the data folder is {name_of(owner)}'s: what it says of files holds for "
            f"{user_name()}.",
            f"Run it as the server's user: sudo -u {name_of(owner)} folio doctor.",
        )
    else:
        yield ok(f"The data folder is {name_of(owner)}'s.")
    yield from private(folder)
    yield foreign(folder, owner)
    yield unreadable(folder, owner)
    yield from shared(folder)
    if others := sorted(others_in(folder)):
        yield note(f"{folder} holds other folders than Folio's, such as {others[0]}; better give Folio one of its own.")


def private(folder: Path) -> Findings:
    """Tell of what may be read by others and must not."""
    database = database_path()
    paths = [folder / "secret_key", settings.ATTEMPTS_PATH, *([database] if database else [])]
    open_to = [path for path in paths if has(path, stat.S_IRWXG | stat.S_IRWXO)]
    for path in open_to:
        yield fault(f"{path} is open to other users of this machine.", f"chmod 600 {path}. {CLOSE}")
    if not open_to:
        yield ok("The secret key, the database and what is kept of sign-ins are closed to other users.")
    if has(folder, stat.S_IRWXO | stat.S_IRGRP | stat.S_IWGRP):
        yield warning(f"{folder} is open to other users of this machine.", f"chmod o=,g-rw {folder}. {CLOSE}")


def has(path: Path, bits: int) -> bool:
    try:
        return bool(path.stat().st_mode & bits)
    except OSError:
        return False


def below(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what lies in a folder, folder by folder, as far as it can be seen."""
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop(0)) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:  # one that is closed to us is told of as an entry of the one above
            continue
        for entry in found:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)


def foreign(folder: Path, owner: int) -> Finding:
    """Return whether all is owned by whoever owns the data folder: a command that ran as root leaves what is not."""
    seen = list(islice(below(folder), MOST))
    others = [entry for entry in seen if owner_of(entry) not in {owner, None}]
    if others:
        first = others[0]
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        return fault(
            f"{first.path}{more} is not {name_of(owner)}'s, but {name_of(owner_of(first))}'s: the server may not be "
            "able to change or remove it.",
            f"chown -R {name_of(owner)} {folder}. Run commands as that user, not as root.",
        )
    return ok(f"All {len(seen):,} files and folders that were looked at have the same owner.")


def owner_of(entry: os.DirEntry[str]) -> int | None:
    try:
        return entry.stat(follow_symlinks=False).st_uid
    except OSError:  # removed meanwhile
        return None


def unreadable(folder: Path, owner: int) -> Finding:
    """Return whether the owner may read and write everything."""
    for entry in islice(below(folder), MOST):
        try:
            mode = entry.stat(follow_symlinks=False).st_mode
        except OSError:
            continue
        needed = stat.S_IRWXU if stat.S_ISDIR(mode) else stat.S_IRUSR
        if not stat.S_ISLNK(mode) and mode & needed != needed:
            word = "entered and written" if stat.S_ISDIR(mode) else "read"
            return fault(f"{entry.path} can't be {word} by {name_of(owner)}.", f"chmod -R u+rwX {folder}.")
    return ok("Its owner may read all of them.")


def shared(folder: Path) -> Findings:
    """Tell whether the group that FOLIO_MEDIA_GROUP names gets to the media, and reads them."""
    group, media = settings.MEDIA_GROUP, Path(settings.MEDIA_ROOT)
    if group is None or settings.MEDIA_BUCKET is not None:
        return
    for path, bits in ((folder, ENTER), (media, READ)):
        try:
            found = path.stat()
        except OSError:
            continue
        if found.st_gid != group or found.st_mode & bits != bits:
            yield fault(
                f"{path} is closed to the group {group}, which FOLIO_MEDIA_GROUP names: it can't read the media.",
                "Start `folio serve`, which sets it; where it says that it can't, do so as the owner.",
            )
            return
    yield ok(f"The group {group}, which FOLIO_MEDIA_GROUP names, reads the media.")


def name_of(user: int | None) -> str:
    try:
        return pwd.getpwuid(user if user is not None else -1).pw_name
    except (KeyError, OverflowError):  # as in containers
        return f"the user {user}"
