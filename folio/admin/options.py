"""What the admin site's pages share with the API: its search, how it reads texts and moments, and one way to write."""

from collections.abc import Callable, Iterable, Iterator
from datetime import time
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import ADDITION, CHANGE, DELETION
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.messages.storage import default_storage
from django.core.exceptions import (
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    SuspiciousOperation,
    ValidationError,
)
from django.core.paginator import InvalidPage
from django.db.models import DateTimeField, F, Model, QuerySet, TextField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from folio.api.errors import Busy, Conflict
from folio.api.fields import BIGGEST, IDENTIFIER
from folio.api.parsers import parse_json
from folio.api.texts import MAX_SEARCH_WORDS, search
from folio.api.viewsets import write
from folio.history.changes import form_changes, log, log_each, owner_of

from .history import history_page

FORM_SCRIPTS = ("vendor/jquery/jquery.min.js", "jquery.init.js", "core.js", "admin/RelatedObjectLookups.js")
LIST_SCRIPTS = ("actions.js",)


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
    linked_lookups: tuple[str, ...] = ()  # by which other pages narrow the list, besides its filters

    def sees_every_row(self, request: HttpRequest) -> bool:
        """Tell whether someone who may open the list sees all rows there; else nothing is told of those of others."""
        return self.has_view_or_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody delete what they may not see: the page that asks whether they mean it shows what it is."""
        return bool(super().has_delete_permission(request, obj)) and self.has_view_or_change_permission(request, obj)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term.replace("\0", " ").split()[:MAX_SEARCH_WORDS]
        return search(queryset, " ".join(words), *self.get_search_fields(request)) if words else queryset, False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Let through what the list offers; Django would take any lookup of the table, such as an expression's."""
        offered = {*self.linked_lookups, *offered_lookups(self.model, self.get_list_filter(request))}
        if not is_storable(value):
            raise IncorrectLookupParameters
        return lookup in offered and super().lookup_allowed(lookup, value, request)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        if not all(map(IDENTIFIER.fullmatch, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            raise BadRequest(unreadable())
        return super().response_action(request, queryset)

    @property
    def media(self) -> forms.Media:
        """Return what a form needs; Django's also fills fields from others, which Folio does by a script of its own."""
        return forms.Media(js=[f"admin/js/{name}" for name in FORM_SCRIPTS])

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = super().changelist_view
        response: Any = in_one_write(request, lambda: view(request, *args, **kwargs))
        context = getattr(response, "context_data", None) or {}
        if "cl" in context:
            is_popup = context["cl"].is_popup
            context["media"] = forms.Media(
                js=[f"admin/js/{name}" for name in (*LIST_SCRIPTS, *(FORM_SCRIPTS if is_popup else ()))]
            )
            context["filter_media"] = filter_media(self.get_list_filter(request))
        return response

    def _build_nested_formsets(self, *args: Any) -> None:
        """Look for no inlines within inlines: unfold does so by making one more form for each."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return in_one_write(request, lambda: super(ResourceAdmin, self).changeform_view(request, *args, **kwargs))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return in_one_write(request, lambda: super(ResourceAdmin, self).delete_view(request, *args, **kwargs))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what was changed of a row."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return history_page(self, request, row, extra_context or {})

    def thumbnails_of(self, rows: list[Any]) -> dict[int, str]:
        """Return the addresses of small pictures of rows, by their ids, for resources that are pictures."""
        return {}

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Return what a form has changed, for `log_addition()` and `log_change()`."""
        return form_changes(form, formsets or (), is_new=add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return log(request.user, obj, ADDITION, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return log(request.user, obj, CHANGE, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        owner = owner_of(self.model)
        if owner and isinstance(queryset, QuerySet):
            queryset = queryset.select_related(owner)
        return log_each(request.user, DELETION, [(row, {}) for row in queryset])


def may_see(request: HttpRequest, model: type[Model]) -> bool:
    """Tell whether someone may be told what the rows of a model are called."""
    pages = admin.site._registry.get(model)
    return pages is not None and pages.has_view_or_change_permission(request)


def number_of(row: Model) -> str:
    """Return what a row is called for those who may not see it."""
    return f"#{row.pk}"


def filter_media(list_filter: Iterable[Any]) -> forms.Media:
    """Return what the forms of a list's filters need, once they are opened."""
    kinds = (item[1] if isinstance(item, tuple | list) else item for item in list_filter)
    given = (getattr(getattr(kind, "form_class", None), "Media", None) for kind in kinds)
    return sum((forms.Media(media) for media in given if media is not None), forms.Media())


def offered_lookups(model: type[Model], list_filter: Iterable[Any]) -> Iterator[str]:
    """Yield the query parameters of a list's filters."""
    for item in list_filter:
        if isinstance(item, type):
            yield item.parameter_name  # type: ignore[attr-defined]
            continue
        name = item if isinstance(item, str) else item[0]
        field: Any = model._meta.get_field(name)
        yield f"{name}__{field.target_field.name}__exact" if field.is_relation else f"{name}__exact"
        yield f"{name}__isnull"


def is_storable(value: str) -> bool:
    """Tell whether both databases can be asked for a value, which they can't for a NUL or more than 64 bits."""
    try:
        return abs(int(value)) <= BIGGEST
    except ValueError:
        return "\0" not in value


def in_one_write(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer with `view()`; a write that loses a race runs again, and its form now names what is wrong."""

    def attempt() -> HttpResponse:
        request._messages = default_storage(request)  # type: ignore[attr-defined]  # one that failed told of success
        return view()

    if request.method != "POST":
        return view()
    try:
        return write(attempt)
    except Conflict:
        messages.error(request, collided())
        return HttpResponseRedirect(request.get_full_path())


def unreadable() -> str:
    """Return what is said of a request that no page of the admin site sends."""
    return _("The request could not be read. Load the page again.")


def collided() -> str:
    """Return what is said of a write that lost every race."""
    return _("Someone else changed the same at this moment. Load the page again, and repeat it.")


def command_search(request: HttpRequest) -> HttpResponse:
    """Answer the search box of all pages; unfold would fail at a page of results that there is none of."""
    try:
        return admin.site.search(request)  # type: ignore[attr-defined]
    except InvalidPage as error:
        raise BadRequest(unreadable()) from error


def json_body(request: HttpRequest) -> dict[str, Any]:
    """Return the object that a script of the admin site sent; raise BadRequest for anything else."""
    try:
        body = parse_json(request.body)
    except ValueError as error:
        raise BadRequest(unreadable()) from error
    if not isinstance(body, dict):
        raise BadRequest(unreadable())
    return body


class Overtaken(Exception):
    """That someone else has changed what was about to be written; `stored` has the values that it has now, by field."""

    def __init__(self, sentence: str, stored: dict[str, Any]) -> None:
        super().__init__(sentence)
        self.stored = stored


def answer_in_json(change: Callable[[], dict[str, Any]]) -> JsonResponse:
    """Answer a script of the admin site with what `change()` returns, or with a sentence for its user.

    A refusal is `{"detail": sentence, "errors": {field: [sentence, …]}}`, with `stored` where someone else was faster.
    The change runs as it is: where it is one transaction, it says so by `write()`.
    """
    try:
        return JsonResponse(change())
    except ValidationError as error:
        errors = error.message_dict if hasattr(error, "error_dict") else {}
        return JsonResponse({"detail": " ".join(error.messages), "errors": errors}, status=400)
    except BadRequest as error:
        return JsonResponse({"detail": str(error)}, status=400)
    except (SuspiciousOperation, IncorrectLookupParameters):
        return JsonResponse({"detail": unreadable()}, status=400)
    except PermissionDenied as error:
        return JsonResponse({"detail": str(error) or _("You may not do that.")}, status=403)
    except ObjectDoesNotExist as error:
        return JsonResponse({"detail": str(error)}, status=404)
    except Busy as error:
        return JsonResponse({"detail": str(error.detail)}, status=503, headers={"Retry-After": str(error.wait)})
    except Overtaken as error:
        return JsonResponse({"detail": str(error), "stored": error.stored}, status=409)
    except Conflict:
        return JsonResponse({"detail": collided()}, status=409)
