from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Permission
from django.db.models import Q

from folio.snapshots import remember

from .codes import CODES, PUBLISHED
from .models import Token

CODES_SIZE = 4096  # bytes that a user's codes take in the document cache, roughly


def held_permissions(user: Any) -> frozenset[str]:
    """Return what was granted to a user or their groups, as `app.codename`, whether or not they can use it now."""
    permissions = Permission.objects.filter(Q(user=user) | Q(group__user=user))
    return frozenset(f"{app}.{name}" for app, name in permissions.values_list("content_type__app_label", "codename"))


def granted_codes(user: AbstractBaseUser) -> frozenset[int]:
    """Return the codes that a user holds: an admin all, staff those granted to them or their groups, others none."""
    if not user.is_active or not (user.is_superuser or user.is_staff):  # type: ignore[attr-defined]
        return frozenset()
    if user.is_superuser:  # type: ignore[attr-defined]
        return frozenset(CODES)
    held = held_permissions(user)
    return frozenset(code.code for code in CODES.values() if code.permission in held)


def allowed_codes(token: Token, snapshot: int | None = None) -> frozenset[int]:
    """Return the codes that a token can use: those its owner holds and it is not narrowed away from."""
    codes = remember(snapshot, (Permission, token.user_id), lambda: granted_codes(token.user), CODES_SIZE)
    if token.published_only:
        codes &= PUBLISHED
    return codes if token.codes is None else codes.intersection(token.codes)


def holds_no_more(other: Any, user: Any) -> bool:
    """Tell whether there is nothing that another user holds and this one does not.

    Who may change someone can set their password, and act as them: this must not lead to more than one holds.
    """
    if user.is_superuser:
        return True
    return not other.is_superuser and held_permissions(other) <= held_permissions(user)
