"""The values of query parameters: how each type is written, and what is said when it isn't."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms
from django.utils.dateparse import parse_date, parse_datetime

MAX_LIST = 1000
BIGGEST = 2**63 - 1  # the largest integer that both databases know

IDENTIFIER = re.compile(r"[0-9]{1,18}", re.ASCII)  # of a row, as text
INTEGER = re.compile(r"[+-]?[0-9]{1,4000}", re.ASCII)
# In a query string a `+` that was not percent-encoded arrives as a space: here the one of a time offset.
LOST_PLUS = re.compile(r"(?<=[0-9]) (?=[0-9]{2}(:?[0-9]{2})?$)", re.ASCII)
TIME = re.compile(r"[T ][0-9]{2}:[0-9]{2}", re.ASCII)
BOOLEANS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}


def parse_integer(text: str) -> int:
    """Return the integer, brought into the range of 64 bits: beyond it nothing is stored, so comparisons hold."""
    if not INTEGER.fullmatch(text):
        raise forms.ValidationError(f"Enter a whole number, not '{text}'.", code="invalid")
    return max(-BIGGEST, min(int(text), BIGGEST))


def to_utc(moment: datetime) -> datetime:
    """Return the datetime in UTC; one without an offset is UTC already. Raise OverflowError out of range."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_day(text: str) -> date | None:
    try:
        # Python 3.11 reads ten digits, such as a Unix time, as a date with two of them ignored.
        return parse_date(text) if "-" in text else None
    except ValueError:  # well formed, but no such day
        return None


def parse_moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text) if TIME.search(text) else None
        return None if moment is None else to_utc(moment)
    except (ValueError, OverflowError):
        return None


def start_of(day: date) -> datetime:
    """Return midnight, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def end_of(day: date) -> datetime:
    """Return the last microsecond of the day, UTC."""
    return start_of(day) + timedelta(days=1, microseconds=-1) if day < date.max else datetime.max.replace(tzinfo=UTC)


class ParameterField(forms.Field):
    """A parameter's value; `parse` gets it stripped and not empty."""

    schema: dict[str, Any] = {"type": "string"}

    def to_python(self, value: Any) -> Any:
        text = (value or "").strip()
        return self.parse(text) if text else None

    def parse(self, text: str) -> Any:
        if "\0" in text:
            raise forms.ValidationError("The null character is not allowed.", code="invalid")
        return text


class IntegerField(ParameterField):
    def __init__(self, *, min_value: int | None = None, **kwargs: Any) -> None:
        self.min_value = min_value
        self.schema = {"type": "integer"} if min_value is None else {"type": "integer", "minimum": min_value}
        super().__init__(**kwargs)

    def parse(self, text: str) -> int:
        number = parse_integer(text)
        if self.min_value is not None and number < self.min_value:
            raise forms.ValidationError(f"Enter {self.min_value} or more, not {text}.", code="min_value")
        return number


class BooleanField(ParameterField):
    schema: dict[str, Any] = {"type": "boolean"}

    def parse(self, text: str) -> bool:
        try:
            return BOOLEANS[text]
        except KeyError:
            raise forms.ValidationError(f"Enter true or false, not '{text}'.", code="invalid") from None


class DayField(ParameterField):
    schema: dict[str, Any] = {"type": "string", "format": "date"}

    def parse(self, text: str) -> date:
        day = parse_day(text)
        if day is None:
            raise forms.ValidationError(f"Enter a date such as 2023-01-31, not '{text}'.", code="invalid")
        return day


class MomentField(ParameterField):
    """A date or datetime; a bare date is its midnight, or its last microsecond where `whole_day` is set."""

    schema: dict[str, Any] = {
        "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]
    }

    def __init__(self, *, whole_day: bool = False, **kwargs: Any) -> None:
        self.whole_day = whole_day
        super().__init__(**kwargs)

    def parse(self, text: str) -> datetime:
        moment = parse_moment(text) or parse_moment(LOST_PLUS.sub("+", text))
        day = None if moment else parse_day(text)
        if day is not None:
            return end_of(day) if self.whole_day else start_of(day)
        if moment is None:
            raise forms.ValidationError(
                f"Enter a date or datetime such as 2023-01-31 or 2023-01-31T08:30:00Z, not '{text}'.", code="invalid"
            )
        return moment


class IdListField(ParameterField):
    """Ids separated by commas; of a repeated parameter, all of them."""

    widget = forms.MultipleHiddenInput  # the one that reads every value
    schema = {"type": "string", "pattern": "^ *[0-9]+ *(, *[0-9]+ *)*$", "examples": ["1,3"]}

    def to_python(self, value: Any) -> Any:
        return super().to_python(",".join(value or []))

    def parse(self, text: str) -> list[int]:
        ids = [parse_integer(item) for item in split_list(text)]
        if len(ids) > MAX_LIST:
            raise forms.ValidationError(f"Enter at most {MAX_LIST} ids, not {len(ids)}.", code="max_length")
        return ids


class ChoiceField(ParameterField):
    def __init__(self, *, choices: tuple[str, ...], **kwargs: Any) -> None:
        self.choices = choices
        self.schema = {"type": "string", "enum": list(choices)}
        super().__init__(**kwargs)

    def parse(self, text: str) -> str:
        if text not in self.choices:
            raise forms.ValidationError(f"'{text}' is not one of {', '.join(self.choices)}.", code="invalid_choice")
        return text


def split_list(text: str) -> list[str]:
    """Return the items of a comma-separated list, without the spaces around them and without empty ones."""
    return [item for item in (part.strip() for part in text.split(",")) if item]
