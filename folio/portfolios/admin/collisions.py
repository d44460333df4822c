"""Two people who edit one entry: the second to save is told, and shown what differs; nothing that was typed is lost."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from folio.access.history import entries_of, name_of_user, sides_of
from folio.api.changes import Changes, form_changes, owner_of, plain

VERSION = "_version"  # the form's hidden field


class Gone(Exception):
    """The row of the form that was sent is no longer there."""


@dataclass(frozen=True)
class Collision:
    """That a row is no longer what its form was opened with."""

    last: LogEntry | None  # what was recorded last of it
    is_deleted: bool = False

    @property
    def who(self) -> str:
        return name_of_user(self.last.user) if self.last else _("someone")

    @property
    def sentence(self) -> str:
        if self.is_deleted:
            sentence = _("This was deleted by %(who)s meanwhile. Nothing is lost: save to make it anew.")
            return sentence % {"who": self.who}
        return _("Nothing was saved, because %(who)s has changed this meanwhile.") % {"who": self.who}


class CollidingForm:
    """A form that is not saved, however right what it holds is; the page says why."""

    def is_valid(self) -> bool:
        super().is_valid()  # type: ignore[misc]
        return False


class TellsCollisions:
    """Pages with a form that knows which version of its row it was opened with."""

    change_form_before_template = "folio/portfolios/collision.html"

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
        """Return the row; one that is about to be written is kept from others until that is done."""
        found: Any = super().get_object  # type: ignore[misc]
        row = found(request, object_id, from_field)
        if request.method == "POST" and connection.in_atomic_block:
            if row is not None:
                lock(row)
                row = found(request, object_id, from_field)
            if row is None and self.is_form(request) and self.has_add_permission(request):  # type: ignore[attr-defined]
                raise Gone
        if row is not None:
            request.version = version_of(row)  # type: ignore[attr-defined]
        return row

    def is_form(self, request: HttpRequest) -> bool:
        match = request.resolver_match
        return bool(match and match.url_name and match.url_name.endswith("_change"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)  # type: ignore[misc]
        if request.method == "POST" and obj is not None and self.is_form(request):
            is_same = request.POST.get(VERSION) == getattr(request, "version", None)
            request.collision = None if is_same else Collision(entries_of(obj).first())  # type: ignore[attr-defined]
        if getattr(request, "collision", None) is None:
            return form
        return type(form)(form.__name__, (CollidingForm, form), {})

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """Return what a list's rows are made of; those that are gone meanwhile are new ones now."""
        given: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)  # type: ignore[misc]
        if "data" in given:
            key = inline_key(inline)
            rows = given["queryset"].filter(**{key: obj}).order_by() if obj.pk else given["queryset"].none()
            given["data"] = regrouped(given["data"], prefix, set(rows.values_list("pk", flat=True)), key)
        return given

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        collision = getattr(request, "collision", None)
        context["version"] = getattr(request, "version", "")
        context["collision"] = collision
        if collision:
            context["media"] += forms.Media(css={"all": ["folio/history.css"]})
        if collision and not collision.is_deleted:
            changes = form_changes(context["adminform"].form, (), is_new=False)
            for inline in context["inline_admin_formsets"]:
                changes |= list_changes(inline.formset)
            context["sides"] = sides_of(self.model, changes)  # type: ignore[attr-defined]
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return answer


def version_of(row: models.Model) -> str:
    """Return what differs as soon as any field of a row does; `updated_at` tells of the lists that belong to it."""
    values = [getattr(row, field.attname) for field in row._meta.concrete_fields]
    return hashlib.sha256(repr(values).encode()).hexdigest()[:32]


def lock(row: models.Model) -> None:
    """Keep others from changing a row until the transaction ends: after its owner, as everyone locks them."""
    owner = owner_of(type(row))
    rows: Any = type(row)._default_manager.filter(pk=row.pk)
    if owner:
        of: Any = row._meta.get_field(owner)
        of.related_model._default_manager.filter(pk=getattr(row, of.attname)).lock()
    list(rows.select_for_update().values_list("pk", flat=True))


def deletion_of(model: type[models.Model], object_id: str | None) -> LogEntry | None:
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id=object_id, action_flag=DELETION
    )
    return entries.select_related("user").order_by("-pk").first()


def inline_key(inline: Any) -> str:
    """Return the field by which a list's rows belong to the row of the form."""
    keys = (field for field in inline.model._meta.concrete_fields if field.related_model is inline.parent_model)
    return str(next(keys).name)


def regrouped(data: QueryDict, prefix: str, stored: set[int], key: str) -> QueryDict:
    """Return a list as it was sent, with the rows first that are stored: Django takes as many for these as came first.

    Rows that were stored once follow as new ones, with all that was typed in them, but those that were to go anyway.
    """
    count, shown = (data.get(f"{prefix}-{name}_FORMS", "") for name in ("TOTAL", "INITIAL"))
    if not (count.isdecimal() and shown.isdecimal() and int(shown) <= int(count) <= len(data)):
        return data  # which Django refuses
    ids = [data.get(f"{prefix}-{number}-id", "") for number in range(int(count))]
    is_stored = [pk.isdecimal() and int(pk) in stored for pk in ids]
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


def list_changes(formset: Any) -> Changes:
    """Return what is stored of a list, and what was typed; nothing of one that can't be read, or is the same."""
    if not formset.is_valid():
        return {}
    # Read anew: the formset's own rows hold what was typed.
    rows = formset.model._default_manager.filter(**{formset.fk.name: formset.instance})
    stored = [row.as_item() for row in rows]
    typed = []
    for number, form in enumerate(formset.forms):
        if form in formset.deleted_forms or not (form.instance.pk or form.has_changed()):
            continue
        fields = {name: plain(form.cleaned_data[name]) for name in formset.columns}
        typed.append({form.instance._meta.model_name: form.instance.pk or -number - 1, **fields})
    return {} if stored == typed else {formset.of_portfolio: (stored, typed)}
