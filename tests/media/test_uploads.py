"""What is accepted is recognised by its content and stored with its thumbnails, and no upload is read whole."""

import io
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.utils import timezone
from PIL import Image

from folio.media.kinds import KINDS, LOTTIE_JSON
from folio.media.privacy import write_without_private_data
from folio.media.recognising import detect
from folio.media.uploads import store_upload
from tests.factories import draw

from .kinds import ACCEPTED, WORDS, archive, compound
from .stored import Wrap, content_of, path_of, stored_files, temporary, upload

pytestmark = pytest.mark.django_db


def cleaned(content: bytes, mime_type: str) -> bytes:
    target = io.BytesIO()
    write_without_private_data(io.BytesIO(content), target, mime_type, "rights")
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "type_", "mime_type", "extension"),
    ACCEPTED,
    ids=[f"{number}-{case[1]}-{case[3]}" for number, case in enumerate(ACCEPTED)],
)
@pytest.mark.parametrize("wrap", [ContentFile, temporary])
def test_stores_what_is_accepted(
    content: bytes, name: str, type_: str, mime_type: str, extension: str, wrap: Wrap
) -> None:
    media = store_upload(wrap(content, name=name))

    media.refresh_from_db()
    assert (media.type, media.mime_type, media.name, media.size) == (type_, mime_type, name, len(content))
    assert media.file.name == f"core_media/{timezone.now():%Y/%m/%d}/a{'_tar' * ('.tar' in name)}.{extension}"
    assert content_of(media) == cleaned(content, mime_type)
    assert media.thumbnails.count() == (4 if type_ == "image" else 0)


def test_has_a_sample_of_every_kind() -> None:
    hard_to_write = {"application/vnd.ms-powerpoint"}
    written_anew = {"image/svg+xml"}  # and so stored as other bytes: tests/media/svg

    assert {kind.mime_type for kind in KINDS} - {case[3] for case in ACCEPTED} == hard_to_write | written_anew
    extensions = [extension for kind in KINDS for extension in kind.extensions if kind is not LOTTIE_JSON]
    assert len(extensions) == len(set(extensions))


def test_looks_through_a_large_file_for_what_it_is() -> None:
    media = store_upload(temporary(compound("WordDocument", padding=110), "letter.doc"))

    assert media.mime_type == "application/msword"


def test_stores_an_image_with_its_thumbnails(media_root: Path) -> None:
    media = upload(draw((1600, 1200), "JPEG"), "Summer.JPEG", name="Summer", alt="A beach")

    media.refresh_from_db()
    day = f"core_media/{timezone.now():%Y/%m/%d}"
    assert (media.name, media.alt) == ("Summer", "A beach")
    assert (media.width, media.height, media.mode) == (1600, 1200, "RGB")
    assert [(thumbnail.size, thumbnail.file.name) for thumbnail in media.thumbnails.order_by("pk")] == [
        (box, f"{day}/thumbnails/Summer_thumbnail_{box}x{box}.jpeg") for box in (64, 128, 512, 1080)
    ]
    assert stored_files(media_root) == sorted(str(path_of(row)) for row in (media, *media.thumbnails.all()))
    for thumbnail in media.thumbnails.all():
        with thumbnail.file.open() as file, Image.open(file) as image:
            assert image.format == "JPEG"
            assert image.size == (thumbnail.size, thumbnail.size * 3 // 4)


def test_stores_the_size_of_an_image_as_shown_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.new("CMYK", (40, 30)).save(file, "JPEG", exif=exif)

    media = upload(file.getvalue(), "a.jpg")

    assert (media.width, media.height, media.mode) == (30, 40, "CMYK")


def test_makes_png_thumbnails_of_a_tiff_that_never_meet_those_of_a_png() -> None:
    image = upload(draw(), "plan.png")
    scan = store_upload(temporary(compressed_tiff(), "plan.tif"))

    paths = [path_of(thumbnail) for media in (image, scan) for thumbnail in media.thumbnails.all()]
    assert path_of(scan).name == "plan.tif"
    assert all(path.suffix == ".png" for path in paths)
    assert len(set(paths)) == 8
    for thumbnail in scan.thumbnails.all():
        with thumbnail.file.open() as file, Image.open(file) as shown:
            assert (shown.format, shown.size) == ("PNG", (60, 50))


def compressed_tiff() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 50), "red").save(file, "TIFF", compression="tiff_lzw")
    return file.getvalue()


class Watched(InMemoryUploadedFile):
    """A file that notes how much of it is read at once."""

    largest = 0

    def read(self, size: int = -1) -> bytes:
        data: bytes = super().read(size)
        self.largest = max(self.largest, len(data))
        return data

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        self.seek(0)
        while data := self.read(64 * 1024):
            yield data


@pytest.mark.parametrize(
    "content",
    [
        WORDS * 200_000,
        b"%PDF-1.7\n" + bytes(5_000_000),
        archive("a.txt") + bytes(5_000_000),
        b"fLaC\0\0\0\x22\x10\0\x10\0" + bytes(5_000_000),
    ],
    ids=["text", "pdf", "zip", "flac"],
)
def test_reads_no_upload_whole(content: bytes) -> None:
    file = Watched(io.BytesIO(content), None, "large.docx", None, len(content), None)

    media = store_upload(file)

    assert media.size == len(content)
    assert file.largest <= 256 * 1024


def test_recognises_files_in_many_threads_at_once() -> None:
    samples = [(content, mime_type) for content, _, type_, mime_type, _ in ACCEPTED if type_ == "image"] * 20

    with ThreadPoolExecutor(8) as pool:
        found: Iterable[str] = pool.map(lambda sample: detect(ContentFile(sample[0])), samples)

    assert list(found) == [mime_type for _, mime_type in samples]


def test_stores_a_row_with_a_constant_number_of_queries(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(7):  # names of old, the row in a savepoint in that around all, thumbnails
        upload(draw(), "photo.png")
