"""Two people who edit one row: the second to save is told, and shown what differs; nothing that was typed is lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import flatten_fieldsets
from django.db import connection, models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from folio.api.stored import lock_showing
from folio.history import entries_of, name_of_user, sides_of
from folio.history.changes import SECRET, Changes, form_changes, owner_of, plain

from .opened import OPENED, Opened, keyed_digest

VERSION = "_version"  # the form's hidden field
UNTOLD = {*SECRET, "last_login"}


@dataclass(frozen=True)
class Collision:
    """That a row is no longer what its form was opened with."""

    last: LogEntry | None  # what was recorded last of it, if that tells of what has changed meanwhile
    is_deleted: bool = False
    may_save: ClassVar[bool] = True  # over it

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
    """A form that is not saved, however right what it holds is; the page says why.

    What was left as it was opened holds what is stored now.
    """

    opened: Opened
    followed: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        boxes: Any = list(self)  # type: ignore[call-overload]
        self.followed = {
            box.html_name: as_sent(box)
            for box in boxes
            if self.opened.has_become(box.name, box.initial) and self.opened.is_untouched(box)
        }

    def _widget_data_value(self, widget: forms.Widget, html_name: str) -> Any:
        if html_name in self.followed:
            return self.followed[html_name]
        return super()._widget_data_value(widget, html_name)  # type: ignore[misc]

    def is_valid(self) -> bool:
        super().is_valid()  # type: ignore[misc]
        return False


class TellsCollisions:
    """Pages with a form that knows which version of its row it was opened with."""

    change_form_before_template = "folio/admin/collision.html"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row; one that is about to be written is kept from others until that is done."""
        found: Any = super().get_object  # type: ignore[misc]
        row = found(request, object_id, from_field)
        if row is not None and request.method == "POST" and connection.in_atomic_block:
            lock(row)
            row = found(request, object_id, from_field)
        if row is not None:
            request.version = version_of(row, *self.told_beside(row))  # type: ignore[attr-defined]
        return row

    def told_beside(self, row: Any) -> Iterable[Any]:
        """Return what the form changes beside the row's own fields."""
        return ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]
        if obj is not None and is_sent(request):
            request.collision = self.get_collision(request, obj) if is_outdated(request) else None  # type: ignore[attr-defined]
        if getattr(request, "collision", None) is None:
            return form
        opened = Opened.sent(request) if obj is not None else Opened()
        return type(form)(form.__name__, (CollidingForm, form), {"opened": opened})

    def get_collision(self, request: HttpRequest, row: Any) -> Collision:
        return Collision(newest_since_opened(entries_of(row), request))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        collision = getattr(request, "collision", None)
        stored = self.stored_values(context) if context["original"] else {}
        page = context["adminform"]
        is_only_read = set(flatten_fieldsets(page.fieldsets)) <= set(page.readonly_fields)
        context["version"] = "" if is_only_read else getattr(request, "version", "")
        context["opened"] = Opened.now(stored)
        context["collision"] = collision
        if collision:
            context["media"] += forms.Media(css={"all": ["folio/admin/history.css"]})
        if collision and not collision.is_deleted:
            opened = Opened.sent(request)
            theirs = {name for name, value in stored.items() if opened.has_become(name, value)}
            typed = self.typed_changes(context)
            changes = {name: typed.get(name, (old, old)) for name, old in stored.items() if name in {*typed, *theirs}}
            context["sides"] = sides_of(self.model, changes, theirs)  # type: ignore[attr-defined]
        if collision and not collision.may_save:  # a form that is sent again is answered alike
            context |= {"version": request.POST[VERSION], "opened": request.POST.get(OPENED, "")}
            context |= {"show_save": False, "show_save_and_continue": False}
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return answer

    def stored_values(self, context: Any) -> dict[str, Any]:
        """Return what is stored, of each field of the form."""
        form = context["adminform"].form
        fields = {name: field for name, field in form.fields.items() if name not in SECRET}
        return {name: plain(form.get_initial_for_field(field, name)) for name, field in fields.items()}

    def typed_changes(self, context: Any) -> Changes:
        """Return what is stored and what was typed, of each field where they differ."""
        return form_changes(context["adminform"].form, (), is_new=False)


def as_sent(box: forms.BoundField) -> Any:
    """Return the first value of a field as its widget would read it."""
    value, widget = box.field.prepare_value(box.initial), box.field.widget
    return widget.decompress(value) if isinstance(widget, forms.MultiWidget) else value


def is_sent(request: HttpRequest) -> bool:
    """Tell whether the request sends the form of a row that is there already."""
    match = request.resolver_match
    return request.method == "POST" and bool(match and match.url_name and match.url_name.endswith("_change"))


def is_outdated(request: HttpRequest) -> bool:
    """Tell whether the row is no longer what the form that is sent was opened with."""
    return request.POST.get(VERSION) != getattr(request, "version", None)


def newest_since_opened(entries: models.QuerySet[LogEntry], request: HttpRequest) -> LogEntry | None:
    """Return the first of entries, unless it is older than the form: what has changed since was recorded nowhere."""
    newest = entries.first()
    return newest if newest and newest.action_time.timestamp() >= Opened.sent(request).at else None


def version_of(row: models.Model, *others: Any) -> str:
    """Return what differs as soon as any field of a row does; `updated_at` tells of the lists that belong to it.

    Passwords have no part in it, nor has what changes nothing that a form shows.
    """
    untold = UNTOLD | getattr(row, "untold", set())
    fields = (field for field in row._meta.concrete_fields if field.name not in untold)
    return keyed_digest(repr([*(getattr(row, field.attname) for field in fields), *others]))[:32]


def lock(row: models.Model) -> None:
    """Keep others from changing a row until the transaction ends: after its owner, and what shows it."""
    lock_showing(type(row), [row.pk])
    owner = owner_of(type(row))
    rows: Any = type(row)._default_manager.filter(pk=row.pk)
    if owner:
        of: Any = row._meta.get_field(owner)
        of.related_model._default_manager.filter(pk=getattr(row, of.attname)).lock()
    list(rows.select_for_update().values_list("pk", flat=True))
