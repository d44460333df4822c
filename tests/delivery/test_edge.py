"""What holds for every public address, whatever it answers: who may ask, how, and what caches are told."""

import logging
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.urls import get_resolver

from folio.delivery import views
from folio.delivery.views import PublicView
from folio.portfolios.models import Employer, Tag
from tests.factories import make_employer, make_key, make_media, make_portfolio, make_tag, make_user
from tests.snapshots.stage import StubLooks

from .conftest import SITE
from .fronts import CORS, ROOT, Front

MINUTE = "public, max-age=0, s-maxage=60, stale-while-revalidate=600"
HEADERS = {
    "Authorization": "Token folio_no-such-key",
    "Cookie": "sessionid=abc; csrftoken=def",
    "Accept": "text/html",
    "Accept-Language": "fa",
    "If-Match": '"abc"',
    "If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:37 GMT",
    "If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT",
    "Idempotency-Key": "abc",
    "Range": "bytes=0-3",
    "Origin": "https://any.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "8443",
    "X-HTTP-Method-Override": "DELETE",
    "X-Requested-With": "XMLHttpRequest",
    "User-Agent": "anything",
}


@pytest.fixture(autouse=True)
def open_to_all(db: None, settings: Any) -> None:
    settings.PUBLIC_READ = True
    settings.SITE_URL = SITE
    make_portfolio(
        slug="sign", image=make_media(), tags=[make_tag(slug="print")], employer=make_employer(slug="bakery")
    )


@pytest.fixture
def front() -> Front:
    return Front()


PATTERNS: list[Any] = get_resolver("folio.delivery.urls").url_patterns
READ = [
    "portfolios/",
    "portfolios/?limit=1",
    "portfolios/sign/",
    "facets/",
    "tags/",
    "tags/print/",
    "employers/",
    "employers/bakery/",
    "manifest/",
    "manifest/?limit=1",
    "feed.xml",
    "sitemap.xml",
    "sitemap.xml?page=1",
    "schema/",
]


def test_every_public_address_is_looked_at_here() -> None:
    known = {str(pattern.pattern).partition("/")[0] for pattern in PATTERNS}

    assert known == {path.partition("?")[0].partition("/")[0] for path in READ}
    assert len(PATTERNS) == len({path.partition("?")[0] for path in READ})


# What does not matter


@pytest.mark.parametrize("path", READ)
def test_no_header_changes_an_answer(front: Front, path: str) -> None:
    plain = front.ask(path)
    assert plain.status_code == 200, plain.content

    for header, value in HEADERS.items():
        assert front.ask(path, headers={header: value}) == plain, header


@pytest.mark.parametrize("path", READ)
def test_neither_does_a_good_key_nor_a_session(front: Front, path: str) -> None:
    admin = make_user("ada", is_superuser=True, is_staff=True)
    site = Client()
    site.force_login(admin)
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in site.cookies.items())
    hidden = make_portfolio(slug="draft", is_active=False, tags=[make_tag(slug="secret")])

    plain = front.ask(path)

    for headers in ({"Authorization": f"Token {make_key(admin)}"}, {"Cookie": cookie}):
        assert front.ask(path, headers=headers).content == plain.content
        assert front.ask(f"portfolios/{hidden.slug}/", headers=headers).status_code == 404
        assert front.ask("tags/secret/", headers=headers).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_what_is_kept_is_neither_split_nor_poisoned_by_any_of_them() -> None:
    for header, value in HEADERS.items():
        front = Front(StubLooks())
        first = front.ask("portfolios/", headers={header: value})
        assert b"evil.example" not in first.content
        assert first.content == front.ask("portfolios/").content
        assert len(front.front.cache.entries) == 1


# What is hidden

