"""What visitors are answered with: the shapes, declared once for the encoder, the description and the tests.

They are not those of the managing API, and share no class with them: that one is fixed by its pages, and shows more.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from folio.api.documents import CHOICE, URL, Document, Id, Moment, about
from folio.media.thumbnails import BOXES

Pixels = Annotated[int, about("Pixels, as shown upright.")]
Alt = Annotated[str, about("What it shows, for those who can't see it; may be empty.")]
Slug = Annotated[str, about("Its part of a web address: letters of any script, digits, `-` and `_`. Unique.")]


class Source(Document):
    """One format of an image, for a `<source>` of a `<picture>`."""

    type: Annotated[str, about("The media type, for the attribute `type`.")]
    srcset: Annotated[str, about("The widths that there are with their URLs, as the attribute `srcset` takes them.")]


class Thumbnail(Document):
    """An image made smaller, with the aspect ratio kept."""

    size: Annotated[
        int, Meta(extra_json_schema={"enum": list(BOXES)}), about("The edge in pixels of the square that it fits in.")
    ]
    src: Annotated[URL, about("Where it is; it never serves other bytes.")]
    width: Pixels
    height: Pixels


class Focal(Document):
    """The point of an image that stays in view where it is cropped."""

    x: Annotated[float, Meta(ge=0, le=1), about("From the left edge, 0, to the right one, 1.")]
    y: Annotated[float, Meta(ge=0, le=1), about("From the top edge, 0, to the bottom one, 1.")]


class Image(Document, kw_only=True):
    """An image, with all that a page needs to show it well in any size."""

    id: Id
    alt: Alt
    width: Pixels
    height: Pixels
    type: Annotated[str, about("The original's media type, such as `image/jpeg`.")]
    src: Annotated[URL, about("For the attribute `src`: the largest thumbnail, or a smaller original.")]
    original: (
        Annotated[URL, about("The file as it was uploaded; left out where an installation keeps it to itself.")]
        | UnsetType
    ) = UNSET
    sources: Annotated[
        list[Source], about("The formats that there are, in the order in which a `<picture>` wants them.")
    ]
    thumbnails: Annotated[list[Thumbnail], about("The smallest first; none is larger than the original.")]
    dominant_color: Annotated[
        str | None,
        Meta(extra_json_schema={"examples": ["#008083"]}),
        about("`#rrggbb`, the colour that most of it has; null where unknown."),
    ]
    placeholder: Annotated[
        str | None, about("A tiny image as a data URI, to show while the image loads; null where unknown.")
    ]
    focal: Annotated[Focal, about("What to keep in view where it is cropped; the centre where nobody chose.")]
    is_animated: Annotated[bool | None, about("Whether it moves; null where that isn't known.")]


class GalleryImage(Image, kw_only=True):
    """An image in the gallery of a portfolio."""

    caption: Annotated[str | None, about("What is written beside it in this gallery; null where there is nothing.")]


class File(Document):
    """A file of any type."""

    id: Id
    type: Annotated[
        Literal["image", "video", "audio", "document", "archive", "other"], CHOICE, about("What kind of file it is.")
    ]
    name: Annotated[str, about("A label for people; the original file name unless set.")]
    mime_type: Annotated[str, about("By the content, such as `application/pdf`.")]
    size: Annotated[int, about("The file's size in bytes.")]
    src: Annotated[
        URL | None, about("Where it is. Of an image whose original is kept back, its largest thumbnail, if it has one.")
    ]
    alt: Alt
    width: Annotated[int | None, about("Pixels, as shown upright; null where unknown.")]
    height: Annotated[int | None, about("Pixels, as shown upright; null where unknown.")]
    duration: Annotated[float | None, about("Seconds that it plays; null where unknown.")]
    poster: Annotated[URL | None, about("A picture of a film or a PDF; null where there is none.")]


Picture = Annotated[Image | None, about("The picture; null where there is none.")]


class Employer(Document):
    """The client or company that work was done for."""

    id: Id
    slug: Slug
    name: Annotated[str, about("Unique.")]
    image: Picture


class Tag(Document):
    """A word that groups portfolios."""

    id: Id
    slug: Slug
    name: Annotated[str, about("Unique.")]
    image: Picture


class Link(Document):
    """A web address that belongs to a portfolio."""

    id: Id
    name: Annotated[str, about("What it leads to.")]
    url: Annotated[
        str | None,
        about("An `http` or `https` address; it may hold letters of any script. Null where there is none."),
    ]
    description: Annotated[str | None, about("Plain text; null where there is none.")]
    image: Picture


class MetaEntry(Document):
    """A key with a text or a file, or both."""

    id: Id
    key: Annotated[str, about("Unique within the portfolio.")]
    value_text: Annotated[str | None, about("Plain text; null where there is none.")]
    value_file: Annotated[File | None, about("Null where there is none.")]


class Neighbour(Document):
    """Another portfolio, as a link to it shows it."""

    slug: Slug
    title: Annotated[str, about("Unique.")]
    cover: Annotated[Image | None, about("Its cover; null where there is none.")]


class Neighbours(Document):
    """The portfolios beside one in the default order."""

    previous: Annotated[Neighbour | None, about("The one before it; null at the first.")]
    next: Annotated[Neighbour | None, about("The one after it; null at the last.")]


Title = Annotated[str, about("Unique.")]
Excerpt = Annotated[str, about("A sentence or two, plain text.")]


class Row(Document, kw_only=True):
    """What every answer tells of a portfolio, that is, one piece of work."""

    id: Id
    slug: Slug
    title: Title
    excerpt: Excerpt
    completed_at: Annotated[Moment | None, about("When the work was completed; null where that isn't known.")]
    year: Annotated[int | None, about("The calendar year of `completed_at`, UTC; null where that isn't known.")]
    url: Annotated[URL | None, about("Its page on the website; null where the installation knows no website.")]
    cover: Annotated[Image | None, about("The picture that stands for it; null where there is none.")]
    employer: Annotated[Employer | None, about("Whom it was made for; null where there is none.")]
    tags: Annotated[list[Tag], about("In the order that the editors gave.")]
    updated_at: Annotated[
        Moment, about("When anything that is told of it last changed, but for `neighbours` and `related`.")
    ]


Description = Annotated[str | None, about("Markdown; null where there is none.")]
DescriptionHTML = Annotated[
    str | None, about("What `description` says, as HTML that is safe to insert; null where there is none.")
]
Gallery = Annotated[list[GalleryImage], about("More pictures, in the order that the editors gave.")]
Links = Annotated[list[Link], about("In the order that the editors gave.")]
MetaEntries = Annotated[list[MetaEntry], about("Whatever else a website wants to know, in the editors' order.")]
ShareImage = Annotated[
    URL | None,
    about("A JPEG of 1200 × 630 pixels of the cover, for networks that show links; null where none is made."),
]
Beside = Annotated[Neighbours, about("The published portfolios beside it, in the default order.")]
Related = Annotated[
    list[Neighbour],
    Meta(max_length=6),
    about("Those with most tags in common first, then of the same employer, then in the default order."),
]


class ListedEntry(Row, kw_only=True):
    """A portfolio in a list. What `include` has to ask for is left out where it doesn't."""

    description: Description | UnsetType = UNSET
    description_html: DescriptionHTML | UnsetType = UNSET
    gallery: Gallery | UnsetType = UNSET
    links: Links | UnsetType = UNSET
    meta: MetaEntries | UnsetType = UNSET
    share_image: ShareImage | UnsetType = UNSET
    neighbours: Beside | UnsetType = UNSET
    related: Related | UnsetType = UNSET
    highlight: (
        Annotated[
            str | None,
            about(
                "With `search`: the sentence that matches, as HTML in which `<mark>` stands around what was found; "
                "null where only tags or the employer match."
            ),
        ]
        | UnsetType
    ) = UNSET


