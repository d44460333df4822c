"""What visitors find, for the tests of this folder."""

from typing import Any

from django.db import connection

from folio.portfolios.models import Portfolio
from folio.portfolios.searching import find


def found(text: str) -> list[str]:
    """Return the slugs of what visitors find, the best first."""
    return [slug for slug, _ in scored(text)]


def scored(text: str) -> list[tuple[str, int]]:
    search = find(text)
    rows = Portfolio.objects.only_published().filter(search.condition).annotate(score=search.relevance)
    return list(rows.order_by("-score", "order", "-created_at", "pk").values_list("slug", "score"))


def shown(text: str) -> list[str | None]:
    """Return the highlights of what visitors find, in the order of ids."""
    search = find(text)
    ids = sorted(Portfolio.objects.only_published().filter(search.condition).values_list("pk", flat=True))
    highlights = search.highlights(ids)
    return [highlights[pk] for pk in ids]


def sql(statement: str, *parameters: Any) -> None:
    """Run a statement as any other program would."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
