"""An entry as visitors would see it, before they do: to whoever has a token for it, and kept nowhere."""

from collections.abc import Collection
from itertools import chain
from typing import Any, ClassVar

import msgspec
from django.utils import timezone

from folio import snapshots
from folio.api.rows import Rows
from folio.portfolios.models import Portfolio

from .beside import NeighboursPart, next_to
from .parts import PARTS, ROW_FIELDS, DescriptionPart, RowPart, ShareImagePart
from .pictures import Pictures


def rows(*names: str, **expressions: Any) -> Rows:
    """Return some columns of portfolios, published or not."""
    return Rows(lambda: Portfolio.objects.order_by().values("id", *names, **expressions), "pk")


class PreviewedRow(RowPart):
    source: ClassVar[Rows] = rows(*ROW_FIELDS, "publish_at", "updated_at", "related_updated_at")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        now = timezone.now()
        for row in self.rows.values():
            if row["publish_at"] is not None and row["publish_at"] > now:  # of which `shown_at` knows already
                row["shown_at"] = max(row["updated_at"], row["related_updated_at"] or row["updated_at"])


class PreviewedDescription(DescriptionPart):
    source: ClassVar[Rows] = rows("description")


class PreviewedShareImage(ShareImagePart):
    source: ClassVar[Rows] = rows("image_id")


class PreviewedNeighbours(NeighboursPart):
    """The published entries between which it would stand."""

    source: ClassVar[Rows] = rows(previous=next_to(forwards=False), next=next_to(forwards=True))


PREVIEWED: dict[str, Any] = PARTS | {
    "row": PreviewedRow,
    "description": PreviewedDescription,
    "share_image": PreviewedShareImage,
    "neighbours": PreviewedNeighbours,
}


def previewed(pk: int, names: Collection[str], base: str, snapshot: int | None) -> list[bytes]:
    """Return the named parts of an entry that need not be published; none where it is gone.

    They are put into no cache: those of `parts_of` are everyone's. The snapshot is for what is published beside it.
    Variants are made of what visitors see alone, so of its pictures those are named that are there.
    """
    snapshot = snapshots.usable(snapshot)
    parts = [PREVIEWED[name]([pk], base, snapshot) for name in names]
    pictures = Pictures(chain.from_iterable(part.media_ids() for part in parts), base, only_existing=True)
    values = [part.made(pk, pictures) for part in parts]
    return [] if None in values else [msgspec.json.encode(value)[1:-1] for value in values]
