from collections.abc import Iterable
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from folio.api.columns import CodePointLineField, NormalCodePointCharField
from folio.api.stored import ADDRESSES, Shown, ShownQuerySet, tell_shown
from folio.api.texts import CodePointCharField

from .thumbnails import BOXES


class MediaType(models.TextChoices):
    IMAGE = "image", _("Image")
    VIDEO = "video", _("Video")
    AUDIO = "audio", _("Audio")
    DOCUMENT = "document", _("Document")
    ARCHIVE = "archive", _("Archive")
    OTHER = "other", _("Other")


PLAYED = {MediaType.VIDEO, MediaType.AUDIO}
GOING = {"file", ADDRESSES}  # what changes of a media that is deleted or gets another file
FOLDER = "core_media"  # Folio writes nowhere else; the rest of a storage may be others'
FORMER_NAMES_KEPT = timedelta(days=2)  # longer than the day on which a name can be given


def media_path(media: "Media", filename: str) -> str:
    """Return where an upload lies: `core_media/YYYY/MM/DD/NAME.EXT`, on the day (UTC) it came."""
    return f"{FOLDER}/{timezone.now():%Y/%m/%d}/{filename}"


def thumbnail_path(thumbnail: "Thumbnail", filename: str) -> str:
    """Return where a thumbnail lies: in `thumbnails/` beside its original, named after it."""
    original = PurePosixPath(thumbnail.media.file.name or "")
    extension = PurePosixPath(filename).suffix
    box = f"{thumbnail.size}x{thumbnail.size}"
    return str(original.parent / "thumbnails" / f"{original.stem}_thumbnail_{box}{extension}")


class MediaQuerySet(ShownQuerySet):
    def images(self) -> "MediaQuerySet":
        return self.filter(type=MediaType.IMAGE)

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            tell_shown(Media, self.order_by().values_list("pk", flat=True), {ADDRESSES})
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


def share_in_words(share: float | None) -> str:
    """Return where a focal point lies along an edge, as the history tells it."""
    return gettext("centre") if share is None else f"{share * 100:.4g}%"


class Media(Shown):
    """An uploaded file: an image with its thumbnails, or any other file."""

    unwatched = ("id", "created_at", "updated_at")

    in_words = {"focal_x": share_in_words, "focal_y": share_in_words}  # fields that the history tells otherwise

    file = models.FileField(upload_to=media_path, max_length=255)
    type = CodePointCharField(max_length=10, choices=MediaType)
    mime_type = CodePointCharField(max_length=100)
    name = CodePointLineField(max_length=255, help_text=_("A label for people; the original file name unless set."))
    alt = NormalCodePointCharField(
        max_length=500, blank=True, help_text=_("What an image shows, for those who can't see it.")
    )
    size = models.BigIntegerField(help_text=_("The file's size in bytes."))
    sha256 = CodePointCharField(
        "SHA-256", max_length=64, blank=True, help_text=_("Of the file's bytes, in hexadecimal digits.")
    )
    width = models.PositiveIntegerField(null=True, blank=True, help_text=_("Pixels, as shown upright."))
    height = models.PositiveIntegerField(null=True, blank=True, help_text=_("Pixels, as shown upright."))
    mode = CodePointCharField(max_length=20, null=True, blank=True, help_text=_("The original's colour mode."))
    dominant_color = CodePointCharField(max_length=7, blank=True, help_text=_("`#rrggbb`: what most of an image has."))
    placeholder = CodePointCharField(
        max_length=500, blank=True, help_text=_("A tiny image as a data URI, shown while the image itself loads.")
    )
    focal_x = models.FloatField(
        null=True, blank=True, help_text=_("What matters most in an image, from its left, 0 to 1; none is the centre.")
    )
    focal_y = models.FloatField(
        null=True, blank=True, help_text=_("What matters most in an image, from its top, 0 to 1; none is the centre.")
    )
    is_animated = models.BooleanField(null=True, editable=False, help_text=_("Of an image: whether it moves."))
    is_transparent = models.BooleanField(
        null=True, editable=False, help_text=_("Of an image: whether anything shines through it.")
    )
    duration = models.FloatField(
        null=True, editable=False, help_text=_("Of a film or a sound: the seconds that it plays.")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = MediaQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "pk"]
        verbose_name_plural = "media"
        constraints = [
            models.UniqueConstraint(fields=["file"], name="media_file_unique"),
            models.CheckConstraint(condition=Q(type__in=MediaType.values), name="media_type_known"),
            models.CheckConstraint(condition=Q(size__gte=0), name="media_size_not_negative"),
            models.CheckConstraint(
                condition=~Q(type=MediaType.IMAGE) | Q(width__isnull=False, height__isnull=False, mode__isnull=False),
                name="media_image_has_dimensions",
            ),
            models.CheckConstraint(
                condition=Q(focal_x=None) | Q(focal_x__range=(0, 1)), name="media_focal_x_within_image"
            ),
            models.CheckConstraint(
                condition=Q(focal_y=None) | Q(focal_y__range=(0, 1)), name="media_focal_y_within_image"
            ),
        ]
        indexes = [
            models.Index(F("created_at").desc(), "id", name="media_default_order"),
            models.Index(fields=["type"], name="media_type"),
            models.Index(fields=["sha256"], name="media_sha256"),
        ]

    def __str__(self) -> str:
        return self.name

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            tell_shown(Media, [self.pk], {ADDRESSES})
            return super().delete(*args, **kwargs)


