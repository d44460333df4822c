from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Permission
from django.db.models import Q

from folio.snapshots import remember

from .codes import CODES
from .models import Token

CODES_SIZE = 4096  # bytes that a user's codes take in the document cache, roughly


def granted_codes(user: AbstractBaseUser) -> frozenset[int]:
    """Return the codes that a user holds: an admin all, staff those granted to them or their groups, others none."""
    if not user.is_active or not (user.is_superuser or user.is_staff):  # type: ignore[attr-defined]
        return frozenset()
    if user.is_superuser:  # type: ignore[attr-defined]
        return frozenset(CODES)
    permissions = Permission.objects.filter(Q(user=user) | Q(group__user=user))
    held = {f"{app}.{name}" for app, name in permissions.values_list("content_type__app_label", "codename")}
    return frozenset(code.code for code in CODES.values() if code.permission in held)


def allowed_codes(token: Token, snapshot: int | None = None) -> frozenset[int]:
    """Return the codes that a token can use: those its owner holds and it is not narrowed away from."""
    codes = remember(snapshot, (Permission, token.user_id), lambda: granted_codes(token.user), CODES_SIZE)
    return codes if token.codes is None else codes.intersection(token.codes)
