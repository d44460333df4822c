from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import mixins, status, viewsets
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from folio.media.models import Media
from folio.portfolios.models import Portfolio

from .filters import PortfolioFilter
from .serializers import (
    BodySerializer,
    ImageSerializer,
    NewMediaSerializer,
    PortfolioRowSerializer,
    PortfolioSerializer,
)

ROW = ("image__thumbnails", "employer__image__thumbnails", "tags__image__thumbnails", "links__image__thumbnails")
FULL = (*ROW, "images__thumbnails", "meta__value_file")


class PortfolioViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, viewsets.GenericViewSet[Portfolio]
):
    queryset = Portfolio.objects.select_related("image", "employer__image")
    filterset_class = PortfolioFilter
    search_fields = ["title", "slug", "excerpt", "year", "employer__name"]
    ordering_fields = ["id", "title", "slug", "order", "year", "is_active", "completed_at", "created_at", "updated_at"]
    ordering = ["order", "-created_at", "id"]

    def get_queryset(self) -> QuerySet[Portfolio]:
        queryset = super().get_queryset()
        if self.action == "list":
            return queryset.defer("description").prefetch_related(*ROW)
        return queryset.prefetch_related(*FULL)

    def get_serializer_class(self) -> Any:
        serializers = {"list": PortfolioRowSerializer, "create": BodySerializer, "partial_update": BodySerializer}
        return serializers.get(self.action, PortfolioSerializer)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.saved(self.get_serializer(data=request.data), status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: int) -> Response:
        portfolio = get_object_or_404(Portfolio, pk=pk)  # without what belongs to it
        return self.saved(self.get_serializer(portfolio, data=request.data, partial=True), status.HTTP_200_OK)

    def saved(self, serializer: Any, code: int) -> Response:
        """Answer with the full form, read anew with all that belongs to it."""
        serializer.is_valid(raise_exception=True)
        portfolio = self.get_queryset().get(pk=serializer.save().pk)
        data = PortfolioSerializer(portfolio, context=self.get_serializer_context()).data
        return Response(data, code)


class MediaViewSet(viewsets.GenericViewSet[Media]):
    queryset = Media.objects.all()
    serializer_class = NewMediaSerializer
    parser_classes = [MultiPartParser]

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = ImageSerializer(serializer.save(), context=self.get_serializer_context()).data
        return Response(data, status.HTTP_201_CREATED)
