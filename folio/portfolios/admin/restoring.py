"""Bringing back an earlier version of a portfolio's own fields and captions, from its history."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from folio.admin.options import in_one_write
from folio.history import Difference, differences_of, entries_of, label_of, read
from folio.history.changes import Changes, log, set_values
from folio.history.entries import Pair

from .. import publishing
from ..models import SCHEDULE, Portfolio
from ..services import as_items, set_captions

# The lists aren't: what they held may be gone, and they are quickly made again by eye. Captions were written.
RESTORED = ("title", "slug", "excerpt", "description", "image", "order", "employer", *SCHEDULE, "completed_at")
PUBLISHING = {"order", *SCHEDULE}  # what only those may bring back who may publish
CAPTIONS = "gallery"  # as the history calls the rows that have them
GONE = {
    "image": gettext_lazy("The image of that version was deleted. The image stays as it is now."),
    "employer": gettext_lazy("The employer of that version was deleted. The employer stays as it is now."),
}


class RestoresVersions:
    """Pages of portfolios whose history offers each earlier version, and shows what it would bring back."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.restore_view)  # type: ignore[attr-defined]
        name = "portfolios_portfolio_restore"
        return [path("<path:object_id>/history/<int:entry_id>/restore/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        portfolio = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        context: dict[str, Any] = {}
        if portfolio is not None and self.has_change_permission(request, portfolio):  # type: ignore[attr-defined]
            newest = entries_of(portfolio).values_list("pk", flat=True).first()
            context = {"may_restore": True, "newest": newest}
        return super().history_view(request, object_id, {**context, **(extra_context or {})})  # type: ignore[misc]

    def restore_view(self, request: HttpRequest, object_id: str, entry_id: int) -> HttpResponse:
        """Show what a version would bring back; bring it back where that is confirmed."""
        return in_one_write(request, lambda: self.restore(request, object_id, entry_id))

    def restore(self, request: HttpRequest, object_id: str, entry_id: int) -> HttpResponse:
        portfolio = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        entry = entries_of(portfolio).filter(pk=entry_id).first() if portfolio else None
        if entry is None:
            raise Http404(_("There is no such version."))
        if not self.has_change_permission(request, portfolio):  # type: ignore[attr-defined]
            raise PermissionDenied
        changes, gone = restored(portfolio, entry_id, may_publish=publishing.may_publish(request.user))
        problems = problems_of(portfolio) if changes else []
        if request.method == "POST" and changes and not problems:
            portfolio.save()
            if CAPTIONS in changes:
                set_captions(portfolio, {row["media"]: row["caption"] for row in changes[CAPTIONS][1]})
            log(request.user, portfolio, CHANGE, changes)
            messages.success(request, _("The version was restored. Gallery, tags, links and meta stayed as they were."))
            for sentence in gone:
                messages.warning(request, sentence)
            return HttpResponseRedirect(reverse("admin:portfolios_portfolio_change", args=(portfolio.pk,)))
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": _("Restore this version"),
            "opts": Portfolio._meta,
            "object": portfolio,
            "entry": entry,
            "differences": differences_of(Portfolio, changes),
            "gone": gone,
            "problems": problems,
        }
        status = 400 if request.method == "POST" else 200
        return TemplateResponse(request, "folio/portfolios/restore.html", context, status=status)


def restored(portfolio: Portfolio, entry_id: int, *, may_publish: bool) -> tuple[Changes, list[str]]:
    """Set a portfolio's own fields to what they were after an entry of its history, and return what that changes.

    What was deleted meanwhile can't come back: where a field pointed there, it stays, and a sentence of those that are
    returned as well says so.

    A field was what the last entry until then made it, else what the first entry after it found; one that the history
    does not know stays. Whoever may not publish gets all but when it is published, and its order.
    """
    told = [(entry.pk, read(entry, Portfolio).values) for entry in entries_of(portfolio)]
    values: dict[str, Any] = {}
    gone: list[str] = []
    for name in RESTORED if may_publish else (name for name in RESTORED if name not in PUBLISHING):
        for value in values_at(told, entry_id, name):
            field: Any = Portfolio._meta.get_field(name)
            if name in GONE and value is not None and not is_there(field, value):
                gone.append(str(GONE[name]))
            else:
                values[field.attname] = value if field.is_relation else field.to_python(value)
    changes = set_values(portfolio, values)
    for value in values_at(told, entry_id, CAPTIONS):
        changes |= restored_captions(portfolio, value)
    return changes, gone


def values_at(told: list[tuple[int, dict[str, Pair]]], entry_id: int, name: str) -> list[Any]:
    """Return the value that a field had after an entry, alone; nothing where the history does not know it."""
    until = (of[name][1] for pk, of in told if pk <= entry_id and name in of)
    after = (of[name][0] for pk, of in reversed(told) if pk > entry_id and name in of)
    return [*list(until)[:1], *list(after)[:1]][:1]


def restored_captions(portfolio: Portfolio, value: Any) -> Changes:
    """Return what a version's captions change of the present ones: those of images that are in the gallery still.

    Images that had none then keep what was written since.
    """
    was = {row["media"]: row["caption"] for row in value or ()}
    now = dict(portfolio.gallery.values_list("media", "caption"))
    before, after = as_items(now), as_items({pk: was.get(pk) or caption for pk, caption in now.items()})
    return {} if before == after else {CAPTIONS: (before, after)}


def is_there(field: Any, pk: int) -> bool:
    return bool(field.related_model._default_manager.filter(pk=pk).exists())


def problems_of(portfolio: Portfolio) -> list[Difference]:
    """Return by the fields' names why the portfolio can't be saved as it is."""
    problems: dict[str, list[str]] = {}
    begin, end = portfolio.publish_at, portfolio.unpublish_at
    if begin is not None and end is not None and end <= begin:
        return [Difference(label_of(Portfolio, "unpublish_at"), _("It has to end after it is published."))]
    try:
        portfolio.full_clean()
    except ValidationError as error:
        problems = error.message_dict
    return [
        Difference(label_of(Portfolio, name) if name in RESTORED else "", " ".join(sentences))
        for name, sentences in problems.items()
    ]
