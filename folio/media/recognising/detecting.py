"""What libmagic calls a file's content."""

from __future__ import annotations  # File[bytes] means something to type checkers only

from functools import cache

import pylibmagic  # isort: skip - it brings libmagic along, which the next line looks for
import magic  # isort: skip
from django.core.files import File
from django.core.files.uploadedfile import TemporaryUploadedFile

SAMPLE_SIZE = 64 * 1024  # bytes shown to libmagic of a file that isn't on the disk


@cache
def detector() -> magic.Magic:
    """Return libmagic with its list of types, which takes a while to load; it locks itself between threads."""
    return magic.Magic(mime=True, magic_file=str(pylibmagic.data.joinpath("magic.mgc")))


def detect(file: File[bytes]) -> str:
    """Return the MIME type of a file's content, as libmagic calls it."""
    if isinstance(file, TemporaryUploadedFile):
        # Old Office formats say what they are in a directory that may lie anywhere in the file.
        return detector().from_file(file.temporary_file_path())
    file.seek(0)
    return detector().from_buffer(file.read(SAMPLE_SIZE))
