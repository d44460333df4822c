import time
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from math import inf
from typing import Any, TypeVar

import msgspec
from django.contrib.admin.models import ADDITION, CHANGE, DELETION
from django.db import IntegrityError, OperationalError, models, transaction
from django.http import HttpRequest
from django.urls import reverse
from django_filters import Filter
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from folio.history.changes import Changes, log
from folio.snapshots import KEEP, SNAPSHOT, remember

from . import usage
from .conditions import (
    IF_MATCH,
    IF_UNMODIFIED_SINCE,
    NO_CONDITIONS,
    Conditions,
    conditions_of,
    last_modified,
    validators,
)
from .documents import KEY_SIZE, Document, encoded
from .errors import Conflict
from .fields import BIGGEST
from .filters import DEFAULT_LIMIT, ID_SIZE, MAX_LIMIT, NAMED, PageFilterSet
from .idempotency import Keep, once, refuse_key
from .limits import Counted
from .pagination import Statement, Window, page_of
from .parameters import checked
from .stored import lock_showing

ATTEMPTS = 3
STATEMENT_SIZE = 4096  # bytes of SQL, roughly
DEADLOCK = "40P01"  # PostgreSQL's code for having ended one of two changes that waited for each other
HOUR = 3600  # seconds
T = TypeVar("T")

# What each write ends with, in its transaction: what follows from what was written, whatever that was.
last_steps: list[Callable[[], object]] = []


def write(operation: Callable[[], T]) -> T:
    """Run a change, with its checks, in one transaction.

    Where it loses a race against another one, it runs again: its checks now see the winner, and name the field.
    """
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                result = operation()
                for step in last_steps:
                    step()
                return result
        except models.ProtectedError:  # an IntegrityError too, though no race: Django looked, and found a user
            raise
        except IntegrityError as error:
            collision: Exception = error
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != DEADLOCK:
                raise
            collision = error
    raise Conflict from collision


def base_url(request: HttpRequest | Request) -> str:
    """Return the scheme and host that absolute URLs begin with, without a slash."""
    return f"{request.scheme}://{request.get_host()}"


