"""What every path under `/api/` answers when something is wrong: JSON, with the right status, and nothing is kept."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.http import Http404
from django.middleware.common import CommonMiddleware

from folio.access.authentication import TokenAuthentication
from folio.media.models import Media
from folio.portfolios.models import Tag
from folio.portfolios.views import TagViewSet
from folio.wsgi import application
from tests.conftest import Client
from tests.factories import make_key, make_tag
from tests.wsgi import ask

pytestmark = pytest.mark.django_db

PATH = "/api/tags/"
JSON = "application/json"


@pytest.fixture(params=[False, True], ids=["production", "debug"], autouse=True)
def debug(request: pytest.FixtureRequest, settings: Any) -> None:
    """Run each test without and with FOLIO_DEBUG: the shape of an error is the same in both."""
    settings.DEBUG = request.param


def detail_of(response: Any, status: int) -> str:
    """Assert that the answer is an error of that status with nothing but a `detail`, and return it."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == JSON
    assert list(response.json()) == ["detail"]
    detail: str = response.json()["detail"]
    assert detail
    assert "Traceback" not in detail
    return detail


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*arguments: Any, **named: Any) -> Any:
        raise error

    return fail


def post(client: Client, body: bytes, content_type: str = JSON, **extra: Any) -> Any:
    return client.post(PATH, body, content_type=content_type, **extra)


@pytest.mark.parametrize(
    "path",
    ["/api/", "/api/nothing/", "/api/tags/x/", "/api/tags/-1/", "/api/portfolios/slug/", "/api/%ff/", "/api/tags/1/2/"],
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_an_unknown_path(method: str, path: str) -> None:
    response = getattr(Client(), method)(path)

    assert detail_of(response, 404) == "There is nothing at this path. The API's paths are listed at /api/docs/."


@pytest.mark.parametrize("pk", [str(2**63), "9" * 5000, "999999"])
def test_an_unknown_id(client: Client, pk: str) -> None:
    detail_of(client.get(f"{PATH}{pk}/"), 404)


@pytest.mark.parametrize("slug", ["%00", "a%00b", "%ff", "%ed%a0%80", "x" * 3000])
def test_a_slug_that_no_portfolio_can_have(client: Client, slug: str) -> None:
    detail_of(client.get(f"/api/portfolios/slug/{slug}/"), 404)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "a b", "[::2]", "localhost:x", "@"])
