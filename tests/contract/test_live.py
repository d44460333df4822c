"""The promises on a real server: the reference pages' examples, concurrent writers, real photographs."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests
from PIL import Image

from tests import http2
from tests.factories import draw
from tests.live import PHOTOGRAPHS, Server, Session, photograph, running_server
from tests.media.private_files import copied, scan_of

from .examples import page, settled

PREVIEW = ("asdf",)  # the pages' PNG was made by another encoder
BOXES = [64, 128, 512, 1080]
PASSWORD = "correct horse battery staple"


def unique(word: str) -> str:
    return f"{word}-{uuid4().hex[:8]}"


def dump(document: Any) -> str:
    """Return the document as text, in which the order of keys counts."""
    return json.dumps(document, indent=1)


def portfolio(**fields: Any) -> dict[str, Any]:
    name = unique("work")
    return {"title": name, "slug": name, "excerpt": "An excerpt.", **fields}


def upload(api: Session, file_name: str, content: bytes, **fields: str) -> dict[str, Any]:
    response = api.post("/api/media/", files={"file": (file_name, content)}, data=fields)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def create(api: Session, path: str, **body: Any) -> dict[str, Any]:
    response = api.post(path, json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def together(count: int, task: Callable[[int], Any]) -> list[Any]:
    """Run a task in as many threads, which start at the same moment, and return what each returned."""
    barrier = Barrier(count)

    def start(number: int) -> Any:
        barrier.wait()
        return task(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


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


@pytest.mark.parametrize("same", [["slug"], ["title"], ["title", "slug"]], ids="+".join)
def test_one_of_many_that_create_the_same_wins(api: Session, server: Server, same: list[str]) -> None:
    shared = {name: unique("race") for name in same}

    def post(number: int) -> requests.Response:
        return server.session(str(api.headers["Authorization"]).removeprefix("Token ")).post(
            "/api/portfolios/", json=portfolio(**shared)
        )

    responses = together(8, post)

    assert sorted(response.status_code for response in responses) == [201, *[400] * 7]
    for response in responses:
        if response.status_code == 400:
            assert set(response.json()) <= set(same)
            assert response.json()
    field = same[-1]
    listed = api.get("/api/portfolios/", params={"search": shared[field]}).json()
    assert listed["count"] == 1


@pytest.mark.parametrize("path", ["/api/tags/", "/api/employers/"])
def test_one_of_many_that_create_the_same_name_wins(api: Session, path: str) -> None:
    name = unique("race")

    responses = together(8, lambda number: Session(api.url, key_of(api)).post(path, json={"name": name}))

    assert sorted(response.status_code for response in responses) == [201, *[400] * 7]
    assert {tuple(response.json()) for response in responses if response.status_code == 400} == {("name",)}


def key_of(api: Session) -> str:
    return str(api.headers["Authorization"]).removeprefix("Token ")


def test_no_write_is_lost_and_none_fails(api: Session) -> None:
    made = create(api, "/api/portfolios/", **portfolio())
    tags = [create(api, "/api/tags/", name=unique("tag"))["id"] for _ in range(2)]
    employer = create(api, "/api/employers/", name=unique("employer"))["id"]
    path = f"/api/portfolios/{made['id']}/"
    rounds = 6
    final = unique("final")
    fields: list[dict[str, Any]] = [
        {"title": final},
        {"slug": final},
        {"excerpt": final},
        {"description": final},
        {"order": 77},
        {"completed_at": "2025-01-02T03:04:05Z", "employer": employer},
        {"tags": tags},
        {"meta": [{"key": "final", "value_text": final}]},
    ]

    def write(number: int) -> list[int]:
        session = Session(api.url, key_of(api))
        statuses = []
        for _ in range(rounds):
            if number < len(fields):
                statuses.append(session.patch(path, json=fields[number]).status_code)
            elif number == len(fields):
                statuses.append(session.post("/api/links/", json={"portfolio": made["id"], "name": "link"}).status_code)
            else:
                statuses.append(session.post("/api/portfolios/", json=portfolio(excerpt=f"Of {final}")).status_code)
        return statuses

    statuses = together(len(fields) + 3, write)

    assert statuses == [*[[200] * rounds] * len(fields), *[[201] * rounds] * 3]
    now = api.get(path).json()
    assert [now[name] for name in ("title", "slug", "excerpt", "description")] == [final] * 4
    assert (now["order"], now["completed_at"]) == (77, "2025-01-02T03:04:05Z")
    assert now["employer_data"]["id"] == employer
    assert [tag["id"] for tag in now["tags_data"]] == tags
    assert [(entry["key"], entry["value_text"]) for entry in now["meta"]] == [("final", final)]
    assert len(now["links_data"]) == rounds
    assert api.get("/api/portfolios/", params={"search": f"of {final}"}).json()["count"] == 2 * rounds


def test_each_writer_is_answered_with_its_own_write(api: Session) -> None:
    tags = [create(api, "/api/tags/", name=unique("tag"))["id"] for _ in range(4)]
    path = f"/api/portfolios/{create(api, '/api/portfolios/', **portfolio())['id']}/"

    def write(number: int) -> list[Any]:
        session, body = Session(api.url, key_of(api)), {"order": number, "tags": tags[:number]}
        return [session.patch(path, json=body).json() for _ in range(10)]

    for number, documents in enumerate(together(4, write)):
        for document in documents:
            assert document["order"] == number
            assert [tag["id"] for tag in document["tags_data"]] == tags[:number]


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
        assert original == copied(sent, "image/jpeg")
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
    api.delete(f"/api/media/{media['id']}/")

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


def assert_error(response: requests.Response, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json"
    assert list(response.json()) == ["detail"]


def test_a_json_body_that_is_too_large(api: Session) -> None:
    assert_error(api.post("/api/tags/", json={"name": "x" * 3_000_000}), 413)


def test_an_upload_that_is_too_large(api: Session) -> None:
    name = unique("large")

    assert_error(api.post("/api/media/", files={"file": (f"{name}.txt", b"text " * 500_000)}), 413)

    assert api.get("/api/media/", params={"search": name}).json()["count"] == 0


def test_a_body_of_undeclared_length(api: Session, server: Server) -> None:
    response = api.post("/api/tags/", data=iter([b'{"name": "x"}']), headers={"Content-Type": "application/json"})

    assert_error(response, 411)
    assert api.patch("/api/tags/0/", data=iter([])).status_code == 404, "nothing came, so nothing is missing"


def test_no_body_is_lost_over_http_2(api: Session, server: Server) -> None:
    tag = create(api, "/api/tags/", name=unique("before"))
    path, port, name = f"/api/tags/{tag['id']}/", urlsplit(server.url).port or 0, unique("after")
    body = json.dumps({"name": name}).encode()
    headers = {"authorization": f"Token {key_of(api)}", "content-type": "application/json"}
    declared = {**headers, "content-length": str(len(body))}

    for sent in (headers, {**headers, "expect": "100-continue"}):
        answer = http2.ask(port, "PATCH", path, sent, body[:5], body[5:])
        assert "Content-Length" in json.loads(answer)["detail"]
    assert json.loads(http2.ask(port, "PATCH", path, headers)) == tag, "no body is an empty one"
    changed = {**tag, "name": name}
    assert json.loads(http2.ask(port, "PATCH", path, declared, body, trailers={"x-after": "1"})) == changed
    assert b"<html" in http2.ask(port, "POST", "/admin/login/", {"accept": "text/html"}, b"username=x").lower()


def test_a_body_that_http_1_0_drops_is_missed(api: Session, server: Server) -> None:
    tag = create(api, "/api/tags/", name=unique("before"))
    head = (
        f"PATCH /api/tags/{tag['id']}/ HTTP/1.0\r\nHost: localhost\r\nAuthorization: Token {key_of(api)}\r\n"
        'Content-Type: application/json\r\n\r\n{"name": "lost"}'
    )
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=30) as connection:
        connection.sendall(head.encode())
        with connection.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.0 411 ")


def test_a_body_that_ends_before_its_length_is_not_taken_for_whole(api: Session, server: Server) -> None:
    tag = create(api, "/api/tags/", name=unique("before"))
    body = json.dumps({"name": unique("half")}).encode()
    for missing in (1, 100_000):
        head = (
            f"PATCH /api/tags/{tag['id']}/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token {key_of(api)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body) + missing}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=30) as connection:
            connection.sendall(head.encode() + body)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                assert answer.readline().startswith(b"HTTP/1.1 400 ")

    assert api.get(f"/api/tags/{tag['id']}/").json() == tag


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"name": NaN}', b'{"name": "\\ud800"}'])
def test_a_body_that_is_no_json(api: Session, body: bytes) -> None:
    assert_error(api.post("/api/tags/", data=body, headers={"Content-Type": "application/json"}), 400)


@pytest.mark.parametrize("charset", ["zlib", "utf-16", "no-such"])
def test_a_charset_in_the_content_type_is_not_followed(api: Session, charset: str) -> None:
    response = api.get("/api/tags/?search=x", headers={"Content-Type": f"application/json; charset={charset}"})

    assert response.status_code == 200


def test_a_host_that_is_not_served(api: Session) -> None:
    assert_error(api.get("/api/tags/", headers={"Host": "evil.example"}), 400)


def test_a_missing_key_and_an_unknown_path(server: Server) -> None:
    missing, unknown = server.session().get("/api/tags/"), server.session().get("/api/nothing/")

    assert_error(missing, 401)
    assert missing.headers["WWW-Authenticate"] == "Token"
    assert_error(unknown, 404)


def test_a_connection_is_kept_when_a_body_was_left_unread(api: Session, server: Server) -> None:
    session, body = Session(api.url, key_of(api)), b"x" * 3_000_000

    for _ in range(3):
        assert_error(session.post("/api/tags/", data=body, headers={"Content-Type": "text/csv"}), 415)
        assert_error(server.session().post("/api/tags/", data=body), 401)
        assert session.get("/api/auth/me/").status_code == 200


def test_a_large_upload_follows_its_redirect(api: Session) -> None:
    response = api.post("/api/media", files={"file": (f"{unique('large')}.txt", b"text " * 300_000)})

    assert [answer.status_code for answer in response.history] == [308]
    assert response.status_code == 201
    assert response.json()["size"] == 1_500_000


def test_a_client_that_goes_away_while_it_sends_leaves_nothing(api: Session, server: Server) -> None:
    name = unique("broken")
    head = (
        f"POST /api/media/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token {key_of(api)}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n"
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}.txt"\r\n\r\n'
    )
    for start in (head, head.replace(key_of(api), "unknown"), head.replace("/api/media/", "/api/media")):
        with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=10) as connection:
            connection.sendall(start.encode() + b"some text\n" * 1000)

    assert api.get("/api/media/", params={"search": name}).json()["count"] == 0
    assert not list(server.folder.glob(f"media/**/{name}*"))


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


def test_the_same_bytes_uploaded_together_are_stored_once(api: Session) -> None:
    for _ in range(3):
        content = unique("words").encode()

        def send(number: int, content: bytes = content) -> tuple[int, int]:
            file = {"file": (f"{number}.txt", content)}
            response = api.post("/api/media/?deduplicate=true", files=file)
            return response.status_code, response.json()["id"]

        answers = together(8, send)

        assert sorted(status for status, _ in answers) == [200] * 7 + [201]
        assert len({pk for _, pk in answers}) == 1
