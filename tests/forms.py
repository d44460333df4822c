"""What a browser sends back of a form that the admin site showed."""

from typing import Any

from django import forms

from folio.portfolios.admin.captions import CaptionsField


def shown_values(page: Any) -> dict[str, Any]:
    """Return the values of a page's form and of the lists in it, under their names in the request."""
    values = form_values(page.context["adminform"].form)
    if page.context.get("version"):
        values |= {"_version": page.context["version"], "_opened": str(page.context["opened"])}
    for inline in page.context["inline_admin_formsets"]:
        values |= form_values(inline.formset.management_form)
        for form in inline.formset.forms:
            values |= form_values(form)
    return values


def form_values(form: forms.BaseForm) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for box in form:
        value = box.value()
        if isinstance(box.field, forms.MultiValueField):
            parts = value if isinstance(value, list) else box.field.widget.decompress(value)
            values |= {f"{box.html_name}_{place}": part or "" for place, part in enumerate(parts)}
        elif isinstance(box.field, forms.BooleanField):
            values |= {box.html_name: "on"} if value else {}
        elif isinstance(box.field, CaptionsField):
            texts = {f"{box.html_name}-{pk}": text for pk, text in box.field.texts_of(value).items()}
            values |= {box.html_name: "", **texts}
        elif isinstance(value, list | tuple):
            values[box.html_name] = [getattr(item, "pk", item) for item in value]
        else:
            values[box.html_name] = "" if value is None else value
    return values


def rows(prefix: str, *new: dict[str, Any], shown: int = 0) -> dict[str, Any]:
    """Return a list's new rows as they are sent after those that were shown."""
    values: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": shown + len(new), f"{prefix}-INITIAL_FORMS": shown}
    for number, row in enumerate(new, start=shown):
        values |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return values


def entry(**changes: Any) -> dict[str, Any]:
    """Return a valid new portfolio as its form sends it, without rows in its lists."""
    sent = {"title": "Harbour", "slug": "harbour", "excerpt": "An excerpt.", "order": "0"}
    return {**sent, **rows("links"), **rows("meta"), **changes}


def errors(page: Any) -> dict[str, Any]:
    """Return what a page's form and the lists in it complain of; those that don't are left out."""
    found: dict[str, Any] = dict(page.context["adminform"].form.errors)
    for inline in page.context["inline_admin_formsets"]:
        messages = [*inline.formset.non_form_errors(), *(dict(form) for form in inline.formset.errors if form)]
        found |= {inline.formset.prefix: messages} if messages else {}
    return found
