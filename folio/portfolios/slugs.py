"""How a tag or an employer comes by its part of a web address."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

from django.db import models

from folio.api.stored import Shown, ShownQuerySet

LENGTH = 200  # characters of a slug at the most
ROOM = 8  # of them for the number that tells it from others
BATCH = 500  # slugs that the database is asked for at a time


def slug_of(name: str) -> str:
    """Return the letters and digits of a name, of any script, in lower case and joined by hyphens; maybe none."""
    kept = "".join(
        character if unicodedata.category(character)[0] in "LNM" and unicodedata.category(character) != "Me" else "-"
        for character in unicodedata.normalize("NFKC", name).lower()
    )
    words = (word for word in kept.split("-") if any(unicodedata.category(letter)[0] in "LN" for letter in word))
    return unicodedata.normalize("NFC", "-".join(words))[: LENGTH - ROOM].rstrip("-")


def give_slugs(queryset: models.QuerySet[Any], rows: Sequence[Any]) -> list[Any]:
    """Give the rows that have none a slug that no row of the table has; return those that wait for their id.

    Rows whose name has no letter or digit are called after their id: one that has none yet gets a stand-in.
    """
    new = [row for row in rows if not row.slug]
    wanted = {id(row): slug_of(row.name) or (called_after_id(row) if row.pk else "") for row in new}
    taken = taken_slugs(queryset, {slug for slug in wanted.values() if slug}) | {row.slug for row in rows if row.slug}
    waiting: list[Any] = []
    for row in new:
        slug = wanted[id(row)]
        if not slug:
            row.slug = f"{row._meta.model_name}-{uuid4().hex}"
            waiting.append(row)
            continue
        row.slug = free_slug(queryset, slug, taken)
        taken.add(row.slug)
    return waiting


def free_slug(queryset: models.QuerySet[Any], wanted: str, taken: set[str]) -> str:
    """Return `wanted`, or else `wanted-2` and so on, the first that is not taken: neither known so nor in the table."""
    if wanted not in taken:
        return wanted
    first = 2
    while True:
        numbered = [f"{wanted}-{number}" for number in range(first, first + BATCH)]
        found = taken | taken_slugs(queryset, set(numbered))
        free = next((slug for slug in numbered if slug not in found), None)
        if free is not None:
            return free
        first += BATCH


def taken_slugs(queryset: models.QuerySet[Any], wanted: set[str]) -> set[str]:
    """Return which of these slugs a row of the table has."""
    found: set[str] = set()
    slugs = sorted(wanted)
    for start in range(0, len(slugs), BATCH):
        found.update(queryset.filter(slug__in=slugs[start : start + BATCH]).values_list("slug", flat=True))
    return found


def fill_slugs(queryset: models.QuerySet[Any]) -> None:
    """Give every row of a table that has none a slug, the oldest first."""
    first = 0
    while rows := list(queryset.filter(slug=None, pk__gt=first).order_by("pk")[:BATCH]):
        give_slugs(queryset, rows)
        queryset.bulk_update(rows, ["slug"])
        first = rows[-1].pk


def called_after_id(row: models.Model) -> str:
    return f"{row._meta.model_name}-{row.pk}"


class SluggedQuerySet(ShownQuerySet):
    """Rows that are given a slug where they come without one."""

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        rows = list(objs)
        waiting = give_slugs(self.model._base_manager.all(), rows)
        made = super().bulk_create(rows, *args, **kwargs)
        for row in waiting:
            name_after_id(row)
        return made


def name_after_id(row: Any) -> None:
    """Replace the stand-in of a row that was made this moment."""
    rows, wanted = type(row)._base_manager.all(), called_after_id(row)
    row.slug = free_slug(rows, wanted, taken_slugs(rows, {wanted}))
    rows.filter(pk=row.pk).update(slug=row.slug)


class Slugged(Shown):
    """A row that is found by a slug, made from its name where it is left out, and kept when the name changes."""

    objects = SluggedQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        waiting = give_slugs(type(self)._base_manager.all(), [self])
        super().save(*args, **kwargs)
        for row in waiting:
            name_after_id(row)
