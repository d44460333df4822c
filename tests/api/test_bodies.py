"""Bodies that readers would understand differently, or not at all: refused in words for their sender."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Site

from folio.media.models import Media
from folio.portfolios.models import Tag
from folio.wsgi import application
from tests.conftest import Client
from tests.factories import make_key, make_portfolio
from tests.wsgi import ask

pytestmark = pytest.mark.django_db

PATH = "/api/tags/"
JSON = "application/json"
PYTHON = ("codec", "surrogates", "int(", "float", "limit", "delimiter", "Expecting", "char ", "settings", "b'", "Error")
CUT = f"{'9' * 40}…"


def post(client: Client, body: bytes, **extra: Any) -> Any:
    return client.post(PATH, body, content_type=JSON, **extra)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "the body is not JSON, at line 1, column 2."),
        (b" ", "the body is not JSON, at line 1, column 2."),
        (b"{'name': 'x'}", "the body is not JSON, at line 1, column 2."),
        (b'{\n"name": "x"} more', "the body is not JSON, at line 2, column 14."),
        (b'{"name": "x\n"}', "the body is not JSON, at line 1, column 12."),
        (b'{"name": "\\x"}', "the body is not JSON, at line 1, column 11."),
        (b'{"name": "\\u12"}', "the body is not JSON, at line 1, column 12."),
        (b'{"name": 01}', "the body is not JSON, at line 1, column 11."),
        (b'{"name": "x",}', "the body is not JSON, at line 1, column"),  # Python's versions differ by one
        (b"\x00", "the body is not JSON, at line 1, column 1."),
        (b'{"name": NaN}', "NaN is no JSON value."),
        (b'{"name": Infinity}', "Infinity is no JSON value."),
        (b'{"name": -Infinity}', "-Infinity is no JSON value."),
        (b'{"name": 1e999}', "the number 1e999 is too large."),
        (b'{"name": -1E+400}', "the number -1E+400 is too large."),
        (b'{"name": ' + b"9" * 400 + b"}", f"the number {CUT} is too large."),
        (b'{"name": ' + b"9" * 5000 + b"}", f"the number {CUT} is too large."),
        (b'{"name": ' + b"9" * 5000 + b".5}", f"the number {CUT} is too large."),
        (b"1" * 10_000, f"the number {CUT.replace('9', '1')} is too large."),
        (b'{"name": "\xff\xfe"}', "the body is not UTF-8, at its byte 11."),
        (b'{"name": "\xed\xa0\x80"}', "the body is not UTF-8, at its byte 11."),
        ('{"name": "x"}'.encode("utf-16"), "the body is not UTF-8, at its byte 1."),
        (b'\xef\xbb\xbf{"name": "x"}', "the body begins with a byte order mark. Send it without."),
        (b'{"name": "\\ud800"}', "half of a surrogate pair, such as \\ud800, is no character."),
        (b'{"name": "\\uDC00\\uD800"}', "half of a surrogate pair, such as \\ud800, is no character."),
        (b'{"\\ud800": "x"}', "half of a surrogate pair, such as \\ud800, is no character."),
        (b"[" * 100_000, "the body is nested too deeply."),
        (b'{"a":' * 100_000, "the body is nested too deeply."),
        (b"[" * 100_000 + b"]" * 100_000, "the body is nested too deeply."),
        (b'{"name": "x", "name": "y"}', 'the key "name" is given twice in one object.'),
        (b'{"name": "x", "image": {"id": 1, "id": 2}}', 'the key "id" is given twice in one object.'),
        (b'{"name": "x", "n\\u0061me": "x"}', 'the key "name" is given twice in one object.'),
        (b'{"\\ud800": 1, "\\ud800": 2}', 'the key "\\ud800" is given twice in one object.'),
    ],
)
def test_a_body_that_is_no_json_is_refused_in_words_for_its_sender(client: Client, body: bytes, reason: str) -> None:
    response = post(client, body)

    assert response.status_code == 400
    (detail,) = response.json().values()
    assert detail.startswith(f"JSON parse error - {reason}")
    assert not any(word in detail for word in PYTHON)
    assert not Tag.objects.exists()


def test_a_key_in_two_objects_is_given_once_in_each(client: Client) -> None:
    body = {"title": "A", "slug": "a", "excerpt": "A.", "links": [{"name": "x"}, {"name": "x"}]}

    assert client.post("/api/portfolios/", body).status_code == 201


@pytest.mark.parametrize(
    ("number", "status"), [("1e308", 400), (str(2**63), 400), ("2147483647", 200), ("5e-324", 400)]
)
def test_a_number_that_a_double_holds_is_the_fields_to_judge(client: Client, number: str, status: int) -> None:
    portfolio = make_portfolio()
    body = f'{{"order": {number}}}'.encode()

    response = client.patch(f"/api/portfolios/{portfolio.pk}/", body, content_type=JSON)

    assert response.status_code == status
    assert next(iter(response.json())) == ("order" if status == 400 else "id")


def test_no_body_counts_as_an_empty_object(client: Client) -> None:
    response = post(client, b"")

    assert response.status_code == 400
    assert response.json() == {"name": ["This field is required."]}


@pytest.mark.parametrize("name", ["nul\\u0000", "\\u0000"])
def test_a_null_character_in_a_text(client: Client, name: str) -> None:
    response = post(client, f'{{"name": "{name}"}}'.encode())

    assert response.status_code == 400
    assert list(response.json()) == ["name"]


def test_a_pair_of_surrogates_is_one_character(client: Client) -> None:
    response = post(client, b'{"name": "\\ud83d\\ude00"}')

    assert response.status_code == 201
    assert response.json()["name"] == "😀"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate", "identity, gzip", "x"])
def test_a_content_encoding_is_not_taken(client: Client, coding: str) -> None:
    written = post(client, b'{"name": "x"}', headers={"Content-Encoding": coding})
    file = SimpleUploadedFile("a.txt", b"text")
    uploaded = client.post("/api/media/", {"file": file}, format="multipart", headers={"Content-Encoding": coding})

    for response in (written, uploaded):
        assert response.status_code == 415
        assert response.json() == {"detail": "A body with a Content-Encoding is not taken. Send it as it is."}
        assert response.headers["Accept-Encoding"] == "identity"
    assert not Tag.objects.exists()
    assert not Media.objects.exists()


@pytest.mark.parametrize("coding", ["", "identity", " Identity "])
def test_no_coding_is_a_coding_too(client: Client, coding: str) -> None:
    assert post(client, b'{"name": "x"}', headers={"Content-Encoding": coding}).status_code == 201


def test_a_form_of_the_admin_site_in_a_coding_is_not_taken_for_empty(site: Site) -> None:
    response = site.post("/admin/portfolios/tag/add/", {"name": "x"}, headers={"Content-Encoding": "gzip"})

    assert response.status_code == 415
    assert "The request could not be read." in response.content.decode()


def multipart(*parts: tuple[str, bytes]) -> bytes:
    told = (b"--x\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (head.encode(), text) for head, text in parts)
    return b"".join(told) + b"--x--\r\n"


FILE = ('name="file"; filename="a.txt"', b"text")


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([FILE, ('name="alt"', b"caf\xe9")], "alt"),
        ([FILE, ('name="name"', b"\xff\xfe")], "name"),
        ([FILE, FILE], "file"),
        ([FILE, ('name="alt"', b"x"), ('name="alt"', b"y")], "alt"),
        ([FILE, ('name="file"', b"x")], "file"),
        ([FILE, ('name="alt"', b"nul\0")], "alt"),
    ],
    ids=["latin-1", "utf-16", "a file twice", "a field twice", "a field and a file", "nul"],
)
def test_a_form_that_can_be_read_in_two_ways(client: Client, parts: list[tuple[str, bytes]], field: str) -> None:
    response = client.post("/api/media/", multipart(*parts), content_type="multipart/form-data; boundary=x")

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert not Media.objects.exists()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x\xe9", b"odd boundary"),
        (
            "multipart/form-data; boundary=x",
            multipart(FILE).replace(b"\r\n\r\n", b"\r\nX: %s\r\n\r\n" % (b"x" * 20_000)),
        ),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=f; filename=a\r\nContent-Transfer-Encoding: base64\r\n\r\n!",
        ),
    ],
)
def test_a_form_that_can_not_be_read_is_told_in_own_words(client: Client, content_type: str, body: bytes) -> None:
    response = client.post("/api/media/", body, content_type=content_type)

    assert response.status_code == 400
    assert response.json()["detail"].startswith("The form can't be read.")


def test_the_bounds_of_a_form_are_told_without_names_of_settings(client: Client, admin: User, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 5
    key = {"Authorization": f"Token {make_key(admin)}"}

    form = client.post("/api/media/", {f"field{number}": "x" for number in range(9)}, format="multipart")
    query = ask(application, "GET", f"{PATH}?{'&'.join('a=1' for _ in range(9))}", headers=key)

    for content in (form.content, query.content):
        assert json.loads(content) == {"detail": "The request has more fields or files than are accepted."}
