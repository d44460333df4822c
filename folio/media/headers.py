"""What is said of a file on its way out, by its name and what it begins with: the same here and in object storage."""

import posixpath
from collections.abc import Callable

from django.utils.http import content_disposition_header

from .kinds import KIND_BY_EXTENSION, LOTTIE_JSON, FileKind
from .models import MediaType
from .naming import extension_of
from .opening import SVG
from .recognising.texts import SAMPLE_SIZE, encoding_of

# What a browser may do with a file that is opened by itself: show it, and nothing else. The viewers of PDF that Chrome
# and Firefox have built in show one under it too.
SHOWN = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
POLICY = f"sandbox; {SHOWN}"
# A page without an origin, as a sandbox makes it, may not have the film that it is about: Chrome's player stays black.
PLAYER_POLICY = f"sandbox allow-same-origin; {SHOWN}"
# A drawing has its styles and images in itself, and needs nothing else.
DRAWING_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
# Any website may read what anyone may: by `fetch()`, in a canvas, as a texture, in PDF.js, which asks for ranges. What
# caches keep is good for every origin, since no cookie or key has a part in it.
ANY_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Disposition, Content-Range, ETag",
    "Cross-Origin-Resource-Policy": "cross-origin",  # also for a page that is isolated
}
CACHE_CONTROL = "public, max-age=31536000, immutable"  # a file's URL never serves other bytes
START_SIZE = SAMPLE_SIZE  # bytes at a file's beginning by which its type is told, of few kinds
UNKNOWN = "application/octet-stream"


def kind_of(name: str) -> FileKind | None:
    return KIND_BY_EXTENSION.get(extension_of(name))


def is_attachment(name: str) -> bool:
    """Tell whether a browser is to save a file, and not to show it."""
    kind = kind_of(name)
    return kind is None or not kind.is_shown


def disposition_of(name: str) -> str:
    """Return what a file's answer says of how it is used, as `FileResponse` does."""
    return str(content_disposition_header(is_attachment(name), posixpath.basename(name)))


def content_type_of(name: str, start: Callable[[], bytes]) -> str:
    """Return what a file is served as; of a text with its encoding, as far as its beginning tells it.

    `start` returns that, of START_SIZE bytes or all that there are, and is called only where it tells anything.
    """
    kind = kind_of(name)
    if kind is None:
        return UNKNOWN
    if kind.mime_type.startswith("text/"):
        found = start()
        encoding = encoding_of([found], is_cut=len(found) == START_SIZE)
        return f"{kind.mime_type}; charset={encoding}" if encoding else kind.mime_type
    if is_packed_or_not(kind):
        return LOTTIE_JSON.mime_type if start().lstrip()[:1] == b"{" else kind.mime_type
    return kind.mime_type


def is_packed_or_not(kind: FileKind) -> bool:
    """Tell whether files of a name are an animation of Lottie, packed or not: the name does not say which."""
    return bool(set(LOTTIE_JSON.extensions) & set(kind.extensions))


def is_type_of(name: str, content_type: str) -> bool:
    """Tell whether `content_type_of()` may have said that of a file of this name, whatever it begins with."""
    kind = kind_of(name)
    if kind is None:
        return content_type == UNKNOWN
    if kind.mime_type.startswith("text/"):
        return content_type == kind.mime_type or content_type.startswith(f"{kind.mime_type}; charset=utf-")
    return content_type in ({kind.mime_type, LOTTIE_JSON.mime_type} if is_packed_or_not(kind) else {kind.mime_type})


def policy_of(name: str) -> str:
    kind = kind_of(name)
    if kind is not None and kind.mime_type == SVG.mime_type:
        return DRAWING_POLICY
    return PLAYER_POLICY if kind is not None and kind.type in {MediaType.VIDEO, MediaType.AUDIO} else POLICY
