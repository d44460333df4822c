"""A film in fragments is copied as a whole one is: its tracks of positions go, wherever their data are told to be."""

import struct

import pytest

from folio.media.privacy import UnreadableStructure

from . import played
from .private_files import MARK, assert_nothing_private, box, copied

PICTURE, SOUND = b"a picture that stays", b"a sound that stays"
BASE, AT_FRAGMENT, USUAL = 0x1, 0x20000, 0x10
RUN_OFFSET, RUN_SIZES = 0x1, 0x200


def fragmented(handler: bytes, hidden: bytes, way: str) -> bytes:
    """Return a film of two fragments: pictures, another track, and sounds, whose data follow one another."""
    tracks = [played.track(id=1), played.track(handler, id=2), played.track(b"soun", id=3)]
    usual = [(each, len(data)) for each, data in ((1, PICTURE), (2, hidden), (3, SOUND))]
    extends = box(b"mvex", *(box(b"trex", struct.pack(">6I", 0, id, 1, 100, size, 0)) for id, size in usual))
    film = played.ftyp(b"iso5") + played.moov(*tracks, extends)
    for _ in range(2):
        film += fragment(len(film), [PICTURE, hidden, SOUND], way)
    return film


def fragment(start: int, samples: list[bytes], way: str) -> bytes:
    def moof(length: int) -> bytes:
        trafs, at = b"", start + length + 8
        for id, sample in enumerate(samples, start=1):
            flags, told = {"base": (BASE, struct.pack(">Q", at)), "fragment": (AT_FRAGMENT, b"")}.get(way, (0, b""))
            run_flags, fields = RUN_SIZES, b""
            if way == "usual sizes":
                flags, told, run_flags = AT_FRAGMENT, b"", 0
            elif way == "track's sizes":
                flags, told, run_flags = AT_FRAGMENT | USUAL, struct.pack(">I", len(sample)), 0
            if way != "base" and (way != "after one another" or id == 1):
                run_flags |= RUN_OFFSET
                fields = struct.pack(">i", at - start)
            size = struct.pack(">I", len(sample)) if run_flags & RUN_SIZES else b""
            run = box(b"trun", struct.pack(">II", run_flags, 1), fields, size)
            trafs += box(b"traf", box(b"tfhd", struct.pack(">II", flags, id), told), run)
            at += len(sample)
        return box(b"moof", box(b"mfhd", bytes(8)), trafs)

    return moof(len(moof(0))) + box(b"mdat", *samples)


WAYS = ["base", "fragment", "after one another", "usual sizes", "track's sizes"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("handler", "hidden"), [(b"meta", MARK.encode() * 3), (b"sbtl", b"GPS (8.51, 47.1)")], ids=["sensors", "subtitles"]
)
def test_tracks_of_positions_go_from_fragments(handler: bytes, hidden: bytes, way: str) -> None:
    data = fragmented(handler, hidden, way)

    clean = copied(data, "video/mp4")

    assert_nothing_private(clean)
    assert hidden not in clean
    assert len(clean) == len(data)
    for kept in (PICTURE, SOUND):
        assert clean.count(kept) == 2
        assert clean.index(kept) == data.index(kept)
    # Where the next track's data are told by this one's, what tells these stays.
    assert (clean.count(b"trak"), clean.count(b"traf")) == (2, 6 if way == "after one another" else 4)
    assert copied(clean, "video/mp4") == clean


def test_subtitles_of_fragments_stay_where_they_tell_no_position() -> None:
    data = fragmented(b"sbtl", b"Home, at last.", "fragment")

    assert copied(data, "video/mp4") == data


def test_data_outside_of_the_film_are_refused() -> None:
    data = fragmented(b"meta", MARK.encode(), "base")

    with pytest.raises(UnreadableStructure):
        copied(data[:-20], "video/mp4")


def test_a_film_without_other_tracks_keeps_its_fragments() -> None:
    data = played.fragmented(3)

    assert copied(data, "video/mp4") == data
