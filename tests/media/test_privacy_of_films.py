"""Films are copied with their pictures and sounds in their places, and with nothing private."""

import struct

import pytest

from folio.media.privacy import UnreadableStructure

from .private_files import MARK, assert_nothing_private, box, copied, film, track


@pytest.mark.parametrize("mime_type", ["video/mp4", "video/quicktime", "audio/mp4"])
@pytest.mark.parametrize("large", [False, True])
def test_a_film_keeps_its_pictures_and_sounds_in_their_places(mime_type: str, large: bool) -> None:
    data, samples = film(large=large)
    clean = copied(data, mime_type)
    assert_nothing_private(clean)
    assert b"GPS" not in clean
    assert len(clean) == len(data)
    for sample in (samples[0], samples[1], samples[4]):
        assert clean.index(sample) == data.index(sample)
    assert clean.count(b"trak") == 2
    for lost in (b"udta", b"loci", b"\xa9xyz", b"ISO6709", b"uuid", b"sefd"):
        assert lost not in clean
    assert copied(clean, mime_type) == clean


@pytest.mark.parametrize(
    "subtitle",
    [
        b"HOME(8.51,47.38)",
        b"[latitude : 47.1]",
        b"[longtitude: -8]",
        "GPS(8.51)".encode("utf-16-le"),
        b"GPS(W: 109.3, N: 18.2)",
        b"$GPRMC,082804.683,A,4722.6140,N,00832.5020,E,0,,",
        b"GNRMC,082804,A",
        b"4722.6140,N,00832.5020,E",
        b"Lat 47.3769 Lon 8.5417",
        "N 47.3769\u00b0 E 8.5417\u00b0".encode(),
    ],
    ids=str,
)
def test_subtitles_with_positions_go(subtitle: bytes) -> None:
    data, _ = film(subtitle)
    assert subtitle not in copied(data, "video/mp4")


@pytest.mark.parametrize("size", [60, 5, 2**31], ids=["its size", "too short", "beyond the end"])
def test_positions_among_the_pictures_go(size: int) -> None:
    """As dashcams write them: blocks in the data of the film that no track leads to."""
    data, samples = film()
    block = struct.pack(">I", size) + b"freeGPS " + bytes(48)
    recorded = data + box(b"mdat", b"a picture", block, b"another")

    clean = copied(recorded, "video/mp4")

    assert b"freeGPS " not in clean
    assert len(clean) == len(recorded)
    assert samples[0] in clean
    assert b"a picture" in clean
    assert (b"another" in clean) == (size == 60 or size == 5)


def test_a_film_without_its_index_is_emptied() -> None:
    data, _ = film()
    assert_nothing_private(copied(data[: data.index(b"moov") - 4], "video/mp4"))


def test_subtitles_without_positions_stay() -> None:
    data, samples = film(b"The latitude of home, without GPS.")
    clean = copied(data, "video/mp4")
    assert_nothing_private(clean)
    assert samples[2] in clean
    assert clean.count(b"trak") == 3


def test_junk_behind_a_film_goes() -> None:
    data, _ = film()
    clean = copied(data + b"\0\0\0\1" + MARK.encode() * 5, "video/mp4")
    assert_nothing_private(clean)


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp", b"mp42") + struct.pack(">I4s", 100, b"mdat") + bytes(20),  # cut off
        box(b"ftyp", b"mp42") + box(b"moov", box(b"cmov", MARK.encode())),
        box(b"ftyp", b"mp42") + box(b"moov", struct.pack(">I4s", 4, b"udta") + MARK.encode()),
        box(b"ftyp", b"mp42") + box(b"moov", track(b"meta", [1_000_000], [9])),
    ],
    ids=["cut off", "compressed", "too short", "outside"],
)
def test_a_film_that_cannot_be_taken_apart_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableStructure, match="Save it anew"):
        copied(data, "video/mp4")


@pytest.mark.parametrize("mime_type", ["application/pdf", "audio/mpeg", "text/plain", "application/zip"])
def test_other_files_are_copied_as_they_are(mime_type: str) -> None:
    data = bytes(range(256)) * 1000
    assert copied(data, mime_type) == data


def described(*own: bytes) -> bytes:
    """Return a film whose user data hold these boxes, and private ones."""
    mark = MARK.encode()
    items = box(b"ilst", *own, box(b"ownr", mark), box(b"\xa9too", mark))
    meta = box(b"meta", bytes(4), box(b"hdlr", bytes(24)), items)
    place = box(b"\xa9xyz", b"\0\7\x15\xc7" + mark)
    return box(b"ftyp", b"mp42") + box(b"moov", box(b"mvhd", bytes(100)), box(b"udta", *own, place, meta))


RIGHTS = [box(kind, b"\0\0\0\0\x15\xc7Example\0") for kind in (b"cprt", b"auth", b"\xa9cpy", b"\xa9aut", b"\xa9ART")]


@pytest.mark.parametrize("mime_type", ["video/mp4", "video/quicktime", "audio/mp4"])
def test_a_film_keeps_who_made_it_and_whose_it_is(mime_type: str) -> None:
    data = described(*RIGHTS)
    clean = copied(data, mime_type, "rights")
    assert_nothing_private(clean)
    assert len(clean) == len(data)
    assert clean.count(b"Example") == 2 * len(RIGHTS)
    assert b"\xa9xyz" not in clean
    assert copied(clean, mime_type, "rights") == clean
    assert b"Example" not in copied(data, mime_type)


def test_user_data_of_a_film_that_say_nothing_of_rights_go() -> None:
    clean = copied(described(box(b"cprt", MARK.encode() * 1000)), "video/mp4", "rights")
    assert_nothing_private(clean)
    for name in (b"udta", b"ilst", b"cprt"):
        assert name not in clean
