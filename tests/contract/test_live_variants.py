"""Variants of a real server: made once by whichever of its workers, and whole after it was killed in the midst."""

import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from PIL import Image

from tests.contract.test_killed import kill
from tests.live import Server, new_database, photograph, running_server

VARIABLES = {
    "FOLIO_PUBLIC_READ": "true",
    "FOLIO_IMAGE_WIDTHS": "320,640,960,1280",
    "FOLIO_TASKS_SECONDS": "3600",  # nothing is made ahead
}
VISITORS = 8


def publish_photograph(server: Server) -> dict[str, Any]:
    """Upload a photograph and publish it; return what visitors get of it."""
    staff = server.session(server.key)
    with Image.open(io.BytesIO(photograph("flower.jpg"))) as image:
        content = io.BytesIO()
        image.resize((1500, 1000)).save(content, "JPEG")
    media = staff.post("/api/media/", files={"file": ("photo.jpg", content.getvalue())})
    assert media.status_code == 201, media.text
    body = {"title": "A", "slug": "a", "excerpt": "A.", "image": media.json()["id"]}
    assert staff.post("/api/portfolios/", json=body).status_code == 201
    shown: dict[str, Any] = server.session().get("/api/public/portfolios/a/").json()["cover"]
    return shown


def urls(server: Server, image: dict[str, Any]) -> list[str]:
    sets = [source["srcset"] for source in image["sources"]]
    absolute = [candidate.split(" ")[0] for each in sets for candidate in each.split(", ")]
    return [urljoin(server.url, urlsplit(url).path) for url in absolute]  # of another server, after the first


def test_variants_are_made_once_and_are_whole_after_a_kill(tmp_path: Path) -> None:
    with new_database() as database:
        with running_server(tmp_path, "--workers", "2", **VARIABLES, **database) as server:
            image = publish_photograph(server)
            assert [source["type"] for source in image["sources"]] == ["image/avif", "image/webp", "image/jpeg"]
            found = urls(server, image)
            assert len(found) == 12
            assert_made_once(server, found[3])
            ask = Thread(target=ask_all, args=(server, found))
            ask.start()
            while len(variants_of(tmp_path)) < 4:
                assert ask.is_alive(), "all were asked for, and thumbnails came instead"
                time.sleep(0.01)
            kill(server.process)
            ask.join(60)
        with running_server(tmp_path, **VARIABLES, **database) as server:
            for path in variants_of(tmp_path):
                with Image.open(path) as variant:
                    variant.load()
            assert not list((tmp_path / "uploads").iterdir())
            assert not list((tmp_path / "journal").glob("*.entry"))
            for url in urls(server, image):
                assert server.session().get(url, allow_redirects=False).status_code == 200
            assert server.folio("checkmedia", "--min-age", "0")


def assert_made_once(server: Server, url: str) -> None:
    """Ask for a variant from many places at once: it is one file, or a thumbnail for now."""
    with ThreadPoolExecutor(VISITORS) as pool:
        answers = list(pool.map(lambda _: server.session().get(url, allow_redirects=False), range(VISITORS)))
    made = [answer for answer in answers if answer.status_code == 200]
    assert made
    assert len({answer.headers["ETag"] for answer in made}) == 1  # of one file, for its time is part of it
    assert Image.open(io.BytesIO(made[0].content)).size == (1280, 853)
    for answer in answers:
        if answer.status_code != 200:
            assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
            thumbnail = server.session().get(urljoin(url, answer.headers["Location"]))
            assert thumbnail.headers["Content-Type"] == "image/jpeg"


def ask_all(server: Server, found: list[str]) -> None:
    session = server.session()
    for url in found:
        try:
            session.get(url, allow_redirects=False)
        except requests.RequestException:
            return


def variants_of(folder: Path) -> list[Path]:
    return list((folder / "media").rglob("*_v2_*"))
