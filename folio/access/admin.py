from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Value
from django.db.models.functions import Concat
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from folio.api.admin import AbsentLast, ResourceAdmin

from .codes import ACTIONS, CODES
from .models import Token

GRANTABLE = {
    *(code.permission for code in CODES.values()),
    *(f"auth.{verb}_{model}" for verb in ACTIONS.values() for model in ("user", "group")),
    "access.view_token",
    "access.delete_token",
}


class PermissionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Permissions, each with the codes that it is behind."""

    def label_from_instance(self, obj: Any) -> str:
        path = f"{obj.content_type.app_label}.{obj.codename}"
        codes = [str(code.code) for code in CODES.values() if code.permission == path]
        return f"{obj.name} ({', '.join(codes)})" if codes else str(obj.name)


class GrantsMixin:
    """Offers the permissions that something in Folio asks for, and no others."""

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.remote_field.model is Permission:
            path = Concat("content_type__app_label", Value("."), "codename")
            permissions = Permission.objects.alias(path=path).filter(path__in=GRANTABLE)
            kwargs["queryset"] = permissions.select_related("content_type")
            kwargs["form_class"] = PermissionsField
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(GrantsMixin, DjangoUserAdmin, ResourceAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(GrantsMixin, DjangoGroupAdmin, ResourceAdmin):
    pass


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
