from folio.api.filters import ChoiceFilter, FilterSet, FromFilter, OrderingFilter, SearchFilter, ToFilter

from .models import MediaType


class MediaFilterSet(FilterSet):
    search = SearchFilter("name", label="Words that must all occur in the name, in any letter case")
    ordering = OrderingFilter(
        {
            name: name
            for name in (
                "type",
                "name",
                "size",
                "width",
                "height",
                "mode",
                "alt",
                "mime_type",
                "created_at",
                "updated_at",
                "focal_x",
                "focal_y",
                "is_animated",
            )
        },
        default=("-created_at",),
    )
    type = ChoiceFilter("type", choices=tuple(MediaType.values), label="Of that type")
    created_from = FromFilter("created_at", label="Created at that moment or later")
    created_to = ToFilter("created_at", label="Created at that moment or earlier; a bare date includes the whole day")
