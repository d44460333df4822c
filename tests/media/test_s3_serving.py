"""A server whose media lie in a bucket: what clients and visitors see of it, over real connections."""

import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.environment import run_folio
from tests.factories import draw
from tests.live import Server, begin, photograph, running_server, workers_of
from tests.postgresql import free_port
from tests.s3 import BUCKET, CREDENTIALS, S3, running_s3
from tests.tcp import Proxy, proxy_to

FILM = b"\0\0\0\x18ftypmp42" + os.urandom(30_000_000)
WAIT = 60  # seconds for what comes soon, on a machine that does much else


@pytest.fixture(scope="module")
def own_s3() -> Iterator[S3]:
    with running_s3() as server:
        yield server


@pytest.fixture(scope="module")
def proxy(own_s3: S3) -> Iterator[Proxy]:
    with proxy_to(int(own_s3.endpoint.rpartition(":")[2])) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def server(own_s3: S3, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    variables = {
        **CREDENTIALS,
        "FOLIO_MEDIA": f"s3://{BUCKET}/media?endpoint=http://127.0.0.1:{proxy.port}&addressing=path",
        "FOLIO_STORAGE_SECONDS": "3",
        "FOLIO_PUBLIC_READ": "on",
        "FOLIO_IMAGE_WIDTHS": "320",
    }
    with running_server(tmp_path_factory.mktemp("in-bucket"), **variables) as running:
        yield running


@pytest.fixture(scope="module")
def film(server: Server, own_s3: S3) -> str:
    """The path of a film of 30 MB, which another program has put there."""
    own_s3.client.put_object(Bucket=BUCKET, Key="media/core_media/film.mp4", Body=FILM)
    return "/media/core_media/film.mp4"


def upload(server: Server, content: bytes, name: str) -> Any:
    answer = server.session(server.key).post("/api/media/", files={"file": (name, content)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def eventually(look: Callable[[], Any], expected: Any) -> None:
    end = time.monotonic() + WAIT
    while (found := look()) != expected:
        assert time.monotonic() < end, f"{found!r}, not {expected!r}"
        time.sleep(0.1)


def test_an_upload_with_its_thumbnails_lies_in_the_bucket_and_is_served(server: Server, own_s3: S3) -> None:
    content = photograph("china.jpg")

    media = upload(server, content, "china.jpg")

    names = {urlsplit(url).path.removeprefix("/media/") for url in (media["f"], *(t["f"] for t in media["thumbnails"]))}
    assert names <= set(own_s3.names())
    assert not list((server.folder / "media").rglob("*.jpg"))
    served = server.session().get(media["f"])
    assert served.headers["Content-Type"] == "image/jpeg"
    stored = own_s3.client.get_object(Bucket=BUCKET, Key=f"media/{urlsplit(media['f']).path.removeprefix('/media/')}")
    assert served.content == stored["Body"].read()
    assert served.headers["ETag"] == stored["ETag"]


def test_what_is_deleted_goes_from_the_bucket(server: Server, own_s3: S3) -> None:
    media = upload(server, draw((300, 200)), "gone.png")
    name = urlsplit(media["f"]).path.removeprefix("/media/")
    assert name in own_s3.names()

    answer = server.session(server.key).delete(f"/api/media/{media['id']}/?now=true")

    assert answer.status_code == 204
    eventually(lambda: [each for each in own_s3.names() if "gone" in each], [])


@pytest.mark.parametrize("asked", ["bytes=0-99", "bytes=10000000-20000000", "bytes=-5"])
def test_parts_of_a_film(asked: str, server: Server, film: str) -> None:
    answer = server.session().get(film, headers={"Range": asked})

    first, last, size = map(int, re.findall(r"[0-9]+", answer.headers["Content-Range"]))
    assert answer.status_code == 206
    assert size == len(FILM)
    assert answer.content == FILM[first : last + 1]
    assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-same-origin")


def test_a_film_takes_no_memory(server: Server, film: str) -> None:
    """All of the worker's memory together grows by less than half of a film that six clients have begun to read."""
    session = server.session()
    assert session.get(film).content == FILM
    before = memory_of(server)
    answers = [server.session().get(film, stream=True) for _ in range(6)]
    for answer in answers:
        assert next(answer.iter_content(1_000_000))
    assert memory_of(server) - before < len(FILM) / 2
    for answer in answers:
        answer.close()


def memory_of(server: Server) -> int:
    """Return the bytes that a server's workers have for themselves."""
    total = 0
    for pid in workers_of(server):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        own = [line for line in lines if line.startswith(("Private_Dirty", "Private_Clean"))]
        total += sum(int(line.split()[1]) * 1024 for line in own)
    return total


def test_a_client_that_goes_away_gives_the_connection_back(server: Server, film: str) -> None:
    port = int(server.variables["FOLIO_MEDIA"].partition("127.0.0.1:")[2].partition("&")[0])
    for _ in range(5):
        host, own = urlsplit(server.url).hostname, urlsplit(server.url).port
        with closing(socket.create_connection((host, own))) as client:
            client.sendall(f"GET {film} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert client.recv(100_000)

    eventually(lambda: connections_to(port, workers_of(server)), 0)


def connections_to(port: int, pids: list[int]) -> int:
    """Return how many connections to a port of this machine processes have open."""
    owned = {os.readlink(link) for pid in pids for link in links_of(pid)}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(row[2].partition(":")[2], 16) == port and f"socket:[{row[9]}]" in owned for row in rows)


def links_of(pid: int) -> list[str]:
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{name}"
        try:
            os.readlink(path)
        except FileNotFoundError:  # closed just now
            continue
        found.append(path)
    return found


def test_a_storage_that_hangs(server: Server, proxy: Proxy, film: str) -> None:
    """What needs files is told so in time, what needs none is not kept waiting; and all goes on afterwards."""
    listed = server.session(server.key).get("/api/portfolios/")
    proxy.swallow()
    try:
        answers = [
            server.session().get(film),
            server.session(server.key).post("/api/media/", files={"file": ("a.png", draw((30, 20)))}),
        ]
        began = time.monotonic()
        again = server.session(server.key).get("/api/portfolios/?limit=3")
        assert time.monotonic() - began < WAIT
        eventually(lambda: server.session().get("/readyz").json()["parts"]["storage"], "no answer")
    finally:
        proxy.swallow(False)

    for answer in answers:
        assert answer.status_code == 503, answer.text
        assert answer.headers["Retry-After"] == "5"
    assert answers[0].headers["Access-Control-Allow-Origin"] == "*"
    assert answers[0].headers["Cache-Control"] == "no-store"
    assert "does not answer" in answers[1].json()["detail"]
    assert (listed.status_code, again.status_code) == (200, 200)
    eventually(lambda: server.session().get(film, headers={"Range": "bytes=0-9"}).content, FILM[:10])
    eventually(lambda: server.session().get("/readyz").json()["parts"]["storage"], "ok")
    eventually(
        lambda: server.session(server.key).post("/api/media/", files={"file": ("b.png", draw((30, 20)))}).status_code,
        201,
    )
    log = server.log.read_text()
    assert "does not answer" in log
    assert "answers again" in log
    assert "Traceback" not in log


# Signed


@pytest.fixture(scope="module")
def signing(own_s3: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    variables = {**own_s3.variables("signed"), "FOLIO_MEDIA_SIGNED": "1h", "FOLIO_PUBLIC_READ": "on"}
    with running_server(tmp_path_factory.mktemp("signed"), **variables) as running:
        yield running


def test_a_signed_url_serves_the_file_as_it_is(signing: Server, own_s3: S3) -> None:
    media = upload(signing, "Größe\n".encode(), "notes.txt")
    assert urlsplit(media["f"]).path.startswith("/media/core_media/"), "no answer has a signature in it"
    assert not urlsplit(media["f"]).query

    sent = signing.session().get(media["f"], allow_redirects=False)

    assert sent.status_code == 302
    assert sent.headers["Cache-Control"] == "public, max-age=1800"
    assert sent.headers["Access-Control-Allow-Origin"] == "*"
    place = sent.headers["Location"]
    assert place.startswith(own_s3.endpoint)
    assert parse_qs(urlsplit(place).query)["X-Amz-Expires"] == ["3600"]
    served = requests.get(place, timeout=60)
    assert served.content == "Größe\n".encode()
    assert served.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert served.headers["Content-Disposition"] == 'attachment; filename="notes.txt"'


def test_signed_or_not_head_and_what_is_not_there_are_answered_by_folio(signing: Server) -> None:
    media = upload(signing, draw((300, 200)), "photo.png")

    head = signing.session().head(media["f"])
    none = signing.session().get("/media/core_media/none.png", allow_redirects=False)

    assert head.status_code == 200
    assert head.headers["Content-Type"] == "image/png"
    assert int(head.headers["Content-Length"]) == media["size"]
    assert none.status_code == 404


def test_pages_may_show_what_the_bucket_sends(signing: Server, own_s3: S3) -> None:
    policy = signing.session().get("/admin/login/").headers["Content-Security-Policy"]

    images = next(part for part in policy.split("; ") if part.startswith("img-src"))
    assert own_s3.endpoint in images.split()


# Keys that are wrong


def test_a_wrong_bucket_is_told_in_a_line(own_s3: S3, tmp_path: Path) -> None:
    variables = {**own_s3.variables(), "FOLIO_MEDIA": f"s3://no-such-bucket?endpoint={own_s3.endpoint}&addressing=path"}
    with running_server(tmp_path, **variables) as server:
        eventually(lambda: server.session().get("/readyz").json()["parts"]["storage"], "refuses")
        answer = server.session(server.key).post("/api/media/", files={"file": ("a.png", draw((30, 20)))})

        assert server.session().get("/readyz").status_code == 503
        assert answer.status_code == 503
        lines = [line for line in server.log.read_text().splitlines() if "NoSuchBucket" in line]
        assert 1 <= len(lines) <= 3
        assert all("FOLIO_MEDIA names the bucket" in line for line in lines if "django.request" in line)
        assert "Traceback" not in server.log.read_text()


def test_the_check_tries_it_out(own_s3: S3, tmp_path: Path) -> None:
    right = run_folio("check", folder=tmp_path, variables=own_s3.variables("checked"))
    wrong = run_folio(
        "check",
        folder=tmp_path,
        variables={**own_s3.variables(), "FOLIO_MEDIA": own_s3.url().replace(BUCKET, "none-such")},
    )

    assert right.returncode == 0, right.stderr
    assert own_s3.names("checked") == []
    assert wrong.returncode == 1
    assert "Files can't be stored. s3://none-such at" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_a_command_ends_with_a_sentence_where_nothing_answers(tmp_path: Path) -> None:
    address = f"s3://{BUCKET}?endpoint=http://127.0.0.1:{free_port()}&addressing=path"
    variables = {**CREDENTIALS, "FOLIO_MEDIA": address}
    begin(tmp_path)

    result = run_folio("checkmedia", folder=tmp_path, variables=variables)

    assert result.returncode == 1
    lines = result.stderr.strip().splitlines()
    assert f"s3://{BUCKET} at http://127.0.0.1:" in lines[-1]
    assert "does not answer" in lines[-1]
    assert len(lines) <= 2, "no traceback"
