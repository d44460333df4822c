"""The kinds of files that are accepted: their types, their MIME types and their extensions."""

from dataclasses import dataclass

from .models import MediaType
from .opening import IMAGES

OPEN_XML = "application/vnd.openxmlformats-officedocument"
OPEN_DOCUMENT = "application/vnd.oasis.opendocument"


@dataclass(frozen=True)
class FileKind:
    """A kind of file that is accepted; the first of its usual extensions is the default."""

    type: MediaType
    mime_type: str  # as browsers know it: the registered one, of what has none that of its container
    extensions: tuple[str, ...]
    aliases: tuple[str, ...] = ()  # what libmagic or a browser calls it instead
    is_loaded: bool = False  # by the pages of websites, so that it is sent to be used and not to be saved

    @property
    def is_shown(self) -> bool:
        """Tell whether a browser gets it to show or to use; all else is a download."""
        return self.is_loaded or self.type in {MediaType.IMAGE, MediaType.VIDEO, MediaType.AUDIO}


# Texts do nothing by themselves, and their names tell them apart better than libmagic does, to which a CSV with
# semicolons or a long JSON is plain text.
TEXTS = (
    FileKind(MediaType.DOCUMENT, "text/plain", ("txt", "md", "markdown", "log", "srt")),
    FileKind(MediaType.DOCUMENT, "text/csv", ("csv",)),
    FileKind(MediaType.OTHER, "application/json", ("json",)),
)
CAPTIONS = FileKind(MediaType.DOCUMENT, "text/vtt", ("vtt",))
DOCUMENTS = (
    FileKind(MediaType.DOCUMENT, "application/pdf", ("pdf",), is_loaded=True),
    FileKind(MediaType.DOCUMENT, "application/rtf", ("rtf",), ("text/rtf",)),
    FileKind(MediaType.DOCUMENT, "application/msword", ("doc", "dot")),
    FileKind(MediaType.DOCUMENT, "application/vnd.ms-excel", ("xls", "xlt")),
    FileKind(MediaType.DOCUMENT, "application/vnd.ms-powerpoint", ("ppt", "pot", "pps")),
    FileKind(MediaType.DOCUMENT, f"{OPEN_XML}.wordprocessingml.document", ("docx",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_XML}.wordprocessingml.template", ("dotx",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_XML}.spreadsheetml.sheet", ("xlsx",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_XML}.spreadsheetml.template", ("xltx",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_XML}.presentationml.presentation", ("pptx",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_XML}.presentationml.template", ("potx",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_XML}.presentationml.slideshow", ("ppsx",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_DOCUMENT}.text", ("odt",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_DOCUMENT}.text-template", ("ott",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_DOCUMENT}.spreadsheet", ("ods",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_DOCUMENT}.spreadsheet-template", ("ots",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_DOCUMENT}.presentation", ("odp",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_DOCUMENT}.presentation-template", ("otp",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_DOCUMENT}.graphics", ("odg",)),
    FileKind(MediaType.DOCUMENT, f"{OPEN_DOCUMENT}.graphics-template", ("otg",)),
    FileKind(MediaType.DOCUMENT, "application/epub+zip", ("epub",)),
)
LOTTIE_JSON = FileKind(MediaType.OTHER, "video/lottie+json", ("lottie", "lot"), is_loaded=True)
# What designers work with: told by its content and its name together, in `recognising/designs.py`. Sketch, XD, Figma,
# Procreate and LUTs have no registered type.
DESIGNS = (
    FileKind(MediaType.DOCUMENT, "application/vnd.apple.keynote", ("key",)),
    FileKind(MediaType.DOCUMENT, "application/vnd.apple.pages", ("pages",)),
    FileKind(MediaType.DOCUMENT, "application/vnd.apple.numbers", ("numbers",)),
    FileKind(MediaType.OTHER, "application/zip", ("sketch", "xd", "fig", "procreate")),
    # Not `application/pdf`, for which Firefox would save it as a PDF.
    FileKind(MediaType.OTHER, "application/illustrator", ("ai",)),
    FileKind(
        MediaType.OTHER,
        "image/vnd.adobe.photoshop",
        ("psd", "psb"),
        ("image/x-photoshop", "image/photoshop", "image/psd", "image/x-psd", "application/x-photoshop"),
    ),
    FileKind(MediaType.OTHER, "model/gltf-binary", ("glb",), is_loaded=True),
    FileKind(MediaType.OTHER, "model/gltf+json", ("gltf",)),
    FileKind(MediaType.OTHER, "model/vnd.usdz+zip", ("usdz",), is_loaded=True),
    FileKind(MediaType.OTHER, "model/3mf", ("3mf",)),
    FileKind(MediaType.OTHER, "model/obj", ("obj",)),
    FileKind(MediaType.OTHER, "model/stl", ("stl",)),
    FileKind(MediaType.OTHER, "text/plain", ("cube",)),
    FileKind(MediaType.OTHER, "application/zip+dotlottie", ("lottie",), is_loaded=True),
    LOTTIE_JSON,
    FileKind(MediaType.OTHER, "font/woff2", ("woff2",), is_loaded=True),
    FileKind(MediaType.OTHER, "font/woff", ("woff",), is_loaded=True),
    FileKind(MediaType.OTHER, "font/ttf", ("ttf",), ("font/sfnt",), is_loaded=True),
    FileKind(MediaType.OTHER, "font/otf", ("otf",), ("application/vnd.ms-opentype",), is_loaded=True),
)
KINDS = (
    *(FileKind(MediaType.IMAGE, format.mime_type, format.extensions) for format in IMAGES.values()),
    *TEXTS,
    *DOCUMENTS,
    FileKind(MediaType.ARCHIVE, "application/zip", ("zip",)),
    FileKind(MediaType.ARCHIVE, "application/gzip", ("gz", "tgz"), ("application/x-gzip",)),
    FileKind(MediaType.ARCHIVE, "application/x-7z-compressed", ("7z",)),
    FileKind(MediaType.VIDEO, "video/mp4", ("mp4", "m4v"), ("video/x-m4v", "video/3gpp")),
    FileKind(MediaType.VIDEO, "video/quicktime", ("mov", "qt")),
    FileKind(MediaType.VIDEO, "video/webm", ("webm",)),
    FileKind(MediaType.VIDEO, "video/x-matroska", ("mkv",), ("video/matroska",)),
    FileKind(MediaType.VIDEO, "video/ogg", ("ogv",)),
    FileKind(MediaType.AUDIO, "audio/mpeg", ("mp3",)),
    FileKind(MediaType.AUDIO, "audio/aac", ("aac",), ("audio/x-hx-aac-adts", "audio/aacp")),
    FileKind(MediaType.AUDIO, "audio/mp4", ("m4a", "m4b"), ("audio/x-m4a",)),
    FileKind(MediaType.AUDIO, "audio/webm", ("weba",)),
    FileKind(MediaType.AUDIO, "audio/x-matroska", ("mka",)),
    FileKind(MediaType.AUDIO, "audio/ogg", ("ogg", "oga", "opus"), ("application/ogg",)),
    FileKind(MediaType.AUDIO, "audio/wav", ("wav",), ("audio/x-wav", "audio/vnd.wave")),
    FileKind(MediaType.AUDIO, "audio/aiff", ("aiff", "aif", "aifc"), ("audio/x-aiff",)),
    FileKind(MediaType.AUDIO, "audio/flac", ("flac",), ("audio/x-flac",)),
    CAPTIONS,
    *DESIGNS,
)
# Of a type that several have, the first is what it is without a name: a ZIP, a plain text. Of an extension, too.
KIND_BY_MIME_TYPE = {name: kind for kind in reversed(KINDS) for name in (kind.mime_type, *kind.aliases)}
KIND_BY_EXTENSION = {extension: kind for kind in reversed(KINDS) for extension in kind.extensions}
# By these, a file claims to be a picture. Of those that aren't accepted, what they are is told all the same.
PICTURES = {extension for extension, kind in KIND_BY_EXTENSION.items() if kind.type == MediaType.IMAGE} | {
    *("heic", "heif", "hif", "jxl", "jp2", "j2k", "jpf", "jpx", "jls", "svg", "svgz", "ico", "tga", "xcf"),
    *("dng", "cr2", "cr3", "nef", "nrw", "arw", "raf", "orf", "rw2", "pef", "srw", "3fr", "iiq"),
}
