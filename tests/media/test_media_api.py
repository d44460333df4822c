from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from folio.media.models import Media, Thumbnail
from tests import shapes
from tests.conftest import Client
from tests.factories import (
    draw,
    make_employer,
    make_image,
    make_link,
    make_media,
    make_meta,
    make_portfolio,
    make_tag,
)

PATH = "/api/media/"
IMAGE_KEYS = shapes.MEDIA_IMAGE
FILE_KEYS = [*shapes.FILE, *shapes.MEDIA_EXTRAS]
NO_ID = 999_999


def upload(client: Client, content: bytes, file_name: str = "photo.png", **fields: Any) -> Any:
    return client.post(PATH, {"file": SimpleUploadedFile(file_name, content), **fields}, format="multipart")


def ids(client: Client, query: str = "", **parameters: Any) -> list[int]:
    response = client.get(f"{PATH}?{query}" if query else PATH, parameters)
    assert response.status_code == 200, response.json()
    return [row["id"] for row in response.json()["results"]]


def files_in(folder: Path) -> Iterator[str]:
    return (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_uploaded_image_answers_the_page_s_structure_and_more(client: Client, media_root: Path) -> None:
    content = draw((300, 200), "PNG", "RGBA", (1, 2, 3, 4))

    response = upload(client, content, "sunset.png", alt="A sunset")

    answer = response.json()
    media = Media.objects.get()
    day = f"{timezone.now():%Y/%m/%d}"
    folder = f"http://testserver/media/core_media/{day}"
    assert response.status_code == 201
    assert response.headers["Location"] == f"http://testserver/api/media/{media.pk}/"
    assert list(answer) == IMAGE_KEYS
    assert (answer["id"], answer["type"], answer["name"]) == (media.pk, "image", "sunset.png")
    assert answer["size"] == len(content)
    assert answer["f"] == f"{folder}/sunset.png"
    assert (answer["width"], answer["height"], answer["mode"]) == (300, 200, "RGBA")
    assert (answer["alt"], answer["mime_type"]) == ("A sunset", "image/png")
    assert answer["thumbnails"] == [
        {
            "id": Thumbnail.objects.get(size=size).pk,
            "f": f"{folder}/thumbnails/sunset_thumbnail_{size}x{size}.png",
            "size": size,
        }
        for size in (64, 128, 512, 1080)
    ]
    assert [list(thumbnail) for thumbnail in answer["thumbnails"]] == [shapes.THUMBNAIL] * 4
    assert client.get(response.headers["Location"]).json() == answer
    assert sorted(files_in(media_root)) == sorted(
        [f"core_media/{day}/sunset.png"]
        + [f"core_media/{day}/thumbnails/sunset_thumbnail_{size}x{size}.png" for size in (64, 128, 512, 1080)]
    )


def test_an_uploaded_file_of_another_type_has_no_keys_of_an_image(client: Client) -> None:
    response = upload(client, b"Some words.\n", "notes.txt")

    answer = response.json()
    assert response.status_code == 201
    assert list(answer) == FILE_KEYS
    assert (answer["type"], answer["name"], answer["mime_type"]) == ("document", "notes.txt", "text/plain")
    assert (answer["size"], answer["human_readable_size"], answer["alt"]) == (12, "12 bytes", "")
    assert answer["f"].endswith("/notes.txt")
    assert not Thumbnail.objects.exists()


def test_an_upload_takes_a_label(client: Client) -> None:
    answer = upload(client, draw(), "IMG_0001.png", name="test text").json()

    assert answer["name"] == "test text"
    assert answer["f"].endswith("/IMG_0001.png")


def test_an_empty_label_is_the_file_s_name(client: Client) -> None:
    assert upload(client, draw(), "IMG_0001.png", name="").json()["name"] == "IMG_0001.png"


def test_a_file_can_be_read_without_a_key(client: Client) -> None:
    content = draw()

    answer = upload(client, content).json()

    client.credentials()
    response = client.get(answer["f"])
    assert response.status_code == 200
    assert response.getvalue() == content


def test_an_upload_requires_a_file(client: Client) -> None:
    response = client.post(PATH, {"name": "x"}, format="multipart")

    assert response.status_code == 400
    assert response.json() == {"file": ["No file was submitted."]}


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"", "empty.png"), (b"\x89PNG\r\n\x1a\nbroken", "broken.png"), (b"<script></script>", "a.html")],
)
def test_an_upload_that_is_refused_names_the_file_and_leaves_nothing(
    client: Client, media_root: Path, content: bytes, name: str
) -> None:
    response = upload(client, content, name)

    assert response.status_code == 400
    assert list(response.json()) == ["file"]
    assert not Media.objects.exists()
    assert not list(files_in(media_root))


