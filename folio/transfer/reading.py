"""What the Markdown files of a folder say, with the lines, before anything of it is looked up or checked by a rule."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from django.utils.text import slugify

from folio.api.parameters import unknown_names
from folio.api.texts import normal
from folio.media.kinds import KIND_BY_EXTENSION
from folio.media.models import MediaType
from folio.media.naming import extension_of

from . import EXTENSION, INDEX
from .folders import LINK, Folder
from .matter import MAX_SIZE, Value, read_markdown
from .problems import Problem, Refused, refused

COVER = "cover"
LINK_FIELDS = ["name", "url", "description", "image"]
META_FIELDS = ["text", "file"]
VALUES = [
    *("title", "slug", "excerpt", "order", "is_active", "publish_at", "unpublish_at", "completed_at", "description")
]
OF_FILES = ["alt", "focal", "names"]
PROJECT_FIELDS = [
    *VALUES,
    "former_slugs",
    *("employer", "tags", "cover", "images", "captions", "links", "meta"),
    *OF_FILES,
]
EMPLOYER_FIELDS = ["name", "slug", "description", "image", *OF_FILES]
TAG_FIELDS = ["name", "slug", "image", *OF_FILES]
MEDIA_FIELDS = OF_FILES
SHARE = re.compile(r"([0-9]{1,20}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?", re.ASCII)
NO_POINT = "Write two numbers from 0 to 1, from the left and from the top, such as [0.5, 0.3]; nothing is the centre."

Point = tuple[float | None, float | None]  # from the left and from the top of an image; None is the centre
Path = tuple[str | int, ...]  # where a value stands, such as ("links", 0, "url")


@dataclass
class Written:
    """A Markdown file with the pictures that belong to it."""

    folder: Folder
    file_name: str
    matter: dict[str, Value] = field(default_factory=dict)
    body: str = ""
    files: dict[str, str] = field(default_factory=dict)  # what lies beside it, with the names on disk

    @property
    def path(self) -> str:
        return self.folder.path_of(self.file_name)

    def line(self, path: Path) -> int | None:
        """Return the line in which a value stands, or what it would be a part of."""
        line: int | None = None
        at: Any = self.matter
        for part in path:
            is_there = part in at if isinstance(at, dict) else isinstance(at, list) and int(part) < len(at)
            if not is_there:
                break
            line, at = at[part].line, at[part].content
        return line

    def refused(self, reason: str, *path: str | int) -> Refused:
        told = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
        return refused(self.path, f"{told}: {reason}" if told else reason, self.line(path))

    def plain(self, name: str) -> Any:
        return self.matter[name].plain()

    def text(self, name: str) -> str | None:
        value = self.plain(name)
        if isinstance(value, list | dict):
            raise self.refused("Write a text here.", name)
        return None if value is None else composed(value)

    def items(self, name: str) -> list[Value]:
        content = self.matter[name].content
        if content is None:
            return []
        if not isinstance(content, list):
            raise self.refused("Write a list, such as [one, two], or a line for each that begins with '- '.", name)
        return content

    def fields(self, value: Value, *path: str | int) -> dict[str, Value]:
        if value.content is None:
            return {}
        if not isinstance(value.content, dict):
            raise self.refused("Write fields here, such as `name: Site`.", *path)
        return value.content

    def refuse_unknown(self, given: Iterable[str], known: list[str], *path: str | int) -> None:
        unknown = unknown_names("field", given, known)
        if unknown:
            raise Refused(
                Problem(self.path, f"{name}: {messages[0]}", self.line((*path, name)))
                for name, messages in unknown.items()
            )

    def file(self, value: Any, *path: str | int) -> str | None:
        """Return the name of a file beside this one, which a value names; None where it names none."""
        if value is None:
            return None
        name = normal(value) if isinstance(value, str) else ""
        if name in self.files and name != self.file_name:
            return name
        if not isinstance(value, str):
            reason = "Write the name of a file in this folder."
        elif PurePosixPath(value).name != value or value in {".", ".."}:
            reason = f"{value!r} is a path. Put the file into this folder, and write its name alone."
        else:
            reason = f"There is no file {value!r} in this folder."
        raise self.refused(reason, *path)

    def texts_of_files(self, name: str, only: str | None = None) -> dict[str, str]:
        """Return the texts that a field has for files; a text alone is for the `only` one that there is."""
        if name not in self.matter:
            return {}
        value = self.matter[name]
        if isinstance(value.content, str) and only is not None:
            return {only: composed(value.content)}
        found = {}
        for key, text in self.fields(value, name).items():
            if not isinstance(text.content, str | None):
                raise self.refused("Write a text here.", name, key)
            found[str(self.file(key, name, key))] = composed(text.content or "")
        return found

    def points_of_files(self, only: str | None = None) -> dict[str, Point] | None:
        """Return where files matter most, or None where nothing is said of it; a point alone is for the `only` one.

        Those that are not named are said to have their centre.
        """
        if "focal" not in self.matter:
            return None
        value = self.matter["focal"]
        if isinstance(value.content, list) and only is not None:
            return {only: self.point(value, "focal")}
        fields = self.fields(value, "focal").items()
        return {str(self.file(key, "focal", key)): self.point(point, "focal", key) for key, point in fields}

    def point(self, value: Value, *path: str | int) -> Point:
        shares = [] if value.content is None else value.content
        if not isinstance(shares, list) or len(shares) not in {0, 2}:
            raise self.refused(NO_POINT, *path)
        x, y = (self.share(share, *path) for share in shares) if shares else (None, None)
        return x, y

    def share(self, value: Value, *path: str | int) -> float | None:
        if value.content is None:
            return None
        text = value.content if isinstance(value.content, str) else ""
        if not (SHARE.fullmatch(text) and float(text) <= 1):
            raise self.refused(NO_POINT, *path)
        return float(text)

    def description(self) -> dict[str, str | None]:
        """Return the text below the fields, where there is one, or the field of that name."""
        if "description" not in self.matter:
            return {"description": self.body} if self.body else {}
        if self.body:
            raise self.refused("The text below the fields is the description. Leave one of the two out.", "description")
        return {"description": self.plain("description")}


@dataclass
class Row:
    """A project, an employer or a tag as it is written: only what is said of it."""

    written: Written
    values: dict[str, Any]
    alt: dict[str, str]
    names: dict[str, str]
    files: dict[str, Path]  # what it shows, in order, with the place that says so first
    points: dict[str, Point] | None = None  # where these matter most
    former_slugs: list[str] | None = None

    def point(self, name: str) -> Point | None:
        """Return where a file matters most; None where nothing is said of it."""
        return None if self.points is None else self.points.get(name, (None, None))


def composed(text: str) -> str:
    """Return a text as it is looked up: as the API keeps it."""
    return normal(text).strip()


def kept(value: Any) -> Any:
    return composed(value) if isinstance(value, str) else value


def is_picture(name: str) -> bool:
    kind = KIND_BY_EXTENSION.get(extension_of(name))
    return kind is not None and kind.type == MediaType.IMAGE


def open_written(folder: Folder, file_name: str, files: dict[str, str], known: list[str]) -> Written:
    """Read a Markdown file, whose fields must be among those known."""
    written = Written(folder, file_name, files=files)
    with folder.open(files[file_name]) as file:
        written.matter, written.body = read_markdown(file.read(MAX_SIZE + 1), written.path)
    written.refuse_unknown(written.matter, known)
    return written


def read_project(folder: Folder) -> Row:
    """Return what a project's folder says; or raise Refused."""
    files = folder.files()
    if INDEX not in files:
        raise refused(folder.name, LINK if folder.is_link() else f"There is no {INDEX} in this folder.")
    written = open_written(folder, INDEX, files, PROJECT_FIELDS)
    values = read_values(written)
    used: dict[str, Path] = {}

    def use(value: Any, *path: str | int) -> str | None:
        name = written.file(value, *path)
        if name is not None:
            used.setdefault(name, path)
        return name

    if "cover" in written.matter:
        values["image"] = use(written.plain("cover"), "cover")
    if "images" in written.matter:
        values["images"] = [use(item.plain(), "images", place) for place, item in enumerate(written.items("images"))]
    if "links" in written.matter:
        values["links"] = read_links(written, use)
    if "meta" in written.matter:
        values["meta"] = read_meta(written, use)
    by_order(written, values, used)
    if "captions" in written.matter:
        values["captions"] = written.texts_of_files("captions")
    return row_of(written, values, used, former_slugs=read_former_slugs(written))


