from typing import Any

from rest_framework import serializers

from folio.api.serializers import StrictModelSerializer

from .documents import Media as MediaDocument
from .models import Media
from .uploads import UploadRefused, UploadTooLarge, store_upload


class UploadSerializer(StrictModelSerializer):
    """A file with its label, as `multipart/form-data`."""

    file = serializers.FileField(allow_empty_file=True, max_length=None)  # the door says what it refuses
    name = serializers.CharField(
        max_length=255, required=False, allow_blank=True, help_text="Default: the file's name."
    )

    class Meta:
        model = Media
        document = MediaDocument
        fields = ["file", "name", "alt"]

    def create(self, validated_data: dict[str, Any]) -> Media:
        try:
            return store_upload(
                validated_data["file"], name=validated_data.get("name", ""), alt=validated_data.get("alt", "")
            )
        except UploadTooLarge:
            raise
        except UploadRefused as error:
            raise serializers.ValidationError({"file": error.messages}) from error


class MediaSerializer(StrictModelSerializer):
    """What may change of a media: its texts; the file stays."""

    class Meta:
        model = Media
        document = MediaDocument
        fields = ["name", "alt"]
        extra_kwargs = {"name": {"required": False}}
