"""What an installation keeps in its data folder: made when it begins, for the server's own user alone.

Only `folio serve`, `folio migrate` and a worker make anything. Every other command works with what is there, or says
where it looked. docs/decisions/0024-who-may-read-the-data-folder.md tells why the permissions are as they are.
"""

import json
import os
import pwd
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection
from django.utils.functional import SimpleLazyObject

OTHERS = stat.S_IRWXG | stat.S_IRWXO  # all that anyone but the owner may do
FOLDER = 0o700
FILE = 0o600
PASSED_THROUGH = 0o710  # the data folder, where a group reads the media in it
SHARED_FOLDER = 0o2750  # what is made in it belongs to its group, too
SHARED_FILE = 0o640
NO_TABLES = {"42P01", "42703"}  # PostgreSQL: there is no such table, no such column
RESTORING = "restoring"  # in the data folder: what a restore has come to, see `folio.server.backups`
OWN_FOLDERS = {"media", "uploads", "journal", "static", "lost+found"}  # the last is where a disk is mounted


def where() -> str:
    """Say why the data folder is where it is."""
    return (
        "FOLIO_DATA_DIR names that folder"
        if os.environ.get("FOLIO_DATA_DIR")
        else "FOLIO_DATA_DIR, which would name another folder, is not set"
    )


# The secret key


def secret_key(folder: Path) -> str:
    """Return the secret key that lies in `folder`; where none does, one that is good for this process."""
    try:
        return read_secret_key(folder / "secret_key")
    except FileNotFoundError:
        return secrets.token_urlsafe(48)


def read_secret_key(path: Path) -> str:
    mend = "Put it back from a backup, set FOLIO_SECRET_KEY, or delete the file: then `folio serve` makes a new one."
    try:
        key = path.read_text()
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as error:
        raise ImproperlyConfigured(f"The secret key in {path} is no text. {mend}") from error
    except OSError as error:
        raise ImproperlyConfigured(f"The secret key in {path} can't be read: {error.strerror}. {where()}.") from error
    if not key.strip():
        raise ImproperlyConfigured(f"The secret key in {path} is empty. {mend}")
    return key


def make_secret_key(folder: Path) -> str:
    """Return the secret key that lies in `folder`, made if need be.

    Two processes that start together agree on one key: the file appears whole, by a link, or not at all.
    """
    path = folder / "secret_key"
    try:
        return read_secret_key(path)
    except FileNotFoundError:
        make_whole(path, secrets.token_urlsafe(48))
        return read_secret_key(path)


def make_whole(path: Path, text: str) -> None:
    """Make a file that appears whole, by a link, or not at all; one that is there stays as it is."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


# What can't be used


def refuse_unusable() -> None:
    """Raise ImproperlyConfigured, in a sentence, where the installation can't be used or begun; write nothing."""
    refuse_folder(settings.DATA_DIR)
    refuse_half_restored(settings.DATA_DIR)
    if isinstance(settings.SECRET_KEY, SimpleLazyObject):
        str(settings.SECRET_KEY)  # an empty one raises
    group = settings.MEDIA_GROUP
    if group is not None and os.geteuid() != 0 and group not in {os.getegid(), *os.getgroups()}:
        user = user_name()
        raise ImproperlyConfigured(
            f"FOLIO_MEDIA_GROUP is {group}, but {user}, who Folio runs as, is no member of that group. "
            f"Make them one (usermod -aG {group} {user}), or name another group."
        )


def refuse_half_restored(folder: Path) -> None:
    """Raise ImproperlyConfigured where a restore has begun to replace the installation, and has not come to its end."""
    if str(settings.DATABASES["default"]["NAME"]).endswith(f".{RESTORING}"):  # the one that is just being restored
        return
    with suppress(OSError, ValueError):
        found = json.loads((folder / RESTORING).read_text())
        if found.get("phase") == "replacing":
            raise ImproperlyConfigured(
                f"The restore of backup {found['name']} was interrupted, so the installation in {folder} is neither "
                f"the old nor the new one. Give the same command again, which does the rest: {found['command']}"
            )


