"""Requests as a real server meets them: too large, of no declared length, cut off, or not to be understood."""

import json
import socket
from urllib.parse import urlsplit

import pytest
import requests

from tests import http2
from tests.live import Server, Session

from .made import create, key_of, unique


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
