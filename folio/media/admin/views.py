"""What the scripts of the library and the pickers ask for: pages to pick from, uploads, texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from folio.admin.options import answer_in_json
from folio.api.errors import Busy
from folio.api.stored import lock_showing
from folio.api.viewsets import write
from folio.history.changes import log

from ..errors import UploadBusy
from ..models import Media, MediaType
from ..replacing import ShownAsPicture, replace_file
from ..storing import Log
from ..uploads import BUSY_SECONDS, store_once
from .cards import card_of, cards_of, limits, with_thumbnails
from .panel import TextsForm, given_values, panel_of, values_of
from .pictures import picture_view
from .posted import first_of
from .uses import places_of

PICKED_AT_ONCE = 48  # cards that the picker loads


class LibraryViews:
    """The admin site's views of media besides Django's own."""

    model: type[Media]
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        wrap, kept = self.admin_site.admin_view, partial(self.admin_site.admin_view, cacheable=True)
        return [
            path("picture/<int:pk>/", kept(picture_view), name="media_media_picture"),
            path("pick/", wrap(self.pick_view), name="media_media_pick"),
            path("upload/", wrap(self.upload_view), name="media_media_upload"),
            path("<int:pk>/panel/", wrap(self.panel_view), name="media_media_panel"),
            path("<int:pk>/texts/", wrap(self.texts_view), name="media_media_texts"),
            path("<int:pk>/replace/", wrap(self.replace_view), name="media_media_replace"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Media]:
        return with_thumbnails(super().get_queryset(request))  # type: ignore[misc]

    @method_decorator(require_GET)
    def pick_view(self, request: HttpRequest) -> JsonResponse:
        """Answer with the picker's dialog, or with more of its cards."""
        return answer_in_json(lambda: self.to_pick(request))

    def to_pick(self, request: HttpRequest) -> dict[str, Any]:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied(_("You may not see the media library. Ask an administrator for that permission."))
        asked = request.GET
        media_type = asked.get("type", "")
        offset = int(text) if (text := asked.get("offset", "0")).isdecimal() and len(text) < 8 else 0
        rows = self.get_queryset(request)
        if media_type in MediaType.values:
            rows = rows.filter(type=media_type)
        rows, _distinct = self.get_search_results(request, rows, asked.get("q", ""))  # type: ignore[attr-defined]
        found = list(rows.order_by("-created_at", "pk")[offset : offset + PICKED_AT_ONCE + 1])
        context: dict[str, Any] = {"cards": cards_of(found[:PICKED_AT_ONCE])}
        template = "folio/media/options.html"
        if "dialog" in asked:
            template = "folio/media/dialog.html"
            types = [choice for choice in MediaType.choices if media_type in ("", choice[0])]
            context |= {"types": types, "may_add": self.has_add_permission(request), **limits()}  # type: ignore[attr-defined]
        has_more = len(found) > PICKED_AT_ONCE
        html = render_to_string(template, context, request)
        return {"html": html, "next": offset + PICKED_AT_ONCE if has_more else None}

    @method_decorator(require_POST)
    def upload_view(self, request: HttpRequest) -> JsonResponse:
        """Store a file that was dropped or chosen, and answer with its card."""
        return answer_in_json(lambda: self.stored(request))

    def stored(self, request: HttpRequest) -> dict[str, Any]:
        if not self.has_add_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied(_("You may not add media. Ask an administrator for that permission."))
        with busy_said():
            media, is_new = store_once(sent_file(request), log=self.recorder(request, ADDITION))
        return {"is_new": is_new, "count": in_words(Media.objects.count()), **self.shown(request, media)}

    @method_decorator(require_GET)
    def panel_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Answer with the panel of a picture; those who may not see the library get it without what is told there."""
        return answer_in_json(lambda: {"html": self.panel(request, pk)})

    def panel(self, request: HttpRequest, pk: int) -> str:
        media = Media.objects.filter(pk=pk, type=MediaType.IMAGE).prefetch_related("thumbnails").first()
        if media is None and self.has_view_permission(request):  # type: ignore[attr-defined]
            raise BadRequest(deleted())
        may_change = self.has_change_permission(request, media)  # type: ignore[attr-defined]
        return panel_of(media, request, may_change=may_change, here=request.GET.get("here", ""))

    @method_decorator(require_POST)
    def texts_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Save a media's name, alt text or focal point as soon as it was typed or set."""
        return answer_in_json(lambda: write(lambda: self.with_texts(request, pk)))

    def with_texts(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        lock_showing(Media, [pk])
        media = Media.objects.select_for_update().filter(pk=pk).first()
        if media is None:
            raise BadRequest(deleted())
        if not self.has_change_permission(request, media):  # type: ignore[attr-defined]
            raise PermissionDenied(_("You may not change media. Ask an administrator for that permission."))
        form = TextsForm({**values_of(media), **given_values(request, media)}, instance=media)
        if not form.is_valid():
            raise ValidationError({name: list(messages) for name, messages in form.errors.items()})
        if form.has_changed():
            form.save()
            message = self.construct_change_message(request, form, None)  # type: ignore[attr-defined]
            self.log_change(request, media, message)  # type: ignore[attr-defined]
        return values_of(media)

    @method_decorator(require_POST)
    def replace_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put another file behind a media; without the page's script, answer by its page."""
        answer = answer_in_json(lambda: self.replaced(request, pk))
        if request.headers.get("Accept") == "application/json":
            return answer
        detail = json.loads(answer.content).get("detail", "")
        level = messages.ERROR if detail else messages.SUCCESS
        self.message_user(request, detail or _("The file was replaced."), level)  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("admin:media_media_change", args=(pk,)))

    def replaced(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        if not self.has_change_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied(_("You may not change media. Ask an administrator for that permission."))
        try:
            with busy_said():
                media = replace_file(pk, sent_file(request), log=self.recorder(request, CHANGE))
        except ShownAsPicture as error:
            places = places_of([pk], request).get(pk, [])
            raise ValidationError(
                _("This media is shown as a picture by %(places)s. Send an image, or take it off there first.")
                % {"places": first_of([str(place) for place in places])}
            ) from error
        except Media.DoesNotExist:
            raise BadRequest(deleted()) from None
        return self.shown(request, media)

    def recorder(self, request: HttpRequest, action_flag: int) -> Log:
        """Return what records, within the transaction that stores a file, that the user did so."""
        return lambda media, changes: log(request.user, media, action_flag, changes)

    def shown(self, request: HttpRequest, media: Media) -> dict[str, Any]:
        """Return a media as its scripts take it: its data, and what it looks like in a picker and in the grid."""
        card = card_of(media)
        context = {"card": card, "cards": [card], "may_change": self.has_change_permission(request)}  # type: ignore[attr-defined]
        return {
            "media": card,
            "option": render_to_string("folio/media/option.html", context, request),
            "card": render_to_string("folio/media/cards.html", context, request),
        }


def deleted() -> str:
    return _("This media was deleted meanwhile.")


def in_words(count: int) -> str:
    """Return how many media there are, as the list says it."""
    options = Media._meta
    words = {"counter": count, "name": options.verbose_name, "names": options.verbose_name_plural}
    return ngettext("%(counter)s %(name)s", "%(counter)s %(names)s", count) % words


def sent_file(request: HttpRequest) -> Any:
    file = request.FILES.get("file")
    if file is None:
        raise ValidationError(_("No file arrived. Choose it again."))
    return file


@contextmanager
def busy_said() -> Iterator[None]:
    """Turn the door's word that a file is best sent again into the error that says when."""
    try:
        yield
    except UploadBusy as error:
        raise Busy(error.messages[0], wait=BUSY_SECONDS) from error
