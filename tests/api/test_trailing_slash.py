from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from folio.portfolios.models import Tag
from tests.conftest import Client
from tests.factories import make_tag

pytestmark = pytest.mark.django_db

PATHS = [
    "/api/portfolios",
    "/api/portfolios/7",
    "/api/portfolios/slug/web-design",
    "/api/employers",
    "/api/tags/7",
    "/api/links",
    "/api/meta",
    "/api/media",
    "/api/auth/token",
    "/api/auth/me",
    "/api/auth/permissions",
    "/api/auth/tokens",
    "/api/auth/tokens/7",
    "/api/webhooks",
    "/api/webhooks/7",
    "/api/webhooks/7/secret",
    "/api/webhooks/7/deliveries",
    "/api/webhooks/deliveries/7/send",
    "/api/schema",
    "/api/docs",
]


@pytest.fixture(params=[False, True], ids=["production", "debug"], autouse=True)
def debug(request: pytest.FixtureRequest, settings: Any) -> None:
    """Run each test without and with FOLIO_DEBUG, in which Django itself would raise instead of redirecting."""
    settings.DEBUG = request.param


@pytest.mark.parametrize("path", PATHS)
def test_a_read_redirects_with_301(path: str) -> None:
    response = Client().get(path)

    assert response.status_code == 301
    assert response.headers["Location"] == f"{path}/"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_write_redirects_with_308(method: str, path: str) -> None:
    response = getattr(Client(), method)(path, {"title": "x"})

    assert response.status_code == 308
    assert response.headers["Location"] == f"{path}/"


def test_a_head_redirects_as_a_read() -> None:
    response = Client().head("/api/portfolios")

    assert response.status_code == 301
    assert response.headers["Location"] == "/api/portfolios/"


def test_keeps_the_query_string_as_it_was_written() -> None:
    query = "search=site&has_image=True&limit=20&tags_in=1,%202&slug=%D9%88%D8%A8"

    read = Client().get(f"/api/portfolios?{query}")
    write = Client().post(f"/api/portfolios?{query}")

    assert read.headers["Location"] == f"/api/portfolios/?{query}"
    assert write.headers["Location"] == f"/api/portfolios/?{query}"


def test_a_followed_read_answers_as_if_the_slash_had_been_there(client: Client) -> None:
    make_tag(name="print")
    make_tag(name="web")

    response = client.get("/api/tags?search=pri", follow=True)

    assert response.status_code == 200
    assert [row["name"] for row in response.json()["results"]] == ["print"]


def test_a_followed_write_keeps_its_method_and_body(client: Client) -> None:
    tag = make_tag(name="print")

    created = client.post("/api/tags", {"name": "web"}, follow=True)
    changed = client.patch(f"/api/tags/{tag.pk}", {"name": "paper"}, follow=True)

    assert created.status_code == 201
    assert created.json()["name"] == "web"
    assert changed.status_code == 200
    assert set(Tag.objects.values_list("name", flat=True)) == {"paper", "web"}


def test_redirects_before_it_asks_who_it_is(client_for: Callable[..., Client], stranger: User) -> None:
    anonymous, not_allowed = Client(), client_for(stranger)
    bad_key = Client()
    bad_key.credentials(HTTP_AUTHORIZATION="Token unknown")

    for client in (anonymous, not_allowed, bad_key):
        assert client.get("/api/tags").status_code == 301
        assert client.post("/api/tags", {"name": "x"}).status_code == 308
    assert not Tag.objects.exists()


def test_redirects_before_it_reads_the_query_and_the_body() -> None:
    assert Client().get("/api/tags?no_such=parameter").status_code == 301
    assert Client().post("/api/tags", b"{", content_type="application/json").status_code == 308
    assert Client().post("/api/tags", b"x", content_type="text/plain").status_code == 308


def test_redirects_to_a_method_that_is_then_refused(client: Client) -> None:
    assert client.put("/api/tags").status_code == 308
    assert client.put("/api/tags", follow=True).status_code == 405


def test_a_slug_keeps_its_percent_encoding() -> None:
    response = Client().get("/api/portfolios/slug/%D9%88%D8%A8-%D8%B3%D8%A7%DB%8C%D8%AA")

    assert response.status_code == 301
    assert response.headers["Location"] == "/api/portfolios/slug/%D9%88%D8%A8-%D8%B3%D8%A7%DB%8C%D8%AA/"


@pytest.mark.parametrize("path", ["/api/nothing", "/api/portfolios/x", "/api/portfolios/7/more", "/api/portfolios//"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_path_is_a_404(client: Client, method: str, path: str) -> None:
    response = getattr(client, method)(path)

    assert response.status_code == 404
    assert "Location" not in response.headers
    assert list(response.json()) == ["detail"]


@pytest.mark.parametrize("path", ["//evil.example/api/portfolios", "/api//evil.example/portfolios", "/api//"])
def test_leads_to_no_other_host(path: str) -> None:
    response = Client().generic("GET", "/", PATH_INFO=path)

    assert response.status_code == 404
    assert "Location" not in response.headers


def test_redirects_nothing_that_has_its_slash(client: Client) -> None:
    response = client.get("/api/tags/")

    assert response.status_code == 200
    assert "Location" not in response.headers
