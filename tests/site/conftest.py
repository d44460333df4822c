"""The ready site: built by Node from servers of its own, and looked at in a real browser."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import FLAGS, chromium
from tests.live import Server, Session, photograph, running_demo

from .building import TOOLS, Build, Served, served
from .tabs import Tab, tabs_of

LONG = (
    "A title that goes on and on, as titles of exhibitions do, about the harbour, its boats, the people who mended them"
)
EVERYTHING = """## What it was

A text with **all** there is:

| bag | coffee |
|---|---|
| red | Guji |

- one
- two

> A word of somebody else.

```
code
```

![A picture](https://pictures.example.com/one.png) and <script>alert(1)</script>
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("site"))


def missing(message: str) -> None:
    if os.environ.get("CI_STRICT"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    """What builds the site, which `make test` and `make site` fetch."""
    if not TOOLS.is_dir():
        missing("These need npm (on Debian: apt-get install npm), and `make test` once.")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        missing("These need Chromium (on Debian: apt-get install chromium).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the sample content, and one work with all that there can be of it."""
    with running_demo(tmp_path_factory.mktemp("folio")) as server:
        server.key = server.folio("createtoken", "builder", "--admin").strip()
        with server.session(server.key) as api:
            add_everything(api)
        yield server


def created(api: Session, path: str, **options: Any) -> dict[str, Any]:
    answer = api.post(path, **options)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def uploaded(api: Session, name: str, content: bytes, **data: str) -> int:
    return int(created(api, "/api/media/", files={"file": (name, content)}, data=data)["id"])


def add_everything(api: Session) -> None:
    temple = uploaded(api, "china.jpg", photograph("china.jpg"), alt='A temple & a "garden"')
    flower = uploaded(api, "flower.jpg", photograph("flower.jpg"), alt="")
    tag = created(api, "/api/tags/", json={"name": "تایپوگرافی"})["id"]
    work = {
        "title": "Everything <b>there</b> is",
        "slug": "everything",
        "excerpt": "All of it & more.",
        "description": EVERYTHING,
        "image": temple,
        "images": [flower, temple],
        "captions": {str(flower): "In the <i>morning</i>"},
        "tags": [tag],
        "order": 200,
        "completed_at": "2021-02-03",
        "employer": created(api, "/api/employers/", json={"name": "Museum & Sons"})["id"],
        "links": [
            {"name": "Site", "url": "https://example.com/?a=1&b=2", "description": "Where it is"},
            {"name": "Not a link", "url": None},
        ],
        "meta": [
            {"key": "Award", "value_text": "A </script><script>alert(1)</script> prize"},
            {"key": "Sketch", "value_file": temple},
            {"key": "Notes", "value_text": "Read them", "value_file": uploaded(api, "notes.txt", b"Some notes.\n")},
        ],
    }
    created(api, "/api/portfolios/", json=work)
    created(api, "/api/portfolios/", json={"title": LONG, "slug": "long", "excerpt": "It is long.", "order": 201})
    persian = {"title": "پوستر نمایشگاه کتاب تهران", "slug": "پوستر", "excerpt": "پوستری با یک حرف.", "order": 202}
    created(api, "/api/portfolios/", json={**persian, "tags": [tag], "image": flower})


@pytest.fixture(scope="package")
def site(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The site of the sample content, which no test changes."""
    build = Build(tmp_path_factory.mktemp("site"), server.url)
    build.run()
    return build


@pytest.fixture(scope="package")
def served_site(site: Build) -> Iterator[Served]:
    with served(site) as found:
        yield found


@pytest.fixture
def tab_for(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """Return a function that opens a tab; the pictures in it are tiny, unless it shall have the real ones."""
    with tabs_of(browser) as open_tab:
        yield open_tab
