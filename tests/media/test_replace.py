"""Another file behind the id of a media."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from PIL import Image

from folio.media import serializers
from folio.media.errors import UploadBusy
from folio.media.models import Media, Thumbnail
from folio.media.replacing import replace_file
from folio.media.uploads import store_upload
from tests.conftest import Client
from tests.factories import draw, make_employer, make_image, make_link, make_media, make_meta, make_portfolio, make_tag

from .test_media_api import FILE_KEYS, IMAGE_KEYS, NO_ID, PATH, USES, files_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_removed_at_once")]

PICTURES = {name: use for name, use in USES.items() if name != "meta"}
TEXT = b"Some words.\n"


def replace(client: Client, media: Media, content: bytes, file_name: str = "new.png", **fields: Any) -> Any:
    return client.put(
        f"{PATH}{media.pk}/file/", {"file": SimpleUploadedFile(file_name, content), **fields}, format="multipart"
    )


def read(client: Client, media: Media) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"{PATH}{media.pk}/").json()
    return answer


def urls_of(answer: dict[str, Any]) -> set[str]:
    return {answer["f"], *(thumbnail["f"] for thumbnail in answer["thumbnails"])}


def names_of(answer: dict[str, Any]) -> list[str]:
    """Return the names in the storage of an answer's files."""
    urls = [answer["f"], *(thumbnail["f"] for thumbnail in answer.get("thumbnails", ()))]
    return sorted(url.removeprefix("http://testserver/media/") for url in urls)


@contextmanager
def unchanged(client: Client, media: Media, folder: Path) -> Iterator[None]:
    """Assert that neither the row nor any file changes."""
    answer, files = read(client, media), {name: (folder / name).read_bytes() for name in files_in(folder)}
    yield
    assert read(client, media) == answer
    assert {name: (folder / name).read_bytes() for name in files_in(folder)} == files


def test_a_file_is_replaced_behind_its_id(client: Client, media_root: Path) -> None:
    media = make_image("old.png", alt="A picture")
    Media.objects.update(name="Label")
    content = draw((300, 200), "JPEG", color=(0, 0, 255))
    before = read(client, media)

    with transaction.atomic():
        response = replace(client, media, content, "new.jpg")
        both = sorted(files_in(media_root))  # the old ones too: it might be rolled back

    answer = response.json()
    assert response.status_code == 200, answer
    assert list(answer) == IMAGE_KEYS
    assert {name: answer[name] for name in ("id", "name", "alt", "created_at")} == {
        name: before[name] for name in ("id", "name", "alt", "created_at")
    }
    assert answer["updated_at"] > before["updated_at"]
    assert (answer["mime_type"], answer["width"], answer["height"]) == ("image/jpeg", 300, 200)
    assert answer["size"] == len(content)
    assert answer["sha256"] != before["sha256"]
    assert answer["dominant_color"] != before["dominant_color"]
    assert answer["placeholder"] != before["placeholder"]
    assert not urls_of(answer) & urls_of(before)
    assert [thumbnail["size"] for thumbnail in answer["thumbnails"]] == [64, 128, 512, 1080]
    assert read(client, media) == answer
    assert Thumbnail.objects.count() == 4
    assert both == sorted(names_of(before) + names_of(answer))
    assert sorted(files_in(media_root)) == names_of(answer)
    with Image.open(media_root / next(name for name in names_of(answer) if "128x128" in name)) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("JPEG", (128, 85))


def test_the_new_file_is_served_by_its_new_url(client: Client) -> None:
    media = make_image()
    content = draw((70, 50))

    answer = replace(client, media, content).json()

    assert client.get(answer["f"]).getvalue() == content


