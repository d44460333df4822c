import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client as Site

DOCS = "/api/docs/"


@pytest.fixture
def page() -> str:
    answer = Site().get(DOCS)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def script(page: str) -> str:
    """What starts Swagger UI: an answer of its own, as the page may run nothing that is written into it."""
    (address,) = re.findall(r'src="(/api/[^"]+)"', page)
    answer = Site().get(address)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/javascript"
    return answer.content.decode()


def test_loads_only_files_of_this_server(page: str) -> None:
    addresses = [address for address in re.findall(r'(?:src|href)="([^"]+)"', page) if not address.startswith(DOCS)]

    assert len(addresses) == 4
    for address in addresses:
        assert address.startswith("/static/")
        assert finders.find(address.removeprefix("/static/"))
    assert "https://" not in page


def test_runs_no_script_that_is_written_into_it(page: str) -> None:
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|javascript:", page)
    policy = Site().get(DOCS).headers["Content-Security-Policy"]

    assert "default-src 'none'; script-src 'self';" in policy
    assert "unsafe-eval" not in policy


def test_describes_the_api_of_this_server(script: str) -> None:
    (url,) = re.findall(r'url: "([^"]+)"', script)

    assert url == "/api/schema/"
    assert Site().get(url).json()["openapi"].startswith("3.1")


def test_takes_a_key_in_the_header_that_the_api_reads() -> None:
    scheme: Any = Site().get("/api/schema/").json()["components"]["securitySchemes"]["Token"]

    assert {name: scheme[name] for name in ("type", "in", "name")} == {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
    }


def test_puts_the_word_before_a_key_that_was_pasted_without_it(script: str) -> None:
    """What the function does takes a browser to see; that it is named last, and so the one that is used, does not."""
    interceptor: Any = settings.SPECTACULAR_SETTINGS["SWAGGER_UI_SETTINGS"]

    assert f"const swaggerSettings = {interceptor};" in script
    assert "`Token ${given}`" in interceptor
    assert script.index("  requestInterceptor,") < script.index("  ...swaggerSettings,")
