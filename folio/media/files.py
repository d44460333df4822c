"""Files on their way out: served to anyone who knows the path, from this machine or from a bucket."""

import os
import posixpath
import stat
from io import FileIO
from typing import TYPE_CHECKING, Protocol, cast

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe
from django.views.decorators.http import require_safe

from folio.api.errors import AWAY_SECONDS, log_failure, with_wait
from folio.outages import StorageAway
from folio.postgresql.pools import give_back

from .headers import ANY_ORIGIN, CACHE_CONTROL, START_SIZE, content_type_of, is_attachment, policy_of
from .making import on_request
from .naming import extension_of
from .ranges import asked_range

if TYPE_CHECKING:
    from .s3 import ObjectStorage

PLAIN_TEXT = "text/plain; charset=utf-8"


class MediaResponse(FileResponse):
    block_size = START_SIZE  # bytes read at a time; FileResponse's 4 KB make four times the work of a film


class Bytes(Protocol):
    """Bytes of a file, to be read once; closing them gives back what sends them."""

    def read(self, size: int) -> bytes: ...

    def close(self) -> None: ...


class Found(Protocol):
    """A file that is there: `modified` is in seconds since the epoch."""

    size: int
    etag: str
    modified: float

    def part(self, sent: range) -> Bytes: ...

    def content_type(self) -> str:
        """Return what it is served as; to be asked after its `part`."""
        ...

    def close(self) -> None: ...


class LocalFile:
    """A file of the local storage; raises what the system does where there is none of that name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.location: str = default_storage.path(name)
        found = os.stat(self.location)
        if posixpath.normpath(name) != name or not stat.S_ISREG(found.st_mode):
            raise FileNotFoundError(name)
        self.size = found.st_size
        self.etag = f'"{found.st_size:x}-{found.st_mtime_ns:x}"'
        self.modified = found.st_mtime
        self.file: FileIO | None = None

    def part(self, sent: range) -> "Part":
        self.file = open(self.location, "rb", buffering=0)  # noqa: SIM115 - the part closes it
        return Part(self.file, sent.start, len(sent))

    def content_type(self) -> str:
        return content_type_of(self.name, self.start)

    def start(self) -> bytes:
        assert self.file is not None
        return os.pread(self.file.fileno(), START_SIZE, 0)

    def close(self) -> None:
        """Do nothing: the part closes the file."""


class Part:
    """`length` bytes of a file from `start`, to be read once; closing it closes the file."""

    def __init__(self, file: FileIO, start: int, length: int) -> None:
        self.file = file
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
    """Serve a file, or a range of it, or send to where it lies; a variant of a public image is made for that."""
    try:
        response = serve_file(request, path)
        if response is None:
            found = on_request(path)
            if found is not None:
                response = serve_file(request, path) if found == path else sent_to(found)
    except StorageAway as error:
        response = away()
        log_failure(request, response, error)
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
        if isinstance(default_storage, FileSystemStorage):
            return answer(request, path, LocalFile(path))
        from .objects import find_object  # whose library is there where a bucket is

        is_signed = bool(settings.MEDIA_SIGNED) and request.method == "GET"
        found = find_object(request, path, is_sent=not is_signed)
        if found is None:
            return None
        if is_signed:
            return sent_to_bucket(path, found.content_type())
        return answer(request, path, found)
    except (OSError, ValueError, SuspiciousFileOperation):  # none there, not a name at all, outside of the storage
        return None


def answer(request: HttpRequest, path: str, found: Found) -> HttpResponseBase:
    """Answer with a file, or a part of it, or what a condition asks for."""
    headers, last_modified = headers_of(found), int(found.modified)
    conditional = get_conditional_response(request, found.etag, last_modified, HttpResponse(headers=headers))
    if conditional is not None and conditional.status_code != 200:
        for name, value in ANY_ORIGIN.items():  # Django leaves out all but what RFC 9110 asks of a 304
            conditional.headers[name] = value
        found.close()
        return conditional
    asked = asked_range(request, found.size) if may_be_part(request, found.etag, last_modified) else None
    if asked is not None and not asked:
        found.close()
        return not_satisfiable(found.size)
    sent = range(found.size) if asked is None else asked
    give_back()  # the client may take its time
    body = found.part(sent if request.method == "GET" else range(0))
    try:
        response = MediaResponse(
            body,
            as_attachment=is_attachment(path),
            filename=posixpath.basename(path),
            content_type=found.content_type(),
            headers={**headers, "Content-Length": str(len(sent)), "Content-Security-Policy": policy_of(path)},
        )
    except BaseException:
        body.close()
        raise
    if asked is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {sent.start}-{sent.stop - 1}/{found.size}"
    if request.method == "HEAD":
        response.streaming_content = ()
    return response


def headers_of(found: Found) -> dict[str, str]:
    """Return what is said of a file whatever its kind, also where it isn't sent again."""
    return {
        **ANY_ORIGIN,
        "Accept-Ranges": "bytes",
        "Cache-Control": CACHE_CONTROL,
        "ETag": found.etag,
        "Last-Modified": http_date(found.modified),
        "X-Content-Type-Options": "nosniff",
    }


def may_be_part(request: HttpRequest, etag: str, last_modified: int) -> bool:
    """Tell whether `Range` counts: it does for `GET`, of the file that `If-Range` names, if any (RFC 9110, 13.1.5)."""
    condition = request.headers.get("If-Range", etag)
    return request.method == "GET" and (condition == etag or parse_http_date_safe(condition) == last_modified)


def not_satisfiable(size: int) -> HttpResponse:
    return HttpResponse(
        f"The file has {size:,} bytes, none of them in that range.\n",
        status=416,
        content_type=PLAIN_TEXT,
        headers={**ANY_ORIGIN, "Accept-Ranges": "bytes", "Content-Range": f"bytes */{size}"},
    )


def sent_to(name: str) -> HttpResponse:
    """Send to another file for now; the next request may find the one that was asked for."""
    return HttpResponseRedirect(default_storage.url(name), headers={**ANY_ORIGIN, "Cache-Control": "no-store"})


def sent_to_bucket(name: str, content_type: str) -> HttpResponse:
    """Send to a bucket's file by a signature that lasts twice as long as this answer may be kept.

    So whoever is sent there by a copy has half of the time left.
    """
    seconds = int(settings.MEDIA_SIGNED.total_seconds())
    url = cast("ObjectStorage", default_storage).signed_url(name, seconds, content_type)
    return HttpResponseRedirect(url, headers={**ANY_ORIGIN, "Cache-Control": f"public, max-age={seconds // 2}"})


def not_found() -> HttpResponse:
    return HttpResponse("There is no such file.\n", status=404, content_type=PLAIN_TEXT, headers=ANY_ORIGIN)


def away() -> HttpResponse:
    headers = {**ANY_ORIGIN, "Cache-Control": "no-store"}
    text = "Where the files are kept does not answer. Try again.\n"
    return with_wait(HttpResponse(text, status=503, content_type=PLAIN_TEXT, headers=headers), AWAY_SECONDS)
