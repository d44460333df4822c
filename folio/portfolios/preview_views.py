from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from folio.api.errors import shortened
from folio.api.fields import BIGGEST
from folio.api.serializers import StrictSerializer, kind_of
from folio.api.viewsets import StrictView, write

from .models import Portfolio
from .previews import LONGEST, USUAL, Preview, end_all, share

MOST = int(LONGEST.total_seconds())


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": MOST, "default": int(USUAL.total_seconds())})
class SecondsField(serializers.Field):  # type: ignore[type-arg]
    """How long a link lasts."""

    default_error_messages = {
        "invalid": f"Enter a whole number of seconds, from 1 to {MOST} (30 days), not {{given}}.",
        "null": f"Enter a whole number of seconds, from 1 to {MOST} (30 days), not null.",
    }

    def to_internal_value(self, data: Any) -> timedelta:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid", given=kind_of(data))
        if not 1 <= data <= MOST:
            self.fail("invalid", given=shortened(str(data), 40))
        return timedelta(seconds=data)


class PreviewSerializer(StrictSerializer):
    """How long a preview link lasts."""

    expires_in = SecondsField(required=False, help_text="Seconds; 7 days when left out, 30 days at the most.")


class PreviewViewSet(StrictView, GenericViewSet):  # type: ignore[type-arg]
    """Links that show a portfolio before it is published."""

    tells_secrets = True
    may_be_kept = False
    resource = "portfolios"
    queryset = Portfolio.objects.all()
    serializer_class = PreviewSerializer
    lookup_value_converter = "int"
    code_of_action = {"share_preview": "update", "end_previews": "update"}
    answers = {"share_preview": (201, Preview), "end_previews": (204, None)}
    other_answers = {"end_previews": {204: "All are ended."}}
    other_errors = {409: "It collided with another change three times; try again."}
    summaries = {
        "share_preview": "Make a preview link of {one}",
        "end_previews": "End all preview links of {one}",
    }

    def share_preview(self, request: Request, pk: int) -> Response:
        """Make a link that shows the portfolio, though it is not published, to whoever has it."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        lasts = serializer.validated_data.get("expires_in", USUAL)
        made = self.written(pk, lambda: share(request.user, pk, lasts, key=str(request.auth)))
        return Response(made, status=201, headers={"Cache-Control": "no-store"})

    def end_previews(self, request: Request, pk: int) -> Response:
        """End all links that show the portfolio; `updated_at` stays as it is."""
        self.written(pk, lambda: end_all(request.user, pk, key=str(request.auth)))
        return Response(status=204)

    def written(self, pk: int, change: Any) -> Any:
        try:
            if pk > BIGGEST:  # which SQLite can't even be asked for
                raise Portfolio.DoesNotExist
            return write(change)
        except Portfolio.DoesNotExist:
            raise NotFound(f"There is no portfolio with the id {pk}.") from None
