from functools import partial
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from folio.access.permissions import require
from folio.api.documents import Usage
from folio.api.errors import TooLarge, Unusable
from folio.api.filters import BooleanFilter
from folio.api.idempotency import Keep
from folio.api.middleware import declared_size, largest_body, too_large
from folio.api.parsers import MultiPartParser
from folio.api.stored import lock_showing
from folio.api.usage import lock_users, uses_of
from folio.api.viewsets import ResourceViewSet
from folio.history.changes import Changes, log_each

from . import documents
from .deleting import take_off_all
from .filters import MediaFilterSet
from .models import GOING, Media
from .removals import at_once
from .replacing import ShownAsPicture
from .serializers import MediaSerializer, ReplacementSerializer, UploadSerializer


class MediaViewSet(ResourceViewSet):
    """Uploaded files: images with their thumbnails, and any other."""

    resource = "media"
    queryset = Media.objects.all()
    document = documents.Media
    filterset_class = MediaFilterSet
    serializers_of_uploads: dict[str | None, Any] = {"create": UploadSerializer, "replace_file": ReplacementSerializer}
    code_of_action = {**ResourceViewSet.code_of_action, "usage": "retrieve", "replace_file": "update"}
    conditional = {*ResourceViewSet.conditional, "replace_file"}
    parameters = {
        "create": {
            "deduplicate": BooleanFilter(label="Where the same bytes are stored already, answer with that media")
        },
        "destroy": {
            "detach": BooleanFilter(
                label="Take it off all that uses it first, which needs the update codes of what is changed"
            ),
            "now": BooleanFilter(
                label="Remove its files at once, and those that it had before: what still shows them breaks"
            ),
        },
        "replace_file": {
            "now": BooleanFilter(label="Remove the old file at once, and those before it: what still shows them breaks")
        },
    }
    summaries = {
        "create": "Upload a file",
        "usage": "List what uses a media file",
        "replace_file": "Put another file in the place of one",
    }
    answers = {"usage": (200, Usage)}
    other_answers = {"create": {200: "With `deduplicate`: the same bytes are stored already, as this media."}}
    way_out = "Take it off what uses it first, or delete it with `?detach=true`."

    def get_serializer_class(self) -> Any:
        return self.serializers_of_uploads.get(self.action, MediaSerializer)

    def get_parsers(self) -> list[BaseParser]:
        action = self.action_map.get((self.request.method or "").lower()) if self.request else None
        return [MultiPartParser()] if action in self.serializers_of_uploads else super().get_parsers()

    def create(self, request: Request) -> Response:
        self.refuse_too_large(request)
        return super().create(request)

    def make(self, keep: Keep) -> Response:
        serializer: Any = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        answers: list[Response] = []

        def log(media: Media, changes: Changes) -> None:
            self.record(media, changes, ADDITION)
            answers.append(keep(self.created(self.read(media.pk))))

        is_once = self.given.get("deduplicate")
        media, is_new = serializer.save_once(log) if is_once else (serializer.save(log=log), True)
        return answers[-1] if is_new else self.written(self.read(media.pk))

    def replace_file(self, request: Request, pk: int) -> Response:
        """Put another file behind the id; everything that uses the media shows it at once, by new URLs."""
        media = self.get_queryset().filter(pk=pk).first()
        if media is None:
            raise self.missing(f"id {pk}")
        self.refuse_too_large(request)
        serializer = self.get_serializer(media, data=request.data)
        serializer.is_valid(raise_exception=True)
        answers: list[Response] = []

        def log(media: Media, changes: Changes) -> None:
            self.record(media, changes)
            answers.append(self.written(self.read(pk)))

        try:
            with at_once(self.is_now):
                serializer.save(log=log, judge=self.judge)
        except ShownAsPicture as error:
            raise Unusable(str(error), used_by=error.uses) from error
        except Media.DoesNotExist:
            raise self.missing(f"id {pk}") from None
        return answers[-1]

    def usage(self, request: Request, pk: int) -> Response:
        """List what uses the media."""
        if not self.get_queryset().filter(pk=pk).exists():
            raise self.missing(f"id {pk}")
        return Response(Usage(used_by=uses_of(Media, pk)))

    def locked(self, pk: int) -> Any:
        if self.action == "destroy":
            lock_showing(Media, [pk], GOING)
        if self.is_detaching:
            lock_users(Media, pk)
        return super().locked(pk)

    def perform_destroy(self, instance: Any) -> None:
        if self.is_detaching:
            log = partial(log_each, self.request.user, CHANGE, token=str(self.request.auth))
            take_off_all(instance, lambda code: require(code, self.request), log)
        with at_once(self.is_now):
            super().perform_destroy(instance)

    @property
    def is_detaching(self) -> bool:
        return bool(self.given.get("detach"))

    @property
    def is_now(self) -> bool:
        return bool(self.given.get("now"))

    def refuse_too_large(self, request: Request) -> None:
        """Refuse a body that declares too much before it is read."""
        if declared_size(request) > largest_body():
            raise TooLarge(too_large())
