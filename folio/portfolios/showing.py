"""When what a portfolio shows was last changed, be it its own or not.

`updated_at` is renewed by a change of the portfolio and of what belongs to it. `related_updated_at` is renewed by a
change of what it shows besides: employer, tags, and the media of all of these. Visitors are told the later of the two.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone

from folio.api.stored import Names, Shower
from folio.media.models import Media

from .models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioQuerySet, PortfolioTag, Tag

# What is not shown of a media, as a picture and as a file of a meta entry. All that is not named here is.
NOT_OF_PICTURES = {"name", "size", "sha256", "mode"}
NOT_OF_FILES = {"sha256", "mode", "dominant_color", "placeholder", "focal_x", "focal_y", "is_animated", "thumbnails"}


def lock(model: type[Model], pks: Collection[int]) -> None:
    rows = showing(model, pks)
    if rows is not None:
        rows.lock()


def change(model: type[Model], pks: Collection[int], names: Names) -> None:
    """Renew when the portfolios that show these rows were last changed by others, in one statement."""
    rows = showing(model, pks, names)
    if rows is not None:
        locked = rows.select_for_update().order_by("pk").values("pk")
        Portfolio.objects.filter(pk__in=locked).update(related_updated_at=timezone.now())


SHOWER = Shower(lock, change)


def showing(model: type[Model], pks: Collection[int], names: Names | None = None) -> PortfolioQuerySet | None:
    """Return the portfolios that show any of these rows, as far as `names` of them matter; None where none can."""
    found: list[QuerySet[Any, Any]] = []
    if model is Tag:
        found = [tagged(tag__in=pks)]
    elif model is Employer:
        found = [Portfolio.objects.filter(employer__in=pks).values("pk")]
    elif model is Media:
        of_pictures, of_files = (names is None or set(names) - unseen for unseen in (NOT_OF_PICTURES, NOT_OF_FILES))
        if of_pictures:
            found += [
                Portfolio.objects.filter(image__in=pks).values("pk"),
                PortfolioImage.objects.filter(media__in=pks).values("portfolio"),
                Link.objects.filter(image__in=pks).values("portfolio"),
                Portfolio.objects.filter(employer__in=Employer.objects.filter(image__in=pks).values("pk")).values("pk"),
                tagged(tag__in=Tag.objects.filter(image__in=pks).values("pk")),
            ]
        if of_files:
            found.append(MetaEntry.objects.filter(value_file__in=pks).values("portfolio"))
    if not found:
        return None
    first, *others = (rows.order_by() for rows in found)
    return Portfolio.objects.filter(pk__in=first.union(*others, all=True) if others else first)


def tagged(**chosen: Any) -> QuerySet[Any, Any]:
    return PortfolioTag.objects.filter(**chosen).values("portfolio")
