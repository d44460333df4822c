"""What `folio check` says of the database's rows."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, models

from .columns import Normal
from .normalizing import is_normal
from .shared import Shared

TOLD = 20  # rows of a column


def told_forms(app_configs: Any, databases: Any = None, **options: Any) -> list[CheckMessage]:
    """Name the rows whose text is another one's in another form of Unicode: no one finds them by it any more."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            found += (twin for model in folio_models() for twin in twins_of(model, alias))
        except DatabaseError:  # one that is away, or has no tables yet
            return [
                Warning(
                    "The database's texts were not looked at: it can't be read, or was not migrated yet.",
                    id="folio.W002",
                )
            ]
    return found


def folio_models() -> Iterator[Any]:
    return (model for app in apps.get_app_configs() if app.name.startswith("folio.") for model in app.get_models())


def twins_of(model: Any, alias: str) -> Iterator[CheckMessage]:
    """Yield a warning for each of the first rows that another one keeps from its normal form."""
    for rule in model._meta.constraints:
        fields = rule.fields if isinstance(rule, models.UniqueConstraint) else ()
        names = [name for name in fields if isinstance(model._meta.get_field(name), Normal)]
        for name in names:
            rows = model._default_manager.using(alias)
            others = [field for field in fields if field != name]
            kept = (
                row for row in rows.values_list("pk", name, *others).order_by("pk").iterator() if not is_normal(row[1])
            )
            for (pk, text, *beside), _ in zip(kept, range(TOLD), strict=False):
                twin = rows.filter(**{name: text}, **dict(zip(others, beside, strict=True))).exclude(pk=pk).first()
                told = f"The {name} {text!r} of the {model._meta.verbose_name} {pk}"
                why = f"is the same as that of {twin.pk}, in another form" if twin else "is not in the normal form"
                yield Warning(
                    f"{told} {why} of Unicode: looking for it never finds this one.",
                    hint="Give it another, or delete it.",
                    id="folio.W001",
                )


def redis_answers(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Say where machines are to count together and this one can't reach where."""
    problem = Shared(settings.REDIS_URL).problem() if settings.REDIS_URL else None
    if problem is None:
        return []
    return [
        Warning(
            f"The Redis that FOLIO_REDIS_URL names can't be reached: {problem}",
            hint="Until it can, this machine counts requests and failed sign-ins for itself.",
            id="folio.W007",
        )
    ]


def register_checks() -> None:
    register(redis_answers, Tags.database)  # as what other commands need not look at
    register(told_forms, Tags.database)
