from django.db import migrations, models
from django.db.models.functions import Coalesce, Greatest


class Migration(migrations.Migration):
    """Let portfolios be published from a moment on, and up to one."""

    dependencies = [
        ("media", "0008_duration"),
        ("portfolios", "0008_counts_of_the_published"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="portfolio", name="portfolio_is_active"),
        migrations.RemoveIndex(model_name="portfolio", name="portfolio_shown_at"),
        migrations.RemoveField(model_name="portfolio", name="shown_at"),  # what it is computed from can't be altered
        migrations.AddField(
            model_name="portfolio", name="publish_at", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            model_name="portfolio", name="unpublish_at", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            model_name="portfolio",
            name="shown_at",
            field=models.GeneratedField(
                db_persist=True,
                expression=Greatest(
                    "updated_at", Coalesce("related_updated_at", "updated_at"), Coalesce("publish_at", "updated_at")
                ),
                output_field=models.DateTimeField(),
            ),
        ),
        migrations.AddIndex(
            model_name="portfolio",
            index=models.Index(
                models.F("is_active"),
                models.F("order"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.F("id"),
                models.F("employer"),
                models.F("image"),
                models.F("completed_at"),
                models.F("publish_at"),
                models.F("unpublish_at"),
                name="portfolio_is_active",
            ),
        ),
        migrations.AddIndex(
            model_name="portfolio", index=models.Index(fields=["shown_at"], name="portfolio_shown_at")
        ),
        migrations.AddIndex(
            model_name="portfolio",
            index=models.Index(
                condition=models.Q(publish_at__isnull=False),
                fields=["publish_at", "is_active"],
                name="portfolio_publish_at",
            ),
        ),
        migrations.AddIndex(
            model_name="portfolio",
            index=models.Index(
                condition=models.Q(unpublish_at__isnull=False),
                fields=["unpublish_at", "is_active"],
                name="portfolio_unpublish_at",
            ),
        ),
        migrations.AddConstraint(
            model_name="portfolio",
            constraint=models.CheckConstraint(
                condition=models.Q(publish_at=None)
                | models.Q(unpublish_at=None)
                | models.Q(unpublish_at__gt=models.F("publish_at")),
                name="portfolio_ends_after_it_begins",
            ),
        ),
    ]
