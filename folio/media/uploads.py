"""The one door for files: what is accepted, what it is called on the disk, and that nothing half-done stays."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import hashlib
import logging
import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from tempfile import TemporaryFile
from typing import IO, NoReturn, cast

import pylibmagic  # isort: skip - it brings libmagic along, which the next line looks for
import magic  # isort: skip
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import IntegrityError, connection, transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from folio.api.columns import shows_something
from folio.api.texts import normal
from folio.history.changes import Changes, new_values

from .decoding import Decoded, DecodersBusy, decoders
from .journal import claim, operation, persist, received_folder, record
from .models import FormerName, Media, MediaType, Thumbnail, media_path, thumbnail_path
from .privacy import CLEANERS, UnreadableStructure, write_without_private_data
from .refusals import DAMAGED, Refusal
from .thumbnails import FORMATS, PREFIX_SIZE, ImageHeader, UnreadableImage, may_be_image

logger = logging.getLogger(__name__)

Log = Callable[[Media, Changes], None]  # records a change in the history, within its transaction

SAMPLE_SIZE = 64 * 1024  # bytes shown to libmagic of a file that isn't on the disk
MARKUP_SIZE = 1024  # bytes at the start of a text in which a browser that guesses would look for HTML, roughly
DIRECTORY_SIZE = 256 * 1024  # bytes at the end of a ZIP in which its list of contents is looked for
BUSY_SECONDS = 5  # after which a file that no decoder was free for is best sent again
STEM_SIZE = 150  # bytes of NAME; whatever is put around it, the 255 of file systems and columns are enough


class UploadRefused(ValidationError):
    """A file that isn't accepted; the message tells the uploader why, and what would be."""


class UploadTooLarge(UploadRefused):
    """A file of more bytes than are accepted."""


class UploadBusy(UploadRefused):
    """An image that no decoder was free for; the same file may be accepted in a while."""


@dataclass(frozen=True)
class FileKind:
    """A kind of file that is accepted; the first of its usual extensions is the default."""

    type: MediaType
    mime_type: str  # as browsers know it
    extensions: tuple[str, ...]
    aliases: tuple[str, ...] = ()  # what libmagic calls it instead


# Texts do nothing by themselves, and their names tell them apart better than libmagic does, to which a CSV with
# semicolons or a long JSON is plain text.
TEXTS = (
    FileKind(MediaType.DOCUMENT, "text/plain", ("txt", "md", "markdown", "log")),
    FileKind(MediaType.DOCUMENT, "text/csv", ("csv",)),
    FileKind(MediaType.OTHER, "application/json", ("json",)),
)
KINDS = (
    *(FileKind(MediaType.IMAGE, format.mime_type, format.extensions) for format in FORMATS.values()),
    *TEXTS,
    FileKind(MediaType.DOCUMENT, "application/pdf", ("pdf",)),
    FileKind(MediaType.DOCUMENT, "application/rtf", ("rtf",), ("text/rtf",)),
    FileKind(MediaType.DOCUMENT, "application/msword", ("doc",)),
    FileKind(MediaType.DOCUMENT, "application/vnd.ms-excel", ("xls",)),
    FileKind(MediaType.DOCUMENT, "application/vnd.ms-powerpoint", ("ppt",)),
    FileKind(MediaType.DOCUMENT, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ("docx",)),
    FileKind(MediaType.DOCUMENT, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ("xlsx",)),
    FileKind(
        MediaType.DOCUMENT, "application/vnd.openxmlformats-officedocument.presentationml.presentation", ("pptx",)
    ),
    FileKind(MediaType.DOCUMENT, "application/vnd.oasis.opendocument.text", ("odt",)),
    FileKind(MediaType.DOCUMENT, "application/vnd.oasis.opendocument.spreadsheet", ("ods",)),
    FileKind(MediaType.DOCUMENT, "application/vnd.oasis.opendocument.presentation", ("odp",)),
    FileKind(MediaType.DOCUMENT, "application/epub+zip", ("epub",)),
    FileKind(MediaType.ARCHIVE, "application/zip", ("zip",)),
    FileKind(MediaType.ARCHIVE, "application/gzip", ("gz", "tgz"), ("application/x-gzip",)),
    FileKind(MediaType.ARCHIVE, "application/x-7z-compressed", ("7z",)),
    FileKind(MediaType.VIDEO, "video/mp4", ("mp4", "m4v"), ("video/x-m4v", "video/3gpp")),
    FileKind(MediaType.VIDEO, "video/quicktime", ("mov", "qt")),
    FileKind(MediaType.VIDEO, "video/webm", ("webm",)),
    FileKind(MediaType.VIDEO, "video/ogg", ("ogv",)),
    FileKind(MediaType.AUDIO, "audio/mpeg", ("mp3",)),
    FileKind(MediaType.AUDIO, "audio/mp4", ("m4a", "m4b"), ("audio/x-m4a",)),
    FileKind(MediaType.AUDIO, "audio/ogg", ("ogg", "oga", "opus"), ("application/ogg",)),
    FileKind(MediaType.AUDIO, "audio/wav", ("wav",), ("audio/x-wav", "audio/vnd.wave")),
    FileKind(MediaType.AUDIO, "audio/flac", ("flac",), ("audio/x-flac",)),
)
KIND_BY_MIME_TYPE = {name: kind for kind in KINDS for name in (kind.mime_type, *kind.aliases)}
KIND_BY_EXTENSION = {extension: kind for kind in KINDS for extension in kind.extensions}

