import json
from collections.abc import Callable
from typing import Any

import pytest

from folio.media.models import Media, Thumbnail
from folio.portfolios import serializers
from folio.portfolios.models import Portfolio
from tests import shapes
from tests.conftest import Client
from tests.factories import make_employer, make_media, make_portfolio, make_tag, make_user

PATH = "/api/portfolios/"
MINIMAL = {"title": "Wordpress site", "slug": "wordpress-site", "excerpt": "A site built with Wordpress."}
NO_ID = 999_999


def post(client: Client, **fields: Any) -> Any:
    return client.post(PATH, {**MINIMAL, **fields})


def refuses(response: Any, field: str) -> bool:
    """Tell whether the answer is a 400 about that field alone, and nothing was made."""
    return response.status_code == 400 and list(response.json()) == [field] and not Portfolio.objects.exists()


def make_page_image(number: int, stem: str, extension: str, **fields: Any) -> Media:
    """Make an image with its thumbnails as the reference page shows one."""
    media = make_media(id=number, file=f"core_media/2026/03/02/{stem}.{extension}", **fields)
    Thumbnail.objects.bulk_create(
        Thumbnail(
            id=number * 10 + place,
            media=media,
            size=size,
            file=f"core_media/2026/03/02/thumbnails/{stem}_thumbnail_{size}x{size}.{extension}",
        )
        for place, size in enumerate((64, 128, 512, 1080))
    )
    return media


def page_image(number: int, stem: str, extension: str, **fields: Any) -> dict[str, Any]:
    """Return the answer's object for such an image."""
    folder = "http://testserver/media/core_media/2026/03/02"
    return {
        "id": number,
        "type": "image",
        **{name: fields[name] for name in ("name", "size", "human_readable_size")},
        "f": f"{folder}/{stem}.{extension}",
        **{name: fields[name] for name in ("width", "height", "mode")},
        "thumbnails": [
            {
                "id": number * 10 + place,
                "f": f"{folder}/thumbnails/{stem}_thumbnail_{size}x{size}.{extension}",
                "size": size,
            }
            for place, size in enumerate((64, 128, 512, 1080))
        ],
    }


def test_answers_the_request_of_the_page_as_its_example_does(client: Client) -> None:
    bitmap = {"name": "test text", "size": 73062, "width": 156, "height": 156, "mode": "RGB"}
    preview = {"name": "asdf", "size": 11740, "width": 216, "height": 263, "mode": "RGBA"}
    cover = make_page_image(88, "image_test_media_file_0", "bmp", **bitmap)
    other = make_page_image(92, "preview", "png", **preview)
    employer = make_employer(name="digikala", description="some store", image=cover)
    tags = [make_tag(name="sites", image=other), make_tag(name="webs", image=cover)]

    response = client.post(
        PATH,
        {
            "title": "Wordpress site",
            "slug": "wordpress-site",
            "description": "this can be a long text describing the project",
            "excerpt": "a wordpress site built with elementor and great performance for product showcase",
            "image": cover.pk,
            "images": [cover.pk, other.pk],
            "order": 1,
            "employer": employer.pk,
            "tags": [tag.pk for tag in tags],
            "is_active": True,
            "completed_at": "2024-12-12",
        },
    )

    answer = response.json()
    cover_data = page_image(88, "image_test_media_file_0", "bmp", **bitmap, human_readable_size="71.35 KB")
    other_data = page_image(92, "preview", "png", **preview, human_readable_size="11.46 KB")
    expected = {
        "id": Portfolio.objects.get().pk,
        "title": "Wordpress site",
        "slug": "wordpress-site",
        "excerpt": "a wordpress site built with elementor and great performance for product showcase",
        "order": 1,
        "image_data": cover_data,
        "employer_data": {
            "id": employer.pk,
            "name": "digikala",
            "image_data": cover_data,
            "description": "some store",
        },
        "tags_data": [
            {"id": tags[0].pk, "name": "sites", "image_data": other_data},
            {"id": tags[1].pk, "name": "webs", "image_data": cover_data},
        ],
        "links_data": [],
        "is_active": True,
        "completed_at": "2024-12-12T00:00:00Z",
        "created_at": answer["created_at"],
        "updated_at": answer["updated_at"],
        "description": "this can be a long text describing the project",
        "images_data": [cover_data, other_data],
        "meta": [],
    }
    assert response.status_code == 201
    assert json.dumps(answer, indent=1) == json.dumps(expected, indent=1)  # texts, since equal objects have no order


