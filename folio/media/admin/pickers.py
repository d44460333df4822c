"""Form fields for media: one, or a gallery in its order, chosen from the library in a dialog of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.db.models import Field, ForeignKey, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from ..models import Media
from .cards import cards_of, limits, read
from .posted import Posted, PostedField, PostsRows

EMPTY: tuple[Any, ...] = (None, "", [])


class Picker(forms.Widget):
    """Chooses media from the library; what is chosen is posted under the field's plain name."""

    only = ""  # the type of media that may be chosen; empty for all
    may_change = False  # the texts of what is chosen; the server asks again
    known: dict[str, Any] | None = None  # what `PicksMedia` has read for all the pickers of a page

    class Media:
        css = {"all": ["folio/media/library.css", "folio/media/picker.css", "folio/media/panel.css"]}
        js = ["folio/admin/vendor/sortable.min.js", forms.Script("folio/media/picker.js", type="module")]

    def id_for_label(self, id_: str | None) -> str | None:  # type: ignore[override]
        return id_  # the button's that opens the library

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        ids = [str(pk) for pk in self.ids(value)]
        known = read(ids) if self.known is None else self.known
        context["cards"] = cards_of(known[pk] for pk in ids if pk in known)
        context |= {"only": self.only, "may_change": self.may_change, "library": reverse("admin:media_media_pick")}
        return context | limits()

    def use_required_attribute(self, initial: Any) -> bool:
        return False  # a button can't be required

    def ids(self, value: Any) -> list[Any]:
        """Return the ids in a value of the field."""
        return [] if value in EMPTY else [value]


class MediaPicker(Picker):
    """The thumbnail and name of the chosen media, and buttons to choose another one or none."""

    template_name = "folio/media/picker.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["card"] = next(iter(context["cards"]), None)
        return context


class GalleryPicker(PostsRows, Picker):
    """Thumbnails in an order that the mouse, a finger or the keyboard changes."""

    template_name = "folio/media/gallery.html"
    only = "image"
    captions = ""  # the form's field for the pictures' captions, whose `texts_of()` gives them; empty for none
    cover = ""  # the form's field for its cover, which a star on each picture sets; empty where there is none
    is_new = False  # of an entry that is new, the first picture is the cover until another one is chosen
    texts: dict[str, str] = {}  # the captions, by the pictures' ids

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        for card in context["cards"]:
            card["caption"] = self.texts.get(str(card["id"]), "")
        return context | {"captions": self.captions, "cover": self.cover, "is_new": self.is_new}

    def ids(self, value: Any) -> list[Any]:
        return [pk for pk in value or () if pk not in EMPTY]


class MediaField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One media, of the type that the field is limited to."""

    widget = MediaPicker
    default_error_messages = {
        "invalid_choice": _("What was chosen is not there any more, or has another type now. Choose again.")
    }

    def __init__(self, queryset: QuerySet[Media] | None, **kwargs: Any) -> None:
        super().__init__(queryset, **kwargs)
        limits = self.get_limit_choices_to()
        picker: Any = self.widget
        picker.only = limits.get("type", "") if isinstance(limits, dict) else ""


class GalleryField(PostedField):
    """Images in their order."""

    widget = GalleryPicker
    default_error_messages = {
        "repeated": _("%(names)s is in the list twice. Keep it once."),
        "missing": ngettext_lazy(
            "%(names)s was deleted meanwhile, or is no image any more, and was taken off the list. "
            "Save again to keep the others.",
            "%(names)s were deleted meanwhile, or are no images any more, and were taken off the list. "
            "Save again to keep the others.",
            "count",
        ),
    }

    def __init__(self, *, captions: str = "", cover: str = "", **kwargs: Any) -> None:
        super().__init__(Media.objects.images(), **kwargs)
        picker: Any = self.widget
        picker.captions, picker.cover = captions, cover

    def prepare_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Posted):
            return value
        return [getattr(item, "pk", item) for item in value]


class PicksMedia:
    """Gives each foreign key to a media its picker, and reads what all the pickers of a page show at once."""

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, ForeignKey) and db_field.remote_field.model is Media:
            return db_field.formfield(**{**kwargs, "form_class": MediaField})  # without Django's links to add or change
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        shown = [context["adminform"].form]
        shown += [form for inline in context["inline_admin_formsets"] for form in inline.formset.forms]
        prepare(shown, request)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]


def prepare(forms: Iterable[forms.BaseForm], request: HttpRequest) -> None:
    """Tell the pickers of all these forms what they show, read in two queries, and what the user may do."""
    found = list(pickers(forms))
    known = read(pk for picker, value, _form in found for pk in picker.ids(value))
    for picker, _value, form in found:
        picker.known = known
        picker.may_change = request.user.has_perm("media.change_media")
        if isinstance(picker, GalleryPicker) and picker.captions:
            captions: Any = form.fields[picker.captions]
            picker.texts = captions.texts_of(form[picker.captions].value())


def pickers(forms: Iterable[forms.BaseForm]) -> Iterator[tuple[Picker, Any, forms.BaseForm]]:
    for form in forms:
        for name, field in form.fields.items():
            if isinstance(field.widget, Picker):
                yield field.widget, form[name].value(), form
