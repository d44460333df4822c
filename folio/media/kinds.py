"""The kinds of files that are accepted: their types, their MIME types and their extensions."""

from dataclasses import dataclass

from .models import MediaType
from .opening import IMAGES


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
    *(FileKind(MediaType.IMAGE, format.mime_type, format.extensions) for format in IMAGES.values()),
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
