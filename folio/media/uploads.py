"""The one door for files: what is accepted, what it is called on the disk, and that nothing half-done stays."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import PurePosixPath
from tempfile import TemporaryFile
from typing import IO, cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import connection, transaction
from django.utils.translation import gettext as _

from .decoding import Decoders, DecodersBusy, decoders
from .depicting import to_depict
from .errors import UploadBusy, UploadRefused, UploadTooLarge
from .journal import operation, received_folder
from .kinds import KIND_BY_MIME_TYPE, FileKind
from .models import Media
from .naming import extension_of, label, safe_name
from .opening import PREFIX_SIZE, SVG, UnreadableImage, may_be_image
from .orders import Clean, Decoded, Depicted, Prepare
from .playing import measured
from .privacy import CLEANERS
from .recognising import named_text, recognise
from .refusals import Refusal
from .storing import Examined, Log, store, unlogged, with_files
from .svg.telling import START_SIZE, may_be_svg

GZIP = b"\x1f\x8b"
BUSY_SECONDS = 5  # after which a file that no decoder was free for is best sent again


def store_upload(file: File[bytes], *, name: str = "", alt: str = "", log: Log = unlogged) -> Media:
    """Store a file, with thumbnails if it is an image, and return its row; or raise UploadRefused.

    `log` is called within the transaction, with what is new, to record it in the history.
    Whatever fails, neither row nor file stays. Call it outside of transactions, where others would have to wait with
    their writes while an image is decoded.
    """
    with closing(examine(file, name=name, alt=alt)) as examined:
        return store(examined, log)


def store_once(file: File[bytes], *, name: str = "", alt: str = "", log: Log = unlogged) -> tuple[Media, bool]:
    """Return the oldest media of the same bytes, or else store them as `store_upload()` does; and whether it did.

    The same are also those that are stored of the file, should these be others than it came with.
    """
    check_size(file)
    same = find_same(digest(file))
    if same is not None:
        return same, False
    with closing(examine(file, name=name, alt=alt)) as examined, operation():
        same = find_same(examined.media.sha256)
        if same is not None:
            return same, False
        laid = with_files(examined)  # before the lock, which would have others wait for a bucket
        with transaction.atomic():
            lock_digest(examined.media.sha256)
            same = find_same(examined.media.sha256)
            return (store(laid, log), True) if same is None else (same, False)


def lock_digest(sha256: str) -> None:
    """Keep others from storing the same bytes once more until the transaction ends; on SQLite, nobody else writes."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(bytes.fromhex(sha256)[:8], signed=True)])


def find_same(sha256: str) -> Media | None:
    return Media.objects.filter(sha256=sha256).order_by("pk").first()


def examine(file: File[bytes], *, name: str = "", alt: str = "") -> Examined:
    """Return what is to be stored of a file, or raise UploadRefused."""
    original = PurePosixPath((file.name or "").replace("\\", "/")).name
    check_size(file)
    # Of a text that begins as pictures do, such as notes on `GIF89a`, a decoder would find a damaged one.
    image, content = (None, file) if named_text(file, original) else prepare(file)
    shown: Decoded | Depicted | None = image
    if image:
        kind = KIND_BY_MIME_TYPE[image.header.mime_type]
    else:
        kind = recognise(file, original)
        content = file if settings.KEEP_METADATA == "all" else without_private_data(file, kind)
        shown = depicted(content, kind.mime_type)
    played = measured(cast(IO[bytes], content), kind.mime_type)
    media = Media(
        type=kind.type,
        mime_type=kind.mime_type,
        name=label(name) or label(original) or "file",
        alt=alt,
        size=content.size,
        sha256=digest(content),
        width=shown.width if shown and shown.width else played.width,
        height=shown.height if shown and shown.height else played.height,
        duration=played.duration,
        mode=image.mode if image else None,
        dominant_color=shown.dominant_color if shown else "",
        placeholder=shown.placeholder if shown else "",
        is_animated=image.is_animated if image else None,
        is_transparent=image.is_transparent if image else None,
    )
    examined = Examined(content, media, shown, safe_name(original, kind), content is not file)
    try:
        media.clean_fields(exclude=["file"])
    except ValidationError:
        examined.close()
        raise
    return examined


