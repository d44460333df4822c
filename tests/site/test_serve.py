"""The site as `make site` serves it: it follows Folio, by asking or by a webhook."""

import base64
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from .building import SECRET, SITE, TOOLS, Build, Served, post, served, signed
from .fake import Fake, folio


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


def test_one_process_builds_again_until_a_file_of_the_site_changes(build: Build, fake: Fake, tmp_path: Path) -> None:
    build.program = tmp_path / "program"
    shutil.copytree(SITE, build.program, ignore=shutil.ignore_patterns("node_modules", "_site", ".cache"))
    (build.program / "node_modules").symlink_to(TOOLS)
    with served(build, SITE_WEBHOOK_SECRET=SECRET) as site:
        began = site.builders()
        for number in (2, 3):
            fake.entries[1]["title"] = f"Renamed {number} times"
            assert post(site, signed()) == 204
            site.wait_for("pages built", number)
            assert fake.entries[1]["title"] in site.get("/work/work-2/").text
        assert site.builders() == began

        template = build.program / "templates/work.js"
        template.write_text(template.read_text().replace("<article>", '<article class="mine">'))
        until_shown(site, "/work/work-2/", '<article class="mine">')
        assert set(site.builders()).isdisjoint(began)
        assert "Renamed 3 times" in site.get("/work/work-2/").text


def test_what_another_build_wrote_meanwhile_is_taken_for_the_last(build: Build, fake: Fake) -> None:
    with served(build, SITE_WEBHOOK_SECRET=SECRET) as site:
        fake.entries[1]["title"] = "Renamed"
        build.variables["SITE_URL"] = site.url + "/elsewhere"
        built, pages, _ = build.run()
        assert built == pages

        assert post(site, signed()) == 204

        site.wait_for(f"{pages} of {pages} pages built", 2)  # the first one, and this
        assert "/elsewhere" not in site.get("/work/work-2/").text


def test_the_process_that_builds_ends_with_the_one_that_serves(build: Build) -> None:
    with served(build) as site:
        builders = site.builders()
        site.process.kill()
        deadline = time.monotonic() + 60
        while any(is_running(pid) for pid in builders):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    assert builders


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


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