def refuse_folder(folder: Path) -> None:
    """Raise ImproperlyConfigured where the data folder can't be read and written, or can't be made."""
    try:
        found = folder.stat()
    except FileNotFoundError:
        above = next(place for place in folder.parents if place.exists())
        if not os.access(above, os.W_OK | os.X_OK):
            raise ImproperlyConfigured(
                f"The data folder {folder} can't be made: {above} can't be written. {where()}."
            ) from None
        return
    except NotADirectoryError:
        file = next(place for place in folder.parents if os.path.lexists(place))
        raise ImproperlyConfigured(f"The data folder {folder} can't be made: {file} is a file. {where()}.") from None
    except OSError as error:
        raise ImproperlyConfigured(f"The data folder {folder} can't be used: {error.strerror}. {where()}.") from error
    if not stat.S_ISDIR(found.st_mode):
        raise ImproperlyConfigured(f"The data folder {folder} is a file; it must be a folder. {where()}.")
    for right, word in ((os.R_OK | os.X_OK, "read"), (os.W_OK, "written")):
        if not os.access(folder, right):
            raise ImproperlyConfigured(f"The data folder {folder} can't be {word} by {user_name()}. {where()}.")


def user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # as in containers
        return f"the user {os.geteuid()}"


def why_not(error: Error) -> str:
    """Return, in a sentence, why the database can't be used, and where it was looked for."""
    text, path = str(error).strip(), database_path()
    elsewhere = "DATABASE_URL names it" if is_elsewhere() else where()
    if path is None:
        missing = getattr(error.__cause__, "sqlstate", None) in NO_TABLES
        state = "has not the tables of this version: run `folio migrate` first" if missing else f"failed: {text}"
        return f"The database {shown_url()}, which DATABASE_URL names, {state}."
    if not path.exists():
        return (
            f"There is no installation here: {path} does not exist. {elsewhere}. "
            "Name yours, or begin one by `folio migrate` or `folio serve`."
        )
    if "no such table" in text or "no such column" in text:
        return f"The database {path} has not the tables of this version: run `folio migrate` first. {elsewhere}."
    return f"The database {path} can't be used by {user_name()}: {text}. {elsewhere}."


def shown_url() -> str:
    """Return where the database server is, without its password."""
    database = settings.DATABASES["default"]
    return f"{database['NAME']} at {database.get('HOST') or 'the local socket'}"


# What is made


def begin() -> None:
    """Make what is missing of the folders, and of the secret key."""
    try:
        for folder in (settings.DATA_DIR, settings.FILE_UPLOAD_TEMP_DIR, settings.JOURNAL_ROOT, settings.MEDIA_ROOT):
            make_folder(Path(folder))
        if isinstance(settings.SECRET_KEY, SimpleLazyObject):
            settings.SECRET_KEY = make_secret_key(settings.DATA_DIR)  # in case a passing one was already asked for
        if connection.vendor == "postgresql" and settings.MEDIA_BUCKET is None and not settings.FOLDER_MARK.exists():
            make_whole(settings.FOLDER_MARK, secrets.token_hex(16))
    except OSError as error:
        raise unusable(error) from error


def begin_database() -> None:
    """Make SQLite's file where there is none; the files that SQLite puts beside it get its permissions."""
    path = database_path()
    if path is not None and not path.exists():
        try:
            make_file(path)
        except OSError as error:
            raise unusable(error) from error


def unusable(error: OSError) -> ImproperlyConfigured:
    names = "DATABASE_URL names it" if error.filename == str(database_path()) and is_elsewhere() else where()
    return ImproperlyConfigured(f"{error.filename} can't be made or used: {error.strerror}. {names}.")