def test_a_host_that_is_not_served(admin: User, host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]

    response = Client().get(PATH, HTTP_HOST=host, HTTP_AUTHORIZATION=f"Token {make_key(admin)}")

    assert "FOLIO_ALLOWED_HOSTS" in detail_of(response, 400)
    assert host not in response.json()["detail"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_host_that_is_not_served_changes_nothing(client: Client, method: str) -> None:
    tag = make_tag(name="kept")

    detail_of(getattr(client, method)(f"{PATH}{tag.pk}/", {"name": "x"}, HTTP_HOST="evil.example"), 400)

    assert list(Tag.objects.values_list("name", flat=True)) == ["kept"]


@pytest.mark.parametrize("body", ["[]", "null", '"text"', "7", "true", "[[]]"])
def test_a_body_that_is_no_object(client: Client, body: str) -> None:
    response = post(client, body.encode())

    assert response.status_code == 400
    assert list(response.json()) == ["non_field_errors"]
    assert not Tag.objects.exists()


@pytest.mark.parametrize("charset", ["zlib", "utf-16", "utf-7", "latin-1", "no-such", "rot13", '"', "", "hex", "idna"])
def test_a_charset_in_the_content_type_is_not_followed(admin: User, charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}", "Authorization": f"Token {make_key(admin)}"}

    created = ask(application, "POST", PATH, '{"name": "é"}'.encode(), headers)
    listed = ask(application, "GET", f"{PATH}?search=%C3%89", headers=headers)

    assert created.status_code == 201
    assert listed.status_code == 200
    assert [row["name"] for row in listed.json()["results"]] == ["é"]


@pytest.mark.parametrize("parameters", ["charset*=no-such''x", "boundary*=no-such''x", 'a="', ";;;=", "x" * 20_000])
@pytest.mark.parametrize("media_type", ["application/json", "multipart/form-data"])
@pytest.mark.parametrize("path", [PATH, "/api/media/", "/api/nothing/"])
def test_a_content_type_that_can_not_be_parsed(admin: User, path: str, media_type: str, parameters: str) -> None:
    headers = {"Content-Type": f"{media_type}; {parameters}", "Authorization": f"Token {make_key(admin)}"}

    written = ask(application, "POST", path, b"{}", headers)
    read = ask(application, "GET", f"{path}?search=x", headers=headers)

    assert written.status_code in {400, 404, 415}
    assert written.headers["Content-Type"] == JSON
    assert read.status_code == (404 if path == "/api/nothing/" else 200)


@pytest.mark.parametrize("charset", ["zlib", "utf-16", "no-such"])
def test_a_charset_of_a_multipart_body_is_not_followed(admin: User, charset: str) -> None:
    headers = {
        "Content-Type": f"multipart/form-data; boundary=x; charset={charset}",
        "Authorization": f"Token {make_key(admin)}",
    }
    body = b'--x\r\nContent-Disposition: form-data; name="alt"\r\n\r\nno file\r\n--x--\r\n'

    response = ask(application, "POST", "/api/media/", body, headers)

    assert response.status_code == 400
    assert response.json() == {"file": ["No file was submitted."]}


def test_a_json_body_that_is_too_large(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    body = json.dumps({"name": "x" * 89}).encode()
    assert len(body) == 101

    assert detail_of(post(client, body), 413) == "The body is larger than 100 bytes, the most that is accepted."
    assert post(client, body.replace(b"xx", b"x", 1)).status_code == 201
    assert Tag.objects.count() == 1


def test_a_multipart_field_that_is_too_large(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    response = client.post(
        "/api/media/", {"file": SimpleUploadedFile("a.txt", b"text"), "alt": "x" * 200}, format="multipart"
    )

    detail_of(response, 413)
    assert not Media.objects.exists()


def test_an_upload_that_is_too_large(client: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_SIZE = 100

    response = client.post("/api/media/", {"file": SimpleUploadedFile("a.txt", b"t" * 101)}, format="multipart")

    detail_of(response, 413)
    assert not Media.objects.exists()


def test_an_upload_that_declares_to_be_too_large(client: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_SIZE = 100

    response = client.post("/api/media/", {"file": SimpleUploadedFile("a.txt", b"t" * 100_000)}, format="multipart")

    detail_of(response, 413)
    assert not Media.objects.exists()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=", b"empty boundary"),
        ("multipart/form-data; boundary=x\xe9", b"odd boundary"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=f; filename=a\r\nContent-Transfer-Encoding: base64\r\n\r\n!",
        ),
    ],
)
def test_a_multipart_body_that_can_not_be_read(client: Client, content_type: str, body: bytes) -> None:
    response = client.post("/api/media/", body, content_type=content_type)

    detail_of(response, 400)
    assert not Media.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"--x",
        b"--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n',
        b"\xff" * 100,
    ],
)
def test_a_multipart_body_without_a_file(client: Client, body: bytes) -> None:
    response = client.post("/api/media/", body, content_type="multipart/form-data; boundary=x")

    assert response.status_code == 400
    assert response.headers["Content-Type"] == JSON
    assert set(response.json()) <= {"file", "detail"}
    assert not Media.objects.exists()


def test_a_multipart_body_with_too_many_fields(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10

    response = client.post("/api/media/", {f"field{number}": "x" for number in range(20)}, format="multipart")

    detail_of(response, 400)


def test_a_multipart_body_with_too_many_files(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 3
    files = {f"file{number}": SimpleUploadedFile("a.txt", b"text") for number in range(5)}

    detail_of(client.post("/api/media/", files, format="multipart"), 400)
    assert not Media.objects.exists()


@pytest.mark.parametrize("content_type", ["", "application/json", "application/json; charset=utf-8"])
def test_too_many_query_parameters(admin: User, content_type: str, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10
    query = "&".join(f"p{number}=1" for number in range(11))
    headers = {"Content-Type": content_type, "Authorization": f"Token {make_key(admin)}"}

    detail_of(ask(application, "GET", f"{PATH}?{query}", headers=headers), 400)


@pytest.mark.parametrize("query", ["search=%ff%fe", "search=%00", "%ff=1", "=1", "search=%ed%a0%80", "&&&", "search"])
def test_a_query_string_of_odd_bytes_is_never_a_500(client: Client, query: str) -> None:
    response = client.generic("GET", PATH, QUERY_STRING=query)

    assert response.status_code in {200, 400}
    assert response.headers["Content-Type"] == JSON


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "x"])
def test_a_media_type_that_is_not_read(client: Client, content_type: str) -> None:
    detail_of(post(client, b'{"name": "x"}', content_type), 415)
    assert not Tag.objects.exists()


def test_an_upload_in_json(client: Client) -> None:
    detail_of(client.post("/api/media/", {"file": "text"}), 415)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("put", "/api/tags/", "GET, POST, HEAD"),
        ("patch", "/api/portfolios/", "GET, POST, HEAD"),
        ("delete", "/api/portfolios/", "GET, POST, HEAD"),
        ("post", "/api/tags/1/", "GET, PUT, PATCH, DELETE, HEAD"),
        ("post", "/api/portfolios/slug/x/", "GET, HEAD"),
        ("delete", "/api/auth/me/", "GET, HEAD"),
        ("put", "/api/schema/", "GET, HEAD"),
        ("get", "/api/auth/token/", "POST"),
        ("options", "/api/tags/", "GET, POST, HEAD"),
        ("options", "/api/tags/1/", "GET, PUT, PATCH, DELETE, HEAD"),
        ("options", "/api/portfolios/", "GET, POST, HEAD"),
        ("options", "/api/auth/tokens/", "GET, POST, HEAD"),
        ("options", "/api/auth/me/", "GET, HEAD"),
        ("options", "/api/auth/token/", "POST"),
        ("options", "/api/media/", "GET, POST, HEAD"),
    ],
)
def test_a_method_that_the_path_does_not_have(client: Client, method: str, path: str, allowed: str) -> None:
    response = getattr(client, method)(path)

    detail_of(response, 405)
    assert set(response.headers["Allow"].split(", ")) == set(allowed.split(", "))


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "BREW", "get"])
def test_a_method_that_no_path_has(client: Client, method: str) -> None:
    response = client.generic(method, PATH)

    if method == "get":
        assert response.status_code in {200, 405}
    else:
        detail_of(response, 405)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*"])
