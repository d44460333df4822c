"""Deleting media in the admin site: what is used stays, named with where, or is taken off everything first."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from folio.access.codes import Code
from folio.admin.options import ResourceAdmin, in_one_write
from folio.api.stored import lock_showing
from folio.history.changes import log_each

from ..deleting import locked_with_users, take_off_all
from ..models import GOING, Media
from ..removals import at_once
from .cards import card_of, cards_of
from .posted import first_of
from .uses import Place, may_detach, places_of, texts_with


class DeletesUnused(ResourceAdmin):
    """Media that something uses are kept, and each is named with what uses it."""

    delete_confirmation_template = "folio/media/delete.html"
    actions = ("delete_selected",)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        def attempt() -> HttpResponse:
            if request.method == "POST":
                self.lock_what_shows(request, object_id)
                if "detach" in request.POST:
                    self.take_off_all(request, object_id)
            context = {**(extra_context or {}), **self.deletion_context(request, object_id)}
            with at_once("now" in request.POST):
                return super(ResourceAdmin, self).delete_view(request, object_id, context)

        return in_one_write(request, attempt)

    def lock_what_shows(self, request: HttpRequest, object_id: str) -> None:
        found = super().get_object(request, object_id)  # not locked yet: what shows it is locked before it
        if found is not None and self.has_delete_permission(request, found):
            lock_showing(Media, [found.pk], GOING)

    def take_off_all(self, request: HttpRequest, object_id: str) -> None:
        def permit(code: Code) -> None:
            if not request.user.has_perm(code.permission):
                raise PermissionDenied(_("You may not change all that uses this media."))

        found = super().get_object(request, object_id)  # not locked yet: what uses it is locked before it
        if found is None or not self.has_delete_permission(request, found):
            return  # Django's view says so
        media = locked_with_users(found.pk)
        if media is not None:
            take_off_all(media, permit, partial(log_each, request.user, CHANGE))

    def deletion_context(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        media = self.get_object(request, object_id)
        if media is None:
            return {}
        places = places_of([media.pk], request).get(media.pk, [])
        return {
            "card": card_of(media),
            "places": places,
            "texts": texts_with(media, request),
            "may_detach": may_detach(places, request),
            **grace(),
        }

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what Django asks for before it deletes, without a line for each thumbnail."""
        media = list(objs)
        places = places_of([row.pk for row in media], request)
        protected = [str(place) for some in places.values() for place in some]
        return [str(row) for row in media], {self.opts.verbose_name_plural: len(media)}, set(), protected

    @admin.action(description=gettext_lazy("Delete"), permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Media]) -> HttpResponse | None:
        media = list(queryset)
        places = places_of([row.pk for row in media], request)
        unused = [row for row in media if row.pk not in places]
        if request.POST.get("post"):
            with at_once("now" in request.POST):
                self.delete_unused(request, unused)
            for row in media:
                if row.pk in places:
                    messages.warning(request, kept(row, places[row.pk]))
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Are you sure?"),
            "opts": self.opts,
            "unused": cards_of(unused),
            "used": [(card_of(row), places[row.pk]) for row in media if row.pk in places],
            "selected": media,
            "media": self.media,
            **grace(),
        }
        return TemplateResponse(request, "folio/media/delete_selected.html", context)

    def delete_unused(self, request: HttpRequest, media: list[Media]) -> None:
        if not media:
            return
        rows = Media.objects.filter(pk__in=[row.pk for row in media])
        self.log_deletions(request, rows)
        self.delete_queryset(request, rows)
        text = ngettext("%(count)d media was deleted.", "%(count)d media were deleted.", len(media))
        messages.success(request, text % {"count": len(media)})


def grace() -> dict[str, str]:
    """Return for how long the files of what is deleted are still served, in words; nothing where that is not at all."""
    seconds = int(settings.KEEP_REMOVED.total_seconds())
    for size, words in (
        (86_400, ngettext_lazy("%d day", "%d days")),
        (3_600, ngettext_lazy("%d hour", "%d hours")),
        (60, ngettext_lazy("%d minute", "%d minutes")),
        (1, ngettext_lazy("%d second", "%d seconds")),
    ):
        if seconds and seconds % size == 0:
            return {"grace": words % (seconds // size)}
    return {"grace": ""}


def kept(media: Media, places: list[Place]) -> str:
    """Return the sentence that names a media which is used, and where."""
    return _("“%(name)s” was kept: it is used by %(places)s.") % {
        "name": media.name,
        "places": first_of([str(place) for place in places]),
    }
