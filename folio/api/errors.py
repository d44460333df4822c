"""The one shape of errors: `{"field": ["message"]}`, `{"non_field_errors": […]}` or `{"detail": …}`."""

import errno
import sqlite3
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.shortcuts import render
from django.utils.log import log_response
from django.utils.translation import gettext_lazy as _
from django.views.defaults import bad_request, server_error
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from folio.current import named
from folio.outages import OutcomeUnknown, StorageAway, is_away, is_read_only
from folio.snapshots import looks

AWAY_SECONDS = 5  # after which a page may have a database again
POSTGRESQL_DISK_FULL = "53100"
TOO_MANY = "The request has more fields or files than are accepted."
UNREADABLE = "The request can't be read."
MOST_MESSAGES = 100  # that one answer tells
LONGEST_MESSAGE = 1000  # characters
LONGEST_NAME = 100  # characters of what a member is called, which may be a name that was sent
MORE = f"More is wrong than this: the first {MOST_MESSAGES} messages are told."


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

    def __init__(self, detail: str | None = None, wait: int = 1, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.wait = wait  # seconds, as `Retry-After`
        self.headers = headers or {}  # what is told of the limit


class Busy(ApiError):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = _("The database did not answer in time. Nothing was changed; try again.")
    default_code = "busy"

    def __init__(self, detail: str | None = None, wait: int = 1) -> None:
        super().__init__(detail)
        self.wait = wait  # seconds, as `Retry-After`


class Unknown(Busy):
    default_detail = _(
        "The database went away while the change was saved. Whether it was is not known; read it before you try again."
    )
    default_code = "unknown"


class FilesAway(Busy):
    default_detail = _("Where the files are kept does not answer. Nothing was changed; try again.")
    default_code = "files_away"

    def __init__(self, detail: str | None = None, wait: int = AWAY_SECONDS) -> None:
        super().__init__(detail, wait)


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

    failure = error
    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    elif isinstance(error, UnreadablePostError):  # the client went away, or ended before its Content-Length
        error = ParseError("The body did not arrive whole. Nothing of it was kept; send it again.")
    elif isinstance(error, SuspiciousOperation):
        error = ParseError(TOO_MANY if isinstance(error, TooManyFieldsSent | TooManyFilesSent) else UNREADABLE)
    elif is_disk_full(error):
        error = DiskFull()
    elif will_pass(error):
        error = away(error)()
    response = rest_framework_handler(error, context)
    if response is not None:
        response.data = named(bounded(response.data), response.status_code)
    if response is not None and isinstance(error, ApiError):
        response.data.update(error.members)
        for name, value in error.headers.items():
            response.headers[name] = value
        if error is not failure and response.status_code >= 500:
            log_failure(context["request"], response, failure)
    return response


def will_pass(error: BaseException | None) -> bool:
    """Tell whether something that Folio needs does not answer just now, the database or where the files are."""
    return is_away(error) or isinstance(error, StorageAway)


def away(error: BaseException) -> type[Busy]:
    """Return what is told of what does not answer, or of a database that takes no writes: it may be another's turn."""
    if isinstance(error, StorageAway):
        return FilesAway
    if is_read_only(error) and (found := looks()) is not None:
        found.doubt()
    return Unknown if isinstance(error, OutcomeUnknown) else Busy


def bounded(errors: Any) -> Any:
    """Return the first of errors, each of a bounded length, and that there are more where there are."""
    room = MOST_MESSAGES
    is_cut = False

    def cut(part: Any) -> Any:
        nonlocal room, is_cut
        if isinstance(part, dict):
            told: Any = {}
            for name, inner in part.items():
                if room <= 0:
                    is_cut = True
                    break
                told[shortened(str(name), LONGEST_NAME)] = cut(inner)
            return told
        if isinstance(part, list):
            told = []
            for inner in part:
                if inner and room <= 0:
                    is_cut = True
                    break
                told.append(cut(inner))
            return told
        room -= 1
        return shortened(str(part), LONGEST_MESSAGE)

    first = cut(errors)
    if is_cut and isinstance(first, dict):
        first["non_field_errors"] = [*first.get("non_field_errors", ()), MORE]
    return first


def shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def json_error(status_code: int, detail: str = "") -> HttpResponse:
    """Return an error answer from outside the API's views."""
    body = {"detail": detail or f"{HTTPStatus(status_code).phrase}."}
    return JsonResponse(named(body, status_code), status=status_code)


def is_encoded(request: HttpRequest | Request) -> bool:
    """Tell whether a request's body is in a coding, such as `gzip`, which is not undone here."""
    return request.headers.get("Content-Encoding", "").strip().lower() not in {"", "identity"}


def wants_json(request: HttpRequest) -> bool:
    """Tell whether an answer is for a script, not for a browser to show."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def log_failure(request: Any, response: Any, error: BaseException) -> None:
    """Log why a request failed; Django then adds no line of its own. `folio.logs` words it."""
    log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request, exception=error)


def unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """Log what no one foresaw, and answer `500` without telling of the inside."""
    response = json_error(500, "The server failed to answer. The error was logged; nothing of the request was kept.")
    if will_pass(error):
        told = away(error)()
        response = with_wait(json_error(told.status_code, str(told.detail)), told.wait)
    log_failure(request, response, error)
    return response


def failed(request: HttpRequest) -> HttpResponse:
    """Answer where a page of the admin site failed; what will pass is told, to its scripts in JSON."""
    error = sys.exc_info()[1]
    if isinstance(error, UnreadablePostError):  # whoever sent half a form doesn't wait for an answer
        return bad_request(request, error)
    if is_disk_full(error):
        return page_or_json(request, "disk_full", DiskFull)
    if will_pass(error):
        assert error is not None
        return with_wait(page_or_json(request, "away", away(error)), AWAY_SECONDS)
    return server_error(request)


def page_or_json(request: HttpRequest, template: str, error: type[ApiError]) -> HttpResponse:
    detail, status_code = str(error.default_detail), error.status_code
    if wants_json(request):
        return json_error(status_code, detail)
    return render(request, f"folio/admin/{template}.html", {"detail": detail}, status=status_code)


def with_wait(response: HttpResponse, seconds: int) -> HttpResponse:
    response.headers["Retry-After"] = str(seconds)
    return response
