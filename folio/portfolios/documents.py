from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Any, Self

from django.db.models import F
from msgspec import UNSET, UnsetType, structs

from folio.api.documents import Document, Id, Moment, about
from folio.api.rows import Rows
from folio.media.documents import File, Image, MediaPool

from . import models

ROW_FIELDS = (
    "id",
    "title",
    "slug",
    "excerpt",
    "order",
    "image_id",
    "employer_id",
    "employer__name",
    "employer__description",
    "employer__image_id",
    "is_active",
    "completed_at",
    "created_at",
    "updated_at",
)
LINK_FIELDS = ("id", "name", "url", "image_id", "description")
META_FIELDS = ("id", "key", "value_text", "value_file_id")

employers = Rows(
    lambda: models.Employer.objects.order_by().values("id", "name", "image_id", "description", "slug"), "pk"
)
tags = Rows(lambda: models.Tag.objects.order_by().values("id", "name", "image_id", "slug"), "pk")
links = Rows(lambda: models.Link.objects.order_by().values(*LINK_FIELDS, "portfolio"), "pk")
meta = Rows(lambda: models.MetaEntry.objects.order_by().values(*META_FIELDS, "portfolio"), "pk")
short_portfolios = Rows(lambda: models.Portfolio.objects.order_by().values(*ROW_FIELDS), "pk")
full_portfolios = Rows(lambda: models.Portfolio.objects.order_by().values(*ROW_FIELDS, "description"), "pk")
tags_of_portfolios = Rows(
    lambda: models.PortfolioTag.objects.values(
        "portfolio_id", "tag_id", name=F("tag__name"), image_id=F("tag__image_id")
    ),
    "portfolio",
)
links_of_portfolios = Rows(lambda: models.Link.objects.values("portfolio_id", *LINK_FIELDS), "portfolio")
gallery_of_portfolios = Rows(lambda: models.PortfolioImage.objects.values("portfolio_id", "media_id"), "portfolio")
schedules_of_portfolios = Rows(
    lambda: models.Portfolio.objects.order_by().values("publish_at", "unpublish_at", portfolio_id=F("pk")), "pk"
)
captions_of_portfolios = Rows(
    lambda: models.PortfolioImage.objects.exclude(caption=None).values("portfolio_id", "media_id", "caption"),
    "portfolio",
)
meta_of_portfolios = Rows(lambda: models.MetaEntry.objects.values("portfolio_id", *META_FIELDS), "portfolio")


PLAIN = "Plain text, paragraphs parted by an empty line. It may hold markup, so never insert it as HTML."
MARKDOWN = (
    "Markdown: CommonMark with tables and strikethrough, in which a line break is a line break. HTML in it is text: "
    "show it as such, and sanitise what is made of it."
)
Captions = Annotated[
    dict[str, str],
    about(
        "What is written beside images in this gallery, by the ids of those that have a caption. "
        "Only with `include=captions`."
    ),
]
PublishAt = Annotated[
    Moment | None,
    about(
        "From when on visitors may read it, where it is active; null where that does not wait. "
        "Only with `include=schedule`."
    ),
]
UnpublishAt = Annotated[
    Moment | None,
    about("From when on visitors may no longer read it; null where that has no end. Only with `include=schedule`."),
]
Slug = Annotated[str, about("Its part of a web address; unique. It is kept when the name changes.")]
Picture = Annotated[Image | None, about("The picture; null where there is none.")]
Description = Annotated[str | None, about(PLAIN)]


class Employer(Document):
    """The client or company that work was done for."""

    id: Id
    name: Annotated[str, about("Unique.")]
    image_data: Picture
    description: Description


class SluggedEmployer(Employer):
    """An employer by itself, with its part of a web address."""

    slug: Slug

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, Self]:
        rows = employers.read(list(ids))
        pool = MediaPool((row["image_id"] for row in rows), base)
        return {row["id"]: cls(**pictured(row, pool)) for row in rows}


class Tag(Document):
    """A word that groups portfolios."""

    id: Id
    name: Annotated[str, about("Unique.")]
    image_data: Picture


class SluggedTag(Tag):
    """A tag by itself, with its part of a web address."""

    slug: Slug

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, Self]:
        rows = tags.read(list(ids))
        pool = MediaPool((row["image_id"] for row in rows), base)
        return {row["id"]: cls(**pictured(row, pool)) for row in rows}


class Link(Document):
    """A web address that belongs to a portfolio."""

    id: Id
    name: Annotated[str, about("What it leads to.")]
    url: Annotated[str | None, about("An `http` or `https` address; it may hold letters of any script.")]
    image_data: Picture
    description: Description


