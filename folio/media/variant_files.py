"""The variants that there are in the storage: found by their names, for they have no rows."""

from django.core.files.storage import default_storage

from .variants import folder_of, parse


def variant_names(file: str) -> list[str]:
    """Return the names in the storage of all variants of a media's file that exist, of whatever version.

    One that is made just now may be missing: who makes it looks afterwards whether the file is still referred to.
    """
    folder = folder_of(file)
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    found = ((f"{folder}/{name}", parse(f"{folder}/{name}")) for name in sorted(names))
    return [name for name, variant in found if variant is not None and variant.file == file]
