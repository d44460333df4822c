"""Files on their way out: served to anyone who knows the path, and removed once their row is gone."""

import os
import posixpath
import stat
from typing import Any

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from .models import Media, Thumbnail
from .uploads import KIND_BY_EXTENSION, extension_of

# What a browser may do with a file that is opened by itself: show it, and nothing else.
POLICY = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"


class MediaResponse(FileResponse):
    block_size = 64 * 1024  # bytes read at a time; FileResponse's 4 KB make four times the work of a film


@require_safe
def serve_media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Serve a file of the local storage, by a type that its name tells and a browser doesn't second-guess."""
    try:
        location = default_storage.path(path)
        found = os.stat(location)
        if posixpath.normpath(path) != path or not stat.S_ISREG(found.st_mode):
            return not_found()
        fresh = get_conditional_response(request, last_modified=int(found.st_mtime))
        if fresh is not None:
            return fresh
        file = open(location, "rb")  # noqa: SIM115 - the response closes it
    except (OSError, ValueError, SuspiciousFileOperation):  # none there, not a name at all, outside of the storage
        return not_found()
    kind = KIND_BY_EXTENSION.get(extension_of(path))
    mime_type = kind.mime_type if kind else "application/octet-stream"
    response = MediaResponse(
        file,
        as_attachment=not mime_type.startswith(("image/", "audio/", "video/", "application/pdf")),
        content_type=f"{mime_type}; charset=utf-8" if mime_type.startswith("text/") else mime_type,
        headers={"Last-Modified": http_date(found.st_mtime), "X-Content-Type-Options": "nosniff"},
    )
    if mime_type != "application/pdf":  # Chrome shows no PDF under a policy like this one
        response.headers["Content-Security-Policy"] = POLICY
    if request.method == "HEAD":
        response.streaming_content = ()
    return response


def not_found() -> HttpResponse:
    return HttpResponse("There is no such file.\n", status=404, content_type="text/plain; charset=utf-8")


def remove_file(instance: Media | Thumbnail, using: str, **kwargs: Any) -> None:
    """Remove a deleted row's file once the deletion is committed."""
    storage, name = instance.file.storage, instance.file.name

    def remove() -> None:
        if name:
            storage.delete(name)

    transaction.on_commit(remove, using=using, robust=True)  # the row is gone: a failure is logged, not raised
