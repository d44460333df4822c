from django.db import migrations, models


class Migration(migrations.Migration):
    """Count how often the preview links of a portfolio were ended."""

    dependencies = [("portfolios", "0009_publish_at_and_unpublish_at")]

    operations = [
        migrations.AddField(
            model_name="portfolio",
            name="preview_generation",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
