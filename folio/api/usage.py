"""Who holds on to a row: found by Django's related objects, so that a new model needs no line here."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import Exists, Q

from .documents import Use
from .stored import lock_showing

MOST_USES = 100  # that an error tells of

resources: dict[type[models.Model], str] = {}  # filled by each `ResourceViewSet`
owners: dict[type[models.Model], str] = {}  # likewise: the field that names whose row it is, `pk` for its own


@dataclass(frozen=True)
class Relation:
    """A field by which a resource's rows keep a row of another model from being deleted."""

    model: type[models.Model]
    field: Any

    @property
    def demands(self) -> dict[str, Any]:
        """What the used row has to be, by its fields: an image, for one."""
        field = self.field
        if field.many_to_many:
            field = field.remote_field.through._meta.get_field(field.m2m_reverse_field_name())
        demands: dict[str, Any] = field.get_limit_choices_to()
        return demands

    @property
    def protects(self) -> bool:
        """Tell whether a row that is used so can't be deleted."""
        field = self.field
        if field.many_to_many:
            field = field.remote_field.through._meta.get_field(field.m2m_reverse_field_name())
        return field.remote_field.on_delete is models.PROTECT

    def users(self, pk: int) -> models.QuerySet[Any]:
        return self.model._default_manager.filter(**{self.field.name: pk}).order_by("pk")

    def uses(self, pk: int, most: int | None = None) -> list[Use]:
        return [use for _, use in self.uses_of_each([pk], most)]

    def uses_of_each(self, pks: Iterable[int], most: int | None = None) -> list[tuple[int, Use]]:
        """Return the uses of several rows in one query, each with the id of what is used; `most` altogether."""
        name = self.field.name
        used = self.model._default_manager.filter(**{f"{name}__in": list(pks)}).order_by("pk").values_list(name, "pk")
        resource = resources[self.model]
        return [(pk, Use(resource=resource, id=user, field=name)) for pk, user in used[:most]]

    def detach(self, pk: int) -> None:
        """Take the row off its users; one that can't be without keeps it, and the row from being deleted."""
        if self.field.many_to_many:
            placed = self.field.remote_field.through._default_manager
            placed.filter(**{self.field.m2m_reverse_field_name(): pk}).delete()
        elif self.field.null:
            self.users(pk).update(**{self.field.name: None})


def relations_to(model: type[models.Model]) -> Iterator[Relation]:
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ForeignObjectRel) or relation.related_model not in resources:
            continue
        if relation.many_to_many or getattr(relation, "on_delete", None) is models.PROTECT:
            yield Relation(relation.related_model, relation.field)


def uses_of(model: type[models.Model], pk: int) -> list[Use]:
    """Return the rows of the API's resources that keep a row from being deleted, a query for each relation."""
    return [use for relation in relations_to(model) for use in relation.uses(pk)]


def is_protected(model: type[models.Model], pk: int) -> bool:
    """Tell in one query whether anything keeps a row from being deleted, however much it is."""
    users = [relation.users(pk) for relation in relations_to(model) if relation.protects]
    if not users:
        return False
    used = reduce(or_, (Q(Exists(rows)) for rows in users))
    return model._default_manager.filter(used, pk=pk).exists()


def first_uses_of(relations: Iterable[Relation], pk: int) -> list[Use]:
    """Return the first of the rows that use a row by these relations, for an error."""
    return [use for relation in relations for use in relation.uses(pk, MOST_USES)][:MOST_USES]


def uses_of_each(model: type[models.Model], pks: Iterable[int]) -> dict[int, list[Use]]:
    """Return `uses_of()` each of several rows by their ids, in as many queries as for one; the unused are left out."""
    uses: dict[int, list[Use]] = defaultdict(list)
    for relation in relations_to(model):
        for pk, use in relation.uses_of_each(pks):
            uses[pk].append(use)
    return dict(uses)


def owners_of_users(model: type[models.Model], pk: int) -> list[Any]:
    """Return those whose rows use a row, a queryset for each model of owners; they know `lock()` and `touch()`."""
    chosen: dict[Any, Q] = defaultdict(Q)
    for relation in relations_to(model):
        path = owners.get(relation.model)
        if path is not None:
            owner = relation.model if path == "pk" else relation.model._meta.get_field(path).related_model
            chosen[owner] |= Q(pk__in=relation.users(pk).order_by().values(path))
    return [owner._default_manager.filter(condition) for owner, condition in chosen.items()]


def lock_users(model: type[models.Model], pk: int) -> None:
    """Keep others from changing what uses a row, until the transaction ends: owners first, as everyone locks them."""
    lock_showing(model, [pk])
    for rows in owners_of_users(model, pk):
        rows.lock()
    for relation in relations_to(model):
        if relation.model not in owners:
            list(relation.users(pk).select_for_update().values_list("pk", flat=True))


def detachments(model: type[models.Model], pk: int) -> list[tuple[Any, dict[str, tuple[Any, Any]]]]:
    """Return what `detach()` is about to change, for the history: rows as they will be, with their changes."""
    changed: dict[tuple[type[models.Model], int], tuple[Any, dict[str, tuple[Any, Any]]]] = {}
    for relation in relations_to(model):
        owner, field = owners.get(relation.model, "pk"), relation.field
        rows = relation.users(pk) if owner == "pk" else relation.users(pk).select_related(owner)
        for found in rows if field.many_to_many or field.null else ():
            row, changes = changed.setdefault((relation.model, found.pk), (found, {}))
            changes[field.name] = ([pk], []) if field.many_to_many else (pk, None)
            if not field.many_to_many:
                setattr(row, field.attname, None)
    return list(changed.values())


def detach(model: type[models.Model], pk: int) -> None:
    """Take a row off everything that uses it, in the caller's transaction, and touch the owners of what changes.

    A constant number of queries, however many use it. Call `lock_users()` and lock the row itself before.
    """
    for rows in owners_of_users(model, pk):
        rows.touch()
    for relation in relations_to(model):
        relation.detach(pk)
