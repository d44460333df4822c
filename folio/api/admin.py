"""What the admin site's pages share with the API: its search, how it reads texts and moments, and one way to write."""

import json
from collections.abc import Callable
from datetime import time
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.messages.storage import default_storage
from django.core.exceptions import BadRequest, ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db.models import DateTimeField, F, QuerySet, TextField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from .errors import Busy, Conflict
from .texts import MAX_SEARCH_WORDS, search
from .viewsets import write


class TextBoxField(forms.CharField):
    """A text of several lines as the API would get it: lines end in line feeds, and an empty box is null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not self.required:
            self.empty_value = None

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if text else text


class MomentField(forms.SplitDateTimeField):
    """A date and a time, UTC; a date alone is its midnight, as in the API."""

    def compress(self, data_list: Any) -> Any:
        if data_list and data_list[0] and data_list[1] is None:
            data_list = [data_list[0], time()]
        return super().compress(data_list)


FIELDS = {TextField: {"form_class": TextBoxField}, DateTimeField: {"form_class": MomentField}}


class AbsentLast(F):
    """A column by which a list is sorted with its absent values last, in both directions and on both databases."""

    def asc(self, **kwargs: Any) -> Any:
        return super().asc(nulls_last=True)

    def desc(self, **kwargs: Any) -> Any:
        return super().desc(nulls_last=True)


class ResourceAdmin(ModelAdmin):
    """The pages of a resource: `search_fields` are texts to search as the API does, and a write is one transaction."""

    formfield_overrides: Any = FIELDS

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term.replace("\0", " ").split()[:MAX_SEARCH_WORDS]
        return search(queryset, " ".join(words), *self.get_search_fields(request)) if words else queryset, False

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return in_one_write(request, lambda: super(ResourceAdmin, self).changelist_view(request, *args, **kwargs))

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return in_one_write(request, lambda: super(ResourceAdmin, self).changeform_view(request, *args, **kwargs))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return in_one_write(request, lambda: super(ResourceAdmin, self).delete_view(request, *args, **kwargs))


def in_one_write(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer with `view()`; a write that loses a race runs again, and its form now names what is wrong."""

    def attempt() -> HttpResponse:
        request._messages = default_storage(request)  # type: ignore[attr-defined]  # one that failed told of success
        return view()

    if request.method != "POST":
        return view()
    try:
        return write(attempt)
    except Conflict as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(request.get_full_path())


def json_body(request: HttpRequest) -> dict[str, Any]:
    """Return the object that a script of the admin site sent; raise BadRequest for anything else."""
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise BadRequest(_("The request could not be read. Load the page again.")) from error
    if not isinstance(body, dict):
        raise BadRequest(_("The request could not be read. Load the page again."))
    return body


def answer_in_json(change: Callable[[], dict[str, Any]]) -> JsonResponse:
    """Answer a script of the admin site with what `change()` returns, or with a sentence for its user.

    A refusal is `{"detail": sentence, "errors": {field: [sentence, …]}}`. The change runs as it is: where it is one
    transaction, it says so by `write()`.
    """
    try:
        return JsonResponse(change())
    except ValidationError as error:
        errors = error.message_dict if hasattr(error, "error_dict") else {}
        return JsonResponse({"detail": " ".join(error.messages), "errors": errors}, status=400)
    except BadRequest as error:
        return JsonResponse({"detail": str(error)}, status=400)
    except PermissionDenied as error:
        return JsonResponse({"detail": str(error) or _("You may not do that.")}, status=403)
    except ObjectDoesNotExist as error:
        return JsonResponse({"detail": str(error)}, status=404)
    except Busy as error:
        return JsonResponse({"detail": str(error.detail)}, status=503, headers={"Retry-After": str(error.wait)})
    except Conflict:
        detail = _("Someone else changed the same at this moment. Load the page again, and repeat it.")
        return JsonResponse({"detail": detail}, status=409)
