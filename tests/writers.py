"""The ways in which data changes under a running server: each returns once its change is committed."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from io import BytesIO
from threading import Lock
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
from PIL import Image

from .environment import ROOT, ended_after, environment
from .live import Server, Session

PASSWORD = "correct horse battery staple"
PATIENCE = 60  # seconds that a change may take in the other process


class Shown(NamedTuple):
    """Where a resource keeps the text that the tests change."""

    field: str
    model: str
    table: str


TEXTS = {
    "portfolios": Shown("excerpt", "Portfolio", "portfolios_portfolio"),
    "tags": Shown("name", "Tag", "portfolios_tag"),
    "employers": Shown("description", "Employer", "portfolios_employer"),
    "media": Shown("name", "Media", "media_media"),
}


@dataclass(frozen=True)
class Rows:
    """A portfolio with one of each that it shows: the ids by resource."""

    ids: dict[str, int]
    slug: str

    def paths(self, resource: str) -> list[str]:
        """Return paths at which that resource's text is to be read."""
        portfolio, pk = self.ids["portfolios"], self.ids[resource]
        shown_by = [
            f"/api/portfolios/{portfolio}/",
            f"/api/portfolios/slug/{self.slug}/",
            f"/api/portfolios/?slug={self.slug}",
        ]
        own = [f"/api/{resource}/{pk}/", f"/api/{resource}/?id_min={pk}&id_max={pk}"]
        return [*shown_by, *(path for path in own if path not in shown_by), *self.public_paths(resource)]

    def public_paths(self, resource: str) -> list[str]:
        """Return those of them that visitors read; none shows a media's name."""
        if resource == "media":
            return []
        own = f"/api/public/{resource}/{self.slug}/"  # the tag and the employer are called alike
        if resource == "employers":
            return [own]
        entries = [f"/api/public/portfolios/{self.slug}/", f"/api/public/portfolios/?slugs={self.slug}"]
        return [*entries, *([] if own in entries else [own])]


def shown_at(path: str, resource: str) -> list[str]:
    """Return the resources whose texts an answer shows that was asked for the text of one."""
    if "/portfolios/" not in path:
        return [resource]
    return ["portfolios", "tags"] if path.startswith("/api/public/") else list(TEXTS)


def make_rows(api: Session) -> Rows:
    """Make a portfolio with a cover, an employer and a tag, through the API."""
    slug = f"work-{uuid4().hex[:8]}"
    picture = BytesIO()
    Image.new("RGB", (40, 30)).save(picture, "PNG")

    def create(resource: str, **request: Any) -> int:
        response = api.post(f"/api/{resource}/", **request)
        assert response.status_code == 201, response.text
        pk: int = response.json()["id"]
        return pk

    media = create("media", files={"file": ("picture.png", picture.getvalue())})
    tag = create("tags", json={"name": slug})
    employer = create("employers", json={"name": slug})
    body = {"title": slug, "slug": slug, "excerpt": slug, "image": media, "employer": employer, "tags": [tag]}
    ids = {"portfolios": create("portfolios", json=body), "tags": tag, "employers": employer, "media": media}
    return Rows(ids, slug)


def text_of(resource: str, document: Any) -> str:
    """Return the resource's text out of an answer: its own, that of a portfolio that shows it, or a list of one."""
    if "results" in document:
        [document] = document["results"]
    if "excerpt" in document:
        document = {
            "portfolios": lambda: document,
            "tags": lambda: document["tags" if "tags" in document else "tags_data"][0],
            "employers": lambda: document["employer_data"],
            "media": lambda: document["image_data"],
        }[resource]()
    text: str = document[TEXTS[resource].field]
    return text


