"""Files of a folder as media: recognised where they are stored already, brought in by the one door where not.

A file is recognised by the SHA-256 of its bytes, or of what would be stored of it: what tells of people and places is
taken out of pictures. Nothing is kept beside the media's own digests, so that a file is the same whichever way it came.
"""

from __future__ import annotations  # File[bytes] means something to type checkers only

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.core.files import File
from django.db import models

from folio.history.changes import new_values
from folio.media.bucket import in_bucket
from folio.media.errors import UploadRefused
from folio.media.journal import UploadHandler
from folio.media.kinds import KIND_BY_MIME_TYPE
from folio.media.models import FOLDER, Media, MediaType
from folio.media.naming import label
from folio.media.opening import SVG
from folio.media.privacy import CLEANERS
from folio.media.recognising import detect
from folio.media.serializers import MediaSerializer
from folio.media.storing import Examined, Laid, lay, store
from folio.media.uploads import check_size, digest, examine, without_private_data

from .problems import Problem, Refused
from .reading import Point, Row

CHUNK = 256 * 1024
CENTRE: Point = (None, None)
GONE = "Its media was deleted or changed meanwhile. Import it again."

Record = Callable[..., None]


@dataclass(frozen=True)
class Wanted:
    """A file of a row, with the texts that the folder has for it; None where it says nothing."""

    row: Row
    name: str
    digests: frozenset[str]
    alt: str | None
    label: str | None
    point: Point | None = None

    @property
    def place(self) -> tuple[str, str]:
        return self.row.written.folder.name, self.name

    def is_like(self, media: Media) -> bool:
        """Tell whether a media has the texts that are written, and the point that matters most."""
        has_point = self.point in (None, (media.focal_x, media.focal_y))
        return has_point and self.alt in (None, media.alt) and self.label in (None, media.name)

    def problem(self, reasons: Iterable[str]) -> Problem:
        written = self.row.written
        path = self.row.files.get(self.name, ())
        if path:
            return Problem(written.path, f"{self.name}: {' '.join(reasons)}", written.line(path))
        return Problem(written.folder.path_of(self.name), " ".join(reasons))


