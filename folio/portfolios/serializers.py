from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from folio.api.errors import shortened
from folio.api.fields import IDENTIFIER, MAX_LIST
from folio.api.serializers import (
    LONGEST,
    IdField,
    IdListField,
    ItemListSerializer,
    LineField,
    NormalField,
    StrictModelSerializer,
    kind_of,
    listed,
)
from folio.history.changes import set_values
from folio.media.models import Media, MediaType

from . import documents
from .models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag, Tag
from .services import Replaced, as_items, replace_links, replace_meta, replace_through, save_placed, set_captions

CAPTION_LENGTH: int = PortfolioImage._meta.get_field("caption").max_length  # type: ignore[assignment]
CAPTIONS = (
    "What is written beside images in this gallery, by their ids. What is sent is merged; null and an empty text "
    "clear, and an image that leaves the gallery loses its caption."
)
NOT_SHOWN = "{ids} is not in the gallery. Captions are of its images, by their ids."
REQUIRED = "This field is required."
DUPLICATE_KEY = _("This portfolio already has a meta with this key.")
ORDER = "The lowest comes first in the default order."
MADE_OF_NAME = {
    "allow_blank": False,
    "help_text": "Letters of any script, digits, `-` and `_`; unique. Made from the name where a new one has none.",
}
UNIQUE = "Unique."
COVER = "The cover: the id of a media of type image, or null."
PICTURE = "The picture: the id of a media of type image, or null."
ADDRESS = "An `http` or `https` address, or null."
LEADS_TO = "What it leads to."
TEXT = "Plain text, or null."
FILE = "The id of a media of any type, null, or the object that was read."
ITEM = "Of the one that is meant; left out of a new one."
OWNER = "The id of the portfolio that it belongs to."
WHOLE_LIST = "The whole list in its order: items with an `id` are kept, others are made, missing ones are removed."
MOMENT = "A date alone is its midnight, UTC."
PUBLISH_AT = f"From when on visitors may read it, where it is active; null does not wait. {MOMENT}"
UNPUBLISH_AT = f"From when on visitors may no longer read it; null has no end. After `publish_at`. {MOMENT}"
BEGINS_TOO_LATE = "This is not before unpublish_at, {end}. Enter an earlier moment, or send unpublish_at too."
ENDS_TOO_EARLY = "This is not after publish_at, {begin}. Enter a later moment, or null for no end."
NOT_WEB = _("Enter a URL that begins with http:// or https://.")


def is_image(media: Media) -> bool:
    return media.type == MediaType.IMAGE


IMAGES = (Media.objects.all(), "media of type image", is_image)


class ImageIdField(IdField):
    """The id of a media of type image, or null."""

    def __init__(self, help_text: str = PICTURE) -> None:
        super().__init__(*IMAGES, required=False, allow_null=True, help_text=help_text)


@extend_schema_field(
    {
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"$ref": "#/components/schemas/File"},
            {"type": "object", "properties": {"id": {"type": "integer", "minimum": 1}}, "required": ["id"]},
        ]
    }
)
class FileIdField(IdField):
    """The id of a media of any type, null, or the object that a document showed of it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Media.objects.all(), "media", required=False, allow_null=True, help_text=FILE, **kwargs)

    def parse(self, data: Any) -> int:
        return super().parse(data["id"] if isinstance(data, dict) and "id" in data else data)


@extend_schema_field(OpenApiTypes.URI)
class WebAddressField(serializers.CharField):
    """An `http` or `https` URL, or null."""

    def __init__(self, **kwargs: Any) -> None:
        validator = URLValidator(schemes=["http", "https"], message=NOT_WEB)
        super().__init__(
            max_length=2000, required=False, allow_null=True, validators=[validator], help_text=ADDRESS, **kwargs
        )


class EmployerSerializer(StrictModelSerializer):
    """An employer: the client or company that work was done for."""

    image = ImageIdField()

    class Meta:
        model = Employer
        document = documents.SluggedEmployer
        fields = ["name", "description", "image", "slug"]
        extra_kwargs = {
            "name": {"help_text": UNIQUE},
            "description": {"help_text": documents.PLAIN},
            "slug": MADE_OF_NAME,
        }


class TagSerializer(StrictModelSerializer):
    """A tag: a word that groups portfolios."""

    image = ImageIdField()

    class Meta:
        model = Tag
        document = documents.SluggedTag
        fields = ["name", "image", "slug"]
        extra_kwargs = {"name": {"help_text": UNIQUE}, "slug": MADE_OF_NAME}


class PlacedSerializer(StrictModelSerializer):
    """A row of a portfolio's list at its own endpoint: a new one comes last, and the portfolio is touched."""

    instance: Any
    portfolio = IdField(Portfolio.objects.all(), "portfolio", help_text=OWNER)

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
        extra_kwargs = {"name": {"help_text": LEADS_TO}, "description": {"help_text": documents.PLAIN}}


