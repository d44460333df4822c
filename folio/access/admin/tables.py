"""Permissions and codes to choose from, as a table of resources and what is done with them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import CHECKBOX_CLASSES

from folio.api.fields import IDENTIFIER

from ..codes import ACTIONS, CODES, RESOURCES, Code
from . import words
from .words import path_of

NOTE = _("Nobody grants what they don’t hold themselves, or changes someone who holds more than they do.")
COLUMNS = {"add": _("create"), "view": _("view"), "change": _("update"), "delete": _("delete")}


@dataclass
class Option:
    """A box to tick: the lines of `texts` stand beside it, `label` is what it is called without the table."""

    value: Any
    texts: Sequence[Sequence[str]]
    label: str
    is_checked: bool
    is_disabled: bool = False
    details: Iterable[str] = ()


class Table(forms.CheckboxSelectMultiple):
    """A row for each resource, then what stands in none of them."""

    template_name = "folio/access/table.html"
    label: Any = ""  # what the whole is called, which is a group of boxes

    class Media:
        css = {"all": ["folio/access/access.css"]}
        js = [forms.Script("folio/access/access-table.js", type="module")]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        checked = {str(item) for item in self.format_value(value)}
        widget = {
            "name": name,
            "attrs": self.build_attrs(self.attrs, attrs),
            "checkbox": " ".join(CHECKBOX_CLASSES),
            "template_name": self.template_name,
        }
        return {"widget": widget, "label": self.label, **self.parts(checked)}

    def parts(self, checked: set[str]) -> dict[str, Any]:
        """Return the table's `columns`, its `rows` by the name of their resource, `others`, and perhaps a `note`."""
        raise NotImplementedError

    def id_for_label(self, id_: str | None, index: str | None = None) -> str:
        return ""  # the label names the whole table, which is a group


def option_of(codes: list[Code], value: Any, checked: set[str], *, is_disabled: bool = False) -> Option:
    texts = [(f"{code.code} ·", str(words.ACTIONS[code.action])) for code in codes]
    label = ", ".join(words.words_of(code) for code in codes)
    return Option(value, texts, label, str(value) in checked, is_disabled)


class PermissionsTable(Table):
    """All permissions that something in Folio asks for; those that one may not grant can't be ticked."""

    may_grant: Callable[[Any], bool]

    def parts(self, checked: set[str]) -> dict[str, Any]:
        rows_by_value: Any = self.choices
        found = {path_of(value.instance): value.instance for value, _label in rows_by_value}
        rows = {}
        for resource, actions in RESOURCES.items():
            cells = []
            for verb in COLUMNS:
                codes = [code for code in actions.values() if ACTIONS[code.action] == verb]
                permission = found.pop(codes[0].permission, None)
                cells.append(permission and self.cell(codes, permission, checked))
            rows[words.RESOURCES[resource]] = cells
        others = [self.other(found[path], checked) for path in words.OTHERS if path in found]
        return {"columns": list(COLUMNS.values()), "rows": rows, "others": others, "note": NOTE}

    def cell(self, codes: list[Code], permission: Any, checked: set[str]) -> Option:
        return option_of(codes, permission.pk, checked, is_disabled=not self.may_grant(permission))

    def other(self, permission: Any, checked: set[str]) -> Option:
        text = capfirst(words.label_of(path_of(permission)))
        is_checked, is_disabled = str(permission.pk) in checked, not self.may_grant(permission)
        return Option(permission.pk, [(text,)], text, is_checked, is_disabled)


class CodesTable(Table):
    """The codes among its choices."""

    def parts(self, checked: set[str]) -> dict[str, Any]:
        offered = {int(value) for value, _label in self.choices}
        rows = {
            words.RESOURCES[resource]: [
                option_of([code], code.code, checked) if code.code in offered else None for code in actions.values()
            ]
            for resource, actions in RESOURCES.items()
            if any(code.code in offered for code in actions.values())
        }
        return {"columns": [words.ACTIONS[action] for action in ACTIONS], "rows": rows, "others": []}


class GroupsTable(Table):
    """Groups, each with what it grants; those that grant more than one may can't be ticked."""

    may_grant: Callable[[Any], bool]

    def parts(self, checked: set[str]) -> dict[str, Any]:
        others = []
        for choice, _label in self.choices:
            value: Any = choice
            group: Group = value.instance
            is_checked, is_disabled = str(group.pk) in checked, not self.may_grant(group)
            details = grants_in_words(path_of(permission) for permission in group.permissions.all())
            others.append(Option(group.pk, [(group.name,)], group.name, is_checked, is_disabled, details))
        return {"columns": [], "rows": {}, "others": others}


def grants_in_words(paths: Iterable[str]) -> list[str]:
    """Return what some permissions allow, a line for each resource, then one for each that is behind no code."""
    held = set(paths)
    codes = [code.code for code in CODES.values() if code.permission in held]
    return [*words.summary_of(codes), *(str(capfirst(text)) for path, text in words.OTHERS.items() if path in held)]


def lines(texts: Iterable[str]) -> SafeString | None:
    """Return each text on a line of its own, all in one element: a cell of a list may lay out its elements in a row."""
    joined = format_html_join("", "<div>{}</div>", ((text,) for text in texts))
    return format_html("<div>{}</div>", joined) if joined else None


class GrantsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """What is granted: one may give and take what `may_grant` says, and everything else stays as it is."""

    existing: Iterable[Any] = ()  # the rows that are granted now, set by the form

    def __init__(self, *, may_grant: Callable[[Any], bool], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.may_grant = may_grant
        self.widget.may_grant = may_grant

    def label_from_instance(self, obj: Any) -> str:
        return words.label_of(path_of(obj)) if isinstance(obj, Permission) else str(obj)

    def clean(self, value: Any) -> Any:
        for pk in value or ():
            if not IDENTIFIER.fullmatch(str(pk)):
                raise forms.ValidationError(
                    self.error_messages["invalid_pk_value"], code="invalid_pk_value", params={"pk": pk}
                )
        chosen = list(super().clean(value))
        kept = [row for row in self.existing if not self.may_grant(row)]
        refused = [row for row in chosen if not self.may_grant(row) and row not in kept]
        if refused:
            names = "; ".join(map(self.label_from_instance, refused))
            raise forms.ValidationError(
                _("You can’t grant what you don’t hold yourself: %(names)s."), code="not_held", params={"names": names}
            )
        return sorted({*chosen, *kept}, key=lambda row: row.pk)

    def has_changed(self, initial: Any, data: Any) -> bool:
        before = {str(row.pk) for row in self.existing if self.may_grant(row)}
        kept = {str(row.pk) for row in self.existing} - before
        return before != {str(value) for value in data or ()} - kept


class GrantsForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form that knows what is granted now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, GrantsField) and self.instance.pk:
                field.existing = sorted(with_names(getattr(self.instance, name).all()), key=lambda row: row.pk)
                self.initial[name] = field.existing  # in the order in which they come back
            if isinstance(field.widget, Table):
                field.widget.label = capfirst(field.label)


def with_names(rows: Any) -> Any:
    """Return permissions, or groups, with all that their names in words need."""
    if rows.model is Permission:
        return rows.select_related("content_type")
    return rows.prefetch_related("permissions__content_type")
