"""A folder that someone else may have filled: its files by their plain names, and no way out of it.

Files and folders are opened relative to the folder that holds them, and a symbolic link is never followed: neither one
that was there when the names were read nor one that took a file's place since.
"""

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .problems import refused

A_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
A_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe's other end is not waited for
LINK = "This is a link, and links are not followed. Put what it leads to in its place."
NOT_HERE = {errno.ENOENT, errno.ENOTDIR}
DIGITS = re.compile(r"([0-9]+)")


def in_order(name: str) -> tuple[list[str | int], str]:
    """Return what names are sorted by: numbers by their value, letters without their case."""
    parts = DIGITS.split(name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


@dataclass(frozen=True)
class Root:
    """The folder that is imported, held open; the person who named it answers for where it lies."""

    path: Path
    descriptor: int

    def folders(self) -> list["Folder"]:
        """Return the folders in it, and links to whatever, in the order of their names; not the hidden ones."""
        with os.scandir(self.descriptor) as entries:
            names = [
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and (entry.is_symlink() or entry.is_dir(follow_symlinks=False))
            ]
        return [Folder(self, name) for name in sorted(names, key=in_order)]


@dataclass(frozen=True)
class Folder:
    """A folder within the root."""

    root: Root
    name: str

    def path_of(self, name: str) -> str:
        """Return a file's path as messages tell it."""
        return f"{self.name}/{name}"

    @contextmanager
    def opened(self) -> Iterator[int]:
        try:
            descriptor = os.open(self.name, A_FOLDER, dir_fd=self.root.descriptor)
        except OSError as error:
            raise refused(self.name, reason_of(error, self.is_link())) from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def is_link(self) -> bool:
        """Tell it by a look: what a link in a folder's place is refused with differs between systems."""
        try:
            return stat.S_ISLNK(os.stat(self.name, dir_fd=self.root.descriptor, follow_symlinks=False).st_mode)
        except OSError:
            return False

    def files(self) -> dict[str, str]:
        """Return the names of its files, and of links, in order: composed (NFC) as texts are, with the name on disk."""
        with self.opened() as descriptor, os.scandir(descriptor) as entries:
            names = [
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and not entry.is_dir(follow_symlinks=False)
            ]
        found: dict[str, str] = {}
        for name in sorted(names, key=in_order):
            composed = unicodedata.normalize("NFC", name)
            if composed in found:
                reason = "Two files have this name, which is written in two forms of Unicode. Rename one of them."
                raise refused(self.path_of(composed), reason)
            found[composed] = name
        return found

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file by its name on disk."""
        with self.opened() as folder:
            try:
                descriptor = os.open(name, A_FILE, dir_fd=folder)
            except OSError as error:
                raise refused(self.path_of(name), reason_of(error, error.errno == errno.ELOOP)) from error
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise refused(self.path_of(name), "This is no ordinary file.")
            yield file


def reason_of(error: OSError, is_link: bool) -> str:
    return LINK if is_link else f"It can't be opened: {os.strerror(error.errno or 0)}."


@contextmanager
def open_root(path: Path) -> Iterator[Root]:
    """Open the folder that is to be imported; raise Refused where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        reason = "There is no such folder." if error.errno in NOT_HERE else reason_of(error, False)
        raise refused(str(path), reason) from error
    try:
        yield Root(path, descriptor)
    finally:
        os.close(descriptor)