def make_folder(path: Path) -> None:
    """Make a folder, with those above it, that only its owner may enter."""
    path.mkdir(mode=FOLDER, parents=True, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file that only its owner may read, unless it is there."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, FILE))


def database_path() -> Path | None:
    """Return where SQLite's file is or will be; None for another database, or for one in memory."""
    name = str(settings.DATABASES["default"]["NAME"])
    is_file = connection.vendor == "sqlite" and not name.startswith((":memory:", "file:"))
    return Path(name) if is_file else None


def is_elsewhere() -> bool:
    """Tell whether DATABASE_URL names a database outside of the data folder."""
    path = database_path()
    return path is None or path.parent != settings.DATA_DIR


# Who may read it


class Mending:
    """Sets permissions and groups where they are others than they should be, and keeps account of it."""

    def __init__(self) -> None:
        self.mended = 0
        self.left: list[str] = []

    def set(self, path: str | Path, bits: int, group: int | None = None) -> bool:
        """Let others do what `bits` says, no more and no less; tell whether it is so now. The owner's rights stay."""
        with suppress(FileNotFoundError):
            found = os.stat(path)
            mode = stat.S_IMODE(found.st_mode)
            wanted = (mode & ~OTHERS) | (bits & ~stat.S_IRWXU)
            if group is None or found.st_gid == group:
                group = -1
            if mode == wanted and group == -1:
                return True
            try:
                if group != -1:
                    os.chown(path, -1, group)
                os.chmod(path, wanted)
                if stat.S_IMODE(os.stat(path).st_mode) != wanted:  # as on disks that keep no permissions
                    raise PermissionError
            except OSError:
                self.left.append(str(path))
                return False
            self.mended += 1
        return True

    def sentences(self) -> list[str]:
        """Return what there is to be told."""
        told = []
        if self.mended and settings.MEDIA_GROUP is None:
            told.append(
                f"Closed {places(self.mended)} in {settings.DATA_DIR} to other users of this machine. "
                "A proxy that reads the media itself needs FOLIO_MEDIA_GROUP."
            )
        elif self.mended:
            told.append(
                f"Set the permissions of {places(self.mended)} in {settings.DATA_DIR}: "
                f"the group {settings.MEDIA_GROUP} may read the media, and nobody else anything."
            )
        if self.left:
            others = f" and {len(self.left) - 1} more" if len(self.left) > 1 else ""
            told.append(
                f"Warning: the permissions of {self.left[0]}{others} can't be set by {user_name()}. "
                "Whoever owns it can: nobody else should read it."
            )
        return told


def places(count: int) -> str:
    return "a file or folder" if count == 1 else f"{count} files and folders"


def close_to_others() -> list[str]:
    """Take away what other users may do with the installation's files; return what there is to be told of it.

    Where FOLIO_MEDIA_GROUP names a group, it may read the media, and go through the data folder to them.
    """
    mending, group = Mending(), settings.MEDIA_GROUP
    database = database_path()
    own = [settings.DATA_DIR / "secret_key", settings.ATTEMPTS_PATH, settings.RATES_PATH]
    marks = [settings.PUBLIC_READ_MARK, settings.VARIANTS_MARK, settings.FOLDER_MARK]
    kept = [*own, *marks, *([database] if database else [])]
    for path in kept:
        for name in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
            mending.set(name, FILE)
    for folder in (settings.JOURNAL_ROOT, settings.FILE_UPLOAD_TEMP_DIR):
        for file in files_in(folder):
            mending.set(file, FILE)
    mending.set(settings.JOURNAL_ROOT, FOLDER)
    # What is received there is moved into the media's folders, and takes its group along.
    mending.set(settings.FILE_UPLOAD_TEMP_DIR, FOLDER if group is None else 0o2700, group)
    close_media(mending, group)
    told = []
    if foreign := sorted(others_in(settings.DATA_DIR)):
        if stat.S_IMODE(settings.DATA_DIR.stat().st_mode) & (stat.S_IRWXO | stat.S_IRGRP | stat.S_IWGRP):
            told.append(
                f"Warning: {settings.DATA_DIR} holds other folders than Folio's, such as {foreign[0]}, and is open to "
                "others. What Folio keeps in it is closed to them; better give Folio a folder of its own."
            )
    else:
        mending.set(settings.DATA_DIR, FOLDER if group is None else PASSED_THROUGH, group)
    return [*mending.sentences(), *told]


def close_media(mending: Mending, group: int | None) -> None:
    """Set the permissions of the media; its folder comes last, and tells the next time that the rest is done."""
    root = Path(settings.MEDIA_ROOT)
    folder, file = (FOLDER, FILE) if group is None else (SHARED_FOLDER, SHARED_FILE)
    with suppress(FileNotFoundError):
        found = root.stat()
        is_set = (found.st_mode & (OTHERS | stat.S_ISGID)) == (folder & (OTHERS | stat.S_ISGID))
        if is_set and group in {None, found.st_gid}:
            return
        is_done = True
        for path, folders, files in os.walk(root):
            for names, bits in ((folders, folder), (files, file)):
                for name in names:
                    inner = os.path.join(path, name)
                    if not os.path.islink(inner):
                        is_done = mending.set(inner, bits, group) and is_done
        if is_done:
            mending.set(root, folder, group)


def files_in(folder: Path) -> Iterator[str]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        yield from (entry.path for entry in entries if entry.is_file(follow_symlinks=False))


def others_in(folder: Path) -> Iterator[str]:
    """Yield the folders in the data folder that are not Folio's: it may be a home, or even the system's."""
    with os.scandir(folder) as entries:
        yield from (
            entry.name
            for entry in entries
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".") and entry.name not in OWN_FOLDERS
        )
