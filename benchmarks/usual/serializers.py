from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from PIL import Image, ImageOps
from rest_framework import serializers

from folio.media.models import Media, MediaType, Thumbnail
from folio.media.sizes import human_readable_size
from folio.media.thumbnails import BOXES, SAVE_OPTIONS
from folio.portfolios.models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag, Tag

OWN_ROWS: dict[str, Any] = {"images": PortfolioImage, "tags": PortfolioTag, "links": Link, "meta": MetaEntry}


class ThumbnailSerializer(serializers.ModelSerializer[Thumbnail]):
    f = serializers.FileField(source="file")

    class Meta:
        model = Thumbnail
        fields = ["id", "f", "size"]


class FileSerializer(serializers.ModelSerializer[Media]):
    f = serializers.FileField(source="file")
    human_readable_size = serializers.SerializerMethodField()

    class Meta:
        model = Media
        fields = ["id", "type", "name", "size", "human_readable_size", "f"]

    def get_human_readable_size(self, media: Media) -> str:
        return human_readable_size(media.size)


class ImageSerializer(FileSerializer):
    thumbnails = ThumbnailSerializer(many=True)

    class Meta(FileSerializer.Meta):
        fields = [*FileSerializer.Meta.fields, "width", "height", "mode", "thumbnails"]


class NewMediaSerializer(serializers.Serializer[Media]):
    """What an upload takes: an image that Pillow can read. Each thumbnail is made of the file by itself."""

    file = serializers.ImageField()

    @transaction.atomic
    def create(self, validated_data: dict[str, Any]) -> Media:
        file = validated_data["file"]
        with Image.open(file) as image:
            width, height = image.size
            mode, format = image.mode, str(image.format)
        media = Media(name=file.name, type=MediaType.IMAGE, size=file.size, width=width, height=height, mode=mode)
        media.file.save(file.name, file)
        for box in BOXES:
            with media.file.open() as original, Image.open(original) as image:
                thumbnail = ImageOps.exif_transpose(image)
                thumbnail.thumbnail((box, box), Image.Resampling.LANCZOS)
                encoded = BytesIO()
                thumbnail.save(encoded, format, **SAVE_OPTIONS[format])
            Thumbnail(media=media, size=box).file.save(file.name, ContentFile(encoded.getvalue()))
        return media


class EmployerSerializer(serializers.ModelSerializer[Employer]):
    image_data = ImageSerializer(source="image")

    class Meta:
        model = Employer
        fields = ["id", "name", "image_data", "description"]


class TagSerializer(serializers.ModelSerializer[Tag]):
    image_data = ImageSerializer(source="image")

    class Meta:
        model = Tag
        fields = ["id", "name", "image_data"]


class LinkSerializer(serializers.ModelSerializer[Link]):
    image_data = ImageSerializer(source="image", read_only=True)

    class Meta:
        model = Link
        fields = ["id", "name", "url", "image_data", "description"]


class MetaEntrySerializer(serializers.ModelSerializer[MetaEntry]):
    value_file = FileSerializer(read_only=True)

    class Meta:
        model = MetaEntry
        fields = ["id", "key", "value_text", "value_file"]


class PortfolioRowSerializer(serializers.ModelSerializer[Portfolio]):
    image_data = ImageSerializer(source="image")
    employer_data = EmployerSerializer(source="employer")
    tags_data = TagSerializer(source="tags", many=True)
    links_data = LinkSerializer(source="links", many=True)

    class Meta:
        model = Portfolio
        fields = [
            "id",
            "title",
            "slug",
            "excerpt",
            "order",
            "image_data",
            "employer_data",
            "tags_data",
            "links_data",
            "is_active",
            "completed_at",
            "created_at",
            "updated_at",
        ]


class PortfolioSerializer(PortfolioRowSerializer):
    images_data = ImageSerializer(source="images", many=True)
    meta = MetaEntrySerializer(many=True)

    class Meta(PortfolioRowSerializer.Meta):
        fields = [*PortfolioRowSerializer.Meta.fields, "description", "images_data", "meta"]


class BodySerializer(serializers.ModelSerializer[Portfolio]):
    """What a create and a change take: ids of what there is, the links and meta to be made."""

    images = serializers.PrimaryKeyRelatedField(queryset=Media.objects.images(), many=True, required=False)
    tags = serializers.PrimaryKeyRelatedField(queryset=Tag.objects.all(), many=True, required=False)
    links = LinkSerializer(many=True, required=False)
    meta = MetaEntrySerializer(many=True, required=False)

    class Meta:
        model = Portfolio
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

    @transaction.atomic
    def create(self, validated_data: dict[str, Any]) -> Portfolio:
        lists = taken_out(validated_data)
        portfolio = Portfolio.objects.create(**validated_data)
        make_lists(portfolio, **lists)
        return portfolio

    @transaction.atomic
    def update(self, portfolio: Portfolio, validated_data: dict[str, Any]) -> Portfolio:
        lists = taken_out(validated_data)
        for name, value in validated_data.items():
            setattr(portfolio, name, value)
        portfolio.save()
        for name in lists:
            OWN_ROWS[name].objects.filter(portfolio=portfolio).delete()
        make_lists(portfolio, **lists)
        return portfolio


def taken_out(validated_data: dict[str, Any]) -> dict[str, Any]:
    """Take the lists that were given out of a body, and return them."""
    return {name: validated_data.pop(name) for name in OWN_ROWS if name in validated_data}


def make_lists(portfolio: Portfolio, images: Any = (), tags: Any = (), links: Any = (), meta: Any = ()) -> None:
    if images:
        PortfolioImage.objects.bulk_create(
            PortfolioImage(portfolio=portfolio, media=media, place=place) for place, media in enumerate(images)
        )
    if tags:
        PortfolioTag.objects.bulk_create(
            PortfolioTag(portfolio=portfolio, tag=tag, place=place) for place, tag in enumerate(tags)
        )
    if links:
        Link.objects.bulk_create(Link(portfolio=portfolio, place=place, **link) for place, link in enumerate(links))
    if meta:
        MetaEntry.objects.bulk_create(
            MetaEntry(portfolio=portfolio, place=place, **entry) for place, entry in enumerate(meta)
        )
