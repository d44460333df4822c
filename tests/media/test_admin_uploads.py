"""Uploads in the admin site, of new media and of another file for one that is there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Site

from folio.media import uploads
from folio.media.models import Media
from tests.factories import draw, make_image, make_user
from tests.forms import errors

from .library import ADD, LIST, files_in, upload, use

# Uploads


def test_stores_an_upload_with_its_thumbnails(site: Site, media_root: Path) -> None:
    answer = site.post(ADD, {"file": upload(draw((300, 200))), "name": "", "alt": "A crane"})

    assert answer.status_code == 302, errors(answer)
    media = Media.objects.get()
    assert (media.type, media.mime_type, media.name, media.alt) == ("image", "image/png", "crane.png", "A crane")
    assert (media.width, media.height, media.mode) == (300, 200, "RGB")
    assert [thumbnail.size for thumbnail in media.thumbnails.all()] == [64, 128, 512, 1080]
    assert len(files_in(media_root)) == 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("content", "count"), [(draw((300, 200)), 1), (draw((300, 200))[:-200], 0)])
def test_decodes_an_image_once_and_before_the_transaction(
    site: Site, monkeypatch: pytest.MonkeyPatch, content: bytes, count: int
) -> None:
    prepare, in_transaction = uploads.prepare, []

    def noted(file: Any) -> Any:
        in_transaction.append(connection.in_atomic_block)
        return prepare(file)

    monkeypatch.setattr(uploads, "prepare", noted)
    site.post(ADD, {"file": upload(content)})

    assert in_transaction == [False]
    assert Media.objects.count() == count


def test_keeps_the_label_that_was_given(site: Site) -> None:
    site.post(ADD, {"file": upload(b"Some notes.\n", "notes.txt"), "name": "The notes"})

    media = Media.objects.get()
    assert (media.name, media.type, media.alt) == ("The notes", "document", "")


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"<html><script>alert(1)</script></html>", "page.html", "The file's content is of the type text/html"),
        (b"", "crane.png", "The file is empty."),
        (draw((300, 200))[:-200], "crane.png", "The image is damaged"),
        (b"x" * 5001, "notes.txt", "The file has 5,001 bytes, more than the 5,000 that are accepted."),
    ],
    ids=["markup", "empty", "damaged", "too large"],
)
def test_tells_at_the_file_why_it_is_refused(
    site: Site, settings: Any, media_root: Path, content: bytes, name: str, message: str
) -> None:
    settings.MAX_UPLOAD_SIZE = 5000

    page = site.post(ADD, {"file": upload(content, name), "alt": "kept"})

    assert page.status_code == 200
    found = errors(page)
    assert set(found) == {"file"}
    assert message in found["file"][0]
    assert message.split("'")[0] in page.content.decode()
    assert 'value="kept"' in page.content.decode()
    assert not Media.objects.exists()
    assert files_in(media_root) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "پرونده خالی است. پرونده‌ای انتخاب کنید که چیزی در آن باشد."),
        (draw((300, 200))[:200], "تصویر خراب یا ناقص است."),
        (draw((300, 200), "GIF")[:20] + b"\0" * 20, "تصویر خراب یا ناقص است."),
        (b"MZ" + bytes(100), "پذیرفته نمی‌شود."),
    ],
    ids=["empty", "cut short", "damaged", "program"],
)
def test_tells_in_persian_why_a_file_is_refused(site: Site, content: bytes, sentence: str) -> None:
    answer = site.post(ADD, {"file": upload(content)}, headers={"Accept-Language": "fa"})

    assert answer.status_code == 200
    assert sentence in " ".join(errors(answer)["file"])


def test_tells_in_persian_how_many_pixels_are_too_many(site: Site, settings: Any) -> None:
    settings.MAX_IMAGE_PIXELS = 50_000
    answer = site.post(ADD, {"file": upload(draw((300, 200)))}, headers={"Accept-Language": "fa"})

    assert "تصویر \u2066300 × 200\u2069 پیکسل دارد" in " ".join(errors(answer)["file"])


@pytest.mark.parametrize("wrong", [{"alt": "x" * 501}, {"name": "x" * 256}, {"file": ""}])
def test_stores_nothing_while_something_else_is_wrong(site: Site, media_root: Path, wrong: dict[str, str]) -> None:
    page = site.post(ADD, {"file": upload(draw()), **wrong})

    assert set(errors(page)) == set(wrong)
    assert not Media.objects.exists()
    assert files_in(media_root) == []


# Another file


def replacement(media: Media) -> str:
    return f"{LIST}{media.pk}/replace/"


def test_replaces_the_file_and_keeps_the_texts(site: Site) -> None:
    media = make_image("crane.png", alt="A crane")

    answer = site.post(replacement(media), {"file": upload(draw((300, 200)))}, headers={"Accept": "application/json"})

    assert answer.status_code == 200
    media.refresh_from_db()
    assert (media.name, media.alt, media.width) == ("crane.png", "A crane", 300)
    assert answer.json()["media"]["dimensions"] == "300 × 200"


def test_replaces_without_a_script_too(site: Site) -> None:
    media = make_image("crane.png")

    page = site.post(replacement(media), {"file": upload(draw((300, 200)))}, follow=True)
    refused = site.post(replacement(media), {"file": upload(b"")}, follow=True)

    assert "The file was replaced." in page.content.decode()
    assert "300 × 200" in page.content.decode()
    assert "The file is empty. Choose one with content." in refused.content.decode()


def test_names_what_shows_a_picture_that_a_text_would_replace(site: Site) -> None:
    media = make_image("crane.png")
    use(media, "gallery")

    answer = site.post(
        replacement(media), {"file": upload(b"Notes.\n", "notes.txt")}, headers={"Accept": "application/json"}
    )

    assert answer.status_code == 400
    assert "is shown as a picture by Portfolio “The user of it” (Images)" in answer.json()["detail"]
    media.refresh_from_db()
    assert media.type == "image"


def test_replaces_nothing_of_those_who_may_not_change(site_for: Callable[[User], Site]) -> None:
    media = make_image("crane.png")
    site = site_for(make_user(is_staff=True, codes=[4101, 4102]))

    answer = site.post(replacement(media), {"file": upload(draw((300, 200)))}, headers={"Accept": "application/json"})

    assert answer.status_code == 403
    media.refresh_from_db()
    assert media.width == 40
    assert "Replace the file" not in site.get(f"{LIST}{media.pk}/change/").content.decode()
