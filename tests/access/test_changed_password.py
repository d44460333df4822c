"""A changed password ends the keys that were got by password, whichever way it is changed."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client as Site
from django.utils import timezone

from folio.access import passwords
from folio.access.keys import digest_of
from folio.access.models import Token
from tests.conftest import Client
from tests.factories import make_key, make_user

PASSWORD, OTHER = "correct horse battery staple", "a heron on the quay wall"
OWN = "/admin/password_change/"


@pytest.fixture
def nora(db: None) -> User:
    return make_user("nora", password=PASSWORD, is_staff=True)


@pytest.fixture
def site(nora: User, site_for: Callable[[User], Site]) -> Site:
    return site_for(nora)


def sign_in() -> str:
    key: str = Client().post("/api/auth/token/", {"username": "nora", "password": PASSWORD}).json()["key"]
    return key


def opens(key: str) -> bool:
    return bool(Client().get("/api/auth/me/", HTTP_AUTHORIZATION=f"Token {key}").status_code == 200)


def token_of(key: str) -> Token:
    return Token.objects.get(digest=digest_of(key.encode()))


def set_it(nora: User) -> None:
    nora.set_password(OTHER)
    nora.save()


def set_it_alone(nora: User) -> None:
    nora.set_password(OTHER)
    nora.save(update_fields=["password"])


def take_it_away(nora: User) -> None:
    nora.set_unusable_password()
    nora.save()


def by_command(nora: User) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("getpass.getpass", lambda prompt: OTHER)
        call_command("changepassword", "nora")


def by_own_form(nora: User) -> None:
    site = Site()
    site.force_login(nora)
    sent = {"old_password": PASSWORD, "new_password1": OTHER, "new_password2": OTHER}
    assert site.post(OWN, sent).status_code == 302


def by_admin(nora: User) -> None:
    site = Site()
    site.force_login(make_user("ada", is_superuser=True, is_staff=True))
    sent = {"password1": OTHER, "password2": OTHER}
    assert site.post(f"/admin/auth/user/{nora.pk}/password/", sent).status_code == 302


@pytest.mark.parametrize("way", [set_it, set_it_alone, take_it_away, by_command, by_own_form, by_admin])
def test_ends_the_keys_that_were_got_by_it_and_no_others(nora: User, way: Callable[[User], None]) -> None:
    got, named, others = sign_in(), make_key(nora), make_key(make_user("olga"), by_password=True)
    assert opens(got)

    way(nora)

    assert not opens(got)
    assert opens(named)
    assert opens(others)


def test_a_hash_that_is_renewed_at_a_sign_in_is_no_change(nora: User, settings: Any) -> None:
    before, got = nora.password, sign_in()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]

    renewed = sign_in()

    assert User.objects.get(username="nora").password != before
    assert opens(got)
    assert opens(renewed)


def test_another_change_of_the_user_ends_nothing(nora: User) -> None:
    got = sign_in()

    nora.first_name = "Nora"
    nora.save()

    assert opens(got)


def test_a_key_that_comes_too_late_is_not_made(nora: User) -> None:
    User.objects.get(pk=nora.pk).check_password(PASSWORD)
    set_it(User.objects.get(pk=nora.pk))

    assert passwords.issue_by_password(nora, PASSWORD) is None
    assert not Token.objects.exists()


def test_the_sign_in_refuses_a_password_that_is_changed_meanwhile(nora: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("folio.access.serializers.issue_by_password", lambda *arguments, **fields: None)

    answer = Client().post("/api/auth/token/", {"username": "nora", "password": PASSWORD})

    assert answer.status_code == 400
    assert answer.json() == {"non_field_errors": ["No active user has this name and password."]}


def test_a_key_of_before_this_update_is_known_by_its_name(nora: User) -> None:
    month = timezone.now() + timedelta(days=30)
    make_key(nora, name="sign-in", expires_at=month)
    make_key(nora, name="website", expires_at=month)
    make_key(nora, name="sign-in")
    make_key(nora, name="sign-in", expires_at=month, codes=[4202])

    migration = import_module("folio.access.migrations.0005_tell_keys_by_password_and_end_sessions")
    migration.mark_keys_got_by_password(apps, None)

    assert list(Token.objects.order_by("pk").values_list("by_password", flat=True)) == [True, False, False, False]


# The keys that are offered to be revoked


@pytest.fixture(params=["one's own", "another's"])
def form(
    request: pytest.FixtureRequest, nora: User, site: Site, site_for: Callable[[User], Site]
) -> Callable[..., Any]:
    """Return a function that opens the form, or sends it with more than the password."""
    if request.param == "one's own":
        path, sent = OWN, {"old_password": PASSWORD, "new_password1": OTHER, "new_password2": OTHER}
    else:
        site = site_for(make_user("ada", is_superuser=True, is_staff=True))
        path, sent = f"/admin/auth/user/{nora.pk}/password/", {"password1": OTHER, "password2": OTHER}
    return lambda **more: site.post(path, {**sent, **more}) if more else site.get(path)


def is_ticked(page: str) -> bool:
    """Tell whether the first key that a page offers is chosen."""
    return page.partition('name="revoked"')[2].partition(">")[0].endswith(" checked")


def test_offers_the_named_keys_that_are_alive(nora: User, form: Callable[..., Any]) -> None:
    sign_in()
    make_key(nora, name="website", codes=[4202])
    make_key(nora, name="bygone", expires_at=timezone.now() - timedelta(days=1))
    make_key(make_user("olga"), name="of someone else")

    page = form()

    assert [str(token) for token in page.context["form"].fields["revoked"].queryset] == ["website"]
    text = page.content.decode()
    assert "Portfolios: 4202 list" in text
    assert "Revoke these API keys too" in text
    assert not is_ticked(text)


def test_revokes_those_that_are_chosen(nora: User, form: Callable[..., Any]) -> None:
    chosen, kept = make_key(nora, name="chosen"), make_key(nora, name="kept")

    assert form(revoked=[token_of(chosen).pk]).status_code == 302

    assert not opens(chosen)
    assert opens(kept)
    nora.refresh_from_db()
    assert nora.check_password(OTHER)
    assert [entry.object_repr for entry in LogEntry.objects.filter(action_flag=DELETION)] == ["chosen"]


def test_revokes_nothing_of_anyone_else(nora: User, form: Callable[..., Any]) -> None:
    make_key(nora)
    key = make_key(make_user("olga"))

    assert form(revoked=[token_of(key).pk]).status_code == 200

    assert opens(key)
    nora.refresh_from_db()
    assert nora.check_password(PASSWORD)


def test_revokes_nothing_where_the_password_is_refused(nora: User, site: Site) -> None:
    key = make_key(nora)

    sent = {"old_password": "wrong", "new_password1": OTHER, "new_password2": OTHER, "revoked": [token_of(key).pk]}
    page = site.post(OWN, sent)

    assert opens(key)
    assert is_ticked(page.content.decode())


def test_asks_nothing_of_who_has_no_keys(form: Callable[..., Any]) -> None:
    assert "revoked" not in form().context["form"].fields


def test_stays_signed_in_after_a_change_of_ones_own(site: Site) -> None:
    site.post(OWN, {"old_password": PASSWORD, "new_password1": OTHER, "new_password2": OTHER})

    assert site.get("/admin/").status_code == 200


def test_says_of_a_key_for_what_is_published_that_it_reads_no_more(site_for: Callable[[User], Site]) -> None:
    user = make_user("nora", is_staff=True, password="correct horse battery staple")
    make_key(user, name="site", published_only=True)

    page = site_for(user).get("/admin/password_change/").content.decode()

    assert "Read what is published, and nothing else" in page
    assert "All that its owner may" not in page