class Entry(Row, kw_only=True):
    """A portfolio by itself, with everything; `include` leaves out what it doesn't name."""

    description: Description
    description_html: DescriptionHTML
    gallery: Gallery
    links: Links
    meta: MetaEntries
    share_image: ShareImage
    neighbours: Beside
    related: Related


class ManifestEntry(Document):
    """A portfolio in the manifest."""

    id: Id
    slug: Slug
    digest: Annotated[
        str,
        about(
            "Of the portfolio by itself without `neighbours` and `related`, as it is answered at this host: whenever "
            "anything else of that answer changes, it does, and not otherwise."
        ),
    ]


Count = Annotated[int, about("How many published portfolios have it.")]


class CountedTag(Tag):
    """A tag that published portfolios have."""

    count: Count


class CountedEmployer(Employer):
    """An employer that published portfolios were done for."""

    description: Annotated[str | None, about("Plain text; null where there is none.")]
    count: Count


class TagFacet(Document):
    """A tag that some of the portfolios have."""

    slug: Slug
    name: Annotated[str, about("Unique.")]
    count: Annotated[int, about("How many of them.")]


class EmployerFacet(Document):
    """An employer that some of the portfolios were done for."""

    slug: Slug
    name: Annotated[str, about("Unique.")]
    count: Annotated[int, about("How many of them.")]


class YearFacet(Document):
    """A year in which some of the portfolios were completed."""

    year: Annotated[int, about("The calendar year of `completed_at`, UTC.")]
    count: Annotated[int, about("How many of them.")]


class Facets(Document):
    """What the portfolios have that the filters leave, and how many of them: as narrower filters would find."""

    count: Annotated[int, about("How many portfolios the filters leave.")]
    tags: Annotated[list[TagFacet], about("Those most have first, then by name. `tags_any` is ignored here.")]
    employers: Annotated[list[EmployerFacet], about("Those with most first, then by name. `employer` is ignored here.")]
    years: Annotated[list[YearFacet], about("Those with most first, then the newest. `year` is ignored here.")]
