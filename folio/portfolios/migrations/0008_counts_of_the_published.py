"""Let what is published be filtered and counted without a look at the rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0007_index_of_folded_texts")]

    operations = [
        migrations.RemoveIndex(model_name="portfolio", name="portfolio_is_active"),
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
                name="portfolio_is_active",
            ),
        ),
    ]
