from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Site

from folio.access.models import Token
from tests.conftest import Client
from tests.factories import make_key, make_user

LIST = "/admin/access/token/"


@pytest.fixture
def site(site_for: Callable[[User], Site], admin: User) -> Site:
    return site_for(admin)


# Tokens


def test_lists_tokens_with_their_owners_codes_and_expiry(site: Site, editor: User) -> None:
    make_key(editor, name="website", codes=[4202, 4203], expires_at=datetime(2099, 3, 1, tzinfo=UTC))
    make_key(editor, name="")

    page = site.get(LIST).content.decode()

    for shown in ("website", "eda", "4202, 4203", "March 1, 2099", "all that its owner may", "never", "Token "):
        assert shown in page


def test_shows_neither_digest_nor_key_on_any_page(site: Site, editor: User) -> None:
    key = make_key(editor, name="website")
    token = Token.objects.get()
    paths = [
        LIST,
        f"{LIST}?q=website",
        f"{LIST}{token.pk}/change/",
        f"{LIST}{token.pk}/delete/",
        f"{LIST}{token.pk}/history/",
        f"/admin/auth/user/{editor.pk}/change/",
        f"/admin/auth/user/{editor.pk}/delete/",
        "/admin/",
    ]

    pages = [site.get(path) for path in paths]
    pages.append(site.post(LIST, {"action": "delete_selected", "_selected_action": [token.pk]}))

    for page in pages:
        assert page.status_code == 200
        shown = page.content.decode()
        assert token.digest not in shown
        assert key not in shown
        assert "digest" not in shown


@pytest.mark.parametrize("lookup", ["digest", "digest__startswith", "digest__gt"])
def test_does_not_tell_a_digest_through_filters(site: Site, editor: User, lookup: str) -> None:
    make_key(editor)

    assert site.get(LIST, {lookup: Token.objects.get().digest}).status_code == 400
    assert site.get("/admin/auth/user/", {f"tokens__{lookup}": "a"}).status_code == 400


def test_makes_and_changes_no_token(site: Site, editor: User) -> None:
    make_key(editor, name="website", codes=[4202])
    token = Token.objects.get()

    refused = [
        site.get(f"{LIST}add/"),
        site.post(f"{LIST}add/", {"user": editor.pk, "name": "more"}),
        site.post(f"{LIST}{token.pk}/change/", {"user": editor.pk, "name": "more", "codes": ""}),
    ]

    assert [page.status_code for page in refused] == [403, 403, 403]
    assert list(Token.objects.values_list("name", "codes")) == [("website", [4202])]


@pytest.mark.parametrize("at_once", [True, False], ids=["several", "one"])
def test_revokes_a_token(
    site: Site, client: Client, client_for: Callable[..., Client], editor: User, at_once: bool
) -> None:
    revoked = client_for(editor, name="lost")
    token = Token.objects.get(name="lost")

    if at_once:
        site.post(LIST, {"action": "delete_selected", "_selected_action": [token.pk], "post": "yes"})
    else:
        site.post(f"{LIST}{token.pk}/delete/", {"post": "yes"})

    assert revoked.get("/api/auth/me/").status_code == 401
    assert client.get("/api/auth/me/").status_code == 200


def test_searches_tokens_by_name_and_owner(site: Site, editor: User, admin: User) -> None:
    make_key(editor, name="website")
    make_key(editor, name="backup")
    make_key(admin, name="website")

    page = site.get(LIST, {"q": "EDA web"})

    assert [(token.user, token.name) for token in page.context["cl"].result_list] == [(editor, "website")]


def test_keeps_tokens_from_staff_without_the_permission(site_for: Callable[[User], Site], editor: User) -> None:
    make_key(editor, name="website")
    token = Token.objects.get()

    assert site_for(editor).get(LIST).status_code == 403
    assert site_for(editor).post(f"{LIST}{token.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Token.objects.exists()


# The site around them


def test_leads_from_the_sign_in_to_the_index(db: None) -> None:
    make_user("nina", password="correct horse", is_staff=True)

    answer = Site().post("/admin/login/", {"username": "nina", "password": "correct horse"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


@pytest.mark.parametrize(
    ("codes", "shown"),
    [((), []), ((4202,), ["Portfolios"]), ((4104, 4222), ["Tags", "Media"])],
    ids=["nothing", "portfolios", "tags and media"],
)
def test_shows_in_the_sidebar_what_one_may_see(
    site_for: Callable[[User], Site], codes: tuple[int, ...], shown: list[str]
) -> None:
    groups: Any = site_for(make_user(is_staff=True, codes=codes)).get("/admin/").context["sidebar_navigation"]

    assert [group["title"] for group in groups] == ["Portfolios", "Media", "People and keys"]
    assert [item["title"] for group in groups for item in group["items"] if item["has_permission"]] == shown


def test_opens_every_page_of_the_sidebar(site: Site) -> None:
    groups: Any = site.get("/admin/").context["sidebar_navigation"]
    pages = [str(item["link"]) for group in groups for item in group["items"]]

    assert len(pages) == 9
    for page in pages:
        assert site.get(page).status_code == 200
