"""What the forms of portfolios, employers, tags, links and meta have in common."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from folio.media.admin.pickers import PicksMedia

from .collisions import KeepsWhatIsGone


class EditPages(KeepsWhatIsGone, PicksMedia):
    """Pages with a form in clear sections, which says above it what is wrong."""

    change_form_template = add_form_template = "folio/portfolios/edit.html"
    compressed_fields = False  # labels stand above their boxes

    scripts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()  # besides those of all forms

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        scripts: Any = [forms.Script(f"folio/portfolios/{name}.js", type="module") for name in self.scripts]
        styles = [f"folio/portfolios/{name}.css" for name in ("form", *self.styles)]
        context["media"] += forms.Media(css={"all": styles}, js=scripts)
        context["problems"] = list(problems(context))
        return super().render_change_form(request, context, *args, **kwargs)


def problems(context: Any) -> Iterator[dict[str, Any]]:
    """Yield what is wrong on the page, in its order, each with its field's label and where that stands."""
    form = context["adminform"].form
    yield from ({"message": message} for message in form.non_field_errors())
    yield from problems_of(form)
    for inline in context["inline_admin_formsets"]:
        yield from (
            {"message": message, "label": inline.opts.verbose_name_plural, "id": f"{inline.formset.prefix}-heading"}
            for message in inline.formset.non_form_errors()
        )
        for number, row in enumerate(inline.formset.forms, start=1):
            place = f"{inline.opts.verbose_name_plural} {number}"
            yield from ({"message": message, "label": place} for message in row.non_field_errors())
            yield from problems_of(row, f"{place}, ")


def problems_of(form: forms.BaseForm, where: str = "") -> Iterator[dict[str, Any]]:
    for box in form:
        label = f"{where}{box.label}"
        yield from ({"message": message, "label": label, "id": focus_of(box)} for message in box.errors)


def focus_of(box: forms.BoundField) -> str:
    """Return the id of what is focused to mend a field."""
    return box.id_for_label or f"{box.auto_id}_0"