ASKED = [
    *READ,
    "portfolios/?limit=100&include=neighbours,related,meta,links,gallery&ordering=-created_at",
    "portfolios/?search=secret",
    "portfolios/?slugs=sign,hidden",
    "portfolios/?tag=hidden",
    "portfolios/?tags_any=print,hidden",
    "portfolios/?employer=hidden",
    "portfolios/?exclude=hidden",
    "portfolios/?year=1999",
    "manifest/?offset=1",
    "sitemap.xml?page=2",
    "portfolios/hidden/",
    "facets/?tag=hidden",
    "facets/?year=1999",
    "facets/?employer=hidden",
    "facets/?search=secret",
    "facets/?exclude=hidden",
    "tags/?ordering=-count&limit=1",
    "tags/?offset=1",
    "tags/hidden/",
    "employers/?ordering=count",
    "employers/hidden/",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_kept", [False, True], ids=["computed", "kept"])
def test_what_is_hidden_changes_no_answer_by_a_byte(settings: Any, is_kept: bool) -> None:
    """Asked twice before and four times after, so that what facets are counted from in memory is asked too."""
    looks = StubLooks() if is_kept else None
    front = Front(looks)

    def answers(times: int) -> list[Any]:
        found = [[front.ask(path) for path in ASKED] for _ in range(times)]
        assert all(each == found[0] for each in found)
        return found[0]

    before = answers(2)
    tag, employer = Tag.objects.get(slug="print"), Employer.objects.get(slug="bakery")
    moment = datetime(1999, 1, 1, tzinfo=UTC)
    for number in range(5):
        make_portfolio(
            title=f"A secret {number}",
            slug="hidden" if number == 0 else f"hidden-{number}",
            tags=[tag, make_tag(slug="hidden" if number == 0 else f"hidden-{number}")],
            employer=make_employer(slug="hidden") if number == 0 else employer,
            image=make_media(),
            completed_at=moment,
            order=number - 2,
            is_active=False,
        )
    if looks is not None:
        looks.number = (looks.number or 0) + 1

    after = answers(4)

    for path, old, new in zip(ASKED, before, after, strict=True):
        assert (new.status_code, new.headers, new.content) == (old.status_code, old.headers, old.content), path
        known = {"If-None-Match": old.headers.get("ETag", '"none"')}
        assert front.ask(path, headers=known).status_code == (304 if old.status_code == 200 else old.status_code)


# Methods


@pytest.mark.parametrize("path", READ)
def test_a_head_is_a_get_without_its_body(front: Front, path: str) -> None:
    get, head = front.ask(path), front.ask(path, "HEAD")

    assert (head.status_code, head.headers, head.content) == (200, get.headers, b"")


@pytest.mark.parametrize("path", [*READ, "no/such/path/", "portfolios/none/", "portfolios/?unknown=1"])
def test_no_other_method_is_heard(front: Front, path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND"):
        answer = front.ask(path, method, body=b"{}", headers={"Content-Type": "application/json"})
        assert (answer.status_code, told(answer)) == (405, "no-store"), method
        assert "GET, HEAD, OPTIONS" in answer.json()["detail"]
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", [*READ, "portfolios/?unknown=1"])
def test_options_tells_the_methods(front: Front, path: str) -> None:
    answer = front.ask(path, "OPTIONS")

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert told(answer) == "no-store"


def test_a_preflight_is_answered_whatever_there_is(front: Front, settings: Any) -> None:
    settings.PUBLIC_READ = False
    headers = {"Access-Control-Request-Method": "GET", "Origin": "https://any.example"}

    for url in ("portfolios/", "portfolios", "nothing/"):
        answer = front.ask(url, "OPTIONS", headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")
        assert told(answer) == "no-store"


# What is told


def told(answer: Any) -> str:
    """Return what an answer tells caches, once it is sure that every page may read it and nothing else is told."""
    assert CORS.items() <= answer.headers.items()
    never = {"Set-Cookie", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Server-Timing"}
    assert not never & answer.headers.keys()
    assert answer.headers.get("Vary", "") == ("Accept-Encoding" if answer.status_code in {200, 304} else "")
    return str(answer.headers["Cache-Control"])


@pytest.mark.parametrize("path", READ)
def test_a_200_and_its_304(front: Front, path: str) -> None:
    answer = front.ask(path)
    unchanged = front.ask(path, headers={"If-None-Match": answer.headers["ETag"]})

    assert told(answer) == told(unchanged) == MINUTE
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert answer.headers["ETag"][0] == '"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        *("portfolios/none/", "tags/none/", "employers/none/", "no/such/path/", "", "/api/public"),
        *("feed.xml/", "feed", "sitemap.xml/", "sitemap.xml?page=2"),
    ],
)
def test_what_is_not_there(front: Front, path: str) -> None:
    answer = front.ask(path)

    assert answer.status_code == 404
    assert list(answer.json()) == ["detail"]
    assert told(answer) == "public, s-maxage=5"


@pytest.mark.parametrize(
    "path",
    ["portfolios", "portfolios?limit=2", "portfolios/sign", "facets", "tags", "tags/print", "manifest", "schema"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "DELETE"])
def test_a_path_without_its_slash_redirects_before_anything_else(front: Front, path: str, method: str) -> None:
    answer = front.ask(path, method, headers={"Authorization": "Token bad", "Accept": "text/html"})
    base, _, query = path.partition("?")

    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{ROOT}{base}/" + (f"?{query}" if query else "")
    assert told(answer) == "public, s-maxage=5"


@pytest.mark.parametrize("path", ["feed.xml", "sitemap.xml", "sitemap.xml?page=1"])
def test_what_leads_to_a_website_that_is_not_known(front: Front, settings: Any, path: str) -> None:
    settings.SITE_URL = ""
    answer = front.ask(path)

    assert (answer.status_code, told(answer)) == (404, "public, s-maxage=5")
    assert "FOLIO_SITE_URL" in answer.json()["detail"]


def test_what_can_not_be_understood(front: Front) -> None:
    for path in (
        "portfolios/?limt=1",
        "portfolios/?limit=x",
        "facets/?limit=1&limit=2",
        "tags/?ordering=id",
        "manifest/?limit=0",
        "feed.xml?limit=1",
        "sitemap.xml?page=0",
    ):
        answer = front.ask(path)
        assert (answer.status_code, told(answer)) == (400, "no-store"), path
        assert path.partition("?")[2].partition("=")[0] in answer.json()


def test_another_host(front: Front) -> None:
    answer = front.ask("portfolios/", headers={"Host": "evil.example"})

    assert (answer.status_code, told(answer)) == (400, "no-store")
    assert "FOLIO_ALLOWED_HOSTS" in answer.json()["detail"]


def test_a_body_of_no_declared_length(front: Front) -> None:
    answer = front.ask("portfolios/", headers={"Transfer-Encoding": "chunked"}, body=b"")

    assert (answer.status_code, told(answer)) == (411, "no-store")


def test_a_body_of_a_read_is_not_looked_at(front: Front) -> None:
    answer = front.ask("portfolios/", headers={"Content-Type": "text/html; charset=zlib"}, body=b"\xff" * 100)

    assert (answer.status_code, told(answer)) == (200, MINUTE)


@pytest.mark.parametrize("path", [path for path in READ if path != "schema/"])
def test_a_database_that_is_away(front: Front, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(CursorWrapper, "execute", Mock(side_effect=OperationalError("gone")))
        answer = front.ask(path)

    assert (answer.status_code, told(answer), answer.headers["Retry-After"]) == (503, "no-store", "1")
    assert list(answer.json()) == ["detail"]


def test_the_unforeseen(front: Front, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    with monkeypatch.context() as patch, caplog.at_level(logging.CRITICAL):
        patch.setattr(CursorWrapper, "execute", Mock(side_effect=RuntimeError("inside")))
        answer = front.ask("portfolios/")

    assert (answer.status_code, told(answer)) == (500, "no-store")
    assert b"inside" not in answer.content


def test_a_moment_that_changes_an_answer_ends_what_may_be_kept(
    front: Front, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    monkeypatch.setattr(views.PublicView, "deadline", lambda self, request: 1_000_030.7)

    assert told(front.ask("portfolios/")) == "public, max-age=0, s-maxage=30"
    assert told(front.ask("portfolios/none/")) == "public, s-maxage=5"
    monkeypatch.setattr(views.PublicView, "deadline", lambda self, request: 1_000_002.7)
    assert told(front.ask("portfolios/none/")) == "public, s-maxage=2"


# A public address, reached by way of a path


def test_within_the_path_of_the_public_address(front: Front, settings: Any) -> None:
    settings.PUBLIC_URL, settings.FORCE_SCRIPT_NAME = "https://www.example.com/folio", "/folio"
    settings.ALLOWED_HOSTS = ["testserver", "www.example.com"]
    make_portfolio()

    answer = front.ask("portfolios/?limit=1")
    redirect = front.ask("portfolios")

    assert told(answer) == MINUTE
    assert answer.json()["next"].startswith("https://www.example.com/folio/api/public/portfolios/?")
    assert redirect.headers["Location"] == "/folio/api/public/portfolios/"
    assert told(redirect) == "public, s-maxage=5"


# While it is off


@pytest.mark.parametrize("path", [*READ, "no/such/path/", "portfolios/?unknown=1", "portfolios/none/"])
def test_while_it_is_off_every_path_says_how_it_is_opened(front: Front, settings: Any, path: str) -> None:
    settings.PUBLIC_READ = False

    for method in ("GET", "POST", "OPTIONS"):
        answer = front.ask(path, method)
        assert (answer.status_code, told(answer)) == (404, "no-store"), method
        assert "off" in answer.json()["detail"]
        assert "FOLIO_PUBLIC_READ" in answer.json()["detail"]


def test_it_is_off_unless_somebody_opened_it() -> None:
    from tests import settings

    assert settings.PUBLIC_READ is False


def test_each_address_is_a_view_of_the_kind_that_takes_care_of_this() -> None:
    assert all(issubclass(pattern.callback.cls, PublicView) for pattern in PATTERNS)