@pytest.mark.parametrize(("field", "value"), [("name", "x" * 256), ("alt", "x" * 501), ("nmae", "x"), ("files", "x")])
def test_an_upload_refuses_fields_that_break_a_rule(client: Client, media_root: Path, field: str, value: str) -> None:
    response = upload(client, draw(), **{field: value})

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert not list(files_in(media_root))


def test_an_upload_ignores_what_only_the_server_says(client: Client) -> None:
    answer = upload(client, draw((40, 30)), type="video", size="1", width="1", mime_type="text/html").json()

    assert (answer["type"], answer["width"], answer["mime_type"]) == ("image", 40, "image/png")
    assert answer["size"] == len(draw((40, 30)))


def test_an_upload_takes_no_json(client: Client) -> None:
    response = client.post(PATH, {"name": "x"})

    assert response.status_code == 415
    assert list(response.json()) == ["detail"]


def test_an_upload_that_is_too_large_is_a_413(client: Client, settings: Any, media_root: Path) -> None:
    settings.MAX_UPLOAD_SIZE = 100

    response = upload(client, b"x" * 101, "notes.txt")

    assert response.status_code == 413
    assert list(response.json()) == ["detail"]
    assert not list(files_in(media_root))


@pytest.mark.parametrize("type", ["audio", "document", "archive", "other"])
def test_retrieve_answers_a_file_without_the_keys_of_an_image(client: Client, type: str) -> None:
    media = make_media(type=type, alt="alt")

    answer = client.get(f"{PATH}{media.pk}/").json()

    assert list(answer) == FILE_KEYS
    assert (answer["id"], answer["type"], answer["alt"]) == (media.pk, type, "alt")
    assert answer["f"] == f"http://testserver/media/{media.file.name}"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (512, "512 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KB"),
        (2048, "2 KB"),
        (1536, "1.5 KB"),
        (11740, "11.46 KB"),
        (73062, "71.35 KB"),
        (2621440, "2.5 MB"),
        (1048575, "1 MB"),
        (10 * 1024**3, "10 GB"),
        (5 * 1024**4 // 2, "2.5 TB"),
    ],
)
@pytest.mark.parametrize("language", ["en", "fa", "de"])
def test_a_size_is_readable_the_same_in_every_language(client: Client, size: int, text: str, language: str) -> None:
    media = make_media(size=size)

    answer = client.get(f"{PATH}{media.pk}/", headers={"Accept-Language": language}).json()

    assert (answer["size"], answer["human_readable_size"]) == (size, text)


def test_list_answers_images_and_other_files_key_by_key(client: Client) -> None:
    image, document = make_image(), make_media(type="document")

    rows = {row["id"]: row for row in client.get(PATH).json()["results"]}

    assert list(rows[image.pk]) == IMAGE_KEYS
    assert [thumbnail["size"] for thumbnail in rows[image.pk]["thumbnails"]] == [64, 128, 512, 1080]
    assert list(rows[document.pk]) == FILE_KEYS
    for pk, row in rows.items():
        assert row == client.get(f"{PATH}{pk}/").json()


def test_list_shows_the_newest_first_unless_asked(client: Client) -> None:
    media = [make_media() for _ in range(4)]
    for row, day in zip(media, (2, 3, 1, 3), strict=True):
        Media.objects.filter(pk=row.pk).update(created_at=datetime(2024, 1, day, tzinfo=UTC))

    assert ids(client) == [media[place].pk for place in (1, 3, 0, 2)]


@pytest.mark.parametrize("name", ["name", "size", "alt", "mime_type", "type"])
def test_list_orders_by_its_plain_fields(client: Client, name: str) -> None:
    values: list[Any] = [2, 3, 1] if name == "size" else ["b", "c", "a"]
    if name == "type":
        values = ["document", "video", "audio"]
    media = [make_media(**{"type": "other", name: value}) for value in values]

    assert ids(client, ordering=name) == [media[place].pk for place in (2, 0, 1)]
    assert ids(client, ordering=f"-{name}") == [media[place].pk for place in (1, 0, 2)]


@pytest.mark.parametrize("name", ["width", "height", "mode"])
def test_list_puts_files_without_dimensions_last(client: Client, name: str) -> None:
    document, large, small = make_media(type="document"), make_media(), make_media()
    Media.objects.filter(pk=large.pk).update(width=9, height=9, mode="RGBA")
    Media.objects.filter(pk=small.pk).update(width=1, height=1, mode="L")

    assert ids(client, ordering=name) == [small.pk, large.pk, document.pk]
    assert ids(client, ordering=f"-{name}") == [large.pk, small.pk, document.pk]


