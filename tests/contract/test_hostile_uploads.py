"""Every way in for files meets the same hostile set, and keeps nothing of what it refuses."""

import ast
import hashlib
import json
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib import admin as site_admin
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.forms import FileField
from django.forms.models import ModelFormMetaclass
from django.test import Client as Site
from django.test import RequestFactory
from django.urls import get_resolver
from rest_framework.parsers import JSONParser as RestJSONParser

from folio.admin.root import favicon, robots, root
from folio.api.parsers import JSONParser
from folio.media.files import serve_media
from folio.media.kinds import KIND_BY_MIME_TYPE
from folio.media.models import Media, Thumbnail
from folio.media.naming import WINDOWS_DEVICE
from folio.media.uploads import store_upload
from folio.transfer.folders import open_root
from folio.transfer.importing import Importer
from tests.conftest import Client
from tests.databases import is_on_postgresql
from tests.environment import ROOT
from tests.factories import draw, make_image
from tests.forms import errors
from tests.live import Server, Session, running_server
from tests.media.hostile import BODIES, FILES, FORM, IS_A_PICTURE, TEXTS, Hostile, HostileBody, form_with

from .routes import Route, api_routes, patterns

API_ROUTES = {Route("POST", "/api/media/"), Route("PUT", "/api/media/<int:pk>/file/")}
ADMIN_FORMS = {("add", "media.media")}
ADMIN_VIEWS = {"/admin/media/media/upload/", "/admin/media/media/<int:pk>/replace/"}
DOOR = {"store_upload", "store_once", "replace_file", "examine"}
DOOR_USERS = {
    *("folio.media.admin.library", "folio.media.admin.views"),
    *("folio.media.replacing", "folio.media.serializers", "folio.media.uploads"),
    "folio.transfer.stock",
}
SLACK = 48  # MB that a worker may keep: what Python and its allocator don't give back


@dataclass(frozen=True)
class Answer:
    """What became of a file: the row that it is stored as, or why it is refused."""

    media: Media | None = None
    refusal: str = ""


Way = Callable[[str, bytes], Answer]


# Which ways there are


def views() -> Iterator[tuple[str, Any]]:
    return patterns(get_resolver().url_patterns, "/")


def takes_files(route: Route, view: Any) -> bool:
    """Tell whether a view of the API reads bodies of any other type than JSON."""
    instance = view.cls(**view.initkwargs)
    instance.action_map = getattr(view, "actions", {})
    instance.request = RequestFactory().generic(route.method, route.path)
    instance.args, instance.kwargs = (), {}
    parsers = instance.initialize_request(instance.request).parsers
    return not all(isinstance(parser, JSONParser | RestJSONParser) for parser in parsers)


def routes_that_take_files() -> set[Route]:
    found = dict(views())
    return {route for route in api_routes() if route.method != "GET" and takes_files(route, found[route.path])}


def test_every_route_of_the_api_that_takes_files_is_tried() -> None:
    assert routes_that_take_files() == API_ROUTES


def test_every_form_of_the_admin_site_that_takes_files_is_tried(admin: User) -> None:
    request = RequestFactory().get("/admin/")
    request.user = admin
    found = set()
    for model, model_admin in site_admin.site._registry.items():
        for kind, row in (("add", None), ("change", model())):
            forms = [model_admin.get_form(request, row, change=bool(row))]
            forms += [formset.form for formset, _ in model_admin.get_formsets_with_inlines(request, row)]
            for shown in forms:
                assert isinstance(shown, ModelFormMetaclass)
                if any(isinstance(field, FileField) for field in shown.base_fields.values()):
                    found.add((kind, model._meta.label_lower))

    assert found == ADMIN_FORMS


def test_no_other_view_takes_a_body() -> None:
    others = [view for path, view in views() if not hasattr(view, "cls") and not path.startswith("/admin/")]

    assert others == [root, favicon, robots, serve_media]
    for view in (root, favicon, robots):
        assert view(RequestFactory().post("/")).status_code == 405
    assert serve_media(RequestFactory().post("/media/a.png"), "a.png").status_code == 405


