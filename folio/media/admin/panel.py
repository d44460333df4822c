"""The panel of a picture: large, with its focal point, its texts, and where else it is shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from folio.admin.options import Overtaken, json_body, may_see, unreadable
from folio.history import entries_of, name_of_user, read

from ..models import Media, MediaType
from ..pixels import fit
from .cards import card_of
from .pictures import thumbnail_url
from .uses import places_of

LARGE = 1080  # the thumbnail that the panel shows
FOCAL = ("focal_x", "focal_y")


class TextsForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is saved as soon as it is left."""

    focal_x = forms.FloatField(required=False, min_value=0, max_value=1)
    focal_y = forms.FloatField(required=False, min_value=0, max_value=1)

    class Meta:
        model = Media
        fields = ("name", "alt", *FOCAL)

    def clean(self) -> Any:
        given: Any = super().clean()
        if self.instance.type != MediaType.IMAGE and any(given.get(name) is not None for name in FOCAL):
            raise ValidationError({"focal_x": _("Only an image has a focal point.")})
        return given


def values_of(media: Media) -> dict[str, Any]:
    return {name: getattr(media, name) for name in TextsForm.base_fields}


def given_values(request: HttpRequest, media: Media) -> dict[str, Any]:
    """Return what a script wants to have saved; raise `Overtaken` where that was changed since the script saw it.

    `was` in the body holds what the script knows of each field. Without it, what is stored is written over.
    """
    body = json_body(request)
    given = {name: value for name, value in body.items() if name in TextsForm.base_fields}
    was = body.get("was", {})
    if not isinstance(was, dict) or not all(is_readable(name, value) for name, value in given.items()):
        raise BadRequest(unreadable())
    stored = values_of(media)
    changed = [
        name
        for name in given
        if name in was and in_words(stored[name]) not in (in_words(was[name]), in_words(given[name]))
    ]
    if changed:
        raise Overtaken(overtaken(media, changed), {name: stored[name] for name in given})
    return given


def in_words(value: Any) -> Any:
    """Return a text without its white space, of which a browser's box keeps only some."""
    return value.split() if isinstance(value, str) else value


def is_readable(name: str, value: Any) -> bool:
    if name in FOCAL:
        return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    return isinstance(value, str)


def overtaken(media: Media, names: list[str]) -> str:
    """Return the sentence that tells who was faster, and what is stored now."""
    who = _("someone")
    newest = entries_of(media).first()
    told = read(newest, Media).values if newest else {}
    if newest and any(name in told and told[name][1] == getattr(media, name) for name in names):
        who = name_of_user(newest.user)
    if names[0] in FOCAL:
        return _("%(who)s has moved the focal point meanwhile: it is where they put it.") % {"who": who}
    text = getattr(media, names[0])
    sentence = _("%(who)s has changed this to “%(text)s” meanwhile. Leave the box once more to save yours over it.")
    return sentence % {"who": who, "text": text}


def panel_of(media: Media | None, request: HttpRequest, *, may_change: bool, here: str) -> str:
    """Return the panel as HTML; `here` is the address of the page that it opens on, which is no other place.

    Who may not see the library gets what is the same for every picture, whether it is there or not: their form shows
    the rest of it.
    """
    context: dict[str, Any] = {"may_change": may_change}
    if media is not None and may_see(request, Media):
        places = [place for place in places_of([media.pk], request).get(media.pk, []) if not here or place.url != here]
        width, height = fit((media.width or 1, media.height or 1), LARGE)
        context |= {"card": card_of(media), "large": thumbnail_url(media, LARGE), "width": width, "height": height}
        context["is_library"] = here == reverse("admin:media_media_changelist")
        context |= {"places": places, "others": len({(place.kind, place.title, place.url) for place in places})}
        context |= {"focal_x": number(media.focal_x), "focal_y": number(media.focal_y)}
    return render_to_string("folio/media/panel.html", context, request)


def number(value: float | None) -> str:
    """Return a coordinate as scripts read it, whatever the language; empty for none."""
    return "" if value is None else repr(value)
