"""The moments at which what is published changes though nothing is written."""

from datetime import UTC, datetime
from math import inf
from typing import Any

from django.db.models import Subquery
from django.utils import timezone

from folio import snapshots
from folio.snapshots import LOOKS, SNAPSHOT

from .models import Portfolio


def next_moment(after: float) -> float:
    """Return the next one after a moment, in seconds since the epoch; infinity where there is none."""
    since = datetime.fromtimestamp(after, UTC)
    moments = (first(name, since) for name in ("publish_at", "unpublish_at"))
    row = Portfolio.objects.order_by().values_list(*moments)[:1]  # of any: both are asked for at once
    return min((moment.timestamp() for found in row for moment in found if moment is not None), default=inf)


def next_publication(after: datetime) -> datetime | None:
    """Return the next moment at which a portfolio is published though nobody writes; None where there is none."""
    rows = Portfolio.objects.filter(is_active=True, publish_at__gt=after).order_by("publish_at")
    return rows.values_list("publish_at", flat=True).first()


def first(name: str, since: datetime) -> Subquery:
    """Return the moment at which the next portfolio begins or ends, by an index; no answer may tell those of drafts."""
    return Subquery(Portfolio.objects.filter(is_active=True, **{f"{name}__gt": since}).order_by(name).values(name)[:1])


def hold(environ: dict[str, Any]) -> float:
    """Return until when holds what a request reads of what is published, in seconds since the epoch.

    Its snapshot ends then, though nothing is written. To be called before anything is read that depends on what is
    published: a snapshot that a moment has ended already is taken out of the request.
    """
    looks, now = environ.get(LOOKS), timezone.now().timestamp()
    snapshot = snapshots.usable(environ.get(SNAPSHOT))
    if looks is not None and snapshot is not None:
        ends: float = looks.hold(snapshot, next_moment)
        if ends > now:
            return ends
    environ[SNAPSHOT] = None
    return next_moment(now)
