from datetime import datetime
from typing import Any

from django.core.validators import URLValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from folio.admin.moments import in_history, shown
from folio.api.columns import (
    CodePointLineField,
    NormalCodePointCharField,
    NormalCodePointTextField,
    NormalTextField,
    VisibleField,
)
from folio.api.stored import Stored
from folio.api.texts import CodePointCharField, validate_slug
from folio.media.models import Media
from folio.snapshots.clock import CurrentMoment

from .slugs import Slugged

BATCH = 500  # rows of one statement, where all are changed
SCHEDULE = ("is_active", "publish_at", "unpublish_at")  # the fields by which it is told who may read a portfolio
NOW = CurrentMoment()
IN_TIME = (Q(publish_at=None) | Q(publish_at__lte=NOW)) & (Q(unpublish_at=None) | Q(unpublish_at__gt=NOW))
OUT_OF_TIME = Q(publish_at__gt=NOW) | Q(unpublish_at__lte=NOW)
PUBLISHED = Q(is_active=True) & IN_TIME  # what visitors may read: a bare column in SQL, for which SQLite uses no index
PUBLISHED_BY_INDEX = Q(is_active__in=[True]) & IN_TIME  # the same, for which it does


class UTCYear(models.Func):
    """The calendar year in UTC of a datetime, as an integer."""

    arity = 1
    output_field = models.IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # Django stores datetimes in UTC as `YYYY-MM-DD HH:MM:SS`.
        return self.as_sql(compiler, connection, template="CAST(SUBSTR(%(expressions)s, 1, 4) AS INTEGER)", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            template="CAST(EXTRACT(YEAR FROM %(expressions)s AT TIME ZONE 'UTC') AS INTEGER)",
            **context,
        )


def image_field(**options: Any) -> Any:
    """Return a reference to the media that pictures a row; a media in use can't be deleted."""
    return models.ForeignKey(
        Media,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        limit_choices_to={"type": "image"},
        **options,
    )


class Employer(Slugged):
    """The client or company that work was done for."""

    watched = ("name", "slug", "image")

    name = CodePointLineField(max_length=200)
    description = NormalCodePointTextField(null=True, blank=True)
    image = image_field()
    slug = CodePointLineField(
        max_length=200,
        blank=True,
        validators=[validate_slug],
        help_text=_("Its part of a web address; made from the name where it is left out."),
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="employer_name_unique"),
            models.UniqueConstraint(fields=["slug"], name="employer_slug_unique"),
            models.CheckConstraint(condition=~Q(name=""), name="employer_name_not_blank"),
            models.CheckConstraint(condition=~Q(slug=""), name="employer_slug_not_blank"),
        ]

    def __str__(self) -> str:
        return self.name


class Tag(Slugged):
    """A word that groups portfolios, with a picture if it helps."""

    watched = ("name", "slug", "image")

    name = CodePointLineField(max_length=100)
    image = image_field()
    slug = CodePointLineField(
        max_length=200,
        blank=True,
        validators=[validate_slug],
        help_text=_("Its part of a web address; made from the name where it is left out."),
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="tag_name_unique"),
            models.UniqueConstraint(fields=["slug"], name="tag_slug_unique"),
            models.CheckConstraint(condition=~Q(name=""), name="tag_name_not_blank"),
            models.CheckConstraint(condition=~Q(slug=""), name="tag_slug_not_blank"),
        ]

    def __str__(self) -> str:
        return self.name


class State(models.TextChoices):
    """Who may read a portfolio: nobody yet, nobody before a moment, everyone, or nobody any more."""

    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    PUBLISHED = "published", _("Published")
    ENDED = "ended", _("Ended")