def test_names_the_new_portfolio_by_its_absolute_url(client: Client) -> None:
    response = post(client)

    assert response.headers["Location"] == f"http://testserver/api/portfolios/{response.json()['id']}/"
    assert client.get(response.headers["Location"]).json() == response.json()


def test_begins_the_urls_of_files_with_the_host_that_was_asked(client: Client) -> None:
    cover = make_page_image(88, "photo", "jpg")

    response = client.post(PATH, {**MINIMAL, "image": cover.pk}, HTTP_HOST="127.0.0.1:8000")

    image = response.json()["image_data"]
    assert image["f"] == "http://127.0.0.1:8000/media/core_media/2026/03/02/photo.jpg"
    assert image["thumbnails"][0]["f"].startswith("http://127.0.0.1:8000/media/core_media/2026/03/02/thumbnails/")
    assert "testserver" not in response.content.decode()


def test_fills_in_what_is_left_out(client: Client) -> None:
    response = post(client)

    answer = response.json()
    assert response.status_code == 201
    assert list(answer) == shapes.PORTFOLIO
    assert {name: answer[name] for name in shapes.PORTFOLIO if name not in {"id", "created_at", "updated_at"}} == {
        **MINIMAL,
        "order": 0,
        "image_data": None,
        "employer_data": None,
        "tags_data": [],
        "links_data": [],
        "is_active": True,
        "completed_at": None,
        "description": None,
        "images_data": [],
        "meta": [],
    }


def test_takes_null_where_a_value_may_be_absent(client: Client) -> None:
    response = post(client, description=None, image=None, employer=None, completed_at=None)

    answer = response.json()
    assert response.status_code == 201
    assert [answer[name] for name in ("description", "image_data", "employer_data", "completed_at")] == [None] * 4


def test_keeps_an_empty_description_apart_from_none(client: Client) -> None:
    assert post(client, description="").json()["description"] == ""


def test_takes_a_portfolio_that_is_not_active(client: Client) -> None:
    assert post(client, is_active=False).json()["is_active"] is False


@pytest.mark.parametrize("field", ["title", "slug", "excerpt"])
def test_requires_title_slug_and_excerpt(client: Client, field: str) -> None:
    response = client.post(PATH, {name: value for name, value in MINIMAL.items() if name != field})

    assert refuses(response, field)
    assert response.json() == {field: ["This field is required."]}


@pytest.mark.parametrize("value", ["", "  ", None])
@pytest.mark.parametrize("field", ["title", "slug", "excerpt"])
def test_refuses_title_slug_and_excerpt_without_content(client: Client, field: str, value: str | None) -> None:
    assert refuses(post(client, **{field: value}), field)


@pytest.mark.parametrize(("field", "longest"), [("title", 200), ("slug", 200), ("excerpt", 1000)])
def test_counts_the_characters_of_texts(client: Client, field: str, longest: int) -> None:
    assert refuses(post(client, **{field: "ж" * (longest + 1)}), field)

    response = post(client, **{field: "ж" * longest})

    assert response.status_code == 201
    assert response.json()[field] == "ж" * longest


@pytest.mark.parametrize("field", ["title", "slug", "excerpt", "description"])
def test_refuses_the_null_character(client: Client, field: str) -> None:
    assert refuses(post(client, **{field: "a\0b"}), field)


@pytest.mark.parametrize("field", ["title", "slug"])
def test_refuses_a_title_or_slug_that_is_taken(client: Client, field: str) -> None:
    taken: dict[str, Any] = {field: MINIMAL[field]}
    make_portfolio(**taken)

    response = post(client)

    assert response.status_code == 400
    assert response.json() == {field: [f"portfolio with this {field} already exists."]}
    assert Portfolio.objects.count() == 1


def test_takes_an_excerpt_that_another_portfolio_has(client: Client) -> None:
    make_portfolio(excerpt=MINIMAL["excerpt"])

    assert post(client).status_code == 201


