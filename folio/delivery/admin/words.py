"""What became of messages in words, and texts of strangers as they can be shown."""

import unicodedata
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..models import DeliveryState, Event

EVENTS = {
    Event.PUBLISHED: _("An entry is published"),
    Event.CHANGED: _("A published entry has changed"),
    Event.UNPUBLISHED: _("An entry is no longer published"),
}
KEPT = "\n\t"
JOINERS = "\u200c\u200d"  # which many scripts need


def events_in_words(events: list[str]) -> str:
    """Return the events of a webhook, of which there may be some of a newer version."""
    if set(events) >= set(Event.values):
        return gettext("All changes")
    return ", ".join(str(Event(event).label) if event in Event.values else event for event in events)


def outcome(delivery: Any) -> str:
    """Say what became of a message, and of the last attempt where that failed; `delivery` is None where there was none.

    It has a delivery's `state`, `attempts`, `attempted_at`, `next_attempt_at`, `status` and `error`.
    """
    if delivery is None or delivery.state is None:
        return gettext("Nothing was sent yet")
    count = delivery.attempts
    if delivery.state == DeliveryState.DELIVERED:
        return gettext("Delivered on %(moment)s") % {"moment": moment(delivery.attempted_at)}
    if delivery.state == DeliveryState.WAITING and not (count and delivery.error):
        return gettext("Being sent") if count else gettext("Waiting to be sent")
    if delivery.state == DeliveryState.FAILED:
        if not count:  # the webhook was made inactive
            return gettext("Not sent")
        text = ngettext("Failed after %(count)d attempt", "Failed after %(count)d attempts", count)
    else:
        text = ngettext(
            "%(count)d attempt failed; the next is due on %(moment)s",
            "%(count)d attempts failed; the next is due on %(moment)s",
            count,
        )
    said = text % {"count": count, "moment": moment(delivery.next_attempt_at)}
    answered = gettext("%(what)s (answered with %(status)d)")
    return answered % {"what": said, "status": delivery.status} if delivery.status else said


def moment(at: datetime | None) -> str:
    return gettext("%(moment)s UTC") % {"moment": date_format(at, "DATETIME_FORMAT")} if at else ""


def visible(text: str) -> str:
    """Return a stranger's text with what can't be seen in it, or turns what can, in signs that can be seen."""
    return "".join(map(sign, text))


def sign(character: str) -> str:
    category = unicodedata.category(character)
    if character in KEPT or category not in {"Cc", "Cf", "Cs"} or character in JOINERS:
        return character
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else f"[U+{code:04X}]"
