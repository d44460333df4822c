"""Texts that name files: the rooms above say which they have, as they are loaded."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

# Each returns the rows whose text has a file's name in the storage in it, and the field that is the text. Such a text
# keeps nothing from being deleted: it may be about a file elsewhere that is called so, and only its writer can tell.
finders: list[Callable[[str], tuple[QuerySet[Any], str]]] = []