@pytest.mark.parametrize(
    "slug",
    [
        "web-design_2",
        "Été",
        "сайт",
        "网站",
        "وب-سایت-۱۴۰۳",  # Persian, with digits of its own
        "हिन्दी-वेबसाइट",  # Devanagari, whose vowels are marks
        "ไทย",
    ],
)
def test_takes_a_slug_in_any_script(client: Client, slug: str) -> None:
    response = post(client, slug=slug)

    assert response.status_code == 201
    assert response.json()["slug"] == slug
    assert client.get(f"/api/portfolios/slug/{slug}/").json() == response.json()


@pytest.mark.parametrize(
    "slug", ["web design", "a/b", "a.b", "a?b", "a%b", "<b>", "🎨", "web-🎨", "1\ufe0f\u20e3", "a\u200bb", "a+b"]
)
def test_refuses_a_slug_of_anything_but_letters_digits_and_dashes(client: Client, slug: str) -> None:
    assert refuses(post(client, slug=slug), "slug")


@pytest.mark.parametrize("order", [-(2**31), -1, 0, 2**31 - 1])
def test_takes_any_order_of_32_bits(client: Client, order: int) -> None:
    assert post(client, order=order).json()["order"] == order


@pytest.mark.parametrize("order", [2**31, -(2**31) - 1, 10**30, 1.5, "first", None, True, [1]])
def test_refuses_an_order_that_is_no_integer_of_32_bits(client: Client, order: Any) -> None:
    assert refuses(post(client, order=order), "order")


@pytest.mark.parametrize("value", [None, "perhaps", 2, []])
def test_refuses_an_is_active_that_is_no_boolean(client: Client, value: Any) -> None:
    assert refuses(post(client, is_active=value), "is_active")


