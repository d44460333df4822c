"""HEIC and HEIF: stored as JPEG, upright, in their colours, without private data."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from PIL import Image, ImageCms, ImageOps

from folio.media.errors import UploadRefused
from folio.media.heif import as_jpeg
from folio.media.models import Media
from folio.media.opening import TooManyPixels, UnreadableImage
from folio.media.replacing import replace_file
from folio.media.standing_in import in_srgb
from folio.media.uploads import store_once
from tests.conftest import Client
from tests.factories import make_image

from .coloured_images import CLEAR, COLOURS, LIMIT, alike, fields, quadrants
from .heic import XMP, branded, deep, exif, heic, recoded, several
from .stored import assert_nothing_is_left, content_of, path_of, upload

pytestmark = pytest.mark.django_db

GRAYS = [(value, value, value, 255) for value in (93, 110, 76, 255)]
ON_WHITE = [COLOURS[0], (255, 255, 255, 255), *COLOURS[2:]]
TRANSPARENT = quadrants((COLOURS[0], CLEAR, *COLOURS[2:]))
KINDS: dict[str, tuple[bytes, str, list[Any]]] = {
    "plain": (heic(), "RGB", list(COLOURS)),
    "tiles": (heic(tile_size=64), "RGB", list(COLOURS)),
    "gray": (heic(quadrants().convert("L")), "L", GRAYS),
    "gray with alpha": (heic(quadrants().convert("LA")), "RGB", GRAYS),
    "alpha": (heic(TRANSPARENT), "RGB", ON_WHITE),
    "10 bits": (deep(quadrants().convert("RGB")), "RGB", list(COLOURS)),
    "10 bits of gray": (deep(quadrants().convert("L")), "L", GRAYS),
    "thumbnails": (heic(thumbnails=[64]), "RGB", list(COLOURS)),
    "several": (several(Image.new("RGB", (64, 64)), quadrants().convert("RGB"), primary=1), "RGB", list(COLOURS)),
}


def converted(content: bytes) -> Image.Image:
    jpeg = as_jpeg(io.BytesIO(content), LIMIT)
    assert jpeg is not None
    return Image.open(jpeg)


@pytest.mark.parametrize("kind", KINDS)
def test_stores_a_jpeg_with_thumbnails(kind: str) -> None:
    content, mode, colours = KINDS[kind]

    media = upload(content, "IMG_1234.HEIC")

    stored = content_of(media)
    image = Image.open(io.BytesIO(stored))
    assert (media.mime_type, media.name, path_of(media).name) == ("image/jpeg", "IMG_1234.HEIC", "IMG_1234.jpg")
    assert (media.width, media.height, media.mode, media.size) == (240, 160, mode, len(stored))
    assert (image.format, image.size, image.mode) == ("JPEG", (240, 160), mode)
    assert alike(fields(image), colours)
    thumbnail = Image.open(io.BytesIO(content_of(media.thumbnails.get(size=128))))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (128, 85))
    assert alike(fields(thumbnail), colours)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_it_upright_once(orientation: int) -> None:
    drawn = quadrants().convert("RGB")
    drawn.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(drawn)

    media = upload(heic(exif=exif(orientation)), "turned.heic")

    image = Image.open(io.BytesIO(content_of(media)))
    assert (media.width, media.height) == image.size == upright.size
    assert image.getexif().get(0x0112) in (1, None)
    assert alike(fields(image), fields(upright))
    thumbnail = Image.open(io.BytesIO(content_of(media.thumbnails.get(size=64))))
    assert alike(fields(thumbnail), fields(upright))


def test_an_orientation_that_only_exif_or_xmp_tells_is_none() -> None:
    told = heic(exif=exif(1).replace(b"\x12\x01\x03\0\1\0\0\0\1\0", b"\x12\x01\x03\0\1\0\0\0\6\0"), xmp=XMP)
    untold = told.replace(b"irot", b"free")

    image = converted(untold)

    assert image.size == (240, 160)
    assert image.getexif()[0x0112] == 1
    assert b'tiff:Orientation="1"' in image.info["xmp"]
    assert dict(image.getexif().get_ifd(0x8769))[0xA002] == 240


def test_tells_the_size_of_the_upright_picture_in_exif() -> None:
    image = converted(heic(exif=exif(6)))

    told = image.getexif().get_ifd(0x8769)
    assert (told[0xA002], told[0xA003]) == image.size == (160, 240)


def test_takes_out_private_data() -> None:
    media = upload(heic(exif=exif(6, position=True), xmp=XMP), "home.heic")

    stored = content_of(media)
    image = Image.open(io.BytesIO(stored))
    assert not image.getexif().get_ifd(0x8825)
    assert b"SERIAL-0815" not in stored
    assert b"GPSLatitude" not in stored


def test_keeps_all_where_that_is_wanted(settings: Any) -> None:
    settings.KEEP_METADATA = "all"

    media = upload(heic(exif=exif(6, position=True), xmp=XMP), "home.heic")

    image = Image.open(io.BytesIO(content_of(media)))
    assert image.getexif().get_ifd(0x8825)[1] == "N"
    assert image.getexif()[0x013B] == "Ada Pell"
    assert image.getexif()[0x0112] == 1
    assert b"GPSLatitude" in image.info["xmp"]


def test_keeps_exif_data_that_are_too_long_for_a_jpeg_without_the_camera_s_own() -> None:
    made = Image.Exif()
    made[0x013B] = "Ada Pell"
    made.get_ifd(0x8769)[0x927C] = bytes(70_000)

    image = converted(heic(exif=made.tobytes()))

    assert image.getexif()[0x013B] == "Ada Pell"
    assert 0x927C not in image.getexif().get_ifd(0x8769)


@pytest.mark.parametrize(
    "told", [{"exif": b"Exif\0\0MM\0*\xff\xff\xff\xff"}, {"xmp": b"<x>" + bytes(70_000)}], ids=["damaged", "too long"]
)
def test_leaves_out_what_can_not_be_told_in_a_jpeg(told: dict[str, Any]) -> None:
    image = converted(heic(**told))

    assert not image.getexif()
    assert "xmp" not in image.info


def test_keeps_the_colour_profile() -> None:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    media = upload(heic(icc_profile=own), "a.heic")

    assert Image.open(io.BytesIO(content_of(media))).info["icc_profile"] == own


def test_gives_a_profile_to_colours_that_numbers_tell() -> None:
    p3 = heic(color_primaries=12, transfer_characteristics=13, matrix_coefficients=6, full_range_flag=1)

    image = Image.open(io.BytesIO(content_of(upload(p3, "p3.heic"))))

    assert fields(in_srgb(image))[1][0] == 0  # P3's (30, 160, 60), which is outside of sRGB
    assert alike(fields(image), COLOURS)


def test_brings_hdr_into_srgb() -> None:
    white = Image.new("RGB", (240, 160), (148, 148, 148))  # of a page, by PQ
    pq = deep(white, color_primaries=9, transfer_characteristics=16, matrix_coefficients=9, full_range_flag=1)

    image = converted(pq)

    assert "icc_profile" not in image.info
    assert 160 < fields(image)[0][0] < 225
    assert len(set(fields(image)[0][:3])) == 1


@pytest.mark.parametrize("brand", ["heic", "heix", "heim", "hevc", "hevx", "mif1", "msf1", "miaf"])
def test_takes_in_all_brands(brand: str) -> None:
    media = upload(branded(heic(), brand.encode()), "a.heif")

    assert (media.mime_type, media.width) == ("image/jpeg", 240)


@pytest.mark.parametrize("brand", ["avif", "mif1"])
def test_an_avif_stays_one(brand: str) -> None:
    file = io.BytesIO()
    quadrants().convert("RGB").save(file, "AVIF")

    media = upload(branded(file.getvalue(), brand.encode()), "a.heic")

    assert (media.mime_type, media.width) == ("image/avif", 240)


@pytest.mark.parametrize("coding", ["vvc1", "j2k1", "unci"])
def test_names_a_coding_that_is_not_read(coding: str, media_root: Path) -> None:
    with pytest.raises(UploadRefused, match=rf"browsers don't show: HEIF \({coding}\)\. Export it as JPEG"):
        upload(recoded(heic(), coding.encode()), "a.heif")

    assert_nothing_is_left(media_root)


WHOLE, TILED = (
    heic(Image.effect_noise((300, 200), 60).convert("RGB")),
    heic(Image.effect_noise((300, 200), 60).convert("RGB"), tile_size=64),
)


@pytest.mark.parametrize(
    "content",
    [
        *(content[: int(len(content) * part)] for content in (WHOLE, TILED) for part in (0.01, 0.02, 0.1, 0.6, 0.99)),
        *(content[:-1500] + bytes(1500) for content in (WHOLE, TILED)),
        branded(heic(), b"heic").replace(b"pitm", b"free"),
    ],
    ids=[
        *(f"{kind} {part}" for kind in ("whole", "tiles") for part in range(5)),
        "zeros",
        "zeros in tiles",
        "headless",
    ],
)
def test_refuses_a_damaged_one(content: bytes, media_root: Path) -> None:
    with pytest.raises(UploadRefused, match="The image is damaged or incomplete"):
        upload(content, "IMG_1.HEIC")

    assert_nothing_is_left(media_root)


def test_refuses_too_many_pixels_before_they_are_decoded(settings: Any, media_root: Path) -> None:
    settings.MAX_IMAGE_PIXELS = 240 * 160 - 1

    with pytest.raises(UploadRefused, match="240 × 160 pixels, more than the 38,399"):
        upload(heic(), "a.heic")

    assert_nothing_is_left(media_root)
    with pytest.raises(TooManyPixels):
        as_jpeg(io.BytesIO(heic()), 240 * 160 - 1)


def test_a_decoder_without_room_says_so(settings: Any, media_root: Path) -> None:
    content = heic(Image.new("RGB", (5000, 4000), "navy"))
    settings.DECODER_MEMORY = 60 * 1024 * 1024

    with pytest.raises(UploadRefused, match="more memory to decode than is allowed"):
        upload(content, "a.heic")

    assert_nothing_is_left(media_root)


def test_the_same_bytes_become_the_same_bytes() -> None:
    content = heic(exif=exif(6, position=True), tile_size=64)

    first = upload(content, "a.heic")
    again, is_new = store_once(wrapped(content))

    assert (again.pk, is_new) == (first.pk, False)
    assert Media.objects.count() == 1


def test_an_upload_that_comes_again_is_told_by_what_is_stored(client: Client) -> None:
    content = heic(exif=exif(6, position=True))

    first, second = (
        client.post(
            "/api/media/?deduplicate=true", {"file": SimpleUploadedFile("IMG_1.HEIC", content)}, format="multipart"
        )
        for _ in range(2)
    )

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_removed_at_once")
def test_thumbnails_are_made_anew_as_they_were() -> None:
    media = upload(heic(exif=exif(6)), "a.heic")
    made = [content_of(each) for each in media.thumbnails.order_by("size")]

    call_command("makethumbnails", "--all", "--processes", "1", stdout=io.StringIO())
    call_command("checkmedia", stdout=io.StringIO())

    assert [content_of(each) for each in media.thumbnails.order_by("size")] == made


def wrapped(content: bytes) -> File[bytes]:
    return ContentFile(content, name="b.heic")


def test_replaces_a_picture() -> None:
    media = make_image()

    replaced = replace_file(media.pk, wrapped(heic()))

    assert (replaced.mime_type, replaced.width, replaced.thumbnails.count()) == ("image/jpeg", 240, 4)
    assert path_of(replaced).suffix == ".jpg"


def test_another_file_is_none() -> None:
    assert as_jpeg(io.BytesIO(b"\0\0\0\x18ftypisom" + bytes(12)), LIMIT) is None
    assert as_jpeg(io.BytesIO(b"words"), LIMIT) is None


def test_a_damaged_one_is_told_from_one_that_is_none() -> None:
    with pytest.raises(UnreadableImage, match="damaged"):
        as_jpeg(io.BytesIO(heic()[:-1]), LIMIT)


def test_libheif_comes_only_with_a_heic_and_with_its_limits() -> None:
    program = (
        "import io, sys\n"
        "import folio.media.decoder\n"
        "from folio.media.heif import as_jpeg\n"
        "as_jpeg(io.BytesIO(b'words'), 1)\n"
        "assert 'pillow_heif' not in sys.modules\n"
        "as_jpeg(io.BytesIO(sys.stdin.buffer.read()), 10**6)\n"
        "print(sys.modules['pillow_heif'].options.DISABLE_SECURITY_LIMITS)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], input=heic(), capture_output=True, check=True, timeout=120)

    assert done.stdout == b"False\n"
