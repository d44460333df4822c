"""Sounds are told by their frames or headers, whatever tags stand in front, and so is how long they play."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile

from folio.media.errors import UploadRefused
from folio.media.playing import look, search
from folio.media.playing.frames import JUNK, find
from folio.media.playing.glance import BYTES, Glance
from folio.media.uploads import store_upload

from .kinds import archive
from .kinds import sound as wav
from .played import FRAME_SECONDS, MP3, aac_frame, aiff, id3, ogg, picture_in_tag, with_count
from .stored import extension_of

ARTWORK = picture_in_tag(3_000_000)
SONG = MP3 * 40
SECONDS: Any = pytest.approx(40 * FRAME_SECONDS, abs=0.001)

TAGGED = {
    "no tag": SONG,
    "a tag": id3(bytes(100)) + SONG,
    "version 2.2": id3(bytes(100), version=2) + SONG,
    "version 2.4 with a foot": id3(bytes(100), version=4, flags=0x10) + b"3DI\4\0\0\0\0\0\x64" + SONG,
    "two tags": id3(bytes(100)) + id3(bytes(50)) + SONG,
    "large artwork": id3(ARTWORK) + SONG,
    "told too short": id3(ARTWORK, told=100) + SONG,
    "told as nothing": id3(ARTWORK, told=0) + SONG,
    "told beyond the end": id3(bytes(100), told=200_000_000) + SONG,
    "padding behind": id3(bytes(100)) + bytes(9000) + SONG,
    "another tag at the end": id3(bytes(100)) + SONG + b"TAG" + bytes(125),
    "a header that counts": id3(bytes(100)) + with_count(40) + SONG,
}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", TAGGED)
def test_mp3_is_told_by_its_frames(kind: str) -> None:
    media = store_upload(ContentFile(TAGGED[kind], name="song.mp3"))

    assert (media.type, media.mime_type, extension_of(media)) == ("audio", "audio/mpeg", "mp3")
    assert media.duration == SECONDS
    assert (media.width, media.height) == (None, None)


def test_a_tag_that_tells_too_much_leaves_the_rest() -> None:
    found = look(BytesIO(id3(bytes(100), told=100 + 5 * len(MP3) - 9) + SONG))

    assert found
    assert found.mime_type == "audio/mpeg"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["song.mp3", "song.bin"])
@pytest.mark.parametrize(
    "junk",
    [bytes(5000), b"APETAGEX" + bytes(700), bytes(range(128, 254)) * 200],
    ids=["zeros", "a tag of another kind", "anything"],
)
def test_junk_in_front_does_not_hide_mp3(junk: bytes, name: str) -> None:
    media = store_upload(ContentFile(junk + SONG, name=name))

    assert (media.mime_type, media.duration) == ("audio/mpeg", SECONDS)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [bytes(5000) + MP3 + bytes(5000), bytes(300) + MP3[:4] * 9, b"<script>alert(1)</script>" + SONG],
    ids=["one frame", "headers without frames", "a script"],
)
def test_what_only_looks_like_mp3_is_refused(content: bytes) -> None:
    with pytest.raises(UploadRefused):
        store_upload(ContentFile(content, name="song.mp3"))


@pytest.mark.django_db
def test_an_archive_of_songs_stays_one() -> None:
    media = store_upload(ContentFile(archive("a.txt") + SONG, name="songs.zip"))

    assert media.mime_type == "application/zip"


def test_junk_is_searched_no_further_than_a_limit() -> None:
    assert search(BytesIO(bytes(JUNK - 10) + SONG))
    assert search(BytesIO(bytes(JUNK + 3 * len(MP3)) + SONG)) is None


@pytest.mark.parametrize("step", [b"\xff\xfb\x90\x64", b"\xff" * 4, MP3[:20]], ids=["headers", "ones", "short frames"])
def test_the_search_for_a_frame_reads_each_byte_about_once(step: bytes) -> None:
    glance = Glance(BytesIO(step * (4_000_000 // len(step))))

    assert find(glance, 0, glance.size) is None
    assert BYTES - glance.bytes_left < 1.1 * glance.size


@pytest.mark.parametrize(
    ("head", "size", "samples", "rate"),
    [
        (b"\xff\xfb\x90\x64", 417, 1152, 44_100),
        (b"\xff\xfb\x94\x64", 384, 1152, 48_000),
        (b"\xff\xf3\x80\x64", 208, 576, 22_050),
        (b"\xff\xe3\x88\x64", 576, 576, 8_000),
        (b"\xff\xfd\xa4\x04", 576, 1152, 48_000),
        (b"\xff\xff\x44\x04", 128, 384, 48_000),
    ],
    ids=["1/III", "1/III 48 kHz", "2/III", "2.5/III", "1/II", "1/I"],
)
def test_frames_of_each_version_and_layer_are_known(head: bytes, size: int, samples: int, rate: int) -> None:
    found = look(BytesIO((head + bytes(size - 4)) * 20))

    assert found
    assert found.mime_type == "audio/mpeg"
    assert found.duration == pytest.approx(20 * samples / rate, abs=0.001)


@pytest.mark.django_db
@pytest.mark.parametrize("tag", [b"", id3(bytes(30))], ids=["bare", "tagged"])
def test_aac_is_accepted(tag: bytes) -> None:
    media = store_upload(ContentFile(tag + aac_frame(150) * 20 + aac_frame(260) * 20, name="song.aac"))

    assert (media.type, media.mime_type, extension_of(media)) == ("audio", "audio/aac", "aac")
    assert media.duration == pytest.approx(40 * 1024 / 44_100, abs=0.001)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "name", "extension"),
    [(aiff(), "a.aiff", "aiff"), (aiff(), "a.AIF", "aif"), (aiff(b"AIFC"), "a", "aiff")],
    ids=["aiff", "aif", "aifc"],
)
def test_aiff_is_accepted(content: bytes, name: str, extension: str) -> None:
    media = store_upload(ContentFile(content, name=name))

    assert (media.type, media.mime_type, media.duration) == ("audio", "audio/aiff", 2.5)
    assert extension_of(media) == extension


FLAC = b"fLaC\0\0\0\x22\x10\0\x10\0" + bytes(6) + (44_100 << 44 | 88_200).to_bytes(8) + bytes(16)
OPUS = b"OpusHead\1\2" + (312).to_bytes(2, "little") + bytes(7)
VORBIS = b"\1vorbis\0\0\0\0\2" + (44_100).to_bytes(4, "little") + bytes(14)
OTHERS: dict[str, tuple[bytes, Any, Any]] = {
    "wav": (wav(), "audio/wav", 0.05),
    "wav of unknown size": (wav().replace(b"data\x40\x06\0\0", b"data\xff\xff\xff\xff"), "audio/wav", 0.05),
    "flac": (FLAC, "audio/flac", 2.0),
    "tagged flac": (id3(bytes(30)) + FLAC, "audio/flac", 2.0),
    "opus": (ogg(OPUS, positions=[96_312]), "audio/ogg", 2.0),
    "vorbis": (ogg(VORBIS, positions=[88_200]), "audio/ogg", 2.0),
    "flac in ogg": (ogg(b"\x7fFLAC\1\0\0\1" + FLAC, positions=[88_200]), "audio/ogg", 2.0),
    "without an end": (ogg(OPUS), "audio/ogg", None),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_sounds_tell_how_long_they_play(kind: str) -> None:
    content, mime_type, duration = OTHERS[kind]

    assert look(BytesIO(content)) == (mime_type, duration, None, None)