class Stock:
    """The media of a run: those of a row are prepared outside of its transaction, and taken within it."""

    def __init__(self, is_dry: bool = False) -> None:
        self.is_dry = is_dry
        self.examined: dict[str, Examined] = {}
        self.opened = ExitStack()
        self.digests: dict[tuple[str, str], set[str]] = {}
        self.laid: dict[tuple[str, str], Laid] = {}  # by the places of those files that are in a bucket already

    def prepare(self, row: Row, owner: models.Model | None) -> None:
        """Examine those files of a row that are to be stored; or raise Refused, with all that is wrong with them."""
        with ThreadPoolExecutor(settings.DECODERS) as pool:  # the database is this thread's to ask
            refuse(pool.map(partial(self.look_at, row), row.files))
            refuse(pool.map(partial(self.look_closer, row), self.unknown(row)))
            taken: set[int] = set()
            new = []
            for wanted in self.wanted(row):
                media = self.find(wanted, owner, taken)
                if media is None:
                    new.append(wanted)
                else:
                    taken.add(media.pk)
            refuse(pool.map(self.examine, new))
        if not self.is_dry:
            refuse(map(self.lay, new))

    def look_at(self, row: Row, name: str, *, closer: bool = False) -> Problem | None:
        """Note the digest of a file's bytes, or else of what would be stored of it."""
        folder = row.written.folder
        digests = self.digests.setdefault((folder.name, name), set())
        try:
            with folder.open(row.written.files[name]) as opened:
                file = File(opened, name)
                check_size(file)
                digests.add(stored_digest(file) if closer else digest(file))
        except Refused as error:
            return error.problems[0]
        except UploadRefused as error:
            # What can't be cleaned is looked at as an upload next, which is told better.
            return None if closer else Wanted(row, name, frozenset(), None, None).problem(error.messages)
        return None

    def look_closer(self, row: Row, name: str) -> Problem | None:
        return self.look_at(row, name, closer=True)

    def unknown(self, row: Row) -> list[str]:
        """Return the names of those files whose very bytes are not stored yet."""
        digests = {name: self.digests[row.written.folder.name, name] for name in row.files}
        held = Media.objects.filter(sha256__in=set().union(*digests.values()))
        known = set(held.order_by().values_list("sha256", flat=True))
        return [name for name in row.files if not digests[name] & known]

    def wanted(self, row: Row) -> list[Wanted]:
        folder = row.written.folder.name
        return [
            Wanted(
                row,
                name,
                frozenset(self.digests[folder, name]),
                row.alt.get(name),
                row.names.get(name),
                row.point(name),
            )
            for name in row.files
        ]

    def examine(self, wanted: Wanted) -> Problem | None:
        """Bring a file in as an upload, and look at it as at one; nothing of it is stored yet."""
        if wanted.digests & self.examined.keys():
            return None
        folder = wanted.row.written.folder
        handler = UploadHandler()
        try:
            with folder.open(wanted.row.written.files[wanted.name]) as opened:
                handler.new_file("file", wanted.name, "application/octet-stream", None)
                size = 0
                while chunk := opened.read(CHUNK):
                    handler.receive_data_chunk(chunk, size)
                    size += len(chunk)
            upload = handler.file_complete(size)
            self.opened.callback(upload.close)
            examined = examine(upload, name=wanted.name)
        except UploadRefused as error:
            return wanted.problem(error.messages)
        except RequestDataTooBig as error:  # it has grown since it was looked at
            return wanted.problem([str(error)])
        self.opened.callback(examined.close)
        for sha256 in {*wanted.digests, examined.media.sha256}:
            self.examined[sha256] = examined
        return None

    def lay(self, wanted: Wanted) -> Problem | None:
        """Put a file that was examined where it has to be before the row's transaction."""
        if in_bucket():
            try:
                self.laid[wanted.place] = lay(self.examined_of(wanted))
            except UploadRefused as error:
                return wanted.problem(error.messages)
        return None

    def examined_of(self, wanted: Wanted) -> Examined:
        """Return what was examined of a file; raise Refused where nothing was."""
        examined = next((self.examined[sha256] for sha256 in wanted.digests if sha256 in self.examined), None)
        if examined is None:
            raise Refused([wanted.problem([GONE])])
        return examined

    def find(self, wanted: Wanted, owner: models.Model | None, taken: set[int]) -> Media | None:
        """Return the media that a file is already, or may become: of the same bytes, and with its texts.

        One with other texts will do where nothing but `owner` shows it: what others show stays as it is.
        """
        digests = set(wanted.digests)
        for sha256 in wanted.digests & self.examined.keys():
            digests.add(self.examined[sha256].media.sha256)
        same = [media for media in Media.objects.filter(sha256__in=digests).order_by("pk") if media.pk not in taken]
        like = [media for media in same if wanted.is_like(media)]
        if like:
            own = shown_by(owner)
            last = len(own)
            return min(like, key=lambda media: (own.get(media.pk, last), media.name != label(wanted.name), media.pk))
        return next((media for media in same if not shown_by_others(media, owner)), None)

    def take(self, row: Row, owner: models.Model | None, record: Record) -> dict[str, Media]:
        """Return a row's files as media, stored and with their texts; to be called in the row's transaction.

        `record` is told what is made and changed.
        """
        found: dict[str, Media] = {}
        for wanted in self.wanted(row):
            media = self.find(wanted, owner, {media.pk for media in found.values()})
            if media is None:
                media = self.store(wanted, record)
            self.set_texts(wanted, media, record)
            found[wanted.name] = media
        return found

    def store(self, wanted: Wanted, record: Record) -> Media:
        examined = self.examined_of(wanted)
        # Each time a row of its own: of one that a rolled back transaction has inserted, the id may be another's now.
        media = copy(examined.media)
        media.name, media.alt = wanted.label or label(wanted.name) or "file", wanted.alt or ""
        media.focal_x, media.focal_y = wanted.point or CENTRE
        if media.type != MediaType.IMAGE and wanted.point not in (None, CENTRE):
            raise Refused([wanted.problem(["Only an image has a point that matters most."])])
        try:
            media.clean_fields(exclude=["file"])
        except ValidationError as error:
            raise Refused([wanted.problem(error.messages)]) from error
        if self.is_dry:
            media.file = f"{FOLDER}/{uuid4().hex}"
            media.save(force_insert=True)
            record(media, new_values(media, ["file", "name", "alt", "focal_x", "focal_y"]), ADDITION)
            return media
        laid = self.laid.get(wanted.place)
        if laid is None and in_bucket():
            raise Refused([wanted.problem([GONE])])
        return store(replace(examined, media=media, laid=laid), partial(record, flag=ADDITION))

    def set_texts(self, wanted: Wanted, media: Media, record: Record) -> None:
        """Give a media the texts that are written, and the point that matters most, as the API would."""
        texts = {"alt": wanted.alt, "name": wanted.label}
        changed: dict[str, Any] = {
            name: text for name, text in texts.items() if text not in (None, getattr(media, name))
        }
        if wanted.point is not None:
            shares = {"focal_x": wanted.point[0], "focal_y": wanted.point[1]}
            changed |= {name: share for name, share in shares.items() if share != getattr(media, name)}
        if not changed:
            return
        serializer = MediaSerializer(media, data=changed, partial=True)
        if not serializer.is_valid():
            raise Refused([wanted.problem(str(error) for errors in serializer.errors.values() for error in errors)])
        serializer.save()
        record(media, serializer.changes, CHANGE)

    def close(self) -> None:
        """Let go of what was examined: its temporary files, and the thumbnails in memory."""
        self.examined.clear()
        self.opened.close()


