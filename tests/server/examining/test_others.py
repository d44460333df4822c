"""What is found of clocks and buckets."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from folio.server.examining import clock
from folio.server.examining.reached import Reached
from tests.postgresql import free_port
from tests.s3 import running_s3
from tests.server.examining.test_doctor import examined, of


@contextmanager
def server_whose_clock_is_off(seconds: float) -> Iterator[Reached]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", formatdate(time.time() + seconds, usegmt=True))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Reached(f"http://127.0.0.1:{server.server_address[1]}", is_public=True)
        server.shutdown()


@pytest.mark.any_database
class TestClock:
    @pytest.mark.parametrize(
        ("seconds", "state", "words"),
        [
            (0, "ok", "The clock agrees with that of the server."),
            (100, "warning", "seconds behind that of the server."),
            (-100, "warning", "seconds ahead of that of the server."),
            (4000, "fault", "seconds behind that of the server."),
        ],
    )
    def test_is_compared_with_the_servers(self, seconds: float, state: str, words: str) -> None:
        with server_whose_clock_is_off(seconds) as reached:
            [found] = clock.date_of("the server", reached)

        assert found.state == state
        assert found.text.endswith(words)
        assert ("NTP" in found.mend) == (state != "ok")

    def test_of_nobody_is_compared_with_nothing(self) -> None:
        nobody = Reached(f"http://127.0.0.1:{free_port()}", is_public=True)

        assert list(clock.date_of("the server", nobody)) == []


@pytest.mark.any_database
def test_a_bucket_is_tried_and_one_that_is_missing_is_a_fault(tmp_path: Any) -> None:
    with running_s3() as s3:
        _, there = examined(tmp_path, **s3.variables())
        missing = {**s3.variables(), "FOLIO_MEDIA": s3.url().replace("s3://folio-media", "s3://nowhere")}
        status, document = examined(tmp_path, **missing)
        names = s3.names()

    [kept] = of(there, "Storage", "ok")
    assert kept.startswith("s3://folio-media/media keeps what Folio needs of it; a file was put, read and removed in ")
    assert "The clock agrees with that of the bucket." in of(there, "Clock", "ok")
    assert status == 2
    [text] = of(document, "Storage", "fault")
    assert text.startswith("Files can't be stored. ")
    assert names == []
