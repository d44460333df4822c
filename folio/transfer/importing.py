"""Folders of projects made rows: a transaction for each project, in which its files are stored as well."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import ValidationError
from django.db import models, transaction

from folio.api.columns import validate_line
from folio.api.errors import Conflict
from folio.api.stored import lock_showing
from folio.api.texts import validate_slug
from folio.api.viewsets import write
from folio.history.changes import Changes, log
from folio.media.journal import operation
from folio.media.models import Media
from folio.outages import StorageAway
from folio.portfolios.former import MOST, former_slugs, replace_former_slugs
from folio.portfolios.models import Employer, FormerSlug, Portfolio, Tag
from folio.portfolios.serializers import EmployerSerializer, PortfolioSerializer, TagSerializer

from . import EMPLOYERS, EXTENSION, MEDIA, RESERVED, TAGS
from .folders import Folder, Root
from .problems import Problem, Refused
from .reading import EMPLOYER_FIELDS, TAG_FIELDS, Path, Row, composed, read_media, read_named, read_project
from .stock import Stock

KINDS: dict[type[models.Model], str] = {
    Portfolio: "projects",
    Employer: "employers",
    Tag: "tags",
    Media: "media",
}
SERIALIZERS: dict[type[models.Model], Any] = {
    Portfolio: PortfolioSerializer,
    Employer: EmployerSerializer,
    Tag: TagSerializer,
}
TEXTS = {"alt": "alt", "name": "names", "focal_x": "focal", "focal_y": "focal"}
WRITTEN = {"value_text": "text", "value_file": "file"}  # the API's fields by the folder's names
Where = Callable[[Path], Path]


@dataclass
class Outcome:
    """What became of a row: what was made or changed with it, and which of its own fields."""

    path: str
    name: str
    model: type[models.Model]
    made: dict[type[models.Model], set[str]] = field(default_factory=lambda: defaultdict(set))
    changed: dict[type[models.Model], set[str]] = field(default_factory=lambda: defaultdict(set))
    is_new: bool = False
    fields: list[str] = field(default_factory=list)  # as the folder names them
    problems: list[Problem] = field(default_factory=list)

    @property
    def has_changed(self) -> bool:
        return self.is_new or bool(self.made or self.changed)


@dataclass
class Totals:
    """What a run came to; what two projects share is counted once."""

    made: dict[type[models.Model], set[str]] = field(default_factory=lambda: defaultdict(set))
    changed: dict[type[models.Model], set[str]] = field(default_factory=lambda: defaultdict(set))
    same: int = 0
    failed: int = 0

    def add(self, outcome: Outcome) -> None:
        if outcome.problems:
            self.failed += 1
            return
        for total, part in ((self.made, outcome.made), (self.changed, outcome.changed)):
            for model, names in part.items():
                total[model] |= names
        self.same += not outcome.has_changed


@dataclass
class Task:
    """A file or folder that is to be imported."""

    path: str
    read: Callable[[], Row]
    model: type[models.Model]


class Importer:
    """Imports a folder. `user` is who the history names; without one it keeps nothing of it."""

    def __init__(self, root: Root, *, is_dry: bool = False, user: Any = None) -> None:
        self.root = root
        self.is_dry = is_dry
        self.user = user
        self.slugs: dict[str, str] = {}  # of this run's projects, with the folder that has it
        self.former: dict[str, str] = {}  # likewise those that they had

    def tasks(self) -> list[Task]:
        """Return what there is to import, in the order in which it refers to one another."""
        folders = {folder.name: folder for folder in self.root.folders()}
        found: list[Task] = []
        for name, model, known in ((EMPLOYERS, Employer, EMPLOYER_FIELDS), (TAGS, Tag, TAG_FIELDS)):
            if name in folders:
                found += self.named(folders[name], model, known)
        for name, folder in folders.items():
            if name not in RESERVED:
                found.append(Task(name, partial(self.project, folder), Portfolio))
        if MEDIA in folders:
            found.append(Task(MEDIA, partial(read_media, folders[MEDIA]), Media))
        return found

    def named(self, folder: Folder, model: type[models.Model], known: list[str]) -> Iterator[Task]:
        try:
            files = folder.files()
        except Refused as error:
            problem = error
            yield Task(folder.name, partial(raised, problem), model)
            return
        for name in files:
            if name.endswith(EXTENSION):
                yield Task(folder.path_of(name), partial(read_named, folder, name, files, known), model)

    def project(self, folder: Folder) -> Row:
        """Read a project, whose slug no other of this run has."""
        row = read_project(folder)
        slug = row.values["slug"]
        if isinstance(slug, str):
            other = self.slugs.setdefault(slug, folder.name)
            if other != folder.name:
                raise row.written.refused(
                    f"{other} has the slug {slug!r} already. Give this project another one.", "slug"
                )
        for place, slug in enumerate(row.former_slugs or ()):
            other = self.former.setdefault(slug, folder.name)
            if other != folder.name:
                reason = f"{other} has this former slug already; it can lead to one project only."
                raise row.written.refused(reason, "former_slugs", place)
        return row

    def run(self) -> Iterator[Outcome]:
        """Import one after another; what is wrong with one is told, and the others go on."""
        for task in self.tasks():
            outcome = Outcome(task.path, task.path, task.model)
            stock = Stock(self.is_dry)
            with closing(stock), operation():  # what is put into a bucket and not used goes at the end
                try:
                    row = task.read()
                    self.prepare(stock, task, row)
                    outcome = self.save(stock, task, row)
                except Refused as error:
                    outcome.problems = error.problems
                except Conflict:
                    outcome.problems = [Problem(task.path, "Someone else changed the same meanwhile. Import it again.")]
                except OSError as error:
                    outcome.problems = [Problem(task.path, f"{error.strerror or error}.")]
                except StorageAway as error:
                    outcome.problems = [Problem(task.path, f"The file could not be stored. {error} Import it again.")]
            yield outcome

    def run_at_once(self, check: Callable[[], Any]) -> list[Outcome]:
        """Import all or nothing, in one transaction that begins with a check; raise Refused for the first problem."""
        with closing(Stock()) as stock:
            rows = [(task, task.read()) for task in self.tasks()]
            with operation():
                for task, row in rows:
                    self.prepare(stock, task, row)
                with transaction.atomic():
                    check()
                    return [self.save(stock, task, row) for task, row in rows]

    def prepare(self, stock: Stock, task: Task, row: Row) -> None:
        """Do what takes long, which is to look at pictures, before the transaction."""
        stock.prepare(row, current(task.model, row))

    def save(self, stock: Stock, task: Task, row: Row) -> Outcome:
        with operation():
            return write(partial(self.save_row, stock, task, row))

    def save_row(self, stock: Stock, task: Task, row: Row) -> Outcome:
        """Make or change a row with all that it needs; what changes nothing leaves no trace."""
        saving = Saving(Outcome(task.path, task.path, task.model), stock, row, self.user)
        if task.model is Media:
            stock.take(row, None, saving.record)
        elif task.model is Portfolio:
            saving.project()
        else:
            saving.named(task.model)
        if self.is_dry or not saving.outcome.has_changed:
            transaction.set_rollback(True)
        return saving.outcome


class Saving:
    """One row's way into the database, within its transaction."""

    def __init__(self, outcome: Outcome, stock: Stock, row: Row, user: Any) -> None:
        self.outcome = outcome
        self.stock = stock
        self.row = row
        self.user = user

    def record(self, instance: Any, changes: Changes, flag: int = CHANGE) -> None:
        """Note what was made or changed, for the report, and in the history where someone answers for it."""
        if flag == ADDITION:
            self.outcome.made[type(instance)].add(key_of(instance))
        elif changes:
            self.outcome.changed[type(instance)].add(key_of(instance))
        if flag == CHANGE and isinstance(instance, Media | self.outcome.model):
            self.tell({"image": "cover", "gallery": "captions", **TEXTS}.get(name, name) for name in changes)
        if self.user is not None:
            log(self.user, instance, flag, changes)

    def tell(self, fields: Iterable[str]) -> None:
        """Note which of the row's fields have changed, each once."""
        self.outcome.fields += [name for name in dict.fromkeys(fields) if name not in self.outcome.fields]

    def saved(self, serializer_class: Any, instance: Any, data: dict[str, Any], where: Where) -> Any:
        """Return a row, made or changed as the API would; or raise Refused with the lines of what it refuses."""
        is_new = instance is None
        serializer = serializer_class(instance, data=data, partial=not is_new)
        if not serializer.is_valid():
            raise Refused(
                problem
                for path, reason in each_reason(serializer.errors)
                for problem in self.row.written.refused(reason, *where(path)).problems
            )
        with transaction.atomic():
            row = serializer.save()
            if not is_new and not serializer.changes:  # it was saved anyway, which would renew when it was updated
                transaction.set_rollback(True)
        self.record(row, serializer.changes, ADDITION if is_new else CHANGE)
        return row

    def finish(self, row: Any, instance: Any) -> None:
        """Note what became of the row that this is all about."""
        self.outcome.name = row.slug if isinstance(row, Portfolio) else row.name
        self.outcome.is_new = instance is None

    def named(self, model: type[models.Model]) -> None:
        """Save an employer or a tag from its file."""
        instance = locked(model, self.row)
        media = self.stock.take(self.row, instance, self.record)
        data = dict(self.row.values)
        if data.get("image") is not None:
            data["image"] = media[data["image"]].pk
        self.finish(self.saved(SERIALIZERS[model], instance, data, written_place), instance)

    def project(self) -> None:
        """Save a project with what it names: employer and tags are made where there are none of these names."""
        instance = locked(Portfolio, self.row)
        media = self.stock.take(self.row, instance, self.record)
        data = dict(self.row.values)
        if data.get("employer") is not None:
            data["employer"] = self.by_name(Employer, data["employer"], ("employer",))
        if "tags" in data:
            data["tags"] = [self.by_name(Tag, name, ("tags", place)) for place, name in enumerate(data["tags"])]
        if data.get("image") is not None:
            data["image"] = media[data["image"]].pk
        if "images" in data:
            data["images"] = [media[name].pk if name is not None else None for name in data["images"]]
        if "captions" in data:
            data["captions"] = self.captions(data, media, instance)
        for name, key, fit in (("links", "image", fit_links), ("meta", "value_file", fit_meta)):
            if name in data:
                items = [{**item, key: item[key] and media[item[key]].pk} for item in data[name]]
                data[name] = fit(getattr(instance, name).all() if instance else [], items)
        keys = [item["key"] for item in data.get("meta", ())]

        def where(path: Path) -> Path:
            """Return where a project's file has what the API has in a place: its meta stand under their keys."""
            if len(path) > 1 and path[0] == "meta":
                return ("meta", keys[int(path[1])], *written_place(path[2:]))
            return ("cover",) if path == ("image",) else path

        portfolio = self.saved(SERIALIZERS[Portfolio], instance, data, where)
        self.former_slugs(portfolio)
        self.finish(portfolio, instance)

    def captions(self, data: dict[str, Any], media: dict[str, Media], instance: Any) -> dict[str, str | None]:
        """Return the captions of a project's gallery by the ids of its images; those that are not named have none."""
        shown = data.get("images")
        if shown is None:
            shown = list(instance.gallery.values_list("media", flat=True)) if instance else []
        texts: dict[str, str | None] = {str(pk): None for pk in shown if pk is not None}
        for name, text in data["captions"].items():
            pk = str(media[name].pk) if name in media else ""
            if pk not in texts:
                raise self.row.written.refused("This file is not in the gallery.", "captions", name)
            texts[pk] = text
        return texts

    def former_slugs(self, portfolio: Portfolio) -> None:
        """Let the slugs that are written lead to the project, besides its own."""
        wanted = self.row.former_slugs
        if wanted is None:
            return
        for place, slug in enumerate(wanted):
            try:
                FormerSlug(slug=slug, portfolio=portfolio).clean_fields()
                validate_line(slug)
                validate_slug(slug)
            except ValidationError as error:
                raise self.row.written.refused(" ".join(error.messages), "former_slugs", place) from error
            if slug == portfolio.slug:
                raise self.row.written.refused("This is the slug that the project has.", "former_slugs", place)
        if len(wanted) > MOST:
            raise self.row.written.refused(f"Name at most {MOST} former slugs.", "former_slugs")
        before = former_slugs(portfolio)
        if before != wanted:
            replace_former_slugs(portfolio, wanted)
            self.record(portfolio, {"former_slugs": (as_slugs(before), as_slugs(wanted))})

    def by_name(self, model: Any, name: str, path: Path) -> int:
        """Return the id of the employer or tag of a name, which is made if there is none."""
        found: int | None = model.objects.filter(name=name).values_list("pk", flat=True).first()
        if found is None:
            found = self.saved(SERIALIZERS[model], None, {"name": name}, lambda _: path).pk
        return found or 0


