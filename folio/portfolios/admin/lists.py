"""The lists within a portfolio's form, saved whole by the services that the API saves them by."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import StackedInline, TabularInline
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminExpandableTextareaWidget, UnfoldAdminIntegerFieldWidget

from folio.api.admin import FIELDS
from folio.api.changes import Changes
from folio.media.admin import picture

from .. import drafting
from ..models import Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag
from ..services import Replaced, replace_links, replace_meta, replace_through
from .placed import LinkForm

STALE = "Someone else has changed this list meanwhile. Open the page again, and make your changes there."


class PlacedForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row of a portfolio's list; where its place is left empty, it comes last."""

    place = forms.IntegerField(
        required=False,
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget({"placeholder": "last"}),
    )


class PlacedFormSet(PaginationInlineFormSet):
    """A portfolio's list: the whole of it in its order, saved by the services that the API saves it by."""

    columns: tuple[str, ...]
    of_portfolio: str  # what the list is called

    def clean(self) -> None:
        super().clean()  # finds duplicates among the rows; Django compares none with the database, so all must be here
        if {form.instance.pk for form in self.initial_forms} != {row.pk for row in self.get_queryset()}:
            raise ValidationError(STALE)

    def save(self, commit: bool = True) -> list[Any]:
        """Save the list if anything changed, and note what did for the admin site's history."""
        gone = self.deleted_forms
        forms = [form for form in self.forms if form not in gone and (form.instance.pk or form.has_changed())]
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


class GalleryFormSet(PlacedFormSet):
    columns = ("media",)
    of_portfolio = "images"

    def replace(self, items: list[dict[str, Any]]) -> Replaced:
        return replace_through(self.instance, PortfolioImage, "media", [item["media"] for item in items])


class TagsFormSet(PlacedFormSet):
    columns = ("tag",)
    of_portfolio = "tags"

    def replace(self, items: list[dict[str, Any]]) -> Replaced:
        return replace_through(self.instance, PortfolioTag, "tag", [item["tag"] for item in items])


class LinksFormSet(PlacedFormSet):
    columns = ("name", "url", "description", "image")
    of_portfolio = "links"

    def replace(self, items: list[dict[str, Any]]) -> Replaced:
        return replace_links(self.instance, items)


class MetaFormSet(PlacedFormSet):
    columns = ("key", "value_text", "value_file")
    of_portfolio = "meta"

    def replace(self, items: list[dict[str, Any]]) -> Replaced:
        return replace_meta(self.instance, items)


class PlacedInline:
    """A list within the portfolio's form; as in the API, it takes the portfolio's permission and no other."""

    form = PlacedForm
    formfield_overrides = FIELDS
    extra = 0
    ordering_field = "place"

    def has_view_permission(self, request: HttpRequest, obj: Portfolio | None = None) -> bool:
        return drafting.may_view(request.user)

    def has_add_permission(self, request: HttpRequest, obj: Portfolio | None = None) -> bool:
        return drafting.may_change(request.user, obj) if obj else drafting.may_add(request.user)

    has_change_permission = has_delete_permission = has_add_permission


class GalleryInline(PlacedInline, TabularInline):
    model = PortfolioImage
    formset = GalleryFormSet
    fields = ("preview", "media", "place")
    readonly_fields = ("preview",)
    autocomplete_fields = ("media",)
    verbose_name_plural = "gallery"
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[PortfolioImage]:
        queryset: QuerySet[PortfolioImage] = super().get_queryset(request)
        return queryset.select_related("media").prefetch_related("media__thumbnails")

    @admin.display(description="preview")
    def preview(self, row: PortfolioImage) -> str:
        return picture(row.media if row.media_id else None, 64)


class TagsInline(PlacedInline, TabularInline):
    model = PortfolioTag
    formset = TagsFormSet
    fields = ("tag", "place")
    autocomplete_fields = ("tag",)
    hide_title = True


class LinkItemForm(PlacedForm):
    class Meta(LinkForm.Meta):
        widgets = {"description": UnfoldAdminExpandableTextareaWidget()}


class LinksInline(PlacedInline, StackedInline):
    model = Link
    form = LinkItemForm
    formset = LinksFormSet
    fields = (("name", "place"), "url", "description", "image")
    autocomplete_fields = ("image",)


class MetaItemForm(PlacedForm):
    class Meta:
        widgets = {"value_text": UnfoldAdminExpandableTextareaWidget()}


class MetaInline(PlacedInline, StackedInline):
    model = MetaEntry
    form = MetaItemForm
    formset = MetaFormSet
    fields = (("key", "place"), "value_text", "value_file")
    autocomplete_fields = ("value_file",)
