"""All that is published, each with a digest: who kept the last one knows what is new, changed and gone since.

A digest is of what an entry by itself answers with at the same host, but for `neighbours` and `related`: it is in the
`ETag` of that answer. It is made of what is read, so that it is exact whoever wrote. Why so:
docs/decisions/0048-manifest-and-feeds.md.
"""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from django.conf import settings

from folio import snapshots
from folio.api.documents import KEY_SIZE
from folio.api.filters import BareFilter, PageFilterSet
from folio.api.viewsets import base_url
from folio.media import variants
from folio.portfolios import markdown
from folio.portfolios.models import Portfolio
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.etags import digest_of

from .documents import ManifestEntry
from .parts import OPTIONAL, PARTS, ROW, encoded, joined
from .pictures import Pictures
from .views import PublicListView

FOLLOWING = {"neighbours", "related"}  # from the order, and from others
OF_ITSELF = (ROW, *(name for name in OPTIONAL if name not in FOLLOWING))
BATCH = 100  # entries that are read at once; of one with many pictures a hundred kilobytes may lie in memory meanwhile
MAX_LIMIT = 1_000
ENTRY_SIZE = 300  # bytes that a `Told` takes beside its slug, roughly


class Told(NamedTuple):
    """What a manifest tells of an entry."""

    slug: str
    digest: str


class Known(NamedTuple):
    """What was told of an entry when last its digest was made, and what it was made of."""

    fingerprint: bytes
    names: tuple[str, ...]  # of the files in its description that may be pictures with sizes
    told: Told


# By base and id: that is true for as long as the same is read, whatever else was written meanwhile.
known = SnapshotCache(settings.DOCUMENT_CACHE_SIZE // 3)
ALWAYS = 0  # the one snapshot of it


def digests(ids: Sequence[int], base: str, snapshot: int | None) -> dict[int, str]:
    """Return the digests of those of the portfolios that are published, by id; see `told`."""
    return {pk: each.digest for pk, each in told(ids, base, snapshot).items()}


def told(ids: Sequence[int], base: str, snapshot: int | None) -> dict[int, Told]:
    """Return what manifests tell of those of the portfolios that are published, by id, in the order of the ids.

    `base` is the scheme and host that the URLs in an entry begin with, without a slash; any text does for those who
    compare digests with their own alone. What was not asked for in this snapshot is read, a hundred entries at a time,
    and of these only the digest is kept: so that all that is published neither fills the memory nor drives out of it
    what visitors ask for.
    """
    snapshot = snapshots.usable(snapshot)
    found: dict[int, Told] = {}
    if snapshot is not None:
        kept = snapshots.documents.get_many(snapshot, [(Told, base, pk) for pk in ids])
        found = {key[2]: each for key, each in kept.items()}
    missing = [pk for pk in ids if pk not in found]
    for start in range(0, len(missing), BATCH):
        for pk, made in Batch(missing[start : start + BATCH], base).told().items():
            found[pk] = made
            if snapshot is not None:
                snapshots.documents.put(snapshot, (Told, base, pk), made, ENTRY_SIZE + len(made.slug) + KEY_SIZE)
    return {pk: found[pk] for pk in ids if pk in found}


class Batch:
    """Some portfolios as they lie in the database now, with all that their entries are made of.

    To read them takes a fifth of the time that it takes to make the entries: so they are made only where what was read
    is not what it was when last that was done. Both are of the same reading, or a change between two could be missed.
    """

    def __init__(self, ids: Sequence[int], base: str) -> None:
        self.base = base
        self.parts: dict[str, Any] = {name: PARTS[name](ids, base, None) for name in OF_ITSELF}
        self.pictures = Pictures(chain.from_iterable(part.media_ids() for part in self.parts.values()), base)
        self.ids = [pk for pk in ids if self.parts[ROW].read_of(pk) is not None]
        # What else an entry depends on. Settings do not change in a running server, but tests change them.
        settled = (settings.SITE_URL, settings.PUBLIC_ORIGINALS, settings.IMAGE_WIDTHS, settings.IMAGE_FORMATS)
        self.mark = msgspec.msgpack.encode((self.pictures.url("-"), *settled))

    def told(self) -> dict[int, Told]:
        found: dict[int, Told] = {}
        before: dict[Any, Known] = known.get_many(ALWAYS, [(self.base, pk) for pk in self.ids])
        if variants.lists_only_existing():
            before = {}  # an entry depends on the files in the storage too
        sizes = markdown.sizes_of({name for each in before.values() for name in each.names})
        for (_, pk), each in before.items():
            if each.fingerprint == self.fingerprint(pk, {name: sizes.get(name) for name in each.names}):
                found[pk] = each.told
        changed = [pk for pk in self.ids if pk not in found]
        description = self.parts["description"]
        description.prepare(changed)
        for pk in changed:
            entry = bytes(joined(encoded(part.made(pk, self.pictures)) for part in self.parts.values()))
            found[pk] = made = Told(self.parts[ROW].rows[pk]["slug"], digest_of(entry))
            shown = description.sizes_of(pk)
            size = 2 * ENTRY_SIZE + len(made.slug) + sum(map(len, shown))
            known.put(ALWAYS, (self.base, pk), Known(self.fingerprint(pk, shown), tuple(shown), made), size)
        return found

    def fingerprint(self, pk: int, sizes: dict[str, markdown.Size | None]) -> bytes:
        """Return a digest of all that an entry is made of, with these sizes of the pictures in its description."""
        parts = self.parts.values()
        digest = blake2b(self.mark, digest_size=16)
        digest.update(msgspec.msgpack.encode(([part.read_of(pk) for part in parts], sizes)))
        for media in dict.fromkeys(chain.from_iterable(part.media_of(pk) for part in parts)):
            digest.update(self.pictures.read_of(media))
        return digest.digest()


class ManifestFilterSet(PageFilterSet):
    limit = BareFilter(min_value=1, label=f"How many entries to return; at most {MAX_LIMIT}, which is the default")


class ManifestViewSet(PublicListView):
    """Everything that is published, in the default order, each with a digest of what is told of it.

    Who keeps it knows by the next one what is new, changed and gone. `digest` is that of the entry by itself at the
    same host, without `neighbours` and `related`, which follow from the order.
    """

    resource = "portfolios"
    queryset = Portfolio.objects.published()
    document = ManifestEntry
    filterset_class = ManifestFilterSet
    default_limit = max_limit = MAX_LIMIT
    operation_ids = {"list": "getManifest"}
    summaries = {"list": "List all that is published, with digests"}

    def results(self, ids: Sequence[int], filterset: PageFilterSet, snapshot: int | None) -> Sequence[Any]:
        entries = told(ids, base_url(self.request), snapshot)
        return [ManifestEntry(pk, *each) for pk, each in entries.items()]
