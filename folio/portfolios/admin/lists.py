"""The lists within a portfolio's form, saved whole by the services that the API saves them by."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from folio.admin.opened import Opened
from folio.admin.options import FIELDS
from folio.history.changes import Changes, plain
from folio.media.admin.pickers import PicksMedia

from .. import publishing
from ..models import Link, MetaEntry, Portfolio
from ..serializers import DUPLICATE_KEY
from ..services import Replaced, replace_links, replace_meta
from .collisions import may_type
from .placed import LinkForm


class PlacedForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row of a portfolio's list; where its place is left empty, it comes last."""

    place = forms.IntegerField(
        required=False,
        min_value=0,
        label=_("Place"),
        help_text=_("Counted from 0; the last one where it is left empty."),
        widget=UnfoldAdminIntegerFieldWidget,
    )


class PlacedFormSet(PaginationInlineFormSet):
    """A portfolio's list: the whole of it in its order, saved by the services that the API saves it by."""

    columns: tuple[str, ...]
    of_portfolio: str  # what the list is called

    def kept(self) -> list[Any]:
        """Return the rows that the list shall have: neither those that are removed nor new ones left empty."""
        gone = self.deleted_forms
        return [form for form in self.forms if form not in gone and (form.instance.pk or form.has_changed())]

    def save(self, commit: bool = True) -> list[Any]:
        """Save the list if anything changed, and note what did for the admin site's history."""
        gone, forms = self.deleted_forms, self.kept()
        changed = [form for form in forms if form.has_changed()]
        self.new_objects = [form.instance for form in changed if not form.instance.pk]
        self.changed_objects = [(form.instance, form.changed_data) for form in changed if form.instance.pk]
        self.deleted_objects = [form.instance for form in gone if form.instance.pk]
        self.changes: Changes = {}
        for row in self.new_objects:
            row.portfolio = self.instance
        if changed or self.deleted_objects:
            change = self.replace([self.item(form) for form in in_their_places(forms)])
            self.changes = {self.of_portfolio: change} if change else {}
        return [form.instance for form in changed]

    def stored(self) -> list[dict[str, Any]]:
        """Return what is stored of the list, read anew where the rows of the forms hold what was typed."""
        rows = self.model._default_manager.filter(portfolio=self.instance) if self.is_bound else self.get_queryset()
        return [row.as_item() for row in rows]

    def typed(self) -> list[dict[str, Any]]:
        """Return what was typed; new rows have ids below zero."""
        typed = []
        for number, form in enumerate(in_their_places(self.kept()), start=1):
            fields = {name: plain(form.cleaned_data[name]) for name in self.columns}
            typed.append({form.instance._meta.model_name: form.instance.pk or -number, **fields})
        return typed

    def typed_changes(self) -> Changes:
        """Return what is stored of the list and what was typed; nothing of one that can't be read, or is the same."""
        if not self.is_valid():
            return {}
        stored, typed = self.stored(), self.typed()
        return {} if stored == typed else {self.of_portfolio: (stored, typed)}

    def follows(self, opened: Opened) -> bool:
        """Tell whether the list was left as it was opened, and is another one now."""
        name = self.of_portfolio
        return opened.has_become(name, self.stored()) and self.is_valid() and opened.is_still(name, self.typed())

    def item(self, form: forms.ModelForm) -> dict[str, Any]:  # type: ignore[type-arg]
        """Return a row as an item of the API's list."""
        item = {name: form.cleaned_data[name] for name in self.columns}
        return {"id": form.instance.pk, **item} if form.instance.pk else item

    def replace(self, items: list[dict[str, Any]]) -> Replaced:
        """Make `items` the portfolio's list; each kind of list has its own service for it."""
        raise NotImplementedError


def in_their_places(forms: list[Any]) -> list[Any]:
    """Return the rows in order: those that were given a place stand at it, the others keep theirs around them."""
    moved = [form for form in forms if "place" in form.changed_data and form.cleaned_data["place"] is not None]
    rest = [form for form in forms if form not in moved]
    rest.sort(key=lambda form: (form.cleaned_data["place"] is None, form.cleaned_data["place"] or 0))
    for form in sorted(moved, key=lambda form: form.cleaned_data["place"]):
        rest.insert(form.cleaned_data["place"], form)
    return rest


class LinksFormSet(PlacedFormSet):
    columns = ("name", "url", "description", "image")
    of_portfolio = "links"

    def replace(self, items: list[dict[str, Any]]) -> Replaced:
        return replace_links(self.instance, items)


class MetaFormSet(PlacedFormSet):
    columns = ("key", "value_text", "value_file")
    of_portfolio = "meta"

    def validate_unique(self) -> None:
        """Name the rows whose key an earlier one has; those that are removed have none."""
        seen: set[str] = set()
        for form in in_their_places([form for form in self.kept() if form.is_valid()]):
            key = form.cleaned_data.get("key")
            if key in seen:
                form.add_error("key", DUPLICATE_KEY)
            elif key:
                seen.add(key)

    def replace(self, items: list[dict[str, Any]]) -> Replaced:
        return replace_meta(self.instance, items)


class PlacedInline(PicksMedia):
    """A list within the portfolio's form; as in the API, it takes the portfolio's permission and no other."""

    form = PlacedForm
    formfield_overrides = FIELDS
    template = "folio/portfolios/rows.html"
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Portfolio | None = None) -> bool:
        return publishing.may_view(request.user)

    def has_add_permission(self, request: HttpRequest, obj: Portfolio | None = None) -> bool:
        return may_type(request, obj) if obj else publishing.may_add(request.user)

    has_change_permission = has_delete_permission = has_add_permission

    def get_fields(self, request: HttpRequest, obj: Portfolio | None = None) -> Any:
        """Return a row's fields; for those who may only look, the rows' order says their places."""
        fields: Any = super().get_fields(request, obj)  # type: ignore[misc]
        is_fixed = obj is not None and not self.has_change_permission(request, obj)
        return tuple(name for name in fields if name != "place") if is_fixed else fields


class LinkItemForm(PlacedForm):
    class Meta(LinkForm.Meta):
        widgets = {"description": UnfoldAdminTextareaWidget({"rows": 1})}


class LinksInline(PlacedInline, StackedInline):
    model = Link
    form = LinkItemForm
    formset = LinksFormSet
    fields = (("name", "url"), ("description", "image"), "place")
    add_text = _("Add a link")
    verbose_name = _("link")
    verbose_name_plural = _("links")


class MetaItemForm(PlacedForm):
    class Meta:
        widgets = {"value_text": UnfoldAdminTextareaWidget({"rows": 1})}


class MetaInline(PlacedInline, StackedInline):
    model = MetaEntry
    form = MetaItemForm
    formset = MetaFormSet
    fields = (("key", "value_file"), "value_text", "place")
    add_text = _("Add meta")
    verbose_name = _("meta")
    verbose_name_plural = _("meta")
