"""FOLIO_PUBLIC_URL: one address from which everything follows that a client is told, whatever proxy stands between."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_script_prefix, set_script_prefix

from folio.admin.languages import LanguageMiddleware
from folio.api.handler import Handler
from tests.environment import run_folio, settings_of
from tests.factories import make_key, make_media, make_portfolio, make_tag, make_user
from tests.wsgi import Answer, ask

pytestmark = pytest.mark.django_db

PUBLIC = "https://api.example.com"
CHECK = ["check", "--deploy", "--fail-level", "WARNING"]
PASSWORD = "correct horse battery staple"
Serve = Callable[[str], Handler]


@pytest.fixture
def serve(settings: Any, tmp_path: Path) -> Any:
    """Return a function that gives the application as it runs with that FOLIO_PUBLIC_URL."""
    prefix = get_script_prefix()

    def serve(url: str) -> Handler:
        plain, public = settings_of(tmp_path / "data"), settings_of(tmp_path / "data", FOLIO_PUBLIC_URL=url)
        for name, value in public.items():
            if isinstance(value, str | int | list) and plain.get(name) != value:
                setattr(settings, name, value)
        return Handler()

    yield serve
    set_script_prefix(prefix)


@pytest.fixture
def authorization(admin: User) -> dict[str, str]:
    return {"Authorization": f"Token {make_key(admin)}"}


def test_urls_of_files_begin_with_it(serve: Serve, authorization: dict[str, str]) -> None:
    portfolio = make_portfolio(image=make_media(file="core_media/2026/03/02/cover.png"))

    body = ask(serve(PUBLIC), "GET", f"/api/portfolios/{portfolio.pk}/", headers=authorization).json()

    assert body["image_data"]["f"] == f"{PUBLIC}/media/core_media/2026/03/02/cover.png"


@pytest.mark.parametrize("url", [PUBLIC, "https://example.com/folio"])
def test_the_description_names_it_as_the_server(serve: Serve, url: str) -> None:
    described = ask(serve(url), "GET", "/api/schema/").json()

    assert described["servers"] == [{"url": url}]
    assert all(path.startswith("/api/") for path in described["paths"])


def test_links_between_pages_begin_with_it(serve: Serve, authorization: dict[str, str]) -> None:
    for _ in range(3):
        make_tag()

    body = ask(serve(PUBLIC), "GET", "/api/tags/?limit=1&offset=1", headers=authorization).json()

    assert body["next"] == f"{PUBLIC}/api/tags/?limit=1&offset=2"
    assert body["previous"] == f"{PUBLIC}/api/tags/?limit=1"


def test_the_location_of_a_new_row_begins_with_it(serve: Serve, authorization: dict[str, str]) -> None:
    headers = {**authorization, "Content-Type": "application/json"}

    answer = ask(serve(PUBLIC), "POST", "/api/tags/", b'{"name": "print"}', headers)

    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{PUBLIC}/api/tags/{answer.json()['id']}/"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "api.example.com", "[::1]:8000"])
def test_it_stands_in_answers_whatever_allowed_host_was_asked(
    serve: Serve, authorization: dict[str, str], host: str
) -> None:
    make_tag()
    make_tag()

    answer = ask(serve(PUBLIC), "GET", "/api/tags/?limit=1", headers={**authorization, "Host": host})

    assert answer.json()["next"] == f"{PUBLIC}/api/tags/?limit=1&offset=1"


@pytest.mark.parametrize("host", ["evil.example", "api.example.com.evil.example", "example.com", "10.0.0.7"])
@pytest.mark.parametrize("path", ["/api/tags/", "/admin/login/", "/media/x.png"])
def test_a_host_that_is_not_served_is_refused_all_the_same(serve: Serve, path: str, host: str) -> None:
    answer = ask(serve(PUBLIC), "GET", path, headers={"Host": host})

    assert answer.status_code == 400
    assert PUBLIC not in answer.content.decode()


def test_a_plain_connection_from_a_proxy_is_not_redirected_to_https(
    serve: Serve, authorization: dict[str, str]
) -> None:
    answer = ask(serve(PUBLIC), "GET", "/api/tags/", headers=authorization)

    assert answer.status_code == 200
    assert "Location" not in answer.headers


@pytest.mark.parametrize("path", ["/api/tags?search=x", "/admin", "/admin/"])
def test_redirects_stay_at_it(serve: Serve, path: str) -> None:
    answer = ask(serve(PUBLIC), "GET", path)

    assert answer.status_code in {301, 302}
    assert urljoin(f"{PUBLIC}/", answer.headers["Location"]).startswith(f"{PUBLIC}/")


def test_an_https_address_asks_browsers_to_stay_with_https(serve: Serve, authorization: dict[str, str]) -> None:
    answer = ask(serve(PUBLIC), "GET", "/api/tags/", headers=authorization)

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("url", ["http://api.example.com", ""])
def test_a_plain_address_does_not(serve: Serve, authorization: dict[str, str], url: str) -> None:
    answer = ask(serve(url), "GET", "/api/tags/", headers=authorization)

    assert answer.status_code == 200
    assert "Strict-Transport-Security" not in answer.headers


def log_in(application: Handler, origin: str) -> Answer:
    """Log in to the admin site as a browser would that came through a proxy."""
    form = ask(application, "GET", "/admin/login/")
    csrf = form.cookies["csrftoken"]
    fields = {"username": "ada", "password": PASSWORD, "csrfmiddlewaretoken": csrf.value, "next": "/admin/"}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"csrftoken={csrf.value}",
        "Origin": origin,
        "Referer": f"{origin}/admin/login/",
    }
    return ask(application, "POST", "/admin/login/", urlencode(fields).encode(), headers)


@pytest.mark.parametrize("url", [PUBLIC, "http://api.example.com", "https://api.example.com:8443"])
def test_the_admin_site_lets_in_who_comes_from_it(serve: Serve, url: str) -> None:
    make_user("ada", password=PASSWORD, is_staff=True, is_superuser=True)

    answer = log_in(serve(url), url)

    assert answer.status_code == 302
    assert "sessionid" in answer.cookies


@pytest.mark.parametrize("origin", ["https://evil.example", "http://api.example.com", "https://api.example.com:8443"])
def test_the_admin_site_lets_in_nobody_who_comes_from_elsewhere(serve: Serve, origin: str) -> None:
    make_user("ada", password=PASSWORD, is_staff=True, is_superuser=True)

    answer = log_in(serve(PUBLIC), origin)

    assert answer.status_code == 403
    assert "sessionid" not in answer.cookies


@pytest.mark.parametrize(("url", "secure"), [(PUBLIC, True), ("http://api.example.com", False)])
def test_cookies_are_secure_where_it_is_https(serve: Serve, url: str, secure: bool) -> None:
    make_user("ada", password=PASSWORD, is_staff=True, is_superuser=True)
    application = serve(url)

    form, answer = ask(application, "GET", "/admin/login/"), log_in(application, url)

    assert bool(form.cookies["csrftoken"]["secure"]) is secure
    assert bool(answer.cookies["sessionid"]["secure"]) is secure
    assert answer.cookies["sessionid"]["httponly"]


def test_a_path_of_it_stands_before_every_path(serve: Serve, authorization: dict[str, str]) -> None:
    make_tag()
    application = serve("https://example.com/folio/")
    headers = {**authorization, "Content-Type": "application/json"}

    listed = ask(application, "GET", "/api/tags/?limit=1&offset=1", headers=authorization)
    made = ask(application, "POST", "/api/tags/", b'{"name": "print"}', headers)
    redirected = ask(application, "POST", "/api/tags?x=1", b"{}", headers)
    admin_site = ask(application, "GET", "/admin/")

    assert listed.json()["previous"] == "https://example.com/folio/api/tags/?limit=1"
    assert made.headers["Location"] == f"https://example.com/folio/api/tags/{made.json()['id']}/"
    assert redirected.status_code == 308
    assert redirected.headers["Location"] == "/folio/api/tags/?x=1"
    assert urlsplit(admin_site.headers["Location"]).path == "/folio/admin/login/"


def test_a_path_of_it_stands_in_the_page_of_a_failure(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(LanguageMiddleware, "__call__", fail)

    answer = ask(serve("https://example.com/folio/"), "GET", "/admin/")

    assert answer.status_code == 500
    assert '<a href="/folio/admin/">' in answer.content.decode()


def test_a_port_of_it_stands_in_every_url(serve: Serve, authorization: dict[str, str]) -> None:
    make_tag()
    make_tag()

    body = ask(serve(f"{PUBLIC}:8443"), "GET", "/api/tags/?limit=1", headers=authorization).json()

    assert body["next"] == f"{PUBLIC}:8443/api/tags/?limit=1&offset=1"


def test_forwarding_headers_are_believed_from_nobody(serve: Serve, authorization: dict[str, str]) -> None:
    make_tag()
    make_tag()
    forwarded = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "8443",
        "Forwarded": "host=evil.example;proto=https",
    }

    with_it = ask(serve(PUBLIC), "GET", "/api/tags/?limit=1", headers={**authorization, **forwarded})
    without = ask(serve(""), "GET", "/api/tags/?limit=1", headers={**authorization, **forwarded})

    assert with_it.json()["next"].startswith(f"{PUBLIC}/")
    assert "evil.example" not in without.content.decode()


def test_without_it_the_requests_own_host_is_told(authorization: dict[str, str], settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    make_tag()
    make_tag()

    for host in ("localhost:8001", "127.0.0.1", "[::1]:8000"):
        answer = ask(Handler(), "GET", "/api/tags/?limit=1", headers={**authorization, "Host": host})

        assert answer.json()["next"] == f"http://{host}/api/tags/?limit=1&offset=1"


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com",
        "//api.example.com",
        "ftp://api.example.com",
        "https://",
        "https:///path",
        "https://api.example.com?x=1",
        "https://api.example.com#top",
        "https://user:password@api.example.com",
        "https://api.example.com:http",
        "https://api.example.com:99999",
        "https://api example.com",
        "https://[::1",
        "true",
    ],
)
def test_an_address_that_can_not_be_one_is_an_error_at_the_start(tmp_path: Path, url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"it must be an absolute URL such as https://api\.example\.com"):
        settings_of(tmp_path, FOLIO_PUBLIC_URL=url)


@pytest.mark.parametrize("url", ["https://API.Example.com", "https://api.example.com:443/", "HTTPS://api.example.com"])
def test_it_is_written_as_browsers_write_it(tmp_path: Path, url: str) -> None:
    settings = settings_of(tmp_path, FOLIO_PUBLIC_URL=url)

    assert settings["PUBLIC_URL"] == PUBLIC
    assert settings["CSRF_TRUSTED_ORIGINS"] == [PUBLIC]
    assert "api.example.com" in settings["ALLOWED_HOSTS"]


def test_an_ipv6_address_is_allowed_as_a_host(tmp_path: Path) -> None:
    assert "[fd00::7]" in settings_of(tmp_path, FOLIO_PUBLIC_URL="http://[fd00::7]:8000")["ALLOWED_HOSTS"]


def test_other_hosts_stay_allowed_beside_it(tmp_path: Path) -> None:
    hosts = settings_of(tmp_path, FOLIO_PUBLIC_URL=PUBLIC, FOLIO_ALLOWED_HOSTS="inside.example")["ALLOWED_HOSTS"]

    assert hosts == ["inside.example", "api.example.com"]


def test_the_deployment_check_is_clean_with_it(tmp_path: Path) -> None:
    result = run_folio(*CHECK, folder=tmp_path, variables={"FOLIO_PUBLIC_URL": PUBLIC})

    assert result.returncode == 0, result.stderr
    assert "WARNINGS" not in result.stderr


def test_the_deployment_check_warns_without_it(tmp_path: Path) -> None:
    result = run_folio(*CHECK, folder=tmp_path)

    assert result.returncode == 1
    assert "security.W008" in result.stderr
