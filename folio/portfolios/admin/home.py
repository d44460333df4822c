"""The home page: what was changed last, how much there is, and what still lacks something."""

from collections.abc import Callable
from typing import Any

from django.db.models import Count, Model, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from folio.admin.history import latest
from folio.admin.options import may_see
from folio.media.admin import thumbnail_url
from folio.media.models import Media

from ..models import Employer, Portfolio, State, Tag
from ..publishing import may_add

LATEST = 8  # changes
LACKING = 5  # rows of a list of what lacks something

# What the rooms above tell here: each its card, with the `template` that shows it, or nothing to this reader.
cards: list[Callable[[HttpRequest], dict[str, Any] | None]] = []


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the home page shows, of what its reader may see: a constant number of queries."""
    portfolios, media = may_see(request, Portfolio), may_see(request, Media)
    return {
        **context,
        "title": _("Home"),
        "actions": actions(request),
        "counts": [*(portfolio_counts() if portfolios else ()), *(media_counts() if media else ()), *others(request)],
        "latest": latest(LATEST, request),
        "without_cover": without_cover() if portfolios else None,
        "without_alt": without_alt() if media else None,
        "cards": [card for make in cards if (card := make(request)) is not None],
    }


def list_of(model: type[Model], query: str = "") -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{query}" if query else url


def actions(request: HttpRequest) -> list[dict[str, Any]]:
    made = []
    if may_add(request.user):
        url = reverse("admin:portfolios_portfolio_add")
        made.append({"title": _("New portfolio"), "icon": "add", "url": url})
    if request.user.has_perm("media.add_media"):
        made.append({"title": _("Upload media"), "icon": "upload", "url": reverse("admin:media_media_add")})
    return made


def portfolio_counts() -> list[dict[str, Any]]:
    """Return how many are published and how many are drafts, and what else there is."""
    titles = {
        State.PUBLISHED: _("Published portfolios"),
        State.SCHEDULED: _("Scheduled portfolios"),
        State.ENDED: _("Ended portfolios"),
        State.DRAFT: _("Draft portfolios"),
    }
    rows: Any = Portfolio.objects.with_state().order_by()
    found: dict[str, int] = dict(rows.values_list("state").annotate(Count("pk")))
    return [
        {"title": title, "number": found.get(state, 0), "url": list_of(Portfolio, f"state={state.value}")}
        for state, title in titles.items()
        if state in found or state in {State.PUBLISHED, State.DRAFT}
    ]


def media_counts() -> list[dict[str, Any]]:
    found = Media.objects.aggregate(all=Count("pk"), size=Sum("size", default=0))
    return [
        {"title": _("Media"), "number": found["all"], "url": list_of(Media)},
        {"title": _("Space used"), "size": found["size"], "note": _("Originals only, without their thumbnails.")},
    ]


def others(request: HttpRequest) -> list[dict[str, Any]]:
    titles: dict[type[Model], str] = {Employer: _("Employers"), Tag: _("Tags")}
    return [
        {"title": title, "number": model._default_manager.count(), "url": list_of(model)}
        for model, title in titles.items()
        if may_see(request, model)
    ]


def without_cover() -> dict[str, Any]:
    lacking = Portfolio.objects.filter(image=None)
    rows = list(lacking.only("title").order_by("-updated_at")[: LACKING + 1])
    return {
        "rows": [
            {"title": row.title, "url": reverse("admin:portfolios_portfolio_change", args=[row.pk])}
            for row in rows[:LACKING]
        ],
        "more": list_of(Portfolio, "has_image=false") if len(rows) > LACKING else "",
    }


def without_alt() -> dict[str, Any]:
    lacking = Media.objects.images().filter(alt="").prefetch_related("thumbnails")
    rows = list(lacking[: LACKING + 1])
    return {
        "rows": [
            {
                "title": row.name,
                "url": reverse("admin:media_media_change", args=[row.pk]),
                "thumbnail": thumbnail_url(row, 64),
            }
            for row in rows[:LACKING]
        ],
        "more": list_of(Media, "type__exact=image&alt__exact=") if len(rows) > LACKING else "",
    }
