"""Moments in words, and what the clocks of a time zone show.

The server knows nobody's time zone. It writes moments in UTC, says so, and marks them: `moments.js` writes them anew in
the browser's zone.
"""

from datetime import UTC, datetime, tzinfo
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from folio.history.differences import empty


def in_words(moment: datetime) -> str:
    """Return a moment as it is said in a sentence, in UTC."""
    words = date_format(moment.astimezone(UTC), pgettext("format of a moment in a sentence", "l, j F Y, H:i"))
    return f"{words} (UTC)"


def shown(moment: datetime, *, is_short: bool = False) -> SafeString:
    """Return a moment that the page's script writes anew in the reader's time zone; a short one for tables."""
    moment = moment.astimezone(UTC)
    if is_short:
        words = date_format(moment, pgettext("format of a moment in a table", "j M Y, H:i")) + " UTC"
    else:
        words = in_words(moment)
    kind = "short" if is_short else "long"
    return format_html('<time datetime="{}" data-moment="{}">{}</time>', as_iso(moment), kind, words)


def in_history(value: Any) -> SafeString:
    """Return a moment, or the text that the log has of it, as a history tells it to readers anywhere."""
    moment = parse_datetime(value) if isinstance(value, str) else value
    return shown(moment) if isinstance(moment, datetime) else empty()


def as_iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class SkippedTime(ValueError):
    """That no clock of a time zone shows this time, as they are put forward; `later` is what they show instead."""

    def __init__(self, later: datetime) -> None:
        super().__init__(str(later))
        self.later = later


def in_utc(wall: datetime, zone: tzinfo) -> datetime:
    """Return the moment at which the clocks of a zone show something; the first, where they do so twice.

    Raise SkippedTime where they never do, and OverflowError for what is no moment in UTC.
    """
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    back = moment.astimezone(zone).replace(tzinfo=None)
    if back != wall.replace(fold=0):
        raise SkippedTime(back)
    return moment


def is_shown_as(moment: datetime, other: datetime, zone: tzinfo) -> bool:
    """Tell whether two moments look alike to who reads the clocks of a zone, which tell no fractions of a second."""
    first, second = (each.astimezone(zone).replace(tzinfo=None, microsecond=0, fold=0) for each in (moment, other))
    return first == second