def row_of(
    written: Written,
    values: dict[str, Any],
    used: dict[str, Path],
    only: str | None = None,
    former_slugs: list[str] | None = None,
) -> Row:
    """Return a row with what is said of its files; a text or a point alone is for the `only` one."""
    alt, names = (written.texts_of_files(name, only) for name in ("alt", "names"))
    return Row(written, values, alt, names, used, written.points_of_files(only), former_slugs)


def read_former_slugs(written: Written) -> list[str] | None:
    """Return the slugs that a project had, each once; None where nothing is said of them."""
    if "former_slugs" not in written.matter:
        return None
    found: list[str] = []
    for place, item in enumerate(written.items("former_slugs")):
        slug = one_name(written, item, "former_slugs", place)
        if slug in found:
            raise written.refused(f"{slug!r} stands here twice.", "former_slugs", place)
        found.append(slug)
    return found


def read_values(written: Written) -> dict[str, Any]:
    """Return what a project's file says in texts; the folder's name is the slug where there is none."""
    values: dict[str, Any] = {name: written.plain(name) for name in VALUES if name in written.matter}
    if "slug" in values:
        values["slug"] = written.text("slug")
    else:
        values["slug"] = slugify(normal(written.folder.name), allow_unicode=True)
    values |= written.description()
    if "employer" in written.matter:
        values["employer"] = written.text("employer")
    if "tags" in written.matter:
        values["tags"] = [one_name(written, item, "tags", place) for place, item in enumerate(written.items("tags"))]
    return values


