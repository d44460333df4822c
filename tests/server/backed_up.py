"""An installation that is served and written to while it is backed up, and one that a backup is restored into."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from PIL import Image

from tests.environment import run_folio
from tests.live import LATER, UNLIMITED, Server, create_database, drop_database, postgresql_url, url_of
from tests.s3 import CREDENTIALS, S3

ADDRESS = {"FOLIO_PUBLIC_URL": "http://portfolio.example"}
# Removed at once: what a backup copies may be gone before it comes to it.
AT_ONCE = {"FOLIO_KEEP_REMOVED": "0", "FOLIO_PUBLIC_READ": "on", **UNLIMITED, **ADDRESS, **LATER}
PATIENCE = 120  # seconds, on a machine that does much else


def picture(number: int) -> bytes:
    """Return a picture that no other number has."""
    image = Image.new("RGB", (80, 60), (number % 251, number // 251 % 251, 90))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


class Writing:
    """Someone who uploads, publishes, replaces and deletes for as long as the block lasts."""

    def __init__(self, server: Server) -> None:
        self.client = server.session(server.key)
        self.is_over = threading.Event()
        self.has_begun = threading.Event()
        self.thread = threading.Thread(target=self.write)
        self.error: BaseException | None = None
        self.rounds = 0

    def __enter__(self) -> "Writing":
        self.thread.start()
        assert self.has_begun.wait(PATIENCE), "Nothing was written."
        return self

    def __exit__(self, *error: object) -> None:
        self.is_over.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), "A write was not answered."
        assert self.error is None, self.error

    def write(self) -> None:
        try:
            kept: list[tuple[int, int]] = []
            while not self.is_over.is_set():
                kept.append(publish(self.client, 100 + self.rounds))
                if len(kept) > 2:
                    portfolio, media = kept.pop(0)
                    assert self.client.delete(f"/api/portfolios/{portfolio}/").status_code == 204
                    assert self.client.delete(f"/api/media/{media}/?now=true").status_code == 204
                replace(self.client, kept[0][1], 10_000 + self.rounds)
                self.rounds += 1
                self.has_begun.set()
        except BaseException as error:
            self.error = error
            self.has_begun.set()


def publish(client: object, number: int) -> tuple[int, int]:
    """Upload a picture and publish a portfolio with it; return both ids."""
    upload = {"file": (f"picture-{number}.png", picture(number), "image/png")}
    media = client.post("/api/media/", files=upload)  # type: ignore[attr-defined]
    assert media.status_code == 201, media.text
    given = {"title": f"Work {number}", "slug": f"work-{number}-{uuid4().hex[:6]}", "excerpt": "One.",
             "image": media.json()["id"], "images": [media.json()["id"]]}  # fmt: skip
    portfolio = client.post("/api/portfolios/", json=given)  # type: ignore[attr-defined]
    assert portfolio.status_code == 201, portfolio.text
    return portfolio.json()["id"], media.json()["id"]


def replace(client: object, media: int, number: int) -> None:
    upload = {"file": (f"other-{number}.png", picture(number), "image/png")}
    answer = client.put(f"/api/media/{media}/file/", files=upload)  # type: ignore[attr-defined]
    assert answer.status_code == 200, answer.text


def files_of(server: Server) -> dict[str, str]:
    """Return the SHA-256 of each media file and thumbnail that the installation serves, as they come."""
    client = server.session(server.key)
    found = {}
    for row in client.get("/api/media/?limit=100").json()["results"]:
        for url in (row["f"], *(each["f"] for each in row["thumbnails"])):
            path = url[url.index("/media/") :]
            answer = client.get(path)
            assert answer.status_code == 200, path
            found[path] = hashlib.sha256(answer.content).hexdigest()
    return found


@contextmanager
def elsewhere(folder: Path, storage: str, s3: S3 | None, **variables: str) -> Iterator[dict[str, str]]:
    """Yield the variables of an installation that is empty, in a folder and storage of its own."""
    with ExitStack() as stack:
        folder.mkdir()
        found = {**variables}
        if storage == "bucket":
            assert s3 is not None
            found |= s3.variables(f"restored-{uuid4().hex[:8]}")
        if url := postgresql_url():
            name = f"restored_{uuid4().hex}"
            create_database(url, name)
            stack.callback(drop_database, url, name)
            found["DATABASE_URL"] = url_of(url, name)
        yield found


def folio(folder: Path, variables: dict[str, str], *arguments: str) -> str:
    result = run_folio(*arguments, folder=folder, variables={**CREDENTIALS, **variables})
    assert result.returncode == 0, result.stderr
    return result.stdout
