"""A film is told by its tracks, and its size and duration by what its boxes or elements say."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile

from folio.media.errors import UploadRefused
from folio.media.playing import BrokenOff, Played, look, measured
from folio.media.playing.glance import STEPS, Glance
from folio.media.playing.iso import read_iso
from folio.media.uploads import store_upload

from . import played
from .played import DATA, TO_THE_RIGHT, UPSIDE_DOWN, film, fragmented, ftyp, matroska, moov, track
from .private_files import box
from .stored import extension_of, stored_files

BRANDS = (
    *("XAVC", "MSNV", "CAEP", "pana", "hvc1", "av01", "cmfc", "dash", "iso6", "mp41", "avc1", "f4v ", "M4V ", "M4A "),
    *("3gp4", "3gp5", "3gpp", "3g2a", "3ge6", "ndsc", "nvr1", "\0\0\0\0"),
)


def looked(content: bytes) -> Played:
    found = look(BytesIO(content))
    assert found
    return found


def size_of(content: bytes) -> tuple[int | None, int | None]:
    found = looked(content)
    return found.width, found.height


@pytest.mark.django_db
@pytest.mark.parametrize("brand", BRANDS, ids=[brand.strip().strip("\0") or "none" for brand in BRANDS])
def test_a_film_may_go_by_any_brand(brand: str) -> None:
    media = store_upload(ContentFile(film(track(), track(b"soun", id=2), brand=brand.encode()), name="a.MP4"))

    assert (media.type, media.mime_type, extension_of(media)) == ("video", "video/mp4", "mp4")
    assert (media.width, media.height, media.duration) == (640, 360, 2.5)


@pytest.mark.django_db
@pytest.mark.parametrize("brand", ["isom", "mp42", "M4A ", "dash", "qt  "])
def test_sounds_alone_are_no_film(brand: str) -> None:
    media = store_upload(ContentFile(film(track(b"soun"), brand=brand.encode()), name="a.mp4"))

    assert (media.type, media.mime_type, extension_of(media)) == ("audio", "audio/mp4", "m4a")
    assert (media.width, media.height, media.duration) == (None, None, 2.5)


WHOLE = moov(track())
LAYOUTS = {
    "index first": ftyp() + WHOLE + DATA,
    "index last": ftyp() + DATA + WHOLE,
    "behind other boxes": box(b"wide") + box(b"free", bytes(20)) + box(b"skip") + ftyp() + WHOLE + DATA,
    "junk at the end": ftyp() + WHOLE + DATA + b"\xff" * 20,
    "index in another box's place": ftyp() + box(b"uuid", bytes(100)) + WHOLE + DATA,
    "long": ftyp() + moov(track(long=True), long=True) + DATA,
    "data of unknown size": ftyp() + WHOLE + b"\0\0\0\0mdat" + bytes(50),
    "large data": ftyp() + b"\0\0\0\1mdat" + (16 + 50).to_bytes(8) + bytes(50) + WHOLE,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_index_may_lie_anywhere(layout: str) -> None:
    assert looked(LAYOUTS[layout]) == ("video/mp4", 2.5, 640, 360)


@pytest.mark.parametrize(
    "content",
    [film(track(), brand=b"qt  "), box(b"wide") + DATA + WHOLE, WHOLE + DATA, box(b"skip") + WHOLE + DATA],
    ids=["brand", "data first", "index first", "room first"],
)
def test_quicktime_has_its_brand_or_none(content: bytes) -> None:
    assert looked(content).mime_type == "video/quicktime"


PICTURES = ("avif", "avis", "heic", "heix", "hevc", "mif1", "msf1", "crx ")


@pytest.mark.parametrize("brand", PICTURES)
def test_pictures_of_the_same_boxes_are_no_films(brand: str) -> None:
    assert look(BytesIO(film(track(), brand=brand.encode()))) is None
    assert look(BytesIO(ftyp(brand.encode()) + box(b"meta", bytes(20)))) is None


def test_a_picture_of_an_unknown_brand_is_not_called_incomplete() -> None:
    assert look(BytesIO(ftyp(b"mif9") + box(b"meta", bytes(20)) + DATA)) is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [ftyp() + DATA, ftyp() + b"\0\0\1\0mdat" + bytes(50), ftyp(), b"\0\0\1\0mdat" + bytes(50), matroska(types=[])],
    ids=["no index", "cut off", "nothing else", "cut off, of before brands", "no tracks"],
)
def test_what_broke_off_before_its_tracks_is_refused_with_that_reason(content: bytes, media_root: Any) -> None:
    with pytest.raises(UploadRefused, match="list of its tracks is missing"):
        store_upload(ContentFile(content, name="film.mp4"))

    assert not stored_files(media_root)


@pytest.mark.parametrize("text", [b"The wide world is wide.\n", b"ABCDmdat is a box.\n", b"Buy free things.\n"])
def test_a_text_with_a_box_s_name_in_it_is_none(text: bytes) -> None:
    assert look(BytesIO(text)) is None


def test_pictures_of_chapters_make_no_film_of_a_book() -> None:
    book = film(track(b"soun", chapters=2), track(b"vide", id=2, size=(100, 100)), brand=b"M4A ")

    assert looked(book) == ("audio/mp4", 2.5, None, None)


def test_of_several_films_the_one_that_is_shown_counts() -> None:
    hidden, shown = track(size=(80, 60), is_enabled=False), track(id=2, size=(640, 360))

    assert size_of(film(hidden, shown)) == (640, 360)


@pytest.mark.parametrize(
    ("told", "size"),
    [
        ({"matrix": TO_THE_RIGHT}, (360, 640)),
        ({"matrix": (0, -1, 1, 0)}, (360, 640)),
        ({"matrix": UPSIDE_DOWN}, (640, 360)),
        ({"pixel": (4, 3)}, (853, 360)),
        ({"pixel": (3, 4)}, (640, 480)),
        ({"pixel": (4, 3), "matrix": TO_THE_RIGHT}, (360, 853)),
        ({"pixel": (0, 0)}, (640, 360)),
        ({"shown": (1280, 360)}, (1280, 360)),
        ({"shown": (0, 0)}, (640, 360)),
        ({"size": (0, 0), "shown": (320, 200)}, (320, 200)),
        ({"size": (0, 0)}, (None, None)),
        ({"pixel": (1_000_000, 1)}, (None, None)),
    ],
    ids=[
        *("to the right", "to the left", "upside down", "wide pixels", "high pixels", "wide pixels, turned"),
        *("no pixels", "stretched by the header", "no header", "header only", "nothing", "absurd"),
    ],
)
def test_a_film_has_the_size_at_which_browsers_show_it(told: Any, size: tuple[int | None, int | None]) -> None:
    assert size_of(film(track(**told))) == size


def test_the_whole_film_may_be_turned() -> None:
    assert size_of(ftyp() + moov(track(), matrix=TO_THE_RIGHT)) == (360, 640)
    assert size_of(ftyp() + moov(track(matrix=TO_THE_RIGHT), matrix=TO_THE_RIGHT)) == (640, 360)


@pytest.mark.parametrize("runs", [True, False], ids=["by samples", "by the track"])
def test_a_film_in_fragments_lasts_until_the_last_of_them(runs: bool) -> None:
    assert looked(fragmented(3, runs=runs)) == ("video/mp4", 3.0, 640, 360)


def test_a_film_in_fragments_may_tell_how_long_they_take() -> None:
    assert looked(fragmented(3, told=7.25)).duration == 7.25


def test_a_film_in_fragments_that_broke_off_lasts_until_there() -> None:
    assert looked(fragmented(3)[:-30]).duration == 3.0


def test_of_a_film_in_more_fragments_than_are_looked_at_the_duration_is_not_known() -> None:
    content = fragmented(STEPS)

    assert looked(content) == ("video/mp4", None, 640, 360)


@pytest.mark.parametrize(
    ("head", "own", "duration"), [(0, 2.5, 2.5), (4294967.295, 2.5, 2.5), (0, 0, None)], ids=["zero", "unknown", "none"]
)
def test_tracks_tell_a_duration_that_the_film_does_not(head: float, own: float, duration: float | None) -> None:
    assert looked(ftyp() + moov(track(seconds=own), seconds=head)).duration == duration


# Matroska


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("doctype", "types", "mime_type", "extension"),
    [
        ("webm", [1, 2], "video/webm", "webm"),
        ("webm", [2], "audio/webm", "weba"),
        ("matroska", [2, 1, 17], "video/x-matroska", "mkv"),
        ("matroska", [2, 17], "audio/x-matroska", "mka"),
    ],
)
def test_matroska_is_told_by_its_tracks(doctype: str, types: list[int], mime_type: str, extension: str) -> None:
    media = store_upload(ContentFile(matroska(doctype.encode(), types), name="a.bin"))

    assert (media.type, media.mime_type, extension_of(media)) == (
        mime_type.partition("/")[0],
        mime_type,
        extension,
    )
    assert media.duration == 2.5
    assert (media.width, media.height) == ((640, 360) if 1 in types else (None, None))


def test_the_tracks_of_matroska_may_stand_last() -> None:
    assert looked(matroska(tracks_last=True)) == ("video/webm", 2.5, 640, 360)


def test_pixels_of_matroska_that_are_no_squares_are_stretched() -> None:
    assert size_of(matroska(shown=(16, 9), size=(720, 576))) == (1024, 576)
    assert size_of(matroska(shown=(4, 3), size=(720, 480))) == (720, 540)


def test_what_a_browser_records_lasts_until_its_last_block() -> None:
    assert looked(matroska(seconds=None, clusters=4)).duration == 3.5


def test_other_documents_of_the_same_elements_are_no_films() -> None:
    assert look(BytesIO(matroska(b"other"))) is None


# Ogg


def test_ogg_with_a_film_among_its_streams_is_one() -> None:
    content = played.ogg(b"\x01vorbis" + bytes(23), played.theora(640, 360), positions=[0, (40 << 6) + 10])

    assert looked(content) == ("video/ogg", 2.0, 640, 360)


def test_pixels_of_theora_that_are_no_squares_are_stretched() -> None:
    assert size_of(played.ogg(played.theora(720, 576, pixel=(64, 45)))) == (1024, 576)


# Within bounds


HOSTILE = {
    "many boxes": ftyp() + box(b"free") * 300_000,
    "many tracks": ftyp() + box(b"moov", box(b"trak") * 300_000),
    "many elements": matroska(types=[])[:-8] + b"\xec\x80" * 300_000,
    "sizes of nothing": ftyp() + bytes(300_000),
    "a track in a track": ftyp() + box(b"moov", box(b"trak", box(b"trak", box(b"trak", bytes(300_000))))),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_little_is_read_whatever_a_file_holds(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0
    peek = Glance.peek

    def counted(self: Glance, offset: int, size: int) -> bytes:
        nonlocal reads
        reads += 1
        return peek(self, offset, size)

    monkeypatch.setattr(Glance, "peek", counted)

    assert measured(BytesIO(HOSTILE[kind]), "video/mp4") == ("", None, None, None)
    assert reads < 2 * STEPS


WELL_MADE = {
    "mp4": film(track(pixel=(4, 3)), track(b"soun", id=2)),
    "fragments": fragmented(),
    "matroska": matroska(tracks_last=True),
    "recorded": matroska(seconds=None),
    "ogg": played.ogg(played.theora(64, 48), positions=[5]),
    "mp3": played.id3(bytes(50)) + played.with_count(4) + played.MP3 * 3,
    "aac": played.aac_frame(20) * 9,
    "aiff": played.aiff(),
}


@pytest.mark.parametrize("kind", WELL_MADE)
def test_a_damaged_file_tells_nothing_or_less_and_never_fails(kind: str) -> None:
    content = WELL_MADE[kind][:1500]
    for place in range(len(content)):
        for value in (0, 0xFF, content[place] ^ 0x80):
            damaged = content[:place] + bytes([value]) + content[place + 1 :]
            assert measured(BytesIO(damaged), looked(content).mime_type)
        try:
            look(BytesIO(content[:place]))
        except BrokenOff:
            continue


def test_a_film_of_no_known_track_is_none() -> None:
    assert read_iso(Glance(BytesIO(film(track(b"text"))))) is None
