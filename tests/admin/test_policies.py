"""What browsers are told about pages: no script but the files of this server, no frame, no way out."""

import re
from typing import Any

from django.contrib.auth.models import User
from django.test import Client as Site

from folio.admin.policies import page_policy
from tests.pages import forgotten

# A script or a style that is written into a page, an event's handler, an address that is a script.
WRITTEN_IN = re.compile(
    r"<script(?![^>]*\ssrc=)(?![^>]*application/json)[^>]*>|<style|<[a-z][^>]*\son[a-z]+=[\"']|javascript:", re.I
)


def directives(policy: str) -> dict[str, list[str]]:
    return {name: values for name, *values in (part.split() for part in policy.split("; "))}


def check_headers(headers: Any) -> None:
    assert headers["Content-Security-Policy"] == page_policy()
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in headers["Permissions-Policy"]


def test_knows_every_page_of_the_admin_site(pages: dict[str, str]) -> None:
    assert not forgotten(pages), "Name these in tests/pages.py, as pages or as what else they are."


def test_every_page_has_the_policy_and_nothing_written_into_it(
    pages: dict[str, str], site_for: Any, admin: User
) -> None:
    site: Site = site_for(admin)
    for name, address in pages.items():
        response = site.get(address)
        check_headers(response.headers)
        assert response.status_code in {200, 403}, name  # what nobody may do, such as to add a key for another
        assert not WRITTEN_IN.search(response.content.decode()), name


def test_pages_for_those_who_have_not_signed_in_have_it_too(db: None) -> None:
    for address in ("/admin/login/", "/admin/", "/nothing-here/", "/"):
        check_headers(Site().get(address).headers)


def test_a_host_that_is_not_served_gets_it_too(db: None) -> None:
    response = Site(raise_request_exception=False).get("/admin/", headers={"Host": "elsewhere.example"})

    assert response.status_code == 400
    assert response.headers["Content-Security-Policy"] == page_policy()


def test_nothing_runs_but_files_of_this_server(db: None) -> None:
    policy = directives(page_policy())

    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["connect-src"] == policy["font-src"] == policy["form-action"] == ["'self'"]
    assert policy["style-src-elem"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == ["'none'"]
    assert "unsafe-eval" not in page_policy()


def test_media_are_shown_from_where_they_are_kept(settings: Any) -> None:
    page_policy.cache_clear()
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"base_url": "https://media.example.com/folio/"},
        },
    }
    policy = directives(page_policy())
    page_policy.cache_clear()

    assert policy["img-src"] == ["'self'", "https://media.example.com", "data:", "blob:"]
    assert policy["media-src"] == ["'self'", "https://media.example.com", "blob:"]
    assert policy["script-src"] == ["'self'"]


def test_the_api_and_the_media_keep_their_own(db: None) -> None:
    for address in ("/api/schema/", "/api/portfolios/", "/media/nothing.png"):
        assert page_policy() != Site().get(address).headers.get("Content-Security-Policy")
