"""The variants that there are in the storage: found by their names, for they have no rows."""

from collections.abc import Collection, Iterable

from django.core.files.storage import default_storage

from .variants import folder_of, parse


def variant_names(file: str) -> list[str]:
    """Return the names in the storage of all variants of a media's file that exist, of whatever version."""
    return names_of_each([file])


def names_of_each(files: Collection[str]) -> list[str]:
    """Return what `variant_names()` does for several files, with one look at each folder."""
    wanted = set(files)
    return [
        name
        for folder in sorted({folder_of(file) for file in wanted})
        for name in names_in(folder)
        if (variant := parse(name)) is not None and variant.file in wanted
    ]


def names_in(folder: str) -> Iterable[str]:
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names):
        yield f"{folder}/{name}"
