"""Films and sounds, told by their tracks: whatever brand a camera gives them, and however many tags stand in front."""

from __future__ import annotations  # File[bytes] means something to type checkers only

from typing import IO, cast

from django.core.files import File
from django.utils.translation import gettext as _

from ..errors import UploadRefused
from ..kinds import KIND_BY_MIME_TYPE, FileKind
from ..naming import extension_of
from ..playing import BrokenOff, look, search
from .texts import is_markup


def film_or_sound(file: File[bytes], name: str) -> FileKind | None:
    """Return the kind of a film or a sound, None of other files; raise UploadRefused of one that can't be played."""
    try:
        played = look(cast(IO[bytes], file))
    except BrokenOff as error:
        raise UploadRefused(_(error.text), code="damaged") from error
    return KIND_BY_MIME_TYPE[played.mime_type] if played else None


def behind_junk(file: File[bytes], name: str, mime_type: str) -> FileKind | None:
    """Return the kind of a sound with something else in front, of what libmagic knows as nothing better."""
    is_sound = mime_type.startswith(("audio/", "video/"))
    is_named = extension_of(name) == "mp3" and not mime_type.startswith("text/")
    if not (mime_type == "application/octet-stream" or is_sound or is_named) or is_markup(file):
        return None
    played = search(cast(IO[bytes], file))
    return KIND_BY_MIME_TYPE[played.mime_type] if played else None
