"""Which media visitors see: the rooms above say what shows one, as they are loaded."""

from collections.abc import Callable
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Q

from .models import Media, MediaQuerySet

# Each is true of a media, `OuterRef("pk")`: that something published shows, or something that has changed since then.
conditions: list[Callable[[], Q]] = []
changes: list[Callable[[datetime], Q]] = []


def changed_by(condition: Callable[[datetime], Q]) -> Callable[[datetime], Q]:
    """Register what may have begun to show media since a moment; more than has is no harm."""
    if condition not in changes:
        changes.append(condition)
    return condition


def shown_by(condition: Callable[[], Q]) -> Callable[[], Q]:
    """Register what shows media to visitors, once; it is asked for anew each time, for it may depend on the moment."""
    if condition not in conditions:
        conditions.append(condition)
    return condition


def public_media() -> MediaQuerySet:
    """Return the media that visitors see."""
    if not conditions:
        return Media.objects.none()
    return Media.objects.filter(reduce(or_, (condition() for condition in conditions)))


def changed_media(since: datetime) -> MediaQuerySet:
    """Return the media that visitors see, and perhaps only since a moment."""
    changed = reduce(or_, (change(since) for change in changes), Q(updated_at__gte=since))
    return public_media().filter(changed)


def is_public(pk: int) -> bool:
    """Tell in one query whether visitors see a media."""
    return public_media().filter(pk=pk).exists()
