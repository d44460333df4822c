"""Files on their way out: served to anyone who knows the path."""

import os
import posixpath
import re
import stat
from io import FileIO

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe
from django.views.decorators.http import require_safe

from .kinds import KIND_BY_EXTENSION, LOTTIE_JSON, FileKind
from .making import on_request
from .models import MediaType
from .naming import extension_of
from .opening import SVG
from .recognising.texts import encoding_of

# What a browser may do with a file that is opened by itself: show it, and nothing else. The viewers of PDF that Chrome
# and Firefox have built in show one under it too.
SHOWN = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
POLICY = f"sandbox; {SHOWN}"
# A page without an origin, as a sandbox makes it, may not have the film that it is about: Chrome's player stays black.
PLAYER_POLICY = f"sandbox allow-same-origin; {SHOWN}"
# Any website may read what anyone may: by `fetch()`, in a canvas, as a texture, in PDF.js, which asks for ranges. What
# caches keep is good for every origin, since no cookie or key has a part in it.
ANY_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Disposition, Content-Range, ETag",
    "Cross-Origin-Resource-Policy": "cross-origin",  # also for a page that is isolated
}
# A drawing has its styles and images in itself, and needs nothing else.
DRAWING_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
CACHE_CONTROL = "public, max-age=31536000, immutable"  # a file's URL never serves other bytes
RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.IGNORECASE)


class MediaResponse(FileResponse):
    block_size = 64 * 1024  # bytes read at a time; FileResponse's 4 KB make four times the work of a film


class Part:
    """`length` bytes of a file from `start`, to be read once; closing it closes the file."""

    def __init__(self, file: FileIO, start: int, length: int) -> None:
        self.file = file
        self.name = file.name
        self.left = length
        file.seek(start)

    def read(self, size: int) -> bytes:
        piece = self.file.read(min(size, self.left))
        self.left -= len(piece)
        return piece

    def close(self) -> None:
        self.file.close()


@require_safe
def serve_media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Serve a file of the local storage, or a range of it; a variant of a public image is made for that."""
    response = serve_file(request, path)
    if response is None:
        found = on_request(path)
        if found is not None:
            response = serve_file(request, path) if found == path else sent_to(found)
    if response is None:
        response = not_found()
    if may_be_framed(path):
        response.xframe_options_exempt = True  # type: ignore[attr-defined]  # Django's middleware looks for it
    return response


def may_be_framed(path: str) -> bool:
    """Tell whether other websites may show a file in a frame, where it can do no more than in a tab of its own."""
    return extension_of(path) == "pdf"


def serve_file(request: HttpRequest, path: str) -> HttpResponseBase | None:
    """Serve a file by a type that its name tells and no browser guesses; return None where there is none."""
    try:
        location = default_storage.path(path)
        found = os.stat(location)
        if posixpath.normpath(path) != path or not stat.S_ISREG(found.st_mode):
            return None
        headers = headers_of(found)
        etag, last_modified = headers["ETag"], int(found.st_mtime)
        conditional = get_conditional_response(request, etag, last_modified, HttpResponse(headers=headers))
        if conditional is not None and conditional.status_code != 200:
            for name, value in ANY_ORIGIN.items():  # Django leaves out all but what RFC 9110 asks of a 304
                conditional.headers[name] = value
            return conditional
        asked = asked_range(request, found.st_size) if may_be_part(request, etag, last_modified) else None
        if asked is not None and not asked:
            return not_satisfiable(found.st_size)
        file = open(location, "rb", buffering=0)  # noqa: SIM115 - the response closes it
    except (OSError, ValueError, SuspiciousFileOperation):  # none there, not a name at all, outside of the storage
        return None
    sent = range(found.st_size) if asked is None else asked
    kind = KIND_BY_EXTENSION.get(extension_of(path))
    response = MediaResponse(
        Part(file, sent.start, len(sent)),
        as_attachment=kind is None or not kind.is_shown,
        content_type=content_type_of(kind, file),
        headers={**headers, "Content-Length": str(len(sent)), "Content-Security-Policy": policy_of(kind)},
    )
    if asked is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {sent.start}-{sent.stop - 1}/{found.st_size}"
    if request.method == "HEAD":
        response.streaming_content = ()
    return response


def content_type_of(kind: FileKind | None, file: FileIO) -> str:
    """Return what a file is served as; of a text with its encoding, as far as its beginning tells it."""
    if kind is None:
        return "application/octet-stream"
    if kind.mime_type.startswith("text/"):
        start = beginning(file)
        encoding = encoding_of([start], is_cut=len(start) == MediaResponse.block_size)
        return f"{kind.mime_type}; charset={encoding}" if encoding else kind.mime_type
    if set(LOTTIE_JSON.extensions) & set(kind.extensions):  # packed or not, under one name
        return LOTTIE_JSON.mime_type if beginning(file).lstrip()[:1] == b"{" else kind.mime_type
    return kind.mime_type


def beginning(file: FileIO) -> bytes:
    return os.pread(file.fileno(), MediaResponse.block_size, 0)


def policy_of(kind: FileKind | None) -> str:
    if kind is not None and kind.mime_type == SVG.mime_type:
        return DRAWING_POLICY
    return PLAYER_POLICY if kind is not None and kind.type in {MediaType.VIDEO, MediaType.AUDIO} else POLICY


def headers_of(found: os.stat_result) -> dict[str, str]:
    """Return what is said of a file whatever its kind, also where it isn't sent again."""
    return {
        **ANY_ORIGIN,
        "Accept-Ranges": "bytes",
        "Cache-Control": CACHE_CONTROL,
        "ETag": f'"{found.st_size:x}-{found.st_mtime_ns:x}"',
        "Last-Modified": http_date(found.st_mtime),
        "X-Content-Type-Options": "nosniff",
    }


def may_be_part(request: HttpRequest, etag: str, last_modified: int) -> bool:
    """Tell whether `Range` counts: it does for `GET`, of the file that `If-Range` names, if any (RFC 9110, 13.1.5)."""
    condition = request.headers.get("If-Range", etag)
    return request.method == "GET" and (condition == etag or parse_http_date_safe(condition) == last_modified)


def asked_range(request: HttpRequest, size: int) -> range | None:
    """Return the bytes that `Range` asks for (RFC 9110, 14), empty where the file of `size` bytes has none of them.

    None stands for the whole file: no range, several of them, a malformed one, or one of another unit.
    """
    match = RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix:
        return range(max(0, size - int(suffix)), size) if size or not int(suffix) else None
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1) if last else size)


def not_satisfiable(size: int) -> HttpResponse:
    return HttpResponse(
        f"The file has {size:,} bytes, none of them in that range.\n",
        status=416,
        content_type="text/plain; charset=utf-8",
        headers={**ANY_ORIGIN, "Accept-Ranges": "bytes", "Content-Range": f"bytes */{size}"},
    )


def sent_to(name: str) -> HttpResponse:
    """Send to another file for now; the next request may find the one that was asked for."""
    return HttpResponseRedirect(default_storage.url(name), headers={**ANY_ORIGIN, "Cache-Control": "no-store"})


def not_found() -> HttpResponse:
    text = "There is no such file.\n"
    return HttpResponse(text, status=404, content_type="text/plain; charset=utf-8", headers=ANY_ORIGIN)
