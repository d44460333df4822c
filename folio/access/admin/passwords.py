"""Changing a password, one's own or another's: which of its owner's API keys are to be revoked too is asked there."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.models import DELETION
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm

from folio.history.changes import log_each

from ..attempts import TooManyAttempts, turns
from ..backends import counted
from ..known import remember
from ..models import Token
from . import words
from .tables import Option, Table

TEMPLATE = "folio/access/password.html"


class KeysTable(Table):
    """API keys, each with what it may do and until when."""

    input_type = ""  # unfold would take it for a single box, and set its label beside it

    def parts(self, checked: set[str]) -> dict[str, Any]:
        others = []
        for choice, _label in self.choices:
            value: Any = choice
            token: Token = value.instance
            details = words.reach_of(token)
            if token.expires_at is not None:
                details.append(_("Expires on %(day)s") % {"day": date_format(token.expires_at)})
            others.append(Option(token.pk, [(str(token),)], str(token), str(token.pk) in checked, details=details))
        return {"columns": [], "rows": {}, "others": others}


class RevokesKeys:
    """A form that sets a user's password, and revokes those of their keys that are chosen.

    Those that were got by the password that is changed end by themselves.
    """

    class Media:
        css = {"all": ["folio/access/access.css"]}

    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]
    user: User

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        keys = Token.objects.alive().filter(user=self.user, by_password=False)
        if keys.exists():
            table = KeysTable()
            table.label = gettext_lazy("Revoke these API keys too")
            self.fields["revoked"] = forms.ModelMultipleChoiceField(
                keys,
                required=False,
                label=table.label,
                help_text=gettext_lazy(
                    "Choose those that someone may know who knew the password. Whatever uses them is refused at once."
                ),
                widget=table,
            )

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)  # type: ignore[misc]  # takes long: nobody has to wait for it
        if commit:
            with transaction.atomic():
                user.save()
                revoked = list(self.cleaned_data.get("revoked") or ())
                log_each(self.by, DELETION, [(token, {}) for token in revoked])
                Token.objects.filter(pk__in=[token.pk for token in revoked]).delete()
        return user


class OwnPasswordForm(RevokesKeys, AdminOwnPasswordChangeForm):
    """One's own password; the old one is asked for, and guessing it is slowed like signing in."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        try:
            attempt = counted(self.request, self.user.get_username())
            with turns.turn(attempt):
                password: str = super().clean_old_password()
        except TooManyAttempts as error:
            raise ValidationError(str(error), code="too_many") from error
        attempt.succeed()
        return password


class PasswordForm(RevokesKeys, AdminPasswordChangeForm):
    """Another's password, which whoever may change that user sets."""


class OwnPassword(PasswordChangeView):
    form_class = OwnPasswordForm
    template_name = TEMPLATE

    def get_form_kwargs(self) -> dict[str, Any]:
        user = cast(User, self.request.user)
        return {**super().get_form_kwargs(), "user": user, "by": user, "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        remember(response, form.user)
        return response


def change_own_password(request: HttpRequest) -> HttpResponseBase:
    context = admin.site.each_context(request)
    view = OwnPassword.as_view(success_url=reverse("admin:password_change_done"), extra_context=context)
    return view(request)
