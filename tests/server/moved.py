"""An installation on SQLite that is worth moving, and what its server answers before and after."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.environment import ROOT, environment, run_folio
from tests.live import LATER, PHOTOGRAPHS, Server, demo, photograph, running_server
from tests.writers import AdminSite

# The address is the same before and after, as it is for those who move: digests of what is published have it in them.
ADDRESS = {"FOLIO_PUBLIC_URL": "http://portfolio.example"}
PUBLIC = {"FOLIO_PUBLIC_READ": "on", "FOLIO_WEBHOOK_PRIVATE": "127.0.0.1", **ADDRESS, **LATER}
LISTS = ("portfolios", "employers", "tags", "links", "meta", "media", "webhooks", "auth/tokens")
PAGES = (
    "/api/portfolios/?limit=5&offset=3",
    "/api/portfolios/?search=poster",
    "/api/portfolios/?search=نمونه",
    "/api/portfolios/?ordering=-updated_at&year=2024",
    "/api/portfolios/slug/odd/",
    "/api/auth/me/",
    "/api/public/portfolios/?limit=100",
    "/api/public/portfolios/?search=بازدید",
    "/api/public/facets/",
    "/api/public/tags/",
    "/api/public/employers/",
    "/api/public/manifest/",
    "/api/public/feed.xml",
    "/api/public/sitemap.xml",
)
DETAILS = 4  # every so many rows are asked for by themselves
PERSIAN = "نمونه‌ی کار برای بازدید 🎨👩‍🎨"
HIGH = 2**53 + 1  # an id that JavaScript's numbers can't tell from the one before


@dataclass
class Content:
    """An installation that was filled, stopped, and is left as it is; each test works with a copy."""

    folder: Path
    key: str
    answers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)  # of someone who is signed in
    next_tag: int = 0  # the id that the next tag has to get

    def copied(self, folder: Path) -> Path:
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return folder


def made(folder: Path) -> Content:
    """Make the sample content and what is odd, of each kind of rows that a server writes."""
    shutil.copytree(demo().name, folder, dirs_exist_ok=True)
    key = run_folio("createtoken", "ada", "--admin", folder=folder).stdout.strip()
    content = Content(folder, key)
    with running_server(folder, **PUBLIC) as server:
        fill(server, content)
    with closing(sqlite3.connect(folder / "folio.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO portfolios_formerslug VALUES (?, 'high', '2026-01-02 03:04:05.000006', 1)", [HIGH]
        )
    with running_server(folder, **PUBLIC) as server:
        content.answers = answers_of(server, key)
    return content


def fill(server: Server, content: Content) -> None:
    client = server.session(content.key)

    def post(path: str, **given: Any) -> Any:
        answer = client.post(f"/api/{path}/", **given)
        assert answer.status_code == 201, answer.text
        return answer.json()

    pictures = [
        post("media", files={"file": (name, photograph(name), "image/jpeg")}, data={"alt": PERSIAN})
        for name in (*PHOTOGRAPHS, PHOTOGRAPHS[0])
    ]
    gone = pictures.pop()
    assert client.delete(f"/api/media/{gone['id']}/").status_code == 204  # its files stay for a while
    post(
        "portfolios",
        json={
            "title": PERSIAN,
            "slug": "odd",
            "excerpt": "One line.\n\tAnother one, of  .",
            "description": "\\u0000 \\ ' \" \t" + "long " * 50_000,
            "order": 2**31 - 1,
            "image": pictures[0]["id"],
            "images": [each["id"] for each in pictures],
            "publish_at": "2025-12-31T23:59:59.999999Z",
            "completed_at": "0001-01-01T00:00:00Z",
        },
        headers={"Idempotency-Key": "once"},
    )
    post("webhooks", json={"url": "http://127.0.0.1:9/built?key=secret"})
    last = [post("tags", json={"name": f"Tag {number}"})["id"] for number in range(2)][1]
    assert client.delete(f"/api/tags/{last}/").status_code == 204
    content.next_tag = last + 1
    assert run_folio(
        "createsuperuser", "--noinput", "--username", "grace", "--email", "", folder=content.folder,
        variables={"DJANGO_SUPERUSER_PASSWORD": "correct horse"},
    ).returncode == 0  # fmt: skip
    browser = AdminSite(server.url)
    browser.submit("/admin/login/", username="grace", password="correct horse")
    content.cookies = {name: value for name, value in browser.cookies.items() if value}


def answers_of(server: Server, key: str) -> dict[str, str]:
    """Return what a server answers to each read of the managing API, and to visitors."""
    client = server.session(key)
    paths = [*PAGES]
    for name in LISTS:
        rows = client.get(f"/api/{name}/?limit=100").json()
        paths.append(f"/api/{name}/?limit=100")
        paths += [f"/api/{name}/{row['id']}/" for row in rows["results"][::DETAILS]]
    listed = client.get("/api/public/portfolios/?limit=100").json()["results"][::DETAILS]
    paths += [f"/api/public/portfolios/{row['slug']}/" for row in listed]
    return {path: client.get(path).text for path in paths}


@contextmanager
def moving(folder: Path, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a move, to be killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "folio", "move", *arguments],
        env=environment(folder, PYTHONPATH=str(ROOT), **variables),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)
        assert process.stderr is not None
        process.stderr.close()
