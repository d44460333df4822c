"""Entries in words: what was changed of a row, and what is stored beside what was typed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from .changes import Changes
from .differences import SHOWN
from .entries import Pair, Record, read
from .names import PICTURE, Model, Names
from .words import difference, field_of, items_of, label_of, references, value_alone


class Difference(NamedTuple):
    """A field that an entry tells of."""

    label: str
    shown: SafeString | str


class Sides(NamedTuple):
    """A field with what is stored and what was typed, or with what differs between two long texts."""

    label: str
    by: str  # who has changed it
    old: SafeString | str
    new: SafeString | str
    difference: SafeString | str = ""


@dataclass(frozen=True)
class Told:
    """An entry in words."""

    entry: LogEntry
    who: str
    token: str
    request: str
    action: str
    differences: list[Difference]
    sentence: str  # where no field is told of


def told(entries: Iterable[LogEntry], row: models.Model) -> list[Told]:
    """Return entries about a row, in words; of its owner's entries what they tell of the row."""
    own = ContentType.objects.get_for_model(row)
    records: list[tuple[LogEntry, Record, Model]] = []
    for entry in entries:
        if entry.content_type_id == own.pk:
            records.append((entry, read(entry, type(row)), type(row)))
        else:
            owner: Any = model_of(entry)
            record = read(entry, owner)
            records.append((entry, replace(record, values=narrowed(owner, record.values, row), names=[]), owner))
    oldest = min((entry.pk for entry, _record, _model in records), default=None)
    wanted = (reference for _entry, record, model in records for reference in references(model, record.values))
    names = Names(wanted, since=oldest)
    return [in_words(entry, record, model, names.at(entry.pk)) for entry, record, model in records]


def narrowed(owner: Model, values: Mapping[str, Pair], row: models.Model) -> dict[str, Pair]:
    """Return of an owner's changes those of one row of its lists."""
    found: dict[str, Pair] = {}
    for name, pair in values.items():
        if getattr(field_of(owner, name), "related_model", None) is type(row):
            old, new = ([item for pk, item in items_of(value).items() if pk == row.pk] for value in pair)
            if old != new:
                found[name] = (old, new)
    return found


def in_words(entry: LogEntry, record: Record, model: Model, names: Names) -> Told:
    differences = []
    for name, pair in record.values.items():
        if name == PICTURE:
            continue  # kept for others' entries; a data URL says nothing to people
        is_alone = entry.action_flag == ADDITION
        shown = value_alone(model, name, pair[1], names) if is_alone else difference(model, name, pair, names)
        differences.append(Difference(label_of(model, name), shown))
    differences += [Difference(_(name), _("changed; what it holds is not shown")) for name in record.names]
    return Told(
        entry=entry,
        who=name_of_user(entry.user),
        token=record.token,
        request=record.request,
        action=action_of(entry),
        differences=differences,
        sentence="" if differences or entry.action_flag != CHANGE else entry.get_change_message(),
    )


def sides_of(model: Model, changes: Changes, theirs: Collection[str]) -> list[Sides]:
    """Return what is stored and what was typed in words, beside each other; `theirs` is what others have changed."""
    names = Names(references(model, changes))
    sides = []
    for name, (stored, typed) in changes.items():
        label = label_of(model, name)
        old, new = (value_alone(model, name, value, names) for value in (stored, typed))
        if stored == typed:
            sides.append(Sides(label, _("someone else"), old, _("The form below has it now.")))
            continue
        by = _("both") if name in theirs else _("you")
        if all(isinstance(value, str) and len(value) > SHOWN for value in (stored, typed)):
            sides.append(Sides(label, by, "", "", difference(model, name, (stored, typed), names)))
        else:
            sides.append(Sides(label, by, old, new))
    return sides


def differences_of(model: Model, changes: Changes) -> list[Difference]:
    """Return changes in words."""
    names = Names(references(model, changes))
    return [Difference(label_of(model, name), difference(model, name, pair, names)) for name, pair in changes.items()]


def action_of(entry: LogEntry) -> str:
    return {ADDITION: _("Added"), DELETION: _("Deleted")}.get(entry.action_flag, _("Changed"))


def name_of_user(user: Any) -> str:
    full = user.get_full_name()
    return f"{full} ({user.get_username()})" if full else user.get_username()


def model_of(entry: LogEntry) -> Model | None:
    """Return the model of the row that an entry is about, if there is still such a model."""
    return entry.content_type.model_class() if entry.content_type else None
