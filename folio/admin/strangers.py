"""What those who are not signed in may send to the pages outside of the API: little, and nothing of it to the disk."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import render
from django.utils.translation import gettext as _

from folio.api.errors import json_error, wants_json
from folio.api.middleware import API_PREFIX, SMALL_BODY, declared_size

from .languages import ADMIN_PREFIX

MOST_FIELDS = 1000


class StrangersMiddleware:
    """Looks at a form before the check against forgeries does, which reads it whole from whoever sends one.

    The API's views ask for a key before they read anything.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        of_address = request.META.get("QUERY_STRING", "").count("&")
        size = declared_size(request)
        is_told = size > 0 or of_address > MOST_FIELDS
        if not is_told or request.path_info.startswith(API_PREFIX) or is_signed_in(request):
            return None
        request.upload_handlers = [MemoryFileUploadHandler(request)]
        try:
            is_little = size <= SMALL_BODY and of_address + fields_of_body(request) <= MOST_FIELDS
        except RequestDataTooBig:
            is_little = False
        except UnreadablePostError:  # the client went away
            return None
        return None if is_little else refuse(request)


def is_signed_in(request: HttpRequest) -> bool:
    """Tell whether it is a page of the admin site that is asked for, by someone whom that lets in."""
    return request.path_info.startswith(ADMIN_PREFIX) and admin.site.has_permission(request)


def fields_of_body(request: HttpRequest) -> int:
    """Return how many fields a small form has at the most, without taking it apart."""
    boundary = (request.content_params or {}).get("boundary", "")
    separator = f"--{boundary}".encode() if boundary else b"&"
    return request.body.count(separator)


def refuse(request: HttpRequest) -> HttpResponse:
    if wants_json(request):
        return json_error(413, sentence())
    return render(request, "folio/admin/too_large.html", {"detail": sentence()}, status=413)


def sentence() -> str:
    return _(
        "You are not signed in, and so can send %(size)d KB and %(fields)d fields at the most. Nothing was kept. "
        "Sign in, go back, and send it again."
    ) % {"size": SMALL_BODY // 1024, "fields": MOST_FIELDS}