class PlacedLink(Link):
    """A link with the id of its portfolio."""

    portfolio: Annotated[int, about("The id of the portfolio that it belongs to.")]

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, Self]:
        rows = links.read(list(ids))
        pool = MediaPool((row["image_id"] for row in rows), base)
        return {row["id"]: cls(**pictured(row, pool)) for row in rows}


class MetaEntry(Document):
    """A key with a text or a file, or both."""

    id: Id
    key: Annotated[str, about("Unique within the portfolio.")]
    value_text: Annotated[str | None, about("Plain text; null where there is none.")]
    value_file: Annotated[File | None, about("Null where there is none.")]


class PlacedMetaEntry(MetaEntry):
    """A meta entry with the id of its portfolio."""

    portfolio: Annotated[int, about("The id of the portfolio that it belongs to.")]

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, Self]:
        rows = meta.read(list(ids))
        pool = MediaPool((row["value_file_id"] for row in rows), base)
        return {row["id"]: cls(**filed(row, pool)) for row in rows}


class PortfolioFields(Document):
    """What both forms of a portfolio begin with."""

    id: Id
    title: Annotated[str, about("Unique.")]
    slug: Annotated[str, about("Its part of a web address; unique.")]
    excerpt: Annotated[str, about("A sentence or two, plain text.")]
    order: Annotated[int, about("The lowest comes first in the default order.")]
    image_data: Annotated[Image | None, about("The cover; null where there is none.")]
    employer_data: Annotated[Employer | None, about("Whom it was made for; null where there is none.")]
    tags_data: Annotated[list[Tag], about("In the order that was given.")]
    links_data: Annotated[list[Link], about("In the order that was given.")]
    is_active: Annotated[bool, about("Whether websites should show it.")]
    completed_at: Annotated[Moment | None, about("When the work was completed; null where that isn't known.")]
    created_at: Annotated[Moment, about("When it was made.")]
    updated_at: Annotated[
        Moment,
        about("When it, its gallery, its links or its meta were last changed, or a tag was put on or taken off."),
    ]


class PortfolioRow(PortfolioFields):
    """A portfolio, that is, one piece of work, in a list: the short form."""

    publish_at: PublishAt | UnsetType = UNSET
    unpublish_at: UnpublishAt | UnsetType = UNSET
    captions: Captions | UnsetType = UNSET

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, Self]:
        batch = Batch(list(ids), base)
        return {pk: cls(**batch.short(pk)) for pk in batch.rows}


class Portfolio(PortfolioFields):
    """A portfolio, that is, one piece of work, by itself: the full form."""

    description: Annotated[str | None, about(MARKDOWN)]
    images_data: Annotated[list[Image], about("The gallery, in the order that was given.")]
    meta: Annotated[list[MetaEntry], about("Keys with texts or files, in the order that was given.")]
    publish_at: PublishAt | UnsetType = UNSET
    unpublish_at: UnpublishAt | UnsetType = UNSET
    captions: Captions | UnsetType = UNSET

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, Self]:
        batch = FullBatch(list(ids), base)
        return {pk: cls(**batch.full(pk)) for pk in batch.rows}

    def plain(self) -> Document:
        given = structs.asdict(self)
        added = {name: UNSET for name in ADDED if given[name] is not UNSET}
        return Portfolio(**{**given, **added}) if added else self


class Scheduled:
    """The form of a portfolio with its schedule, which is read in one query more."""

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, Any]:
        found: dict[int, Any] = super().read(ids, base)  # type: ignore[misc]
        schedules = grouped(schedules_of_portfolios.read(found))
        for pk, document in found.items():
            schedule = schedules[pk][0] if schedules[pk] else {}  # deleted meanwhile
            document.publish_at, document.unpublish_at = schedule.get("publish_at"), schedule.get("unpublish_at")
        return found


class Captioned:
    """The form of a portfolio with its captions, which are read in one query more."""

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, Any]:
        found: dict[int, Any] = super().read(ids, base)  # type: ignore[misc]
        captions = grouped(captions_of_portfolios.read(found))
        for pk, document in found.items():
            document.captions = {str(row["media_id"]): row["caption"] for row in captions[pk]}
        return found


class CaptionedRow(Captioned, PortfolioRow):
    """A portfolio in a list, with captions."""


class CaptionedPortfolio(Captioned, Portfolio):
    """A portfolio by itself, with captions."""


class ScheduledRow(Scheduled, PortfolioRow):
    """A portfolio in a list, with its schedule."""


