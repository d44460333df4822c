"""Where media are used, for people: what uses them, by which field, with a link for those who may follow it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from folio.access.codes import RESOURCES
from folio.admin.options import may_see, number_of
from folio.api import usage
from folio.api.documents import Use

from .. import mentions
from ..models import Media


@dataclass(frozen=True)
class Place:
    """Something that uses a media."""

    kind: str  # what it is: "Portfolio"
    title: str  # a number for those who may not see it
    field: str  # how it uses the media: "Images"
    url: str  # empty for those who may not open it
    resource: str

    def __str__(self) -> str:
        return _("%(kind)s “%(title)s” (%(field)s)") % {"kind": self.kind, "title": self.title, "field": self.field}


def texts_with(media: Media, request: HttpRequest) -> list[Place]:
    """Return the texts that seem to show a media's file or a thumbnail of it."""
    names = [str(media.file), *(str(row.file) for row in media.thumbnails.all())]
    found: dict[tuple[str, int], Place] = {}
    for name in names:
        for rows, field in (find(name) for find in mentions.finders):
            resource = usage.resources[rows.model]
            for row in rows:
                found[resource, row.pk] = place(row, Use(resource, row.pk, field), request)
    return list(found.values())


def places_of(ids: Iterable[int], request: HttpRequest) -> dict[int, list[Place]]:
    """Return where each of the media is used: a query for each relation, and one for each kind of what uses them."""
    uses = usage.uses_of_each(Media, ids)
    wanted: dict[str, set[int]] = defaultdict(set)
    for use in (use for some in uses.values() for use in some):
        wanted[use.resource].add(use.id)
    models = {resource: model for model, resource in usage.resources.items()}
    rows = {resource: read(models[resource], ids) for resource, ids in wanted.items()}
    return {
        pk: [place(rows[use.resource][use.id], use, request) for use in some if use.id in rows[use.resource]]
        for pk, some in uses.items()
    }


def read(model: type[Model], ids: set[int]) -> dict[int, Any]:
    owner = usage.owners.get(model, "pk")
    rows = model._default_manager.all() if owner == "pk" else model._default_manager.select_related(owner)
    return rows.in_bulk(ids)


def place(row: Any, use: Use, request: HttpRequest) -> Place:
    options = row._meta
    owner = usage.owners.get(type(row), "pk")
    named = [row] if owner == "pk" else [getattr(row, owner), row]
    title = ": ".join(str(each) if may_see(request, type(each)) else number_of(each) for each in named)
    may_open = may_see(request, type(row))
    return Place(
        kind=capfirst(options.verbose_name),
        title=title,
        field=capfirst(options.get_field(use.field).verbose_name),
        url=reverse(f"admin:{options.app_label}_{options.model_name}_change", args=(row.pk,)) if may_open else "",
        resource=use.resource,
    )


def may_detach(places: Iterable[Place], request: HttpRequest) -> bool:
    """Tell whether the user may change all that uses a media."""
    return all(request.user.has_perm(RESOURCES[place.resource]["update"].permission) for place in places)
