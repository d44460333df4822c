"""The promises on a real server: the reference pages' examples, real photographs, files and pages."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from tests.factories import draw
from tests.live import PHOTOGRAPHS, Server, Session, photograph, running_server
from tests.media.private_files import copied, scan_of

from .examples import page, settled
from .made import create, portfolio, unique

PREVIEW = ("asdf",)  # the pages' PNG was made by another encoder
BOXES = [64, 128, 512, 1080]
PASSWORD = "correct horse battery staple"


def dump(document: Any) -> str:
    """Return the document as text, in which the order of keys counts."""
    return json.dumps(document, indent=1)


def upload(api: Session, file_name: str, content: bytes, **fields: str) -> dict[str, Any]:
    response = api.post("/api/media/", files={"file": (file_name, content)}, data=fields)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def values_of(key: str, document: Any) -> Iterator[Any]:
    """Yield what stands under that key, however deep."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name == key:
                yield value
            yield from values_of(key, value)
    elif isinstance(document, list):
        for item in document:
            yield from values_of(key, item)


@pytest.fixture(scope="module")
def example(api: Session) -> dict[str, Any]:
    """What the pages' examples refer to, the older portfolio of the list, and the answer to the pages' own request."""
    # 54 bytes of headers and 156 x 156 x 3 of pixels: the 73,062 bytes of the pages.
    cover = upload(api, "image_test_media_file_0.bmp", draw((156, 156), "BMP"), name="test text")
    preview = upload(api, "preview.png", draw((216, 263), "PNG", "RGBA"), name="asdf")
    employer = create(api, "/api/employers/", name="digikala", description="some store", image=cover["id"])
    sites = create(api, "/api/tags/", name="sites", image=preview["id"])
    webs = create(api, "/api/tags/", name="webs", image=cover["id"])
    [_, older] = page("list_portfolios.json")["results"]
    create(
        api,
        "/api/portfolios/",
        **{key: older[key] for key in ("title", "slug", "excerpt", "order", "completed_at")},
        image=cover["id"],
        employer=employer["id"],
        links=[{key: link[key] for key in ("name", "url", "description")} for link in older["links_data"]],
    )
    body = page("create_portfolio_request.json") | {
        "image": cover["id"],
        "images": [cover["id"]],
        "employer": employer["id"],
        "tags": [sites["id"], webs["id"]],
    }
    return create(api, "/api/portfolios/", **body)


def test_the_create_example_is_answered_as_on_its_page(example: dict[str, Any]) -> None:
    expected = page("create_portfolio.json")

    assert dump(settled(example, encoded_elsewhere=PREVIEW)) == dump(settled(expected, encoded_elsewhere=PREVIEW))


def test_the_list_example_is_answered_as_on_its_page(api: Session, example: dict[str, Any]) -> None:
    expected = page("list_portfolios.json")

    # The same two rows on a server that other tests share.
    answer = api.get("/api/portfolios/", params={"employer_id": example["employer_data"]["id"]}).json()

    assert dump(settled(answer, encoded_elsewhere=PREVIEW)) == dump(settled(expected, encoded_elsewhere=PREVIEW))


def test_the_list_example_is_sent_as_on_its_page(api: Session, example: dict[str, Any]) -> None:
    parameters: dict[str, Any] = {"search": "site", "has_image": True, "limit": 20}

    response = api.get("/api/portfolios", params=parameters)

    assert [answer.status_code for answer in response.history] == [301]
    assert response.status_code == 200
    assert example["id"] in [row["id"] for row in response.json()["results"]]


def test_the_create_example_arrives_without_the_trailing_slash_too(api: Session) -> None:
    body = portfolio(completed_at="2024-12-12")

    response = api.post("/api/portfolios", json=body)

    assert [answer.status_code for answer in response.history] == [308]
    assert response.status_code == 201
    assert response.json()["slug"] == body["slug"]
    assert response.json()["completed_at"] == "2024-12-12T00:00:00Z"


def test_a_new_portfolio_is_read_as_it_was_answered(api: Session, example: dict[str, Any]) -> None:
    by_id = api.get(f"/api/portfolios/{example['id']}/")
    by_slug = api.get(f"/api/portfolios/slug/{example['slug']}/")

    assert by_id.content == by_slug.content
    assert by_id.json() == example


