"""What a write changes, recorded in its own transaction: entries of Django's log, with the values in their message.

The message is Django's JSON, to which each field's old and new value are added, relations as ids:
`[{"changed": {"fields": ["Title"], "values": {"title": ["Quay", "Harbour"]}}, "by": {"token": "website"}}]`.
Beside the key's name stands the request's id, by which the log tells more: `"by": {"token": …, "request": …}`.
What belongs to an owner, a link to its portfolio, is recorded as a change of the owner's list: people look there.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import override

from folio.current import current

Changes = dict[str, tuple[Any, Any]]  # by the field's name: its old and its new value
SECRET = {"password", "digest"}  # fields of which only the names are recorded
NOT_TOLD = (None, None)  # in the place of values that are not recorded either


def set_values(instance: models.Model, values: dict[str, Any]) -> Changes:
    """Set fields of a row, and return what that changes."""
    changes: Changes = {}
    for name, value in values.items():
        field: Any = instance._meta.get_field(name)
        old = getattr(instance, field.attname)
        setattr(instance, name, value)
        new = getattr(instance, field.attname)
        if new != old:
            changes[field.name] = (old, new)
    return changes


def new_values(instance: models.Model, names: Iterable[str]) -> Changes:
    """Return what a new row has in these fields that it would not have by itself."""
    blank = type(instance)()
    values: Changes = {}
    for name in names:
        attname = instance._meta.get_field(name).attname  # type: ignore[union-attr]
        old, new = getattr(blank, attname), getattr(instance, attname)
        if new != old:
            values[name] = (old, new)
    return values


def form_changes(form: Any, formsets: Iterable[Any], *, is_new: bool) -> Changes:
    """Return what a form of the admin site has changed; its formsets tell their own in `changes`."""
    changes: Changes = {}
    instance = getattr(form, "instance", None)
    for name in form.changed_data:
        if name in SECRET:
            changes[name] = NOT_TOLD
        elif instance is not None and name in field_names(instance._meta.model):
            old = None if is_new else plain(form.get_initial_for_field(form.fields[name], name))
            attname = getattr(instance._meta.get_field(name), "attname", "")
            new = plain(getattr(instance, attname) if attname in vars(instance) else form.cleaned_data.get(name))
            if new != old:
                changes[name] = (old, new)
    for formset in formsets:
        changes |= getattr(formset, "changes", {})
    return changes


def plain(value: Any) -> Any:
    """Return a form's value as it is recorded: rows as their ids."""
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, list | tuple | models.QuerySet):
        return [plain(item) for item in value]
    return value


@cache
def field_names(model: Any) -> set[str]:
    return {field.name for field in model._meta.get_fields()}


def log(user: Any, instance: Any, action_flag: int, changes: Changes | None = None, *, token: str = "") -> None:
    """Record what a user did to a row, by the key of that name if it was through the API.

    A change of nothing is not recorded. A deletion is recorded before it happens, as Django does.
    """
    log_each(user, action_flag, [(instance, changes or {})], token=token)


def log_each(user: Any, action_flag: int, changed: Iterable[tuple[Any, Changes]], *, token: str = "") -> None:
    """Record what a user did to several rows, in one query; what belongs to one owner in one entry."""
    by = by_whom(token)
    found: dict[tuple[type[models.Model], int, int], tuple[str, Changes]] = {}
    for instance, values in changed:
        for model, pk, name, flag, changes in recorded(instance, action_flag, values):
            if changes or flag != CHANGE:
                add(found.setdefault((model, pk, flag), (name, {}))[1], changes)
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=user.pk,
            content_type_id=ContentType.objects.get_for_model(model).pk,
            object_id=str(pk),
            object_repr=name[:200],
            action_flag=flag,
            change_message=message(model, name, flag, changes, by),
        )
        for (model, pk, flag), (name, changes) in found.items()
    )


def by_whom(token: str) -> dict[str, Any]:
    """Return what a message says beside the change: the key's name and the request's id, where there are any."""
    told = {"token": token, "request": current.id}
    by = {name: value for name, value in told.items() if value}
    return {"by": by} if by else {}


def add(changes: Changes, more: Changes) -> None:
    """Add changes of one row: of a list, those of several of its rows."""
    for name, (old, new) in more.items():
        was, now = changes.get(name, (old, new))
        is_list = name in changes and isinstance(now, list) and isinstance(old, list)
        changes[name] = (was + old, now + new) if is_list else (was, new)


def recorded(instance: Any, flag: int, changes: Changes) -> Iterable[tuple[type[models.Model], int, str, int, Changes]]:
    """Yield the rows that a change is recorded of, with their ids, names, flags and changes."""
    owner = owner_of(type(instance))
    if not owner:
        yield type(instance), instance.pk, str(instance), flag, changes
        return
    field = instance._meta.get_field(owner)
    now = getattr(instance, field.attname)
    new = instance.as_item()
    old = {name: changes[name][0] if name in changes else value for name, value in new.items()}
    before, after = [] if flag == ADDITION else [old], [] if flag == DELETION else [new]
    was = changes[owner][0] if flag == CHANGE and owner in changes else now
    sides = [(now, before, after)] if was == now else [(was, before, []), (now, [], after)]
    for pk, left, right in sides:
        if left == right:
            continue
        row = getattr(instance, owner) if pk == now else field.related_model._default_manager.get(pk=pk)
        yield field.related_model, pk, str(row), CHANGE, {field.remote_field.related_name: (left, right)}


def owner_of(model: type[models.Model]) -> str:
    """Return the field that names whose row a model's rows are, and so whose history tells of them; or nothing."""
    return getattr(model, "owner", "")


def message(model: type[models.Model], name: str, flag: int, changes: Changes, by: dict[str, Any]) -> str:
    """Return a change as an entry's message holds it."""
    values = {name: change for name, change in changes.items() if name not in SECRET and change != NOT_TOLD}
    if flag == CHANGE:
        part: dict[str, Any] = {"changed": {"fields": [label(model, name) for name in changes], "values": values}}
    else:
        told = {"name": kind(model), "object": name}
        part = {"added": {**told, "values": values}} if flag == ADDITION else {"deleted": told}
    return msgspec.json.encode([{**part, **by}], enc_hook=str).decode()


def mention(row: Any) -> str:
    """Return what stands in a message that tells of this row in its owner's list, and in no other."""
    return f'{{"{row._meta.model_name}":{row.pk},'


@cache
def kind(model: type[models.Model]) -> str:
    with override(None):
        return str(model._meta.verbose_name)


@cache
def label(model: type[models.Model], name: str) -> str:
    """Return a field's name in words as messages keep it: untranslated, for whoever reads it in whatever language."""
    with override(None):
        return str(capfirst(words_of(model, name)))


def words_of(model: type[models.Model], name: str) -> str:
    """Return a field's name in words; a list's is that of its rows."""
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return name.replace("_", " ")
    if isinstance(field, models.ForeignObjectRel):
        return str(field.related_model._meta.verbose_name_plural)
    return str(field.verbose_name)
