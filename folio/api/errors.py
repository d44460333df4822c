"""The one shape of errors: `{"field": ["message"]}`, `{"non_field_errors": […]}` or `{"detail": …}`."""

import errno
import logging
import sqlite3
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.defaults import server_error
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

logger = logging.getLogger(__name__)

POSTGRESQL_DISK_FULL = "53100"
TOO_MANY = "The request has more fields or files than are accepted."
UNREADABLE = "The request can't be read."


class ApiError(APIException):
    """An error whose body has `members` of their own types beside its `detail`, and that comes with `headers`."""

    headers: Mapping[str, str] = {}

    def __init__(self, detail: str | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.members = members


class Unusable(ApiError):
    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = "This can't be used so."
    default_code = "unusable"


class Conflict(ApiError):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "The change collided with another one. Read the current state and try again."
    default_code = "conflict"


class StillRunning(Conflict):
    default_detail = "The first request with this Idempotency-Key is still being answered. Send it again."
    default_code = "still_running"
    wait = 5  # seconds, as `Retry-After`


class PreconditionFailed(ApiError):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "It is no longer as the request says. Read it again."
    default_code = "precondition_failed"

    def __init__(self, detail: str, headers: Mapping[str, str]) -> None:
        super().__init__(detail)
        self.headers = headers  # what a read would have told of its present state


class Forbidden(ApiError):
    status_code = status.HTTP_403_FORBIDDEN
    default_detail = "This key may not do that."
    default_code = "permission_denied"


class TooLarge(ApiError):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request is too large."
    default_code = "too_large"


class EncodedBody(ApiError):
    """A body that was compressed, say. `Accept-Encoding` tells what is taken (RFC 9110, 15.5.16)."""

    status_code = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE
    default_detail = "A body with a Content-Encoding is not taken. Send it as it is."
    default_code = "unsupported_encoding"
    headers = {"Accept-Encoding": "identity"}


class TooMany(ApiError):
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_detail = "Too many requests."
    default_code = "too_many"

    def __init__(self, detail: str | None = None, wait: int = 1) -> None:
        super().__init__(detail)
        self.wait = wait  # seconds, as `Retry-After`


class Busy(ApiError):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The database did not answer in time. Nothing was changed; try again."
    default_code = "busy"

    def __init__(self, detail: str | None = None, wait: int = 1) -> None:
        super().__init__(detail)
        self.wait = wait  # seconds, as `Retry-After`


class DiskFull(ApiError):
    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_detail = _("The server's disk is full, so nothing was saved. Tell whoever runs the server.")
    default_code = "disk_full"


def is_disk_full(error: BaseException | None) -> bool:
    """Tell whether an error says that a disk has no room left, be it of the files or of the database."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    if not isinstance(error, OperationalError):
        return False
    cause = error.__cause__
    return (
        getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or getattr(cause, "sqlstate", None) == POSTGRESQL_DISK_FULL
    )


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn what a view raised into an answer; None hands an unexpected error on to `EdgeMiddleware`."""
    # Not at the top: this module is imported while `rest_framework.views` reads the classes that the settings name.
    from rest_framework.views import exception_handler as rest_framework_handler

    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    elif isinstance(error, UnreadablePostError):  # the client went away, or ended before its Content-Length
        error = ParseError("The body did not arrive whole. Nothing of it was kept; send it again.")
    elif isinstance(error, SuspiciousOperation):
        error = ParseError(TOO_MANY if isinstance(error, TooManyFieldsSent | TooManyFilesSent) else UNREADABLE)
    elif is_disk_full(error):
        logger.error("The disk is full: %s", error, exc_info=error)
        error = DiskFull()
    elif isinstance(error, OperationalError):
        logger.error("The database failed: %s", error, exc_info=error)
        error = Busy()
    response = rest_framework_handler(error, context)
    if response is not None and isinstance(error, ApiError):
        response.data.update(error.members)
        for name, value in error.headers.items():
            response.headers[name] = value
    return response


def json_error(status_code: int, detail: str = "") -> HttpResponse:
    """Return an error answer from outside the API's views."""
    return JsonResponse({"detail": detail or f"{HTTPStatus(status_code).phrase}."}, status=status_code)


def is_encoded(request: HttpRequest | Request) -> bool:
    """Tell whether a request's body is in a coding, such as `gzip`, which is not undone here."""
    return request.headers.get("Content-Encoding", "").strip().lower() not in {"", "identity"}


def wants_json(request: HttpRequest) -> bool:
    """Tell whether an answer is for a script, not for a browser to show."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """Log what no one foresaw, and answer `500` without telling of the inside."""
    logger.error("Unexpected error at %s %s", request.method, request.path, exc_info=error)
    return json_error(500, "The server failed to answer. The error was logged; nothing of the request was kept.")


def failed(request: HttpRequest) -> HttpResponse:
    """Answer where a page of the admin site failed; a full disk is told, to its scripts in JSON."""
    if not is_disk_full(sys.exc_info()[1]):
        return server_error(request)
    if wants_json(request):
        return json_error(DiskFull.status_code, str(DiskFull.default_detail))
    context = {"detail": DiskFull.default_detail}
    return render(request, "folio/admin/disk_full.html", context, status=DiskFull.status_code)
