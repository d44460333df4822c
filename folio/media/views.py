from typing import Any

from django.conf import settings
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from folio.api.errors import TooLarge
from folio.api.viewsets import ResourceViewSet

from . import documents
from .filters import MediaFilterSet
from .models import Media
from .serializers import MediaSerializer, UploadSerializer
from .uploads import UploadTooLarge

ENVELOPE = 64 * 1024  # bytes that a multipart body may have around its file


class MediaViewSet(ResourceViewSet):
    """Uploaded files: images with their thumbnails, and any other."""

    resource = "media"
    queryset = Media.objects.all()
    document = documents.Media
    filterset_class = MediaFilterSet

    def get_serializer_class(self) -> Any:
        return UploadSerializer if self.action == "create" else MediaSerializer

    def get_parsers(self) -> list[BaseParser]:
        return [MultiPartParser()] if self.request and self.request.method == "POST" else super().get_parsers()

    def create(self, request: Request) -> Response:
        declared = request.META.get("CONTENT_LENGTH") or ""
        if declared.isdecimal() and int(declared) > settings.MAX_UPLOAD_SIZE + ENVELOPE:
            raise TooLarge(f"The upload is larger than {settings.MAX_UPLOAD_SIZE} bytes, the most that is accepted.")
        try:
            return self.created(self.perform_create())
        except UploadTooLarge as error:
            raise TooLarge(error.messages[0]) from error
