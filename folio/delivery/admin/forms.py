"""The form of a webhook."""

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from folio.history.changes import Changes, form_changes

from ..models import Event, Webhook
from ..webhooks.entered import LookedUp
from ..webhooks.managing import recordable
from .words import EVENTS


def nonce_of(form: UUID) -> str:
    """Return the nonce of the webhook that a form makes: sent again, the form is known by it."""
    return salted_hmac("folio.delivery.webhook", str(form), algorithm="sha256").hexdigest()[:32]


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]
    """A webhook: where, of what, and whether at all. Its address is a secret, and shown only as it is typed."""

    looked_up = LookedUp()  # by the request, before its transaction

    form = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4, required=False)
    new_url = forms.CharField(
        label=_("Address"),
        max_length=2000,
        widget=UnfoldAdminTextInputWidget(
            {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "inputmode": "url", "dir": "ltr"}
        ),
    )
    events = forms.MultipleChoiceField(
        label=_("Tell it when"),
        choices=list(EVENTS.items()),
        initial=list(Event.values),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": _("Choose at least one.")},
    )

    class Meta:
        model = Webhook
        fields = ("events", "is_active")
        labels = {"is_active": _("Active"), "url": _("Address")}
        help_texts = {"is_active": _("While it is not, nothing is sent; what changes meanwhile is not told later.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored_url = self.instance.url  # which a new one has none of
        box = self.fields["new_url"]
        if self.stored_url:
            del self.fields["form"]
            box.required = False
            box.widget.is_required = False
            box.label = _("Another address")
            box.help_text = _("The address may be a secret, so it is shown in part alone. Leave this empty to keep it.")
        else:
            box.help_text = _(
                "Where your website is told, or whoever builds it: the URL of a build hook, for one. "
                "It is shown in part alone once it is saved."
            )

    def clean_new_url(self) -> str:
        text: str = self.cleaned_data["new_url"]
        try:
            return self.looked_up.address(text, self.stored_url) if text else ""
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.cleaned_data.get("new_url"):
            self.instance.url = self.cleaned_data["new_url"]
        if not self.stored_url and self.cleaned_data.get("form"):
            self.instance.nonce = nonce_of(self.cleaned_data["form"])

    def changes(self, *, is_new: bool) -> Changes:
        """Return what the form changes as it may be told: the address without what may be secret in it."""
        changes = form_changes(self, (), is_new=is_new)
        if self.instance.url != self.stored_url:
            changes |= recordable({"url": (self.stored_url, self.instance.url)})
        return changes
