"""A unix socket on which the server listens, so that a restart refuses nobody: a proxy before it connects to another.

The socket's file is there for exactly as long as whoever connects is answered. It is made under another name, and takes
its own when a worker serves. When the server is about to stop, the file goes first: who connects then finds nothing and
tries the next server, and has sent nothing yet. Who had connected is answered, as the socket stays open until the
workers end. A socket that is closed while its file is there cuts off those who wait for their turn.
"""

import errno
import grp
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

from folio.installation import user_name

MODE = 0o660  # who may write to a socket may connect
LONGEST = 107  # bytes of a path, by the system's `sockaddr_un`
SETTLING = 0.5  # seconds that the server goes on accepting after its file is gone: who had found it was just connecting


class UnixSocket:
    """The socket file of this server."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))
        self.draft = self.path.with_name(f".{self.path.name}.new")
        self.own: tuple[int, int] | None = None  # device and inode

    def prepare(self) -> None:
        """Raise CommandError, in a sentence, where the socket can't be had; remove what a dead server left."""
        if len(os.fsencode(self.draft)) > LONGEST:
            raise CommandError(f"Can't listen at {self.path}: the path of a unix socket may have {LONGEST - 5} bytes.")
        for path in (self.path, self.draft):
            try:
                found = path.lstat()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise self.unusable(error) from error
            if not stat.S_ISSOCK(found.st_mode):
                raise CommandError(
                    f"Can't listen at {self.path}: {path} is there and is no socket. Name another --uds."
                )
            if is_listened_at(path):
                raise CommandError(
                    f"Can't listen at {self.path}: another server does. Stop it first, or name another --uds."
                )
            try:
                path.unlink()
            except OSError as error:
                raise self.unusable(error) from error
        folder = self.path.parent
        if not folder.is_dir():
            raise CommandError(f"Can't listen at {self.path}: there is no folder {folder}.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise CommandError(f"Can't listen at {self.path}: {folder} can't be written by {user_name()}.")

    def unusable(self, error: OSError) -> CommandError:
        return CommandError(f"Can't listen at {self.path}: {error.strerror}. Name another --uds.")

    def bound(self) -> socket.socket:
        """Return a socket that only its user and its group may connect to, under the name of before it is shown."""
        made = socket.socket(socket.AF_UNIX)
        try:
            made.bind(str(self.draft))
            if settings.MEDIA_GROUP is not None:
                os.chown(self.draft, -1, settings.MEDIA_GROUP)
            self.draft.chmod(MODE)  # nobody has connected: nothing listens yet
            found = self.draft.stat()
        except OSError as error:
            made.close()
            raise self.unusable(error) from error
        self.own = found.st_dev, found.st_ino
        return made

    def show(self) -> None:
        """Give the socket its name, as a worker serves; raise OSError where that can't be."""
        self.draft.rename(self.path)

    def withdraw(self) -> None:
        """Take the socket's file away, unless it is another server's by now; signal handlers may call this."""
        for path in (self.path, self.draft):
            with suppress(OSError):
                found = path.lstat()
                if (found.st_dev, found.st_ino) == self.own:
                    path.unlink()

    def told(self) -> str:
        """Say where the socket is, and who may connect."""
        group = settings.MEDIA_GROUP if settings.MEDIA_GROUP is not None else os.getegid()
        return f"{self.path}, for {user_name()} and the group {group_name(group)}"


def is_listened_at(path: Path) -> bool:
    """Tell whether a process listens at a socket's file; one that can't be asked does."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # one whose queue is full would keep us waiting
        try:
            probe.connect(str(path))
        except OSError as error:
            return error.errno not in {errno.ECONNREFUSED, errno.ENOENT}
        return True


def group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
