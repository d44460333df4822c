"""What the rows are called that changes refer to, and what they were called when the change was made."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from copy import copy
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from .changes import field_names
from .comparing import Room
from .entries import read

Model = type[models.Model]
NAMES = ("title", "name", "key")  # the field that a row is called by, the first that its model has
PICTURE = "placeholder"  # the field with a picture so small that the log keeps it, of models that have pictures
LATER = 500  # entries that are looked at for what was changed since; of more, the latest


class Former:
    """What later entries say a row was until then: its name, and its picture where another one came."""

    def __init__(self) -> None:
        self.until: list[int] = []  # ids of entries, ascending
        self.was: list[dict[str, Any]] = []  # what each of them found

    def add(self, entry: int, was: dict[str, Any]) -> None:
        self.until.append(entry)
        self.was.append(was)

    def at(self, entry: int, name: str) -> Any:
        """Return what the first entry after that one found in a field; None where none has changed it since."""
        later = self.was[bisect_right(self.until, entry) :]
        return next((was[name] for was in later if name in was), None)


class Names:
    """The rows that changes refer to by name and picture: a query for each model, and one for what they were before.

    As it is made, it tells what they are now; `at()` an entry, what they were then.
    """

    def __init__(self, references: Iterable[tuple[Model, int]], since: int | None = None) -> None:
        """Read the rows; `since` is the id of the oldest entry that is to be told of, if any is."""
        self.entry: int | None = None
        self.room = Room()  # of the page on which they are told
        wanted: dict[Model, set[int]] = defaultdict(set)
        for model, pk in references:
            wanted[model].add(pk)
        self.names: dict[Model, dict[int, str]] = {}
        self.pictures: dict[Model, dict[int, str]] = {}
        for related, pks in wanted.items():
            rows = list(related._default_manager.select_related().filter(pk__in=pks).order_by())
            self.names[related] = {row.pk: str(row) for row in rows}
            pages: Any = admin.site._registry.get(related)
            self.pictures[related] = pages.thumbnails_of(rows) if hasattr(pages, "thumbnails_of") else {}
        self.former = former(wanted, since) if since is not None and wanted else {}

    def at(self, entry: int) -> Names:
        """Return the names and pictures that the rows had when an entry was made."""
        then = copy(self)
        then.entry = entry
        return then

    def was(self, model: Model, pk: Any, name: str) -> Any:
        known = self.former.get((model, pk))
        return known.at(self.entry, name) if known and self.entry is not None else None

    def name(self, model: Model, pk: Any) -> str:
        now = self.names.get(model, {}).get(pk)
        then = self.was(model, pk, name_field(model))
        if now is not None:
            return str(then or now)
        return _("%(name)s (deleted)") % {"name": then} if then else _("#%(id)s (deleted)") % {"id": pk}

    def picture(self, model: Model, pk: Any) -> str | None:
        """Return where the picture lies that a row had then; of one that was replaced, what the log keeps of it."""
        then: str | None = self.was(model, pk, PICTURE)
        return self.pictures.get(model, {}).get(pk) if then is None else then or None

    def shown(self, model: Model, pk: Any) -> SafeString:
        """Return a row's name, with its picture if it has one."""
        url = self.picture(model, pk)
        if url is None:
            return named(self.name(model, pk))
        return format_html(
            '<span class="folio-difference-name"><img src="{}" alt="" width="32" height="32" loading="lazy"> {}</span>',
            url,
            self.name(model, pk),
        )


def former(wanted: dict[Model, set[int]], since: int) -> dict[tuple[Model, int], Former]:
    """Return what the log says that rows were before they became what they are now, in one query."""
    types = ContentType.objects.get_for_models(*wanted)
    models_of = {kind.pk: model for model, kind in types.items()}
    chosen = models.Q()
    for model, kind in types.items():
        chosen |= models.Q(content_type=kind, object_id__in=[str(pk) for pk in wanted[model]])
    later = LogEntry.objects.filter(chosen, pk__gt=since).exclude(action_flag=ADDITION).order_by("-pk")[:LATER]
    found: dict[tuple[Model, int], Former] = defaultdict(Former)
    for entry in reversed(later):
        model = models_of[entry.content_type_id or 0]
        values = read(entry, model).values
        was = {name: values[name][0] for name in (name_field(model), PICTURE) if name in values}
        if "file" in values:
            was.setdefault(PICTURE, "")  # another picture came, and what the former one was is not known
        if entry.action_flag == DELETION:
            was = {name_field(model): entry.object_repr}
        if was:
            found[model, int(entry.object_id or 0)].add(entry.pk, was)
    return found


def name_field(model: Model) -> str:
    return next((name for name in NAMES if name in field_names(model)), "")


def named(name: Any) -> SafeString:
    return format_html('<span class="folio-difference-name" dir="auto">{}</span>', name)
