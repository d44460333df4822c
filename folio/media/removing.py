"""Files removed from the storage, each with what there is on account of it."""

import logging
from collections.abc import Callable, Iterable

from django.core.files.storage import default_storage

logger = logging.getLogger(__name__)

TASK = "media.remove_files"  # which removes those whose time has come
# What else there is in the storage on account of a file, by its name: it goes with the file.
companions: list[Callable[[str], Iterable[str]]] = []


def remove(name: str) -> bool:
    """Remove a file from the storage, after what there is on account of it; tell whether all is gone."""
    try:
        for find in companions:
            for companion in find(name):
                default_storage.delete(companion)
        default_storage.delete(name)
    except Exception:
        logger.exception("Could not remove %s, which nothing refers to. It is tried again.", name)
        return False
    return True
