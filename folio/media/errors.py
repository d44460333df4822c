"""Why a file isn't taken, as the API and the admin site tell it."""

from django.core.exceptions import ValidationError


class UploadRefused(ValidationError):
    """A file that isn't accepted; the message tells the uploader why, and what would be."""


class UploadTooLarge(UploadRefused):
    """A file of more bytes than are accepted."""


class UploadBusy(UploadRefused):
    """An image that no decoder was free for; the same file may be accepted in a while."""