class ScheduledPortfolio(Scheduled, Portfolio):
    """A portfolio by itself, with its schedule."""


class ScheduledCaptionedRow(Scheduled, CaptionedRow):
    """A portfolio in a list, with its schedule and captions."""


class ScheduledCaptionedPortfolio(Scheduled, CaptionedPortfolio):
    """A portfolio by itself, with its schedule and captions."""


INCLUDED = ("schedule", "captions")  # what may be asked for besides, in the order of its keys
ADDED = ("publish_at", "unpublish_at", "captions")  # these keys
WITH: dict[type[Document], dict[tuple[str, ...], type[Document]]] = {
    PortfolioRow: {
        ("schedule",): ScheduledRow,
        ("captions",): CaptionedRow,
        ("schedule", "captions"): ScheduledCaptionedRow,
    },
    Portfolio: {
        ("schedule",): ScheduledPortfolio,
        ("captions",): CaptionedPortfolio,
        ("schedule", "captions"): ScheduledCaptionedPortfolio,
    },
}


class Batch:
    """What the short forms of some portfolios are made of, read in five queries however many they are."""

    portfolios = short_portfolios

    def __init__(self, ids: list[int], base: str) -> None:
        self.rows = {row["id"]: row for row in self.portfolios.read(ids)}
        self.tags = grouped(tags_of_portfolios.read(self.rows))
        self.links = grouped(links_of_portfolios.read(self.rows))
        self.read_more()
        self.pool = MediaPool(self.media_ids(), base)

    def read_more(self) -> None:
        """Read what only a longer form needs."""

    def media_ids(self) -> Iterable[int | None]:
        for row in self.rows.values():
            yield row["image_id"]
            yield row["employer__image_id"]
        for rows in (*self.tags.values(), *self.links.values()):
            yield from (row["image_id"] for row in rows)

    def short(self, pk: int) -> dict[str, Any]:
        row = self.rows[pk]
        return {
            **{name: row[name] for name in ("id", "title", "slug", "excerpt", "order")},
            **{name: row[name] for name in ("is_active", "completed_at", "created_at", "updated_at")},
            "image_data": self.pool.image(row["image_id"]),
            "employer_data": self.employer(row),
            "tags_data": [
                Tag(id=tag["tag_id"], name=tag["name"], image_data=self.pool.image(tag["image_id"]))
                for tag in self.tags[pk]
            ],
            "links_data": [Link(**pictured(link, self.pool)) for link in self.links[pk]],
        }

    def employer(self, row: dict[str, Any]) -> Employer | None:
        if row["employer_id"] is None:
            return None
        return Employer(
            id=row["employer_id"],
            name=row["employer__name"],
            image_data=self.pool.image(row["employer__image_id"]),
            description=row["employer__description"],
        )


class FullBatch(Batch):
    """What the full forms are made of, in two queries more."""

    portfolios = full_portfolios

    def read_more(self) -> None:
        self.gallery = grouped(gallery_of_portfolios.read(self.rows))
        self.meta = grouped(meta_of_portfolios.read(self.rows))

    def media_ids(self) -> Iterable[int | None]:
        yield from super().media_ids()
        for rows in self.gallery.values():
            yield from (row["media_id"] for row in rows)
        for rows in self.meta.values():
            yield from (row["value_file_id"] for row in rows)

    def full(self, pk: int) -> dict[str, Any]:
        images = (self.pool.image(row["media_id"]) for row in self.gallery[pk])
        return {
            **self.short(pk),
            "description": self.rows[pk]["description"],
            "images_data": [image for image in images if image],
            "meta": [MetaEntry(**filed(row, self.pool)) for row in self.meta[pk]],
        }


def grouped(rows: Iterable[Any]) -> dict[int, list[dict[str, Any]]]:
    """Return rows by their `portfolio_id`, which is taken out of them."""
    groups: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row.pop("portfolio_id")].append(row)
    return groups


def pictured(row: dict[str, Any], pool: MediaPool) -> dict[str, Any]:
    """Return the row with its image as `image_data` in place of `image_id`."""
    fields = {name: value for name, value in row.items() if name != "image_id"}
    return {**fields, "image_data": pool.image(row["image_id"])}


def filed(row: dict[str, Any], pool: MediaPool) -> dict[str, Any]:
    """Return the row with its file as `value_file` in place of `value_file_id`."""
    fields = {name: value for name, value in row.items() if name != "value_file_id"}
    return {**fields, "value_file": pool.file(row["value_file_id"])}