class Database:
    """The server's database, by SQL of another process's own."""

    def __init__(self, server: Server) -> None:
        self.url = server.variables.get("DATABASE_URL")
        self.file = server.folder / "folio.sqlite3"

    @contextmanager
    def connection(self) -> Iterator[Callable[..., Any]]:
        """Yield a function that runs a statement on a connection of its own, on which each is committed."""
        opened: Any = (
            psycopg.connect(self.url, autocommit=True)
            if self.url
            else sqlite3.connect(self.file, isolation_level=None, timeout=30, check_same_thread=False)
        )
        with closing(opened) as connection:

            def execute(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
                cursor = connection.execute(statement if self.url else statement.replace("%s", "?"), parameters)
                return cursor.fetchall() if cursor.description else []

            yield execute

    def execute(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.connection() as execute:
            rows: list[tuple[Any, ...]] = execute(statement, *parameters)
            return rows


LOOP = """
import json, sys
from django.db import close_old_connections
for line in sys.stdin:
    close_old_connections()
    exec(json.loads(line), globals())
    print("done", flush=True)
"""
IMPORTS = """
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from folio.access.models import Token
from folio.media.models import Media
from folio.portfolios.models import Employer, Link, MetaEntry, Portfolio, PortfolioTag, Tag
"""


class OrmProcess:
    """Django's ORM in another process, as in `folio shell`."""

    def __init__(self, server: Server) -> None:
        python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "folio", "shell", "--no-imports", "-c", LOOP],
            cwd=server.folder,
            env=environment(server.folder, PYTHONPATH=python_path, **server.variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.turn = Lock()
        self.run(IMPORTS)

    def run(self, code: str) -> None:
        """Run Python code, and return when it has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with self.turn:
            self.process.stdin.write(json.dumps(code) + "\n")
            self.process.stdin.flush()
            with ended_after(PATIENCE, self.process):
                assert self.process.stdout.readline() == "done\n", f"This failed in the other process: {code}"

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)


class FormReader(HTMLParser):
    """Collects the values of a page's form fields, as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}
        self.open: str | None = None  # the select or textarea that is being read
        self.templates = 0  # that are open; what is in them is not sent

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.templates += tag == "template"
        if self.templates:
            return
        given = dict(attributes)
        name, value = given.get("name") or "", given.get("value")
        if tag in {"select", "textarea"}:
            self.open = name
            if tag == "textarea":
                self.values[name] = ""
        elif tag == "option" and self.open is not None and "selected" in given:
            self.values.setdefault(self.open, []).append(value or "")
        elif tag == "input" and name and given.get("type") not in {"submit", "file", "button", "image"}:
            if given.get("type") not in {"checkbox", "radio", "hidden"}:
                self.values[name] = value or ""
            elif given.get("type") == "hidden" or "checked" in given:
                is_box = given.get("type") != "hidden"
                self.values.setdefault(name, []).append("on" if value is None and is_box else value or "")

    def handle_endtag(self, tag: str) -> None:
        self.templates -= tag == "template"
        if tag in {"select", "textarea"}:
            self.open = None

    def handle_data(self, data: str) -> None:
        if not self.templates and self.open is not None and isinstance(self.values.get(self.open), str):
            self.values[self.open] += data


class AdminSite(Session):
    """A browser that is signed in to the admin site."""

    def sign_in(self, username: str) -> None:
        self.submit("/admin/login/", username=username, password=PASSWORD)

    def submit(self, path: str, **values: Any) -> None:
        """Open a page, change its form and send it."""
        page = self.get(path)
        reader = FormReader()
        reader.feed(page.text.partition('id="content"')[2] or page.text)
        for name, value in {**reader.values, **values}.items():
            if value is None:  # a box that is no longer checked
                reader.values.pop(name)
            else:
                reader.values[name] = value
        reader.values["csrfmiddlewaretoken"] = self.cookies["csrftoken"]
        answer = self.post(path, data=reader.values, allow_redirects=False)
        assert answer.status_code == 302, answer.text


@dataclass
class Writers:
    """All of them."""

    server: Server
    api: Session
    site: AdminSite
    orm: OrmProcess
    database: Database

    @classmethod
    @contextmanager
    def of(cls, server: Server) -> Iterator["Writers"]:
        api = server.session(server.key)
        orm = OrmProcess(server)
        try:
            orm.run(f"user = User.objects.get(username='ada'); user.set_password({PASSWORD!r}); user.save()")
            site = AdminSite(server.url)
            site.sign_in("ada")
            yield cls(server, api, site, orm, Database(server))
        finally:
            orm.stop()


def by_api(writers: Writers, resource: str, pk: int, text: str) -> None:
    response = writers.api.patch(f"/api/{resource}/{pk}/", json={TEXTS[resource].field: text})
    assert response.status_code == 200, response.text
    assert text_of(resource, response.json()) == text, "the echo of a write shows it"


def by_admin_site(writers: Writers, resource: str, pk: int, text: str) -> None:
    shown = TEXTS[resource]
    app = "media" if resource == "media" else "portfolios"
    writers.site.submit(f"/admin/{app}/{shown.model.lower()}/{pk}/change/", **{shown.field: text})


def by_saving(writers: Writers, resource: str, pk: int, text: str) -> None:
    shown = TEXTS[resource]
    writers.orm.run(f"row = {shown.model}.objects.get(pk={pk}); row.{shown.field} = {text!r}; row.save()")


def by_queryset_update(writers: Writers, resource: str, pk: int, text: str) -> None:
    shown = TEXTS[resource]
    writers.orm.run(f"{shown.model}.objects.filter(pk={pk}).update({shown.field}={text!r})")


def by_sql(writers: Writers, resource: str, pk: int, text: str) -> None:
    shown = TEXTS[resource]
    writers.database.execute(f"UPDATE {shown.table} SET {shown.field} = %s WHERE id = %s", text, pk)


WAYS: dict[str, Callable[[Writers, str, int, str], None]] = {
    "api": by_api,
    "admin site": by_admin_site,
    "save": by_saving,
    "QuerySet.update": by_queryset_update,
    "SQL": by_sql,
}
