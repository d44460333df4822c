"""What all public addresses have in common: whoever asks may read, and nothing else, and nobody asks who they are."""

from collections.abc import Iterable
from math import inf
from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from folio.api.filters import MAX_LIMIT, BareFilter
from folio.api.viewsets import ListingView, StrictView
from folio.portfolios.moments import hold

from .schema import PublicSchema

DEFAULT_LIMIT = 12


def limit_filter(noun: str = "results") -> BareFilter:
    """Return the parameter `limit` of a public list, for its filterset."""
    return BareFilter(min_value=1, label=f"How many {noun} to return; at most {MAX_LIMIT}, default {DEFAULT_LIMIT}")


class OneForm(BaseContentNegotiation):
    """Answers in the first of a view's forms, whatever `Accept` says."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return None

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type


class PublicView(StrictView):
    """A view under `/api/public/`: it knows no key and no cookie, and takes `GET`, `HEAD` and `OPTIONS` alone.

    What such an answer must not depend on is no longer in the request (`folio.delivery.middleware`), and what it tells
    caches is said in front of Django (`folio.snapshots.public`), of errors too.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)
    content_negotiation_class = OneForm
    http_method_names = ["get", "head", "options"]
    schema = PublicSchema()
    is_counted = False  # by `folio.delivery.middleware`
    kept_statuses = (200, 301, 404)  # which all may change when a moment comes
    until: float = -inf

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method == "OPTIONS":  # which is answered whatever its parameters are
            return
        super().initial(request, *args, **kwargs)
        self.until = hold(request.META)

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """Tell the methods, in `Allow`; a browser's preflight is answered before it comes here."""
        return Response(status=204)

    def deadline(self, request: Request) -> float:
        return self.until

    def missing(self, noun: str, slug: str) -> NotFound:
        """Return the error of what is not there, or not published: nobody may tell which."""
        return NotFound(f"There is no {noun} with the slug {slug}.")


class PublicListView(PublicView, ListingView):
    """A viewset with a public list, whose filterset has `limit = limit_filter()`."""

    default_limit = DEFAULT_LIMIT
