"""Bodies whose length was not declared, or which end before it: never taken for an empty or a whole one."""

import gc
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from folio.portfolios.models import Tag
from folio.wsgi import application
from tests.factories import make_key, make_tag
from tests.wsgi import Answer, ask

pytestmark = pytest.mark.django_db

BODY = b'{"name": "after"}'
UNDECLARED: dict[str, Any] = {"wsgi.input_terminated": True, "CONTENT_LENGTH": "", "SERVER_PROTOCOL": "HTTP/1.1"}
HTTP_2 = {**UNDECLARED, "SERVER_PROTOCOL": "HTTP/2"}
CHUNKED = {**UNDECLARED, "HTTP_TRANSFER_ENCODING": "chunked"}
HTTP_1 = {**UNDECLARED, "SERVER_PROTOCOL": "HTTP/1", "wsgi.input": BytesIO()}  # what was sent, the server has dropped


class Waiting(BytesIO):
    """A body of which the server waits for what never comes."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("This body must not be read.")


@pytest.fixture
def tag() -> Tag:
    return make_tag(name="before")


@pytest.fixture
def key(admin: User) -> dict[str, str]:
    return {"Authorization": f"Token {make_key(admin)}", "Content-Type": "application/json"}


def refused(answer: Answer) -> None:
    assert answer.status_code == 411
    assert "Content-Length" in answer.json()["detail"]
    assert list(Tag.objects.values_list("name", flat=True)) == ["before"]


@pytest.mark.parametrize(
    "environ",
    [HTTP_2, CHUNKED, HTTP_1, {**HTTP_1, "SERVER_PROTOCOL": "HTTP/1.0"}, {**CHUNKED, "CONTENT_LENGTH": "2"}],
    ids=["http-2", "chunked", "http-1", "http-1.0", "chunked-with-length"],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT", "POST"])
def test_a_body_of_undeclared_length_is_refused(
    tag: Tag, key: dict[str, str], method: str, environ: dict[str, Any]
) -> None:
    path = "/api/tags/" if method == "POST" else f"/api/tags/{tag.pk}/"

    refused(ask(application, method, path, BODY, key, **environ))


@pytest.mark.parametrize("environ", [HTTP_2, CHUNKED], ids=["http-2", "chunked"])
def test_a_deletion_with_one_is_refused(tag: Tag, key: dict[str, str], environ: dict[str, Any]) -> None:
    refused(ask(application, "DELETE", f"/api/tags/{tag.pk}/", BODY, key, **environ))


@pytest.mark.parametrize("environ", [HTTP_2, CHUNKED, UNDECLARED], ids=["http-2", "chunked", "undeclared"])
def test_where_no_byte_comes_the_body_is_empty(tag: Tag, key: dict[str, str], environ: dict[str, Any]) -> None:
    assert ask(application, "PATCH", f"/api/tags/{tag.pk}/", b"", key, **environ).status_code == 200
    assert ask(application, "DELETE", f"/api/tags/{tag.pk}/", b"", key, **environ).status_code == 204


def test_an_unknown_key_is_told_before_nobody_reads_on(tag: Tag) -> None:
    assert ask(application, "PATCH", f"/api/tags/{tag.pk}/", b"", **HTTP_2).status_code == 401


def test_a_read_over_http_2_waits_for_no_body(tag: Tag, key: dict[str, str]) -> None:
    environ = {**HTTP_2, "wsgi.input": Waiting()}

    for _ in range(2):
        assert ask(application, "GET", f"/api/tags/{tag.pk}/", b"", key, **environ).status_code == 200


def test_where_the_server_tells_no_end_of_a_body_its_header_is_believed(tag: Tag, key: dict[str, str]) -> None:
    environ = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": Waiting()}

    refused(ask(application, "PATCH", f"/api/tags/{tag.pk}/", b"", key, **environ))


@pytest.mark.parametrize("environ", [HTTP_2, CHUNKED], ids=["http-2", "chunked"])
def test_a_form_of_undeclared_length_is_answered_with_a_page(environ: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}

    answer = ask(application, "POST", "/admin/login/", b"username=ada&password=x", headers, **environ)
    of_script = ask(application, "POST", "/admin/login/", b"{}", {**headers, "Accept": "application/json"}, **environ)

    assert answer.status_code == of_script.status_code == 411
    assert b"The request could not be read." in answer.content
    assert "Content-Length" in of_script.json()["detail"]


@pytest.mark.parametrize("size", [len(BODY) + 1, 100_000])
def test_a_body_that_ends_before_its_length_changes_nothing(tag: Tag, key: dict[str, str], size: int) -> None:
    answer = ask(application, "PATCH", f"/api/tags/{tag.pk}/", BODY, key, CONTENT_LENGTH=str(size))

    assert answer.status_code == 400
    assert answer.json() == {"detail": "The body did not arrive whole. Nothing of it was kept; send it again."}
    tag.refresh_from_db()
    assert tag.name == "before"


def test_half_a_file_is_removed_before_its_client_is_answered(key: dict[str, str]) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n' + b"words " * 100_000
    headers = {**key, "Content-Type": "multipart/form-data; boundary=x"}
    gc.collect()
    gc.disable()  # which would do it sooner or later
    try:
        answer = ask(application, "POST", "/api/media/", body, headers, CONTENT_LENGTH=str(2 * len(body)))

        assert answer.status_code == 400
        assert list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()) == []
    finally:
        gc.enable()


@pytest.mark.parametrize("size", [1, 100_000])
def test_an_upload_that_ends_before_its_length_stores_nothing(key: dict[str, str], size: int) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ntext\r\n--x--\r\n'
    headers = {**key, "Content-Type": "multipart/form-data; boundary=x"}

    answer = ask(application, "POST", "/api/media/", body, headers, CONTENT_LENGTH=str(len(body) + size))

    assert answer.status_code == 400
    assert ask(application, "GET", "/api/media/", headers=key).json()["count"] == 0
