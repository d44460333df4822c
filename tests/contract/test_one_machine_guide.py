"""The guide to one machine of 1 GB, followed to the letter, with stand-ins for what only root of a new one can do."""

import re
import shutil
from collections.abc import Iterator

import pytest

from folio.media.bounds import most_pixels
from tests.environment import ROOT
from tests.live import Session
from tests.one_machine import GUIDE, Walk, a_machine, commands_of, files_of
from tests.papers import blocks_of
from tests.programs import found
from tests.stand_ins import NOTHING, PASSWORD

PAGE = GUIDE.read_text()
pytestmark = [pytest.mark.any_database, pytest.mark.timeout(900)]  # a machine of its own, on SQLite


@pytest.fixture(scope="module")
def walk() -> Iterator[Walk]:
    for program in ("caddy", "git", "make", "node", "curl"):
        found(shutil.which(program), program, program)
    if not (ROOT / "site" / "node_modules").is_dir():
        pytest.skip("What builds the website is not installed.")
    with a_machine() as walk:
        assert list(walk.follow())
        yield walk


def browser(walk: Walk, name: str) -> Session:
    session = Session(walk.here(f"https://{name}"))
    session.verify = walk.variables["CURL_CA_BUNDLE"]
    return session


def test_serves_folio_behind_caddy(walk: Walk) -> None:
    assert '"status":"ready"' in walk.step("readyz").printed
    with browser(walk, "api.studio.example") as visitor:
        listed = visitor.get("/api/public/portfolios/?fields=slug").json()

    assert listed["results"] == [{"slug": "harbour"}]
    assert "Traceback" not in walk.log("folio")


def test_serves_the_website_and_its_own_page_for_what_is_not_there(walk: Walk) -> None:
    [shown] = [block.text for block in blocks_of(PAGE) if block.kind == "text" and "<title>" in block.text]
    assert walk.step("folio-site.timer").printed.endswith(shown)
    with browser(walk, "studio.example") as visitor:
        first, missing = visitor.get("/"), visitor.get("/no/such/page/")
        style = re.search(r'"(/assets/[^"]+\.css)"', first.text)
        assert style
        kept = visitor.get(style[1]).headers["Cache-Control"]

    assert first.status_code == 200
    assert "Harbour" in first.text
    assert (missing.status_code, "text/html" in missing.headers["Content-Type"]) == (404, True)
    assert "immutable" in kept


def test_the_admin_can_sign_in(walk: Walk) -> None:
    with browser(walk, "api.studio.example") as visitor:
        signed_in = visitor.post("/api/auth/token/", json={"username": "ada", "password": PASSWORD})

    assert signed_in.status_code == 201, signed_in.text


def test_a_backup_is_made_by_the_server(walk: Walk) -> None:
    assert re.search(r"^last .* rows, .* media files", walk.step("--every 24h").printed, re.MULTILINE)
    assert list((walk.root / "var/backups/folio").iterdir())


def test_the_doctor_finds_no_fault(walk: Walk) -> None:
    assert " 0 faults" in walk.step("folio doctor").printed


def test_every_command_is_one_that_the_guide_installs_or_debian_has(walk: Walk) -> None:
    """What the stand-ins were called with is what the page says: none of its lines was skipped."""
    called = walk.called()
    for line in commands_of(PAGE):
        if line.split()[0] in NOTHING:
            assert walk.here(line).replace("'", "") in called, line
    assert {"/etc/folio.env", "/etc/folio-site.env", "/usr/local/sbin/folio"} == set(files_of(PAGE))


def test_the_pixels_that_it_promises_are_those_that_are_accepted() -> None:
    [memory] = map(int, re.findall(r'^FOLIO_DECODER_MEMORY="(\d+)"$', PAGE, re.MULTILINE))
    shown = {format: int(count) for format, count in re.findall(r"(JPEG|HEIC|PNG) of (\d+) million", PAGE)}

    assert {name: most_pixels(name, 120_000_000, memory) // 1_000_000 for name in ("JPEG", "HEIF", "PNG")} == {
        "JPEG": shown["JPEG"],
        "HEIF": shown["HEIC"],
        "PNG": shown["PNG"],
    }
