"""API keys: everyone on the staff makes, sees and revokes their own; some see and revoke everyone's."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from folio.admin.options import AbsentLast, ResourceAdmin, in_one_write
from folio.api.viewsets import base_url

from ..codes import RESOURCES
from ..grants import allowed_codes, granted_codes
from ..models import Token
from . import words
from .forms import TokenForm
from .secrets import Copied, secret_page
from .tables import lines

LIST_PORTFOLIOS = RESOURCES["portfolios"]["list"].code


def owner(request: HttpRequest) -> User:
    """Return who is signed in, and so owns the keys that are made."""
    return cast(User, request.user)


@admin.register(Token)
class TokenAdmin(ResourceAdmin):
    """A key is shown once, in the answer to the form that made it, and is kept nowhere."""

    list_display = ("name_or_number", "user", "codes_in_words", "made", "expiry", "last_use", "revocation")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    ordering = ("-created_at", "-pk")
    add_form_template = "folio/access/token_form.html"
    delete_confirmation_template = "folio/access/revoke.html"
    fieldsets = ((None, {"fields": ("name_or_number", "user", "codes_in_words", "made", "expiry", "last_use")}),)
    add_fieldsets = ((None, {"fields": ("form", "name", "lifetime", "date", "reach", "codes", "published_only")}),)
    readonly_fields = ("name_or_number", "user", "codes_in_words", "made", "expiry", "last_use")

    class Media:
        css = {"all": ["folio/access/access.css"]}

    # Who may do what

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True  # of all whom the admin site lets in

    def has_view_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return obj is None or obj.user_id == request.user.pk or self.sees_every_row(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return obj is None or obj.user_id == request.user.pk or super().has_delete_permission(request, obj)

    def sees_every_row(self, request: HttpRequest) -> bool:
        return super().has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        queryset: QuerySet[Token] = super().get_queryset(request).defer("digest")
        return queryset if self.sees_every_row(request) else queryset.filter(user=owner(request))

    # The list

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = super().get_list_display(request)
        return columns if self.sees_every_row(request) else [name for name in columns if name != "user"]

    def get_search_fields(self, request: HttpRequest) -> Any:
        return self.search_fields if self.sees_every_row(request) else ("name",)

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        if "delete_selected" in actions:
            function, name, _description = actions["delete_selected"]
            actions["delete_selected"] = (function, name, gettext("Revoke the selected API keys"))
        return actions

    @admin.display(description=_("name"), ordering="name")
    def name_or_number(self, token: Token) -> str:
        return str(token)

    @admin.display(description=_("may do"))
    def codes_in_words(self, token: Token) -> str | None:
        return lines(words.reach_of(token))

    @admin.display(description=_("made"), ordering="created_at")
    def made(self, token: Token) -> str:
        return date_format(token.created_at)

    @admin.display(description=_("expires"), ordering=AbsentLast("expires_at"))
    def expiry(self, token: Token) -> Any:
        if token.expires_at is None:
            return gettext("Never")
        day = date_format(token.expires_at)
        return gettext("Expired on %(day)s") % {"day": day} if token.has_expired() else day

    @admin.display(description=_("last used"), ordering=AbsentLast("last_used_at"))
    def last_use(self, token: Token) -> str:
        if token.last_used_at is None:
            return gettext("Never")
        hour = date_format(token.last_used_at, "TIME_FORMAT")
        return gettext("%(day)s, in the hour from %(hour)s UTC") % {
            "day": date_format(token.last_used_at),
            "hour": hour,
        }

    @admin.display(description="")
    def revocation(self, token: Token) -> str:
        url = reverse("admin:access_token_delete", args=[token.pk])
        label = gettext("Revoke %(name)s") % {"name": token}
        return format_html(
            '<a class="folio-access-revoke" href="{}" aria-label="{}">{}</a>', url, label, gettext("Revoke")
        )

    # A new key

    def get_fieldsets(self, request: HttpRequest, obj: Token | None = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Token | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_form(self, request: HttpRequest, obj: Token | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        return type("TokenForm", (TokenForm,), {"held": granted_codes(owner(request))})

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """Answer with the form, and once only with the key that it makes: sent again, it leads to the list."""
        show = super(ResourceAdmin, self).changeform_view
        is_new = request.method == "POST" and object_id is None
        return in_one_write(
            request, lambda: (is_new and self.tell_if_made(request)) or show(request, object_id, *args, **kwargs)
        )

    def tell_if_made(self, request: HttpRequest) -> HttpResponse | None:
        form = TokenForm.base_fields["form"]
        try:
            is_made = Token.objects.filter(user=owner(request), form=form.clean(request.POST.get("form"))).exists()
        except ValidationError:
            return None
        if not is_made:
            return None
        text = _(
            "This form has made its API key already. The key was shown then and is kept nowhere: if it was lost, "
            "revoke it and make another one."
        )
        messages.warning(request, text)
        return HttpResponseRedirect(reverse("admin:access_token_changelist"))

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        obj.user = owner(request)
        request.new_key = obj.draw_key()  # type: ignore[attr-defined]  # for the answer to this request alone
        super().save_model(request, obj, form, change)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Lead back to the list; Django leads there only whoever may change something in it."""
        messages.success(request, gettext("The API key “%(name)s” is revoked.") % {"name": obj_display})
        return HttpResponseRedirect(reverse("admin:access_token_changelist"))

    def response_add(self, request: HttpRequest, obj: Token, post_url_continue: str | None = None) -> HttpResponse:
        path = reverse("portfolios-list" if LIST_PORTFOLIOS in allowed_codes(obj) else "me")
        key = request.new_key  # type: ignore[attr-defined]
        command = f"curl -H 'Authorization: Token {key}' '{base_url(request)}{path}'"
        return secret_page(
            request,
            {**self.admin_site.each_context(request), "title": _("A new API key"), "opts": self.opts},
            heading=gettext("“%(name)s” is ready") % {"name": obj},
            texts=[
                gettext("Copy the key now and keep it where passwords are kept. It is shown only here, only this once.")
            ],
            copies=[
                Copied("folio-key", gettext("Key"), key, gettext("Copy the key")),
                Copied("folio-curl", gettext("Try it in a terminal"), command, gettext("Copy the command")),
            ],
            next_url=reverse("admin:access_token_changelist"),
        )