def test_what_uses_a_media_shows_its_new_file_at_once(client: Client) -> None:
    media = make_image()
    employer, tag = make_employer(image=media), make_tag(image=media)
    portfolio = make_portfolio(image=media, images=[media], employer=employer, tags=[tag])
    make_link(portfolio, image=media)
    make_meta(portfolio, value_file=media)
    client.get(f"/api/portfolios/{portfolio.pk}/")

    url = replace(client, media, draw((70, 50))).json()["f"]

    answer = client.get(f"/api/portfolios/{portfolio.pk}/").json()
    shown = [
        answer["image_data"],
        answer["images_data"][0],
        answer["employer_data"]["image_data"],
        answer["tags_data"][0]["image_data"],
        answer["links_data"][0]["image_data"],
        answer["meta"][0]["value_file"],
    ]
    assert [row["f"] for row in shown] == [url] * 6
    assert [row["width"] for row in shown[:-1]] == [70] * 5


def test_no_url_ever_serves_another_file(client: Client) -> None:
    media = make_image("same.png")
    seen = urls_of(read(client, media))

    for number in range(1, 4):
        urls = urls_of(replace(client, media, draw((40 + number, 30)), "same.png").json())
        assert not urls & seen
        seen |= urls


def test_a_file_that_is_used_nowhere_may_become_another_type(client: Client, media_root: Path) -> None:
    media = make_image()

    answer = replace(client, media, TEXT, "notes.txt").json()

    assert list(answer) == FILE_KEYS
    assert (answer["type"], answer["mime_type"], answer["size"]) == ("document", "text/plain", len(TEXT))
    assert list(files_in(media_root)) == names_of(answer)
    media.refresh_from_db()
    assert (media.width, media.height, media.mode) == (None, None, None)
    assert (media.dominant_color, media.placeholder) == ("", "")
    assert list(replace(client, media, draw((70, 50))).json()) == IMAGE_KEYS
    assert Thumbnail.objects.count() == 4


def test_a_file_of_a_meta_may_become_another_type(client: Client) -> None:
    media = make_image()
    entry = make_meta(make_portfolio(), value_file=media)

    assert replace(client, media, TEXT, "notes.txt").status_code == 200
    assert client.get(f"/api/meta/{entry.pk}/").json()["value_file"]["type"] == "document"


@pytest.mark.parametrize("use", PICTURES.values(), ids=PICTURES)
def test_a_picture_can_only_become_a_picture(
    client: Client,
    media_root: Path,
    use: Callable[[Media], dict[str, Any]],
) -> None:
    media = make_image()
    expected = use(media)
    make_meta(make_portfolio(), value_file=media)

    with unchanged(client, media, media_root):
        response = replace(client, media, TEXT, "notes.txt")

    assert response.status_code == 400
    assert list(response.json()) == ["detail", "used_by"]
    assert response.json()["used_by"] == [expected]
    assert replace(client, media, draw((70, 50), "GIF", "L", 7), "new.gif").status_code == 200


def test_a_picture_that_is_none_any_more_is_not_shown(client: Client) -> None:
    media = make_media()
    portfolio = make_portfolio(image=media, images=[media])
    Media.objects.filter(pk=media.pk).update(type="document", width=None, height=None, mode=None)

    answer = client.get(f"/api/portfolios/{portfolio.pk}/").json()

    assert (answer["image_data"], answer["images_data"]) == (None, [])


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"", "empty.png"), (b"\x89PNG\r\n\x1a\nbroken", "broken.png"), (b"<script></script>", "a.html")],
)
def test_a_file_that_is_refused_leaves_the_old_one(client: Client, media_root: Path, content: bytes, name: str) -> None:
    media = make_image()

    with unchanged(client, media, media_root):
        response = replace(client, media, content, name)

    assert response.status_code == 400
    assert list(response.json()) == ["file"]


def test_a_file_that_is_too_large_is_a_413(client: Client, settings: Any, media_root: Path) -> None:
    media = make_image()
    settings.MAX_UPLOAD_SIZE = 100

    with unchanged(client, media, media_root):
        response = replace(client, media, b"x" * 101, "notes.txt")
        declared = replace(client, media, b"x" * 100_000, "notes.txt")

    assert (response.status_code, list(response.json())) == (413, ["detail"])
    assert declared.status_code == 413


