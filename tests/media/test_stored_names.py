"""The names of stored files are safe and never taken from another file, and labels are made of them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from folio.media.models import Media
from folio.media.uploads import store_upload
from tests.factories import draw, make_media

from .stored import content_of, path_of, upload

pytestmark = pytest.mark.django_db


def test_gives_a_name_that_is_taken_a_suffix_and_the_thumbnails_follow() -> None:
    first, second = upload(draw(), "photo.png"), upload(draw(color="blue"), "photo.png")

    stem = path_of(second).stem
    assert path_of(first).name == "photo.png"
    assert stem.startswith("photo_")
    assert [path_of(thumbnail).name for thumbnail in second.thumbnails.order_by("size")] == [
        f"{stem}_thumbnail_{box}x{box}.png" for box in (64, 128, 512, 1080)
    ]
    assert content_of(first) != content_of(second)


def test_takes_no_name_that_another_row_holds() -> None:
    """As where two uploads of one name meet: the other's row is there, and its file not yet."""
    taken = f"core_media/{timezone.now():%Y/%m/%d}/photo.png"
    make_media(file=taken)

    media = upload(draw(), "photo.png")

    assert media.file.name != taken
    assert path_of(media).name.startswith("photo_")
    assert not default_storage.exists(taken)


def test_never_overwrites_a_file_on_a_storage_that_would(settings: Any) -> None:
    """As S3 does: two uploads of one name may both find it free."""
    default = {**settings.STORAGES["default"], "OPTIONS": {"allow_overwrite": True}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    contents = [draw(color=color) for color in ("red", "green", "blue")]

    rows = [upload(content, "photo.png") for content in contents]

    assert [content_of(row) for row in rows] == contents
    assert len({path_of(thumbnail) for row in rows for thumbnail in row.thumbnails.all()}) == 12


@pytest.mark.django_db(transaction=True)
def test_gives_uploads_of_one_name_at_once_names_of_their_own(settings: Any) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's database in memory is one for all threads")
    default = {**settings.STORAGES["default"], "OPTIONS": {"allow_overwrite": True}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    contents = [draw(color=(number, 0, 0)) for number in range(12)]

    def send(content: bytes) -> Media:
        try:
            return upload(content, "photo.png")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(send, contents))

    assert [content_of(row) for row in rows] == contents
    assert len({path_of(row) for row in rows}) == 12


@pytest.mark.parametrize(
    ("content_format", "name", "stored"),
    [
        ("PNG", "photo.jpg", "photo.png"),
        ("JPEG", "photo.png", "photo.jpg"),
        ("JPEG", "photo.JFIF", "photo.jfif"),
        ("PNG", "photo.php", "photo.png"),
        ("PNG", "photo.php.png", "photo_php.png"),
        ("GIF", "photo", "photo.gif"),
        ("TIFF", "photo.tiff.exe", "photo_tiff.tif"),
        ("PNG", "../../../etc/passwd.png", "passwd.png"),
        ("PNG", "..\\..\\windows\\win.png", "win.png"),
        ("PNG", "/etc/cron.d/job.png", "job.png"),
        ("PNG", "C:\\photo.png", "photo.png"),
        ("PNG", "..", "file.png"),
        ("PNG", ".", "file.png"),
        ("PNG", "", "file.png"),
        ("PNG", "   .png", "file.png"),
        ("PNG", "....png", "file.png"),
        ("PNG", ".htaccess", "_htaccess.png"),
        ("PNG", ".png", "_png.png"),
        ("PNG", "___.png", "file.png"),
        ("PNG", "-rf.png", "-rf.png"),
        ("PNG", "a b(1)&c=d?e#f%g.png", "a_b_1__c_d_e_f_g.png"),
        ("PNG", "a\r\nSet-Cookie: b.png", "aSet-Cookie__b.png"),
        ("PNG", "a\0.png", "a.png"),
        ("PNG", "photo\u202egnp.exe", "photognp.png"),
        ("PNG", "photo\u200b\ufeff\ud800.png", "photo.png"),
        ("PNG", "CON.png", "_CON.png"),
        ("PNG", "aux", "_aux.png"),
        ("PNG", "Com1.jpeg", "_Com1.png"),
        ("PNG", "lpt¹.png", "_lpt¹.png"),
        ("PNG", "console.png", "console.png"),
        ("PNG", "تابستان.png", "تابستان.png"),
        ("PNG", "गर्मी.png", "गर्मी.png"),
        ("PNG", "夏 2026.png", "夏_2026.png"),
        ("PNG", "e\u0301te\u0301.png", "été.png"),
        ("PNG", "🎉.png", "file.png"),
        ("PNG", "party🎉.png", "party_.png"),
        ("PNG", "a" * 500 + ".png", "a" * 150 + ".png"),
        ("PNG", "夏" * 300 + ".png", "夏" * 50 + ".png"),
        ("PNG", "<script>.png", "_script_.png"),
        ("PNG", "x';DROP TABLE media;--.png", "x__DROP_TABLE_media_--.png"),
    ],
)
def test_makes_a_safe_name_of_any(content_format: str, name: str, stored: str, media_root: Path) -> None:
    file = ContentFile(draw(format=content_format))
    file.name = name

    media = store_upload(file)

    assert media.file.name == f"core_media/{timezone.now():%Y/%m/%d}/{stored}"
    assert (media_root / path_of(media)).is_file()
    for thumbnail in media.thumbnails.all():
        assert path_of(thumbnail).parent == path_of(media).parent / "thumbnails"
        assert (media_root / path_of(thumbnail)).is_file()


def test_leaves_room_for_suffixes_in_the_longest_name() -> None:
    for _ in range(3):
        media = upload(draw(format="WEBP"), "夏" * 300 + ".webp")

        paths = [path_of(row) for row in (media, *media.thumbnails.all())]
        assert all(len(str(path)) <= 255 and len(path.name.encode()) <= 255 for path in paths)


@pytest.mark.parametrize(
    ("file_name", "given", "label"),
    [
        ("Summer holiday (1).png", "", "Summer holiday (1).png"),
        ("folder/Summer.png", "", "Summer.png"),
        ("folder\\Summer.png", "", "Summer.png"),
        ("a\0b\r\nc.png", "", "abc.png"),
        ("photo\u202egnp.exe", "", "photognp.exe"),
        ("می\u200cخواهم.png", "", "می\u200cخواهم.png"),
        ("x" * 300, "", "x" * 255),
        ("", "", "file"),
        ("a.png", "  A day \0at the beach ", "A day at the beach"),
        ("a.png", " \n ", "a.png"),
        ("a.png", "y" * 300, "y" * 255),
        ("a.png", "<b>bold</b>", "<b>bold</b>"),
    ],
)
def test_labels_a_file(file_name: str, given: str, label: str) -> None:
    file = ContentFile(draw())
    file.name = file_name

    media = store_upload(file, name=given)

    media.refresh_from_db()
    assert media.name == label