# libmagic takes a document whose parts come in an unusual order for a plain ZIP, or for nothing it has a type for.
UNSURE = {"application/zip", "application/octet-stream"}
MAIN_PARTS = {"docx": b"word/document.xml", "xlsx": b"xl/workbook.xml", "pptx": b"ppt/presentation.xml"}

MARKUP = re.compile(rb"<(?:!doctype|\?|%|(?:html|head|body|svg|script|iframe)\b)", re.IGNORECASE)
PDF_SIGNATURE = b"%PDF-"
BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
WINDOWS_DEVICE = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])", re.IGNORECASE)


@dataclass(frozen=True)
class Examined:
    """An accepted upload, of which nothing is stored yet."""

    content: File[bytes]  # what is to be stored
    media: Media  # the row without its file
    image: Decoded | None
    file_name: str
    is_copy: bool

    def close(self) -> None:
        if self.is_copy:
            self.content.close()


def unlogged(media: Media, changes: Changes) -> None:
    """Leave a change out of the history."""


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
    with closing(examine(file, name=name, alt=alt)) as examined, operation(), transaction.atomic():
        lock_digest(examined.media.sha256)
        same = find_same(examined.media.sha256)
        return (store(examined, log), True) if same is None else (same, False)


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
    image = decode(file)
    kind = KIND_BY_MIME_TYPE[image.header.mime_type] if image else recognise(file, original)
    content = file if settings.KEEP_METADATA else without_private_data(file, kind)
    media = Media(
        type=kind.type,
        mime_type=kind.mime_type,
        name=label(name) or label(original) or "file",
        alt=alt,
        size=content.size,
        sha256=digest(content),
        width=image.width if image else None,
        height=image.height if image else None,
        mode=image.mode if image else None,
        dominant_color=image.dominant_color if image else "",
        placeholder=image.placeholder if image else "",
        is_animated=image.is_animated if image else None,
        is_transparent=image.is_transparent if image else None,
    )
    examined = Examined(content, media, image, safe_name(original, kind), content is not file)
    try:
        media.clean_fields(exclude=["file"])
    except ValidationError:
        examined.close()
        raise
    return examined


def store(examined: Examined, log: Log = unlogged) -> Media:
    media = examined.media
    with removed_on_failure(media.file.storage) as written, transaction.atomic():
        path = insert(media, media_path(media, examined.file_name), examined)
        media.file = write(media.file.storage, path, examined.content, written)
        if media.file.name != path:
            media.save(update_fields=["file"])
        Thumbnail.objects.bulk_create(thumbnail_rows(media, examined, written))
        log(media, new_values(media, ["file", "name", "alt"]))
    return media


def check_size(file: File[bytes]) -> None:
    if not file.size:
        raise UploadRefused(_("The file is empty. Choose one with content."), code="empty")
    if file.size > settings.MAX_UPLOAD_SIZE:
        raise UploadTooLarge(
            _("The file has %(size)s bytes, more than the %(accepted)s that are accepted.")
            % {"size": f"{file.size:,}", "accepted": f"{settings.MAX_UPLOAD_SIZE:,}"},
            code="too_large",
        )


