"""Rows that know what the database had of them, so that whoever shows them is told when that changes.

Websites ask when an entry was last changed. That is also when a tag on it is renamed or a picture of it gets another
text, through whichever of the API, the admin site and the commands. So the rows themselves tell of it: when they are
saved, and when a queryset updates them. See docs/decisions/0036-slugs-and-what-is-shown.md.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from django.db import connections, models, transaction

BATCH = 500  # rows that are told of at a time

Names = Collection[str]  # of fields, or of what else is shown of a row
ADDRESSES = "addresses"  # of files: texts name them without a reference, and have to be searched for them


class Shower(NamedTuple):
    """What a room does about rows of others that its own rows show."""

    lock: Callable[[type[models.Model], Collection[int], Names | None], Any]  # its rows that show these
    change: Callable[[type[models.Model], Collection[int], Names], Any]


showers: list[Shower] = []  # filled by the rooms above, when they are ready


def lock_showing(model: type[models.Model], pks: Collection[int], names: Names | None = None) -> None:
    """Keep others from changing what shows these rows, until the transaction ends; call it before these are locked.

    `names` is what is about to change; None stands for all but the addresses.
    Whoever changes a portfolio locks it and then, by its references, what it shows. On SQLite there is one writer
    anyway.
    """
    if connections[model._default_manager.db].features.has_select_for_update:
        for shower in showers:
            shower.lock(model, pks, names)


def tell_shown(model: type[models.Model], pks: Iterable[int], names: Names) -> None:
    """Tell those who show rows what has changed of these, in the transaction of the change.

    That addresses lead nowhere is told beforehand, while the rows still have them.
    """
    rows = list(pks)
    for start in range(0, len(rows), BATCH):
        for shower in showers:
            shower.change(model, rows[start : start + BATCH], names)


class Stored(models.Model):
    """A row that knows what was read or written last, of the fields that it watches."""

    watched: tuple[str, ...] = ()
    unwatched: tuple[str, ...] = ()  # instead: all fields but these
    stored: dict[str, Any]

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        is_new = self._state.adding
        super().save(*args, **kwargs)
        written, was = kwargs.get("update_fields"), vars(self).get("stored", {})
        now = {name: value for name, value in self.present().items() if written is None or name in written}
        self.stored = was | now
        changed = {name: was.get(name) for name in now if name not in was or was[name] != now[name]}
        if changed and not is_new:
            self.changed(changed)

    @classmethod
    def from_db(cls, db: Any, field_names: Any, values: Any, **options: Any) -> Any:
        row: Any = super().from_db(db, field_names, values, **options)
        row.stored = row.present()
        return row

    def present(self) -> dict[str, Any]:
        """Return what the row has in the fields that it watches, without those that were not read."""
        held = vars(self)
        return {name: plain(held[attname]) for name, attname in fields_of(type(self)) if attname in held}

    def changed(self, was: dict[str, Any]) -> None:
        """Do what follows from a change that was saved; `was` is what was stored, of the fields that it is about."""


WATCHED: dict[type[Stored], list[tuple[str, str]]] = {}


def fields_of(model: type[Stored]) -> list[tuple[str, str]]:
    """Return the names of the fields that a model watches, each with that of its attribute."""
    if model not in WATCHED:
        WATCHED[model] = [
            (field.name, field.attname)
            for field in model._meta.concrete_fields
            if (field.name not in model.unwatched if model.unwatched else field.name in model.watched)
        ]
    return WATCHED[model]


def plain(value: Any) -> Any:
    """Return a value that stays what it is: of a file, its name."""
    return value.name if isinstance(value, models.fields.files.FieldFile) else value


class ShownQuerySet(models.QuerySet[Any]):
    """Rows that others show, who are told of what is updated."""

    def update(self, **values: Any) -> int:
        names = {name for name, attname in fields_of(self.model) if {name, attname} & values.keys()}
        rows = list(self.order_by().values_list("pk", flat=True)) if names else []
        with transaction.atomic(using=self.db, savepoint=False):
            count = super().update(**values)
            tell_shown(self.model, rows, names)
        return count

    update.alters_data = True  # type: ignore[attr-defined]


class Shown(Stored):
    """A row that others show; its queryset is to be a `ShownQuerySet`."""

    class Meta:
        abstract = True

    def changed(self, was: dict[str, Any]) -> None:
        tell_shown(type(self), [self.pk], was.keys())