class Thumbnail(models.Model):
    """An image made smaller, to fit in a square box."""

    media = models.ForeignKey(Media, on_delete=models.CASCADE, related_name="thumbnails")
    size = models.PositiveSmallIntegerField(help_text=_("The edge in pixels of the box that the thumbnail fits in."))
    file = models.FileField(upload_to=thumbnail_path, max_length=255)

    class Meta:
        ordering = ["media_id", "size"]
        constraints = [
            models.UniqueConstraint(fields=["media", "size"], name="thumbnail_size_unique_per_media"),
            models.UniqueConstraint(fields=["file"], name="thumbnail_file_unique"),
            models.CheckConstraint(condition=Q(size__in=BOXES), name="thumbnail_size_known"),
        ]

    def __str__(self) -> str:
        return f"{self.media} {self.size}x{self.size}"


class RemovedFile(models.Model):
    """A file that no media or thumbnail has any more, and that is served all the same until its moment comes."""

    name = CodePointCharField(max_length=255)
    media_id = models.BigIntegerField()  # whose it was; that may be gone
    remove_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["name"], name="removed_file_name_unique")]
        indexes = [
            models.Index(fields=["remove_at"], name="removed_file_remove_at"),
            models.Index(fields=["media_id"], name="removed_file_media"),
        ]

    def __str__(self) -> str:
        return self.name


class PendingFile(models.Model):
    """A file in object storage whose fate is undecided: it is being put, and no row refers to it yet.

    The owner is the operation that is at it, known by the number of a lock that its end frees, and its process's death.
    See `folio.media.pending`.
    """

    name = CodePointCharField(max_length=255)
    owner = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["name"], name="pending_file_name_unique")]
        indexes = [models.Index(fields=["owner"], name="pending_file_owner")]

    def __str__(self) -> str:
        return self.name


class FormerNameQuerySet(models.QuerySet["FormerName"]):
    def remember(self, names: Iterable[str]) -> None:
        """Keep those of the names that an upload could still get: an older day's folder gets no new files."""
        now = timezone.now()
        recent = tuple(f"{FOLDER}/{day:%Y/%m/%d}/" for day in (now - timedelta(days=1), now))
        rows = [FormerName(name=name) for name in names if name.startswith(recent)]
        self.bulk_create(rows, ignore_conflicts=True)

    def forget(self) -> None:
        """Give up the names that no upload could get any more."""
        self.filter(removed_at__lt=timezone.now() - FORMER_NAMES_KEPT).delete()


class FormerName(models.Model):
    """A name in the storage whose file was removed; no other gets it, for browsers keep what they saw under it."""

    name = CodePointCharField(max_length=255)
    removed_at = models.DateTimeField(auto_now_add=True)

    objects = FormerNameQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["name"], name="former_name_unique")]

    def __str__(self) -> str:
        return self.name
