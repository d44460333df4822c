"""Showing an entry before it is published: links to copy, who made some, and a button that ends all."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from folio.admin.moments import shown
from folio.admin.options import in_one_write
from folio.api.fields import IDENTIFIER
from folio.history import entries_of, name_of_user, read

from .. import publishing
from ..models import Portfolio, State
from ..previews import LINK, end_all, may_share, share
from ..website import page_of, preview_page_of

SHORT = timedelta(hours=1)  # of the link by which someone looks at the website
SHOWN = 20  # entries of the history that are told of


class LifetimeForm(forms.Form):
    """How long a link lasts."""

    lifetime = forms.TypedChoiceField(
        coerce=int,
        initial=7,
        choices=[(1, _("A day")), (7, _("7 days")), (14, _("14 days")), (30, _("30 days"))],
        label=_("How long it works"),
        widget=forms.RadioSelect,
    )


@dataclass
class Made:
    """What the history tells of links: that one was made until a moment, or that all were ended."""

    entry: LogEntry
    who: str
    key: str  # of the API, if it was made by one
    until: datetime | None
    works: bool

    @property
    def at_words(self) -> SafeString:
        return shown(self.entry.action_time, is_short=True)

    @property
    def until_words(self) -> SafeString | str:
        return shown(self.until, is_short=True) if self.until else ""


class SharingPages:
    """The page with the links to an entry, beside its preview."""

    admin_site: Any
    opts: Any
    actions_detail: tuple[str, ...] = ("preview", "share")

    def has_share_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether someone's links would show anything; those of who only drafts would be void."""
        return publishing.may_publish(request.user)

    @action(description=_("Share a preview"), url_path="share", icon="link", permissions=["share"])  # type: ignore[untyped-decorator]
    def share(self, request: HttpRequest, object_id: str) -> HttpResponse:
        try:
            response = in_one_write(request, lambda: self.shared(request, object_id))
        except Portfolio.DoesNotExist:  # any more
            raise Http404 from None
        response.headers["Cache-Control"] = "no-store"
        return response

    def shared(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pk = int(object_id) if IDENTIFIER.fullmatch(object_id) else 0
        portfolio = Portfolio.objects.get(pk=pk)
        form, link = LifetimeForm(), None
        has_page = preview_page_of(portfolio.slug, "") is not None
        if request.method == "POST" and "_end" in request.POST:
            end_all(request.user, pk)
            messages.success(request, gettext("All links to this entry are ended."))
            return HttpResponseRedirect(reverse("admin:portfolios_portfolio_share", args=(pk,)))
        if request.method == "POST" and has_page and "_website" in request.POST:
            return self.led_to_website(request, portfolio)
        if request.method == "POST" and has_page:
            form = LifetimeForm(request.POST)
            if form.is_valid():
                link = share(request.user, pk, timedelta(days=form.cleaned_data["lifetime"]))
        made = list(links_of(portfolio))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Share a preview"),
            "opts": self.opts,
            "object": portfolio,
            "form": form,
            "link": link,
            "until": shown(link.expires_at) if link else "",
            "made": made,
            "may_end": any(each.works for each in made),
            "has_page": has_page,
            "is_open": settings.PUBLIC_READ,
            "page": page_of(portfolio.slug) if portfolio.state_at(timezone.now()) == State.PUBLISHED else None,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "folio/portfolios/sharing.html", context, status=400 if form.errors else 200)

    def led_to_website(self, request: HttpRequest, portfolio: Portfolio) -> HttpResponse:
        """Lead to the website by a page: browsers let no form's answer redirect to another origin."""
        link = share(request.user, portfolio.pk, SHORT)
        return TemplateResponse(request, "folio/portfolios/to_website.html", {"url": link.url, "entry": portfolio})


def links_of(portfolio: Portfolio) -> Iterator[Made]:
    """Yield what was done last about links to an entry, the newest first."""
    now, may = timezone.now(), cache(may_share)
    are_ended = False
    for entry in entries_of(portfolio).filter(change_message__contains=f'"{LINK}":')[:SHOWN]:
        record = read(entry, Portfolio)
        value = record.values.get(LINK, (None, None))[1]
        until = parse_datetime(value) if isinstance(value, str) else None
        works = until is not None and not are_ended and until > now and may(entry.user_id)
        are_ended = are_ended or until is None
        yield Made(entry, name_of_user(entry.user), record.token, until, works)
