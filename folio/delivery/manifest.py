"""All that is published, each with a digest: who kept the last one knows what is new, changed and gone since.

A digest is of what an entry by itself answers with at the same host, but for `neighbours` and `related`: it is in the
`ETag` of that answer. It is made of what is read, so that it is exact whoever wrote. Why so:
docs/decisions/0048-manifest-and-feeds.md.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from folio import snapshots
from folio.api.documents import KEY_SIZE
from folio.api.filters import BareFilter, PageFilterSet
from folio.api.viewsets import base_url
from folio.portfolios.models import Portfolio
from folio.snapshots.etags import digest_of

from .documents import ManifestEntry
from .parts import OPTIONAL, ROW, joined, parts_of
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


class Named(msgspec.Struct):
    slug: str


slug_in = msgspec.json.Decoder(Named)


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
        for pk, parts in parts_of(missing[start : start + BATCH], OF_ITSELF, base, None).items():
            entry = bytes(joined(parts))
            found[pk] = made = Told(slug_in.decode(entry).slug, digest_of(entry))
            if snapshot is not None:
                size = ENTRY_SIZE + len(made.slug) + KEY_SIZE
                snapshots.documents.put(snapshot, (Told, base, pk), made, size)
    return {pk: found[pk] for pk in ids if pk in found}


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
