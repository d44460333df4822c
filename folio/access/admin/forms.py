"""The form of the admin site in which people make an API key of their own."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES, UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from ..codes import CODES, PUBLISHED
from ..models import NAME_LENGTH, Token, validate_expiry
from . import words
from .tables import CodesTable

ON_DATE, NEVER = "date", "never"
WEBSITE, PORTFOLIOS, READ, SOME, ALL = "website", "portfolios", "read", "some", "all"
READING = frozenset(code.code for code in CODES.values() if code.action in {"list", "retrieve"})
REACHES = {
    WEBSITE: _("A website: reads what is published"),
    PORTFOLIOS: _("Read portfolios, those that are not published too"),
    READ: _("Read all that I may see"),
    SOME: _("Only what I choose"),
    ALL: _("All that I may, now and later"),
}


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new key: what it is for, until when, and which of its owner's codes it may use."""

    held: frozenset[int]  # the codes of whom the key is for, set by a subclass

    form = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        help_text=_("What uses the key, such as a website: so you know later what would stop without it."),
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )
    lifetime = forms.ChoiceField(
        label=_("Expires"),
        initial="90",
        choices=[
            ("30", _("In 30 days")),
            ("90", _("In 90 days")),
            ("365", _("In a year")),
            (ON_DATE, _("On a date")),
            (NEVER, _("Never")),
        ],
        help_text=_(
            "From then on, whatever uses the key is refused: a website shows nothing new, or nothing at all, until it "
            "has another key. Note the day, and make the next key before it."
        ),
        widget=UnfoldAdminRadioSelectWidget,
    )
    date = forms.DateField(
        label=_("Date"),
        required=False,
        help_text=_("The key works until this day begins, in UTC."),
        widget=forms.DateInput({"type": "date", "class": " ".join(INPUT_CLASSES)}, format="%Y-%m-%d"),
    )
    reach = forms.ChoiceField(
        label=_("What it may do"),
        choices=list(REACHES.items()),
        help_text=_("A key never does more than its owner may."),
        widget=UnfoldAdminRadioSelectWidget,
    )
    codes = forms.TypedMultipleChoiceField(label=_("Codes"), required=False, coerce=int, widget=CodesTable)
    published_only = forms.BooleanField(
        label=_("Only what is published"),
        required=False,
        help_text=_("The key never sees an entry that is not published. It can list and retrieve portfolios alone."),
        widget=UnfoldBooleanWidget,
    )

    class Media:
        js = [forms.Script("folio/access/token-form.js", type="module")]

    class Meta:
        model = Token
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["codes"]
        field.widget.label = field.label
        field.choices = [(code, words.words_of(CODES[code])) for code in sorted(self.held)]

        reach: Any = self.fields["reach"]
        reach.choices = [(value, label) for value, label in REACHES.items() if self.may_offer(value)]
        reach.initial = reach.choices[0][0]

    def may_offer(self, reach: str) -> bool:
        """Tell whether a key of that reach would open something for its owner, or might later."""
        portfolios = PUBLISHED & self.held
        codes = {WEBSITE: portfolios, PORTFOLIOS: portfolios, READ: READING & self.held - PUBLISHED, SOME: self.held}
        return bool(codes.get(reach, True))

    def codes_of(self, given: dict[str, Any]) -> list[int] | None:
        """Return the codes that the key is narrowed to, or None for all that its owner may."""
        codes = {PORTFOLIOS: PUBLISHED, READ: READING & self.held, SOME: given["codes"]}
        if given["published_only"] and given["reach"] != SOME:
            return None  # it can use two alone, and what it is narrowed to says nothing more
        return sorted(codes[given["reach"]]) if given["reach"] in codes else None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        try:
            given["expires_at"] = self.expiry(given)
        except ValidationError as error:
            self.add_error("date", error)
        if given.get("reach") == SOME and not given.get("codes") and "codes" not in self.errors:
            self.add_error("codes", _("Choose at least one."))
        given["published_only"] = given.get("published_only", False) or given.get("reach") == WEBSITE
        others = set(given.get("codes") or ()) - PUBLISHED
        if given["published_only"] and given.get("reach") == SOME and others:
            named = ", ".join(map(str, sorted(others)))
            text = _("A key that reads only what is published can't use %(codes)s: leave them out, or untick this box.")
            self.add_error("published_only", text % {"codes": named})
        return given

    def expiry(self, given: dict[str, Any]) -> datetime | None:
        lifetime, date = given.get("lifetime", NEVER), given.get("date")
        if lifetime == NEVER:
            return None
        if lifetime != ON_DATE:
            return timezone.now() + timedelta(days=int(lifetime))
        if date is None:
            raise ValidationError([] if "date" in self.errors else _("Enter a date."))
        moment = datetime.combine(date, time(), UTC)
        validate_expiry(moment)
        return moment

    def save(self, commit: bool = True) -> Token:
        """Return the new token, which has neither an owner nor a key yet."""
        given = self.cleaned_data
        token = self.instance
        token.form, token.expires_at = given["form"], given["expires_at"]
        token.codes, token.published_only = self.codes_of(given), given["published_only"]
        return token

    def save_m2m(self) -> None:
        """Save nothing more: all of a token is in its row."""
