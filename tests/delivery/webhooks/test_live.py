"""Servers that tell websites: each with an installation of its own, for they are killed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from folio.tasks.runner import SECONDS_VARIABLE
from tests.live import Server, kill, new_database, running_server

from .endpoints import LOOPBACK, Endpoint, endpoint

VARIABLES = {
    "FOLIO_PUBLIC_READ": "true",
    "FOLIO_WEBHOOK_SECONDS": "1",
    "FOLIO_WEBHOOK_PRIVATE": LOOPBACK,
    SECONDS_VARIABLE: "0.2",
}
QUIET = 4.0  # seconds for which nothing more may come


@pytest.fixture
def site() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


@contextmanager
def serving(folder: Path, *flags: str, **variables: str) -> Iterator[Server]:
    with running_server(folder, *flags, **{**VARIABLES, **variables}) as server:
        yield server


def add_webhook(server: Server, url: str) -> str:
    """Make a webhook, and return its secret."""
    answer = server.session(server.key).post("/api/webhooks/", json={"url": url})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["secret"])


def publish(server: Server, slug: str) -> Any:
    body = {"title": slug, "slug": slug, "excerpt": "An excerpt."}
    answer = server.session(server.key).post("/api/portfolios/", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_two_workers_tell_a_change_once(tmp_path: Path, site: Endpoint) -> None:
    with serving(tmp_path, "--workers", "2") as server:
        secret = add_webhook(server, site.url)
        made = publish(server, "new")

        [received] = site.wait_for(1)
        assert received.verify(secret)["data"] == {
            "portfolios": [{"id": made["id"], "slug": "new", "event": "published"}],
            "manifest": False,
        }
        time.sleep(QUIET)
        assert len(site.received) == 1
        log = server.log.read_text()
    assert "Traceback" not in log
    assert "secret-part" not in log


def test_what_was_committed_when_a_server_was_killed_is_told_by_the_next(tmp_path: Path, site: Endpoint) -> None:
    with new_database() as database:
        with serving(tmp_path, **database, FOLIO_WEBHOOK_SECONDS="600") as server:
            add_webhook(server, site.url)
            publish(server, "new")
            time.sleep(2)
            kill(server)
        assert not site.received
        with serving(tmp_path, **database):
            [received] = site.wait_for(1)
    assert received.events == {"new": "published"}


def test_what_was_being_sent_when_a_server_was_killed_is_sent_by_the_next(tmp_path: Path, site: Endpoint) -> None:
    site.answer = lambda handler: time.sleep(60)
    with new_database() as database:
        with serving(tmp_path, **database) as server:
            add_webhook(server, site.url)
            publish(server, "new")
            site.wait_for(1)
            kill(server)
        site.answer = 204
        with serving(tmp_path, **database):
            first, second = site.wait_for(2, seconds=120)
            time.sleep(QUIET)
    assert first.id == second.id
    assert first.body == second.body
    assert len(site.received) == 2


def test_a_server_that_is_stopped_writes_down_what_came_of_a_message(tmp_path: Path, site: Endpoint) -> None:
    def answer(handler: Any) -> None:
        time.sleep(1)
        handler.send_response(204)
        handler.end_headers()

    site.answer = answer
    with new_database() as database:
        with serving(tmp_path, **database) as server:
            add_webhook(server, site.url)
            publish(server, "new")
            site.wait_for(1)
        # Read as a shell would, which is no worker and knows nothing but what is written.
        code = "from folio.delivery.models import WebhookDelivery; print(WebhookDelivery.objects.get().state)"
        assert server.folio("shell", "--verbosity", "0", "-c", code, **database).strip() == "delivered"


def test_a_write_does_not_wait_for_an_endpoint(tmp_path: Path, site: Endpoint) -> None:
    site.answer = lambda handler: time.sleep(60)
    with serving(tmp_path) as server:
        for _ in range(5):
            add_webhook(server, site.url)
        publish(server, "first")
        site.wait_for(5)
        start = time.monotonic()
        for number in range(10):
            publish(server, f"next-{number}")
        assert time.monotonic() - start < 8  # two seconds less than any of them waits


def test_runtasks_tells_what_has_changed(tmp_path: Path, site: Endpoint) -> None:
    """For a server that does no tasks, such as one of another kind without requests."""
    with running_server(tmp_path, **{**VARIABLES, SECONDS_VARIABLE: "3600"}) as server:
        add_webhook(server, site.url)
        publish(server, "new")
        server.folio("runtasks")
        [received] = site.received
        assert received.events == {"new": "published"}
        server.folio("runtasks")
        assert len(site.received) == 1