def one_name(written: Written, item: Value, *path: str | int) -> str:
    if not isinstance(item.content, str):
        raise written.refused("Write a name here.", *path)
    return composed(item.content)


def read_links(written: Written, use: Callable[..., str | None]) -> list[dict[str, Any]]:
    """Return a project's links, each with all of its fields."""
    found = []
    for place, item in enumerate(written.items("links")):
        given = written.fields(item, "links", place)
        written.refuse_unknown(given, LINK_FIELDS, "links", place)
        link: dict[str, Any] = {"url": None, "description": None, **{name: kept(given[name].plain()) for name in given}}
        link["image"] = use(link.get("image"), "links", place, "image")
        found.append(link)
    return found


def read_meta(written: Written, use: Callable[..., str | None]) -> list[dict[str, Any]]:
    """Return a project's meta: of each key a text, or fields with a text, a file or both."""
    found = []
    for key, value in written.fields(written.matter["meta"], "meta").items():
        text, file = value.plain(), None
        if isinstance(value.content, dict):
            written.refuse_unknown(value.content, META_FIELDS, "meta", key)
            text, file = (value.plain().get(name) for name in META_FIELDS)
        found.append({"key": key, "value_text": text, "value_file": use(file, "meta", key, "file")})
    return found


def by_order(written: Written, values: dict[str, Any], used: dict[str, Path]) -> None:
    """Let the pictures that nothing names be the cover, if one is missing, and the gallery, by their names' order."""
    pictures = [name for name in written.files if is_picture(name)]
    left = [name for name in pictures if name not in used]
    if "image" not in values and pictures:
        named = [name for name in left if PurePosixPath(name).stem.casefold() == COVER]
        values["image"] = next(iter([*named, *left]), None)
    if "images" not in values and pictures:
        values["images"] = [name for name in left if name != values["image"]]
    for name in (values.get("image"), *values.get("images", ())):
        if name is not None:
            used.setdefault(name, ())


def read_named(folder: Folder, file_name: str, files: dict[str, str], known: list[str]) -> Row:
    """Return what the file of an employer or a tag says; a picture of the file's name is its image."""
    written = open_written(folder, file_name, files, known)
    stem = file_name.removesuffix(EXTENSION)
    values: dict[str, Any] = {"name": stem}
    for name in ("name", "slug"):
        if name in written.matter:
            values[name] = written.text(name)
    if "description" in known:
        values |= written.description()
    elif written.body:
        raise written.refused("A tag has no text below its fields.")
    used: dict[str, Path] = {}
    if "image" in written.matter:
        values["image"] = written.file(written.plain("image"), "image")
    else:
        image = next((name for name in files if is_picture(name) and PurePosixPath(name).stem == stem), None)
        if image is not None:
            values["image"] = image
    only = values.get("image")
    if only is not None:
        used[only] = ("image",)
    return row_of(written, values, used, only)


def read_media(folder: Folder) -> Row:
    """Return the files that nothing shows, with the texts that the folder's index has for them, if there is one."""
    files = folder.files()
    written = Written(folder, INDEX, files=files)
    if INDEX in files:
        written = open_written(folder, INDEX, files, MEDIA_FIELDS)
    used: dict[str, Path] = {name: () for name in files if name != INDEX}
    return row_of(written, {}, used)
