"""Everything written as folders that `folio import` reads to the very same.

What is written is on record in the folder, so that the next export renews it and takes away what is gone, and touches
nothing that someone else has put there. Each file appears whole, or not at all.
"""

import hashlib
import json
import os
import shutil
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from django.db import connection, transaction
from django.db.models import Prefetch

from folio.media.models import Media
from folio.media.naming import WINDOWS_DEVICE, label
from folio.portfolios.models import (
    Employer,
    FormerSlug,
    Link,
    MetaEntry,
    Portfolio,
    PortfolioImage,
    PortfolioTag,
    Tag,
)

from . import EMPLOYERS, EXPORTED, EXTENSION, INDEX, MEDIA, TAGS
from .matter import Moment, write_markdown
from .problems import Problem, Refused, refused
from .reading import OF_FILES

STEM_SIZE = 120  # bytes of a name, whatever else is put around it
CHUNK = 1024 * 1024
IMAGE = "image"


@dataclass
class Page:
    """A Markdown file that is to be written, with the media beside it."""

    folder: str
    name: str
    fields: dict[str, Any]
    body: str = ""
    media: dict[str, Media] = field(default_factory=dict)  # by the names of their files

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.name}"


class Names:
    """Names of files in a folder, of which no two are alike to any file system."""

    def __init__(self, *taken: str) -> None:
        self.taken = {same(name) for name in taken}

    def free(self, stem: str, extension: str) -> str:
        """Return a name like `stem` that is not taken, and take it."""
        stem, number = safe_stem(stem), 1
        name = f"{stem}{extension}"
        while same(name) in self.taken:
            number += 1
            name = f"{stem}-{number}{extension}"
        self.taken.add(same(name))
        return name


