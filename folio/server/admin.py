"""What the home page tells admins of the server's backups: the last one, or why there is none."""

from typing import Any

from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from folio.portfolios.admin.home import cards

from .scheduled.records import current, last, last_made, standing


def card(request: HttpRequest) -> dict[str, Any] | None:
    """Return the card of backups, for admins alone: errors name paths and hosts."""
    user: Any = request.user
    if not (user.is_active and user.is_superuser):
        return None
    schedule = current()
    made = last_made(schedule.target if schedule else None)
    word, failure = "none", None
    if schedule is not None:
        word, latest = standing(), last(target=schedule.target)
        failure = latest if word == "failed" else None
    return {
        "template": "folio/server/backup_card.html",
        "schedule": schedule,
        "is_late": word == "late",
        "failure": failure,
        "made": made,
        "size": filesizeformat(made.size) if made else "",
        "new_size": filesizeformat(made.new_size) if made else "",
        "took": took(made.seconds) if made else "",
    }


def took(seconds: float) -> str:
    if seconds < 100:
        return _("%(count)d s") % {"count": round(seconds)}
    return _("%(count)d min") % {"count": round(seconds / 60)}


cards.append(card)