class PortfolioQuerySet(models.QuerySet["Portfolio"]):
    def published(self) -> "PortfolioQuerySet":
        """Return those that visitors may read, found by the index in which they are in the default order."""
        return self.filter(PUBLISHED_BY_INDEX)

    def only_published(self) -> "PortfolioQuerySet":
        """Return those of the rows that visitors may read, where something else leads to fewer of them, or in order."""
        return self.filter(PUBLISHED)

    def marked(self) -> "PortfolioQuerySet":
        """Tell of each row, as `is_published`, whether visitors may read it.

        As a condition beside some ids it would make SQLite walk through all that are published, to look for these.
        """
        return self.annotate(is_published=models.ExpressionWrapper(PUBLISHED, output_field=models.BooleanField()))

    def unpublished(self) -> "PortfolioQuerySet":
        """Return all others: those of which visitors must not even learn that they are there."""
        return self.filter(Q(is_active__in=[False]) | OUT_OF_TIME)

    def with_state(self) -> "PortfolioQuerySet":
        """Tell of each row, as `state`, which of its four states it is in now."""
        return self.annotate(
            state=models.Case(
                models.When(is_active=False, then=models.Value(State.DRAFT)),
                models.When(unpublish_at__lte=NOW, then=models.Value(State.ENDED)),
                models.When(publish_at__gt=NOW, then=models.Value(State.SCHEDULED)),
                default=models.Value(State.PUBLISHED),
                output_field=models.CharField(),
            )
        )

    def touch(self) -> int:
        """Renew `updated_at`, for a change in what belongs to these portfolios."""
        return self.update(updated_at=timezone.now())

    def in_state(self, state: State) -> "PortfolioQuerySet":
        """Return those that are in a state now."""
        if state == State.PUBLISHED:
            return self.published()
        if state == State.DRAFT:
            return self.filter(is_active__in=[False])
        moment = Q(publish_at__gt=NOW) if state == State.SCHEDULED else Q(unpublish_at__lte=NOW)
        return self.filter(moment, is_active__in=[True])  # what is to begin has not ended: a constraint says so

    def lock(self) -> list[int]:
        """Keep others from changing these portfolios until the transaction ends, and return their ids.

        Whoever changes what belongs to portfolios locks them before anything else: two that lock the same rows in a
        different order wait for each other, until PostgreSQL ends one of them.
        """
        return list(self.select_for_update().order_by("pk").values_list("pk", flat=True))


def told_link(pair: tuple[Any, Any]) -> SafeString | str:
    """Say in words what the history keeps of a preview link: until when one was made, or that all were ended."""
    try:
        until = parse_datetime(pair[1] or "")
    except (TypeError, ValueError):
        until = None
    if until is None:
        return gettext("All preview links were ended.")
    return format_html(gettext("A link was made, until {moment}."), moment=shown(until))


