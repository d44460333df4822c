"""An answer that was kept for one scheme is not given over another."""

from io import BytesIO

import pytest

from folio import snapshots
from folio.api.handler import Handler
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront
from tests.factories import make_image, make_key, make_tag, make_user


@pytest.mark.django_db(transaction=True)
def test_two_schemes_never_get_each_other_s_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: the scheme is what the HTTP server says, and behind TLS that is another."""
    monkeypatch.setattr(snapshots, "documents", SnapshotCache(1_000_000))
    key = make_key(make_user("ada", is_superuser=True))
    tag = make_tag(name="print", image=make_image())
    front = SnapshotFront(Handler(), OneSnapshot(), SnapshotCache(1_000_000))  # type: ignore[arg-type]
    for _ in range(2):
        for scheme in ("http", "https"):
            for path, query in ((f"/api/tags/{tag.pk}/", ""), ("/api/tags/", "limit=1"), ("/api/tags/", "limit=2")):
                environ = {
                    "REQUEST_METHOD": "GET",
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "HTTP_HOST": "localhost",
                    "HTTP_AUTHORIZATION": f"Token {key}",
                    "wsgi.url_scheme": scheme,
                    "wsgi.input": BytesIO(),
                    "SERVER_NAME": "localhost",
                    "SERVER_PORT": "8000",
                }
                content = b"".join(front(environ, lambda *_: None)).decode()
                assert f'"f":"{scheme}://localhost/media/' in content
    assert len(front.cache.entries) == 6


class OneSnapshot:
    """Looks at a database in which nothing happens."""

    generation = 1

    def snapshot(self) -> int:
        return 1
