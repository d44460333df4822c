"""When what a portfolio shows was last changed, be it its own or not.

`updated_at` is renewed by a change of the portfolio and of what belongs to it. `related_updated_at` is renewed by a
change of what it shows besides: employer, tags, and the media of all of these. Visitors are told the later of the two.
"""

from collections.abc import Collection, Mapping
from functools import reduce
from operator import or_
from pathlib import PurePosixPath
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.encoding import filepath_to_uri

from folio.api.stored import Names, Shower
from folio.media.models import Media

from .models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioQuerySet, PortfolioTag, Tag

FEW = 500  # portfolios that are named by their ids
# What is not shown of a media, as a picture and as a file of a meta entry. All that is not named here is.
NOT_OF_PICTURES = {"name", "size", "sha256", "mode"}
NOT_OF_FILES = {
    "sha256",
    "mode",
    "dominant_color",
    "placeholder",
    "focal_x",
    "focal_y",
    "is_animated",
    "is_transparent",
    "thumbnails",
}


def lock(model: type[Model], pks: Collection[int]) -> None:
    rows = showing(model, pks)
    if rows is not None:
        rows.lock()


def change(model: type[Model], pks: Collection[int], names: Names) -> None:
    """Renew when the portfolios that show these rows were last changed by others: one statement finds, one renews."""
    rows = showing(model, pks, names)
    if rows is not None:
        locked = rows.select_for_update().order_by("pk").values("pk")
        Portfolio.objects.filter(pk__in=locked).update(related_updated_at=timezone.now())


SHOWER = Shower(lock, change)


def showing(model: type[Model], pks: Collection[int], names: Names | None = None) -> PortfolioQuerySet | None:
    """Return the portfolios that show any of these rows, as far as `names` of them matter; None where none does."""
    places = [rows.order_by() for rows in places_of(model, pks, names)]
    if not places:
        return None
    first, *others = places
    found = first.union(*others, all=True) if others else first
    few = list(found[: FEW + 1])
    if not few:
        return None
    # PostgreSQL can't guess how few they usually are, and would look through all portfolios for them.
    return Portfolio.objects.filter(pk__in=found if len(few) > FEW else few)


def places_of(model: type[Model], pks: Collection[int], names: Names | None) -> list[QuerySet[Any, Any]]:
    """Return where portfolios show rows of the model, each as the ids of those that do."""
    if model is Tag:
        return [tagged(tag__in=pks)]
    if model is Employer:
        return [Portfolio.objects.filter(employer__in=pks).values_list("pk", flat=True)]
    if model is not Media:
        return []
    of_pictures, of_files = (names is None or set(names) - unseen for unseen in (NOT_OF_PICTURES, NOT_OF_FILES))
    found: list[QuerySet[Any, Any]] = []
    if of_pictures:
        employers, tags = (subject.objects.filter(image__in=pks).values("pk") for subject in (Employer, Tag))
        found += [
            Portfolio.objects.filter(image__in=pks).values_list("pk", flat=True),
            PortfolioImage.objects.filter(media__in=pks).values_list("portfolio", flat=True),
            Link.objects.filter(image__in=pks).values_list("portfolio", flat=True),
            Portfolio.objects.filter(employer__in=employers).values_list("pk", flat=True),
            tagged(tag__in=tags),
        ]
    was = names.get("file") if isinstance(names, Mapping) else None
    if was:
        found.append(described_with(was))
    if of_files:
        found.append(MetaEntry.objects.filter(value_file__in=pks).values_list("portfolio", flat=True))
    return found


def described_with(name: str) -> QuerySet[Any, Any]:
    """Return the portfolios in whose descriptions the address of a file stands, or that of a thumbnail of it."""
    path = PurePosixPath(name)
    texts = (name, f"{path.parent}/thumbnails/{path.stem}_thumbnail_")
    ways = {written for text in texts for written in (text, filepath_to_uri(text))}
    condition = reduce(or_, (Q(description__contains=way) for way in sorted(ways)))
    return Portfolio.objects.filter(condition).values_list("pk", flat=True)


def tagged(**chosen: Any) -> QuerySet[Any, Any]:
    return PortfolioTag.objects.filter(**chosen).values_list("portfolio", flat=True)
