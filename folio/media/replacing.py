"""Another file behind the id of a media: what uses it shows the new one, and no URL ever serves other bytes."""

from __future__ import annotations  # File[bytes] means something to type checkers only

from collections.abc import Callable
from contextlib import closing

from django.core.files import File
from django.db import transaction

from folio.api.documents import Use
from folio.api.stored import ADDRESSES, lock_showing, tell_shown
from folio.api.usage import first_uses_of, relations_to
from folio.history.changes import set_values

from .bucket import in_bucket
from .models import GOING, Media, MediaType, Thumbnail, media_path
from .naming import with_suffix
from .removals import let_go
from .storing import Examined, Laid, Log, lay, removed_on_failure, thumbnail_rows, unlogged, write
from .uploads import examine

KEPT = {"id", "file", "name", "alt", "focal_x", "focal_y", "created_at", "updated_at"}
# What the history keeps of it; the placeholder, so that entries of before can show what was there.
TOLD = ("file", "mime_type", "size", "width", "height", "placeholder", "focal_x", "focal_y")
SAME_SHAPE = 0.01  # by how much two pictures of one shape may differ in width to height
REPLACED = [field.name for field in Media._meta.concrete_fields if field.name not in KEPT]  # what the new file tells


class ShownAsPicture(Exception):
    """A file of another type would replace an image that is shown as one by `uses`."""

    def __init__(self, uses: list[Use]) -> None:
        super().__init__("This media is used as a picture. Send an image, or take it off what uses it first.")
        self.uses = uses


def replace_file(
    pk: int, file: File[bytes], *, log: Log = unlogged, judge: Callable[[int], None] = lambda pk: None
) -> Media:
    """Store a file with its thumbnails in the place of a media's, and return the row as it is now.

    Raises UploadRefused, ShownAsPicture or Media.DoesNotExist. Whatever fails, the row stays as it is, with its files;
    these go once the new ones are committed, after their grace. Call it outside of transactions, as `store_upload()`,
    whose `log` it takes as well. `judge` is called with the id once the row is locked, and may raise.
    """
    with (
        closing(examine(file)) as examined,
        removed_on_failure(examined.media.file.storage) as written,
    ):
        laid = lay(examined, with_suffix(examined.file_name)) if in_bucket() else None
        return put_in_place(pk, examined, laid, written, log, judge)


def put_in_place(
    pk: int, examined: Examined, laid: Laid | None, written: list[str], log: Log, judge: Callable[[int], None]
) -> Media:
    with transaction.atomic():
        lock_showing(Media, [pk], GOING)
        media = Media.objects.select_for_update().get(pk=pk)
        judge(pk)
        refuse_other_type(pk, examined.media)
        tell_shown(Media, [pk], {ADDRESSES})
        let_go(media)
        old = media.file.name
        is_alike = same_shape(media, examined.media)
        changes = set_values(media, {name: getattr(examined.media, name) for name in REPLACED})
        if not is_alike:
            changes |= set_values(media, {"focal_x": None, "focal_y": None})
        if laid:
            laid.take_off()
            media.file = laid.file
        else:
            path = media_path(media, with_suffix(examined.file_name))
            media.file = write(media.file.storage, path, examined.content, written)
        media.save()
        changes["file"] = (old, media.file.name)
        media.thumbnails.all().delete()
        Thumbnail.objects.bulk_create(laid.rows(media) if laid else thumbnail_rows(media, examined, written))
        log(media, {name: changes[name] for name in TOLD if name in changes})
    return media


def same_shape(old: Media, new: Media) -> bool:
    """Tell whether two media are images as wide as high as each other.

    The point that matters most stays where a picture comes again, retouched or larger. One that was cropped, or is
    another altogether, has it elsewhere, and its centre is the better guess.
    """
    if {old.type, new.type} != {MediaType.IMAGE}:
        return False
    if not (old.width and old.height and new.width and new.height):
        return False
    return abs(old.width * new.height / (old.height * new.width) - 1) <= SAME_SHAPE


def refuse_other_type(pk: int, new: Media) -> None:
    """Raise ShownAsPicture where something uses the media that the new file would not do for."""
    relations = relations_to(Media)
    unmet = (each for each in relations if any(getattr(new, name) != value for name, value in each.demands.items()))
    uses = first_uses_of(unmet, pk)
    if uses:
        raise ShownAsPicture(uses)