def test_list_finds_a_type(client: Client) -> None:
    made = {type: make_media(type=type).pk for type in ("image", "video", "audio", "document", "archive", "other")}

    for type, pk in made.items():
        assert ids(client, type=type) == [pk]


@pytest.mark.parametrize("value", ["Image", "images", "image/png", "image,video", "x"])
def test_list_refuses_a_type_that_does_not_exist(client: Client, value: str) -> None:
    response = client.get(PATH, {"type": value})

    assert response.status_code == 400
    assert list(response.json()) == ["type"]
    assert "document" in response.json()["type"][0]


def test_list_bounds_the_creation_inclusively(client: Client) -> None:
    moments = [
        datetime(2024, 3, 9, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2024, 3, 10, tzinfo=UTC),
        datetime(2024, 3, 10, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2024, 3, 11, tzinfo=UTC),
    ]
    media = [make_media() for _ in moments]
    for row, moment in zip(media, moments, strict=True):
        Media.objects.filter(pk=row.pk).update(created_at=moment)
    eve, start, end, after = (row.pk for row in media)

    assert ids(client, created_from="2024-03-10") == [after, end, start]
    assert ids(client, created_to="2024-03-10") == [end, start, eve]
    assert ids(client, created_from="2024-03-10", created_to="2024-03-10") == [end, start]
    assert ids(client, created_from="2024-03-11T00:00:00Z") == [after]
    assert ids(client, created_to="2024-03-10T00:00:00Z") == [start, eve]
    assert ids(client, "created_from=2024-03-11T03:30:00+03:30") == [after]


def test_list_searches_the_label_alone(client: Client) -> None:
    media = make_media(name="Été à la Mer.png")
    make_media(name="other.png", alt="été mer")

    assert ids(client, search="MER ÉTÉ") == [media.pk]
    assert ids(client, search="rgb") == []


@pytest.mark.parametrize("method", ["put", "patch"])
def test_update_changes_the_texts_and_the_file_stays(client: Client, method: str) -> None:
    media = make_image()
    before = client.get(f"{PATH}{media.pk}/").json()

    response = getattr(client, method)(f"{PATH}{media.pk}/", {"name": "Label", "alt": "A picture"})

    answer = response.json()
    assert response.status_code == 200
    assert list(answer) == IMAGE_KEYS
    assert answer == {**before, "name": "Label", "alt": "A picture", "updated_at": answer["updated_at"]}
    assert answer["updated_at"] > before["updated_at"]
    assert client.get(f"{PATH}{media.pk}/").json() == answer


@pytest.mark.parametrize(("field", "value"), [("name", "Label"), ("alt", "A picture"), ("alt", "")])
def test_patch_changes_one_text_alone(client: Client, field: str, value: str) -> None:
    media = make_media(name="before", alt="before")
    before = client.get(f"{PATH}{media.pk}/").json()

    answer = client.patch(f"{PATH}{media.pk}/", {field: value}).json()

    assert answer == {**before, field: value, "updated_at": answer["updated_at"]}


def test_put_keeps_a_description_that_is_left_out(client: Client) -> None:
    media = make_media(alt="before")

    assert client.put(f"{PATH}{media.pk}/", {"name": "Label"}).json()["alt"] == "before"


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", "x" * 256),
        ("alt", None),
        ("alt", "x" * 501),
        ("alt", []),
        ("file", "x"),
        ("nmae", "x"),
    ],
)
def test_update_refuses_what_breaks_a_rule(client: Client, method: str, field: str, value: Any) -> None:
    media = make_media(name="before")
    before = client.get(f"{PATH}{media.pk}/").json()

    response = getattr(client, method)(f"{PATH}{media.pk}/", {"name": "after", field: value})

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert client.get(f"{PATH}{media.pk}/").json() == before


@pytest.mark.parametrize("method", ["put", "patch"])
def test_update_ignores_what_only_the_server_says(client: Client, method: str) -> None:
    media = make_media(name="name")
    before = client.get(f"{PATH}{media.pk}/").json()

    response = getattr(client, method)(
        f"{PATH}{media.pk}/", {"name": "name", "type": "video", "size": 1, "f": "x", "mime_type": "x", "width": 1}
    )

    assert response.status_code == 200
    assert {**response.json(), "updated_at": ""} == {**before, "updated_at": ""}