def decode(file: File[bytes]) -> Decoded | None:
    """Return an image's header, thumbnails and what stands in for it, made in a process of its own; None of others.

    Raises UploadRefused where it can't be decoded within the limits, UploadBusy where no process is free.
    """
    file.seek(0)
    if not may_be_image(file.read(PREFIX_SIZE)):
        return None
    pool = decoders(settings.DECODERS, settings.DECODER_MEMORY, settings.DECODER_SECONDS)
    try:
        with on_disk(file) as opened:
            return pool.decode(opened, settings.MAX_IMAGE_PIXELS)
    except UnreadableImage as error:
        raise UploadRefused(said(error), code="unreadable") from error
    except DecodersBusy as error:
        raise UploadBusy(
            _("More images are being uploaded than the server can decode at once. Nothing was stored; try again."),
            code="busy",
        ) from error


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


def without_private_data(file: File[bytes], kind: FileKind) -> File[bytes]:
    """Return a copy of the file without what it tells of people and places, or the file where it can't tell any."""
    if kind.mime_type not in CLEANERS:
        return file
    with ExitStack() as stack:
        copy = stack.enter_context(TemporaryFile(dir=received_folder()))
        try:
            write_without_private_data(cast(IO[bytes], file), copy, kind.mime_type)
        except UnreadableStructure as error:
            raise UploadRefused(said(error), code="damaged") from error
        copy.flush()
        stack.pop_all()  # `Examined` closes it
    return File(copy, file.name)


def digest(file: File[bytes]) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal digits."""
    sha256 = hashlib.sha256()
    for chunk in file.chunks():
        sha256.update(chunk)
    return sha256.hexdigest()


def recognise(file: File[bytes], name: str) -> FileKind:
    """Return what a file that is no readable image is by its content, or raise UploadRefused.

    The name decides only between kinds of which the content could be either.
    """
    mime_type = detect(file)
    kind = KIND_BY_MIME_TYPE.get(mime_type)
    named = KIND_BY_EXTENSION.get(extension_of(name))
    if kind and kind.type == MediaType.IMAGE:
        raise UploadRefused(_(DAMAGED), code="damaged")
    is_text = mime_type in {"text/plain", "text/csv"}
    is_pdf = mime_type == "application/pdf"  # readers look for its signature some way in
    if (is_text and is_markup(file)) or (is_pdf and is_markup(file, PDF_SIGNATURE)):
        refuse(
            _(
                "The file looks like a web page or a script, which would run in a browser or on a server and is "
                "not accepted. Accepted are: %(accepted)s."
            )
        )
    if kind in TEXTS and named in TEXTS:
        return named
    if named and mime_type in UNSURE and is_open_xml(file, extension_of(name)):
        return named
    return kind or refuse(
        _("The file's content is of the type %(type)s, which is not accepted. Accepted are: %(accepted)s."),
        type=mime_type,
    )


def refuse(text: str, **values: str) -> NoReturn:
    accepted = ", ".join(kind.extensions[0] for kind in KINDS)
    raise UploadRefused(text % {"accepted": accepted, **values}, code="not_accepted")


@cache
def detector() -> magic.Magic:
    """Return libmagic with its list of types, which takes a while to load; it locks itself between threads."""
    return magic.Magic(mime=True, magic_file=str(pylibmagic.data.joinpath("magic.mgc")))


def detect(file: File[bytes]) -> str:
    """Return the MIME type of a file's content, as libmagic calls it."""
    if isinstance(file, TemporaryUploadedFile):
        # Old Office formats say what they are in a directory that may lie anywhere in the file.
        return detector().from_file(file.temporary_file_path())
    file.seek(0)
    return detector().from_buffer(file.read(SAMPLE_SIZE))


def is_markup(file: File[bytes], end: bytes = b"") -> bool:
    """Tell whether what libmagic finds harmless begins, before `end`, like HTML, SVG or a script between tags."""
    file.seek(0)
    start = file.read(2 * MARKUP_SIZE).replace(b"\0", b"")  # of UTF-16, whose marks aren't markup either
    if end:
        start = start.partition(end)[0]
    text = start.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\f\v")
    return text.startswith(b"<") or MARKUP.search(text, 0, MARKUP_SIZE) is not None


def is_open_xml(file: File[bytes], extension: str) -> bool:
    """Tell whether a ZIP holds the main part of the Office document that its name promises."""
    if extension not in MAIN_PARTS:
        return False
    file.seek(0)
    signature = file.read(4)
    file.seek(max(0, file.size - DIRECTORY_SIZE))
    directory = file.read(DIRECTORY_SIZE)
    return signature == b"PK\x03\x04" and b"[Content_Types].xml" in directory and MAIN_PARTS[extension] in directory


def extension_of(name: str) -> str:
    return PurePosixPath(name).suffix[1:].lower()


