"""The history as pages show it: of one row, and what was changed last of all."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _

from folio.api.changes import Changes
from folio.api.parameters import IDENTIFIER

from .differences import SHOWN
from .entries import Pair, Record, entries_of, read
from .words import Model, Names, difference, field_of, items_of, label_of, references, value_alone

ON_A_PAGE = 20
PAGE = "p"


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
    action: str
    differences: list[Difference]
    sentence: str  # where no field is told of


class Latest(NamedTuple):
    """What was done last, in a line."""

    entry: LogEntry
    user: str
    label: str  # what kind of thing it was done to
    link: str | None  # to its form; None of what is deleted
    words: str
    name: str  # what the thing is called now, or was called


def history_page(pages: Any, request: HttpRequest, row: models.Model, extra_context: dict[str, Any]) -> HttpResponse:
    """Answer with the history of a row, for its `ModelAdmin` has checked that the user may see it."""
    paginator = pages.get_paginator(request, entries_of(row), ON_A_PAGE)
    page = paginator.get_page(request.GET.get(PAGE, 1))
    context = {
        **pages.admin_site.each_context(request),
        "title": _("Change history: %s") % row,
        "subtitle": None,
        "entries": told(page.object_list, row),
        "page": page,
        "page_range": paginator.get_elided_page_range(page.number),
        "page_var": PAGE,
        "module_name": str(capfirst(pages.opts.verbose_name_plural)),
        "object": row,
        "opts": pages.opts,
        "app_label": pages.opts.app_label,
        "preserved_filters": pages.get_preserved_filters(request),
        **extra_context,
    }
    request.current_app = pages.admin_site.name
    name = f"{pages.opts.app_label}/{pages.opts.model_name}"
    templates = [f"admin/{name}/object_history.html", "admin/object_history.html"]
    return TemplateResponse(request, pages.object_history_template or templates, context)


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
            records.append((entry, Record(narrowed(owner, record.values, row), [], record.token), owner))
    names = Names(reference for _entry, record, model in records for reference in references(model, record.values))
    return [in_words(entry, record, model, names) for entry, record, model in records]


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
        is_alone = entry.action_flag == ADDITION
        shown = value_alone(model, name, pair[1], names) if is_alone else difference(model, name, pair, names)
        differences.append(Difference(label_of(model, name), shown))
    differences += [Difference(_(name), _("changed; what it holds is not shown")) for name in record.names]
    return Told(
        entry=entry,
        who=name_of_user(entry.user),
        token=record.token,
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


def latest(limit: int, request: HttpRequest) -> list[Latest]:
    """Return what was done last, in a constant number of queries: of what the user may see."""
    entries = LogEntry.objects.filter(told_to(request)).select_related("user", "content_type").order_by("-pk")
    shown = [(entry, model_of(entry)) for entry in entries[:limit]]
    names = Names((model, id_of(entry)) for entry, model in shown if model)
    return [in_a_line(entry, model, names) for entry, model in shown]


def model_of(entry: LogEntry) -> Model | None:
    """Return the model of the row that an entry is about, if there is still such a model."""
    return entry.content_type.model_class() if entry.content_type else None


def id_of(entry: LogEntry) -> int:
    """Return the id of the row that an entry is about; 0 where it is no number."""
    text = entry.object_id or ""
    return int(text) if IDENTIFIER.fullmatch(text) else 0


def told_to(request: HttpRequest) -> models.Q:
    """Return which entries are about what the user may see in the admin site; that of others stays theirs."""
    admins: Any = admin.site._registry
    seen = (model for model, pages in admins.items() if pages.has_view_or_change_permission(request))
    types = ContentType.objects.get_for_models(*seen)
    of_all = [kind.pk for model, kind in types.items() if admins[model].sees_every_row(request)]
    of_some = [kind.pk for kind in types.values() if kind.pk not in of_all]
    return models.Q(content_type__in=of_all) | models.Q(content_type__in=of_some, user=request.user)


def in_a_line(entry: LogEntry, model: Model | None, names: Names) -> Latest:
    name = names.names.get(model, {}).get(id_of(entry)) if model else None
    record = read(entry, model)
    fields = [*(label_of(model, name) for name in record.values if model), *(_(name) for name in record.names)]
    words = action_of(entry)
    if entry.action_flag == CHANGE and fields:
        words = _("Changed %(fields)s") % {"fields": get_text_list(fields, _("and"))}
    return Latest(
        entry=entry,
        user=name_of_user(entry.user),
        label=str(model._meta.verbose_name) if model else "",
        link=entry.get_admin_url() if name is not None and not entry.is_deletion() else None,
        words=words,
        name=name or entry.object_repr,
    )
