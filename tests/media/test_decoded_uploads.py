"""What decoders find comes with the answer to an upload, and so does what they refuse."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageCms

from folio.media.bounds import METADATA_SIZE
from folio.media.decoding import decoders
from folio.media.errors import UploadRefused
from folio.media.models import Media
from folio.media.uploads import store_once, store_upload
from tests.conftest import Client
from tests.factories import draw, make_portfolio

from .decoded import MEGABYTE, encoded, plain

PATH = "/api/media/"


def profile(size: int) -> bytes:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return own + bytes(size - len(own))


def of_someone(format: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "Ada"
    return encoded(format, exif=exif).getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "is_cleaned"),
    [
        (b"Some words.\n" * 20_000, False),
        (draw(), False),
        *((of_someone(format), True) for format in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF")),
    ],
)
def test_the_digest_is_of_the_bytes_as_they_are_stored(content: bytes, is_cleaned: bool) -> None:
    media = store_upload(ContentFile(content, name="a.txt"))

    with media.file.open() as file:
        stored = file.read()
    assert media.sha256 == hashlib.sha256(stored).hexdigest()
    assert (stored != content) is is_cleaned


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("keep", "artist", "camera"), [("none", None, None), ("rights", "Ada", None), ("all", "Ada", "Camera 7")]
)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_the_setting_tells_what_stays_in_an_original(
    settings: Any, format: str, keep: str, artist: str | None, camera: str | None
) -> None:
    settings.KEEP_METADATA = keep
    exif = Image.Exif()
    exif[0x013B], exif[0x0110] = "Ada", "Camera 7"
    content = encoded(format, exif=exif).getvalue()

    media = store_upload(ContentFile(content, name="a"))

    with media.file.open() as file, Image.open(file) as image:
        found = image.getexif()
        assert (found.get(0x013B), found.get(0x0110)) == (artist, camera)
    same, is_new = store_once(ContentFile(content, name="b"))
    assert (same.pk, is_new) == (media.pk, False)
    for thumbnail in media.thumbnails.all():
        with thumbnail.file.open() as file:
            assert b"Ada" not in file.read()


def post(client: Client, content: bytes, name: str = "a.png") -> Any:
    return client.post(PATH, {"file": SimpleUploadedFile(name, content)}, format="multipart")


def test_the_media_s_representation_tells_what_stands_in_but_a_portfolio_s_does_not(client: Client) -> None:
    answer = post(client, draw()).json()

    media = Media.objects.get()
    assert answer["dominant_color"] == "#c85028"
    assert (answer["placeholder"], answer["sha256"]) == (media.placeholder, hashlib.sha256(draw()).hexdigest())
    portfolio = make_portfolio(image=media)
    shown = client.get(f"/api/portfolios/{portfolio.pk}/").json()["image_data"]
    assert not {"sha256", "dominant_color", "placeholder"} & set(shown)


def test_an_upload_that_finds_no_decoder_free_is_a_503_and_others_go_on(
    client: Client, settings: Any, media_root: Path
) -> None:
    settings.DECODERS, settings.DECODER_SECONDS = 1, 1
    pool = decoders(1, settings.DECODER_MEMORY, 1)
    taken = pool.free.get()

    response = post(client, draw())

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert list(response.json()) == ["detail"]
    assert not Media.objects.exists()
    assert not list(media_root.rglob("*"))
    assert post(client, b"Some words.\n", "a.txt").status_code == 201
    pool.free.put(taken)
    assert post(client, draw()).status_code == 201


def test_an_upload_that_takes_too_much_memory_is_a_400(client: Client, settings: Any, media_root: Path) -> None:
    settings.DECODER_MEMORY = 8 * MEGABYTE

    response = post(client, plain("PNG"))

    assert response.status_code == 400
    assert "more memory to decode than is allowed" in response.json()["file"][0]
    assert not list(media_root.rglob("*"))


@pytest.mark.django_db
def test_an_upload_with_too_much_beside_its_pixels_is_refused_for_that() -> None:
    content = encoded("PNG", icc_profile=profile(METADATA_SIZE + 1)).getvalue()

    with pytest.raises(UploadRefused, match="colour profile, camera data and texts that are accepted"):
        store_upload(ContentFile(content, name="a.png"))
