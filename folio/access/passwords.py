"""Keys that were got by a password end with it, whichever way it is changed."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.signals import post_save, pre_save

from .models import Token


def issue_by_password(user: AbstractBaseUser, password: str, **fields: Any) -> tuple[Token, str] | None:
    """Save a new token of a user whose password was just found right, and return it with its key.

    Return None where the password was changed since: its other keys have ended, and this one would have come too late.
    """
    with transaction.atomic():
        now = User.objects.select_for_update().filter(pk=user.pk).first()
        if now is None or (now.password != user.password and not now.check_password(password)):
            return None
        return Token.objects.issue(now, by_password=True, **fields)


def end_keys_got_by_password(instance: User, **signal: Any) -> None:
    """Delete a user's keys that were got by password where another one, or none, is being saved.

    Django hashes a password anew at a sign-in where its hashers ask for more work: that is no change, and `_password`,
    which Django's own `password_changed()` goes by, is not set then.
    """
    is_changed = instance._password is not None or not instance.has_usable_password()  # type: ignore[attr-defined]
    if is_changed and instance.pk is not None:
        Token.objects.filter(user=instance, by_password=True).delete()


def watch_passwords() -> None:
    """Have every way to change a password end those keys: forms, commands and shells all save a user.

    Before it is saved, so that a process that is killed in between leaves no key; after it, for keys made meanwhile.
    """
    for signal in (pre_save, post_save):
        signal.connect(end_keys_got_by_password, sender=User)