def as_slugs(slugs: Iterable[str]) -> list[dict[str, Any]]:
    """Return former slugs as the history keeps them."""
    return [{"formerslug": slug, "slug": slug} for slug in slugs]


def written_place(path: Path) -> Path:
    return tuple(WRITTEN.get(str(part), part) for part in path if part != "key")


def raised(error: Refused) -> Row:
    raise error


def key_of(instance: Any) -> str:
    """Return what a row is counted by: a dry run gives the same one several ids."""
    if isinstance(instance, Media):
        return repr((instance.sha256, instance.name, instance.alt, instance.focal_x, instance.focal_y))
    return str(instance.slug if isinstance(instance, Portfolio) else instance.name)


def current(model: Any, row: Row) -> Any:
    """Return the row that is in the database already: a project by its slug, others by their name."""
    name = "slug" if model is Portfolio else "name"
    value = row.values.get(name)
    if model is Media or not isinstance(value, str) or "\0" in value:
        return None
    return model.objects.filter(**{name: value}).first()


def locked(model: Any, row: Row) -> Any:
    """Return the row as `current()` does, which nobody else changes until the transaction ends."""
    found = current(model, row)
    if found is not None:
        lock_showing(model, [found.pk])
    return found and model.objects.select_for_update().filter(pk=found.pk).first()


def fit_links(rows: Iterable[Any], items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give links the ids of those that are there: of the same in all, else of the same name and address, else name."""
    left = list(rows)
    for names in (("name", "url", "description", "image_id"), ("name", "url"), ("name",)):
        for item in items:
            if "id" not in item:
                said = [item.get(name.removesuffix("_id")) for name in names]
                same = next((row for row in left if [getattr(row, name) for name in names] == said), None)
                if same is not None:
                    item["id"] = same.pk
                    left.remove(same)
    return items


def fit_meta(rows: Iterable[Any], items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give meta the ids of those of the same keys."""
    ids = {row.key: row.pk for row in rows}
    there = [ids.get(composed(item["key"])) for item in items]
    return [item if pk is None else {**item, "id": pk} for item, pk in zip(items, there, strict=True)]


def each_reason(errors: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield what a serializer refuses, each with its place."""
    if isinstance(errors, dict):
        for name, part in errors.items():
            yield from each_reason(part, path if name == "non_field_errors" else (*path, name))
    elif isinstance(errors, list):
        for place, part in enumerate(errors):
            if isinstance(part, dict):
                yield from each_reason(part, (*path, place))
            else:
                yield path, str(part)
