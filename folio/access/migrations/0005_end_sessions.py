from typing import Any

from django.db import migrations


def end_sessions(apps: Any, schema_editor: Any) -> None:
    apps.get_model("sessions", "Session").objects.all().delete()


class Migration(migrations.Migration):
    """Sessions are stored under digests from now on. Those of before are ended: backups may hold their keys."""

    dependencies = [
        ("access", "0004_token_made_by_one_form"),
        ("sessions", "0001_initial"),
    ]

    operations = [migrations.RunPython(end_sessions, end_sessions)]