def refuse(found: Iterable[Problem | None]) -> None:
    problems = [problem for problem in found if problem]
    if problems:
        raise Refused(problems)


def stored_digest(file: File[bytes]) -> str:
    """Return the digest of what would be stored of a file, as far as that is known without decoding it."""
    kind = KIND_BY_MIME_TYPE.get(detect(file))
    is_drawing = kind is not None and kind.mime_type == SVG.mime_type
    if kind is None or not (is_drawing or (kind.mime_type in CLEANERS and settings.KEEP_METADATA != "all")):
        return digest(file)
    with without_private_data(file, kind) as cleaned:
        return digest(cleaned)


def relations() -> Iterator[Any]:
    """Yield the relations by which rows show a media."""
    for relation in Media._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ForeignObjectRel) and getattr(relation, "on_delete", None) is models.PROTECT:
            yield relation


def owned_by(model: Any, owner: models.Model) -> str:
    """Return by which field a model's rows belong to a row, its own `pk` where it is one of them; or nothing."""
    if isinstance(owner, model):
        return "pk"
    name = getattr(model, "owner", "")
    return name if name and isinstance(owner, model._meta.get_field(name).related_model) else ""


def shown_by(owner: models.Model | None) -> dict[int, int]:
    """Return the ids of the media that a row and what belongs to it show, numbered in the order in which they do."""
    found: list[int] = []
    if owner is None:
        return {}
    for relation in relations():
        path = owned_by(relation.related_model, owner)
        if path:
            rows = relation.related_model._default_manager.filter(**{path: owner.pk})
            found += rows.values_list(relation.field.attname, flat=True)
    return {pk: place for place, pk in enumerate(dict.fromkeys(found))}


def shown_by_others(media: Media, owner: models.Model | None) -> bool:
    for relation in relations():
        rows = relation.related_model._default_manager.filter(**{relation.field.name: media})
        path = owned_by(relation.related_model, owner) if owner is not None else ""
        if (rows.exclude(**{path: owner.pk}) if owner is not None and path else rows).exists():
            return True
    return False
