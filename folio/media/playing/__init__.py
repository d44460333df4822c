"""Films and sounds: what their containers say of them. Bytes in, facts out; no codec, no database, no request.

Little of a file is read, whatever it holds, so that the server can do it itself.
"""

from collections.abc import Callable
from typing import IO

from ..privacy import UnreadableStructure
from .frames import find_frames, read_frames
from .glance import Glance
from .iso import read_iso
from .matroska import read_matroska
from .ogg import read_ogg
from .played import BrokenOff, Played
from .sounds import read_aiff, read_flac, read_wav

__all__ = ["BrokenOff", "Played", "look", "measured", "search"]

NOTHING = Played("", None)

READERS: tuple[Callable[[Glance], Played | None], ...] = (
    read_iso,
    read_matroska,
    read_ogg,
    read_wav,
    read_flac,
    read_aiff,
    read_frames,
)


def look(file: IO[bytes]) -> Played | None:
    """Return what a file plays, by its container; None where it is no film or sound that is known.

    Raises BrokenOff where it is one, but what says how it is to be played is missing.
    """
    for read in READERS:
        played = attempt(read, file)
        if played:
            return played
    return None


def search(file: IO[bytes]) -> Played | None:
    """Return what `look()` does of MP3 that has something else in front. Ask it of what can be nothing else."""
    return attempt(find_frames, file)


def measured(file: IO[bytes], mime_type: str) -> Played:
    """Return how large a film of that type is and how long it plays, or a sound; nothing of other files."""
    if not mime_type.startswith(("video/", "audio/")):
        return NOTHING
    try:
        played = look(file)
    except BrokenOff:
        return NOTHING
    if played is None and mime_type in ("audio/mpeg", "audio/aac"):
        played = search(file)
    return played if played and played.mime_type == mime_type else NOTHING


def attempt(read: Callable[[Glance], Played | None], file: IO[bytes]) -> Played | None:
    try:
        return read(Glance(file))
    except UnreadableStructure:  # damaged, or longer to go through than it is worth
        return None
