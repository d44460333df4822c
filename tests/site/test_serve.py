"""The site as `make site` serves it: it follows Folio, by asking or by a webhook."""

import base64
import hmac
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from .building import Build, Served, served
from .fake import Fake, folio

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four.").decode()
BODY = b'{"type": "portfolios.changed", "data": {"portfolios": null, "manifest": true}}'


@pytest.fixture
def fake() -> Iterator[Fake]:
    with folio(3) as fake:
        yield fake


@pytest.fixture
def build(fake: Fake, tmp_path: Path) -> Build:
    return Build(tmp_path, fake.url)


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A site that hears webhooks, of which none is to be believed."""
    with folio(1) as fake:
        build = Build(tmp_path_factory.mktemp("hearing"), fake.url)
        with served(build, SITE_WEBHOOK_SECRET=SECRET) as site:
            yield site


def signed(body: bytes = BODY, *, secret: str = SECRET, age: int = 0) -> dict[str, str]:
    """Return the headers by which the Standard Webhooks specification says who sent a message, and when."""
    moment = str(int(time.time()) - age)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = hmac.digest(key, f"msg_1.{moment}.".encode() + body, "sha256")
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": moment,
        "webhook-signature": f"v1a,AAAA v1,{base64.b64encode(signature).decode()}",
    }


def post(site: Served, headers: dict[str, str], body: bytes = BODY) -> int:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{site.url}/hooks/folio", data=body, headers=headers, timeout=30).status_code


def until_shown(site: Served, path: str, words: str) -> None:
    deadline = time.monotonic() + 60
    while words not in site.get(path).text:
        assert time.monotonic() < deadline, site.log.read_text()
        time.sleep(0.1)


def test_a_signed_webhook_builds_the_site_again(build: Build, fake: Fake) -> None:
    with served(build, SITE_WEBHOOK_SECRET=SECRET) as site:
        fake.entries[1]["title"] = "Renamed"

        assert post(site, signed()) == 204

        until_shown(site, "/work/work-2/", "Renamed")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(b"another body"),
        signed(secret="whsec_" + base64.b64encode(b"another secret, as long.").decode()),
        signed(age=600),
        {**signed(), "webhook-signature": "v1,"},
        {**signed(), "webhook-id": "msg_2"},
    ],
    ids=["none", "another body", "another secret", "old", "empty", "another id"],
)
def test_a_webhook_that_is_not_signed_does_nothing(hearing: Served, headers: dict[str, str]) -> None:
    assert post(hearing, headers) == 401
    assert "told of a change" not in hearing.log.read_text()


def test_what_changes_is_found_by_asking(build: Build, fake: Fake) -> None:
    with served(build, SITE_POLL_SECONDS="1") as site:
        fake.entries[1]["title"] = "Renamed"

        until_shown(site, "/work/work-2/", "Renamed")


def test_files_are_served_as_a_host_would(build: Build) -> None:
    with served(build) as site:
        page = site.get("/")
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert page.headers["Content-Encoding"] == "gzip"
        assert site.get("/", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
        moved = site.get("/work/work-1?a=1", allow_redirects=False)
        assert (moved.status_code, moved.headers["Location"]) == (301, "/work/work-1/?a=1")
        missing = site.get("/nowhere/")
        assert missing.status_code == 404
        assert "There is no such page" in missing.text
        for path in ("/%2e%2e/serve.log", "/..%2fserve.log", "/%zz", "/%00"):
            assert site.get(path).status_code == 404, path
        with requests.Session() as session:
            session.trust_env = False
            assert session.post(site.url, timeout=30).status_code == 405
        assert post(site, signed()) == 405  # no webhook without a secret