class Portfolio(Stored):
    """A finished piece of work, as websites show it."""

    watched = ("slug",)
    deeds = {"preview_link": told_link}  # what the history tells that is no field
    untold = {"related_updated_at", "shown_at", "preview_generation"}  # which say nothing of the portfolio itself
    in_words = {"publish_at": in_history, "unpublish_at": in_history}  # fields that the history tells otherwise

    title = CodePointLineField(max_length=200)
    slug = CodePointLineField(max_length=200, validators=[validate_slug])
    excerpt = VisibleField(max_length=1000)
    description = NormalTextField(null=True, blank=True)
    image = image_field(db_index=False)
    order = models.IntegerField(default=0)
    employer = models.ForeignKey(
        Employer, null=True, blank=True, on_delete=models.PROTECT, related_name="portfolios", db_index=False
    )
    is_active = models.BooleanField(default=True)
    publish_at = models.DateTimeField(null=True, blank=True)
    unpublish_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    year = models.GeneratedField(
        expression=UTCYear("completed_at"), output_field=models.IntegerField(null=True), db_persist=True
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # When something that it shows and that is not its own last changed: a tag's name, the file or text of a picture.
    related_updated_at = models.DateTimeField(null=True, editable=False)
    shown_at = models.GeneratedField(
        # Of what is published, `publish_at` has passed: that it became so is a change too.
        expression=Greatest(
            "updated_at", Coalesce("related_updated_at", "updated_at"), Coalesce("publish_at", "updated_at")
        ),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    # Part of each preview link, which ends when this is raised; see `folio.portfolios.previews`.
    preview_generation = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    images = models.ManyToManyField(Media, through="PortfolioImage", related_name="+", blank=True)
    tags = models.ManyToManyField(Tag, through="PortfolioTag", related_name="portfolios", blank=True)

    objects = PortfolioQuerySet.as_manager()

    class Meta:
        ordering = ["order", F("created_at").desc(), "pk"]
        # For those who write what others publish: entries that are not active, in the admin site only.
        permissions = [("draft_portfolio", "Can draft portfolio")]
        constraints = [
            models.UniqueConstraint(fields=["title"], name="portfolio_title_unique"),
            models.UniqueConstraint(fields=["slug"], name="portfolio_slug_unique"),
            models.CheckConstraint(condition=~Q(title=""), name="portfolio_title_not_blank"),
            models.CheckConstraint(condition=~Q(slug=""), name="portfolio_slug_not_blank"),
            models.CheckConstraint(condition=~Q(excerpt=""), name="portfolio_excerpt_not_blank"),
            models.CheckConstraint(
                condition=Q(order__range=(-(2**31), 2**31 - 1)), name="portfolio_order_fits_32_bits"
            ),
            models.CheckConstraint(
                condition=Q(publish_at=None) | Q(unpublish_at=None) | Q(unpublish_at__gt=F("publish_at")),
                name="portfolio_ends_after_it_begins",
            ),
        ]
        indexes = [
            # The last four let a walk through the default order filter by them without a look at the rows.
            models.Index(
                "order",
                F("created_at").desc(),
                "id",
                "updated_at",
                "completed_at",
                "image",
                "employer",
                name="portfolio_default_order",
            ),
            models.Index(fields=["created_at"], name="portfolio_created_at"),
            models.Index(fields=["updated_at"], name="portfolio_updated_at"),
            models.Index(fields=["completed_at"], name="portfolio_completed_at"),
            models.Index(fields=["shown_at"], name="portfolio_shown_at"),
            models.Index(fields=["year"], name="portfolio_year"),
            # What is filtered by one value is found in the default order: however many there are, nothing is sorted.
            # Its last five let what is published be filtered and counted without a look at the rows.
            models.Index(
                "is_active",
                "order",
                F("created_at").desc(),
                "id",
                "employer",
                "image",
                "completed_at",
                "publish_at",
                "unpublish_at",
                name="portfolio_is_active",
            ),
            # The next moment at which what is published changes, and what is not published by now. The conditions are
            # IS NOT NULL in SQL: by NOT (… IS NULL), SQLite would not see that whatever is compared fulfils them.
            models.Index(
                fields=["publish_at", "is_active"], condition=Q(publish_at__isnull=False), name="portfolio_publish_at"
            ),
            models.Index(
                fields=["unpublish_at", "is_active"],
                condition=Q(unpublish_at__isnull=False),
                name="portfolio_unpublish_at",
            ),
            models.Index("employer", "order", F("created_at").desc(), "id", name="portfolio_employer"),
            models.Index("image", "order", F("created_at").desc(), "id", name="portfolio_image"),
        ]

    def __str__(self) -> str:
        return self.title

    def state_at(self, moment: datetime) -> State:
        """Return the state that it is in at a moment, as it is now; see `PortfolioQuerySet.with_state`."""
        if not self.is_active:
            return State.DRAFT
        if self.unpublish_at is not None and self.unpublish_at <= moment:
            return State.ENDED
        if self.publish_at is not None and self.publish_at > moment:
            return State.SCHEDULED
        return State.PUBLISHED

    def changed(self, was: dict[str, Any]) -> None:
        """Let a slug that was given up go on leading to the portfolio."""
        from .former import remember

        if was.get("slug"):
            remember(self, was["slug"])


class FormerSlug(models.Model):
    """A slug that a portfolio had, so that its old address leads to the new one."""

    slug = CodePointCharField(max_length=200)
    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="former_slugs")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["slug"], name="former_slug_unique")]

    def __str__(self) -> str:
        return self.slug


