"""What the pages for readers say is so: names, links, labels, defaults, and the errors that they show."""

import ast
import errno
import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError

from folio.api.rates import Standing, rates
from folio.outages import StorageAway
from folio.portfolios.views import TagViewSet
from tests.conftest import Client
from tests.environment import ROOT, SETTINGS
from tests.factories import draw, make_employer, make_image, make_portfolio, make_tag
from tests.media.heic import heic
from tests.papers import blocks_of

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
ROOMS = "folio|tests|benchmarks"
MADE_WHILE_RUNNING = {"benchmarks/results/"}
NO_MODULES = {"folio.sqlite3", "folio.mjs", "folio.env"}  # files
WARNING = re.compile(r"folio\.W\d{3}")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def headings(page: Path) -> set[str]:
    """Return the names by which GitHub links to a page's headings."""
    found: dict[str, int] = {}
    names = set()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), flags=re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if name in found else name)
        found[name] = found.get(name, 0) + 1
    return names


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"\s*\n\s*", " ", FENCE.sub("", page.read_text()))

    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith("https://"):
            continue
        path, _, heading = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not heading or heading in headings(found), target


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_file_that_is_named_exists(page: Path) -> None:
    paths = set(re.findall(rf"(?<![\w/.])((?:{ROOMS}|docs|requirements|\.ci)/[\w./*-]*[\w/*])", page.read_text()))

    assert [path for path in paths - MADE_WHILE_RUNNING if not list(ROOT.glob(path.rstrip("/")))] == []


@pytest.mark.django_db  # which `folio.wsgi` asks whether it is newer
@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_module_and_function_that_is_named_exists(page: Path) -> None:
    names = set(re.findall(rf"`((?:{ROOMS})(?:\.\w+)+)(?:\([^`]*\))?`", page.read_text()))

    for name in names - NO_MODULES:
        if WARNING.fullmatch(name):
            continue
        assert find(name) is not None, name