@pytest.mark.parametrize("field", ["name", "alt", "type", "fiel"])
def test_a_replacement_takes_nothing_but_a_file(client: Client, media_root: Path, field: str) -> None:
    media = make_image()
    files = sorted(files_in(media_root))

    response = replace(client, media, draw((70, 50)), **{field: "x"})

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert sorted(files_in(media_root)) == files


def test_a_replacement_requires_a_file(client: Client) -> None:
    response = client.put(f"{PATH}{make_image().pk}/file/", {}, format="multipart")

    assert response.status_code == 400
    assert response.json() == {"file": ["No file was submitted."]}


def test_a_replacement_takes_no_json(client: Client) -> None:
    assert client.put(f"{PATH}{make_image().pk}/file/", {"file": "x"}).status_code == 415


def test_a_replacement_takes_no_parameters(client: Client) -> None:
    response = client.put(f"{PATH}{make_image().pk}/file/?deduplicate=true", {}, format="multipart")

    assert response.status_code == 400
    assert list(response.json()) == ["deduplicate"]


@pytest.mark.parametrize("pk", [NO_ID, 2**70])
def test_a_replacement_of_an_unknown_id_is_a_404(client: Client, media_root: Path, pk: int) -> None:
    assert replace(client, Media(pk=pk), draw()).status_code == 404
    assert not list(files_in(media_root))


def test_a_media_that_is_deleted_meanwhile_is_a_404(
    client: Client, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = make_image()
    pk = media.pk

    def replace_too_late(pk: int, file: Any, **more: Any) -> Media:
        Media.objects.filter(pk=pk).delete()
        return replace_file(pk, file, **more)

    monkeypatch.setattr(serializers, "replace_file", replace_too_late)

    assert replace(client, media, draw((70, 50))).status_code == 404
    assert not [name for name in files_in(media_root) if "new" in name]
    assert not Media.objects.filter(pk=pk).exists()


def test_a_replacement_that_no_decoder_is_free_for_is_a_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **more: Any) -> None:
        raise UploadBusy("Try again.")

    monkeypatch.setattr(serializers, "replace_file", refuse)

    response = replace(client, make_image(), draw((70, 50)))

    assert (response.status_code, response.json()) == (503, {"detail": "Try again."})
    assert response.headers["Retry-After"].isdecimal()


@pytest.mark.parametrize("step", ["save", "thumbnails"])
def test_a_replacement_that_fails_leaves_row_and_files(
    client: Client,
    media_root: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    media = make_image()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError("The disk is full.")

    with unchanged(client, media, media_root), monkeypatch.context() as broken:
        if step == "save":
            broken.setattr(Media, "save", fail)
        else:
            broken.setattr(type(Thumbnail.objects), "bulk_create", fail)
        response = replace(client, media, draw((70, 50)))

    assert response.status_code == 500


def test_replacements_at_once_leave_the_files_of_one(media_root: Path) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's database in memory is one for all threads")
    media = make_image()

    def replace_by(number: int) -> None:
        try:
            replace_file(media.pk, ContentFile(draw((40 + number, 30)), name="same.png"))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(replace_by, range(8)))

    media.refresh_from_db()
    rows = [str(media.file), *(str(thumbnail.file) for thumbnail in media.thumbnails.all())]
    assert len(rows) == 5
    assert sorted(files_in(media_root)) == sorted(rows)
    with Image.open(media.file.path) as image:
        assert image.size == (media.width, media.height)


def test_the_old_files_go_with_the_commit(media_root: Path) -> None:
    media = store_upload(ContentFile(TEXT, name="old.txt"))

    replace_file(media.pk, ContentFile(b"Other words.\n", name="new.txt"))

    media.refresh_from_db()
    assert list(files_in(media_root)) == [str(media.file)]
    assert "new" in str(media.file)
