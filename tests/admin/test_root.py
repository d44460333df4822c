"""What a server says at its root, and to those who ask for a sign or whether they may crawl."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import get_script_prefix, reverse, set_script_prefix
from PIL import Image

from folio.admin.policies import page_policy
from folio.api.handler import Handler
from tests.wsgi import ask


@pytest.fixture
def under_a_path(settings: Any) -> Iterator[Handler]:
    """A server that shares its host with others, as FOLIO_PUBLIC_URL says."""
    prefix = get_script_prefix()
    settings.PUBLIC_URL = "https://example.com/folio"
    settings.ALLOWED_HOSTS = ["*"]
    settings.FORCE_SCRIPT_NAME = "/folio"
    yield Handler()
    set_script_prefix(prefix)


def test_says_what_runs_here_and_leads_on() -> None:
    response = Client().get("/")

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    page = response.content.decode()
    assert "Folio</h1>" in page
    assert "websites read it over a REST API" in page
    assert re.findall(r'<a href="([^"]+)"', page) == [reverse("docs"), reverse("admin:index")]


def test_keeps_to_the_policy_of_pages() -> None:
    response = Client().get("/")

    assert response.headers["Content-Security-Policy"] == page_policy()
    page = response.content.decode()
    assert "<script" not in page
    assert "<style" not in page
    assert "style=" not in page


def test_asks_no_database_and_sets_no_cookie() -> None:
    response = Client().get("/")  # without its mark, a test that asks the database fails

    assert not response.cookies


def test_leads_on_below_a_path(under_a_path: Handler) -> None:
    page = ask(under_a_path, "GET", "/", headers={"Accept-Language": "fa"}).content.decode()

    assert re.findall(r'<a href="([^"]+)"', page) == ["/folio/api/docs/", "/folio/admin/"]
    assert 'lang="en-us"' in page


def test_has_a_sign() -> None:
    response = Client().get("/favicon.ico")

    assert response.headers["Content-Type"] == "image/x-icon"
    assert "max-age" in response.headers["Cache-Control"]
    assert Image.open(BytesIO(response.content)).info["sizes"] == {(16, 16), (32, 32)}


def test_lets_crawlers_read_the_media_alone() -> None:
    response = Client().get("/robots.txt")

    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content == b"User-agent: *\nAllow: /media/\nDisallow: /\n"


def test_tells_crawlers_the_paths_that_they_see(under_a_path: Handler) -> None:
    assert b"Allow: /folio/media/\nDisallow: /folio/\n" in ask(under_a_path, "GET", "/robots.txt").content


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/robots.txt"])
def test_is_only_read(path: str) -> None:
    client = Client(enforce_csrf_checks=True)

    assert client.head(path).status_code == 200
    assert client.head(path).content == b""
    for method in ("post", "put", "patch", "delete"):
        response = getattr(client, method)(path)
        assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
