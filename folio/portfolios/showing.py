"""When what a portfolio shows was last changed, be it its own or not.

`updated_at` is renewed by a change of the portfolio and of what belongs to it. `related_updated_at` is renewed by a
change of what it shows besides: employer, tags, and the media of all of these. Visitors are told the later of the two.
"""

import posixpath
import re
from collections.abc import Collection
from functools import reduce
from html import unescape
from itertools import islice
from operator import or_
from typing import Any
from urllib.parse import unquote

from django.db import transaction
from django.db.models import Model, Q, QuerySet, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from folio.api.stored import ADDRESSES, Names, Shower
from folio.media.models import FOLDER, Media, MediaType, Thumbnail

from .models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioQuerySet, PortfolioTag, Tag

FEW = 500  # portfolios that are named by their ids
FEW_FOLDERS = 20  # of files, each of which a text is searched for
READ_AT_ONCE = 100  # texts that are held in memory
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")  # what a backslash makes text of in Markdown
# What is not shown of a media, as a picture and as a file of a meta entry. All that is not named here is.
NOT_OF_PICTURES = {ADDRESSES, "name", "size", "sha256", "mode", "duration"}
NOT_OF_FILES = {
    ADDRESSES,
    "sha256",
    "mode",
    "dominant_color",
    "placeholder",
    "focal_x",
    "focal_y",
    "is_animated",
    "is_transparent",
}


def lock(model: type[Model], pks: Collection[int], names: Names | None = None) -> None:
    rows = showing(model, pks, names)
    if rows is not None:
        rows.lock()


def change(model: type[Model], pks: Collection[int], names: Names) -> None:
    """Renew when the portfolios that show these rows were last changed by others: one statement finds, one renews."""
    rows = showing(model, pks, names)
    if rows is not None:
        locked = rows.select_for_update().order_by("pk").values("pk")
        with transaction.atomic(savepoint=False):  # of whoever saves a row by itself, in a shell
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
    if of_files:
        found.append(MetaEntry.objects.filter(value_file__in=pks).values_list("portfolio", flat=True))
    if names is not None and ADDRESSES in names:
        found += naming(pks)
    return found


def naming(pks: Collection[int]) -> list[QuerySet[Any, Any]]:
    """Return where descriptions name an image's file or a thumbnail of it, by which their HTML knows its size.

    All descriptions are searched for the folder of a day, which no editor writes otherwise, and those that have it are
    read. Where more are found than can be named by their ids, it is all of those: that more is renewed is no harm.
    """
    images = Media.objects.order_by().filter(pk__in=pks, type=MediaType.IMAGE).values_list("file", flat=True)
    thumbnails = Thumbnail.objects.order_by().filter(media__in=pks).values_list("file", flat=True)
    names = {*images, *thumbnails}
    if not names:
        return []
    folders = {posixpath.dirname(name).removesuffix("/thumbnails").removeprefix(FOLDER) for name in names}
    if len(folders) > FEW_FOLDERS:
        folders = {posixpath.commonprefix(sorted(folders))}
    has = (Q(GreaterThan(StrIndex("description", Value(folder)), 0)) for folder in folders)
    rows = Portfolio.objects.order_by().filter(reduce(or_, has))
    texts = rows.values_list("pk", "description").iterator(READ_AT_ONCE)
    found = list(islice((pk for pk, text in texts if is_named(names, text or "")), FEW + 1))
    if found and len(found) <= FEW:
        rows = Portfolio.objects.order_by().filter(pk__in=found)
    return [rows.values_list("pk", flat=True)] if found else []


def is_named(names: Collection[str], text: str) -> bool:
    """Tell whether a text names any of the files, in whichever way Markdown and URLs write what is in a name."""
    read = unquote(unescape(ESCAPED.sub(r"\1", text)))
    return any(name in text or name in read for name in names)


def tagged(**chosen: Any) -> QuerySet[Any, Any]:
    return PortfolioTag.objects.filter(**chosen).values_list("portfolio", flat=True)
