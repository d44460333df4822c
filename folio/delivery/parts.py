"""What answers are put together from: parts of a published portfolio, each encoded once for as long as nothing changes.

A part is one or more keys of an entry with their values, as JSON without the braces around them. Whatever `include` and
`fields` ask for is joined of them, or cut out of what was joined: so however they are combined, no more is kept of an
entry than its parts.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

import msgspec

from folio import snapshots
from folio.api.documents import KEY_SIZE
from folio.api.rows import Rows
from folio.portfolios import markdown
from folio.portfolios.documents import LINK_FIELDS, META_FIELDS, grouped
from folio.portfolios.models import Link, MetaEntry, PortfolioImage, PortfolioTag
from folio.portfolios.website import page_of

from . import documents
from .beside import NeighboursPart, PublishedRows, RelatedPart
from .pictures import Pictures

ROW_FIELDS = (
    "slug",
    "title",
    "excerpt",
    "completed_at",
    "year",
    "image_id",
    "employer_id",
    "employer__slug",
    "employer__name",
    "employer__image_id",
    "shown_at",
)
HIDDEN = "_"  # what the key of a meta entry begins with that visitors never see

rows_of_portfolios = PublishedRows(*ROW_FIELDS)
covers_of_portfolios = PublishedRows("image_id")
descriptions = PublishedRows("description")
tags_of_portfolios = Rows(
    lambda: PortfolioTag.objects.values("portfolio_id", "tag_id", "tag__slug", "tag__name", "tag__image_id"),
    "portfolio",
)
gallery_of_portfolios = Rows(lambda: PortfolioImage.objects.values("portfolio_id", "media_id", "caption"), "portfolio")
links_of_portfolios = Rows(lambda: Link.objects.values("portfolio_id", *LINK_FIELDS), "portfolio")
meta_of_portfolios = Rows(
    lambda: MetaEntry.objects.exclude(key__startswith=HIDDEN).values("portfolio_id", *META_FIELDS), "portfolio"
)


class Part:
    """One part of some portfolios: what it needs is read at once for all of them."""

    keys: ClassVar[tuple[str, ...]]

    def __init__(self, ids: Sequence[int], base: str, snapshot: int | None) -> None:
        raise NotImplementedError

    def media_ids(self) -> Iterable[int | None]:
        """Return the media that it shows."""
        return ()

    def made(self, pk: int, pictures: Pictures) -> Any:
        """Return the keys and values of one of the portfolios, as a struct or a dictionary; None where it is gone."""
        raise NotImplementedError


class RowPart(Part):
    """What every answer tells unless `fields` asks for less."""

    keys = documents.Row.__struct_fields__
    source: ClassVar[Rows] = rows_of_portfolios

    def __init__(self, ids: Sequence[int], base: str, snapshot: int | None) -> None:
        self.rows = {row["id"]: row for row in self.source.read(ids)}
        self.tags = grouped(tags_of_portfolios.read(self.rows))
        self.shared: dict[tuple[type, int], msgspec.Raw] = {}

    def media_ids(self) -> Iterable[int | None]:
        for row in self.rows.values():
            yield row["image_id"]
            yield row["employer__image_id"]
        for tags in self.tags.values():
            yield from (tag["tag__image_id"] for tag in tags)

    def made(self, pk: int, pictures: Pictures) -> Any:
        row = self.rows.get(pk)
        if row is None:
            return None
        return documents.Row(
            id=pk,
            slug=row["slug"],
            title=row["title"],
            excerpt=row["excerpt"],
            completed_at=row["completed_at"],
            year=row["year"],
            url=page_of(row["slug"]),
            cover=pictures.image(row["image_id"]),
            employer=self.named(documents.Employer, row, "employer", pictures) if row["employer_id"] else None,
            tags=[self.named(documents.Tag, tag, "tag", pictures) for tag in self.tags[pk]],
            updated_at=row["shown_at"],
        )

    def named(self, document: Any, row: Mapping[str, Any], prefix: str, pictures: Pictures) -> Any:
        """Return a tag or an employer, encoded once however many of the portfolios have it."""
        key = (document, row[f"{prefix}_id"])
        found = self.shared.get(key)
        if found is None:
            made = document(
                row[f"{prefix}_id"],
                row[f"{prefix}__slug"],
                row[f"{prefix}__name"],
                pictures.image(row[f"{prefix}__image_id"]),
            )
            found = self.shared[key] = msgspec.Raw(msgspec.json.encode(made))
        return found


class DescriptionPart(Part):
    keys = ("description", "description_html")
    source: ClassVar[Rows] = descriptions

    def __init__(self, ids: Sequence[int], base: str, snapshot: int | None) -> None:
        self.texts = {row["id"]: row["description"] for row in self.source.read(ids)}
        written = {pk: text for pk, text in self.texts.items() if text is not None}
        self.htmls = dict(zip(written, markdown.rendered_all(written.values(), base), strict=True))

    def made(self, pk: int, pictures: Pictures) -> Any:
        return {"description": self.texts.get(pk), "description_html": self.htmls.get(pk)}


class GalleryPart(Part):
    keys = ("gallery",)

    def __init__(self, ids: Sequence[int], base: str, snapshot: int | None) -> None:
        self.rows = grouped(gallery_of_portfolios.read(ids))

    def media_ids(self) -> Iterable[int | None]:
        return (row["media_id"] for row in chain.from_iterable(self.rows.values()))

    def made(self, pk: int, pictures: Pictures) -> Any:
        images = (pictures.captioned(row["media_id"], row["caption"]) for row in self.rows[pk])
        return {"gallery": [image for image in images if image]}


class LinksPart(Part):
    keys = ("links",)

    def __init__(self, ids: Sequence[int], base: str, snapshot: int | None) -> None:
        self.rows = grouped(links_of_portfolios.read(ids))

    def media_ids(self) -> Iterable[int | None]:
        return (row["image_id"] for row in chain.from_iterable(self.rows.values()))

    def made(self, pk: int, pictures: Pictures) -> Any:
        return {
            "links": [
                documents.Link(row["id"], row["name"], row["url"], row["description"], pictures.image(row["image_id"]))
                for row in self.rows[pk]
            ]
        }


class MetaPart(Part):
    keys = ("meta",)

    def __init__(self, ids: Sequence[int], base: str, snapshot: int | None) -> None:
        self.rows = grouped(meta_of_portfolios.read(ids))

    def media_ids(self) -> Iterable[int | None]:
        return (row["value_file_id"] for row in chain.from_iterable(self.rows.values()))

    def made(self, pk: int, pictures: Pictures) -> Any:
        return {
            "meta": [
                documents.MetaEntry(row["id"], row["key"], row["value_text"], pictures.file(row["value_file_id"]))
                for row in self.rows[pk]
            ]
        }


class ShareImagePart(Part):
    keys = ("share_image",)
    source: ClassVar[Rows] = covers_of_portfolios

    def __init__(self, ids: Sequence[int], base: str, snapshot: int | None) -> None:
        self.covers = {row["id"]: row["image_id"] for row in self.source.read(ids)}

    def media_ids(self) -> Iterable[int | None]:
        return self.covers.values()

    def made(self, pk: int, pictures: Pictures) -> Any:
        return {"share_image": pictures.share_image(self.covers.get(pk))}


ROW = "row"
PARTS: dict[str, Any] = {  # by the name that `include` has for each but the first, in the order of their keys
    ROW: RowPart,
    "description": DescriptionPart,
    "gallery": GalleryPart,
    "links": LinksPart,
    "meta": MetaPart,
    "share_image": ShareImagePart,
    "neighbours": NeighboursPart,
    "related": RelatedPart,
}
OPTIONAL = tuple(name for name in PARTS if name != ROW)
KEYS = tuple(key for part in PARTS.values() for key in part.keys)
as_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def parts_of(ids: Sequence[int], names: Collection[str], base: str, snapshot: int | None) -> dict[int, list[bytes]]:
    """Return the named parts of published portfolios, by id; those of which one is missing are left out.

    What was not yet made in this snapshot is read in a number of queries that depends on the parts alone.
    """
    snapshot = snapshots.usable(snapshot)
    found: dict[Any, bytes] = {}
    if snapshot is not None:
        found = snapshots.documents.get_many(snapshot, [(PARTS[name], base, pk) for name in names for pk in ids])
    missing = {name: [pk for pk in ids if (PARTS[name], base, pk) not in found] for name in names}
    made = [PARTS[name](wanted, base, snapshot) for name, wanted in missing.items() if wanted]
    pictures = Pictures(chain.from_iterable(part.media_ids() for part in made), base) if made else None
    for part, wanted in zip(made, filter(None, missing.values()), strict=True):
        for pk in wanted:
            value = part.made(pk, pictures)
            if value is None:
                continue
            key = (type(part), base, pk)
            found[key] = msgspec.json.encode(value)[1:-1]
            if snapshot is not None:
                snapshots.documents.put(snapshot, key, found[key], len(found[key]) + KEY_SIZE)
    groups: dict[int, list[bytes]] = defaultdict(list)
    for pk in ids:
        keys = [(PARTS[name], base, pk) for name in names]
        if all(key in found for key in keys):
            groups[pk] = [found[key] for key in keys]
    return groups


def joined(parts: Iterable[bytes], keys: Collection[str] | None = None) -> msgspec.Raw:
    """Return an entry of these parts; with `keys`, those alone that are named."""
    whole = b"{%b}" % b",".join(parts)
    if keys is None:
        return msgspec.Raw(whole)
    members = as_members.decode(whole)
    return msgspec.Raw(msgspec.json.encode({key: members[key] for key in keys}))
