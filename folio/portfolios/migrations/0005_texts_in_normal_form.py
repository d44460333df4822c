from django.db import migrations

from folio.api.normalizing import normalize

COLUMNS = {  # each with those that are unique, beside what
    "Portfolio": (["title", "slug", "excerpt", "description"], {"title": [], "slug": []}),
    "Employer": (["name", "description"], {"name": []}),
    "Tag": (["name"], {"name": []}),
    "Link": (["name", "description"], {}),
    "MetaEntry": (["key", "value_text"], {"key": ["portfolio"]}),
}


def normalize_texts(apps, schema_editor):
    for name, (columns, unique) in COLUMNS.items():
        normalize(apps.get_model("portfolios", name), schema_editor.connection.alias, columns, unique)


class Migration(migrations.Migration):
    """Bring the texts into Unicode's form NFC; `folio check` names the rows that another one keeps from it."""

    dependencies = [("portfolios", "0004_ready_roles")]

    operations = [migrations.RunPython(normalize_texts, migrations.RunPython.noop)]
