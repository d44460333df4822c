"""What was changed: recorded in the write's own transaction, read back from Django's log, told in words."""

from .entries import entries_of, read
from .telling import Difference, action_of, differences_of, model_of, name_of_user, sides_of, told
from .words import label_of

__all__ = [
    "Difference",
    "action_of",
    "differences_of",
    "entries_of",
    "label_of",
    "model_of",
    "name_of_user",
    "read",
    "sides_of",
    "told",
]
