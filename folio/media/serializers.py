from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework import serializers

from folio.api.errors import Busy, TooLarge
from folio.api.serializers import LineField, StrictModelSerializer, StrictSerializer

from .documents import Media as MediaDocument
from .models import Media
from .replacing import replace_file
from .uploads import BUSY_SECONDS, Log, UploadBusy, UploadRefused, UploadTooLarge, store_once, store_upload


class UploadField(serializers.FileField):
    """A file; the door for uploads says what it refuses."""

    def __init__(self) -> None:
        super().__init__(allow_empty_file=True, max_length=None, help_text="Told by its content, not by its name.")


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the door says of a file into the API's errors."""
    try:
        yield
    except UploadTooLarge as error:
        raise TooLarge(error.messages[0]) from error
    except UploadBusy as error:
        raise Busy(error.messages[0], wait=BUSY_SECONDS) from error
    except UploadRefused as error:
        raise serializers.ValidationError({"file": error.messages}) from error


class UploadSerializer(StrictModelSerializer):
    """A file with its label, as `multipart/form-data`."""

    file = UploadField()
    name = LineField(max_length=255, required=False, allow_blank=True, help_text="Default: the file's name.")

    class Meta:
        model = Media
        document = MediaDocument
        fields = ["file", "name", "alt"]

    def create(self, validated_data: dict[str, Any]) -> Media:
        with refusals():
            return store_upload(**validated_data)  # with the `log` that it is saved with

    def save_once(self, log: Log) -> tuple[Media, bool]:
        """Return the media of the same bytes, or else a new one; and whether it is new."""
        with refusals():
            return store_once(**self.validated_data, log=log)


class ReplacementSerializer(StrictSerializer):
    """Another file for a media, as `multipart/form-data`."""

    file = UploadField()

    def update(self, instance: Media, validated_data: dict[str, Any]) -> Media:
        with refusals():
            return replace_file(instance.pk, **validated_data)


class MediaSerializer(StrictModelSerializer):
    """What may change of a media by JSON: its texts; the file stays."""

    class Meta:
        model = Media
        document = MediaDocument
        fields = ["name", "alt"]
        extra_kwargs = {"name": {"required": False}}
