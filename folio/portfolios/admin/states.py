"""The state of an entry in words: draft, scheduled, published or ended, with the moment that belongs to it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Case, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RadioFilter
from unfold.contrib.filters.forms import RadioForm

from folio.admin.moments import as_iso, shown

from ..models import NOW, Portfolio, State

ON = (State.SCHEDULED, State.PUBLISHED)  # the states in which the list's switch is on
WHEN = {  # beside the state's word in a table
    State.SCHEDULED: _("on {moment}"),
    State.PUBLISHED: _("until {moment}"),
    State.ENDED: _("on {moment}"),
}
SENTENCES = {
    State.DRAFT: _("Websites do not show it."),
    State.SCHEDULED: _("Will be published on {moment}."),
    State.PUBLISHED: _("Websites show it."),
    State.ENDED: _("Ended on {moment}. Websites do not show it any more."),
}
OF_DRAFTERS = _("Websites do not show it until someone who may publish publishes it.")
ENDS = _("Will end on {moment}.")
# What is scheduled while it is a draft comes to nothing, which nobody may learn when the day has come.
WAITS = _("It will not be published on {moment} as long as “Publish” is off.")
# In the order of an entry's life.
RANK = Case(
    When(is_active=False, then=Value(0)),
    When(Q(unpublish_at__lte=NOW), then=Value(3)),
    When(Q(publish_at__gt=NOW), then=Value(1)),
    default=Value(2),
)


def moment_of(portfolio: Portfolio, state: State) -> datetime | None:
    """Return the moment that belongs to a state: when it began or will end."""
    if state == State.DRAFT:
        return None
    return portfolio.publish_at if state == State.SCHEDULED else portfolio.unpublish_at


def mark(state: State) -> SafeString:
    return format_html('<span class="folio-state folio-state-{}">{}</span>', state.value, state.label)


def stated(portfolio: Portfolio, state: State) -> SafeString:
    """Return the state as tables show it: its word, and the moment that belongs to it."""
    moment = moment_of(portfolio, state)
    when = with_moment(WHEN[state], moment, is_short=True) if moment else ""
    return format_html(
        '<span class="folio-stated">{} <span class="folio-state-when">{}</span></span>', mark(state), when
    )


def with_moment(sentence: Any, moment: datetime, *, is_short: bool = False) -> SafeString:
    before, place, after = str(sentence).partition("{moment}")
    return format_html("{}{}{}", before, shown(moment, is_short=is_short) if place else "", after)


def sentences(portfolio: Portfolio, now: datetime, *, drafts: bool = False) -> Iterator[Any]:
    """Yield what a form says of the state that an entry has, to those who publish or who only draft."""
    state = portfolio.state_at(now)
    moment = moment_of(portfolio, state)
    if state == State.DRAFT:
        yield OF_DRAFTERS if drafts else SENTENCES[state]
        if not drafts and portfolio.publish_at is not None and portfolio.publish_at > now:
            yield with_moment(WAITS, portfolio.publish_at)
        return
    yield with_moment(SENTENCES[state], moment) if moment else SENTENCES[state]
    if state in {State.SCHEDULED, State.PUBLISHED} and portfolio.unpublish_at is not None:
        yield with_moment(ENDS, portfolio.unpublish_at)


def in_sentences(portfolio: Portfolio) -> SafeString:
    """Return the state with its sentences, for a message."""
    now = timezone.now()
    name = format_html("<strong>{}:</strong>", portfolio.state_at(now).label)
    return format_html_join(" ", "{}", ((part,) for part in (name, *sentences(portfolio, now))))


def standing(portfolio: Portfolio, *, drafts: bool) -> str:
    """Return what a form says of the state: of that which is stored, and by its script of that which is typed."""
    now = timezone.now()
    context = {
        "mark": mark(portfolio.state_at(now)),
        "sentences": sentences(portfolio, now, drafts=drafts),
        "marks": [(state.value, mark(state)) for state in State],
        "texts": {state.value: text for state, text in SENTENCES.items()},
        "ends": ENDS,
        "waits": WAITS,
        "is_live": not drafts,
    }
    return render_to_string("folio/portfolios/standing.html", context)


def as_json(portfolio: Portfolio) -> dict[str, Any]:
    """Return an entry's state for the scripts of the list."""
    state = portfolio.state_at(timezone.now())
    moment = moment_of(portfolio, state)
    return {"state": state.value, "html": stated(portfolio, state), "moment": as_iso(moment) if moment else None}


class StateFilter(RadioFilter):
    """Narrows the list to the entries that are in a state now."""

    title = _("state")
    parameter_name = "state"
    form_class = RadioForm

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state.value, state.label) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Portfolio]) -> QuerySet[Portfolio]:
        if not self.value():
            return queryset
        if self.value() not in State.values:
            return queryset.none()
        found: QuerySet[Portfolio] = queryset.in_state(State(self.value()))  # type: ignore[attr-defined]
        return found


def of_old_link(query: Any) -> str | None:
    """Return the query of an old link, which asked for what was active or not, with the states that took its place."""
    if "is_active" not in query:
        return None
    renewed = query.copy()
    state = {"true": State.PUBLISHED, "false": State.DRAFT}.get(renewed.pop("is_active")[-1])
    if state is not None:
        renewed.setdefault("state", state.value)
    return str(renewed.urlencode())
