"""The programs of the guide and the reference do what is said of them, with real messages and a GitHub that is none."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from standardwebhooks.webhooks import WebhookVerificationError

from folio.delivery.models import Event, Webhook
from folio.delivery.webhooks import secret_of
from folio.delivery.webhooks.connections import Unanswered, post
from folio.delivery.webhooks.messages import body_of, headers_of
from tests.conftest import Client
from tests.environment import ROOT
from tests.factories import make_portfolio
from tests.papers import Block, blocks_of
from tests.postgresql import free_port

from .endpoints import PATIENCE, Endpoint

pytestmark = pytest.mark.django_db
GUIDE, REFERENCE = (ROOT / "docs" / room / "webhooks.md" for room in ("guides", "reference"))
WORKFLOW = ".github/workflows/build.yml"


def blocks(page: Path) -> list[Block]:
    return blocks_of(page.read_text())


def saved(file: str) -> str:
    """Return a program that the guide says to save under that name."""
    return next(block.text for block in blocks(GUIDE) if block.file == file)


def shown(kind: str) -> str:
    return next(block.text for block in blocks(REFERENCE) if block.kind == kind)


def message(webhook: Webhook, at: datetime | None = None) -> tuple[dict[str, str], str]:
    """Return the headers and the body of a message, as they are sent."""
    now = at or datetime.now(UTC)
    body = body_of({"7": ("hafen-möwe", Event.CHANGED.value)}, now)
    return headers_of(webhook, "msg_1", body, now), body


# The relay to GitHub


@pytest.fixture
def webhook(private: None) -> Webhook:
    return Webhook.objects.create(url=f"http://127.0.0.1:{free_port()}/")


@pytest.fixture
def relay(webhook: Webhook, endpoint: Endpoint, tmp_path: Path) -> Iterator[str]:
    """The guide's relay, with an endpoint in GitHub's place."""
    program = tmp_path / "relay.py"
    program.write_text(saved("relay.py"))
    port = webhook.url.rpartition(":")[2].strip("/")
    variables = {
        "PATH": os.environ["PATH"],
        "PORT": port,
        "REPOSITORY": "studio/website",
        "WEBHOOK_SECRET": secret_of(webhook),
        "GITHUB_TOKEN": "github_pat_1",
        "GITHUB_API_URL": f"http://127.0.0.1:{endpoint.port}",
        "no_proxy": "*",
    }
    log = (tmp_path / "log").open("w")
    with log, subprocess.Popen([sys.executable, str(program)], env=variables, stdout=log, stderr=log) as process:
        try:
            end = time.monotonic() + PATIENCE
            while True:
                try:
                    socket.create_connection(("127.0.0.1", int(port)), timeout=5).close()
                    break
                except OSError:
                    assert process.poll() is None, (tmp_path / "log").read_text()
                    assert time.monotonic() < end
                    time.sleep(0.05)
            yield webhook.url
        finally:
            process.kill()


def test_the_relay_starts_the_workflow(webhook: Webhook, relay: str, endpoint: Endpoint) -> None:
    answer = post(relay, *message(webhook))

    [request] = endpoint.received
    assert answer.status == 204
    assert (request.method, request.path) == ("POST", "/repos/studio/website/dispatches")
    assert request.headers["authorization"] == "Bearer github_pat_1"
    assert request.message == {
        "event_type": "folio",
        "client_payload": {
            "portfolios": [{"id": 7, "slug": "hafen-möwe", "event": "changed"}],
            "manifest": False,
        },
    }


def test_the_relay_starts_nothing_for_others(webhook: Webhook, relay: str, endpoint: Endpoint) -> None:
    headers, body = message(webhook)
    late = datetime.now(UTC) - timedelta(minutes=6)
    for wrong, text in (
        (headers, body.replace("changed", "gone")),
        ({**headers, "webhook-id": "msg_2"}, body),
        ({**headers, "webhook-signature": "v1,AAAA"}, body),
        ({**headers, "webhook-signature": ""}, body),
        message(webhook, late),
        message(Webhook.objects.create(url=relay)),
    ):
        assert post(relay, wrong, text).status == 401
    with pytest.raises(Unanswered):
        post(relay, {}, body)

    assert endpoint.received == []
    assert post(relay, headers, body).status == 204


def test_the_relay_hides_no_refusal_of_github(webhook: Webhook, relay: str, endpoint: Endpoint) -> None:
    endpoint.answer = 403

    with pytest.raises(Unanswered):
        post(relay, *message(webhook))


def test_the_relay_is_as_short_as_it_is_said_to_be() -> None:
    lines = [line for line in saved("relay.py").splitlines() if line.strip()]

    assert len(lines) <= 30


# The workflow by the clock


@contextmanager
def site(pages: dict[str, bytes]) -> Iterator[str]:
    """Serve pages by their paths, others not."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def look(settings: Any, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return a function that runs the guide's script, and returns what it tells the workflow."""
    settings.PUBLIC_READ = True
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    (tmp_path / "changed.py").write_text(saved("changed.py"))
    pages: dict[str, bytes] = {}

    def publish(address: str, page: str = "/api/public/manifest/?limit=2") -> None:
        """Put what Folio answers now among the pages; two entries to a page, for the script has to turn them."""
        for path in [path for path in pages if path.startswith("/api/")]:
            del pages[path]
        following: str | None = f"{address}{page}"
        while following is not None:
            path = following.removeprefix(address)
            content = Client().get(path, HTTP_HOST=address.removeprefix("http://")).content
            pages["/api/public/manifest/" if path == page else path] = content
            following = json.loads(content)["next"]

    with site(pages) as address:

        def look(*, is_built: bool = True, is_open: bool = True) -> str:
            publish(address) if is_open else pages.clear()
            output = tmp_path / "output"
            output.write_text("")
            variables = {"FOLIO": address, "SITE": address, "GITHUB_OUTPUT": str(output), "no_proxy": "*"}
            ran = subprocess.run(
                [sys.executable, "changed.py"],
                cwd=tmp_path,
                env=variables,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            assert (ran.returncode == 0) is is_open, ran.stderr
            if is_built and is_open:  # and so `cp manifest.json dist/` is done
                pages["/manifest.json"] = (tmp_path / "manifest.json").read_bytes()
            return output.read_text() + ran.stderr

        yield look


def test_the_workflow_builds_what_has_changed_and_nothing_else(look: Callable[..., str]) -> None:
    portfolios = [make_portfolio() for _ in range(5)]

    assert look(is_built=False) == "changed=true\n"
    assert look() == "changed=true\n"
    assert look() == "changed=false\n"
    portfolios[4].title = "Another title"
    portfolios[4].save()
    assert look() == "changed=true\n"
    portfolios[0].delete()
    assert look() == "changed=true\n"
    make_portfolio(is_active=False)
    assert look() == "changed=false\n"


def test_the_workflow_fails_where_there_is_no_manifest(look: Callable[..., str]) -> None:
    assert "Is public reading on?" in look(is_open=False)


def test_the_workflow_is_one_and_runs_the_script() -> None:
    workflow = yaml.safe_load(saved(WORKFLOW))
    steps = workflow["jobs"]["build"]["steps"]

    assert list(workflow) == ["name", True, "concurrency", "jobs"]  # YAML reads `on` as a boolean, GitHub does not
    assert list(workflow[True]) == ["workflow_dispatch", "push", "schedule"]
    assert list(workflow["jobs"]["build"]["env"]) == ["FOLIO", "SITE"]
    assert [step.get("run", "").split()[:2] for step in steps[:2]] == [[], ["python3", "changed.py"]]
    assert steps[1]["id"] == "look"
    for step in steps[2:]:
        assert step["if"] == "github.event_name != 'schedule' || steps.look.outputs.changed == 'true'"
    assert "cp manifest.json dist/" in steps[2]["run"]


# The reference's functions


def test_the_function_in_python_takes_what_is_signed_alone(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", secret_of(webhook))
    names: dict[str, Any] = {}
    exec(shown("python"), names)
    headers, body = message(webhook)

    assert names["message_of"](headers, body.encode())["data"]["portfolios"][0]["slug"] == "hafen-möwe"
    with pytest.raises(WebhookVerificationError):
        names["message_of"](headers, body.replace("7", "8").encode())
    with pytest.raises(WebhookVerificationError):
        names["message_of"](*message(webhook, datetime.now(UTC) - timedelta(minutes=6)))


CALL = """
import { isFromFolio } from "./check.mjs";
const given = JSON.parse(process.argv[2]);
console.log(JSON.stringify(given.map(([headers, body]) => isFromFolio(headers, Buffer.from(body)))));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="It needs Node.")
def test_the_function_in_javascript_takes_what_is_signed_alone(webhook: Webhook, tmp_path: Path) -> None:
    (tmp_path / "check.mjs").write_text(shown("js"))
    (tmp_path / "call.mjs").write_text(CALL)
    headers, body = message(webhook)
    several = {**headers, "webhook-signature": f"v2,AAAA v1,AAAA {headers['webhook-signature']}"}
    right = [[headers, body], [several, body]]
    wrong = [
        [headers, body.replace("7", "8")],
        [{**headers, "webhook-id": "msg_2"}, body],
        [{**headers, "webhook-timestamp": "soon"}, body],
        [{**headers, "webhook-signature": "v1"}, body],
        [{**headers, "webhook-signature": headers["webhook-signature"].replace("v1,", "v1a,")}, body],
        [{}, body],
        list(message(webhook, datetime.now(UTC) - timedelta(minutes=6))),
        list(message(webhook, datetime.now(UTC) + timedelta(minutes=6))),
    ]

    ran = subprocess.run(
        ["node", "call.mjs", json.dumps([*right, *wrong])],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret_of(webhook)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert json.loads(ran.stdout) == [True] * len(right) + [False] * len(wrong), ran.stderr
