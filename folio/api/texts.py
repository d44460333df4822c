"""How texts sort and are found, the same on both databases.

Texts sort by Unicode code point: SQLite's habit, and PostgreSQL's under the collation "C". They are found by their
folded form, which `folio.api.folding` makes of both sides. Short names are folded when they are searched: on SQLite by
a function that each connection is given, and on PostgreSQL after they were read. What is searched more often, or is
longer, has an index of folded texts, which its app registers in `indexes`.
"""

import unicodedata
from collections.abc import Callable, Sequence
from functools import reduce
from operator import and_
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, F, Q, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext_lazy as _

from .folding import fold

MAX_SEARCH_WORDS = 32
MAX_SEARCH_LENGTH = 1000  # characters; SQLite refuses a pattern of 50,000 bytes
READ_AT_ONCE = 2_000  # rows


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


class Folded(models.Func):
    """`fold()` of a text expression, on SQLite."""

    function = "FOLD"
    arity = 1
    output_field = TextField()


def install_fold(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Teach a new SQLite connection `FOLD()`, which keeps line feeds apart from spaces."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("FOLD", 1, fold_lines, deterministic=True)


def fold_lines(text: str) -> str:
    return "\n".join(map(fold, text.split("\n")))


class Asked(str):
    """What a request searches for: what was read to find it is kept for the request's other queries."""

    __slots__ = ("kept",)

    def __new__(cls, text: str) -> "Asked":
        asked = super().__new__(cls, text)
        asked.kept = {}
        return asked

    kept: dict[Any, Any]


# By model, what finds its rows by folded words in some of its fields; it returns None for fields that it doesn't know.
Index = Callable[[models.QuerySet[Any], "Search"], models.QuerySet[Any] | None]
indexes: dict[Any, Index] = {}


class Search:
    """The words of a text, folded, to be found in some fields.

    `fields` are names of text columns, across relations too; numbers are searched as their decimal text. A word does
    not reach from one field into another. `is_many` says that a good part of the rows are expected to be found.
    """

    def __init__(self, text: str, fields: Sequence[str], *, is_many: bool = False) -> None:
        self.words = list(dict.fromkeys(fold(text).split()))
        self.fields = fields
        self.is_many = is_many
        self.kept = text.kept if isinstance(text, Asked) else {}

    def once(self, key: Any, read: Callable[[], Any]) -> Any:
        """Return what was read for the same request before, or read it."""
        key = (key, tuple(self.fields))
        if key not in self.kept:
            self.kept[key] = read()
        return self.kept[key]

    def narrowed(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Return the rows in which every word occurs in one of the fields at least; none for no word."""
        if not self.words:
            return rows.none()
        index = indexes.get(rows.model)
        found = index(rows, self) if index is not None else None
        return self.compared(rows) if found is None else found

    def compared(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Return the rows by a look at each."""
        if connection.vendor == "sqlite":
            matches = reduce(and_, (Q(searched__contains=word) for word in self.words))
            return rows.alias(searched=Folded(joined(self.fields))).filter(matches)
        ids = self.once(
            "ids", lambda: [pk for pk, text in self.texts(rows) if all(word in text for word in self.words)]
        )
        return rows.filter(pk__in=RawSQL("SELECT unnest(%s::bigint[])", [ids]))

    def texts(self, rows: models.QuerySet[Any]) -> Any:
        """Yield the ids of rows with their folded texts."""
        values = rows.order_by().values_list("pk", joined(self.fields))
        return ((pk, fold_lines(text)) for pk, text in values.iterator(READ_AT_ONCE))


def joined(fields: Sequence[str]) -> Any:
    """Return an expression of several fields' texts, kept apart by line feeds, which no word contains."""
    empty, apart = (Value(text, TextField()) for text in ("", "\n"))  # PostgreSQL joins texts of one type only
    parts: list[Any] = [Coalesce(Cast(F(field), TextField()), empty) for field in fields]
    return reduce(lambda left, right: Concat(left, apart, right), parts)


def search(queryset: models.QuerySet[Any], text: str, *fields: str, is_many: bool = False) -> models.QuerySet[Any]:
    """Return the rows in which every word of `text` occurs in one of `fields` at least; see `Search`."""
    return Search(text, fields, is_many=is_many).narrowed(queryset)


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
