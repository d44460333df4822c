"""What a search finds."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q


@dataclass(frozen=True)
class Found:
    """What a visitors' search finds, to be combined with other conditions on portfolios.

        found = find(text)
        rows = Portfolio.objects.published().filter(found.condition)
        rows.order_by(found.relevance.desc(), *Portfolio._meta.ordering)
        found.highlights(ids)

    It was read once, in a bounded number of queries; `condition` and `relevance` ask nothing but within the query that
    they are part of.
    """

    condition: Q
    relevance: Any  # an expression: the score, a whole number

    def highlights(self, ids: list[int]) -> dict[int, str | None]:
        """Return for each portfolio the sentence that shows why it was found, as HTML that may stand in any page.

        What matches stands in `<mark>`; all else is escaped. None where only tags or the employer's name match.
        """
        raise NotImplementedError


def find(text: str) -> Found:
    """Return what visitors find by a text of at least one character; at most MAX_SEARCH_LENGTH are looked at."""
    raise NotImplementedError
