"""Parts of files, as players ask for them (RFC 9110, 14)."""

from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from django.http.response import HttpResponseBase
from django.test import RequestFactory
from django.utils.http import http_date, parse_http_date

from folio.media.files import serve_media

from .stored import within

pytestmark = pytest.mark.django_db  # the end of a response looks at the connection

CONTENT = bytes(range(256)) * 1000
SIZE = len(CONTENT)
FILM = within("film.mp4")


class Film:
    """The film, in a folder or a bucket."""

    def __init__(self, place: Callable[[str, bytes], None]) -> None:
        self.place = place
        self.write_bytes(CONTENT)

    def write_bytes(self, content: bytes) -> None:
        self.place(FILM, content)


@pytest.fixture
def film(place: Any) -> Film:
    return Film(place)


@pytest.fixture
def film_here(media_root: Path) -> Path:
    path = media_root / FILM
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(CONTENT)
    return path


def ask(value: str | None, method: str = "GET", path: str = FILM, **headers: str) -> HttpResponseBase:
    if value is not None:
        headers["Range"] = value
    return serve_media(RequestFactory().generic(method, f"/media/{path}", headers=headers), path)


def head_of_film() -> dict[str, str]:
    response = ask(None, "HEAD")
    response.close()
    return dict(response.items())


def body(response: HttpResponseBase) -> bytes:
    content = b"".join(response)
    response.close()
    return content


@pytest.mark.parametrize(
    ("value", "start", "end"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-499", 0, 499),
        ("bytes=500-999", 500, 999),
        ("bytes=100000-", 100_000, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=-1", SIZE - 1, SIZE - 1),
        ("bytes=-500", SIZE - 500, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        (f"bytes={SIZE - 2}-{SIZE + 100}", SIZE - 2, SIZE - 1),
        (f"bytes=-{SIZE}", 0, SIZE - 1),
        (f"bytes=-{SIZE + 1}", 0, SIZE - 1),
        ("bytes=000000-0000009", 0, 9),
        ("Bytes=3-4", 3, 4),
        (" bytes=3-4 ", 3, 4),
        (f"bytes=0-{10**17}", 0, SIZE - 1),
    ],
)
def test_a_part(value: str, start: int, end: int, film: Film) -> None:
    response, whole = ask(value), ask(None)

    assert response.status_code == 206
    assert response.headers["Content-Range"] == f"bytes {start}-{end}/{SIZE}"
    assert response.headers["Content-Length"] == str(end - start + 1)
    assert body(response) == CONTENT[start : end + 1]
    of_the_part = {"Content-Range", "Content-Length"}
    assert {name: text for name, text in response.items() if name not in of_the_part} == {
        name: text for name, text in whole.items() if name not in of_the_part
    }
    assert whole.status_code == 200
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Type"] == "video/mp4"
    assert body(whole) == CONTENT


@pytest.mark.parametrize(
    "value", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", f"bytes={10**17}-", "bytes=-0", "bytes=-000"]
)
def test_a_part_that_is_not_there(value: str, film: Film) -> None:
    response = ask(value)

    assert response.status_code == 416
    assert response.headers["Content-Range"] == f"bytes */{SIZE}"
    assert "Cache-Control" not in response.headers
    assert b"256,000 bytes" in body(response)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-4",
        "bytes=-5-10",
        "bytes=--5",
        "bytes=5",
        "bytes=+1-2",
        "bytes=1.0-2",
        "bytes=0x1-0x2",
        "bytes=1_0-2_0",
        "bytes=٠-٩",
        "bytes 0-4",
        "seconds=0-4",
        "bytes=0-4;",
        "bytes=0-4 5",
        f"bytes={'9' * 5000}-",
        f"bytes=0-{'9' * 5000}",
        "bytes=0-4,10-14",
        "bytes=0-4, -5",
        ",".join(["bytes=0-", *["0-"] * 1000]),
    ],
)
def test_no_part_or_several_are_the_whole(value: str, film: Film) -> None:
    response = ask(value)

    assert response.status_code == 200
    assert "Content-Range" not in response.headers
    assert response.headers["Content-Length"] == str(SIZE)
    assert body(response) == CONTENT