@pytest.mark.parametrize(
    ("given", "answered"),
    [
        ("2024-12-12", "2024-12-12T00:00:00Z"),
        ("2024-12-12T08:30:00Z", "2024-12-12T08:30:00Z"),
        ("2024-12-12T08:30:00", "2024-12-12T08:30:00Z"),
        ("2024-12-12T01:30:00+03:30", "2024-12-11T22:00:00Z"),
        ("2024-12-31T23:00:00-08:00", "2025-01-01T07:00:00Z"),
        ("2024-12-12T08:30:00.25Z", "2024-12-12T08:30:00.250000Z"),
        ("2024-02-29", "2024-02-29T00:00:00Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_answers_the_completion_in_utc(client: Client, given: str, answered: str) -> None:
    response = post(client, completed_at=given)

    assert response.json()["completed_at"] == answered
    assert client.get(response.headers["Location"]).json()["completed_at"] == answered


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "2024-13-01",
        "2023-02-29",
        "2024-12-12T25:00:00Z",
        "2024-12-12T10:00:00+99:00",
        "10000-01-01",
        "1710072000",
        "0001-01-01T00:00:00+01:00",  # in UTC, the year 0
        "9999-12-31T23:59:59-01:00",  # in UTC, the year 10000
        20241212,
        True,
        ["2024-12-12"],
    ],
)
def test_refuses_a_completion_that_is_no_moment(client: Client, value: Any) -> None:
    assert refuses(post(client, completed_at=value), "completed_at")


@pytest.mark.parametrize("value", [NO_ID, 0, -1, 2**70, str(2**64), "9" * 5000, "first", "", True, 1.5, [1], {"id": 1}])
@pytest.mark.parametrize("field", ["image", "employer"])
def test_refuses_a_reference_that_is_no_id_of_a_row(client: Client, field: str, value: Any) -> None:
    assert refuses(post(client, **{field: value}), field)


@pytest.mark.parametrize(
    "value",
    [[NO_ID], [0], [-1], [2**70], [str(2**64)], ["9" * 5000], ["first"], [True], [None], [[1]], 1, "1,2", {}, None],
)
@pytest.mark.parametrize("field", ["images", "tags"])
def test_refuses_a_list_that_is_not_of_ids_of_rows(client: Client, field: str, value: Any) -> None:
    assert refuses(post(client, **{field: value}), field)


def test_names_the_ids_that_do_not_exist(client: Client) -> None:
    tag = make_tag()

    response = post(client, tags=[tag.pk, NO_ID], employer=NO_ID)

    errors = response.json()
    assert response.status_code == 400
    assert set(errors) == {"tags", "employer"}
    assert str(NO_ID) in errors["tags"][0]
    assert str(tag.pk) not in errors["tags"][0].split()


@pytest.mark.parametrize("type", ["video", "audio", "document", "archive", "other"])
def test_refuses_media_that_is_no_image_as_cover_or_in_the_gallery(client: Client, type: str) -> None:
    media = make_media(type=type)

    response = post(client, image=media.pk, images=[media.pk])

    assert response.status_code == 400
    assert set(response.json()) == {"image", "images"}
    assert not Portfolio.objects.exists()


@pytest.mark.parametrize("field", ["images", "tags"])
def test_refuses_an_id_that_is_repeated(client: Client, field: str) -> None:
    rows = [make_media(), make_media()] if field == "images" else [make_tag(), make_tag()]

    response = post(client, **{field: [rows[0].pk, rows[1].pk, rows[0].pk]})

    assert refuses(response, field)
    assert "repeated" in response.json()[field][0]


def test_keeps_the_order_of_gallery_and_tags(client: Client) -> None:
    images = [make_media() for _ in range(4)]
    tags = [make_tag() for _ in range(4)]

    answer = post(
        client,
        images=[images[place].pk for place in (2, 0, 3, 1)],
        tags=[tags[place].pk for place in (3, 1, 0, 2)],
    ).json()

    assert [image["id"] for image in answer["images_data"]] == [images[place].pk for place in (2, 0, 3, 1)]
    assert [tag["id"] for tag in answer["tags_data"]] == [tags[place].pk for place in (3, 1, 0, 2)]


def test_ignores_what_only_the_server_says(client: Client) -> None:
    response = post(
        client,
        id=12345,
        created_at="2001-01-01T00:00:00Z",
        updated_at="2001-01-01T00:00:00Z",
        image_data={"id": 1},
        employer_data={"id": 1},
        tags_data=[{"id": 1}],
        links_data=[{"id": 1, "name": "site"}],
        images_data=[{"id": 1}],
    )

    answer = response.json()
    assert response.status_code == 201
    assert answer["id"] != 12345
    assert not answer["created_at"].startswith("2001")
    assert not answer["updated_at"].startswith("2001")
    assert [answer["image_data"], answer["employer_data"]] == [None, None]
    assert [answer["tags_data"], answer["links_data"], answer["images_data"]] == [[], [], []]


def test_refuses_a_key_that_it_does_not_know(client: Client) -> None:
    response = post(client, employr=1)

    assert refuses(response, "employr")
    message = response.json()["employr"][0]
    assert "Did you mean employer?" in message
    assert "completed_at" in message


@pytest.mark.parametrize("key", ["year", "place", "gallery", "employer_id"])
def test_refuses_the_names_that_only_the_tables_use(client: Client, key: str) -> None:
    assert refuses(post(client, **{key: 1}), key)


@pytest.mark.parametrize("body", [[], [MINIMAL], "title", 5, None])
def test_refuses_a_body_that_is_no_object(client: Client, body: Any) -> None:
    response = client.post(PATH, json.dumps(body), content_type="application/json")

    assert response.status_code == 400
    assert set(response.json()) <= {"non_field_errors", *MINIMAL}
    assert not Portfolio.objects.exists()


def test_tells_of_every_wrong_field_at_once(client: Client) -> None:
    response = client.post(PATH, {"slug": "a b", "order": "x", "nonsense": 1})

    assert set(response.json()) == {"title", "slug", "excerpt", "order", "nonsense"}


@pytest.mark.django_db
def test_needs_no_code_but_its_own_for_all_that_belongs_to_it(client_for: Callable[..., Client]) -> None:
    creator = client_for(make_user(is_staff=True, codes=[4201]))

    response = post(
        creator,
        image=make_media().pk,
        images=[make_media().pk],
        employer=make_employer().pk,
        tags=[make_tag().pk],
        links=[{"name": "site"}],
        meta=[{"key": "role"}],
    )

    assert response.status_code == 201
    assert creator.post("/api/links/", {"portfolio": response.json()["id"], "name": "more"}).status_code == 403


def test_leaves_nothing_of_itself_behind_when_it_fails_half_way(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(serializers, "replace_meta", fail)

    response = post(client, links=[{"name": "site"}], meta=[{"key": "role"}])

    assert response.status_code == 500
    assert "the power went" not in response.content.decode()
    assert not Portfolio.objects.exists()
