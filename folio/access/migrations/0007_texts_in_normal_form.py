from django.db import migrations

from folio.api.normalizing import normalize


def normalize_texts(apps, schema_editor):
    normalize(apps.get_model("access", "Token"), schema_editor.connection.alias, ["name"], {})


class Migration(migrations.Migration):
    dependencies = [("access", "0006_keep_answers")]

    operations = [migrations.RunPython(normalize_texts, migrations.RunPython.noop)]
