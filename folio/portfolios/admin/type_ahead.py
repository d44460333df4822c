"""Form fields for rows that are found by their names while one types: one row, or several in an order."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from django.views.decorators.http import require_POST

from folio.admin.options import answer_in_json, json_body
from folio.api.viewsets import write
from folio.media.admin.posted import PostedField, PostsRows, ids_of, rows_of


class TypeAhead(PostsRows, forms.Widget):
    """A box that offers what is found by the words typed into it; what is chosen is posted under the plain name."""

    template_name = "folio/portfolios/type_ahead.html"
    queryset: QuerySet[Any]
    source = ""  # the reference that it fills in, as `app.model.field`: Django's view for it does the searching
    is_several = False
    make_url = ""  # where a row is made of a name; empty for those who may not

    class Media:
        css = {"all": ["folio/portfolios/type_ahead.css"]}
        js = ["folio/admin/vendor/sortable.min.js", forms.Script("folio/portfolios/type_ahead.js", type="module")]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        app, model, field = self.source.split(".")
        query = urlencode({"app_label": app, "model_name": model, "field_name": field})
        context["chosen"] = self.chosen(value)
        context["search"] = f"{reverse('admin:autocomplete')}?{query}"
        return context | {"several": self.is_several, "make": self.make_url}

    def chosen(self, value: Any) -> list[tuple[str, str]]:
        """Return the ids and names of the rows in a value, without those that are gone."""
        ids = ids_of(value)
        rows = rows_of(self.queryset, ids)
        return [(pk, str(rows[pk])) for pk in dict.fromkeys(ids) if pk in rows]

    def use_required_attribute(self, initial: Any) -> bool:
        return False  # the box is empty also where something is chosen


class TypeAheadField(PostedField):
    """One row of `queryset`, found by its name; None where nothing is chosen."""

    widget = TypeAhead
    is_several = False
    default_error_messages = {
        "missing": ngettext_lazy(
            "%(names)s was deleted meanwhile, and was taken out here. Save again to go on without.",
            "%(names)s were deleted meanwhile, and were taken out here. Save again to go on without.",
            "count",
        ),
        "repeated": gettext_lazy("%(names)s is given twice. Give it once."),
        "single": gettext_lazy("Choose only one."),
    }

    def __init__(self, queryset: QuerySet[Any], source: str, **kwargs: Any) -> None:
        super().__init__(queryset, **kwargs)
        widget: Any = self.widget
        widget.queryset, widget.source, widget.is_several = queryset, source, self.is_several

    def clean(self, value: Any) -> Any:
        rows = super().clean(value)
        if self.is_several:
            return rows
        if len(rows) > 1:
            raise ValidationError(self.error_messages["single"], code="single")
        return rows[0] if rows else None


class TypeAheadListField(TypeAheadField):
    """Rows of `queryset`, found by their names, each once in an order that is kept."""

    is_several = True


class MadeByName:
    """The pages of a resource whose rows can be made in another's form, of a name alone."""

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_make"  # type: ignore[attr-defined]
        view = self.admin_site.admin_view(require_POST(self.make_view))  # type: ignore[attr-defined]
        return [path("make/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def make_view(self, request: HttpRequest) -> JsonResponse:
        """Answer with the row of that name, made unless it is there; one that lost a race finds the winner."""

        def change() -> dict[str, Any]:
            if not self.has_add_permission(request):  # type: ignore[attr-defined]
                raise PermissionDenied(_("You may not do that."))
            name = json_body(request).get("name")
            row = write(lambda: self.make(request, name if isinstance(name, str) else ""))
            return {"id": str(row.pk), "text": str(row)}

        return answer_in_json(change)

    def make(self, request: HttpRequest, name: str) -> Any:
        form = self.get_form(request, fields=("name",))({"name": name})  # type: ignore[attr-defined]
        row = self.model._default_manager.filter(name=name.strip()).first() if "\0" not in name else None  # type: ignore[attr-defined]
        if row is None:
            if not form.is_valid():
                raise ValidationError(form.errors.get("name") or form.non_field_errors())
            row = form.save()
            self.log_addition(request, row, self.construct_change_message(request, form, None, add=True))  # type: ignore[attr-defined]
        return row


def make_url(model: Any, user: Any) -> str:
    """Return where a user makes a row of a name; nothing where they may not."""
    opts = model._meta
    is_allowed = user.has_perm(f"{opts.app_label}.add_{opts.model_name}")
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_make") if is_allowed else ""
