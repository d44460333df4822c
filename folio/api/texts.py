"""How texts sort and are found, the same on both databases.

Texts sort by Unicode code point: SQLite's habit, and PostgreSQL's under the collation "C". They are found in any
letter case of any script: both sides are folded by lowering, then raising every letter, so that `ß`, `ẞ` and `SS`, or
`σ` and `ς`, are one. PostgreSQL folds with ICU's root collation, SQLite with Python's tables.
"""

import unicodedata
from functools import reduce
from operator import and_
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, F, Q, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext_lazy as _

MAX_SEARCH_WORDS = 32
MAX_SEARCH_LENGTH = 1000  # characters; SQLite refuses a pattern of 50,000 bytes


class CodePointOrder:
    """A text column that sorts by code point on every database."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = super().db_parameters(connection)  # type: ignore[misc]
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class CodePointCharField(CodePointOrder, CharField):  # type: ignore[type-arg]
    """A `CharField` that sorts by code point."""


class CodePointTextField(CodePointOrder, TextField):  # type: ignore[type-arg]
    """A `TextField` that sorts by code point."""


def normal(text: str) -> str:
    """Return a text in Unicode's form NFC, in which what looks the same is the same; texts are stored in it."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Return `text` as it is compared in a search, without its letter case."""
    return text.lower().upper()


class Folded(models.Func):
    """`fold()` of a text expression, in the database."""

    function = "FOLD"
    arity = 1
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = 'UPPER(LOWER((%(expressions)s) COLLATE "und-x-icu") COLLATE "und-x-icu")'
        return self.as_sql(compiler, connection, template=template, **context)


def install_fold(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Teach a new SQLite connection `FOLD()`."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("FOLD", 1, fold, deterministic=True)


def search(queryset: models.QuerySet[Any], text: str, *fields: str) -> models.QuerySet[Any]:
    """Return the rows in which every word of `text` occurs in one of `fields` at least.

    `fields` are names of text columns, across relations too; numbers are searched as their decimal text. The fields
    are folded as one text, kept apart by line feeds, which no word contains.
    """
    words = fold(normal(text)).split()
    empty, apart = (Value(text, TextField()) for text in ("", "\n"))  # PostgreSQL joins texts of one type only
    parts: list[Any] = [Coalesce(Cast(F(field), TextField()), empty) for field in fields]
    joined = reduce(lambda left, right: Concat(left, apart, right), parts)
    matches = reduce(and_, (Q(searched__contains=word) for word in words))
    return queryset.alias(searched=Folded(joined)).filter(matches)


def validate_slug(value: str) -> None:
    """Refuse a slug with anything but letters, digits and the marks of any script, `-` and `_`.

    Marks (Unicode category M) count with their letters: most Indic scripts can't be written without them. Those that
    enclose (Me) do not: with a digit, they make an emoji.
    """
    if any(
        (unicodedata.category(character)[0] not in "LNM" or unicodedata.category(character) == "Me")
        and character not in "-_"
        for character in value
    ):
        raise ValidationError(
            _("Enter a slug of letters (of any script), digits, hyphens and underscores, such as 'web-design'."),
            code="invalid",
        )
