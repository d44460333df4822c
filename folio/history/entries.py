"""The log's entries as they are read back; some are older than the values in their messages, or not ours."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from .changes import label, mention, owner_of

Pair = tuple[Any, Any]  # a field's old and new value


@dataclass(frozen=True)
class Record:
    """What an entry's message says."""

    values: dict[str, Pair] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)  # fields in words, untranslated, that changed without their values
    token: str = ""  # the key's name, of a change through the API
    request: str = ""  # its id, by which the log tells more of it


def entries_of(row: Model) -> QuerySet[LogEntry]:
    """Return what is recorded of a row, newest first; what belongs to an owner has its entries among that one's."""
    wanted = Q(content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk))
    owner = owner_of(type(row))
    if owner:
        of: Any = row._meta.get_field(owner)
        wanted |= Q(
            content_type=ContentType.objects.get_for_model(of.related_model),
            object_id=str(getattr(row, of.attname)),
            change_message__contains=mention(row),
        )
    return LogEntry.objects.filter(wanted).select_related("user").order_by("-pk")


def read(entry: LogEntry, model: type[Model] | None) -> Record:
    """Return what the entry's message says of a row of the model; nothing where it isn't in our form."""
    try:
        parts = json.loads(entry.change_message)
    except ValueError:
        return Record()
    parts = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    by = [part["by"] for part in parts if isinstance(part.get("by"), dict)]
    values: dict[str, Pair] = {}
    names: list[str] = []
    for part in parts:
        for told in (part.get("added"), part.get("changed")):
            if isinstance(told, dict):
                values |= pairs(told.get("values"))
                names += [name for name in told.get("fields") or () if isinstance(name, str)]
    known = {label(model, name) for name in values} if model else set()
    return Record(values, [name for name in names if name not in known], first(by, "token"), first(by, "request"))


def first(by: list[dict[str, Any]], name: str) -> str:
    return next((str(each[name]) for each in by if each.get(name)), "")


def pairs(values: Any) -> dict[str, Pair]:
    given = values.items() if isinstance(values, dict) else ()
    return {name: (pair[0], pair[1]) for name, pair in given if isinstance(pair, list) and len(pair) == 2}
