"""Which server of PostgreSQL the processes of an installation have found last, in a file that all of them look at.

Whoever is the first to find that the address leads to another one notes it before anything is answered from there. The
others see that with their next look, before they answer anything from memory.
"""

import logging
import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

logger = logging.getLogger(__name__)


class ServerNote:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.server = ""  # as it was last read or written here
        self.seen: tuple[int, int, int] | None = None

    def has_changed(self) -> bool:
        """Look whether the file is another one than before, and read it if so."""
        try:
            status = os.stat(self.path)
        except OSError:
            return False
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        if seen == self.seen:
            return False
        with suppress(OSError):
            self.server = self.path.read_text()
            self.seen = seen
        return True

    def write(self, server: str) -> None:
        self.server = server
        try:
            with NamedTemporaryFile("w", dir=self.path.parent, prefix=f"{self.path.name}-", delete=False) as file:
                file.write(server)
            os.replace(file.name, self.path)
        except OSError as error:  # those who can't be told find out by themselves, if later
            logger.warning("Which server the database is could not be noted for other processes: %s", error)