def same(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def safe_stem(text: str) -> str:
    """Return a text as the name of a file without its ending: of letters, marks and digits, `-` and `_`."""
    kept = (
        character if unicodedata.category(character)[0] in "LMN" or character in "-_" else "-"
        for character in unicodedata.normalize("NFC", text)
    )
    stem = "-".join(part for part in "".join(kept).split("-") if part)
    stem = stem.encode()[:STEM_SIZE].decode(errors="ignore") or "file"
    return f"_{stem}" if WINDOWS_DEVICE.fullmatch(stem) else stem


class Exporter:
    """What there is, as pages, read in one transaction."""

    def __init__(self) -> None:
        with transaction.atomic():
            if connection.vendor == "postgresql" and len(connection.atomic_blocks) == 1:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            self.read()
        times = Counter(media.sha256 for media in self.media)
        self.repeated = {sha256 for sha256, count in times.items() if count > 1}
        self.shown: set[int] = set()

    @property
    def count(self) -> int:
        return len(self.employers) + len(self.tags) + len(self.portfolios)

    def read(self) -> None:
        self.media = list(Media.objects.order_by("pk"))
        self.employers = list(Employer.objects.select_related("image").order_by("name"))
        self.tags = list(Tag.objects.select_related("image").order_by("name"))
        self.portfolios = list(
            Portfolio.objects.select_related("image", "employer")
            .prefetch_related(
                Prefetch("gallery", PortfolioImage.objects.select_related("media")),
                Prefetch("placed_tags", PortfolioTag.objects.select_related("tag")),
                Prefetch("links", Link.objects.select_related("image")),
                Prefetch("meta", MetaEntry.objects.select_related("value_file")),
                Prefetch("former_slugs", FormerSlug.objects.order_by("pk")),
            )
            .order_by("created_at", "pk")
        )
        self.slugs = {portfolio.slug for portfolio in self.portfolios}

    def pages(self) -> Iterator[Page]:
        yield from self.named(EMPLOYERS, self.employers)
        yield from self.named(TAGS, self.tags)
        width = max(2, len(str(len(self.portfolios))))
        for number, portfolio in enumerate(self.portfolios, 1):
            # In the order in which they were made, which decides where `order` doesn't.
            yield self.project(f"{number:0{width}}-{safe_stem(portfolio.slug)}", portfolio)
        unshown = sorted(
            (media for media in self.media if media.pk not in self.shown),
            key=lambda media: (media.name, media.mime_type, media.sha256, media.alt),
        )
        if unshown:
            page = Page(MEDIA, INDEX, {})
            self.place(page, unshown, Names(INDEX))
            yield page

    def named(self, folder: str, rows: Iterable[Any]) -> Iterator[Page]:
        rows = list(rows)
        names = Names()
        files = [names.free(row.name, EXTENSION) for row in rows]
        for row, name in zip(rows, files, strict=True):
            page = Page(folder, name, {"name": row.name, "slug": row.slug, IMAGE: None})
            describe(page, getattr(row, "description", None))
            files_of = self.place(page, [row.image] if row.image else [], names)
            page.fields[IMAGE] = files_of.get(row.image_id)
            yield page

    def project(self, folder: str, portfolio: Portfolio) -> Page:
        page = Page(
            folder,
            INDEX,
            {
                "title": portfolio.title,
                "slug": portfolio.slug,
                "former_slugs": [row.slug for row in portfolio.former_slugs.all() if row.slug not in self.slugs],
                "excerpt": portfolio.excerpt,
                "order": portfolio.order,
                "is_active": portfolio.is_active,
                "publish_at": portfolio.publish_at and moment(portfolio.publish_at),
                "unpublish_at": portfolio.unpublish_at and moment(portfolio.unpublish_at),
                "completed_at": portfolio.completed_at and moment(portfolio.completed_at),
                "employer": portfolio.employer and portfolio.employer.name,
                "tags": [placed.tag.name for placed in portfolio.placed_tags.all()],
            },
        )
        describe(page, portfolio.description)
        gallery = [placed.media for placed in portfolio.gallery.all()]
        links, meta = list(portfolio.links.all()), list(portfolio.meta.all())
        media = [portfolio.image, *gallery, *(link.image for link in links), *(entry.value_file for entry in meta)]
        files = self.place(page, [one for one in media if one is not None], Names(INDEX))
        page.fields |= {
            "cover": files.get(portfolio.image_id),
            "images": [files[one.pk] for one in gallery],
            "captions": {files[row.media_id]: row.caption for row in portfolio.gallery.all() if row.caption},
            "links": [link_fields(link, files) for link in links],
            "meta": {entry.key: meta_value(entry, files) for entry in meta},
        }
        for name in OF_FILES:  # below what they belong to
            if name in page.fields:
                page.fields[name] = page.fields.pop(name)
        return page

    def place(self, page: Page, media: list[Media], names: Names) -> dict[Any, str]:
        """Put media beside a page, each once, with the texts that they have; return their files' names by their ids."""
        files: dict[Any, str] = {}
        alt, labels = {}, {}
        points: dict[str, Any] | None = None
        for one in media:
            if one.pk in files:
                continue
            extension = PurePosixPath(str(one.file.name)).suffix
            has_ending = extension and one.name.casefold().endswith(extension.casefold())
            name = names.free(one.name[: -len(extension)] if has_ending else one.name, extension)
            files[one.pk] = name
            page.media[name] = one
            if one.type == IMAGE or one.alt or one.sha256 in self.repeated:
                alt[name] = one.alt
            if one.name != label(name) or one.sha256 in self.repeated:
                labels[name] = one.name
            if one.type == IMAGE:
                points = points or {}
                if (one.focal_x, one.focal_y) != (None, None):
                    points[name] = [one.focal_x, one.focal_y]
        self.shown.update(files)
        # Of points an empty list tells something, too: those that are not named have their centre.
        said: dict[str, Any] = {"alt": alt or None, "focal": points, "names": labels or None}
        page.fields |= {name: texts for name, texts in said.items() if texts is not None}
        return files


def moment(value: datetime) -> Moment:
    """Return a datetime as it is read again, midnight as its date."""
    value = value.astimezone(UTC)
    if value.time() == time():
        return Moment(value.date().isoformat())
    return Moment(value.isoformat().replace("+00:00", "Z"))


def describe(page: Page, description: str | None) -> None:
    """Put a description below the fields, where it stays what it is; else among them."""
    if description is None:
        return
    if description and description == description.strip("\r\n"):
        page.body = description
    else:
        page.fields["description"] = description


def link_fields(link: Link, files: dict[Any, str]) -> dict[str, Any]:
    fields = {"name": link.name, "url": link.url, "description": link.description, IMAGE: files.get(link.image_id)}
    return {name: value for name, value in fields.items() if value is not None}


def meta_value(entry: MetaEntry, files: dict[Any, str]) -> Any:
    if entry.value_file_id is None:
        return entry.value_text
    fields = {"text": entry.value_text, "file": files[entry.value_file_id]}
    return {name: value for name, value in fields.items() if value is not None}


class Target:
    """The folder of an export, in which only what an export wrote is replaced or removed."""

    def __init__(self, path: Path, *, is_forced: bool = False) -> None:
        self.path = path
        self.written: set[str] = set()
        self.changed = 0
        try:
            path.mkdir(parents=True, exist_ok=True)
            self.earlier = self.record()
            if self.earlier is None and any(path.iterdir()) and not is_forced:
                raise refused(
                    str(path),
                    "This folder is not empty, and no earlier export. Name another one, or say --force: "
                    "files of the same names are replaced then, and the others stay.",
                )
        except OSError as error:
            raise refused(str(path), f"This folder can't be used: {error.strerror}.") from error

    def record(self) -> set[str] | None:
        """Return which files an earlier export wrote, or None where there was none."""
        path = self.path / EXPORTED
        try:
            if path.is_symlink():
                return None
            names = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            names = []
        return (
            {name for name in names if isinstance(name, str) and is_within(name)} if isinstance(names, list) else set()
        )

    def keep_record(self, names: Iterable[str]) -> None:
        self.replace(EXPORTED, (json.dumps(sorted(names), ensure_ascii=False, indent=1) + "\n").encode())

    def write(self, page: Page) -> None:
        """Write a page with its media; or raise Refused."""
        for name, media in page.media.items():
            path = f"{page.folder}/{name}"
            self.written.add(path)
            try:
                if self.is_there(path, media):
                    continue
                with media.file.storage.open(str(media.file.name)) as source:
                    self.replace(path, cast(BinaryIO, source))
            except OSError as error:
                reason = f"The file of media {media.pk} ({media.file.name}) can't be copied: {error.strerror or error}."
                raise Refused([Problem(page.path, reason)]) from error
        self.written.add(page.path)
        data = write_markdown(page.fields, page.body)
        if self.bytes_of(page.path) != data:
            self.replace(page.path, data)

    def is_there(self, path: str, media: Media) -> bool:
        """Tell whether a media's very bytes lie there already."""
        target = self.path / path
        if not media.sha256 or not self.is_plain(path) or target.stat().st_size != media.size:
            return False
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == media.sha256

    def bytes_of(self, path: str) -> bytes | None:
        return (self.path / path).read_bytes() if self.is_plain(path) else None

    def is_plain(self, path: str) -> bool:
        """Tell whether an ordinary file lies there, reached without a link."""
        target = self.path / path
        return target.is_file() and not target.is_symlink() and not target.parent.is_symlink()

    def replace(self, path: str, content: bytes | BinaryIO) -> None:
        """Write a file beside its place, and move it there; never through a link."""
        target = self.path / path
        if target.parent.is_symlink():
            raise refused(str(target.parent), "This is a link, and links are not followed. Take it away.")
        target.parent.mkdir(exist_ok=True)
        draft = target.with_name(f".{os.getpid()}.draft")
        try:
            with open(draft, "xb") as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    shutil.copyfileobj(content, file, CHUNK)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        if path != EXPORTED:
            self.changed += 1

    def remove_gone(self) -> int:
        """Remove what an earlier export wrote and this one has not, and folders that are empty then."""
        gone = sorted((self.earlier or set()) - self.written)
        for path in gone:
            target = self.path / path
            if not target.parent.is_symlink():
                with suppress(FileNotFoundError, NotADirectoryError):
                    target.unlink()
                with suppress(OSError):  # others' files are in it
                    target.parent.rmdir()
        return len(gone)


def is_within(path: str) -> bool:
    """Tell whether a path on record is one that an export could have written: a folder and a file."""
    parts = path.split("/")
    return len(parts) == 2 and not any(part in {"", ".", ".."} or "\0" in part for part in parts)


def export(target: Target, tell: Callable[[Page, list[Problem]], Any], exporter: Exporter) -> tuple[int, int]:
    """Write everything; return how many pages failed, and how many files of an earlier export were removed.

    What failed of an earlier export stays as it was.
    """
    target.keep_record(target.earlier or set())
    failed = 0
    for page in exporter.pages():
        problems: list[Problem] = []
        try:
            target.write(page)
        except Refused as error:
            problems = error.problems
        except OSError as error:
            problems = [Problem(page.path, f"It can't be written: {error.strerror or error}.")]
        failed += bool(problems)
        tell(page, problems)
    removed = 0 if failed else target.remove_gone()
    target.keep_record(target.written | ((target.earlier or set()) if failed else set()))
    return failed, removed
