"""The units for systemd: they are right, harden what they can, and let Folio do its work."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from folio.server.processes import MIN_THREADS
from tests.environment import ROOT
from tests.programs import found

pytestmark = pytest.mark.any_database

ONE, TWO = ROOT / "deploy" / "folio.service", ROOT / "deploy" / "folio@.service"
EXPOSURE = 1.6  # of 10, as systemd 252 counts
PROGRAM = "/opt/folio/.venv/bin/folio"


def analyze() -> str:
    return found(shutil.which("systemd-analyze"), "systemd-analyze", "systemd")


def settings(unit: Path) -> dict[str, list[str]]:
    """Return what a unit says, each setting with all its values in order."""
    pairs = [line.partition("=") for line in unit.read_text().splitlines() if re.match(r"[A-Z]\w+=", line)]
    return {name: [value for each, _, value in pairs if each == name] for name, _, _ in pairs}


@pytest.mark.parametrize("unit", [ONE, TWO], ids=lambda unit: unit.name)
def test_systemd_finds_no_fault(unit: Path, tmp_path: Path) -> None:
    """Only the program is another: one that is there."""
    name = unit.name.replace("@.", "@a.")
    copy = tmp_path / name
    copy.write_text(unit.read_text().replace(PROGRAM, "/bin/true"))

    done = subprocess.run([analyze(), "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60)

    own = [line for line in done.stderr.splitlines() if name in line]
    assert (done.returncode, own) == (0, [])


@pytest.mark.parametrize("unit", [ONE, TWO], ids=lambda unit: unit.name)
def test_what_a_broken_in_server_could_reach_is_little(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name.replace("@.", "@a.")
    copy.write_text(unit.read_text().replace(PROGRAM, "/bin/true"))

    bound = ["--offline=true", f"--threshold={EXPOSURE * 10:.0f}", "--no-pager"]
    done = subprocess.run([analyze(), "security", *bound, str(copy)], capture_output=True, text=True, timeout=60)

    told = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert told is not None, done.stderr
    assert float(told[1]) <= EXPOSURE, done.stdout
    assert done.returncode == 0


def test_the_two_are_alike_but_for_where_they_listen_what_they_take_and_who_migrates() -> None:
    one, two = settings(ONE), settings(TWO)
    differing = {name for name in one.keys() | two.keys() if one.get(name) != two.get(name)}

    assert differing == {"Description", "RuntimeDirectory", "ExecStart", "MemoryMax"}
    [alone], [each] = one["ExecStart"], two["ExecStart"]
    assert each == alone.replace("/run/folio/", "/run/folio-%i/") + " --no-migrate"


def test_a_stop_has_more_time_than_folio_takes() -> None:
    [seconds] = settings(ONE)["TimeoutStopSec"]

    assert int(seconds) > 8 + 30, "requests have 8 seconds, and FOLIO_DRAIN_SECONDS may be half a minute"


def test_a_worker_that_the_system_kills_stops_no_other() -> None:
    assert settings(ONE)["OOMPolicy"] == ["continue"]
    assert settings(ONE)["Restart"] == ["always"]
    assert settings(ONE)["StartLimitIntervalSec"] == ["0"]


def test_there_is_room_for_threads_and_connections() -> None:
    unit = settings(ONE)

    assert int(unit["TasksMax"][0]) >= 16 * MIN_THREADS
    assert int(unit["LimitNOFILE"][0]) >= 4096


def test_the_sockets_are_those_that_the_proxies_ask() -> None:
    nginx, caddy = ((ROOT / "deploy" / name).read_text() for name in ("nginx.conf", "Caddyfile"))

    for name in "ab":
        assert f"unix:/run/folio-{name}/folio.sock" in nginx
    assert "unix//run/folio/folio.sock" in caddy
    assert "--uds /run/folio/folio.sock" in settings(ONE)["ExecStart"][0]