def deadline_of(key: Any, now: float | None = None) -> float:
    """Return until when an answer to this key holds: its expiry, or the full hour, at which its use is noted again."""
    if key is None:
        return inf
    now = time.time() if now is None else now
    next_hour = (now // HOUR + 1) * HOUR
    return min(next_hour, key.expires_at.timestamp()) if key.expires_at else next_hour


class StrictView(Counted):
    """A view that refuses query parameters that it doesn't know, once it is settled who may ask."""

    may_be_kept = True
    kept_statuses: Collection[int] = (status.HTTP_200_OK,)
    parameters: Mapping[str, Mapping[str, Filter]] = {}  # by action, what it takes
    given: dict[str, Any]  # their values
    conditions: Conditions  # of the request
    tells_secrets = False  # such as keys: answers that nobody keeps, to be told again
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not self.takes_parameters():
            self.given = checked(request.query_params, self.parameters.get(getattr(self, "action", None) or "", {}))
        self.conditions = conditions_of(request, self.conditions_taken())
        if self.tells_secrets:
            refuse_key(request)

    def takes_parameters(self) -> bool:
        """Tell whether the action checks its parameters itself."""
        return False

    def conditions_taken(self) -> Collection[str]:
        """Return the headers of conditions that the action takes."""
        return ()

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Mark what may be given again for as long as nothing is committed, and until when at the most."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.add_post_render_callback(self.part_with)
        if self.may_be_kept and request.method == "GET" and response.status_code in self.kept_statuses:
            response.headers[KEEP] = str(self.deadline(request))
        return response

    def deadline(self, request: Request) -> float:
        """Return until when the answer holds though nothing is written, in seconds since the epoch."""
        return deadline_of(request.auth)

    def part_with(self, response: Response) -> None:
        """Undo what holds a rendered answer and its view together, or its bytes stay until Python looks for cycles."""
        del self.response
        vars(response)["renderer_context"].clear()


class ListingView(StrictView, GenericViewSet):  # type: ignore[type-arg]
    """A viewset with a list: checked parameters, one query for the count, one for the page's ids."""

    resource: str
    filterset_class: type[PageFilterSet]
    document: type[Document]
    row: type[Document]
    page: type[msgspec.Struct]
    default_limit = DEFAULT_LIMIT
    max_limit = MAX_LIMIT

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "document" in cls.__dict__:
            cls.row = cls.__dict__.get("row", cls.document)
            cls.page = page_of(cls.row)

    def takes_parameters(self) -> bool:
        return bool(self.action == "list")

    def scope(self) -> Hashable:
        """Return what the list depends on besides its parameters."""
        return None

    def shown(self, ids: Sequence[int]) -> Collection[int]:
        """Return those of the ids whose documents the request's key may be told, asked after these were read.

        Documents are kept by id, for all keys: a view whose `get_queryset` depends on the key says here what it does to
        them. Asked before, a row that is hidden meanwhile would be told with what was written into it since.
        """
        return ids

    def list(self, request: Request) -> Response:
        filterset = self.filterset_class(request.query_params)
        self.given = filterset.values
        window = Window(filterset.values, self.default_limit, self.max_limit)
        snapshot = request.META.get(SNAPSHOT)
        count, ids = self.found(filterset, window, snapshot)
        results = self.results(ids, filterset, snapshot)
        return Response(self.page(count=count, results=results, **window.links(request, count)))

    def found(self, filterset: PageFilterSet, window: Window, snapshot: int | None) -> tuple[int, Sequence[int]]:
        """Return how many rows match, and the ids of those in the window."""
        rows = self.get_queryset()
        key = (type(self), self.scope(), filterset.narrowing())
        size = KEY_SIZE + len(key[2])
        count = remember(snapshot, key, lambda: filterset.count(rows), size)

        def statement(is_reversed: bool) -> Statement:
            """Return the SQL for the ids: Django takes longer to write it than the database to carry it out."""
            written = (*key, filterset.order(), is_reversed)
            room = STATEMENT_SIZE + ID_SIZE * min(count, NAMED) + size
            return remember(snapshot, written, lambda: filterset.statement(rows, count, is_reversed), room)

        return count, window.read(count, statement)

    def in_form(self, document: type[Document]) -> type[Document]:
        """Return a document in the form that the request's parameters ask for."""
        return document

    def results(self, ids: Sequence[int], filterset: PageFilterSet, snapshot: int | None) -> Sequence[msgspec.Raw]:
        """Return the rows of a page, encoded; those that are gone meanwhile are left out."""
        documents = encoded(self.in_form(self.row), ids, base_url(self.request), snapshot)
        shown = set(self.shown(ids))
        return [documents[pk] for pk in ids if pk in documents and pk in shown]


class ResourceViewSet(ListingView):
    """The five actions of a resource, each allowed by its permission code."""

    lookup_value_converter = "int"
    owner = ""  # the field that names whose row it is, `pk` for its own: who is locked first, and touched by a change
    way_out = "Take it off what uses it first."
    code_of_action = {"partial_update": "update", "destroy": "delete"}
    conditional = {"update", "partial_update", "destroy"}  # the actions that a condition may stop

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.queryset is not None:
            usage.resources[cls.queryset.model] = cls.resource
            if cls.owner:
                usage.owners[cls.queryset.model] = cls.owner

    def conditions_taken(self) -> Collection[str]:
        if self.action not in self.conditional:
            return ()
        return (IF_MATCH, IF_UNMODIFIED_SINCE) if "updated_at" in self.document.__struct_fields__ else (IF_MATCH,)

    def retrieve(self, request: Request, pk: int) -> Response:
        return self.document_of(pk)

    def create(self, request: Request) -> Response:
        request.data  # noqa: B018 read before the transaction, for which other writers wait: it may come slowly
        return once(self, self.make)

    def make(self, keep: Keep) -> Response:
        """Make the row; what is answered is kept with it where the request may be sent again."""
        return write(lambda: keep(self.created(self.perform_create())))

    def created(self, document: Any) -> Response:
        location = self.request.build_absolute_uri(reverse(f"{self.resource}-detail", kwargs={"pk": document.id}))
        return self.written(document, status.HTTP_201_CREATED, Location=location)

    def written(self, document: Document, status_code: int = status.HTTP_200_OK, **headers: str) -> Response:
        """Answer a write with what it left, and the tags that a plain read of that has."""
        content = msgspec.json.encode(document)
        plain = document.plain()
        tags = validators(content if plain is document else msgspec.json.encode(plain))
        return Response(msgspec.Raw(content), status_code, headers={**headers, **tags})

    def update(self, request: Request, pk: int, partial: bool = False) -> Response:
        request.data  # noqa: B018 as above
        return self.written(write(lambda: self.perform_update(pk, partial)))

    def partial_update(self, request: Request, pk: int) -> Response:
        return self.update(request, pk, partial=True)

    def destroy(self, request: Request, pk: int) -> Response:
        try:
            write(lambda: self.perform_deletion(pk))
        except models.ProtectedError as error:
            uses = usage.first_uses_of(usage.relations_to(self.get_queryset().model), pk)
            raise Conflict(f"This {self.noun} is in use. {self.way_out}", used_by=uses) from error
        return Response(status=status.HTTP_204_NO_CONTENT)

    def perform_create(self) -> Any:
        serializer: Any = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        instance = serializer.save()
        self.record(instance, serializer.changes, ADDITION)
        return self.read(instance.pk)

    def perform_update(self, pk: int, partial: bool) -> Any:
        instance = self.locked(pk)
        self.judge(pk)
        serializer: Any = self.get_serializer(instance, data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        self.record(serializer.save(), serializer.changes)
        return self.read(pk)

    def perform_deletion(self, pk: int) -> None:
        instance = self.locked(pk)
        self.judge(pk)
        self.record(instance, {}, DELETION)
        self.perform_destroy(instance)

    def perform_destroy(self, instance: models.Model) -> None:
        if usage.is_protected(type(instance), instance.pk):
            raise models.ProtectedError("It is in use.", set())  # Django would read all that uses it, to say the same
        instance.delete()

    def record(self, instance: models.Model, changes: Changes, action_flag: int = CHANGE) -> None:
        """Record in the history what the key's owner has changed; to be called in the transaction of the change."""
        log(self.request.user, instance, action_flag, changes, token=str(self.request.auth))

    def locked(self, pk: int) -> Any:
        """Return the row, which no one else changes until the transaction ends; or raise NotFound."""
        lock_showing(self.get_queryset().model, [pk])
        instance = self.get_queryset().select_for_update().filter(pk=pk).first()
        if instance is None:
            raise self.missing(f"id {pk}")
        return instance

    def judge(self, pk: int) -> None:
        """Raise PreconditionFailed unless the row, which is locked, is as the request asks."""
        if self.conditions != NO_CONDITIONS:
            document = self.read(pk)
            forms = [document.plain()] if document.plain() is document else [document.plain(), document]
            self.conditions.judge([msgspec.json.encode(form) for form in forms], self.noun)

    def document_of(self, pk: int) -> Response:
        """Answer with the full document, ready if it was read before; or raise NotFound."""
        # SQLite can't even be asked for more than 64 bits.
        ids = [pk] if pk <= BIGGEST else []
        document = self.in_form(self.document)
        found = encoded(document, ids, base_url(self.request), self.request.META.get(SNAPSHOT))
        if pk not in found or pk not in self.shown(ids):
            raise self.missing(f"id {pk}")
        return Response(found[pk], headers=last_modified(found[pk]))

    def read(self, pk: int) -> Any:
        """Return the full document of a row that was just found or written; or raise Conflict where it is gone."""
        found = self.in_form(self.document).read([pk], base_url(self.request))
        if pk not in found:
            raise Conflict
        return found[pk]

    def missing(self, what: str) -> NotFound:
        return NotFound(f"There is no {self.noun} with the {what}.")

    @property
    def noun(self) -> str:
        return str(self.get_queryset().model._meta.verbose_name)
