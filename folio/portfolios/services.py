"""Changes that span a portfolio's rows, each a constant number of queries in the caller's transaction.

What replaces a list returns the list's old and new value for the history, or None where it stays as it was.
"""

from collections.abc import Mapping
from typing import Any

from django.db.models import Max, Model, QuerySet

from .models import Link, MetaEntry, Portfolio, PortfolioImage, Tag

Replaced = tuple[list[Any], list[Any]] | None


def replace_through(
    portfolio: Portfolio,
    through: type[Model],
    name: str,
    rows: list[Any],
    *,
    is_new: bool = False,
    stored: list[Any] | None = None,
) -> Replaced:
    """Make `rows` the portfolio's gallery or tags, in their order; `name` is the through table's field for them.

    Images that stay in a gallery keep their captions. `stored` are the present rows in their order, where they were
    read already.
    """
    if stored is None:  # one that was made this moment has no rows yet
        stored = [] if is_new else list(placed_in(portfolio, through).order_by("place", "pk"))
    captions = {getattr(row, f"{name}_id"): getattr(row, "caption", None) for row in stored}
    current = list(captions)
    wanted = [row.pk for row in rows]
    if current == wanted:
        return None
    if current:
        placed_in(portfolio, through).delete()
    made: list[Any] = [through(portfolio=portfolio, place=place, **{name: row}) for place, row in enumerate(rows)]
    for row in made:
        if captions.get(getattr(row, f"{name}_id")):
            row.caption = captions[getattr(row, f"{name}_id")]
    through._default_manager.bulk_create(made)
    return current, wanted


def set_captions(portfolio: Portfolio, captions: Mapping[int, str | None]) -> None:
    """Make these the captions of the portfolio's gallery, by the ids of the images; the others have none."""
    rows = list(portfolio.gallery.all())
    changed = [row for row in rows if (row.caption or None) != (captions.get(row.media_id) or None)]
    for row in changed:
        row.caption = captions.get(row.media_id) or None
    PortfolioImage.objects.bulk_update(changed, ["caption"])


def as_items(captions: Mapping[int, str | None]) -> list[dict[str, Any]]:
    """Return captions, by the ids of their images, as the history keeps them: those that there are, in one order."""
    return [{"image": pk, "media": pk, "caption": caption} for pk, caption in sorted(captions.items()) if caption]


def placed_in(portfolio: Portfolio, through: type[Model]) -> QuerySet[Any]:
    return through._default_manager.filter(portfolio=portfolio)


def replace_links(
    portfolio: Portfolio, items: list[dict[str, Any]], current: dict[int, Link] | None = None
) -> Replaced:
    """Make `items` the portfolio's links; those with an `id` keep the fields that they leave out.

    `current` is what it has, by id, where that was read already.
    """
    current = {link.pk: link for link in portfolio.links.all()} if current is None else current
    before = [link.as_item() for link in current.values()]
    kept, new = arranged(portfolio, Link, current, items)
    if len(kept) < len(current):
        portfolio.links.exclude(pk__in=[link.pk for link in kept]).delete()
    if kept:
        Link.objects.bulk_update(kept, ["place", "name", "url", "description", "image"])
    Link.objects.bulk_create(new)
    return replaced(before, [*kept, *new])


def replace_meta(
    portfolio: Portfolio, items: list[dict[str, Any]], current: dict[int, MetaEntry] | None = None
) -> Replaced:
    """Make `items` the portfolio's meta; those with an `id` keep the fields that they leave out.

    A row whose key changes is deleted and inserted again under its id: where rows exchange keys, an update would meet
    the unique constraint half-way.
    """
    current = {entry.pk: entry for entry in portfolio.meta.all()} if current is None else current
    before = [entry.as_item() for entry in current.values()]
    keys = {pk: entry.key for pk, entry in current.items()}
    kept, new = arranged(portfolio, MetaEntry, current, items)
    renamed = [entry for entry in kept if entry.key != keys[entry.pk]]
    same = [entry for entry in kept if entry.key == keys[entry.pk]]
    if len(same) < len(current):
        portfolio.meta.exclude(pk__in=[entry.pk for entry in same]).delete()
    if same:
        MetaEntry.objects.bulk_update(same, ["place", "value_text", "value_file"])
    MetaEntry.objects.bulk_create([*renamed, *new])
    return replaced(before, [*kept, *new])


def arranged(
    portfolio: Portfolio, model: type[Any], current: dict[int, Any], items: list[dict[str, Any]]
) -> tuple[list[Any], list[Any]]:
    """Return the rows that stay, changed as the items say, and those to be made, each with its place."""
    kept: list[Any] = []
    new: list[Any] = []
    for place, item in enumerate(items):
        fields = {name: value for name, value in item.items() if name != "id"}
        row = current[item["id"]] if "id" in item else model(portfolio=portfolio)
        for name, value in {**fields, "place": place}.items():
            setattr(row, name, value)
        (kept if "id" in item else new).append(row)
    return kept, new


def replaced(before: list[dict[str, Any]], rows: list[Any]) -> Replaced:
    """Return the items of a list that became others, came or went; all of it where some have changed places."""
    after = [row.as_item() for row in sorted(rows, key=lambda row: row.place)]
    was, now = ({next(iter(item.values())): item for item in items} for items in (before, after))
    if [pk for pk in was if pk in now] == [pk for pk in now if pk in was]:
        before = [item for pk, item in was.items() if item != now.get(pk)]
        after = [item for pk, item in now.items() if item != was.get(pk)]
    return (before, after) if before or after else None


def save_placed(row: Any, was_of: int | None) -> None:
    """Save a link or meta by itself; `was_of` is the id of the portfolio that it belonged to, None for a new one.

    One that is new in its portfolio comes last. The portfolio that it leaves and the one that it belongs to are touched
    first, which makes others wait that change the same list.
    """
    portfolios = Portfolio.objects.filter(pk__in={was_of, row.portfolio_id} - {None})
    portfolios.touch()
    if was_of != row.portfolio_id:
        last = type(row)._default_manager.filter(portfolio=row.portfolio_id).aggregate(last=Max("place"))["last"]
        row.place = 0 if last is None else last + 1
    row.save()


def delete_placed(rows: QuerySet[Any]) -> None:
    """Delete links or meta by themselves, and touch the portfolios that they belonged to."""
    portfolios = Portfolio.objects.filter(pk__in=set(rows.order_by().values_list("portfolio", flat=True)))
    portfolios.lock()
    rows.delete()
    portfolios.touch()


def touch_tagged(instance: Tag, **kwargs: Any) -> None:
    """Renew `updated_at` of the portfolios that a tag is about to be taken off."""
    Portfolio.objects.filter(tags=instance).touch()
