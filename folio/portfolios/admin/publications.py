"""What the list of portfolios does about their states: publish them, at once or in time, or make them drafts."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from folio.admin.options import answer_in_json, json_body, unreadable
from folio.api.viewsets import write
from folio.history.changes import log_each
from folio.media.ahead import make_ahead

from .. import publishing
from ..models import Portfolio, PortfolioQuerySet, State
from ..scheduling import Changed, make_drafts, publish
from .states import as_json
from .unpublishing import still_read, with_link


class PublishPages:
    """Actions for selected rows, and the switch of each."""

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return publishing.may_publish(request.user)

    @admin.action(description=_("Publish selected portfolios"), permissions=["publish"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Portfolio]) -> None:
        waiting = selected(queryset).in_state(State.SCHEDULED).count()  # before the filters leave out some of them
        self.tell_published(request, self.published(request, selected(queryset)), waiting)

    @admin.action(description=_("Publish selected portfolios now"), permissions=["publish"])
    def publish_now(self, request: HttpRequest, queryset: QuerySet[Portfolio]) -> None:
        self.tell_published(request, self.published(request, selected(queryset), at_once=True))

    @admin.action(description=_("Make selected portfolios drafts"), permissions=["publish"])
    def make_drafts(self, request: HttpRequest, queryset: QuerySet[Portfolio]) -> None:
        count = len(self.unpublished(request, selected(queryset)))
        if not count:
            messages.info(request, gettext("All of these were drafts already."))
            return
        told = ngettext("%(count)d portfolio is a draft now.", "%(count)d portfolios are drafts now.", count)
        messages.success(request, told % {"count": count})
        messages.info(request, with_link(request, still_read(request)))

    def tell_published(self, request: HttpRequest, changed: Changed, waiting: int = 0) -> None:
        """Tell what was published, what had ended, and how many were and are scheduled."""
        now = timezone.now()
        count = sum(row.state_at(now) == State.PUBLISHED for row, _changes in changed)
        waiting += len(changed) - count
        freed = sum("unpublish_at" in changes for _row, changes in changed)
        if count:
            told = ngettext("%(count)d portfolio was published.", "%(count)d portfolios were published.", count)
            messages.success(request, told % {"count": count})
        elif not waiting:
            messages.info(request, gettext("All of these were published already."))
        if freed:
            told = ngettext(
                "%(count)d portfolio had ended: its end is taken away.",
                "%(count)d portfolios had ended: their ends are taken away.",
                freed,
            )
            messages.info(request, told % {"count": freed})
        if waiting:
            told = ngettext(
                "%(count)d portfolio is scheduled and waits; “Publish selected portfolios now” does not.",
                "%(count)d portfolios are scheduled and wait; “Publish selected portfolios now” does not.",
                waiting,
            )
            messages.info(request, told % {"count": waiting})

    def published(self, request: HttpRequest, rows: PortfolioQuerySet, *, at_once: bool = False) -> Changed:
        changed = publish(rows, at_once=at_once)
        make_ahead()
        log_each(request.user, CHANGE, changed)
        return changed

    def unpublished(self, request: HttpRequest, rows: PortfolioQuerySet) -> Changed:
        changed = make_drafts(rows)
        log_each(request.user, CHANGE, changed)
        return changed

    def state_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Publish a portfolio or make it a draft, for the list's script."""

        def change() -> dict[str, Any]:
            if not self.has_publish_permission(request):
                raise PermissionDenied(gettext("You may not publish portfolios, or make them drafts."))
            body = json_body(request)
            wanted, at_once = body.get("publish"), body.get("at_once", False)
            if not isinstance(wanted, bool) or not isinstance(at_once, bool):
                raise BadRequest(unreadable())
            return write(lambda: self.switched(request, pk, wanted, at_once))

        return answer_in_json(change)

    def switched(self, request: HttpRequest, pk: int, wanted: bool, at_once: bool) -> dict[str, Any]:
        rows = Portfolio.objects.filter(pk=pk)
        changed = self.published(request, rows, at_once=at_once) if wanted else self.unpublished(request, rows)
        row = rows.first()
        if row is None:
            raise Portfolio.DoesNotExist(gettext("This portfolio was deleted meanwhile. Load the page again."))
        is_freed = any("unpublish_at" in changes for _row, changes in changed)
        told = {} if wanted else {"told": still_read(request)}
        return {**as_json(row), "freed": is_freed, **told}


def selected(queryset: QuerySet[Portfolio]) -> PortfolioQuerySet:
    """Return the selected rows, without what the list joins to them."""
    return Portfolio.objects.filter(pk__in=queryset.order_by().values("pk"))
