from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from folio.api.admin import AbsentLast, ResourceAdmin

from ..models import Token


@admin.register(Token)
class TokenAdmin(ResourceAdmin):
    """Keys are made by their owners or by `folio createtoken`; here they are seen and revoked."""

    list_display = ("name_or_number", "user", "readable_codes", "created_at", "expiry")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    fields = ("name", "user", "readable_codes", "created_at", "expires_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # A filter in the address bar would tell the digest digit by digit.
        return not lookup.startswith("digest") and super().lookup_allowed(lookup, value, request)

    @admin.display(description="name", ordering="name")
    def name_or_number(self, token: Token) -> str:
        return str(token)

    @admin.display(description="codes")
    def readable_codes(self, token: Token) -> str:
        return "all that its owner may" if token.codes is None else ", ".join(map(str, token.codes))

    @admin.display(description="expires at", ordering=AbsentLast("expires_at"), empty_value="never")
    def expiry(self, token: Token) -> Any:
        return token.expires_at
