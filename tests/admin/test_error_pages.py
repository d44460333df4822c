"""What the admin site's readers see of an error: a page in their language that leads home."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InterfaceError, OperationalError
from django.db.backends.utils import CursorWrapper
from django.test import Client as Site

from folio.admin import options as folio_admin
from folio.admin.languages import LanguageMiddleware
from folio.admin.policies import page_policy
from folio.current import current
from folio.media.models import Media
from tests.factories import make_user

PERSIAN = {"Accept-Language": "fa"}
HOME = '<a href="/admin/">'


def page_of(response: Any, status: int) -> str:
    assert response.status_code == status
    assert response.headers["Content-Security-Policy"] == page_policy()
    page: str = response.content.decode()
    assert HOME in page
    assert "folio/admin/plain" in page
    assert "style=" not in page
    assert "<style" not in page
    return page


def test_says_in_the_readers_language_that_there_is_no_such_page(site_for: Any, admin: User) -> None:
    site: Site = site_for(admin)

    assert "Page not found" in page_of(site.get("/admin/nothing/"), 404)
    page = page_of(site.get("/admin/nothing/", headers=PERSIAN), 404)
    assert 'lang="fa" dir="rtl"' in page
    assert "Page not found" not in page


def test_says_that_a_page_is_not_permitted(site_for: Any) -> None:
    site: Site = site_for(make_user("vera", is_staff=True))

    assert "Ask an administrator" in page_of(site.get("/admin/portfolios/portfolio/"), 403)
    assert "Ask an administrator" not in page_of(site.get("/admin/portfolios/portfolio/", headers=PERSIAN), 403)


def test_says_that_a_request_could_not_be_read(site_for: Any, admin: User) -> None:
    site: Site = site_for(admin)
    path = "/admin/portfolios/tag/?name__regex=("

    assert "The request could not be read." in page_of(site.get(path), 400)
    page = page_of(site.get(path, headers=PERSIAN), 400)
    assert 'lang="fa" dir="rtl"' in page
    assert "could not be read" not in page


def test_says_that_the_server_failed(site_for: Any, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    site: Site = site_for(admin)
    site.raise_request_exception = False

    def fail(*args: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(folio_admin, "search", fail)

    page = page_of(site.get("/admin/portfolios/tag/?q=crane"), 500)
    assert "Server error" in page
    assert "secret" not in page
    page = page_of(site.get("/admin/portfolios/tag/?q=crane", headers=PERSIAN), 500)
    assert 'lang="fa" dir="rtl"' in page
    assert "Server error" not in page


@pytest.mark.parametrize("path", ["/admin/", "/nothing/"])
def test_says_that_the_server_failed_without_a_database(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(LanguageMiddleware, "__call__", fail)

    page = page_of(Site(raise_request_exception=False).get(path), 500)
    assert "Server error" in page
    assert "secret" not in page


@contextmanager
def away(error: type[Exception] = OperationalError) -> Iterator[None]:
    """Let the database answer nothing."""

    def fail(*args: Any, **named: Any) -> None:
        raise error("server closed the connection unexpectedly")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CursorWrapper, "execute", fail)
        yield


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/portfolios/portfolio/", "/admin/media/media/add/", "/admin/session/", "/admin/login/"]
)
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_says_that_the_database_is_away(site_for: Any, admin: User, path: str, error: type[Exception]) -> None:
    site: Site = site_for(admin)
    site.raise_request_exception = False

    with away(error):
        response = site.get(path)
        answer = site.get(path, headers={"accept": "application/json"})
        persian = site.get(path, headers=PERSIAN)

    page = page_of(response, 503)
    assert response.headers["Retry-After"] == "5"
    assert "The database did not answer in time." in page
    assert "server closed" not in page
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json() == {"detail": "The database did not answer in time. Nothing was changed; try again."}
    assert 'lang="fa" dir="rtl"' in page_of(persian, 503)


@pytest.mark.parametrize("path", ["/", "/robots.txt", "/favicon.ico", "/api/docs/", "/api/schema/"])
def test_what_needs_no_database_is_there_without_one(db: None, path: str) -> None:
    with away():
        assert Site().get(path).status_code == 200


def test_the_api_says_so_too(client: Any) -> None:
    with away():
        responses = [client.get(path) for path in ("/api/portfolios/", "/api/auth/me/")]

    for response in responses:
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "1"
        assert list(response.json()) == ["detail"]


def test_says_that_a_form_was_too_large(site_for: Any, admin: User, settings: Any) -> None:
    settings.MAX_UPLOAD_SIZE = 1024
    site: Site = site_for(admin)

    def send(**headers: str) -> Any:
        return site.post(
            "/admin/media/media/add/", {"file": SimpleUploadedFile("a.txt", b"t" * 100_000)}, headers=headers
        )

    assert "larger than 1.0\xa0KB, the most" in page_of(send(), 413)
    page = page_of(send(**PERSIAN), 413)
    assert 'lang="fa" dir="rtl"' in page
    assert "larger than" not in page
    assert send(accept="application/json").json() == {
        "detail": "The upload is larger than 1024 bytes, the most that is accepted."
    }
    assert not Media.objects.exists()


def test_an_address_outside_of_the_admin_site_needs_no_session(db: None) -> None:
    assert "Page not found" in page_of(Site().get("/nothing/", headers=PERSIAN), 404)


@pytest.mark.parametrize("path", ["/api/nothing/", "/api/tags/nothing/"])
def test_the_api_goes_on_answering_in_json(db: None, path: str) -> None:
    response = Site().get(path)

    assert response.status_code == 404
    assert list(response.json()) == ["detail"]


@pytest.mark.parametrize("path", ["/admin/portfolios/tag/", "/admin/"])
def test_names_the_request_where_the_server_failed(
    site_for: Any, admin: User, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def fail(*arguments: Any, **named: Any) -> Any:
        raise RuntimeError("inside")

    site: Site = site_for(admin)
    site.raise_request_exception = False
    monkeypatch.setattr("django.contrib.admin.sites.AdminSite.each_context", fail)
    monkeypatch.setattr(current, "id", "abc-1")

    assert '<code dir="ltr">abc-1</code>' in page_of(site.get(path), 500)
    monkeypatch.setattr(current, "id", "")
    assert "<code" not in page_of(site.get(path), 500)
