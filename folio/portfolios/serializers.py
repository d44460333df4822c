from collections.abc import Callable
from typing import Any

from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from folio.api.serializers import IdField, IdListField, ItemListSerializer, LineField, StrictModelSerializer
from folio.history.changes import set_values
from folio.media.models import Media, MediaType

from . import documents
from .models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag, Tag
from .services import Replaced, replace_links, replace_meta, replace_through, save_placed

REQUIRED = "This field is required."
DUPLICATE_KEY = _("This portfolio already has a meta with this key.")
ORDER = "The lowest comes first in the default order."
WHOLE_LIST = "The whole list in its order: items with an `id` are kept, others are made, missing ones are removed."
MOMENT = "A date alone is its midnight, UTC."
NOT_WEB = _("Enter a URL that begins with http:// or https://.")


def is_image(media: Media) -> bool:
    return media.type == MediaType.IMAGE


IMAGES = (Media.objects.all(), "media of type image", is_image)


class ImageIdField(IdField):
    """The id of a media of type image, or null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(*IMAGES, required=False, allow_null=True, **kwargs)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer", "minimum": 1},
            {"type": "object", "properties": {"id": {"type": "integer", "minimum": 1}}, "required": ["id"]},
        ]
    }
)
class FileIdField(IdField):
    """The id of a media of any type, null, or the object that a document showed of it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Media.objects.all(), "media", required=False, allow_null=True, **kwargs)

    def parse(self, data: Any) -> int:
        return super().parse(data["id"] if isinstance(data, dict) and "id" in data else data)


@extend_schema_field(OpenApiTypes.URI)
class WebAddressField(serializers.CharField):
    """An `http` or `https` URL, or null."""

    def __init__(self, **kwargs: Any) -> None:
        validator = URLValidator(schemes=["http", "https"], message=NOT_WEB)
        super().__init__(max_length=2000, required=False, allow_null=True, validators=[validator], **kwargs)


class EmployerSerializer(StrictModelSerializer):
    """An employer: the client or company that work was done for."""

    image = ImageIdField()

    class Meta:
        model = Employer
        document = documents.Employer
        fields = ["name", "description", "image"]
        extra_kwargs = {"description": {"help_text": documents.PLAIN}}


class TagSerializer(StrictModelSerializer):
    """A tag: a word that groups portfolios."""

    image = ImageIdField()

    class Meta:
        model = Tag
        document = documents.Tag
        fields = ["name", "image"]


class PlacedSerializer(StrictModelSerializer):
    """A row of a portfolio's list at its own endpoint: a new one comes last, and the portfolio is touched."""

    instance: Any
    portfolio = IdField(Portfolio.objects.all(), "portfolio")

    def changed(self, instance: Any, values: dict[str, Any]) -> Any:
        was_of = instance.portfolio_id
        self.changes = set_values(instance, values)
        save_placed(instance, was_of)
        return instance


class LinkSerializer(PlacedSerializer):
    """A link of a portfolio; a new one comes last in its list, and so does one that moves to another portfolio."""

    url = WebAddressField()
    image = ImageIdField()

    class Meta:
        model = Link
        document = documents.PlacedLink
        fields = ["portfolio", "name", "url", "description", "image"]
        extra_kwargs = {"description": {"help_text": documents.PLAIN}}


class MetaEntrySerializer(PlacedSerializer):
    """A meta of a portfolio; a new one comes last in its list, and so does one that moves to another portfolio."""

    value_file = FileIdField()

    class Meta:
        model = MetaEntry
        document = documents.PlacedMetaEntry
        fields = ["portfolio", "key", "value_text", "value_file"]
        validators: list[Any] = []  # the constraint's own would not name the field

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        portfolio = attrs.get("portfolio") or self.instance.portfolio
        key = attrs.get("key") or self.instance.key
        others = MetaEntry.objects.filter(portfolio=portfolio, key=key)
        if self.instance:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise ValidationError({"key": [DUPLICATE_KEY]})
        return attrs


class LinkItemSerializer(StrictModelSerializer):
    """A link within its portfolio's body; with `id` it is that one and keeps what it leaves out."""

    id = serializers.IntegerField(required=False)
    name = LineField(max_length=200, required=False, help_text="Required without `id`.")
    url = WebAddressField()
    image = ImageIdField()

    class Meta:
        model = Link
        document = documents.Link
        list_serializer_class = ItemListSerializer
        fields = ["id", "name", "url", "description", "image"]
        extra_kwargs = {"description": {"help_text": documents.PLAIN}}