def find(name: str) -> Any:
    """Return what a dotted name stands for, or None."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found
    return None


def test_the_guide_to_publishing_calls_things_by_the_names_on_the_screen() -> None:
    """Labels of ours stand in quotes in the program, or in a template's words; "Save" and "History" are Django's."""
    text = " ".join((ROOT / "docs" / "guides" / "publishing.md").read_text().split())
    labels = {label.lower() for label in re.findall(r"\*\*([^*]+)\*\*", text)}
    program = "".join(
        path.read_text().lower()
        for kind in ("*.py", "*.html", "*.js")
        for path in (ROOT / "folio").rglob(kind)
        if "vendor" not in path.parts
    )

    assert len(labels) > 20
    assert [label for label in labels - {"save", "history"} if label not in program] == []


def test_the_defaults_of_settings_are_those_of_the_program() -> None:
    """Of those that are numbers; the settings read each by a function, with the default as its second argument."""
    table = dict(
        re.findall(
            r"^\| `(FOLIO_\w+)` \|.*\| `(\d+)`[^|]*\|$",
            (ROOT / "docs" / "reference" / "settings.md").read_text(),
            flags=re.MULTILINE,
        )
    )
    defaults = {
        call.args[0].value: str(eval(compile(ast.Expression(call.args[1]), "default", "eval")))
        for call in ast.walk(ast.parse(SETTINGS.read_text()))
        if isinstance(call, ast.Call) and len(call.args) > 1 and isinstance(call.args[0], ast.Constant)
        if call.args[0].value in table
    }

    assert len(table) >= 10
    assert defaults == table


def shown_errors(status: int) -> list[Any]:
    """Return the answers that the page of errors shows under a status, with their numbers left out."""
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    [part] = re.findall(rf"^## {status} .*?(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL)
    return [without_numbers(block.text) for block in blocks_of(part) if block.kind == "json"]


def without_numbers(text: str) -> Any:
    document = json.loads(re.sub(r"(?<=\bid )\d+", "N", text))
    for use in document.get("used_by", []) if isinstance(document, dict) else []:
        use["id"] = "N"
    return document


GOOD = {"title": "A title", "slug": "a-title", "excerpt": "x"}
CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "content_type": "application/json"}
ANSWERS: list[tuple[int, str, Callable[..., Any]]] = [
    (400, "wrong fields", lambda client: client.post("/api/portfolios/", {"title": "x", "slug": "a b"})),
    (400, "an unknown field", lambda client: client.post("/api/tags/", {"nam": "x"})),
    (400, "a duplicate", lambda client: client.post("/api/tags/", {"name": make_tag().name})),
    (
        400,
        "an item of a list",
        lambda client: client.post("/api/portfolios/", {**GOOD, "links": [{"name": "a"}, {"name": "b", "url": "x"}]}),
    ),
    (400, "a query parameter", lambda client: client.get("/api/portfolios/?has_image=yes")),
    (400, "a file that is no image", lambda client: replace_cover(client)),
    (400, "a wrong host", lambda client: client.get("/api/tags/", HTTP_HOST="other.example")),
    (401, "no key", lambda client: Client().get("/api/tags/")),
    (401, "a wrong key", lambda client: Client(HTTP_AUTHORIZATION="Token x").get("/api/tags/")),
    (404, "no such row", lambda client: client.get("/api/tags/99/")),
    (404, "no such path", lambda client: client.get("/api/none/")),
    (405, "a wrong method", lambda client: client.put("/api/tags/")),
    (406, "another type wanted", lambda client: client.get("/api/tags/", HTTP_ACCEPT="text/html")),
    (409, "an employer in use", lambda client: client.delete(f"/api/employers/{used_employer()}/")),
    (411, "no length", lambda client: client.post("/api/tags/", **CHUNKED)),
    (413, "a large body", lambda client: client.post("/api/tags/", {"name": "x" * 3_000_000})),
    (
        415,
        "a form",
        lambda client: client.post("/api/tags/", "name=x", content_type="application/x-www-form-urlencoded"),
    ),
]


def replace_cover(client: Client) -> Any:
    media = make_image()
    make_portfolio(image=media)
    file = SimpleUploadedFile("notes.txt", b"no image")
    return client.put(f"/api/media/{media.pk}/file/", {"file": file}, format="multipart")


def used_employer() -> int:
    employer = make_employer()
    make_portfolio(employer=employer)
    return employer.pk


@pytest.mark.django_db
@pytest.mark.parametrize(("status", "what", "ask"), ANSWERS, ids=[f"{status}-{what}" for status, what, _ in ANSWERS])
def test_the_page_of_errors_shows_what_is_answered(
    client: Client, status: int, what: str, ask: Callable[..., Any]
) -> None:
    response = ask(client)

    assert response.status_code == status
    assert without_numbers(response.content.decode()) in shown_errors(status)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, RuntimeError("broken")),
        (503, OperationalError("locked")),
        (503, StorageAway("s3://bucket does not answer")),
        (507, OSError(errno.ENOSPC, "full")),
    ],
)
def test_the_page_of_errors_shows_what_failures_answer(
    client: Client, monkeypatch: pytest.MonkeyPatch, status: int, error: Exception
) -> None:
    def fail(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr(TagViewSet, "list", fail)

    response = client.get("/api/tags/")

    assert response.status_code == status
    assert response.json() in shown_errors(status)


@pytest.mark.parametrize("whose", ["key", "address"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_page_of_errors_shows_what_is_too_often(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, method: str, whose: str
) -> None:
    monkeypatch.setattr(rates, "take", lambda name, number, seconds: Standing(1, 0, 1))
    settings.TRUST_UNIX = True
    asking = client if whose == "key" else Client()

    response = getattr(asking, method)("/api/tags/")

    assert response.status_code == 429
    assert response.json() in shown_errors(429)


def test_the_page_of_errors_shows_what_a_key_is_refused(client_for: Callable[..., Client], staff: User) -> None:
    lacking = client_for(staff).post("/api/portfolios/", GOOD)
    narrowed = client_for(staff, codes=[4202]).get("/api/auth/tokens/")

    assert [lacking.status_code, narrowed.status_code] == [403, 403]
    assert lacking.json() in shown_errors(403)
    assert narrowed.json() in shown_errors(403)


def test_bodies_are_lenient_about_types_where_nothing_is_lost(client: Client) -> None:
    tag = make_tag()
    loose = {"title": 123, "order": "7", "is_active": "off", "tags": [str(tag.pk)]}

    answer = client.post("/api/portfolios/", {**GOOD, **loose}).json()

    assert [answer[key] for key in ("title", "order", "is_active")] == ["123", 7, False]
    assert [tag["id"] for tag in answer["tags_data"]] == [tag.pk]


@pytest.mark.parametrize("given", ["on", "true", 1])
def test_a_boolean_of_a_body_may_be_written_in_these_ways(client: Client, given: Any) -> None:
    assert client.post("/api/portfolios/", {**GOOD, "is_active": given}).json()["is_active"] is True


def test_texts_are_kept_as_they_are_sent(client: Client) -> None:
    text = "<script>alert(1)</script> & **bold**\n\nA second paragraph."

    answer = client.post("/api/portfolios/", {**GOOD, "description": text}).json()

    assert client.get(f"/api/portfolios/{answer['id']}/").json()["description"] == answer["description"] == text


def test_a_replacing_file_gets_a_suffix_though_its_name_is_new(client: Client) -> None:
    media = make_image()
    uploaded = client.post("/api/media/", {"file": picture("fresh.png")}, format="multipart").json()
    replaced = client.put(f"/api/media/{media.pk}/file/", {"file": picture("new.png")}, format="multipart").json()

    assert re.search(r"/fresh\.png$", uploaded["f"])
    assert re.search(r"/new_\w+\.png$", replaced["f"])


def picture(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, draw(), content_type="image/png")


def test_heic_becomes_jpeg_as_the_guides_say(client: Client) -> None:
    file = SimpleUploadedFile("IMG_1.heic", heic())

    answer = client.post("/api/media/", {"file": file}, format="multipart").json()

    assert (answer["name"], answer["mime_type"]) == ("IMG_1.heic", "image/jpeg")
    assert "HEIC" in (ROOT / "docs" / "guides" / "media.md").read_text()
