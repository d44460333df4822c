"""The files for Compose are of its schema, ask for what they need, and let no service do more than it has to."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.environment import ROOT, variables_read
from tests.papers import blocks_of

pytestmark = pytest.mark.any_database

FULL, SMALL = ROOT / "compose.yaml", ROOT / "compose.small.yaml"
EXAMPLE = ROOT / "deploy" / "compose.env.example"
FILES = pytest.mark.parametrize("path", [FULL, SMALL], ids=lambda path: path.name)
VARIABLE = re.compile(r"\$\{(\w+)(:\?|:-)?([^}]*)\}")
STOP = 8 + 1  # seconds that Folio takes to stop, without a drain


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def services(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read(path)["services"]
    return found


@FILES
def test_it_is_of_the_schema_of_compose(path: Path) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    command = [str(program), "--builtin-schema", "vendor.compose-spec", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stdout + done.stderr


@FILES
def test_no_service_has_more_rights_than_it_needs(path: Path) -> None:
    for name, service in services(path).items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else []), name
        assert "/tmp" in " ".join(service["tmpfs"]), name
        assert not {"privileged", "network_mode", "pid", "devices"} & service.keys(), name
        for volume in service.get("volumes", []):
            assert not volume.startswith("./") or volume.endswith(":ro"), volume


@FILES
def test_each_service_has_bounds_and_tells_how_it_is(path: Path) -> None:
    for name, service in services(path).items():
        assert {"mem_limit", "pids_limit", "stop_grace_period", "healthcheck", "logging"} <= service.keys() | (
            {"healthcheck"} if name == "folio" else set()  # the image has one
        ), name
        assert service["restart"] == ("no" if name == "bucket" else "unless-stopped")


@FILES
def test_folio_has_more_time_to_stop_than_it_takes(path: Path) -> None:
    assert int(services(path)["folio"]["stop_grace_period"].removesuffix("s")) > 2 * STOP


@FILES
def test_only_caddy_can_be_reached_from_outside(path: Path) -> None:
    assert {name for name, service in services(path).items() if "ports" in service} == {"caddy"}
    if path == FULL:
        assert read(path)["networks"]["back"] == {"internal": True}
        assert {name for name, each in services(path).items() if each["networks"] == ["back"]} == {
            "bucket",
            "database",
            "s3",
        }


@FILES
def test_each_starts_after_what_it_needs_and_the_networks_and_volumes_are_there(path: Path) -> None:
    content = read(path)
    for service in services(path).values():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services(path)
            assert how["condition"] in {"service_healthy", "service_completed_successfully", "service_started"}
        assert set(service["networks"]) <= content["networks"].keys()
        volumes = {volume.split(":")[0] for volume in service.get("volumes", []) if not volume.startswith("./")}
        assert volumes <= content["volumes"].keys()
        for volume in service.get("volumes", []):
            assert not volume.startswith("./") or (ROOT / volume.split(":")[0]).is_file(), volume


@FILES
def test_each_variable_is_in_the_example_and_what_has_no_default_says_what_it_is(path: Path) -> None:
    example = EXAMPLE.read_text()
    text = re.sub(r"\s#.*", "", path.read_text())
    found = {name: (how, word) for name, how, word in VARIABLE.findall(text)}

    for name, (how, word) in found.items():
        assert re.search(rf"^(# )?{name}=", example, re.MULTILINE), name
        assert how in {":?", ":-"}, name
        if how == ":?":
            assert len(word.split()) > 3, "it says in words what is missing"
            assert re.search(rf"^{name}=$", example, re.MULTILINE), f"{name} has to be filled in"
    assert not re.search(r"\$[A-Za-z]", text)


def test_the_example_has_no_variable_that_no_file_asks_for() -> None:
    asked = {name for path in (FULL, SMALL) for name, _, _ in VARIABLE.findall(path.read_text())}

    assert set(re.findall(r"^(?:# )?([A-Z_]+\d?[A-Z_]*)=", EXAMPLE.read_text(), re.MULTILINE)) == asked


@FILES
def test_folio_knows_each_variable_that_it_is_given(path: Path) -> None:
    given = services(path)["folio"]["environment"]

    assert {name for name in given if name.startswith("FOLIO_") or name == "DATABASE_URL"} <= variables_read()
    assert not {name for name in services(path)["caddy"]["environment"] if name.startswith("FOLIO_")}


def test_pg_dump_in_the_image_is_of_the_databases_release() -> None:
    """Debian's name goes with the release of PostgreSQL that it has."""
    base = re.findall(r"^ARG PYTHON=\S+-slim-(\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert services(FULL)["database"]["image"] == f"postgres:{ {'bookworm': 15, 'trixie': 17}[base[0]] }-{base[0]}"


def test_both_files_say_the_same_of_what_they_share() -> None:
    full, small = read(FULL), read(SMALL)

    assert full["x-hardened"] == small["x-hardened"]
    assert full["networks"]["front"] == small["networks"]["front"]
    for name in ("image", "ports", "healthcheck", "cap_add"):
        assert full["services"]["caddy"][name] == small["services"]["caddy"][name], name
    assert json.dumps(full["services"]["folio"]["build"]) == json.dumps(small["services"]["folio"]["build"])


def test_the_guides_commands_fill_in_all_passwords(tmp_path: Path) -> None:
    blocks = [
        block.text for block in blocks_of((ROOT / "docs/guides/containers.md").read_text()) if block.kind == "bash"
    ]
    commands = [text for text in blocks if "docker" not in text and "git" not in text]
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / EXAMPLE.name).write_text(EXAMPLE.read_text())

    for text in commands:
        subprocess.run(["bash", "-euc", text], cwd=tmp_path, check=True, timeout=60)

    made = (tmp_path / ".env").read_text()
    required = {name for name, how, _ in VARIABLE.findall(FULL.read_text()) if how == ":?"}
    assert set(re.findall(r"^(\w+)=$", made, re.MULTILINE)) == {"SITE"}, "which the reader writes"
    assert set(re.findall(r"^(\w+)=[0-9a-f]{48}$", made, re.MULTILINE)) == required - {"SITE"}
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert len(commands) == 2
