"""The library of media: a grid of cards, and a page for each."""

from contextlib import closing
from copy import copy
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from folio.admin.collisions import TellsCollisions
from folio.admin.options import ResourceAdmin

from ..errors import UploadRefused
from ..filters import MediaFilterSet
from ..journal import operation
from ..models import Media, MediaType
from ..storing import Examined, store, with_files
from ..uploads import examine
from .cards import card_of, cards_of, limits
from .deleting import DeletesUnused
from .pictures import thumbnail_urls
from .searching import found
from .uses import may_detach, places_of
from .views import LibraryViews

CARDS = 60  # on a page of the library
FOCAL = ("focal_x", "focal_y")
NAMED = 64  # the thumbnail beside a media's name, in histories


class Upload:
    """A request's file, examined once, and put into a bucket, so that no transaction lasts for as long as that does."""

    def __init__(self) -> None:
        self.outcome: Examined | UploadRefused | None = None

    def examine(self, file: Any, **texts: str) -> Examined:
        if self.outcome is None:
            try:
                self.outcome = with_files(examine(file, **texts))
            except UploadRefused as error:
                self.outcome = error
        if isinstance(self.outcome, UploadRefused):
            raise self.outcome
        return replace(self.outcome, media=copy(self.outcome.media))  # a transaction that runs again makes a new row

    def close(self) -> None:
        if isinstance(self.outcome, Examined):
            self.outcome.close()


class UploadForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new file; what the door for uploads refuses is an error of `file`."""

    upload: Upload
    examined: Examined

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = False
        self.fields["file"].allow_empty_file = True  # type: ignore[attr-defined]  # the door says what it refuses
        self.fields["file"].max_length = None  # type: ignore[attr-defined]

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound or self.errors:
            return
        given = self.cleaned_data
        try:
            self.examined = self.upload.examine(given["file"], name=given["name"], alt=given["alt"])
        except UploadRefused as error:
            self.add_error("file", error)
        else:
            self.instance = self.examined.media


class ShareField(forms.FloatField):
    """A part of an image's width or height, from 0 to 1."""

    def __init__(self, label: Any, help_text: Any) -> None:
        super().__init__(
            label=label,
            help_text=help_text,
            required=False,
            min_value=0,
            max_value=1,
            widget=UnfoldAdminDecimalFieldWidget({"step": "any", "dir": "ltr"}),
        )


class MediaForm(forms.ModelForm):  # type: ignore[type-arg]
    """A media's texts, and of an image the point that matters most."""

    focal_x = ShareField(
        _("Focal point, from the left"),
        _("What crops keep in sight: 0 is the left edge, 1 the right one; empty is the centre."),
    )
    focal_y = ShareField(
        _("Focal point, from the top"), _("0 is the upper edge, 1 the lower one; empty is the centre.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.type != MediaType.IMAGE:
            for name in FOCAL:
                self.fields.pop(name, None)


@admin.register(Media)
class MediaAdmin(TellsCollisions, LibraryViews, DeletesUnused, ResourceAdmin):
    change_list_template = "folio/media/library.html"
    change_form_template = "folio/media/media.html"
    list_display = ("name", "type", "size", "created_at")  # what `?o=` sorts by
    list_display_links = None
    list_filter = ("type",)
    linked_lookups = ("alt__exact",)
    list_per_page = CARDS
    list_max_show_all = CARDS
    show_full_result_count = False
    search_fields = (*MediaFilterSet.base_filters["search"].fields, "alt")
    search_help_text = _("Search by name, alt text or entry")
    form = MediaForm
    add_fieldsets = ((None, {"fields": ("file", "name", "alt")}),)

    def get_fieldsets(self, request: HttpRequest, obj: Media | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        focal = (FOCAL,) if obj.type == MediaType.IMAGE else ()
        return ((None, {"fields": ("name", "alt", *focal)}),)

    def get_form(self, request: HttpRequest, obj: Media | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        form = super().get_form(request, obj, change, **{"form": UploadForm, **kwargs})
        form.upload = getattr(request, "upload", None) or Upload()
        return form

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        with closing(Upload()) as upload, operation():
            request.upload = upload  # type: ignore[attr-defined]
            if request.method == "POST" and self.has_add_permission(request):
                self.get_form(request)(request.POST, request.FILES).full_clean()  # before the transaction
            return super().add_view(request, form_url, extra_context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Media], search_term: str
    ) -> tuple[QuerySet[Media], bool]:
        return found(queryset, search_term, self.get_search_fields(request), request), False

    def thumbnails_of(self, rows: list[Media]) -> dict[int, str]:
        urls = thumbnail_urls((media.pk for media in rows), [NAMED])
        return {media.pk: urls[media.pk, NAMED] for media in rows if (media.pk, NAMED) in urls}

    def save_model(self, request: HttpRequest, obj: Media, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            store(form.examined)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: Any = super().changelist_view(request, *args, **kwargs)
        changelist = getattr(response, "context_data", {}).get("cl")
        if changelist is not None:
            response.context_data |= {
                "cards": cards_of(changelist.result_list),
                "types": types_to_choose(changelist),
                "may_change": self.has_change_permission(request),
                "action_choices": [choice for choice in self.get_action_choices(request) if choice[0]],
                **limits(),
            }
        return response

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        media = context.get("original")
        if media is not None:
            places = places_of([media.pk], request).get(media.pk, [])
            context |= {
                "card": card_of(media),
                "places": places,
                "may_detach": may_detach(places, request),
                "file_url": request.build_absolute_uri(media.file.url),
                **limits(),
            }
        return super().render_change_form(request, context, *args, **kwargs)


def types_to_choose(changelist: Any) -> list[dict[str, Any]]:
    """Return the links that narrow the library to a type of media, and the one that doesn't."""
    chosen = (changelist.filter_params.get("type__exact") or [""])[0]
    return [
        {
            "label": label,
            "is_chosen": chosen == value,
            "url": changelist.get_query_string({"type__exact": value or None}, ["p", "e"]),
        }
        for value, label in [("", _("All")), *MediaType.choices]
    ]
