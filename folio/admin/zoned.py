"""Moments that someone types in the time zone of their browser.

They come with the name of the zone, which the page's script fills in; without scripts they are typed in UTC.
"""

from datetime import UTC, datetime, time, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from .moments import SkippedTime, in_utc, is_shown_as

zones = cache(available_timezones)  # which reads some hundred files
UNKEPT: Any = {"autocomplete": "off"}  # else a page that is loaded anew may have times of one zone and another's name


class ZoneField(forms.Field):
    """The name of a time zone, as browsers tell theirs."""

    def to_python(self, value: Any) -> tzinfo:
        if value in self.empty_values:
            return UTC
        if value not in zones():
            # The page that says so asks for UTC: see ZonedMomentInput.
            text = _(
                "The time zone “%(zone)s” is not known here. Enter the date and time in UTC, as they are asked now."
            )
            raise ValidationError(text, code="zone", params={"zone": str(value)[:50]})
        return ZoneInfo(value)


class ZonedMomentInput(forms.MultiWidget):
    """The browser's own inputs for a day and a time, and the zone of these, which the page's script fills in."""

    template_name = "folio/admin/zoned_moment.html"

    def __init__(self) -> None:
        look = UnfoldAdminTextInputWidget().attrs["class"]
        day = forms.DateInput({"type": "date", "class": look, "aria-label": _("Date"), **UNKEPT}, "%Y-%m-%d")
        hour = forms.TimeInput({"type": "time", "class": look, "aria-label": _("Time (UTC)"), **UNKEPT}, "%H:%M:%S")
        super().__init__((day, hour, forms.HiddenInput(UNKEPT)))

    def decompress(self, value: Any) -> list[Any]:
        """Return a moment in UTC; no text that an address gives, which is read nowhere."""
        if not isinstance(value, datetime):
            return [None, None, ""]
        moment = value.astimezone(UTC).replace(microsecond=0)
        return [moment.date(), moment.time(), ""]

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        is_unknown = isinstance(value, list) and bool(value[2]) and value[2] not in zones()
        if is_unknown:
            value = [*value[:2], ""]
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["widget"]["is_in_utc"] = is_unknown
        return context


class ZonedMomentField(forms.MultiValueField):
    """A date and a time in the zone of who types them, as a moment in UTC; a date alone is its midnight."""

    widget = ZonedMomentInput
    default_error_messages = {
        "day": _("Enter a date such as 2026-12-04."),
        "hour": _("Enter a time such as 09:00."),
        "hour_alone": _("A time alone is not enough: enter its date too, such as 2026-12-04."),
        "skipped": _("At that time the clocks of %(zone)s are put forward, and skip it. Enter %(later)s, say."),
        "far": _("Enter a date that is nearer, such as 2026-12-04."),
    }

    def __init__(self, **options: Any) -> None:
        said = self.default_error_messages
        fields = (
            forms.DateField(required=False, error_messages={"invalid": said["day"]}),
            forms.TimeField(required=False, error_messages={"invalid": said["hour"]}),
            ZoneField(required=False),
        )
        super().__init__(fields, require_all_fields=False, required=False, **options)

    def compress(self, values: list[Any]) -> datetime | None:
        day, hour, zone = values or (None, None, UTC)
        if day is None and hour is not None:
            raise ValidationError(self.error_messages["hour_alone"], code="hour_alone")
        if day is None:
            return None
        try:
            return in_utc(datetime.combine(day, hour or time()), zone)
        except SkippedTime as error:
            told = {"zone": str(zone), "later": error.later.strftime("%H:%M")}
            raise ValidationError(self.error_messages["skipped"], code="skipped", params=told) from error
        except OverflowError as error:
            raise ValidationError(self.error_messages["far"], code="far") from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Tell whether it is another moment now; the same one may be typed in any zone."""
        try:
            now = self.clean(data)
        except ValidationError:
            return True
        if not (now and isinstance(initial, datetime)):
            return bool(now or isinstance(initial, datetime))
        return not is_shown_as(initial, now, self.zone_of(data))

    def zone_of(self, data: Any) -> tzinfo:
        """Return the zone of what was sent."""
        return self.fields[2].clean(data[2]) if data else UTC
