"""A name or a declared type that claims a picture is held to it."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from folio.media.errors import UploadRefused
from folio.media.uploads import store_upload
from tests.factories import draw

from .kinds import DESIGNS, TABLE, WORDS, archive, compound, sound
from .stored import assert_nothing_is_left, path_of

pytestmark = pytest.mark.django_db

PSD = next(case[0] for case in DESIGNS if case[4] == "psd")
OTHERS: dict[str, tuple[bytes, str]] = {
    "text": (WORDS, "text/plain"),
    "table": (TABLE, "text/csv"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "application/pdf"),
    "zip": (archive("a.txt"), "application/zip"),
    "word": (compound("WordDocument"), "application/msword"),
    "sound": (sound(), "audio/wav"),
}


@pytest.mark.parametrize("name", ["photo.png", "photo.JPEG", "photo.webp", "photo.svg", "photo.heic", "photo.dng"])
@pytest.mark.parametrize("kind", OTHERS)
def test_refuses_under_a_picture_s_name_what_is_none(kind: str, name: str, media_root: Path) -> None:
    content, mime_type = OTHERS[kind]

    with pytest.raises(UploadRefused) as refusal:
        store_upload(SimpleUploadedFile(name, content, "application/octet-stream"))

    claim = Path(name).suffix.lower()
    assert refusal.value.messages[0] == (
        f"The file is sent as a picture ({claim}), but its content is none: it is of the type {mime_type}. Send the "
        "picture itself, or the file under a name that fits what it is."
    )
    assert_nothing_is_left(media_root)


@pytest.mark.parametrize("name", ["notes.txt", "plan.pdf", "a.zip", "file"])
@pytest.mark.parametrize("declared", ["image/png", "IMAGE/JPEG", "image/svg+xml", "image/*"])
def test_refuses_what_is_declared_a_picture_and_is_none(declared: str, name: str, media_root: Path) -> None:
    with pytest.raises(UploadRefused, match=r"sent as a picture \(image/.*of the type text/plain"):
        store_upload(SimpleUploadedFile(name, WORDS, declared))

    assert_nothing_is_left(media_root)


@pytest.mark.parametrize("declared", ["text/plain", "application/octet-stream", "", "video/mp4"])
def test_takes_a_picture_whatever_it_is_declared_as(declared: str) -> None:
    assert store_upload(SimpleUploadedFile("notes.txt", draw(), declared)).mime_type == "image/png"


@pytest.mark.parametrize("declared", ["image/vnd.adobe.photoshop", "image/x-photoshop", "application/octet-stream"])
def test_keeps_a_psd_under_its_own_name(declared: str) -> None:
    media = store_upload(SimpleUploadedFile("Poster.psd", PSD, declared))

    assert (media.type, path_of(media).name) == ("other", "Poster.psd")


@pytest.mark.parametrize("name", ["poster.png", "poster.jpg", "poster"])
def test_refuses_a_psd_as_a_picture(name: str, media_root: Path) -> None:
    with pytest.raises(UploadRefused):
        store_upload(SimpleUploadedFile(name, PSD, "image/png"))

    assert_nothing_is_left(media_root)