def label(text: str) -> str:
    """Return a text as a label, in one line, or nothing where it shows nothing.

    It goes without control characters and those that make a name read backwards.
    """
    kept = (
        character
        for character in text
        if unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        and unicodedata.bidirectional(character) not in BIDI_CONTROLS
    )
    cleaned = normal("".join(kept)).strip()[:255]
    return cleaned if shows_something(cleaned) else ""


def safe_name(original: str, kind: FileKind) -> str:
    """Return NAME.EXT: of letters, marks and digits of any script, `-` and `_`; EXT fits the content."""
    stem = ""
    for character in unicodedata.normalize("NFC", PurePosixPath(original).stem):
        category = unicodedata.category(character)
        if category[0] != "C":
            stem += character if category[0] in "LMN" or character in "-_" else "_"
    stem = stem.encode()[:STEM_SIZE].decode(errors="ignore")
    if not stem.strip("_"):
        stem = "file"
    if WINDOWS_DEVICE.fullmatch(stem):
        stem = f"_{stem}"
    extension = extension_of(original)
    return f"{stem}.{extension if extension in kind.extensions else kind.extensions[0]}"


def thumbnail_extension(image: ImageHeader, file_name: str) -> str:
    if image.thumbnail_format == image.format:
        return extension_of(file_name)
    return image.thumbnail_format.extensions[0]


@contextmanager
def removed_on_failure(storage: Storage) -> Iterator[list[str]]:
    """Give a list for the names of written files; should the block fail, these files are removed."""
    written: list[str] = []
    with operation():
        try:
            yield written
        except BaseException:
            if connection.in_atomic_block:  # what is around goes on, without these rows
                for name in written:
                    try:
                        storage.delete(name)
                    except Exception:
                        logger.exception("Could not remove %s, which an upload that failed has written.", name)
            raise


def insert(media: Media, path: str, examined: Examined) -> str:
    """Insert the row under a name that is free in the storage and in the table, and was no other's; return that.

    The row goes before its file, so that of two uploads that want one name at once the later waits here for the
    other's commit; S3 would let it overwrite the other's file.
    """
    storage = media.file.storage
    while True:
        path = storage.get_available_name(path, max_length=255)
        media.file = path
        if not FormerName.objects.filter(name__in=[path, *thumbnail_paths(media, examined).values()]).exists():
            try:
                with transaction.atomic():
                    media.save(force_insert=True)
            except IntegrityError:
                if not Media.objects.filter(file=path).exists():
                    raise
            else:
                return path
        path = with_suffix(path)  # not the storage's way: where it overwrites, it has none


def with_suffix(path: str) -> str:
    """Return a name that no file has had: whoever kept one of that name would show it for this one."""
    root, extension = os.path.splitext(path)
    return f"{root}_{get_random_string(7)}{extension}"


def write(storage: Storage, path: str, content: File[bytes], written: list[str], *, lasting: bool = True) -> str:
    """Save a file and return the name it got; `written` and the journal hold it before the first byte is on the disk.

    Call it in the block of `removed_on_failure()`. What can be made again need not be `lasting`: a power failure may
    leave it empty.
    """
    name = claim(storage, path)
    written.append(name)
    written[-1] = storage.save(name, content, max_length=255)
    if written[-1] != name:  # another program has put a file there meanwhile
        record(written[-1])
    if lasting:
        persist(storage, written[-1])
    return written[-1]


def thumbnail_paths(media: Media, examined: Examined) -> dict[int, str]:
    """Return where the thumbnails would lie, by the edge of their box."""
    if examined.image is None:
        return {}
    name = f"thumbnail.{thumbnail_extension(examined.image.header, examined.file_name)}"
    return {box: thumbnail_path(Thumbnail(media=media, size=box), name) for box in sorted(examined.image.thumbnails)}


def thumbnail_rows(media: Media, examined: Examined, written: list[str]) -> list[Thumbnail]:
    """Save the thumbnails' files, named after the media's, and return their rows, not yet inserted."""
    paths = thumbnail_paths(media, examined)
    return [thumbnail_row(media, box, path, examined, written) for box, path in paths.items()]


def thumbnail_row(media: Media, box: int, path: str, examined: Examined, written: list[str]) -> Thumbnail:
    """Save a thumbnail's file and return its row, not yet inserted."""
    content = ContentFile(cast(Decoded, examined.image).thumbnails[box])
    name = write(media.file.storage, path, content, written, lasting=False)
    return Thumbnail(media=media, size=box, file=name)