def test_every_view_of_the_admin_site_that_takes_files_is_tried() -> None:
    """Its own views read JSON or forms; what else reads files would need a line in `ADMIN_VIEWS`."""
    readers = {
        str(path.relative_to(ROOT))
        for path in ROOT.glob("folio/**/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"FILES", "upload_handlers"}
    }
    readers -= {"folio/admin/strangers.py"}  # which keeps them off the disk
    own = {path for path, view in views() if view.__module__ == "folio.media.admin.views"}

    assert readers == {"folio/media/admin/library.py", "folio/media/admin/views.py"}  # the former for its form
    without = {f"/admin/media/media/{path}/" for path in ("pick", "<int:pk>/panel", "<int:pk>/texts")}
    assert own - without == ADMIN_VIEWS


def test_everything_that_stores_files_is_tried() -> None:
    """The commands and importers too, which no URL leads to."""
    users, makers = set(), set()
    for path in ROOT.glob("folio/**/*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                users |= {module} if node.func.id in DOOR else set()
                makers |= {module} if node.func.id == "Media" else set()

    assert users == DOOR_USERS
    # Variants are made of what came in by the door, and names in a bucket found, for a row that is not saved; documents
    # have a `Media` of their own.
    assert makers == {"folio.media.uploads", "folio.media.storing", "folio.media.making", "folio.media.documents"}


# The ways


@pytest.fixture
def temporary(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that temporary files come into."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = folder
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def present(db: None, temporary: Path) -> Media:
    """A picture that is there already, and that no refusal may touch."""
    return make_image("present.png")


def kept(*folders: Path) -> list[Any]:
    """Return all that a request could leave behind: rows, and files with what they hold."""
    rows: list[Any] = [list(model._default_manager.order_by("pk").values()) for model in (Media, Thumbnail)]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [*rows, {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}]


def send_to(client: Client, route: Route, media: Media, body: bytes, content_type: str) -> Any:
    path = route.path.replace("<int:pk>", str(media.pk))
    return client.generic(route.method, path, body, content_type=content_type)  # type: ignore[arg-type]  # bytes will do


def reason_of(response: Any) -> str:
    """Return what a refusal of the API says."""
    assert 400 <= response.status_code < 500, response.content
    assert response.headers["Content-Type"] == "application/json"
    return json.dumps(response.json(), ensure_ascii=False)


@pytest.fixture(params=[*sorted(API_ROUTES), *sorted(ADMIN_FORMS), *sorted(ADMIN_VIEWS), "import"], ids=str)
def way(request: pytest.FixtureRequest, present: Media, client: Client, site: Site, tmp_path: Path) -> Way:
    """Each way in for files."""
    if isinstance(request.param, Route):
        return api_way(client, request.param, present)
    if request.param in ADMIN_VIEWS:
        return view_way(site, request.param.replace("<int:pk>", str(present.pk)))
    return partial(by_import, tmp_path / "work") if request.param == "import" else admin_way(site)


def api_way(client: Client, route: Route, media: Media) -> Way:
    def send(name: str, content: bytes) -> Answer:
        response = send_to(client, route, media, form_with(name, content), FORM)
        if response.status_code in {200, 201}:
            return Answer(Media.objects.get(pk=response.json()["id"]))
        assert list(response.json()) == ["file"], response.content
        return Answer(refusal=reason_of(response))

    return send


def admin_way(site: Site) -> Way:
    def send(name: str, content: bytes) -> Answer:
        page = site.generic("POST", "/admin/media/media/add/", form_with(name, content), content_type=FORM)
        if page.status_code == 302:
            return Answer(Media.objects.latest("pk"))
        assert list(errors(page)) == ["file"]
        return Answer(refusal=" ".join(errors(page)["file"]))

    return send


def view_way(site: Site, path: str) -> Way:
    def send(name: str, content: bytes) -> Answer:
        response = site.generic(
            "POST", path, form_with(name, content), content_type=FORM, headers={"Accept": "application/json"}
        )
        if response.status_code == 200:
            return Answer(Media.objects.get(pk=response.json()["media"]["id"]))
        return Answer(refusal=reason_of(response))

    return send


def by_import(folder: Path, name: str, content: bytes) -> Answer:
    """Store a file as `folio import` does, and `folio loadsample` with it."""
    (folder / "media").mkdir(exist_ok=True, parents=True)
    kept = re.sub(r"[/\0]", "", name).encode()[-250:].decode(errors="ignore").lstrip(".")  # what a folder can hold
    (folder / "media" / kept).write_bytes(content)
    with open_root(folder) as root:
        outcome, *_ = Importer(root).run()
    if outcome.problems:
        return Answer(refusal=outcome.problems[0].reason)
    return Answer(Media.objects.latest("pk"))


# What becomes of the set


def seen(cases: list[Hostile]) -> list[Hostile]:
    """Return what is sent each way. What a file is is found before any database is asked, so that on PostgreSQL one of
    each kind, and refused for each reason, shows what becomes of the row; a server there is sent the whole set.
    """
    if not is_on_postgresql():
        return cases
    return list({(case.reason, case.stored_as): case for case in reversed(cases)}.values())


@pytest.mark.parametrize("case", seen([case for case in FILES if case.reason]), ids=lambda case: case.name)
def test_refuses_with_the_reason_and_keeps_nothing(case: Hostile, way: Way, media_root: Path, temporary: Path) -> None:
    before = kept(media_root, temporary)

    answer = way(case.file_name, case.content)

    assert answer.media is None
    assert case.reason in answer.refusal
    assert kept(media_root, temporary) == before


@pytest.mark.parametrize("case", seen([case for case in FILES if case.stored_as]), ids=lambda case: case.name)
def test_stores_what_is_harmless_as_what_it_is(case: Hostile, way: Way, temporary: Path) -> None:
    answer = way(case.file_name, case.content)

    assert answer.media is not None, answer.refusal
    answer.media.refresh_from_db()
    assert answer.media.mime_type == case.stored_as
    assert_safe(PurePosixPath(str(answer.media.file)), case.stored_as)
    assert_served(answer.media)
    assert list(temporary.iterdir()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("case", [case for case in FILES if case.why == IS_A_PICTURE], ids=lambda case: case.name)
def test_a_picture_keeps_nothing_of_what_else_it_was(case: Hostile) -> None:
    marks = (b"<script>", b"alert", b"<?php", b"PK\3\4")
    assert any(mark in case.content for mark in marks)

    media = store_upload(ContentFile(case.content, name=case.file_name))

    content = Path(media.file.path).read_bytes()
    assert not any(mark in content for mark in marks)


def assert_safe(path: PurePosixPath, mime_type: str) -> None:
    """Assert that a path lies where uploads do, under a name that means nothing to a shell, a disk or a server."""
    folder, name = str(path.parent), path.name
    assert re.fullmatch(r"core_media/\d{4}/\d\d/\d\d", folder)
    assert re.fullmatch(r"[\w-]+\.[a-z0-9]+", name)
    assert len(name.encode()) <= 255
    assert not WINDOWS_DEVICE.fullmatch(path.stem)
    assert path.suffix[1:] in KIND_BY_MIME_TYPE[mime_type].extensions


def assert_served(media: Media) -> None:
    """Assert that a browser takes a file for what it is stored as, and runs nothing in it."""
    response = Site().get(media.file.url)
    response.close()
    headers = response.headers
    assert response.status_code == 200
    assert headers["Content-Type"].partition("; charset=utf-")[0] == media.mime_type
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    if media.mime_type in {*TEXTS.values(), "application/zip", "application/gzip"}:
        assert headers["Content-Disposition"].startswith("attachment")


def test_says_why_each_is_harmless() -> None:
    assert len({case.name for case in FILES}) == len(FILES)
    for case in FILES:
        assert bool(case.reason) != bool(case.stored_as and case.why), case.name


@pytest.mark.parametrize("route", sorted(API_ROUTES), ids=str)
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.name)
def test_refuses_a_body_and_keeps_nothing(
    body: HostileBody, route: Route, client: Client, present: Media, media_root: Path, temporary: Path
) -> None:
    before = kept(media_root, temporary)

    response = send_to(client, route, present, body.content, body.content_type)

    assert body.reason in reason_of(response)
    assert kept(media_root, temporary) == before


@pytest.mark.parametrize("path", ["/admin/media/media/add/", *sorted(ADMIN_VIEWS)])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.name)
def test_the_admin_site_survives_a_body_and_leaves_no_temporary_file(
    body: HostileBody, path: str, site: Site, present: Media, temporary: Path
) -> None:
    path = path.replace("<int:pk>", str(present.pk))
    response = site.generic("POST", path, body.content, content_type=body.content_type)

    assert response.status_code in {200, 302, 400, 413}
    assert list(temporary.iterdir()) == []


# A real server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "temporary").mkdir()
    variables = {"TMPDIR": str(folder / "temporary"), "FOLIO_KEEP_REMOVED": "0"}  # what is deleted is to be gone
    with running_server(folder, "--workers", "1", **variables) as server:
        yield server
        assert "Traceback" not in server.log.read_text()


@pytest.fixture(scope="module")
def api(server: Server) -> Session:
    return server.session(server.key)


def on_disk(server: Server) -> set[Path]:
    """Return the files of the installation: uploads, whole, half or temporary, and what is kept about them.

    An upload's temporary file is put away after the answer, so those that are there are waited for; a leak stays.
    """
    deadline = time.monotonic() + 5
    while any((server.folder / "uploads").iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    others = ("folio.sqlite3", "server.log")
    return {path for path in server.folder.rglob("*") if path.is_file() and not path.name.startswith(others)}


def settled(server: Server) -> set[Path]:
    """Return the files of the installation once the temporary ones are gone, which go a moment after the answer."""
    end = time.monotonic() + 10
    while list((server.folder / "uploads").iterdir()) and time.monotonic() < end:
        time.sleep(0.02)
    return on_disk(server)


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def worker_memory(server: Server) -> float:
    """Return the resident memory, in MB, of the process that answers."""
    sizes = []
    for pid in children(server.process.pid):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        sizes += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")]
    return max(sizes)


def test_a_server_is_after_the_set_as_it_was_before(server: Server, api: Session) -> None:
    def post(content: bytes, content_type: str) -> Any:
        return api.post("/api/media/", data=content, headers={"Content-Type": content_type})

    for format in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF"):
        assert post(form_with("a.png", draw((600, 400), format)), FORM).status_code == 201
    files, count = settled(server), api.get("/api/media/").json()["count"]
    memory = worker_memory(server)

    for case in FILES:
        response = post(form_with(case.file_name, case.content), FORM)
        if case.stored_as:
            assert response.status_code == 201, (case.name, response.text)
            assert api.delete(f"/api/media/{response.json()['id']}/").status_code == 204
        else:
            assert response.status_code == 400, (case.name, response.text)
            assert case.reason in json.dumps(response.json(), ensure_ascii=False), case.name
    for body in BODIES:
        response = post(body.content, body.content_type)
        assert 400 <= response.status_code < 500, (body.name, response.text)
        assert response.headers["Content-Type"] == "application/json", body.name

    assert api.get("/api/media/").json()["count"] == count
    assert settled(server) == files
    assert worker_memory(server) < memory + SLACK


def every_address() -> Iterator[tuple[str, str]]:
    """Yield a method with a body for each path of the URL configuration, but those of the API that take JSON."""
    for route in sorted(API_ROUTES):
        yield route.method, re.sub("<[^>]+>", "1", route.path)
    for path, _ in views():
        if not path.startswith("/api/"):
            yield "POST", re.sub(r"<[^>]+>", "1", path) if "<path>.+" not in path else "/media/core_media/photo.png"


def test_a_body_that_declares_too_much_is_refused_before_it_is_sent(server: Server, api: Session) -> None:
    """Also to strangers: a cookie of their own making is enough for the CSRF check to read their form."""
    api.post("/api/media/", files={"file": ("photo.png", draw())})  # one to replace
    files = settled(server)
    addresses = set(every_address())
    assert {("POST", "/admin/login/"), ("POST", "/admin/media/media/add/"), ("PUT", "/api/media/1/file/")} <= addresses

    for method, path in addresses:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {api.headers['Authorization']!s}\r\n"
            f"Accept: application/json\r\nCookie: csrftoken={'c' * 32}\r\nContent-Type: {FORM}\r\n"
            "Content-Length: 1000000000\r\n\r\n"
        )
        with connected(server) as connection:
            connection.sendall(head.encode())
            answer = HTTPResponse(connection)
            answer.begin()

            assert answer.status == 413, path
            assert json.loads(answer.read()) == {
                "detail": "The upload is larger than 104857600 bytes, the most that is accepted."
            }
            assert on_disk(server) == files, path


@pytest.mark.parametrize(
    "length", ["{half}", "-1", "x", "", "{right}, {half}", "{right}\r\nContent-Length: {half}", "99999999999999"]
)
def test_a_wrong_length_leaves_nothing(server: Server, api: Session, length: str) -> None:
    body = form_with("length.txt", b"Some words.\n" * 100)

    answer = answer_to(server, api, body, length.format(right=len(body), half=len(body) // 2))

    assert not answer or answer.startswith(b"HTTP/1.1 4")


def test_a_body_shorter_than_its_length_leaves_nothing(server: Server, api: Session) -> None:
    body = form_with("length.txt", b"Some words.\n" * 100)

    answer = answer_to(server, api, body[:-60], str(len(body)))

    assert not answer or answer.startswith(b"HTTP/1.1 4")


def connected(server: Server) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def answer_to(server: Server, api: Session, body: bytes, length: str) -> bytes:
    """Send a body, nothing after it, under that length; assert that nothing is kept of it, and return the answer."""
    files, count = settled(server), api.get("/api/media/").json()["count"]
    head = (
        f"POST /api/media/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: {api.headers['Authorization']!s}\r\n"
        f"Content-Type: {FORM}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )

    with connected(server) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while data := connection.recv(65536):
                answer += data
        except ConnectionResetError:
            pass

    assert api.get("/api/media/").json()["count"] == count
    assert settled(server) == files
    return answer
