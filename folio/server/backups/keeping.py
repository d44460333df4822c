"""What a store keeps: which backups are there, and what is removed of those that are too many."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

from folio.server.refusing import Refused

from .archives import Archive, is_archive
from .manifest import NAME, Made, Manifest, decoded, made
from .stores import (
    BACKUPS,
    DATABASES,
    DEAD,
    KEYS,
    MEDIA,
    PART,
    PRUNING,
    RUNNING,
    AnyStore,
    AtWork,
    Contents,
    store_at,
    told,
)

ENDING = ".json"
THREADS = 4
PAUSE = 1.0  # seconds between two looks for whoever prunes


def name_of(at: datetime, number: int = 0) -> str:
    """Return what a backup of a moment is called, in UTC; `number` tells those of one second apart."""
    return f"{at:%Y%m%dT%H%M%SZ}" + (f"-{number}" if number else "")


def names_of(store: AnyStore) -> list[str]:
    """Return what the backups in a store are called, the oldest first."""
    names = (name.removesuffix(ENDING) for name in store.files(BACKUPS) if name.endswith(ENDING))
    return sorted(filter(NAME.fullmatch, names), key=order_of)


def order_of(name: str) -> tuple[str, int]:
    moment, _, number = name.partition("-")
    return moment, int(number or 0)


def manifest_of(store: AnyStore, name: str) -> Manifest:
    try:
        return read(store, name)
    except FileNotFoundError:
        raise Refused(
            f"There is no backup {name} in {store.address}. `folio backup --list` shows those there are."
        ) from None


def read(store: AnyStore, name: str) -> Manifest:
    where = f"{store.address}, backup {name},"
    with store.open(f"{BACKUPS}/{name}{ENDING}") as file:
        manifest = decoded(file.read(), where)
    if manifest.name != name:
        raise Refused(f"{where} is damaged, or was tampered with: its manifest is that of {manifest.name}.")
    return manifest


def manifests_of(store: AnyStore) -> list[Manifest]:
    """Return the manifests of all backups in a store, the oldest first; one that is removed meanwhile is none."""
    found = []
    for name in names_of(store):
        with suppress(FileNotFoundError):
            found.append(read(store, name))
    return found


def listed(target: str) -> list[Made]:
    """Return the backups that a store has, the oldest first, or the one of an archive; raise Refused for neither."""
    if is_archive(target):
        return [made(Archive(target).manifest)]
    store = store_at(target)
    with told(store.address):
        return [made(manifest) for manifest in manifests_of(store)]


def contents_of(store: AnyStore, manifests: list[Manifest]) -> Contents:
    """Return which media are in a store, those alone that surely are what their names say.

    What an unfinished backup has left is read once more, where the machine may have lost its power meanwhile.
    """
    found, contents = store.files(MEDIA), Contents()
    named = {file.sha256: file.size for manifest in manifests for file in manifest.media}
    left = []
    for digest, stored in found.items():
        if store.is_whole or named.get(digest) == stored.size:
            contents.note(digest, stored.size)
        elif not digest.endswith(PART):
            left.append(digest)
    with ThreadPoolExecutor(THREADS) as pool:
        for digest, read in zip(left, pool.map(lambda digest: store.digest_of(f"{MEDIA}/{digest}"), left), strict=True):
            if digest == read:
                contents.note(digest, found[digest].size)
    return contents


# Removing


def prune(target: str, keep: int) -> list[str]:
    """Remove the oldest backups of a store beyond `keep`, then the media that none names; return what was removed.

    While a backup is made there, media stay: it may count on them. The next time they go. Raise Refused for an archive.
    """
    if is_archive(target):
        raise Refused(f"{target} is one backup. What can be pruned is a folder or bucket that holds several.")
    if keep < 1:
        raise Refused("At least one backup has to be kept.")
    store = store_at(target)
    with told(store.address, "Do it again."), AtWork(store, PRUNING) as mark:
        names = names_of(store)[:-keep]
        for name in names:
            store.delete(f"{BACKUPS}/{name}{ENDING}")
        sweep(mark, with_media=True)
    return names


def wait_for_pruning(mark: AtWork) -> None:
    """Wait until nobody removes media: what would be counted on might just go. It takes no longer than a mark lasts."""
    end = time.monotonic() + 2 * DEAD
    while mark.others(PRUNING):
        if time.monotonic() > end:
            raise Refused(f"Old backups are being removed from {mark.store.address}. Try again later.")
        time.sleep(PAUSE)


def sweep_databases(mark: AtWork) -> None:
    """Remove what backups that broke off have left of their databases; their media are of use."""
    sweep(mark, with_media=False)


def sweep(mark: AtWork, *, with_media: bool) -> None:
    """Remove what no manifest names, unless a backup is being made: what it has put has no manifest yet.

    What is there is listed first. Whoever has put it had a mark then, and has it still, or has a manifest by now.
    """
    store = mark.store
    folders = [DATABASES, KEYS, *([MEDIA] if with_media else [])]
    there = {folder: list(store.files(folder)) for folder in folders}
    drafts = [f"{MEDIA}/{name}" for name in store.files(MEDIA) if name.endswith(PART)]
    if mark.others(RUNNING):
        return
    manifests = manifests_of(store)
    names = {manifest.name for manifest in manifests}
    digests = {file.sha256 for manifest in manifests for file in manifest.media} if with_media else set()
    gone = set(drafts)
    for folder, found in there.items():
        for name in found:
            if (name not in digests) if folder == MEDIA else (name.partition(".")[0] not in names):
                gone.add(f"{folder}/{name}")
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(store.delete, sorted(gone)))
