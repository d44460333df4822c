"""What SQLite holds and PostgreSQL refuses, found before anything is written: another program may have put it there."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from django.db import connections, models

from . import SOURCE, TARGET
from .tables import Model, columns

Check = Callable[[Any], str | None]  # returns what is wrong with a value
Checks = list[tuple[int, Any, Check]]  # of a row: a column's place, its field, and what looks at its values
NUL = "has the character U+0000 in it, which PostgreSQL stores in no text"
HALF = "has half of a surrogate pair in it, which is no text to PostgreSQL"


def where(model: Model, pk: Any, field: Any) -> str:
    return f"{model._meta.db_table}, row {pk}, {field.column}"


def checks_of(model: Model) -> Checks:
    """Return what is to be looked at in each row of a table."""
    return [(place, field, check) for place, field in enumerate(columns(model)) if (check := check_of(field))]


def check_of(field: Any) -> Check | None:
    if connections[TARGET].vendor != "postgresql" or field.generated:
        return None
    if field.remote_field:
        field = field.target_field
    kind = field.get_internal_type()
    if isinstance(field, models.JSONField):
        return fault_of_json
    if isinstance(field, models.CharField | models.TextField | models.FileField):
        return lambda value: fault_of_text(value, field.max_length if kind != "TextField" else None)
    if isinstance(field, models.IntegerField):
        least, most = connections[TARGET].ops.integer_field_range(kind)
        return lambda value: fault_of_number(value, least, most)
    kinds: dict[Any, Any] = {models.FloatField: float, models.DateField: date}
    expected = next((type_ for known, type_ in kinds.items() if isinstance(field, known)), None)
    return None if expected is None else lambda value: fault_of_type(value, expected)


def fault_of_text(value: Any, longest: int | None) -> str | None:
    if not isinstance(value, str):
        return fault_of_type(value, str)
    if "\0" in value:
        return NUL
    if longest is not None and len(value) > longest:
        return f"has {len(value):,} characters; {longest:,} are the most"
    try:
        value.encode()
    except UnicodeEncodeError:
        return HALF
    return None


def fault_of_json(value: Any) -> str | None:
    text = json.dumps(value, ensure_ascii=False)
    if text.isascii() and "\\u0000" not in text:
        return None
    return next((fault for each in texts_in(value) if (fault := fault_of_text(each, None))), None)


def texts_in(value: Any) -> Iterator[str]:
    """Yield all texts and names in a JSON document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)
    elif isinstance(value, dict):
        yield from value
        for each in value.values():
            yield from texts_in(each)


def fault_of_number(value: Any, least: int | None, most: int | None) -> str | None:
    if not isinstance(value, int):
        return fault_of_type(value, int)
    if (least is not None and value < least) or (most is not None and value > most):
        return f"is {value}; it must be from {least} to {most}"
    return None


def fault_of_type(value: Any, expected: type) -> str | None:
    if value is None or isinstance(value, expected):
        return None  # whether it may be missing, the database that holds it has seen to
    names = {str: "a text", int: "a whole number", float: "a number", date: "a moment"}
    return f"is {shortened(value)}, which is not {names[expected]}"


def shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def unreadable(model: Model) -> Iterator[str]:
    """Yield where the values are that can't be read as what their fields are: bytes, or what is no moment."""
    database: Any = connections[SOURCE]
    quote, key = database.ops.quote_name, model._meta.pk
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {quote(key.column)} FROM {quote(model._meta.db_table)}")  # noqa: S608 names alone
        keys = [pk for (pk,) in cursor.fetchall()]
    for pk in keys:
        for field in columns(model):
            try:
                list(model._base_manager.using(SOURCE).filter(pk=pk).values_list(field.attname))
            except Exception as error:  # whatever a field raises at what it is not made for
                yield f"{where(model, pk, field)}: can't be read: {' '.join(str(error).split())}"
