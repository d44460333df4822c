"""Those who use servers behind nginx all the while: no request of theirs may be refused, cut off or forgotten."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from .live import Session
from .nginx import Front

PAUSE = 0.005  # seconds between two requests of one client
CONTENT = b"a line of an upload\n" * 20_000  # 400 KB, which comes in several pieces


@dataclass
class Load:
    """Clients that read, write and upload without end, and what came of it."""

    front: Front
    readers: int = 3
    writers: int = 2
    uploaders: int = 2
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)  # whose creation was acknowledged
    files: set[str] = field(default_factory=set)
    longest: float = 0  # seconds that a request took
    is_over: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for number in range(self.readers):
            self.run(self.read, number)
        for number in range(self.writers):
            self.run(self.write, number)
        for number in range(self.uploaders):
            self.run(self.upload, number)

    def stop(self) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a request is not answered"

    def run(self, do: Callable[[Session, str], None], number: int) -> None:
        def repeat() -> None:
            session = self.front.session(self.front.key)
            count = 0
            while not self.is_over.is_set():
                count += 1
                start = time.monotonic()
                try:
                    do(session, f"{number}-{count}")
                except Exception as error:  # whatever it is, a client has noticed the restart
                    self.failures.append(f"{do.__name__}: {error!r}")
                self.longest = max(self.longest, time.monotonic() - start)
                time.sleep(PAUSE)
            session.close()

        thread = threading.Thread(target=repeat, daemon=True)
        thread.start()
        self.threads.append(thread)

    def read(self, session: Session, name: str) -> None:
        self.expect(session.get("/api/tags/?limit=5").status_code, 200, "reads")

    def write(self, session: Session, name: str) -> None:
        self.expect(session.post("/api/tags/", json={"name": f"tag {name}"}).status_code, 201, "writes")
        self.tags.add(f"tag {name}")

    def upload(self, session: Session, name: str) -> None:
        files = {"file": (f"file-{name}.txt", CONTENT + name.encode())}
        self.expect(session.post("/api/media/", files=files).status_code, 201, "uploads")
        self.files.add(name)

    def expect(self, status: int, wanted: int, kind: str) -> None:
        assert status == wanted, f"{status} in the place of {wanted}"
        self.counts[kind] += 1

    def forgotten(self) -> list[str]:
        """Return what was acknowledged and is not there."""
        session = self.front.session(self.front.key)
        lost = self.tags - {row["name"] for row in rows(session, "/api/tags/")}
        missing = len(self.files) - len(rows(session, "/api/media/"))
        return [*sorted(lost), *([f"{missing} files"] if missing > 0 else [])]


def rows(session: Session, path: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    while True:
        page = session.get(path, params={"limit": 100, "offset": len(found)}).json()
        found += page["results"]
        if len(found) >= page["count"] or not page["results"]:
            return found
