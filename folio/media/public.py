"""Which media visitors see: the rooms above say what shows one, as they are loaded."""

from collections.abc import Callable
from functools import reduce
from operator import or_

from django.db.models import Q

from .models import Media, MediaQuerySet

conditions: list[Callable[[], Q]] = []  # each true of a media, `OuterRef("pk")`, that something published shows


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


def is_public(pk: int) -> bool:
    """Tell in one query whether visitors see a media."""
    return public_media().filter(pk=pk).exists()
