import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import transaction
from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from django.utils.http import http_date

from folio.media.files import serve_media
from folio.media.kinds import KINDS, LOTTIE_JSON
from folio.media.models import Media, Thumbnail
from folio.media.uploads import store_upload
from tests.factories import draw, make_image

from .stored import within

pytestmark = pytest.mark.django_db  # the end of a response looks at the connection


def stored_files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


# Removing


def delete_one(media: Media) -> None:
    media.delete()


def delete_by_queryset(media: Media) -> None:
    Media.objects.filter(pk=media.pk).delete()


@pytest.mark.usefixtures("_removed_at_once")
@pytest.mark.parametrize("delete", [delete_one, delete_by_queryset])
def test_removes_the_files_of_a_deleted_image_after_the_commit(
    delete: Callable[[Media], None], media_root: Path, django_capture_on_commit_callbacks: Any
) -> None:
    make_image("kept.png")
    media = make_image("gone.png")
    before = stored_files(media_root)

    with django_capture_on_commit_callbacks(execute=True):
        delete(media)
        assert stored_files(media_root) == before

    assert len(before) == 10
    assert stored_files(media_root) == [name for name in before if "kept" in name]
    assert Thumbnail.objects.count() == 4


@pytest.mark.usefixtures("_removed_at_once")
def test_removes_the_file_of_a_deleted_thumbnail(media_root: Path, django_capture_on_commit_callbacks: Any) -> None:
    media = make_image()

    with django_capture_on_commit_callbacks(execute=True):
        media.thumbnails.get(size=64).delete()

    assert len(stored_files(media_root)) == 4
    assert not any("64x64" in name for name in stored_files(media_root))


@pytest.mark.django_db(transaction=True)
def test_keeps_the_files_where_the_deletion_is_rolled_back(media_root: Path) -> None:
    media = make_image()
    before = stored_files(media_root)

    with transaction.atomic():
        media.delete()
        transaction.set_rollback(True)

    assert Media.objects.count() == 1
    assert stored_files(media_root) == before


@pytest.mark.usefixtures("_removed_at_once")
@pytest.mark.django_db(transaction=True)
def test_removes_the_files_at_once_outside_of_a_transaction(media_root: Path) -> None:
    make_image().delete()

    assert stored_files(media_root) == []