class MetaEntrySerializer(PlacedSerializer):
    """A meta of a portfolio; a new one comes last in its list, and so does one that moves to another portfolio."""

    value_file = FileIdField()

    class Meta:
        model = MetaEntry
        document = documents.PlacedMetaEntry
        fields = ["portfolio", "key", "value_text", "value_file"]
        extra_kwargs = {"key": {"help_text": "Unique within the portfolio."}, "value_text": {"help_text": TEXT}}
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

    id = serializers.IntegerField(required=False, help_text=ITEM)
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

    id = serializers.IntegerField(required=False, help_text=ITEM)
    key = LineField(max_length=100, required=False, help_text="Required without `id`.")
    value_file = FileIdField()

    class Meta:
        model = MetaEntry
        document = documents.MetaEntry
        list_serializer_class = ItemListSerializer
        fields = ["id", "key", "value_text", "value_file"]
        extra_kwargs = {"value_text": {"help_text": TEXT}}


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": ["string", "null"], "maxLength": CAPTION_LENGTH},
        "propertyNames": {"pattern": "^[0-9]+$"},
        "maxProperties": MAX_LIST,
        "examples": [{"153": "The quay at dawn", "155": None}],
    }
)
class CaptionsField(serializers.Field):  # type: ignore[type-arg]
    """Texts by the ids of media, as a dictionary by numbers; null and an empty text are both None."""

    default_error_messages = {
        "incorrect_type": "Enter an object of texts by the ids of images, not {kind}.",
        "max_length": "Enter at most {max_length} captions.",
        "no_id": "{name} is no id. Name each caption after its image's.",
        "repeated": "Give each id once; {name} is repeated.",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.child = NormalField(allow_null=True, allow_blank=True, max_length=CAPTION_LENGTH)

    def to_internal_value(self, data: Any) -> dict[int, str | None]:
        if not isinstance(data, dict):
            self.fail("incorrect_type", kind=kind_of(data))
        if len(data) > MAX_LIST:
            self.fail("max_length", max_length=MAX_LIST)
        found: dict[int, str | None] = {}
        errors: list[str] = []
        for name, text in data.items():
            try:
                pk = self.parse(name, found)
                found[pk] = self.child.run_validation(text) or None
            except ValidationError as error:
                errors += [f"{shortened(name, LONGEST)}: {reason}" for reason in error.detail]
        if errors:
            raise ValidationError(errors)
        return found

    def parse(self, name: str, found: dict[int, str | None]) -> int:
        if not IDENTIFIER.fullmatch(name):
            self.fail("no_id", name=shortened(repr(name), LONGEST))
        if int(name) in found:
            self.fail("repeated", name=int(name))
        return int(name)


class PortfolioSerializer(StrictModelSerializer):
    """A portfolio. A field that is left out of a change keeps its value; a list that is given replaces the old one."""

    image = ImageIdField(COVER)
    images = IdListField(*IMAGES, required=False, help_text="The gallery: ids, in its order.")
    captions = CaptionsField(required=False, help_text=CAPTIONS)
    order = serializers.IntegerField(required=False, min_value=-(2**31), max_value=2**31 - 1, help_text=ORDER)
    employer = IdField(
        Employer.objects.all(), "employer", required=False, allow_null=True, help_text="The id of an employer, or null."
    )
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
            "captions",
            "order",
            "employer",
            "tags",
            "is_active",
            "publish_at",
            "unpublish_at",
            "completed_at",
            "links",
            "meta",
        ]
        extra_kwargs = {
            "title": {"help_text": UNIQUE},
            "slug": {"help_text": "Letters of any script, digits, `-` and `_`."},
            "excerpt": {"help_text": "A sentence or two, plain text."},
            "description": {"help_text": documents.MARKDOWN},
            "is_active": {"help_text": "Whether websites should show it."},
            "publish_at": {"help_text": PUBLISH_AT},
            "unpublish_at": {"help_text": UNPUBLISH_AT},
            "completed_at": {"help_text": MOMENT},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lists: dict[str, dict[int, Any]] = {}
        self.gallery: list[PortfolioImage] | None = None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        self.validate_schedule(attrs)
        captions, images = attrs.get("captions"), attrs.get("images")
        if not captions:
            return attrs
        shown = {row.media_id for row in self.stored_gallery()} if images is None else {image.pk for image in images}
        if outside := [pk for pk in captions if pk not in shown]:
            raise ValidationError({"captions": [NOT_SHOWN.format(ids=listed(outside))]})
        return attrs

    def validate_schedule(self, attrs: dict[str, Any]) -> None:
        """Refuse an end that is not after the beginning; of the two it may be that only one was sent."""
        if not {"publish_at", "unpublish_at"} & attrs.keys():
            return
        begin, end = (attrs.get(name, getattr(self.instance, name, None)) for name in ("publish_at", "unpublish_at"))
        if begin is None or end is None or begin < end:
            return
        if "unpublish_at" in attrs:
            raise ValidationError({"unpublish_at": [ENDS_TOO_EARLY.format(begin=told_moment(begin))]})
        raise ValidationError({"publish_at": [BEGINS_TOO_LATE.format(end=told_moment(end))]})

    def stored_gallery(self) -> list[PortfolioImage]:
        """Return the rows of the gallery as it is; they are read once."""
        if self.gallery is None:
            self.gallery = list(self.instance.gallery.all()) if self.instance else []
        return self.gallery

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
        images, captions, tags, links, meta = (
            values.pop(name, None) for name in ("images", "captions", "tags", "links", "meta")
        )
        is_new = instance.pk is None
        self.changes = set_values(instance, values)
        instance.save()
        lists: dict[str, Replaced] = {}
        if images is not None:
            lists["images"] = replace_through(instance, PortfolioImage, "media", images, stored=self.stored_gallery())
        if images is not None or captions is not None:
            lists["gallery"] = self.captioned(instance, images, captions or {})
        if tags is not None:
            lists["tags"] = replace_through(instance, PortfolioTag, "tag", tags, is_new=is_new)
        if links is not None:
            lists["links"] = replace_links(instance, links, self.current("links"))
        if meta is not None:
            lists["meta"] = replace_meta(instance, meta, self.current("meta"))
        self.changes |= {name: change for name, change in lists.items() if change}
        return instance

    def captioned(self, instance: Portfolio, images: list[Media] | None, captions: dict[int, str | None]) -> Replaced:
        """Give images of the gallery, which is saved, the captions that were sent."""
        was = {row.media_id: row.caption for row in self.stored_gallery()}
        shown = list(was) if images is None else [image.pk for image in images]
        now = {pk: captions[pk] if pk in captions else was.get(pk) for pk in shown}
        if any(was.get(pk) != caption for pk, caption in captions.items()):
            set_captions(instance, now)
        before, after = as_items(was), as_items(now)
        return None if before == after else (before, after)


def told_moment(moment: datetime) -> str:
    """Return a moment as answers tell it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


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