class MetaItemSerializer(StrictModelSerializer):
    """A meta within its portfolio's body; with `id` it is that one and keeps what it leaves out."""

    id = serializers.IntegerField(required=False)
    key = LineField(max_length=100, required=False, help_text="Required without `id`.")
    value_file = FileIdField()

    class Meta:
        model = MetaEntry
        document = documents.MetaEntry
        list_serializer_class = ItemListSerializer
        fields = ["id", "key", "value_text", "value_file"]


class PortfolioSerializer(StrictModelSerializer):
    """A portfolio. A field that is left out of a change keeps its value; a list that is given replaces the old one."""

    image = ImageIdField()
    images = IdListField(*IMAGES, required=False, help_text="The gallery: ids, in its order.")
    order = serializers.IntegerField(required=False, min_value=-(2**31), max_value=2**31 - 1, help_text=ORDER)
    employer = IdField(Employer.objects.all(), "employer", required=False, allow_null=True)
    tags = IdListField(Tag.objects.all(), "tag", required=False, help_text="Ids, in the order in which they are shown.")
    links = LinkItemSerializer(many=True, required=False, help_text=WHOLE_LIST)
    meta = MetaItemSerializer(many=True, required=False, help_text=WHOLE_LIST)

    class Meta:
        model = Portfolio
        document = documents.Portfolio
        fields = [
            "title",
            "slug",
            "excerpt",
            "description",
            "image",
            "images",
            "order",
            "employer",
            "tags",
            "is_active",
            "completed_at",
            "links",
            "meta",
        ]
        extra_kwargs = {
            "slug": {"help_text": "Letters of any script, digits, `-` and `_`."},
            "excerpt": {"help_text": "A sentence or two, plain text."},
            "description": {"help_text": documents.MARKDOWN},
            "is_active": {"help_text": "Whether websites should show it."},
            "completed_at": {"help_text": MOMENT},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lists: dict[str, dict[int, Any]] = {}

    def validate_links(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        check_items(items, self.current("links"), "name")
        return items

    def validate_meta(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        current = self.current("meta")
        check_items(items, current, "key")
        keys = [item.get("key") or current[item["id"]].key for item in items]
        raise_for_items(
            items,
            lambda position, item: {"key": [str(DUPLICATE_KEY)]} if keys.index(keys[position]) < position else {},
        )
        return items

    def current(self, name: str) -> dict[int, Any]:
        """Return the rows of a nested list as they are, by id; they are read once."""
        if name not in self.lists:
            self.lists[name] = {row.pk: row for row in getattr(self.instance, name).all()} if self.instance else {}
        return self.lists[name]

    def changed(self, instance: Portfolio, values: dict[str, Any]) -> Portfolio:
        """Save the portfolio with its lists, each only where it was given."""
        images, tags, links, meta = (values.pop(name, None) for name in ("images", "tags", "links", "meta"))
        is_new = instance.pk is None
        self.changes = set_values(instance, values)
        instance.save()
        lists: dict[str, Replaced] = {}
        if images is not None:
            lists["images"] = replace_through(instance, PortfolioImage, "media", images, is_new=is_new)
        if tags is not None:
            lists["tags"] = replace_through(instance, PortfolioTag, "tag", tags, is_new=is_new)
        if links is not None:
            lists["links"] = replace_links(instance, links, self.current("links"))
        if meta is not None:
            lists["meta"] = replace_meta(instance, meta, self.current("meta"))
        self.changes |= {name: change for name, change in lists.items() if change}
        return instance


def check_items(items: list[dict[str, Any]], current: dict[int, Any], required: str) -> None:
    """Refuse items with ids that are not of this portfolio or come twice, and new ones without the required field."""
    seen: set[int] = set()

    def errors(position: int, item: dict[str, Any]) -> dict[str, list[str]]:
        if "id" not in item:
            return {} if required in item else {required: [REQUIRED]}
        pk = item["id"]
        if pk not in current:
            return {"id": [f"{pk} is not in this portfolio. Leave `id` out to make a new one."]}
        if pk in seen:
            return {"id": [f"Give each id once; {pk} is repeated."]}
        seen.add(pk)
        return {}

    raise_for_items(items, errors)


def raise_for_items(
    items: list[dict[str, Any]], errors_of: Callable[[int, dict[str, Any]], dict[str, list[str]]]
) -> None:
    """Raise the errors of a list's items in their places, an empty object for each that has none."""
    errors = [errors_of(position, item) for position, item in enumerate(items)]
    if any(errors):
        raise ValidationError(errors)
