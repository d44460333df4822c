"""Which keys read portfolios that are not published: those who unpublish one are told of them."""

from django.db.models import Q

from .codes import CODES, PUBLISHED
from .models import Token

READS = {CODES[code].permission for code in PUBLISHED}  # as `app.codename`: list and retrieve are one permission


def readers_of_unpublished() -> list[Token]:
    """Return the keys, with their users, that can list or retrieve portfolios which are not published, by name.

    A key needs an owner who holds the permission, and to be narrowed away from neither code nor drafts.
    """
    holds = Q()
    for permission in READS:
        app, codename = permission.split(".")
        for path in ("user_permissions", "groups__permissions"):
            holds |= Q(**{f"user__{path}__content_type__app_label": app, f"user__{path}__codename": codename})
    allowed = Q(user__is_superuser=True) | Q(user__is_staff=True) & holds
    tokens = Token.objects.alive().filter(allowed, published_only=False).defer("digest").select_related("user")
    found = {token.pk: token for token in tokens.order_by("name", "pk")}
    return [token for token in found.values() if token.codes is None or PUBLISHED.intersection(token.codes)]