@pytest.mark.parametrize("value", ["bytes=0-4", "bytes=-5", f"bytes={SIZE}-"])
def test_head_knows_no_parts(value: str, film: Film) -> None:
    response = ask(value, "HEAD")

    assert response.status_code == 200
    assert response.headers["Content-Length"] == str(SIZE)
    assert response.headers["Accept-Ranges"] == "bytes"
    assert body(response) == b""


@pytest.mark.parametrize(("value", "status"), [("bytes=0-", 416), ("bytes=0-0", 416), ("bytes=-5", 200), (None, 200)])
def test_of_an_empty_file(value: str | None, status: int, film: Film) -> None:
    film.write_bytes(b"")

    response = ask(value)

    assert response.status_code == status
    assert response.headers.get("Content-Range") == ("bytes */0" if status == 416 else None)
    if status == 200:
        assert response.headers["Content-Length"] == "0"
        assert body(response) == b""


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("ETAG", 206),
        ("DATE", 206),
        ("W/ETAG", 200),
        ('"other"', 200),
        ("*", 200),
        ("yesterday", 200),
        ("LATER", 200),
        ("EARLIER", 200),
    ],
)
def test_only_of_the_file_that_the_client_knows(condition: str, status: int, film: Film) -> None:
    known = head_of_film()
    moment = parse_http_date(known["Last-Modified"])
    for name, text in {
        "ETAG": known["ETag"],
        "DATE": known["Last-Modified"],
        "LATER": http_date(moment + 60),
        "EARLIER": http_date(moment - 60),
    }.items():
        condition = condition.replace(name, text)

    response = ask("bytes=10-19", **{"If-Range": condition})

    assert response.status_code == status
    assert body(response) == (CONTENT[10:20] if status == 206 else CONTENT)


def test_a_part_of_a_file_that_changed_is_not_mixed_with_the_old_one(film: Film) -> None:
    etag = head_of_film()["ETag"]
    film.write_bytes(b"new" * 1000)

    response = ask("bytes=10-19", **{"If-Range": etag})

    assert response.status_code == 200
    assert body(response) == b"new" * 1000


def test_other_conditions_come_first(film: Film) -> None:
    etag = head_of_film()["ETag"]

    assert ask("bytes=0-4", **{"If-None-Match": etag}).status_code == 304
    assert ask("bytes=0-4", **{"If-Match": '"other"'}).status_code == 412
    assert ask(f"bytes={SIZE}-", **{"If-None-Match": etag}).status_code == 304
    assert body(ask("bytes=0-4", **{"If-Match": etag})) == CONTENT[:5]


@pytest.mark.parametrize(
    ("value", "length"), [("bytes=5-14", 10), ("bytes=100-130099", 130_000), ("bytes=-7", 7), (None, SIZE)]
)
def test_reads_no_more_than_it_sends_and_little_at_a_time(
    value: str | None, length: int, film_here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    class Watched(FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            piece = super().read(size)
            read.append(len(piece))
            return piece

    def watched(name: str, mode: str, buffering: int) -> Any:
        assert buffering == 0, "a buffer would read ahead"
        return Watched(name, mode)

    monkeypatch.setattr("folio.media.files.open", watched, raising=False)

    response = ask(value)
    assert read == [], "nothing before it is sent"
    assert len(body(response)) == length
    assert sum(read) == length
    assert max(read) <= 64 * 1024


def test_the_file_is_closed_with_its_response(film_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[FileIO] = []

    def remembered(name: str, mode: str, buffering: int) -> FileIO:
        opened.append(FileIO(name, mode))
        return opened[-1]

    monkeypatch.setattr("folio.media.files.open", remembered, raising=False)

    for value in (None, "bytes=0-4", f"bytes={SIZE}-"):
        ask(value).close()
    ask("bytes=0-4", "HEAD").close()

    assert len(opened) == 3, "a part that is not there needs no file"
    assert all(file.closed for file in opened)


def test_what_is_no_film_has_parts_too_and_stays_a_download(place: Any) -> None:
    place(within("page.html"), b"<script>alert(1)</script>")

    response = ask("bytes=0-7", path=within("page.html"))

    assert response.status_code == 206
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Security-Policy"].startswith("sandbox;")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert body(response) == b"<script>"
