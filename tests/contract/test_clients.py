"""Clients that are generated from the APIs' own descriptions, compiled under strict rules and used against a server."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.environment import ROOT
from tests.live import Server, photograph, running_server

from .made import create

pytestmark = pytest.mark.any_database

CLIENTS = ROOT / "tests" / "clients"
TOOLS = CLIENTS / "node_modules"
DESCRIPTIONS = {"managing": "/api/schema/", "public": "/api/public/schema/"}
# openapi-python-client has to be told that what these hold is text: docs/reference/delivery.md.
XML = dict.fromkeys(["application/atom+xml", "application/xml"], "text/xml")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("clients"), FOLIO_PUBLIC_READ="true") as server:
        publish(server)
        yield server


def publish(server: Server) -> None:
    """Publish two works: one with all that there can be of it, one with next to nothing."""
    with server.session(server.key) as api:
        picture = {"file": ("china.jpg", photograph("china.jpg"))}
        image = api.post("/api/media/", files=picture, data={"alt": "A temple"}).json()["id"]
        create(
            api,
            "/api/portfolios/",
            title="Full",
            slug="full",
            excerpt="All of it.",
            description="# Much",
            image=image,
            images=[image],
            captions={str(image): "In the morning"},
            employer=create(api, "/api/employers/", name="Museum", image=image)["id"],
            tags=[create(api, "/api/tags/", name="Print")["id"]],
            completed_at="2024-05-06",
            links=[{"name": "Site", "url": "https://example.com"}],
            meta=[{"key": "area", "value_text": "120 m2", "value_file": image}],
        )
        create(api, "/api/portfolios/", title="Plain", slug="plain", excerpt="Little of it.")


@pytest.fixture
def tools() -> Path:
    """Return the folder of what makes and compiles clients in TypeScript, which `make test` fetches."""
    if not TOOLS.is_dir():
        message = "These need npm (on Debian: apt-get install npm), and `make test` once."
        if os.environ.get("CI_STRICT"):
            pytest.fail(message)
        pytest.skip(message)
    return TOOLS


def run(*arguments: str | Path, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # a generator calls ruff by its name
    done = subprocess.run(
        list(map(str, arguments)),
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def describe(server: Server, name: str, folder: Path) -> Path:
    """Fetch an API's description from the server, and return where it lies."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(server.session().get(DESCRIPTIONS[name]).json()))
    return path


@pytest.fixture
def compiled(tools: Path, server: Server, tmp_path: Path) -> Path:
    """Compile the programs of `tests/clients` with types that are made of the server's descriptions."""
    (tmp_path / "node_modules").symlink_to(tools)
    for name in ("package.json", "tsconfig.json", *(f"{name}.ts" for name in DESCRIPTIONS)):
        shutil.copy(CLIENTS / name, tmp_path)
    for name in DESCRIPTIONS:
        description = describe(server, name, tmp_path)
        run(tools / ".bin" / "openapi-typescript", description, "-o", f"{name}-api.d.ts", folder=tmp_path)
    run(tools / ".bin" / "tsc", "--project", ".", folder=tmp_path)
    return tmp_path


def test_typescript_clients_compile_and_work(compiled: Path, server: Server) -> None:
    managed = json.loads(run("node", "out/managing.js", server.url, server.key, folder=compiled))
    read = json.loads(run("node", "out/public.js", server.url, folder=compiled))

    assert managed == {
        "slug": "typed",
        "reason": "tag with this name already exists.",
        "completed": "2026-11-29T12:00:00Z",
        "found": ["typed"],
        "status": 204,
    }
    [first, second] = read.pop("pictures")
    assert 'type="image/avif"' in max(first, second)
    assert min(first, second) == ""
    assert read == {
        "count": 2,
        "captions": ["In the morning"],
        "next": read["next"],
        "years": [2024],
        "title": read["title"],
        "status": 404,
    }


def generated(server: Server, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Make a client in Python of a description, and import it."""
    package = f"folio_{name}_client"
    config = folder / "config.json"
    config.write_text(json.dumps({"content_type_overrides": XML}))
    run(
        Path(sys.executable).with_name("openapi-python-client"),
        *("generate", "--meta", "none", "--path", describe(server, name, folder), "--output-path", package),
        *("--config", config),
        "--fail-on-warning",
        folder=folder,
    )
    monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module(package)


def test_a_python_client_of_the_managing_api_works(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = generated(server, "managing", tmp_path, monkeypatch)
    list_portfolios: Any = importlib.import_module(f"{package.__name__}.api.portfolios.portfolios_list")
    create_tag: Any = importlib.import_module(f"{package.__name__}.api.tags.tags_create")
    models: Any = importlib.import_module(f"{package.__name__}.models")

    with package.AuthenticatedClient(server.url, token=server.key, prefix="Token") as client:
        page = list_portfolios.sync(client=client, limit=2)
        refused = create_tag.sync(client=client, body=models.TagRequest(name=""))

    assert refused["name"] == ["This field may not be blank."]
    assert [row.title for row in page.results]
    assert page.results[0].created_at.tzinfo is not None


def test_a_python_client_of_what_is_published_works(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = generated(server, "public", tmp_path, monkeypatch)
    list_portfolios: Any = importlib.import_module(f"{package.__name__}.api.portfolios.list_portfolios")

    with package.Client(server.url) as client:
        page = list_portfolios.sync(client=client, limit=2)

    assert sorted(bool(row.cover and row.cover.sources) for row in page.results) == [False, True]
