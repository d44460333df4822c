"""Sample content: the work of a design and web studio, drawn and written into an empty installation."""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.text import get_text_list

from folio.media.models import Media
from folio.media.uploads import removed_on_failure, store_upload
from folio.portfolios.models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag, Tag

from .content import EMPLOYERS, TAGS
from .pictures import Picture
from .reports import Document
from .works import PORTFOLIOS

File = Picture | Document


class InstallationNotEmpty(Exception):
    """An installation that holds content; the message says which."""


def load_sample(tell: Callable[[str], Any] = lambda message: None) -> dict[str, int]:
    """Fill an empty installation, all or nothing; return how many rows of each kind were made.

    `tell` is told what happens next. Raises InstallationNotEmpty where there is any portfolio, employer, tag or media.
    """
    refuse_content()
    files = list(sample_files())
    tell(f"Drawing {len(files)} files ...")
    # Before the transaction: it is half of the work, and SQLite lets nobody else write meanwhile.
    drawn = [(file, file.data()) for file in files]
    tell("Storing them with their thumbnails ...")
    with removed_on_failure(default_storage) as written, transaction.atomic():
        refuse_content()  # that was published while we drew
        media = {file: store(file, content, written) for file, content in drawn}
        return insert_rows(media)


def refuse_content() -> None:
    kinds = {"portfolios": Portfolio, "employers": Employer, "tags": Tag, "media": Media}
    held = [name for name, model in kinds.items() if model._default_manager.exists()]
    if held:
        raise InstallationNotEmpty(
            f"This installation holds {get_text_list(held, 'and')} already; the sample is for an empty one. "
            "Name another folder or database by FOLIO_DATA_DIR or DATABASE_URL, or delete what there is."
        )


def sample_files() -> Iterator[File]:
    """Yield every file that the sample uses, once."""
    used: dict[File | None, None] = {}
    for row in (*EMPLOYERS, *TAGS):
        used[row.image] = None
    for portfolio in PORTFOLIOS:
        used |= dict.fromkeys(
            [
                portfolio.image,
                *portfolio.images,
                *(link.image for link in portfolio.links),
                *(entry.value_file for entry in portfolio.meta),
            ]
        )
    return (file for file in used if file)


def store(file: File, content: bytes, written: list[str]) -> Media:
    """Store a file; `written` gets the names of what now lies in the storage."""
    labels: dict[str, Any] = {"alt": file.alt} if isinstance(file, Picture) else {"name": file.name}
    media = store_upload(ContentFile(content, name=file.filename), **labels)
    written += [str(media.file.name), *media.thumbnails.values_list("file", flat=True)]
    return media


def insert_rows(media: dict[File, Media]) -> dict[str, int]:
    """Insert what refers to the files; return the number of rows by kind, files included."""

    def stored(file: File | None) -> Media | None:
        return media[file] if file else None

    employers = {
        sample: Employer(name=sample.name, description=sample.description, image=stored(sample.image))
        for sample in EMPLOYERS
    }
    tags = {sample: Tag(name=sample.name, image=stored(sample.image)) for sample in TAGS}
    portfolios = [
        Portfolio(
            title=sample.title,
            slug=sample.slug,
            excerpt=sample.excerpt,
            description=sample.description,
            image=stored(sample.image),
            order=sample.order,
            employer=employers[sample.employer] if sample.employer else None,
            is_active=sample.is_active,
            completed_at=sample.completed_at,
        )
        for sample in PORTFOLIOS
    ]
    gallery, placed_tags, links, meta = [], [], [], []
    for row, sample in zip(portfolios, PORTFOLIOS, strict=True):
        gallery += [
            PortfolioImage(portfolio=row, media=media[picture], place=place)
            for place, picture in enumerate(sample.images)
        ]
        placed_tags += [
            PortfolioTag(portfolio=row, tag=tags[tag], place=place) for place, tag in enumerate(sample.tags)
        ]
        links += [
            Link(
                portfolio=row,
                name=link.name,
                url=link.url,
                description=link.description,
                image=stored(link.image),
                place=place,
            )
            for place, link in enumerate(sample.links)
        ]
        meta += [
            MetaEntry(
                portfolio=row,
                key=entry.key,
                value_text=entry.value_text,
                value_file=stored(entry.value_file),
                place=place,
            )
            for place, entry in enumerate(sample.meta)
        ]
    rows: dict[type[Any], list[Any]] = {  # in the order in which they refer to one another
        Employer: list(employers.values()),
        Tag: list(tags.values()),
        Portfolio: portfolios,
        PortfolioImage: gallery,
        PortfolioTag: placed_tags,
        Link: links,
        MetaEntry: meta,
    }
    for model, instances in rows.items():
        model._default_manager.bulk_create(instances)
    return {
        "portfolios": len(portfolios),
        "employers": len(employers),
        "tags": len(tags),
        "links": len(links),
        "meta": len(meta),
        "media": len(media),
    }