def check_size(file: File[bytes]) -> None:
    if not file.size:
        raise UploadRefused(_("The file is empty. Choose one with content."), code="empty")
    if file.size > settings.MAX_UPLOAD_SIZE:
        raise UploadTooLarge(
            _("The file has %(size)s bytes, more than the %(accepted)s that are accepted.")
            % {"size": f"{file.size:,}", "accepted": f"{settings.MAX_UPLOAD_SIZE:,}"},
            code="too_large",
        )


def prepare(file: File[bytes]) -> tuple[Decoded | None, File[bytes]]:
    """Return an image's header, thumbnails and what stands in for it, with what is to be stored; None of others.

    All is made in a process of its own. Raises UploadRefused where it can't be within the limits, UploadBusy where no
    process is free.
    """
    file.seek(0)
    start = file.read(START_SIZE)
    if may_be_svg(start):
        refuse_unless_allowed()
    elif not may_be_image(start[:PREFIX_SIZE]):
        refuse_packed_svg(start, file.name or "")
        return None, file
    order = Prepare(settings.MAX_IMAGE_PIXELS, settings.KEEP_METADATA)
    with on_disk(file) as opened, another() as copy:
        with refusals():
            image = image_decoders().prepare(opened, copy, order)
        return image, taken(copy, file.name) if image and image.is_rewritten else file


def refuse_unless_allowed() -> None:
    if not settings.ALLOW_SVG:
        raise UploadRefused(
            _("SVG is not accepted here: FOLIO_ALLOW_SVG is off. Send the drawing as PNG."), code="svg_off"
        )


def refuse_packed_svg(start: bytes, name: str) -> None:
    if extension_of(name) == "svgz" and start.startswith(GZIP):
        raise UploadRefused(_("The SVG is compressed (svgz). Save it as plain SVG and send that."), code="svgz")


def without_private_data(file: File[bytes], kind: FileKind) -> File[bytes]:
    """Return a copy of the file without what it tells of people and places, or the file where it can't tell any.

    Raises what `prepare()` raises.
    """
    if kind.mime_type not in CLEANERS and kind.mime_type != SVG.mime_type:
        return file
    with on_disk(file) as opened, another() as copy:
        with refusals():
            image_decoders().clean(opened, copy, Clean(kind.mime_type, settings.KEEP_METADATA))
        return taken(copy, file.name)


def depicted(file: File[bytes], mime_type: str) -> Depicted | None:
    """Return what shows a PDF or a film; None of other files, and where nothing can: that is no reason to refuse one.

    Where all decoders are at work, `folio makethumbnails` makes it later.
    """
    order = to_depict(mime_type)
    if order is None:
        return None
    with on_disk(file) as opened, suppress(DecodersBusy):
        return image_decoders().depict(opened, order)
    return None


def image_decoders() -> Decoders:
    return decoders(settings.DECODERS, settings.DECODER_MEMORY, settings.DECODER_SECONDS)


@contextmanager
def refusals() -> Iterator[None]:
    """Say in the words of an upload's refusal why the decoders have made nothing."""
    try:
        yield
    except UnreadableImage as error:
        raise UploadRefused(said(error), code="unreadable") from error
    except DecodersBusy as error:
        raise UploadBusy(
            _("More images are being uploaded than the server can decode at once. Nothing was stored; try again."),
            code="busy",
        ) from error


@contextmanager
def another() -> Iterator[IO[bytes]]:
    """Open a file without a name, for a decoder to write to; it is closed in the end unless it was `taken()`."""
    with TemporaryFile(dir=received_folder()) as copy:
        yield copy


def taken(copy: IO[bytes], name: str | None) -> File[bytes]:
    """Return what was written to a file that is to be closed, open by itself."""
    return File(open(os.dup(copy.fileno()), "rb"), name)


def said(refusal: Refusal) -> str:
    """Return why a file is refused in the language of who sent it."""
    return _(refusal.text) % refusal.values


@contextmanager
def on_disk(file: File[bytes]) -> Iterator[IO[bytes]]:
    """Open a file that another process can read, too: the upload's own, or a copy without a name."""
    if isinstance(file, TemporaryUploadedFile):
        with open(file.temporary_file_path(), "rb") as opened:
            yield opened
        return
    with TemporaryFile() as copy:
        for chunk in file.chunks():
            copy.write(chunk)
        copy.flush()
        yield copy


def digest(file: File[bytes]) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal digits."""
    sha256 = hashlib.sha256()
    for chunk in file.chunks():
        sha256.update(chunk)
    return sha256.hexdigest()
