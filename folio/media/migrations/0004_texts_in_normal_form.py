from django.db import migrations

from folio.api.normalizing import normalize


def normalize_texts(apps, schema_editor):
    normalize(apps.get_model("media", "Media"), schema_editor.connection.alias, ["name", "alt"], {})


class Migration(migrations.Migration):
    dependencies = [("media", "0003_former_names")]

    operations = [migrations.RunPython(normalize_texts, migrations.RunPython.noop)]
