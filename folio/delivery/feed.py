"""The newest portfolios as an Atom feed (RFC 4287), for those who follow the studio with a feed reader.

Newest are those that were published last: by `publish_at`, or when they were made where that is not set. When a work
was completed tells nothing of it, for old works are put online too; and the editors' order is no order in time.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from django.conf import settings
from django.utils.feedgenerator import Atom1Feed
from django.utils.xmlutils import SimplerXMLGenerator
from rest_framework.request import Request

from folio.api.viewsets import base_url
from folio.portfolios.models import Portfolio
from folio.snapshots import SNAPSHOT

from .beside import PublishedRows
from .documents import Image
from .parts import ROW, joined, parts_of
from .xml import XMLView, held, moment, page, site, uri_of

NEWEST = 50
MEDIA = "http://search.yahoo.com/mrss/"  # Media RSS, by which readers find a picture
NAMESPACE = UUID("55ade99f-78d3-43f0-9075-6fe633ca93c6")  # of the ids of entries
NOTHING_YET = datetime(2000, 1, 1, tzinfo=UTC)  # when a feed without entries last changed; one has to be told
LAZY = re.compile(r'(<img (?:[^>"]|"[^"]*")*) loading="lazy"')  # which readers of feeds take for a danger

moments = PublishedRows("created_at", "publish_at")


class Told(msgspec.Struct):
    """What a feed tells of an entry."""

    slug: str
    title: str
    excerpt: str
    cover: Image | None
    tags: list["Tag"]
    updated_at: datetime
    description_html: str | None


class Tag(msgspec.Struct):
    slug: str
    name: str


decoder = msgspec.json.Decoder(Told)


def newest() -> list[int]:
    """Return the ids of the portfolios that were published last, the newest first; each part by an index."""
    published = Portfolio.objects.only_published()
    # `exclude`, in the words of the index's own condition: by others SQLite would not know that it has them all.
    given = published.exclude(publish_at=None).order_by("-publish_at", "-pk").values_list("publish_at", "pk")
    others = published.filter(publish_at__isnull=True).order_by("-created_at", "-pk").values_list("created_at", "pk")
    return [pk for _, pk in sorted([*given[:NEWEST], *others[:NEWEST]], reverse=True)[:NEWEST]]


def entry_id(pk: int, created_at: datetime) -> str:
    """Return what stays an entry's id for ever: whatever its slug becomes, and wherever the website moves."""
    return uuid5(NAMESPACE, f"{pk}/{created_at.astimezone(UTC).isoformat()}").urn


class Feed(Atom1Feed):
    """Django's, with content in HTML, plain summaries and the covers."""

    def root_attributes(self) -> dict[str, Any]:
        return {**super().root_attributes(), "xmlns:media": MEDIA}

    def latest_post_date(self) -> datetime:
        return max((item["updateddate"] for item in self.items), default=NOTHING_YET)

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, Any]) -> None:
        told: Told = item["told"]
        handler.addQuickElement("id", item["unique_id"])
        handler.addQuickElement("title", held(told.title))
        handler.addQuickElement("link", None, {"rel": "alternate", "type": "text/html", "href": item["link"]})
        handler.addQuickElement("published", moment(item["pubdate"]))
        handler.addQuickElement("updated", moment(item["updateddate"]))
        for tag in told.tags:
            handler.addQuickElement("category", None, {"term": tag.slug, "label": held(tag.name)})
        handler.addQuickElement("summary", held(told.excerpt))
        html = content_of(told)
        if html:
            handler.addQuickElement("content", held(html), {"type": "html", "xml:base": item["link"]})
        if told.cover is not None:
            thumbnail = {"url": told.cover.src, **sizes_of(told.cover)}
            handler.addQuickElement("media:thumbnail", None, thumbnail)


def content_of(told: Told) -> str:
    """Return what a reader shows of an entry, as HTML: its cover, and its description or, without one, the excerpt.

    Empty where that would be nothing but the excerpt, which the summary is already.
    """
    text = LAZY.sub(r"\1", told.description_html or "")
    if told.cover is None:
        return text
    attributes = {"src": told.cover.src, "alt": told.cover.alt, **sizes_of(told.cover)}
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<p><img {written}></p>\n{text or f'<p>{escape(told.excerpt)}</p>'}"


def sizes_of(image: Image) -> dict[str, str]:
    """Return the width and height of what an image's `src` leads to; nothing where they are not known."""
    shown = next((each for each in image.thumbnails if each.src == image.src), image)
    sizes = {"width": shown.width, "height": shown.height}
    return {name: str(size) for name, size in sizes.items() if size}


class FeedView(XMLView):
    """Read the newest portfolios as an Atom feed.

    The 50 that were published last, each with cover, excerpt and description.
    """

    media_type = "application/atom+xml"
    url_name = "public-feed"
    answers = {"get": (200, {"type": "string", "examples": ["<feed xmlns=…>"]})}
    operation_ids = {"get": "getFeed"}

    def written(self, request: Request) -> str:
        first_page, name = uri_of(site().geturl()), held(site().hostname or "")
        feed = Feed(
            title=name,
            link=first_page,
            description=None,
            author_name=name,
            author_link=first_page,
            feed_url=self.address(request),
            feed_guid=uuid5(NAMESPACE_URL, settings.SITE_URL).urn,
        )
        for pk, told, row in entries(newest(), base_url(request), request.META.get(SNAPSHOT)):
            feed.add_item(
                title=told.title,
                link=page(told.slug),
                description="",
                unique_id=entry_id(pk, row["created_at"]),
                pubdate=row["publish_at"] or row["created_at"],
                updateddate=told.updated_at,
                told=told,
            )
        return feed.writeString("utf-8")


def entries(ids: Sequence[int], base: str, snapshot: int | None) -> list[tuple[int, Told, dict[str, Any]]]:
    """Return what is told of the portfolios, with their moments; those that are hidden meanwhile are left out."""
    parts = parts_of(ids, (ROW, "description"), base, snapshot)
    rows = {row["id"]: row for row in moments.read(ids)}
    return [(pk, decoder.decode(bytes(joined(parts[pk]))), rows[pk]) for pk in ids if pk in parts and pk in rows]
