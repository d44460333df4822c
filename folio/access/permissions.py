from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from folio.api.errors import Forbidden
from folio.snapshots import SNAPSHOT

from .authentication import token_of
from .codes import RESOURCES, Code
from .grants import allowed_codes


def require(code: Code, request: Request) -> None:
    """Raise Forbidden, which names the code, unless the request's key can use it."""
    if code.code not in allowed_codes(token_of(request), request.META.get(SNAPSHOT)):
        raise Forbidden(
            f"This needs the permission code {code.code} ({code.action} {code.resource}), "
            "held by an admin or by staff with that permission, and by the key.",
            permission_code=code.code,
        )


class HoldsPermissionCode(BasePermission):
    """Lets a key in that holds the code of the view's resource and action."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        if view.action in {None, "metadata"}:  # a method that the path doesn't know, or OPTIONS, which is told next
            return True
        require(self.code_of(view), request)
        return True

    def code_of(self, view: Any) -> Code:
        return RESOURCES[view.resource][view.code_of_action.get(view.action, view.action)]

    def describe(self, view: Any) -> str:
        """Return what the API's description says of who may do this."""
        return f"Permission code: {self.code_of(view).code}."


class IsNotNarrowed(BasePermission):
    """Lets a key in that may do all that its owner may."""

    purpose = "manage keys"

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        token = token_of(request)
        if token.codes is not None:
            raise Forbidden(f"This key is narrowed to some permission codes; only one that is not may {self.purpose}.")
        if token.published_only:
            raise Forbidden(
                f"This key reads what is published, and nothing else; only one that is not may {self.purpose}."
            )
        return True

    def describe(self, view: Any) -> str:
        """Return what the API's description says of who may do this."""
        return "Open to every key that is not narrowed."


class IsAdmin(IsNotNarrowed):
    """Lets an admin's key in that may do all that its owner may."""

    purpose = "do this"

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.user.is_authenticated and not request.user.is_superuser:
            raise Forbidden(f"Only admins may {self.purpose}.")
        return super().has_permission(request, view)

    def describe(self, view: Any) -> str:
        return "Open to admins, with a key that is not narrowed."