class Placed(models.Model):
    """A row with a place in its portfolio's list."""

    owner = "portfolio"  # whose history tells of the row

    place = models.PositiveIntegerField(default=0, help_text=_("The position in the portfolio's list, from 0."))

    class Meta:
        abstract = True

    def as_item(self) -> dict[str, Any]:
        """Return what the history keeps of the row: its id, by the name of its model, and its fields but the place."""
        fields = (field for field in self._meta.concrete_fields if field.name not in {"id", "portfolio", "place"})
        return {str(self._meta.model_name): self.pk, **{field.name: getattr(self, field.attname) for field in fields}}


class PortfolioImage(Placed):
    """An image in a portfolio's gallery."""

    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="gallery")
    media = models.ForeignKey(
        Media,
        on_delete=models.PROTECT,
        related_name="+",
        limit_choices_to={"type": "image"},
        verbose_name="image",
    )
    caption = NormalCodePointCharField(
        max_length=1000, null=True, blank=True, help_text=_("What is written beside the image in this gallery.")
    )

    class Meta:
        ordering = ["portfolio_id", "place", "pk"]
        verbose_name = "gallery image"
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "media"], name="gallery_media_unique_per_portfolio")
        ]
        indexes = [models.Index(fields=["portfolio", "place", "id"], name="gallery_place")]

    def __str__(self) -> str:
        return f"{self.portfolio}: {self.media}"


class PortfolioTag(Placed):
    """A tag on a portfolio."""

    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="placed_tags")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        ordering = ["portfolio_id", "place", "pk"]
        verbose_name = "tag"
        constraints = [models.UniqueConstraint(fields=["portfolio", "tag"], name="tag_unique_per_portfolio")]
        indexes = [
            models.Index(fields=["portfolio", "place", "id"], name="portfolio_tag_place"),
            models.Index(fields=["tag", "portfolio"], name="portfolio_tag_tag"),
        ]

    def __str__(self) -> str:
        return f"{self.portfolio}: {self.tag}"


class Link(Placed):
    """A web address that belongs to a portfolio."""

    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="links")
    name = CodePointLineField(max_length=200)
    url = CodePointCharField(
        max_length=2000, null=True, blank=True, validators=[URLValidator(schemes=["http", "https"])]
    )
    description = NormalCodePointTextField(null=True, blank=True)
    image = image_field()

    class Meta:
        ordering = ["portfolio_id", "place", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="link_name_not_blank"),
            models.CheckConstraint(
                condition=Q(url=None) | Q(url__istartswith="http://") | Q(url__istartswith="https://"),
                name="link_url_is_http",
            ),
        ]
        indexes = [models.Index(fields=["portfolio", "place", "id"], name="link_place")]

    def __str__(self) -> str:
        return self.name


class MetaEntry(Placed):
    """A key with a text or a file, for whatever a website wants to know of a portfolio."""

    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="meta")
    key = CodePointLineField(max_length=100)
    value_text = NormalCodePointTextField(null=True, blank=True)
    value_file = models.ForeignKey(Media, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["portfolio_id", "place", "pk"]
        verbose_name = "meta"
        verbose_name_plural = "meta"
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "key"], name="meta_key_unique_per_portfolio"),
            models.CheckConstraint(condition=~Q(key=""), name="meta_key_not_blank"),
        ]
        indexes = [
            models.Index(fields=["portfolio", "place", "id"], name="meta_place"),
            models.Index(fields=["key"], name="meta_key"),
        ]

    def __str__(self) -> str:
        return self.key
