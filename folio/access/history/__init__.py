"""The history of each row: what Django's log holds of it, told in words. `folio.api.changes` records it."""

from .entries import entries_of, read
from .pages import Difference, differences_of, history_page, latest, name_of_user, sides_of
from .words import label_of

__all__ = [
    "Difference",
    "differences_of",
    "entries_of",
    "history_page",
    "label_of",
    "latest",
    "name_of_user",
    "read",
    "sides_of",
]
