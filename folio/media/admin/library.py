"""The library of media."""

from pathlib import PurePosixPath
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from folio.api.admin import ResourceAdmin

from ..filters import MediaFilterSet
from ..models import Media
from ..sizes import human_readable_size
from ..uploads import UploadRefused, store_upload
from .pictures import heading, picture
from .views import LibraryViews


class UploadForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new file; what the door for uploads refuses is an error of `file`."""

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
            self.instance = store_upload(given["file"], name=given["name"], alt=given["alt"])
        except UploadRefused as error:
            self.add_error("file", error)


@admin.register(Media)
class MediaAdmin(LibraryViews, ResourceAdmin):
    list_display = ("name_and_picture", "type", "readable_size", "dimensions", "created_at")
    list_filter = ("type", "created_at")
    search_fields = MediaFilterSet.base_filters["search"].fields
    readonly_fields = (
        "preview",
        "file",
        "type",
        "mime_type",
        "readable_size",
        "dimensions",
        "created_at",
        "updated_at",
    )
    fieldsets = (
        (None, {"fields": ("preview", "name", "alt")}),
        (
            "The file",
            {"fields": ("file", "type", "mime_type", "readable_size", "dimensions", "created_at", "updated_at")},
        ),
    )
    add_fieldsets = ((None, {"fields": ("file", "name", "alt")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Media]:
        queryset: QuerySet[Media] = super().get_queryset(request)
        return queryset.prefetch_related("thumbnails")

    def get_readonly_fields(self, request: HttpRequest, obj: Media | None = None) -> Any:
        return super().get_readonly_fields(request, obj) if obj else ()

    def get_form(self, request: HttpRequest, obj: Media | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **(kwargs if obj else {"form": UploadForm, **kwargs}))

    def save_model(self, request: HttpRequest, obj: Media, form: Any, change: bool) -> None:
        if change:  # a new one is stored already
            super().save_model(request, obj, form, change)

    @display(description="name", ordering="name", header=True)  # type: ignore[untyped-decorator]
    def name_and_picture(self, media: Media) -> list[Any]:
        return heading(media.name, media.alt, media, PurePosixPath(str(media.file)).suffix[1:4])

    @admin.display(description="size", ordering="size")
    def readable_size(self, media: Media) -> str:
        return human_readable_size(media.size)

    @admin.display(description="dimensions")
    def dimensions(self, media: Media) -> str | None:
        return f"{media.width} × {media.height}" if media.width else None

    @admin.display(description="preview")
    def preview(self, media: Media) -> str:
        return picture(media, 512)
