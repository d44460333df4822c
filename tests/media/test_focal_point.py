"""Where an image matters most: a point that websites crop around."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Site

from folio.history import read, told
from folio.media.models import Media
from tests.conftest import Client
from tests.factories import draw, make_image, make_media
from tests.forms import errors, shown_values


def path_of(media: Media) -> str:
    return f"/api/media/{media.pk}/"


def replace(client: Client, media: Media, size: tuple[int, int]) -> Any:
    file = SimpleUploadedFile("other.png", draw(size, color=(1, 2, 3)))
    return client.put(f"{path_of(media)}file/", {"file": file}, format="multipart")


def test_is_the_centre_until_it_is_set(client: Client) -> None:
    answer = client.get(path_of(make_image())).json()

    assert list(answer)[-4:] == ["updated_at", "focal_x", "focal_y", "is_animated"]
    assert (answer["focal_x"], answer["focal_y"]) == (None, None)


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(("x", "y"), [(0.25, 0.75), (0, 1), (0.5, None), (None, 0.1)])
def test_is_set_and_read_back(client: Client, method: str, x: float | None, y: float | None) -> None:
    media = make_media(focal_x=0.9, focal_y=0.9, alt="A pier")

    answer = getattr(client, method)(path_of(media), {"focal_x": x, "focal_y": y}).json()

    assert (answer["focal_x"], answer["focal_y"], answer["alt"]) == (x, y, "A pier")
    assert client.get(path_of(media)).json() == answer
    again = client.put(path_of(media), answer).json()
    assert {**again, "updated_at": ""} == {**answer, "updated_at": ""}


def test_is_kept_where_it_is_left_out(client: Client) -> None:
    media = make_media(focal_x=0.2, focal_y=0.3)

    answer = client.put(path_of(media), {"alt": "A pier"}).json()

    assert (answer["focal_x"], answer["focal_y"]) == (0.2, 0.3)


@pytest.mark.parametrize("field", ["focal_x", "focal_y"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("0.5", "Enter a number from 0 to 1, or null for the centre; not a text."),
        (True, "Enter a number from 0 to 1, or null for the centre; not a boolean."),
        ([0.5], "Enter a number from 0 to 1, or null for the centre; not a list."),
        ({"x": 1}, "Enter a number from 0 to 1, or null for the centre; not an object."),
        (1.01, "Enter a number from 0 to 1, or null for the centre; not 1.01."),
        (-0.5, "Enter a number from 0 to 1, or null for the centre; not -0.5."),
        (10**30, "Enter a number from 0 to 1, or null for the centre; not 1000000000000000000000000000000."),
    ],
)
def test_refuses_what_is_no_share(client: Client, field: str, value: Any, reason: str) -> None:
    media = make_media(focal_x=0.2, focal_y=0.3)

    response = client.patch(path_of(media), {field: value})

    assert (response.status_code, response.json()) == (400, {field: [reason]})
    media.refresh_from_db()
    assert (media.focal_x, media.focal_y) == (0.2, 0.3)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e400", b"-1e400"])
def test_refuses_what_is_no_number_of_json(client: Client, number: bytes) -> None:
    media = make_media()

    response = client.patch(path_of(media), b'{"focal_x": ' + number + b"}", content_type="application/json")

    assert response.status_code == 400
    assert list(response.json()) == ["detail"]


def test_only_images_have_one(client: Client) -> None:
    media = make_media(type="document")

    response = client.patch(path_of(media), {"focal_x": 0.5})

    reason = "Only an image has a point that matters most; this media is of type document."
    assert (response.status_code, response.json()) == (400, {"focal_x": [reason]})
    assert "focal_x" not in client.patch(path_of(media), {"focal_x": None}).json()


def test_negative_zero_is_zero(client: Client) -> None:
    media = make_media()

    response = client.patch(path_of(media), b'{"focal_x": -0.0}', content_type="application/json")

    assert b'"focal_x":0.0,' in response.content


def test_sorts_the_list_with_unset_ones_last(client: Client) -> None:
    right, centre, left = (make_media(focal_x=x) for x in (0.9, None, 0.1))

    found = [row["id"] for row in client.get("/api/media/?ordering=focal_x").json()["results"]]

    assert found == [left.pk, right.pk, centre.pk]


@pytest.mark.parametrize(("size", "point"), [((80, 60), (0.2, 0.3)), ((60, 80), (None, None))])
def test_a_replaced_file_keeps_it_where_it_has_the_same_shape(
    client: Client, size: tuple[int, int], point: tuple[float | None, float | None]
) -> None:
    media = make_image()
    Media.objects.filter(pk=media.pk).update(focal_x=0.2, focal_y=0.3)

    answer = replace(client, media, size).json()

    assert (answer["focal_x"], answer["focal_y"]) == point
    values = read(LogEntry.objects.order_by("pk").last(), Media).values  # type: ignore[arg-type]
    assert ("focal_x" in values) is (point == (None, None))


def test_a_file_that_is_no_picture_any_more_has_none(client: Client) -> None:
    media = make_image()
    Media.objects.filter(pk=media.pk).update(focal_x=0.2, focal_y=0.3)

    client.put(f"{path_of(media)}file/", {"file": ContentFile(b"Words.\n", "notes.txt")}, format="multipart")

    media.refresh_from_db()
    assert (media.type, media.focal_x, media.focal_y) == ("document", None, None)


def test_the_history_tells_it_in_words(client: Client) -> None:
    media = make_media()

    client.patch(path_of(media), {"focal_x": 0.25, "focal_y": 0.8})
    client.patch(path_of(media), {"focal_x": None})

    centred, moved = told(LogEntry.objects.order_by("-pk"), media)
    assert [difference.label for difference in moved.differences] == [
        "Focal point, from the left",
        "Focal point, from the top",
    ]
    assert "centre" in moved.differences[0].shown
    assert "25%" in moved.differences[0].shown
    assert "80%" in moved.differences[1].shown
    assert [difference.label for difference in centred.differences] == ["Focal point, from the left"]


def test_is_set_on_the_media_s_page(site: Site) -> None:
    media = make_image()
    url = f"/admin/media/media/{media.pk}/change/"

    answer = site.post(url, {**shown_values(site.get(url)), "focal_x": "0.25", "focal_y": ""})

    assert answer.status_code == 302, errors(answer)
    media.refresh_from_db()
    assert (media.focal_x, media.focal_y) == (0.25, None)


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan", "inf", "left"])
def test_the_media_s_page_refuses_what_is_no_share(site: Site, value: str) -> None:
    media = make_image()
    url = f"/admin/media/media/{media.pk}/change/"

    answer = site.post(url, {**shown_values(site.get(url)), "focal_x": value})

    assert list(errors(answer)) == ["focal_x"]


def test_the_page_of_another_file_has_no_point(site: Site) -> None:
    page = site.get(f"/admin/media/media/{make_media(type='document').pk}/change/")

    assert "focal_x" not in page.context["adminform"].form.fields