@pytest.mark.usefixtures("_removed_at_once")
@pytest.mark.django_db(transaction=True)
def test_reports_a_file_that_can_t_be_removed_and_removes_the_others(
    media_root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    media = make_image()
    delete = FileSystemStorage.delete

    def fail_once(storage: FileSystemStorage, name: str) -> None:
        if "512x512" in name:
            raise PermissionError("not yours")
        delete(storage, name)

    monkeypatch.setattr(FileSystemStorage, "delete", fail_once)

    media.delete()

    assert not Media.objects.exists()
    assert [name for name in stored_files(media_root) if "512x512" not in name] == []
    assert "not yours" in caplog.text


@pytest.mark.usefixtures("_removed_at_once")
@pytest.mark.django_db(transaction=True)
def test_deletes_a_row_whose_file_is_gone_already(media_root: Path) -> None:
    media = make_image()
    Path(media.file.path).unlink()

    media.delete()

    assert not Media.objects.exists()
    assert stored_files(media_root) == []


# Serving


def serve(name: str, method: str = "GET", **headers: str) -> HttpResponseBase:
    return serve_path(within(name), method, **headers)


def serve_path(path: str, method: str = "GET", **headers: str) -> HttpResponseBase:
    request = RequestFactory().generic(method, "/media/x", headers=headers)
    return serve_media(request, path)


def body(response: HttpResponseBase) -> bytes:
    content = b"".join(response)
    response.close()
    return content


def head_of(path: str) -> dict[str, str]:
    response = serve(path, "HEAD")
    response.close()
    return dict(response.items())


@pytest.fixture
def store(place: Any) -> Any:
    """A function that stores a file where Folio's lie, in a folder and in a bucket."""
    return lambda name, content=b"content": place(within(name), content)


@pytest.fixture
def store_here(media_root: Path) -> Any:
    def store(name: str, content: bytes = b"content") -> Path:
        path = media_root / within(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return store


def test_serves_a_file(store_here: Any) -> None:
    content = os.urandom(200_000)
    path = store_here("2026/03/02/photo.jpg", content)

    response = serve("2026/03/02/photo.jpg")

    assert isinstance(response, FileResponse)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["Content-Length"] == "200000"
    assert response.headers["Last-Modified"] == http_date(path.stat().st_mtime)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none';")
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Accept-Ranges"] == "bytes"
    chunks = list(response)
    response.close()
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) == 64 * 1024


def test_serves_files_of_any_name(store: Any) -> None:
    for name in ("تابستان.png", "夏_2026.png", "a b%20c.png", "x'y.png"):
        store(name, name.encode())

        assert body(serve(name)) == name.encode()


def test_serves_anyone_without_a_key() -> None:
    media = store_upload(ContentFile(draw((300, 200)), name="تابستان.png"))
    client = Client()

    for file in (media.file, *(thumbnail.file for thumbnail in media.thumbnails.all())):
        response = client.get(file.url)

        assert response.status_code == 200
        assert response.headers["Content-Type"] == "image/png"
        with file.open() as stored:
            assert body(response) == stored.read()


# What is no picture, sound or film, and is shown or loaded all the same.
LOADED = {
    "application/pdf",
    "model/gltf-binary",
    "model/vnd.usdz+zip",
    "application/zip+dotlottie",
    "video/lottie+json",
    "font/woff2",
    "font/woff",
    "font/ttf",
    "font/otf",
}


@pytest.mark.parametrize("kind", KINDS, ids=[f"{kind.extensions[0]}-{kind.mime_type}" for kind in KINDS])
def test_gives_every_kind_its_type_and_shows_only_what_is_harmless(kind: Any, store: Any) -> None:
    for extension in (*kind.extensions, kind.extensions[0].upper()):
        store(f"file.{extension}", b"{}" if kind is LOTTIE_JSON else b"content")

        response = serve(f"file.{extension}")
        response.close()

        charset = "; charset=utf-8" if kind.mime_type.startswith("text/") else ""
        shown = kind.type in {"image", "audio", "video"} or kind.mime_type in LOADED
        assert response.headers["Content-Type"] == kind.mime_type + charset
        assert response.headers["Content-Disposition"].startswith("inline" if shown else "attachment")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        sandbox = "sandbox allow-same-origin" if kind.type in {"audio", "video"} else "sandbox"
        assert response.headers["Content-Security-Policy"].startswith(f"{sandbox}; default-src 'none';")


@pytest.mark.parametrize(
    "headers", [{}, {"Range": "bytes=0-1"}, {"Range": "bytes=99-"}, {"If-None-Match": "*"}], ids=[200, 206, 416, 304]
)
def test_lets_every_website_frame_a_pdf(headers: dict[str, str], store: Any) -> None:
    """Also where it has not changed: a browser takes over the headers that it is told of then."""
    for name in ("plan.pdf", "PLAN.PDF"):
        store(name)

        response = Client().get(f"/media/core_media/{name}", headers=headers)
        response.close()

        assert "X-Frame-Options" not in response.headers
        assert "frame-ancestors" not in response.headers.get("Content-Security-Policy", "")
        if response.status_code in {200, 206}:
            assert response.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


@pytest.mark.parametrize("name", ["photo.png", "notes.txt", "logo.ai", "page.html", "none.png"])
def test_lets_no_website_frame_another_file(name: str, store: Any) -> None:
    if name != "none.png":
        store(name)

    response = Client().get(f"/media/core_media/{name}")
    response.close()

    assert response.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "name", ["page.html", "image.svgz", "script.js", "index.php", "page.xhtml", "plain", ".htaccess"]
)
def test_makes_a_download_of_what_no_upload_is_called(name: str, store: Any) -> None:
    store(name, b"<script>alert(1)</script>")

    response = serve(name)
    response.close()

    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Security-Policy"].startswith("sandbox;")


@pytest.mark.parametrize(
    "path",
    [
        "none.png",
        "core_media",
        "core_media/",
        "core_media/photo.png/",
        "core_media/photo.png/more",
        "core_media//photo.png",
        "core_media/./photo.png",
        "core_media/../core_media/photo.png",
        "../secret_key",
        "core_media/../../secret_key",
        "..\\secret_key",
        "/etc/passwd",
        "//etc/passwd",
        "..",
        ".",
        "",
        "photo\0.png",
        "\ud800.png",
        "x" * 5000,
    ],
)
def test_knows_no_other_path(path: str, store: Any, media_root: Path) -> None:
    store("photo.png")
    (media_root.parent / "secret_key").write_text("secret")

    response = serve_path(path)

    assert response.status_code == 404
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert not {"Cache-Control", "ETag", "Accept-Ranges"} & set(response.headers)
    assert body(response) == b"There is no such file.\n"


@pytest.mark.parametrize("path", ["/media/../secret_key", "/media/%2e%2e/secret_key", "/media/..%2fsecret_key"])
def test_leads_nowhere_else_by_its_url(path: str, store: Any, media_root: Path) -> None:
    store("photo.png")
    (media_root.parent / "secret_key").write_text("secret")

    response = Client().get(path)

    assert response.status_code == 404
    assert b"secret" not in body(response)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_reads(method: str, store_here: Any) -> None:
    path = store_here("photo.png")

    response = serve("photo.png", method)

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert path.exists()