@pytest.mark.parametrize("method", ["put", "patch"])
def test_update_takes_no_file(client: Client, method: str) -> None:
    media = make_media()

    response = getattr(client, method)(
        f"{PATH}{media.pk}/", {"file": SimpleUploadedFile("a.png", draw())}, format="multipart"
    )

    assert response.status_code == 415


def test_a_change_shows_wherever_the_media_is_used(client: Client) -> None:
    media = make_image()
    portfolio = make_portfolio(image=media, images=[media])
    make_meta(portfolio, value_file=media)

    client.patch(f"{PATH}{media.pk}/", {"name": "Label"})

    answer = client.get(f"/api/portfolios/{portfolio.pk}/").json()
    shown = [answer["image_data"], answer["images_data"][0], answer["meta"][0]["value_file"]]
    assert [row["name"] for row in shown] == ["Label"] * 3


USES: dict[str, Callable[[Media], dict[str, Any]]] = {
    "cover": lambda media: {"resource": "portfolios", "id": make_portfolio(image=media).pk, "field": "image"},
    "gallery": lambda media: {"resource": "portfolios", "id": make_portfolio(images=[media]).pk, "field": "images"},
    "employer": lambda media: {"resource": "employers", "id": make_employer(image=media).pk, "field": "image"},
    "tag": lambda media: {"resource": "tags", "id": make_tag(image=media).pk, "field": "image"},
    "link": lambda media: {"resource": "links", "id": make_link(make_portfolio(), image=media).pk, "field": "image"},
    "meta": lambda media: {
        "resource": "meta",
        "id": make_meta(make_portfolio(), value_file=media).pk,
        "field": "value_file",
    },
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_delete_names_what_uses_a_media(
    client: Client,
    media_root: Path,
    django_capture_on_commit_callbacks: Any,
    use: Callable[[Media], dict[str, Any]],
) -> None:
    media = make_image()
    expected = use(media)
    make_portfolio(image=make_media())
    files = sorted(files_in(media_root))

    with django_capture_on_commit_callbacks(execute=True):
        response = client.delete(f"{PATH}{media.pk}/")

    answer = response.json()
    assert response.status_code == 409
    assert list(answer) == ["detail", "used_by"]
    assert answer["used_by"] == [expected]
    assert list(answer["used_by"][0]) == ["resource", "id", "field"]
    assert client.get(f"{PATH}{media.pk}/").status_code == 200
    assert sorted(files_in(media_root)) == files


def test_delete_names_every_use_once(client: Client) -> None:
    media = make_media()
    expected = [use(media) for use in USES.values() for _ in range(2)]
    both = make_portfolio(image=media, images=[make_media(), media])
    expected += [{"resource": "portfolios", "id": both.pk, "field": field} for field in ("image", "images")]

    used_by = client.delete(f"{PATH}{media.pk}/").json()["used_by"]

    def by_all(use: dict[str, Any]) -> tuple[Any, ...]:
        return use["resource"], use["field"], use["id"]

    assert sorted(used_by, key=by_all) == sorted(expected, key=by_all)


@pytest.mark.usefixtures("_removed_at_once")
def test_delete_removes_row_thumbnails_and_after_the_commit_the_files(
    client: Client, media_root: Path, django_capture_on_commit_callbacks: Any
) -> None:
    media, kept = make_image("gone.png"), make_image("kept.png")

    with django_capture_on_commit_callbacks() as callbacks:
        response = client.delete(f"{PATH}{media.pk}/")

    assert response.status_code == 204
    assert response.content == b""
    assert client.get(f"{PATH}{media.pk}/").status_code == 404
    assert Thumbnail.objects.count() == 4
    assert len(list(files_in(media_root))) == 10  # not yet: the deletion might still be rolled back
    for callback in callbacks:
        callback()
    remaining = list(files_in(media_root))
    assert len(remaining) == 5
    assert not [name for name in remaining if "gone" in name]
    assert client.get(f"{PATH}{kept.pk}/").status_code == 200


def test_delete_goes_through_once_nothing_uses_it(client: Client) -> None:
    media = make_media()
    portfolio = make_portfolio(image=media, images=[media])

    assert client.delete(f"{PATH}{media.pk}/").status_code == 409
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"image": None, "images": []})

    assert client.delete(f"{PATH}{media.pk}/").status_code == 204


def test_delete_of_an_unknown_id_is_a_404(client: Client) -> None:
    assert client.delete(f"{PATH}{NO_ID}/").status_code == 404
