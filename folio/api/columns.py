"""Columns of texts that people write: in one form of Unicode, and, where they name something, in one line that shows.

The rules stand with the columns, where the API's serializers and the admin site's forms both find them.
"""

import re
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _

from .texts import CodePointCharField, CodePointTextField, normal

INVISIBLE = re.compile(  # besides the categories C and Z: what Unicode lets a font ignore, and letters that are blank
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
POP, POP_ISOLATE = "\u202c", "\u2069"
CLOSING = {**dict.fromkeys("\u202a\u202b\u202d\u202e", POP), **dict.fromkeys("\u2066\u2067\u2068", POP_ISOLATE)}


def shows_something(text: str) -> bool:
    """Tell whether there is anything to see of a text."""
    return any(unicodedata.category(character)[0] not in "CZ" for character in INVISIBLE.sub("", text))


def leaves_direction_open(text: str) -> bool:
    """Tell whether a text turns what comes after it, or ends what was begun before it."""
    awaited: list[str] = []
    for character in text:
        if character in CLOSING:
            awaited.append(CLOSING[character])
        elif character == POP_ISOLATE and character in awaited:  # which closes what was opened within it, too
            while awaited.pop() != POP_ISOLATE:
                pass
        elif character in {POP, POP_ISOLATE} and (not awaited or awaited.pop() != character):
            return True
    return bool(awaited)


def validate_visible(value: str) -> None:
    if not shows_something(value):
        raise ValidationError(_("Enter a text that shows something; this one is invisible."), code="invisible")


def validate_line(value: str) -> None:
    """Refuse what can't name anything: what shows nothing, has several lines, or turns the texts around it.

    Joiners are letters' business, as within Persian words, and directions that are closed again turn nothing.
    """
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in value):
        raise ValidationError(_("Enter one line, without line breaks and other control characters."), code="control")
    validate_visible(value)
    if leaves_direction_open(value):
        raise ValidationError(
            _("A change of the writing direction stays open. Close it within the text, or leave it out."),
            code="bidirectional",
        )


class Normal:
    """A column that takes its values, and what is looked up in it, in their normal form.

    Forms and serializers bring what is typed into that form, and what a new row has is saved in it. A change of other
    fields leaves a value as it is stored: where another row has the normal form already, the row keeps its own.
    """

    path: str  # of the class that migrations name: how values come in is nothing to the database

    def deconstruct(self) -> Any:
        name, _, arguments, options = super().deconstruct()  # type: ignore[misc]
        return name, self.path, arguments, options

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)  # type: ignore[misc]
        return normal(text) if isinstance(text, str) else text

    def pre_save(self, instance: models.Model, add: bool) -> Any:
        value = super().pre_save(instance, add)  # type: ignore[misc]
        if add and isinstance(value, str):
            value = normal(value)
            setattr(instance, self.attname, value)  # type: ignore[attr-defined]
        return value

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        if isinstance(value, str):
            return self.get_db_prep_value(value, connection, prepared=True)  # type: ignore[attr-defined]
        return super().get_db_prep_save(value, connection)  # type: ignore[misc]


class NormalCharField(Normal, models.CharField):  # type: ignore[type-arg]
    path = "django.db.models.CharField"


class NormalTextField(Normal, models.TextField):  # type: ignore[type-arg]
    path = "django.db.models.TextField"


class NormalCodePointCharField(Normal, CodePointCharField):
    path = "folio.api.texts.CodePointCharField"


class NormalCodePointTextField(Normal, CodePointTextField):
    path = "folio.api.texts.CodePointTextField"


class VisibleField(NormalCharField):
    """A text that shows something."""

    default_validators = [validate_visible]


class LineField(NormalCharField):
    """What something is called, in one line."""

    default_validators = [validate_line]


class CodePointLineField(NormalCodePointCharField):
    """What something is called, in one line; it sorts by code point."""

    default_validators = [validate_line]