def test_answers_head_with_the_headers_alone(store: Any) -> None:
    store("photo.png", b"x" * 1000)

    response, full = serve("photo.png", "HEAD"), serve("photo.png")

    assert response.headers["Content-Length"] == "1000"
    assert dict(response.headers) == dict(full.headers)
    assert body(response) == b""
    assert body(full) == b"x" * 1000


def test_sends_what_is_unchanged_only_once(store_here: Any) -> None:
    path = store_here("photo.png")
    moment = time.time() - 3600
    os.utime(path, (moment, moment))

    first = serve("photo.png")
    first.close()
    again = serve("photo.png", **{"If-Modified-Since": first.headers["Last-Modified"]})
    later = serve("photo.png", "HEAD", **{"If-Modified-Since": http_date(moment + 60)})
    older = serve("photo.png", **{"If-Modified-Since": http_date(moment - 60)})
    odd = serve("photo.png", **{"If-Modified-Since": "yesterday"})

    assert (again.status_code, body(again)) == (304, b"")
    assert later.status_code == 304
    assert (older.status_code, body(older)) == (200, b"content")
    assert (odd.status_code, body(odd)) == (200, b"content")


def test_says_of_an_unchanged_file_how_long_it_is_kept(store: Any) -> None:
    store("photo.png")
    first = serve("photo.png")
    first.close()

    again = serve("photo.png", **{"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, body(again)) == (304, b"")
    for header in ("Cache-Control", "ETag", "Last-Modified"):
        assert again.headers[header] == first.headers[header]


def test_the_etag_is_strong_and_follows_size_and_time(store_here: Any) -> None:
    path = store_here("photo.png", b"first")
    os.utime(path, ns=(10**18, 10**18))
    etags = [head_of("photo.png")["ETag"]]
    os.utime(path, ns=(10**18, 10**18 + 1))
    etags.append(head_of("photo.png")["ETag"])
    store_here("photo.png", b"longer")
    os.utime(path, ns=(10**18, 10**18))
    etags.append(head_of("photo.png")["ETag"])
    store_here("copy.png", b"longer")
    os.utime(path.with_name("copy.png"), ns=(10**18, 10**18))

    assert len(set(etags)) == 3
    assert all(etag.startswith('"') and etag.endswith('"') for etag in etags)
    assert head_of("copy.png")["ETag"] == etags[2], "another disk or copy gives the same"


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"If-None-Match": "ETAG"}, 304),
        ({"If-None-Match": "W/ETAG"}, 304),
        ({"If-None-Match": '"other", ETAG'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": "DATE"}, 200),
        ({"If-Match": "ETAG"}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": "W/ETAG"}, 412),
        ({"If-Unmodified-Since": "DATE"}, 200),
        ({"If-Unmodified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}, 412),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_follows_conditions(conditions: dict[str, str], status: int, method: str, store: Any) -> None:
    store("photo.png")
    found = head_of("photo.png")
    headers = {
        name: value.replace("ETAG", found["ETag"]).replace("DATE", found["Last-Modified"])
        for name, value in conditions.items()
    }

    response = serve("photo.png", method, **headers)

    assert response.status_code == status
    assert body(response) == (b"content" if status == 200 and method == "GET" else b"")


def test_a_condition_makes_no_file_of_what_is_none(store: Any) -> None:
    response = serve("none.png", **{"If-None-Match": "*", "Range": "bytes=0-1"})

    assert response.status_code == 404


@pytest.mark.parametrize("name", ["photo.png", "film.mp4", "song.mp3"])
def test_lets_every_website_show_it(name: str, store: Any) -> None:
    store(name)

    for headers in ({}, {"Range": "bytes=0-1"}):
        response = Client().get(f"/media/core_media/{name}", headers={"Origin": "https://site.example", **headers})

        assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert not {"Vary", "Set-Cookie"} & set(response.headers), "one copy in a shared cache is right for all"
        body(response)


@pytest.mark.parametrize(
    ("name", "headers", "status"),
    [
        ("photo.png", {}, 200),
        ("photo.png", {"Range": "bytes=0-1"}, 206),
        ("photo.png", {"If-None-Match": "*"}, 304),
        ("photo.png", {"Range": "bytes=99-"}, 416),
        ("none.png", {}, 404),
    ],
)
def test_lets_every_website_read_it_by_script(name: str, headers: dict[str, str], status: int, store: Any) -> None:
    """`fetch()`, `<img crossorigin>` and with them canvas, WebGL and PDF.js need it; a key has no part in it."""
    store("photo.png")

    response = Client().get(f"/media/core_media/{name}", headers={"Origin": "https://site.example", **headers})

    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Content-Range" in response.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in response.headers
    body(response)


@pytest.mark.parametrize("path", ["/api/portfolios/", "/admin/login/", "/api/schema/", "/"])
def test_lets_other_websites_read_nothing_else(path: str) -> None:
    response = Client().get(path, HTTP_ORIGIN="https://studio.example")

    assert not [name for name in response.headers if name.startswith("Access-Control-")]