@pytest.mark.parametrize("path", [PATH, "/api/auth/me/", "/api/schema/", "/api/portfolios/"])
def test_an_accept_that_leaves_no_room_for_json(client: Client, path: str, accept: str) -> None:
    response = client.get(path, headers={"accept": accept})

    detail_of(response, 406)


@pytest.mark.parametrize("accept", ["*/*", "application/*", JSON, "text/html,*/*;q=0.8", "application/json;q=0.5"])
def test_an_accept_that_leaves_room(client: Client, accept: str) -> None:
    response = client.get(PATH, headers={"accept": accept})

    assert response.status_code == 200
    assert response.headers["Content-Type"] == JSON


@pytest.mark.parametrize("path", [PATH, "/api/auth/token/", "/api/nothing/", "/api/media/"])
def test_a_body_of_undeclared_length(client: Client, path: str) -> None:
    response = client.generic("POST", path, HTTP_TRANSFER_ENCODING="Chunked", CONTENT_TYPE=JSON)

    assert "Content-Length" in detail_of(response, 411)


@pytest.mark.parametrize("length", ["x", "-1", "1.5", ""])
@pytest.mark.parametrize(
    ("path", "content_type"), [(PATH, JSON), ("/api/media/", "multipart/form-data; boundary=x"), ("/api/media/", JSON)]
)
def test_a_length_that_is_no_number_is_never_a_500(client: Client, path: str, content_type: str, length: str) -> None:
    response = client.post(path, b"{}", content_type=content_type, CONTENT_LENGTH=length)

    assert response.status_code in {400, 415}
    assert response.headers["Content-Type"] == JSON


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unexpected_error_tells_nothing_of_the_inside(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    action = {"get": "list", "post": "create"}[method]
    monkeypatch.setattr(TagViewSet, action, raising(RuntimeError("inside: hunter2")))

    response = getattr(client, method)(PATH, {"name": "x"} if method == "post" else None)

    detail = detail_of(response, 500)
    assert detail == "The server failed to answer. The error was logged; nothing of the request was kept."
    assert b"hunter2" not in response.content
    assert b"RuntimeError" not in response.content
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert "hunter2" in caplog.text


def test_an_unexpected_error_keeps_nothing_of_the_request(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TagViewSet, "read", raising(RuntimeError("after the row was saved")))

    detail_of(client.post(PATH, {"name": "half"}), 500)

    assert not Tag.objects.exists()


def test_an_error_of_authentication_itself(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenAuthentication, "authenticate", raising(RuntimeError("inside")))

    detail_of(client.get(PATH), 500)


@pytest.mark.parametrize("message", ["database is locked", "server closed the connection unexpectedly"])
def test_a_database_that_does_not_answer(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, message: str
) -> None:
    monkeypatch.setattr(TagViewSet, "create", raising(OperationalError(message)))

    response = client.post(PATH, {"name": "x"})

    detail = detail_of(response, 503)
    assert detail == "The database did not answer in time. Nothing was changed; try again."
    assert response.headers["Retry-After"] == "1"
    assert message in caplog.text
    assert message not in response.content.decode()


def test_a_database_that_does_not_answer_to_authentication(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenAuthentication, "authenticate", raising(OperationalError("database is locked")))

    response = client.get(PATH)

    detail_of(response, 503)
    assert response.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Http404("inside"), 404),
        (PermissionDenied("inside"), 403),
        (SuspiciousOperation("inside"), 400),
        (BadRequest("inside"), 400),
        (RuntimeError("inside"), 500),
    ],
)
def test_an_error_of_a_layer_before_the_views(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    monkeypatch.setattr(CommonMiddleware, "process_request", raising(error))

    response = client.get(PATH)

    assert "inside" not in detail_of(response, status)


def test_an_error_outside_the_api_is_a_page(settings: Any) -> None:
    response = Client().get("/nothing/")

    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


def test_a_host_that_is_not_served_outside_the_api_is_refused_too() -> None:
    response = Client().get("/admin/login/", HTTP_HOST="evil.example")

    assert response.status_code == 400


def test_errors_are_in_english_whatever_the_client_prefers(client: Client) -> None:
    response = client.post(PATH, {}, headers={"accept-language": "fa,de;q=0.9"})

    assert response.json() == {"name": ["This field is required."]}


class TestTheRequest:
    """Its id is in the header of each answer, and in the bodies of the server's own errors."""

    def test_is_named_by_what_the_server_failed_in(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(TagViewSet, "list", raising(RuntimeError("inside")))
        monkeypatch.setattr(TagViewSet, "create", raising(OperationalError("inside")))
        headers = {"Authorization": client._credentials["HTTP_AUTHORIZATION"], "X-Request-ID": "abc-1"}  # type: ignore[attr-defined]

        for method, status in (("GET", 500), ("POST", 503)):
            answer = ask(application, method, PATH, b"{}", {**headers, "Content-Type": JSON})
            assert answer.status_code == status
            assert list(answer.json()) == ["detail", "request_id"]
            assert answer.json()["request_id"] == answer.headers["X-Request-ID"] == "abc-1"

    @pytest.mark.parametrize("url", [f"{PATH}?has_imag=1", "/api/nothing/", PATH])
    def test_is_named_in_the_header_alone_by_a_clients_mistake(self, url: str) -> None:
        answer = ask(application, "GET", url, headers={"X-Request-ID": "abc-1"})

        assert 400 <= answer.status_code < 500
        assert b"abc-1" not in answer.content
        assert answer.headers["X-Request-ID"] == "abc-1"
