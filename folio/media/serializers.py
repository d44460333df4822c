from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from folio.api.errors import Busy, TooLarge, shortened
from folio.api.serializers import LONGEST, LineField, StrictModelSerializer, StrictSerializer, kind_of

from .documents import FOCAL_X, FOCAL_Y
from .documents import Media as MediaDocument
from .errors import UploadBusy, UploadRefused, UploadTooLarge
from .models import Media, MediaType
from .replacing import replace_file
from .storing import Log
from .uploads import BUSY_SECONDS, store_once, store_upload


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


@extend_schema_field({"type": "number", "minimum": 0, "maximum": 1})
class ShareField(serializers.Field):  # type: ignore[type-arg]
    """A number from 0 to 1, or null: how far something is from the left edge of an image, or from its top."""

    default_error_messages = {
        "incorrect_type": "Enter a number from 0 to 1, or null for the centre; not {kind}.",
        "out_of_range": "Enter a number from 0 to 1, or null for the centre; not {value}.",
        "no_image": "Only an image has a point that matters most; this media is of type {type}.",
    }

    def __init__(self, help_text: str) -> None:
        super().__init__(required=False, allow_null=True, help_text=help_text)

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("incorrect_type", kind=kind_of(data))
        if not 0 <= data <= 1:  # nor is NaN
            self.fail("out_of_range", value=shortened(str(data), LONGEST))
        instance = getattr(self.parent, "instance", None)
        if instance is not None and instance.type != MediaType.IMAGE:
            self.fail("no_image", type=instance.type)
        return abs(float(data))  # -0 would be written differently from 0


class MediaSerializer(StrictModelSerializer):
    """What may change of a media by JSON: its texts, and where an image matters most; the file stays."""

    focal_x = ShareField(FOCAL_X)
    focal_y = ShareField(FOCAL_Y)

    class Meta:
        model = Media
        document = MediaDocument
        fields = ["name", "alt", "focal_x", "focal_y"]
        extra_kwargs = {"name": {"required": False}}
