"""The history as pages show it: of one row, and what was changed last of all."""

from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _

from folio.api.fields import IDENTIFIER
from folio.history import action_of, entries_of, label_of, model_of, name_of_user, read, told
from folio.history.names import PICTURE, Model, Names

ON_A_PAGE = 20
PAGE = "p"


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


def latest(limit: int, request: HttpRequest) -> list[Latest]:
    """Return what was done last, in a constant number of queries: of what the user may see."""
    entries = LogEntry.objects.filter(told_to(request)).select_related("user", "content_type").order_by("-pk")
    shown = [(entry, model_of(entry)) for entry in entries[:limit]]
    names = Names((model, id_of(entry)) for entry, model in shown if model)
    return [in_a_line(entry, model, names) for entry, model in shown]


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
    values = [name for name in record.values if name != PICTURE]
    fields = [*(label_of(model, name) for name in values if model), *(_(name) for name in record.names)]
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
