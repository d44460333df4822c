"""Collisions in forms with lists: rows that are gone meanwhile become new ones, and so does an entry that is gone.

One that was published meanwhile can't be saved any more by who may only draft, who still gets back what they typed.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from folio.admin.collisions import VERSION, Collision, TellsCollisions, is_outdated, is_sent
from folio.admin.opened import Opened
from folio.api.fields import IDENTIFIER
from folio.history import entries_of
from folio.history.changes import Changes, owner_of

from .. import publishing
from ..models import Portfolio


class Gone(Exception):
    """The row of the form that was sent is no longer there."""


@dataclass(frozen=True)
class Published(Collision):
    """That an entry was published or scheduled while someone wrote who may not change it now."""

    may_save: ClassVar[bool] = False
    is_scheduled: bool = False

    @property
    def sentence(self) -> str:
        if self.is_scheduled:
            return _("Nothing was saved, because %(who)s has scheduled this meanwhile.") % {"who": self.who}
        return _("Nothing was saved, because %(who)s has published this meanwhile.") % {"who": self.who}


class KeepsWhatIsGone(TellsCollisions):
    """Pages that make anew what was deleted while it was edited, if that is saved."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        view: Any = super().changeform_view  # type: ignore[misc]
        try:
            return view(request, object_id, form_url, extra_context)
        except Gone:
            last = deletion_of(self.model, object_id)  # type: ignore[attr-defined]
            request.collision = Collision(last, is_deleted=True)  # type: ignore[attr-defined]
            opts = self.opts  # type: ignore[attr-defined]
            return view(request, None, reverse(f"admin:{opts.app_label}_{opts.model_name}_add"), extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is None and is_sent(request) and self.has_add_permission(request):  # type: ignore[attr-defined]
            raise Gone
        return row

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """Return what a list's rows are made of; those that are gone meanwhile are new ones now."""
        given: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)  # type: ignore[misc]
        if "data" in given:
            key = owner_of(inline.model)
            rows = given["queryset"].filter(**{key: obj}).order_by() if obj.pk else given["queryset"].none()
            given["data"] = regrouped(given["data"], prefix, set(map(str, rows.values_list("pk", flat=True))), key)
            if obj.pk and is_outdated(request):
                sent = inline.get_formset(request, obj)(**given)
                if sent.follows(Opened.sent(request)):
                    given = {name: given[name] for name in given if name not in {"data", "files", "save_as_new"}}
        return given

    def stored_values(self, context: Any) -> dict[str, Any]:
        lists = (inline.formset for inline in context["inline_admin_formsets"])
        return super().stored_values(context) | {rows.of_portfolio: rows.stored() for rows in lists}

    def typed_changes(self, context: Any) -> Changes:
        changes = super().typed_changes(context)
        for inline in context["inline_admin_formsets"]:
            changes |= inline.formset.typed_changes()
        return changes


def may_type(request: HttpRequest, portfolio: Portfolio | None) -> bool:
    """Tell whether someone gets a form: to change the entry, or with what they typed before it was published."""
    return publishing.may_change(request.user, portfolio) or (
        publishing.may_draft(request.user) and is_sent(request) and VERSION in request.POST and is_outdated(request)
    )


def publications_of(portfolio: Portfolio) -> models.QuerySet[LogEntry]:
    """Return what is recorded of its being published or scheduled, newest first."""
    return entries_of(portfolio).filter(change_message__contains='"is_active":[false,true]')


def deletion_of(model: type[models.Model], object_id: str | None) -> LogEntry | None:
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id=object_id, action_flag=DELETION
    )
    return entries.select_related("user").order_by("-pk").first()


def regrouped(data: QueryDict, prefix: str, stored: set[str], key: str) -> QueryDict:
    """Return a list as it was sent, with the rows first that are stored: Django takes as many for these as came first.

    Rows that were stored once follow as new ones, with all that was typed in them, but those that were to go anyway.
    """
    count, shown = (data.get(f"{prefix}-{name}_FORMS", "") for name in ("TOTAL", "INITIAL"))
    if not (IDENTIFIER.fullmatch(count) and IDENTIFIER.fullmatch(shown) and int(shown) <= int(count) <= len(data)):
        result = data.copy()
        result[f"{prefix}-TOTAL_FORMS"] = ""  # which Django refuses at once, without up to 2,000 forms that nobody sent
        return result
    ids = [data.get(f"{prefix}-{number}-id", "") for number in range(int(count))]
    is_stored = [pk in stored for pk in ids]
    if all(is_stored[: int(shown)]):
        return data
    names = {name.split("-", 2)[2] for name in data if name.startswith(f"{prefix}-") and name.count("-") > 1}
    gone = [number for number, pk in enumerate(ids) if pk and not is_stored[number]]
    kept = [number for number in range(int(count)) if is_stored[number]]
    new = [
        number
        for number in range(int(count))
        if not is_stored[number] and not (number in gone and f"{prefix}-{number}-DELETE" in data)
    ]
    result = data.copy()
    for number in range(int(count)):
        for name in names:
            result.pop(f"{prefix}-{number}-{name}", None)
    for place, number in enumerate([*kept, *new]):
        for name in names:
            if f"{prefix}-{number}-{name}" in data:
                values = data.getlist(f"{prefix}-{number}-{name}")
                result.setlist(f"{prefix}-{place}-{name}", [""] if number in gone and name in {"id", key} else values)
    result[f"{prefix}-TOTAL_FORMS"] = str(len(kept) + len(new))
    result[f"{prefix}-INITIAL_FORMS"] = str(len(kept))
    return result
