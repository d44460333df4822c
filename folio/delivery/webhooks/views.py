"""Webhooks for admins: who is told what has changed, and what came of it."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from folio.access.permissions import IsAdmin
from folio.api.conditions import IF_MATCH
from folio.api.errors import Conflict
from folio.api.fields import BIGGEST
from folio.api.filters import PageFilterSet
from folio.api.viewsets import ListingView, ResourceViewSet, StrictView, write
from folio.history.changes import Changes, log
from folio.snapshots.etags import digest_of, etag_of

from ..models import Webhook, WebhookDelivery
from . import documents
from .entered import LookedUp
from .managing import recordable, renew_secret, sent_again
from .serializers import NothingSerializer, WebhookSerializer


class ManagesWebhooks(IsAdmin):
    """Lets admins in, with a key that may do all that they may."""

    purpose = "manage webhooks"


def unless_known(request: HttpRequest, response: Any) -> HttpResponse:
    """Return an answer with its tag; or that it is the one which the request names."""
    etag = etag_of(digest_of(response.content))
    response.headers["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


class OfWebhooks(StrictView):
    """What is told here, nobody keeps: neither the server nor anyone on the way."""

    may_be_kept = False
    tells_secrets = True
    permission_classes = (ManagesWebhooks,)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        if request.method in {"GET", "HEAD"} and response.status_code == 200:
            response.add_post_render_callback(partial(unless_known, request._request))
        return response

    def refuse_body(self, request: Request) -> None:
        NothingSerializer(data=request.data).is_valid(raise_exception=True)


class WebhookViewSet(OfWebhooks, ResourceViewSet):
    """Addresses of websites, and of whoever builds them, that are told what has changed."""

    resource = "webhooks"
    queryset = Webhook.objects.all()
    document = documents.Webhook
    filterset_class = PageFilterSet
    serializer_class = WebhookSerializer
    answers = {"create": (201, documents.NewWebhook), "renew_secret": (200, documents.NewWebhook)}
    summaries = {"renew_secret": "Give {one} another secret"}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.looked_up = LookedUp()
        if self.action in {"create", "update", "partial_update"} and isinstance(request.data, Mapping):
            self.looked_up.look_up(request.data.get("url"))

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "looked_up": self.looked_up}

    def get_serializer_class(self) -> Any:
        return NothingSerializer if self.action == "renew_secret" else WebhookSerializer

    def conditions_taken(self) -> Collection[str]:
        return (IF_MATCH,) if self.action in self.conditional else ()

    def retrieve(self, request: Request, pk: int) -> Response:
        found = documents.Webhook.read([pk] if pk <= BIGGEST else [], "")
        if pk not in found:
            raise self.missing(f"id {pk}")
        return self.written(found[pk])

    def perform_create(self) -> documents.NewWebhook:
        serializer: Any = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        webhook = serializer.save()
        self.record(webhook, serializer.changes, ADDITION)
        return documents.NewWebhook.of(webhook)

    def renew_secret(self, request: Request, pk: int) -> Response:
        """What is sent from then on is signed with the new secret; the former one is worth nothing."""
        self.refuse_body(request)
        return self.written(write(lambda: self.perform_renewal(pk)))

    def perform_renewal(self, pk: int) -> documents.NewWebhook:
        webhook = self.locked(pk)
        self.record(webhook, renew_secret(webhook))
        return documents.NewWebhook.of(webhook)

    def record(self, instance: Any, changes: Changes, action_flag: int = CHANGE) -> None:
        super().record(instance, recordable(changes), action_flag)


class DeliveryViewSet(OfWebhooks, ListingView):
    """What a webhook was told in the last 30 days, and what came of it; the newest first."""

    resource = "deliveries"
    queryset = WebhookDelivery.objects.all()
    document = documents.Delivery
    filterset_class = PageFilterSet
    serializer_class = NothingSerializer
    answers = {"send": (200, documents.Delivery)}
    summaries = {"list": "List what a webhook was told", "send": "Send a webhook something again"}

    @property
    def other_errors(self) -> dict[int, str]:
        waits = "Its webhook is inactive, or is being told something else; one goes after the other."
        return {409: waits} if self.action == "send" else {}

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        return rows.filter(webhook=self.kwargs["pk"]) if self.action == "list" else rows

    def scope(self) -> Hashable:
        return self.kwargs["pk"]

    def list(self, request: Request, pk: int = 0) -> Response:
        return super().list(request)

    def found(self, *asked: Any) -> tuple[int, Sequence[int]]:
        if not Webhook.objects.filter(pk=self.kwargs["pk"]).exists():
            raise NotFound(f"There is no webhook with the id {self.kwargs['pk']}.")
        return super().found(*asked)

    def send(self, request: Request, pk: int) -> Response:
        """It is sent soon, once more under the same `webhook-id`."""
        self.refuse_body(request)
        return Response(write(lambda: self.perform_sending(pk)))

    def perform_sending(self, pk: int) -> documents.Delivery:
        delivery = self.get_queryset().select_for_update().filter(pk=pk).first()
        if delivery is None:
            raise NotFound(f"There is no delivery with the id {pk}.")
        try:
            log(self.request.user, delivery.webhook, CHANGE, sent_again(delivery), token=str(self.request.auth))
        except ValueError as error:
            raise Conflict(str(error)) from error
        return documents.Delivery.read([pk], "")[pk]