def test_the_main_job_on_real_photographs(api: Session, server: Server) -> None:
    word = unique("site")
    server.folio("createtoken", "publisher", "--staff", "--codes", "4101,4201,4202,4211,4221")
    publisher = Session(
        server.url, server.folio("createtoken", "publisher", "--codes", "4101,4201,4202,4211,4221").strip()
    )
    photographs = [upload(publisher, name, photograph(name), alt=name) for name in PHOTOGRAPHS]
    cover, other = (media["id"] for media in photographs)
    employer = create(publisher, "/api/employers/", name=unique("Employer"), image=other)
    tags = [create(publisher, "/api/tags/", name=unique("tag"), image=cover) for _ in range(2)]
    body = page("create_portfolio_request.json") | {
        "title": f"Wordpress {word}",
        "slug": word,
        "image": cover,
        "images": [other, cover],
        "employer": employer["id"],
        "tags": [tag["id"] for tag in tags],
    }

    made = create(publisher, "/api/portfolios/", **body)
    listed = publisher.get(
        "/api/portfolios/", params={"search": f"{word} wordpress", "has_image": "True", "limit": "20"}
    ).json()

    assert [row["id"] for row in listed["results"]] == [made["id"]]
    assert made["image_data"]["id"] == cover
    assert [image["id"] for image in made["images_data"]] == [other, cover]
    assert [tag["id"] for tag in made["tags_data"]] == [tag["id"] for tag in tags]
    assert publisher.delete(f"/api/portfolios/{made['id']}/").status_code == 403
    for media in photographs:
        assert (media["type"], media["mode"], media["mime_type"]) == ("image", "RGB", "image/jpeg")
        assert [thumbnail["size"] for thumbnail in media["thumbnails"]] == BOXES
    images = {image["id"]: image for image in [*values_of("image_data", made), *made["images_data"]]}
    assert images.keys() == {cover, other}
    for image, name in ((images[cover], PHOTOGRAPHS[0]), (images[other], PHOTOGRAPHS[1])):
        original, sent = fetch(server, image["f"]), photograph(name)
        assert original == copied(sent, "image/jpeg", "rights")
        assert scan_of(original) == scan_of(sent)
        assert image["size"] == len(original)
        assert Image.open(BytesIO(original)).size == (image["width"], image["height"])
    urls = set(values_of("f", made)) | set(values_of("f", listed))
    assert len(urls) == 2 * (1 + len(BOXES))
    for image in images.values():
        for thumbnail in image["thumbnails"]:
            picture = Image.open(BytesIO(fetch(server, thumbnail["f"])))
            picture.load()
            assert picture.format == "JPEG"
            assert max(picture.size) == min(thumbnail["size"], max(image["width"], image["height"]))
            assert picture.width / picture.height == pytest.approx(image["width"] / image["height"], rel=0.03)


def fetch(server: Server, url: str) -> bytes:
    """Return a media file, which needs no key."""
    response = server.session().get(url)
    assert response.status_code == 200
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Type"] == "image/jpeg"
    assert "Set-Cookie" not in response.headers
    return response.content


def test_a_file_is_served_without_a_key_and_goes_with_its_row(api: Session, server: Server) -> None:
    media = upload(api, "notes.txt", b"some notes\n")

    served = server.session().get(media["f"])
    api.delete(f"/api/media/{media['id']}/?now=true")

    assert served.content == b"some notes\n"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert "html" not in served.headers["Content-Type"]
    assert server.session().get(media["f"]).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/media/", "/media/../folio.sqlite3", "/media/%2e%2e/secret_key", "/media/..%2fsecret_key", "/media//etc/passwd"],
)
def test_nothing_else_is_served_as_media(server: Server, path: str) -> None:
    prepared = requests.Request("GET", server.url).prepare()
    prepared.url = server.url + path  # requests itself would take the dots away

    response = server.session().send(prepared, timeout=60)

    assert response.status_code in {400, 404}
    assert b"SQLite" not in response.content
    assert (server.folder / "secret_key").read_bytes() not in response.content


@pytest.mark.parametrize("path", ["/admin/login/", "/api/docs/"])
def test_the_pages_for_people_find_their_files(server: Server, path: str) -> None:
    session = server.session()
    text = session.get(path).text
    files = set(re.findall(r'(?:src|href)="(/static/[^"?]+)', text))

    assert files
    for file in files:
        response = session.get(file)
        assert response.status_code == 200, file
        assert response.content


def test_the_admin_site_lets_an_admin_in(server: Server) -> None:
    server.folio(
        "createsuperuser",
        "--no-input",
        "--username",
        "grace",
        "--email",
        "g@example.com",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )
    session = server.session()
    csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', session.get("/admin/login/").text)
    assert csrf

    response = session.post(
        "/admin/login/?next=/admin/",
        data={"username": "grace", "password": PASSWORD, "csrfmiddlewaretoken": csrf[1]},
        headers={"Referer": f"{server.url}/admin/login/"},
    )

    assert [answer.status_code for answer in response.history] == [302]
    assert response.status_code == 200
    assert "grace" in response.text


def test_an_address_with_a_path_stands_before_every_url(tmp_path: Path) -> None:
    public = "https://example.com/folio"
    with running_server(tmp_path, FOLIO_PUBLIC_URL=public) as server:
        api = server.session(server.key)
        media = upload(api, "picture.png", draw())
        listed = api.get("/api/media/?limit=1&offset=1").json()
        page_for_people = api.get("/admin/login/").text
        inside = server.url + media["f"].removeprefix(public)

        today = f"{datetime.now(UTC):%Y/%m/%d}"
        assert media["f"] == f"{public}/media/core_media/{today}/picture.png"
        assert media["thumbnails"][0]["f"].startswith(f"{public}/media/core_media/{today}/thumbnails/")
        assert listed["previous"] == f"{public}/api/media/?limit=1"
        assert api.get(inside).content == draw()
        assert 'href="/folio/static/' in page_for_people
        assert 'href="/static/' not in page_for_people
        assert api.get("/static/admin/css/base.css").status_code == 200
