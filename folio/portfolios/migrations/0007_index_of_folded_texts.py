from django.db import migrations

from folio.portfolios.searching.stores import store


def make(apps, schema_editor):
    store().make()


def remove(apps, schema_editor):
    store().remove()


class Migration(migrations.Migration):
    """Make the tables of the search's index; they are filled, and kept true by triggers, after all migrations."""

    dependencies = [("portfolios", "0006_slugs_captions_and_shown_at")]

    operations = [migrations.RunPython(make, remove)]
