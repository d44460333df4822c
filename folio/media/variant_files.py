"""The variants that there are in the storage: found by their names, for they have no rows."""

from django.core.files.storage import default_storage

from .variants import folder_of, parse


def variant_names(file: str) -> list[str]:
    """Return the names in the storage of all variants of a media's file that exist, of whatever version.

    One that is made just now may be missing: who makes it looks afterwards whether the file is still referred to.
    """
    found = ((name, parse(name)) for name in names_beside(file, f"{file.rpartition('/')[2]}_v"))
    return [name for name, variant in found if variant is not None and variant.file == file]


def names_beside(file: str, start: str) -> list[str]:
    """Return what there is beside a media's thumbnails that begins so, in order; of a bucket, no more is listed."""
    folder = folder_of(file)
    if hasattr(default_storage, "names_from"):
        found: list[str] = default_storage.names_from(f"{folder}/{start}")
        return found
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    return [f"{folder}/{name}" for name in sorted(names) if name.startswith(start)]
