"""As much of what visitors read as the site needs, over entries made up here: quick, and it counts what is asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TAGS = 40
EMPLOYERS = 60
YEARS = 12
FORMATS = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}
WIDTHS = (320, 640, 960, 1280, 1920)
PLACEHOLDER = "data:image/webp;base64,UklGRnAAAABXRUJQVlA4IGQAAAAwAgCdASoQAAwABUB8JZwAAudZt5fIAAD+7rVZAAAA"


def image(number: int, base: str) -> dict[str, Any]:
    path = f"{base}/media/core_media/2026/11/29"
    return {
        "id": number,
        "alt": f"Picture {number}",
        "width": 2400,
        "height": 1800,
        "type": "image/jpeg",
        "src": f"{path}/thumbnails/picture-{number}_thumbnail_1080x1080.jpg",
        "original": f"{path}/picture-{number}.jpg",
        "sources": [
            {
                "type": kind,
                "srcset": ", ".join(f"{path}/variants/picture-{number}_{width}.{form} {width}w" for width in WIDTHS),
            }
            for form, kind in FORMATS.items()
        ],
        "thumbnails": [],
        "dominant_color": "#336699",
        "placeholder": PLACEHOLDER,
        "focal": {"x": 0.5, "y": 0.25},
        "is_animated": False,
    }


def entry(number: int, base: str, **changes: Any) -> dict[str, Any]:
    """Return an entry as Folio tells of it in a list with all that may be included but what follows from others."""
    names = sorted({number % TAGS, number * 7 % TAGS, number * 13 % TAGS})
    return {
        "id": number,
        "slug": f"work-{number}",
        "title": f"Work {number}",
        "excerpt": f"What there is to say of work {number} in a sentence or two.",
        "completed_at": f"{2010 + number % YEARS}-05-06T00:00:00Z",
        "year": 2010 + number % YEARS,
        "url": None,
        "cover": image(10 * number, base),
        "employer": {
            "id": number % EMPLOYERS,
            "slug": f"employer-{number % EMPLOYERS}",
            "name": f"Employer {number % EMPLOYERS}",
            "image": None,
        },
        "tags": [{"id": name, "slug": f"tag-{name}", "name": f"Tag {name}", "image": None} for name in names],
        "updated_at": "2026-11-29T12:00:00Z",
        "description": "Text.",
        "description_html": "<p>Text.</p>\n" * 12,
        "gallery": [{**image(10 * number + place, base), "caption": None} for place in range(1, 4)],
        "links": [{"id": number, "name": "Site", "url": "https://example.com", "description": None, "image": None}],
        "meta": [{"id": number, "key": "Award", "value_text": "A prize", "value_file": None}],
        "share_image": f"{base}/media/share-{number}.jpg",
        **changes,
    }


def digest(made: dict[str, Any]) -> str:
    """Return a digest of what tests change, for most of an entry are its pictures, and Folio has them ready."""
    changing = [
        made[key] for key in ("slug", "title", "excerpt", "year", "tags", "updated_at", "description_html", "meta")
    ]
    return sha256(json.dumps(changing).encode()).hexdigest()


@dataclass
class Fake:
    """What is published, in order, and the paths that were asked for."""

    url: str = ""
    entries: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    most: int = 1_000  # entries in a page of the manifest

    def publish(self, count: int) -> None:
        self.entries += [entry(number, self.url) for number in range(len(self.entries) + 1, count + 1)]

    def answer(self, address: str) -> dict[str, Any] | None:
        path, query = urlsplit(address).path, parse_qs(urlsplit(address).query)
        if path == "/api/public/manifest/":
            return self.manifest(min(int(query["limit"][0]), self.most), int(query.get("offset", ["0"])[0]))
        if path == "/api/public/portfolios/":
            named = {each["slug"]: each for each in self.entries}
            found = [named[slug] for slug in query["slugs"][0].split(",") if slug in named]
            return {"count": len(found), "next": None, "previous": None, "results": found}
        return None

    def manifest(self, limit: int, offset: int) -> dict[str, Any]:
        rows = [
            {"id": each["id"], "slug": each["slug"], "digest": digest(each)}
            for each in self.entries[offset : offset + limit]
        ]
        is_more = offset + limit < len(self.entries)
        following = f"{self.url}/api/public/manifest/?limit={limit}&offset={offset + limit}" if is_more else None
        return {"count": len(self.entries), "next": following, "previous": None, "results": rows}


@contextmanager
def folio(count: int = 0) -> Iterator[Fake]:
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            fake.asked.append(self.path)
            found = fake.answer(self.path)
            body = json.dumps(found if found is not None else {"detail": "Not found."}).encode()
            etag = f'"{sha256(body).hexdigest()}"'
            status = 404 if found is None else 304 if self.headers["If-None-Match"] == etag else 200
            self.send_response(status)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(0 if status == 304 else len(body)))
            self.end_headers()
            if status != 304:
                self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    fake.publish(count)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
