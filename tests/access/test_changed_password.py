"""A changed password ends the keys that were got by password, whichever way it is changed."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client as Site
from django.utils import timezone

from folio.access import passwords
from folio.access.models import Token, digest_of
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
    from django.contrib.auth.management.commands import changepassword

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changepassword.getpass, "getpass", lambda prompt: OTHER)
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
