"""Who holds on to a row: found by Django's related objects, so that a new model needs no line here."""

from django.db import models

from .documents import Use

resources: dict[type[models.Model], str] = {}  # filled by each `ResourceViewSet`


def uses_of(model: type[models.Model], pk: int) -> list[Use]:
    """Return the rows of the API's resources that keep a row from being deleted, a query for each relation."""
    uses: list[Use] = []
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ForeignObjectRel) or relation.related_model not in resources:
            continue
        if not relation.many_to_many and getattr(relation, "on_delete", None) is not models.PROTECT:
            continue
        users = relation.related_model._default_manager.filter(**{relation.field.name: pk}).order_by("pk")
        uses += [
            Use(resource=resources[relation.related_model], id=user, field=relation.field.name)
            for user in users.values_list("pk", flat=True)
        ]
    return uses
