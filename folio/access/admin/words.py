"""Permission codes and permissions in words, as the admin site shows them in its reader's language."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..codes import CODES, Code
from ..models import Token

RESOURCES = {
    "media": _("media"),
    "portfolios": _("portfolios"),
    "employers": _("employers"),
    "tags": _("tags"),
    "links": _("links"),
    "meta": _("meta"),
}
ACTIONS = {
    "create": _("create"),
    "list": _("list"),
    "retrieve": _("retrieve"),
    "update": _("update"),
    "delete": _("delete"),
}
# What is granted beside the permissions behind the codes.
OTHERS = {
    "portfolios.draft_portfolio": _("draft portfolios: write entries here that someone else publishes"),
    "auth.view_user": _("view users"),
    "auth.add_user": _("add users (needs: change users)"),
    "auth.change_user": _("change users, and what they are granted"),
    "auth.delete_user": _("delete users"),
    "auth.view_group": _("view groups"),
    "auth.add_group": _("add groups"),
    "auth.change_group": _("change groups, and what they grant"),
    "auth.delete_group": _("delete groups"),
    "access.view_token": _("view everyone’s API keys (never the keys themselves)"),
    "access.delete_token": _("revoke everyone’s API keys (needs: view them)"),
}


def words_of(code: Code) -> str:
    """Say a code in words: `4201 · create portfolios`."""
    return _("%(code)s · %(action)s %(resource)s") % {
        "code": code.code,
        "action": ACTIONS[code.action],
        "resource": RESOURCES[code.resource],
    }


def summary_of(codes: Iterable[int]) -> list[str]:
    """Say some codes in a line for each resource: `Portfolios: 4202 list, 4203 retrieve`."""
    known = sorted((CODES[code] for code in codes if code in CODES), key=lambda code: code.code)
    return [
        f"{capfirst(RESOURCES[resource])}: " + ", ".join(f"{code.code} {ACTIONS[code.action]}" for code in group)
        for resource, group in groupby(known, key=lambda code: code.resource)
    ]


def reach_of(token: Token) -> list[str]:
    """Say in lines what a key may do."""
    told = [gettext("Read what is published, and nothing else")] if token.published_only else []
    if token.codes is not None:
        return told + summary_of(token.codes)
    return told or [gettext("All that its owner may")]


def label_of(permission: str) -> str:
    """Say a permission, `app.codename`, in words: the codes that it is behind, or what else it allows."""
    if permission in OTHERS:
        return str(OTHERS[permission])
    return ", ".join(words_of(code) for code in CODES.values() if code.permission == permission)


def path_of(permission: Any) -> str:
    """Return a permission's row as `app.codename`."""
    return f"{permission.content_type.app_label}.{permission.codename}"
